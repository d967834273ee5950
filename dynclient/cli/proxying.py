"""``dynclient proxy``: passes requests on, and tells where they and their responses differ from a document."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dynclient.cli.documents import document_argument, located
from dynclient.cli.mocking import announce, observer
from dynclient.exceptions import escaped
from dynclient.messages import Response


@click.command(short_help="Check real traffic by a document.")
@document_argument()
@click.argument("upstream")
@click.option("--port", type=click.IntRange(0, 65535), default=4010, show_default=True, help="0: a free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--fail", is_flag=True, help="Refuse what differs, and end with status 1 if anything did.")
@click.option("--report", type=click.Choice(["text", "json", "junit"]), default="text", show_default=True)
@click.option("--report-file", type=click.Path(dir_okay=False, path_type=Path), help="Where the report goes.")
@click.option("--verbose", is_flag=True, help="Show bodies too.")
@click.option("--quiet", is_flag=True, help="No line for each request.")
def proxy(  # click gives them all by name
    document: str, upstream: str, port: int, host: str, report: str, report_file: Path | None, **given: bool
) -> int:
    """Pass requests on to UPSTREAM, a base URL, and tell where they and their responses differ from DOCUMENT.

    When it is interrupted it reports what was covered of the document, and every difference.
    """
    try:
        from dynclient.testing.server import proxy as served
    except ImportError as error:
        raise click.ClickException("the proxy needs werkzeug: pip install 'dynclient[testing]'") from error
    from dynclient.testing.reports import REPORTS

    show = observer("text", verbose=given["verbose"])

    def observe(response: Response, differences: list[Any]) -> None:
        if not given["quiet"]:
            show(response)
            for difference in differences:
                click.secho(escaped(f"  {difference}"), err=True, fg="red")

    with served(located(document), upstream, host=host, port=port, fail=given["fail"], observer=observe) as server:
        announce(server.proxy.api, f"{server.url}, for {upstream}")
        try:
            server.wait()
        except KeyboardInterrupt:
            click.echo(err=True)
    text = REPORTS[report](server.proxy.coverage, server.proxy.differences)
    if report_file is not None:
        report_file.write_text(text + "\n", encoding="utf-8")
    else:
        click.echo(text)
    return int(given["fail"] and bool(server.proxy.differences))
