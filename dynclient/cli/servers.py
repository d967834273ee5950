"""Commands that serve a document: ``mock``, ``proxy``, ``explore``, ``mcp``; and ``har``, a proxy of recorded traffic.

Rule: servers listen only on loopback unless the command line says otherwise. Access needs a printed secret: a link for
the explorer, a token for MCP.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import sys
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

import click

from dynclient._escaping import counted, escaped
from dynclient._request.servers import checked_base_url
from dynclient.cli import INTERRUPTED, TERMINATED, demo_session, documents
from dynclient.cli.calls import client_for
from dynclient.cli.commands import Command, Group, inform, needing, save, with_options
from dynclient.cli.descriptions import shell_example
from dynclient.cli.documents import document_argument, format_option, located
from dynclient.cli.input_values import shared_options
from dynclient.cli.output import save_tree, write
from dynclient.exceptions import ArgumentError
from dynclient.inspection.docstrings import client_name
from dynclient.inspection.tables import is_coloured
from dynclient.messages import Request, Response

if TYPE_CHECKING:
    from dynclient.drift import Recorder


COLOURS = ("green", "cyan", "yellow", "red")
SHOWN_BODY = 10_000
SHOWN_NAMES = 5
TOKEN = "DYNCLIENT_MCP_TOKEN"  # noqa: S105  # the name of the variable
_SHORTEST_TOKEN = 16


def _checked_host(ctx: click.Context, param: click.Parameter, host: str) -> str:
    """Refuse a host that is not an address of this machine; with such a host, the server would end the process."""
    del param
    try:
        if not ctx.resilient_parsing:
            socket.getaddrinfo(host, None)
    except (OSError, ValueError) as error:
        raise click.ClickException(f"--host {host}: {getattr(error, 'strerror', None) or error}") from None
    return host


_host_option = click.option(
    "--host", default="127.0.0.1", show_default=True, callback=_checked_host, help="The address to listen on."
)
_report_option = click.option(
    "--report", type=click.Choice(["text", "json", "junit"]), default="text", show_default=True
)
_drift_option = click.option(
    "--drift",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write an overlay that makes the document accept the responses that differ from it.",
)


_server_options = with_options(
    click.Option(["--port"], type=click.IntRange(0, 65535), default=4010, show_default=True, help="0: any free port."),
    click.Option(["--allow-host", "allow_hosts"], multiple=True, metavar="NAME", help="Accept this host name too."),
    click.Option(["--verbose"], is_flag=True, help="Show bodies too."),
    click.Option(["--quiet"], is_flag=True, help="Do not print a line for each request."),
)


@click.command(cls=Command)
@document_argument()
@_host_option
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
def mock(document: str, *, output: str, verbose: bool, quiet: bool, **given: Any) -> None:
    """Serve DOCUMENT, a path or URL: answer each operation, and refuse invalid requests."""
    from dynclient.examples import realistic
    from dynclient.testing.server import serve

    user, colon, password = (given["credentials"] or "").partition(":")
    given |= {
        "authenticate": not given.pop("no_auth"),
        "credentials": (user, password) if colon else given["credentials"],
        "delay": given["delay"] / 1000,
        "fake": realistic.is_installed() if given["fake"] is None else given["fake"],
        "observer": None if quiet else _observer(output, verbose=verbose),
        "overlays": documents.overlays_of(document),
        "validate": not given.pop("no_validate"),
    }
    with documents.loaded(partial(serve, **given), document) as server:
        _announce(server.mock.api, server.url)
        _announce_faults(server.mock)
        server.wait()


@click.command(cls=Command)
@document_argument()
@click.argument("upstream")
@_host_option
@_server_options
@click.option(
    "--fail", is_flag=True, help="Refuse messages that violate the document, and exit with status 1 if there were any."
)
@click.option("--mock-missing", is_flag=True, help="Answer from DOCUMENT if UPSTREAM sends 501 or can't be reached.")
@_report_option
@click.option("--report-file", type=click.Path(dir_okay=False, path_type=Path), help="The file for the report.")
@_drift_option
def proxy(  # click passes them all by name
    document: str,
    report: str,
    report_file: Path | None,
    drift: Path | None,
    *,
    quiet: bool,
    verbose: bool,
    **given: Any,
) -> int:
    """Pass requests on to UPSTREAM, a base URL, and report where they and their responses differ from DOCUMENT.

    At the end it reports which parts of the document were used, and every difference.
    """
    from dynclient.testing.reports import REPORTS
    from dynclient.testing.server import proxy as serve_proxy

    for file in filter(None, (report_file, drift)):
        if not file.parent.is_dir():  # an error at the end would lose the report
            raise click.UsageError(f"{file}: there is no such folder")
    show = _observer("text", verbose=verbose)

    def observe(response: Response, differences: list[Any]) -> None:
        if not quiet:
            show(response)
            for difference in differences:
                click.secho(escaped(f"  {difference}"), err=True, fg="red")

    given |= {"upstream": checked_base_url(given["upstream"], "UPSTREAM"), "overlays": documents.overlays_of(document)}
    with documents.loaded(partial(serve_proxy, observer=observe, **given), document) as server:
        _announce(server.proxy.api, f"{server.url}, for {given['upstream']}")
        try:
            server.wait()
        except KeyboardInterrupt:
            inform("")
    text = REPORTS[report](server.proxy.coverage, server.proxy.differences)
    if report_file is not None:
        save(report_file, f"{text}\n".encode())
    else:
        click.echo(text)
    _save_drift(server.proxy.drift, drift)
    return int(given["fail"] and bool(server.proxy.differences))


@click.group(cls=Group)
def har() -> None:
    """Check recorded traffic against a document."""


@har.command(short_help="Report how traffic differs from a document.")
@document_argument()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_report_option
@_drift_option
@click.option("--fail", is_flag=True, help="Exit with status 1 if anything differs from the document.")
def check(document: str, files: tuple[Path, ...], report: str, drift: Path | None, *, fail: bool) -> int:
    """Report where the traffic in FILES differs from DOCUMENT, and which parts of the document it uses.

    A file is HAR, as browsers save it, a recording of dynclient.testing.Recorder, or a cassette of vcrpy. Requests to
    other paths are counted as differences; if some go to hosts of the document's servers, only these are looked at.
    """
    from dynclient.testing.recordings import read
    from dynclient.testing.reports import REPORTS
    from dynclient.testing.traffic import TrafficCheck

    with documents.client_of(document) as client:
        traffic = TrafficCheck(client.api)
        recordings = [recording for path in files for recording in read(path)]
        hosts = {urlsplit(server.url).netloc for server in client.api.servers}
        own = [recording for recording in recordings if urlsplit(recording.request.url).netloc in hosts]
        for recording in own or recordings:
            traffic.check(recording.request, recording.response)
    click.echo(REPORTS[report](traffic.coverage, traffic.differences))
    _save_drift(traffic.drift, drift)
    return int(fail and bool(traffic.differences))


def _save_drift(recorder: Recorder, file: Path | None) -> None:
    """Write the overlay for the recorded differences, if a file is given, and print the number of its actions."""
    if file is None:
        return
    try:
        overlay = recorder.report().to_overlay()
    except ArgumentError as error:
        inform(f"{file} is not written: {error.message}")
        return
    save_tree(overlay, file)
    inform(f"{file}: {counted(len(overlay['actions']), 'action')}; read it before you use it")


def _announce(api: Any, url: str) -> None:
    operations = counted(len(api.rows), "operation")
    inform(f"{api.title} {api.version}: {operations} at {url} (press Ctrl-C to stop)")


def _announce_faults(mock: Any) -> None:
    """Report the parts that will not work: collections without state, and broken operations."""
    collections = mock.collections()
    if collections is not None:
        kept, others = collections
        total = counted(len(kept) + len(others), "collection")
        named = ", ".join(others[:SHOWN_NAMES]) + f" and {len(others) - SHOWN_NAMES} more" * (len(others) > SHOWN_NAMES)
        inform(f"stateful: {len(kept)} of {total}" + f"; not: {named}" * bool(others))
    for name, error in mock.broken():
        click.secho(
            escaped(f"{name} returns 500, since the document is broken there: {error.message}"), err=True, fg="red"
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
            inform("  " + escaped(body).replace("\n", "\n  "))

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


@click.command(cls=Command)
@document_argument()
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="The port to listen on.  [a free one]")
@_host_option
@click.option("--open", "opened", is_flag=True, help="Open the page in the browser.")
@click.option("--read-only", is_flag=True, help="Send only requests that do not change anything.")
@click.option("--mock", "mocked", is_flag=True, help="Offer a switch to a mock of DOCUMENT.")
@shared_options("auth", "header", "base_url", "server", "timeout", "profile")
def explore(document: str, port: int, host: str, *, opened: bool, read_only: bool, mocked: bool, **given: Any) -> None:
    """Explore DOCUMENT in the browser: search, fill in, send, and read the response.

    This program makes the calls, with its credentials, which no page shows. The printed link works once, in one
    browser. With another --host than 127.0.0.1, anyone who can see the network traffic can read the pages.
    """
    with needing("the explorer", "explore"):
        from dynclient.testing.server import RunningServer
    from dynclient import explorer
    from dynclient.testing import MockTransport

    token = secrets.token_urlsafe(24)
    with ExitStack() as stack:
        client = stack.enter_context(client_for(document, given))
        mock = None
        if mocked:
            answering = MockTransport(client.api, stateful=True, authenticate=False)
            mock = stack.enter_context(documents.client_of(document, transport=answering, auth=None))
        application = explorer.app(
            client,
            mock=mock,
            read_only=read_only,
            token=token,
            hosts=(*explorer.LOOPBACK, f"[{host}]" if ":" in host else host),
            command_line=lambda operation, values: shell_example(
                document, documents.command_name(operation.row.name), operation, values
            ),
        )
        application.warm()
        server = stack.enter_context(RunningServer(application, host, port))
        url = f"{server.url}/#{token}"
        inform(f"{client.api.title} {client.api.version} is at {url} (press Ctrl-C to stop)")
        if opened:
            webbrowser.open(url)
        server.wait()


@click.command(cls=Command)
@click.argument("words", nargs=-1, required=True, metavar="DOCUMENT...", shell_complete=documents.complete_documents)
@documents.overlay_option
@click.option("--http", metavar="HOST:PORT", help="Serve HTTP at this address, instead of standard input and output.")
@click.option("--allow-write", multiple=True, metavar="PATTERN", help="Allow these operations to write.")
@click.option("--allow", multiple=True, metavar="PATTERN", help="Offer only these operations.")
@click.option("--deny", multiple=True, metavar="PATTERN", help="Hide these operations.")
@click.option("--max-result-bytes", type=click.IntRange(1024), default=16_384, show_default=True)
@click.option(
    "--max-calls", type=click.IntRange(0), default=200, show_default=True, help="The largest number of calls."
)
@click.option("--log", type=click.Path(dir_okay=False), help="Append a line of JSON for each tool call to this file.")
@click.option("--files", type=click.Path(file_okay=False), metavar="DIR", help="Save binary responses in this folder.")
@shared_options("auth", "base_url", "profile")
def mcp(words: tuple[str, ...], http: str | None, **given: Any) -> None:
    """Serve DOCUMENT, a path, URL or short name, to an agent: it can find, read about and call operations.

    Only GET, HEAD and QUERY can be called unless --allow-write has a PATTERN for more, such as create_* or "POST
    /calls/*"; a DELETE needs one that begins with DELETE. Each write has to be confirmed. Over HTTP, the bearer token
    is read from the variable DYNCLIENT_MCP_TOKEN, or a new one is printed.
    """
    from dynclient.mcp import server
    from dynclient.mcp.serving import serve_http, serve_stdio

    called = {name: given.pop(name) for name in ("auth", "base_url", "profile")}
    if documents.STANDARD_INPUT in words:
        raise click.UsageError("a document can't come from standard input, which the agent uses")
    if len(words) > 1 and any(called.values()):
        raise click.UsageError("--base-url, --auth and --profile need a single document: use short names instead")
    clients = {}
    for word in words:
        settings = documents.settings_of(word, called["profile"])
        name = settings.name if settings is not None else client_name(documents.located(word))
        if name in clients:
            raise click.UsageError(f"two documents have the name {name}: give one of them a short name")
        clients[name] = client_for(word, called)
    made = server(clients, **given)
    if http is None:
        serve_stdio(made)
        return
    token = os.environ.get(TOKEN) or secrets.token_urlsafe(32)
    if len(token) < _SHORTEST_TOKEN:
        raise click.UsageError(f"the token of {TOKEN} has fewer than {_SHORTEST_TOKEN} characters")
    listener = _listener(http)
    host, port = listener.getsockname()[:2]
    inform(f"http://{f'[{host}]' if ':' in host else host}:{port}/mcp (press Ctrl-C to stop)")
    if TOKEN not in os.environ:
        inform(f"Authorization: Bearer {token}")
    serve_http(made, listener, token)


def _listener(address: str) -> socket.socket:
    host, colon, port = address.rpartition(":")
    host = host.strip("[]")
    if not (colon and host and port.isascii() and port.isdecimal() and int(port) < 65536):  # noqa: PLR2004  # ports
        raise click.UsageError(f"--http {address}: must be HOST:PORT, such as 127.0.0.1:8765")
    try:
        return socket.create_server((host, int(port)), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise click.ClickException(f"--http {address}: {error.strerror or error}") from None


_LONGEST_HISTORY = 10_000


@click.command(cls=Command)
@document_argument()
@click.option("--plain", is_flag=True, help="Use the standard prompt even if IPython is installed.")
@shared_options("auth", "base_url", "validate", "profile")
def shell(document: str, *, plain: bool, **given: Any) -> None:
    """Open a Python prompt with DOCUMENT's client in a variable: `voice` for openapi/voice.yaml.

    It uses IPython if that is installed, else the standard prompt. Both complete operations; IPython also completes
    their arguments.
    """
    client = client_for(document, given)
    source = located(document)
    name = client_name(source) if isinstance(source, str) else "client"
    banner = f"{client.api.title} {client.api.version} is {name}: {name}.operations lists it, help({name}.…) explains"
    is_script = not sys.stdin.isatty()
    # Prompts go on after KeyboardInterrupt, which the usual handlers of these signals raise.
    for number, status in ((signal.SIGTERM, TERMINATED), *(((signal.SIGINT, INTERRUPTED),) if is_script else ())):
        signal.signal(number, lambda *_, status=status: sys.exit(status))
    with client:
        is_standard = plain or is_script or find_spec("IPython") is None
        (_standard if is_standard else _ipython)({name: client}, "".join(c for c in banner if c.isprintable()))


def _ipython(names: dict[str, Any], banner: str) -> None:
    from IPython import start_ipython
    from traitlets.config import Config

    config = Config()
    config.TerminalInteractiveShell.banner1 = f"{banner}\n"
    config.TerminalInteractiveShell.confirm_exit = False
    if not is_coloured(sys.stdout):
        config.TerminalInteractiveShell.colors = "nocolor"
    start_ipython(argv=[], user_ns=names, config=config)


def _standard(names: dict[str, Any], banner: str) -> None:
    import code

    if not sys.stdin.isatty():
        sys.ps1 = sys.ps2 = ""  # Piped input needs no prompt, and piped output is data.
        sys.excepthook = _end_script
    with _readline(names):
        code.interact(banner=banner, local=names, exitmsg="")


def _end_script(kind: type[BaseException], error: BaseException, trace: Any) -> NoReturn:
    # Without the frames of the prompt itself.
    own = None if trace is None or issubclass(kind, SyntaxError) else trace.tb_next
    sys.__excepthook__(kind, error.with_traceback(own), own)
    raise SystemExit(1)


@contextmanager
def _readline(names: dict[str, Any]) -> Iterator[None]:
    """Complete names and attributes at the prompt, and keep its history; do nothing without readline."""
    try:
        import readline
        import rlcompleter
    except ImportError:
        yield
        return
    import platformdirs

    readline.set_completer(rlcompleter.Completer(names).complete)
    readline.parse_and_bind("tab: complete")
    file = platformdirs.user_state_path("dynclient") / "history"
    # The prompt works without a history, too.
    with suppress(OSError):
        readline.read_history_file(file)
    try:
        yield
    finally:
        readline.set_history_length(_LONGEST_HISTORY)
        with suppress(OSError):
            file.parent.mkdir(parents=True, exist_ok=True)
            # Only its owner may read it: people type secrets.
            os.close(os.open(file, os.O_CREAT | os.O_WRONLY, 0o600))
            file.chmod(0o600)  # a file from an older release may have other permissions
            readline.write_history_file(file)


@click.command
def demo() -> None:
    """Show a first session with a small API: a mock answers; nothing is sent.

    The document comes with dynclient; other commands take it by the name demo, if nothing else has that name.
    """
    demo_session(write)
