"""``dynclient mock``: a server that answers as a document says."""

from __future__ import annotations

import sys

import click

from dynclient.messages import Response


@click.command(short_help="Serve a document as a mock.")
@click.argument("document")
@click.option("--port", type=click.IntRange(0, 65535), default=4010, show_default=True, help="0: a free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--seed", default=0, show_default=True, help="The same seed gives the same answers.")
@click.option("--quiet", is_flag=True, help="No line for each request.")
def mock(document: str, port: int, host: str, seed: int, *, quiet: bool) -> None:
    """Serve DOCUMENT, a path or URL: answer each operation as it says, and refuse what it does not allow.

    Any credential of the right form is taken. What one request creates, another one finds.
    """
    try:
        from dynclient.testing.server import serve
    except ImportError as error:
        raise click.ClickException("the mock server needs werkzeug: pip install 'dynclient[testing]'") from error
    with serve(document, host=host, port=port, seed=seed, observer=None if quiet else _log) as server:
        api = server.mock.api
        what = f"{api.title} {api.version}: {len(api.rows)} operation{'s' if len(api.rows) != 1 else ''}"
        click.echo(f"{what} at {server.url} (Ctrl-C stops it)", err=True)
        server.wait()


def _log(response: Response) -> None:
    request = response.request
    if request is None:
        return
    path = "/" + request.shown_url.partition("://")[2].partition("/")[2]
    operation = f"  {request.operation_id}" if request.operation_id else ""
    colour = ("green", "cyan", "yellow", "red")[min(max(response.status // 100, 2), 5) - 2]
    line = f"{request.method} {path} {click.style(str(response.status), fg=colour)}{operation}"
    click.echo(line, err=True, color=sys.stderr.isatty())
