"""``dynclient mcp``: serve APIs to an agent by the Model Context Protocol."""

from __future__ import annotations

import os
import secrets
import socket
from typing import Any

import click

from dynclient._escaping import escaped
from dynclient.cli.calls import call_options, with_settings
from dynclient.cli.commands import Command
from dynclient.cli.documents import (
    STANDARD_INPUT,
    client_of,
    complete_documents,
    located,
    overlay_option,
    settings_of,
)
from dynclient.inspection.docstrings import client_name

TOKEN = "DYNCLIENT_MCP_TOKEN"  # noqa: S105  # the name of the variable
_SHORTEST_TOKEN = 16


@click.command(cls=Command)
@click.argument("documents", nargs=-1, required=True, metavar="DOCUMENT...", shell_complete=complete_documents)
@overlay_option
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
@click.option("--base-url", help="The base URL, instead of the document's servers.")
@click.option("--auth", multiple=True, metavar="SCHEME=env:VAR", help="A credential, as in `dynclient call`.")
@click.option("--profile", "-p", help="The profile of an API by short name.  [DYNCLIENT_PROFILE]")
def mcp(
    documents: tuple[str, ...],
    http: str | None,
    base_url: str | None,
    auth: tuple[str, ...],
    profile: str | None,
    **options: Any,
) -> None:
    """Serve DOCUMENT, a path, URL or short name, to an agent: it can find, read about and call operations.

    Only GET, HEAD and QUERY can be called unless --allow-write has a PATTERN for more, such as create_* or "POST
    /calls/*"; a DELETE needs one that begins with DELETE. Each write has to be confirmed. Over HTTP, the bearer token
    is read from the variable DYNCLIENT_MCP_TOKEN, or a new one is printed.
    """
    from dynclient.mcp import server
    from dynclient.mcp.serving import serve_http, serve_stdio

    if STANDARD_INPUT in documents:
        raise click.UsageError("a document can't come from standard input, which the agent uses")
    if len(documents) > 1 and (base_url or auth or profile):
        raise click.UsageError("--base-url, --auth and --profile need a single document: use short names instead")
    clients = {}
    for word in documents:
        given: dict[str, Any] = {"base_url": base_url, "server": (), "timeout": None, "header": (), "auth": auth}
        settings = settings_of(word, profile)
        client = client_of(word)
        name = settings.name if settings is not None else client_name(located(word))
        if name in clients:
            raise click.UsageError(escaped(f"two documents have the name {name}: give one of them a short name"))
        clients[name] = client.with_options(**call_options(client, with_settings(settings, given)))
    made = server(clients, **options)
    if http is None:
        serve_stdio(made)
        return
    token = os.environ.get(TOKEN) or secrets.token_urlsafe(32)
    if len(token) < _SHORTEST_TOKEN:
        raise click.UsageError(f"the token of {TOKEN} has fewer than {_SHORTEST_TOKEN} characters")
    listener = _listener(http)
    host, port = listener.getsockname()[:2]
    click.echo(f"http://{f'[{host}]' if ':' in host else host}:{port}/mcp (press Ctrl-C to stop)", err=True)
    if TOKEN not in os.environ:
        click.echo(f"Authorization: Bearer {token}", err=True)
    serve_http(made, listener, token)


def _listener(address: str) -> socket.socket:
    host, colon, port = address.rpartition(":")
    host = host.strip("[]")
    if not (colon and host and port.isascii() and port.isdecimal() and int(port) < 65536):  # noqa: PLR2004  # ports
        raise click.UsageError(escaped(f"--http {address}: must be HOST:PORT, such as 127.0.0.1:8765"))
    try:
        return socket.create_server((host, int(port)), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise click.ClickException(escaped(f"--http {address}: {error.strerror or error}")) from None
