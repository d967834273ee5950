"""``dynclient mock`` and ``dynclient proxy``: servers that mock a document, or check real traffic against it."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import click

from dynclient._escaping import counted
from dynclient._request.servers import checked_base_url
from dynclient._tables import is_coloured
from dynclient.cli.commands import Command
from dynclient.cli.documents import Decorated, document_argument, format_option, loaded, overlays_of
from dynclient.cli.overlays import drift_option, save_drift
from dynclient.cli.process import writing
from dynclient.exceptions import escaped
from dynclient.messages import Request, Response

COLOURS = ("green", "cyan", "yellow", "red")
SHOWN_BODY = 10_000
SHOWN_NAMES = 5


def _server_options(command: Decorated) -> Decorated:
    """The options of both servers."""
    for option in (
        click.option("--quiet", is_flag=True, help="Do not print a line for each request."),
        click.option("--verbose", is_flag=True, help="Show bodies too."),
        click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on."),
        click.option("--allow-host", "allow_hosts", multiple=True, metavar="NAME", help="Accept this host name too."),
        click.option("--port", type=click.IntRange(0, 65535), default=4010, show_default=True, help="0: a free one."),
    ):
        command = option(command)
    return command


@click.command(cls=Command)
@document_argument()
@_server_options
@click.option("--stateful", is_flag=True, help="Store created items, and find, list and delete them.")
@click.option("--dynamic", is_flag=True, help="Generate responses from schemas, not from examples.")
@click.option("--fake/--no-fake", default=None, help="Generate realistic data; the default if faker is installed.")
@click.option("--seed", default=0, show_default=True, help="The same seed gives the same responses.")
@click.option(
    "--credentials", metavar="USER:PASSWORD|TOKEN", help="The accepted credentials; by default any of the right form."
)
@click.option("--no-auth", is_flag=True, help="Require no credentials.")
@click.option("--no-validate", is_flag=True, help="Accept requests that violate the document.")
@click.option("--delay", type=click.FloatRange(0), default=0, metavar="MS", help="Milliseconds before each response.")
@click.option(
    "--chaos", type=click.FloatRange(0, 1), default=0, metavar="RATE", help="The fraction of requests that fail."
)
@click.option("--watch", is_flag=True, help="Reload the document when it changes.")
@click.option("--callbacks", is_flag=True, help="Send the document's callbacks, only to this machine.")
@click.option(
    "--callback-origin", "callback_origins", multiple=True, metavar="URL", help="Send callbacks to this origin too."
)
@click.option("--cors", is_flag=True, help="Allow web pages of any origin (CORS).")
@format_option("text", "json", text="The format of the line for each request.")
def mock(document: str, port: int, host: str, *, verbose: bool, quiet: bool, output: str, **given: Any) -> None:
    """Serve DOCUMENT, a path or URL: answer each operation, and refuse invalid requests."""
    from dynclient.examples import realistic

    try:
        from dynclient.testing.server import serve
    except ImportError as error:
        raise click.ClickException("the mock server needs werkzeug: pip install 'dynclient[testing]'") from error
    options = {name: given[name] for name in ("stateful", "dynamic", "seed", "chaos", "watch", "cors", "callbacks")}
    options["callback_origins"] = given["callback_origins"]
    user, colon, password = (given["credentials"] or "").partition(":")
    options["credentials"] = (user, password) if colon else given["credentials"]
    options["fake"] = realistic.is_installed() if given["fake"] is None else given["fake"]
    options |= {"authenticate": not given["no_auth"], "validate": not given["no_validate"]}
    options |= {"delay": given["delay"] / 1000, "observer": None if quiet else _observer(output, verbose=verbose)}
    check_host(host)
    options["overlays"] = overlays_of(document)
    serve = partial(serve, host=host, port=port, allow_hosts=given["allow_hosts"], **options)
    with loaded(serve, document) as server:
        _announce(server.mock.api, server.url)
        _announce_faults(server.mock)
        server.wait()


@click.command(cls=Command)
@document_argument()
@click.argument("upstream")
@_server_options
@click.option("--fail", is_flag=True, help="Refuse messages that differ, and exit with status 1 if any did.")
@click.option("--mock-missing", is_flag=True, help="Answer from DOCUMENT if UPSTREAM sends 501 or can't be reached.")
@click.option("--report", type=click.Choice(["text", "json", "junit"]), default="text", show_default=True)
@click.option("--report-file", type=click.Path(dir_okay=False, path_type=Path), help="The file for the report.")
@drift_option
def proxy(  # click passes them all by name
    document: str, upstream: str, port: int, host: str, report: str, report_file: Path | None, **given: Any
) -> int:
    """Pass requests on to UPSTREAM, a base URL, and report where they and their responses differ from DOCUMENT.

    At the end it reports which parts of the document were used, and every difference.
    """
    try:
        from dynclient.testing.server import proxy as serve_proxy
    except ImportError as error:
        raise click.ClickException("the proxy needs werkzeug: pip install 'dynclient[testing]'") from error
    from dynclient.testing.reports import REPORTS

    show = _observer("text", verbose=given["verbose"])

    def observe(response: Response, differences: list[Any]) -> None:
        if not given["quiet"]:
            show(response)
            for difference in differences:
                click.secho(escaped(f"  {difference}"), err=True, fg="red")

    check_host(host)
    upstream = checked_base_url(upstream)
    options = {"allow_hosts": given["allow_hosts"], "fail": given["fail"], "observer": observe}
    options |= {"mock_missing": given["mock_missing"], "overlays": overlays_of(document)}
    serve_proxy = partial(serve_proxy, upstream=upstream, host=host, port=port, **options)
    with loaded(serve_proxy, document) as server:
        _announce(server.proxy.api, f"{server.url}, for {upstream}")
        try:
            server.wait()
        except KeyboardInterrupt:
            click.echo(err=True)
    text = REPORTS[report](server.proxy.coverage, server.proxy.differences)
    if report_file is not None:
        from dynclient._client.downloads import AtomicFile

        with writing(report_file), AtomicFile(report_file) as file:
            file.write(f"{text}\n".encode())
    else:
        click.echo(text)
    save_drift(server.proxy.drift, given["drift"])
    return int(given["fail"] and bool(server.proxy.differences))


def check_host(host: str) -> None:
    """Refuse a host without a local address: the server would end the process.

    Raises:
        ClickException: it has no local address.
    """
    try:
        socket.getaddrinfo(host, None)
    except (OSError, ValueError) as error:
        raise click.ClickException(escaped(f"--host {host}: {getattr(error, 'strerror', None) or error}")) from None


def _announce(api: Any, url: str) -> None:
    operations = counted(len(api.rows), "operation")
    click.echo(escaped(f"{api.title} {api.version}: {operations} at {url} (press Ctrl-C to stop)"), err=True)


def _announce_faults(mock: Any) -> None:
    """Report the parts that will not work: collections without state, and broken operations."""
    collections = mock.collections()
    if collections is not None:
        kept, others = collections
        total = counted(len(kept) + len(others), "collection")
        named = ", ".join(others[:SHOWN_NAMES]) + (
            f" and {len(others) - SHOWN_NAMES} more" * (len(others) > SHOWN_NAMES)
        )
        text = f"stateful: {len(kept)} of {total}" + (f"; not: {named}" if others else "")
        click.echo(escaped(text), err=True)
    for name, error in mock.broken():
        click.secho(
            escaped(f"{name} answers 500, since the document is broken there: {error.message}"), err=True, fg="red"
        )


def _observer(output: str, *, verbose: bool) -> Callable[[Response], None]:
    """A function that shows an exchange: a line of text on standard error, or a line of JSON on standard output."""

    def as_text(response: Response) -> None:
        data = _exchange(response, verbose=verbose)
        operation = f"  {data['operation']}" if data["operation"] else ""
        status = click.style(data["status"], fg=COLOURS[min(max(response.status // 100, 2), 5) - 2])
        line = f"{escaped(data['method'])} {escaped(data['path'])} {status}{escaped(operation)}"
        click.echo(line, err=True, color=is_coloured(sys.stderr))
        for body in filter(None, (data.get("request_body"), data.get("response_body"))):
            click.echo("  " + escaped(body).replace("\n", "\n  "), err=True)

    def as_json(response: Response) -> None:
        click.echo(json.dumps(_exchange(response, verbose=verbose), ensure_ascii=True))

    return as_json if output == "json" else as_text


def _exchange(response: Response, *, verbose: bool) -> dict[str, Any]:
    request = response.request or Request("", "")
    path = "/" + request.shown_url.partition("://")[2].partition("/")[2]
    shown = {"method": request.method, "path": path, "operation": request.operation_id, "status": response.status}
    for name, body in (("request_body", request.body), ("response_body", response.body)) if verbose else ():
        shown[name] = body[:SHOWN_BODY].decode("utf-8", "replace") if isinstance(body, bytes) else ""
    return shown
