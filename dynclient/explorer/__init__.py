"""The explorer: web pages on which people find an API's operations, fill in arguments, and make calls.

:func:`app` is a WSGI application (PEP 3333) for a client: it uses the client's credentials, validation and limits. It
needs the extra ``explore``.

Rule 1: credentials stay on the server: no page, response or exported command contains one.
Rule 2: texts of documents and servers are never markup; the page loads no external resources and runs only its own
script.
Rule 3: only a POST of the page itself sends a request, and requests that change data need a confirmation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dynclient._deferred import needing
from dynclient.exceptions import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from dynclient._client import Client
    from dynclient.explorer.wsgi_app import Explorer
    from dynclient.model import Operation

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


def app(
    client: Client,
    *,
    mock: Client | None = None,
    read_only: bool = False,
    token: str | None = None,
    hosts: Iterable[str] = LOOPBACK,
    command_line: Callable[[Operation, Mapping[str, Any]], str] | None = None,
) -> Explorer:
    """Make a WSGI application that explores the API of a client.

    Args:
        client: makes the calls; the application does not close it.
        mock: another client of the same document, such as one with a MockTransport, for the page's mock switch.
        read_only: refuse methods other than GET, HEAD, OPTIONS, QUERY and TRACE.
        token: a browser has to send it once, in the URL's fragment, before it sees anything: ``/#TOKEN``. Without a
            token, anyone who reaches the application can make calls, so the program that mounts it must control access.
        hosts: the allowed values of the Host header, with a port or for any port (a defence against DNS rebinding).
        command_line: a function that writes the command line of a call with these arguments.

    Raises:
        ArgumentError: ``client`` is an AsyncClient, whose calls must be awaited, or a package is missing.
    """
    from dynclient._client import Client

    if not isinstance(client, Client):
        raise ArgumentError("the explorer takes a Client, not an AsyncClient", hint="dynclient.load(document)")
    with needing(ArgumentError, "the explorer needs", "explore"):
        from dynclient.explorer.calls import Calls
        from dynclient.explorer.pages import Pages
        from dynclient.explorer.wsgi_app import Explorer, Guard
    calls = Calls(client, mock, read_only=read_only, command_line=command_line)
    pages = Pages(client, has_mock=mock is not None, read_only=read_only)
    return Explorer(calls, pages, Guard(token, hosts))


__all__ = ["app"]
