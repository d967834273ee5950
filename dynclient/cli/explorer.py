"""``dynclient explore``: a page in the browser to find, try and call operations."""

from __future__ import annotations

import secrets
import webbrowser
from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from typing import Any

import click

from dynclient.cli import documents
from dynclient.cli.calls import call_options, with_settings
from dynclient.cli.commands import Command
from dynclient.cli.descriptions import shell_example
from dynclient.cli.mock_servers import check_host
from dynclient.exceptions import escaped
from dynclient.model import Operation


@click.command(cls=Command)
@documents.document_argument()
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="The port to listen on.  [a free one]")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--open", "opened", is_flag=True, help="Open the page in the browser.")
@click.option("--read-only", is_flag=True, help="Send only requests that do not change anything.")
@click.option("--mock", "mocked", is_flag=True, help="Offer a switch to a mock of DOCUMENT.")
@click.option("--auth", multiple=True, metavar="SCHEME=env:VAR", help="A credential, as in `dynclient call`.")
@click.option("--header", "-H", multiple=True, metavar="NAME:VALUE", help="A further header of each call.")
@click.option("--base-url", help="The base URL, instead of the document's servers.")
@click.option("--server", multiple=True, help="A server's index, name or URL, or its VARIABLE=VALUE.")
@click.option("--timeout", type=float, help="The time limit of a call, in seconds.")
@click.option("--profile", "-p", help="The profile of an API by short name.  [DYNCLIENT_PROFILE]")
def explore(document: str, port: int, host: str, *, opened: bool, read_only: bool, mocked: bool, **given: Any) -> None:
    """Explore DOCUMENT in the browser: search, fill in, send, and read the response.

    This program makes the calls, with its credentials, which no page shows. The printed link works once, in one
    browser. With another --host than 127.0.0.1, anyone who can see the network traffic can read the pages.
    """
    try:
        from dynclient.testing.server import RunningServer
    except ImportError as error:
        raise click.ClickException(f"the explorer needs {error.name}: pip install 'dynclient[explore]'") from error
    from dynclient import explorer
    from dynclient.testing import MockTransport

    check_host(host)
    token = secrets.token_urlsafe(24)
    given = with_settings(documents.settings_of(document, given["profile"]), given)
    with ExitStack() as stack:
        client = stack.enter_context(documents.client_of(document))
        mock = None
        if mocked:
            answering = MockTransport(client.api, stateful=True, authenticate=False)
            mock = stack.enter_context(documents.client_of(document, transport=answering, auth=None))
        shown = f"[{host}]" if ":" in host else host
        application = explorer.app(
            client.with_options(**call_options(client, given)),
            mock=mock,
            read_only=read_only,
            token=token,
            hosts=(*explorer.LOOPBACK, shown),
            command_line=partial(_command_line, document),
        )
        server = stack.enter_context(RunningServer(application, host, port))
        url = f"{server.url}/#{token}"
        click.echo(escaped(f"{client.api.title} {client.api.version} is at {url} (press Ctrl-C to stop)"), err=True)
        if opened:
            webbrowser.open(url)
        server.wait()


def _command_line(document: str, operation: Operation, values: Mapping[str, Any]) -> str:
    return shell_example(document, documents.command_name(operation.row.name), operation, values)
