"""``dynclient mock``: a server that answers as a document says."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import click

from dynclient._tables import is_coloured
from dynclient.cli.documents import document_argument, located
from dynclient.exceptions import escaped
from dynclient.messages import Response

COLOURS = ("green", "cyan", "yellow", "red")
SHOWN_BODY = 10_000


@click.command(short_help="Serve a document as a mock.")
@document_argument()
@click.option("--port", type=click.IntRange(0, 65535), default=4010, show_default=True, help="0: a free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--stateful", is_flag=True, help="What one request creates, another one finds.")
@click.option("--dynamic", is_flag=True, help="Make answers from schemas, not from examples.")
@click.option("--seed", default=0, show_default=True, help="The same seed gives the same answers.")
@click.option("--credentials", metavar="USER:PASSWORD|TOKEN", help="What is right; else any of the right form is.")
@click.option("--no-auth", is_flag=True, help="Ask for no credentials.")
@click.option("--no-validate", is_flag=True, help="Take requests that break the document.")
@click.option("--delay", type=click.FloatRange(0), default=0, metavar="MS", help="Milliseconds before each answer.")
@click.option("--chaos", type=click.FloatRange(0, 1), default=0, metavar="RATE", help="The part of requests that fail.")
@click.option("--watch", is_flag=True, help="Read the document again when it changes.")
@click.option("--cors", is_flag=True, help="Let pages of any origin ask.")
@click.option("--verbose", is_flag=True, help="Show bodies too.")
@click.option("--quiet", is_flag=True, help="No line for each request.")
@click.option(
    "-o", "--format", "output", type=click.Choice(["text", "json"]), default="text", help="json: a line of JSON each."
)
def mock(document: str, port: int, host: str, *, verbose: bool, quiet: bool, output: str, **given: Any) -> None:
    """Serve DOCUMENT, a path or URL: answer each operation as it says, and refuse what it does not allow."""
    try:
        from dynclient.testing.server import serve
    except ImportError as error:
        raise click.ClickException("the mock server needs werkzeug: pip install 'dynclient[testing]'") from error
    options = {name: given[name] for name in ("stateful", "dynamic", "seed", "chaos", "watch", "cors")}
    options["credentials"] = _credentials(given["credentials"])
    options |= {"authenticate": not given["no_auth"], "validate": not given["no_validate"]}
    options |= {"delay": given["delay"] / 1000, "observer": None if quiet else observer(output, verbose=verbose)}
    with serve(located(document), host=host, port=port, **options) as server:
        announce(server.mock.api, server.url)
        server.wait()


def _credentials(text: str | None) -> tuple[str, str] | str | None:
    user, colon, password = (text or "").partition(":")
    return (user, password) if colon else text


def announce(api: Any, url: str) -> None:
    """Say what is served, and where."""
    what = f"{api.title} {api.version}: {len(api.rows)} operation{'s' if len(api.rows) != 1 else ''}"
    click.echo(escaped(f"{what} at {url} (Ctrl-C stops it)"), err=True)


def observer(output: str, *, verbose: bool) -> Callable[[Response], None]:
    """What shows each exchange: a line of text on standard error, or a line of JSON on standard output."""

    def as_text(response: Response) -> None:
        click.echo(_line(response), err=True, color=is_coloured(sys.stderr))
        for body in _bodies(response) if verbose else ():
            if body:
                click.echo("  " + escaped(body).replace("\n", "\n  "), err=True)

    def as_json(response: Response) -> None:
        click.echo(json.dumps(_data(response, verbose=verbose), ensure_ascii=True))

    return as_json if output == "json" else as_text


def _line(response: Response) -> str:
    request = response.request
    if request is None:
        return str(response.status)
    operation = f"  {request.operation_id}" if request.operation_id else ""
    colour = COLOURS[min(max(response.status // 100, 2), 5) - 2]
    status = click.style(str(response.status), fg=colour)
    return f"{escaped(request.method)} {escaped(_path(request.shown_url))} {status}{escaped(operation)}"


def _data(response: Response, *, verbose: bool) -> dict[str, Any]:
    request = response.request
    data: dict[str, Any] = {"status": response.status}
    if request is not None:
        data = {"method": request.method, "path": _path(request.shown_url), "operation": request.operation_id, **data}
    if verbose:
        data["request_body"], data["response_body"] = _bodies(response)
    return data


def _path(url: str) -> str:
    return "/" + url.partition("://")[2].partition("/")[2]


def _bodies(response: Response) -> tuple[str, str]:
    sent = response.request.body if response.request is not None else b""
    bodies = [body if isinstance(body, bytes) else b"" for body in (sent, response.body)]
    first, second = (body[:SHOWN_BODY].decode("utf-8", "replace") for body in bodies)
    return first, second
