"""What carries a request to a server and its response back.

Rule 1: a transport sends one request once. Repeating, redirects and credentials are the call's business.
Rule 2: what it raises is dynclient's own: a TransportError, or, where the server sent what can't be taken,
ResponseTooLarge or DecodeError. Never an error of urllib3, of ssl or of a socket.
Rule 3: nothing waits without an end: each wait is bounded by its own time-out and by the call's deadline.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from dynclient.messages import Response, Send

if TYPE_CHECKING:
    from dynclient.transports.adapters import ThreadedTransport
    from dynclient.transports.tasks import AsyncHTTPTransport
    from dynclient.transports.threads import HTTPTransport

__all__ = [
    "AbortableTransport",
    "AsyncHTTPTransport",
    "AsyncTransport",
    "Exchange",
    "HTTPTransport",
    "ThreadedTransport",
    "Transport",
]


class Transport(Protocol):
    """What a client sends with. It may be used by many threads at once."""

    def send(self, send: Send) -> Response:
        """Send the request once, and read the whole response.

        Raises:
            TransportError: there is no whole response.
            ResponseTooLarge: the response goes beyond ``send.limits``.
            DecodeError: the response's content coding can't be undone.
            ArgumentError: the request can't be written as HTTP.
            ClientClosed: the transport has been closed.
        """

    def close(self) -> None:
        """Close idle connections, and refuse further requests; those under way end by themselves."""


class AsyncTransport(Protocol):
    """What an asynchronous client sends with."""

    async def send(self, send: Send) -> Response:
        """Send the request once, and read the whole response; errors are those of :meth:`Transport.send`."""

    async def aclose(self) -> None:
        """Close idle connections, and refuse further requests; those under way end by themselves."""


class Exchange(Protocol):
    """One request on its way, which another thread may abort."""

    def run(self) -> Response:
        """Send the request and read the response, as :meth:`Transport.send` does."""

    def abort(self) -> None:
        """Break the connection, so that :meth:`run` ends soon with ConnectionLost; any thread may ask for it."""


@runtime_checkable
class AbortableTransport(Transport, Protocol):
    """A transport whose requests can be aborted while they are under way."""

    def exchange(self, send: Send) -> Exchange:
        """Make the exchange that :meth:`Transport.send` would run."""


def __getattr__(name: str) -> Any:
    """Load a transport when it is first asked for: urllib3 and anyio are dear to import."""
    if name == "HTTPTransport":
        from dynclient.transports.threads import HTTPTransport

        return HTTPTransport
    if name == "AsyncHTTPTransport":
        from dynclient.transports.tasks import AsyncHTTPTransport

        return AsyncHTTPTransport
    if name == "ThreadedTransport":
        from dynclient.transports.adapters import ThreadedTransport

        return ThreadedTransport
    raise AttributeError(f"module 'dynclient.transports' has no attribute {name!r}")
