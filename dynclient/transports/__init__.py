"""Transports carry a request to a server and its response back.

Rule 1: a transport sends one request once. Retries, redirects and credentials belong to the call.
Rule 2: a transport raises dynclient's errors: a TransportError, or, for a response that can't be accepted,
ResponseTooLarge or DecodeError. It never raises an error of urllib3, of ssl or of a socket.
Rule 3: every wait is bounded, by its own timeout and by the call's deadline.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from dynclient._deferred import deferred
from dynclient.messages import Response, Send

if TYPE_CHECKING:
    from dynclient.transports.adapters import HttpxTransport, Urllib3Transport
    from dynclient.transports.tasks import AsyncHTTPTransport, ThreadedTransport
    from dynclient.transports.threads import HTTPTransport

__all__ = [
    "AbortableExchange", "AbortableTransport", "AsyncHTTPTransport", "AsyncTransport", "HTTPTransport",
    "HttpxTransport", "ThreadedTransport", "Transport", "Urllib3Transport",
]  # fmt: skip


class Transport(Protocol):
    """Sends a client's requests. Many threads may use it at once."""

    def send(self, send: Send) -> Response:
        """Send the request once, and read the whole response.

        Raises:
            TransportError: no complete response arrived.
            ResponseTooLarge: the response exceeds ``send.limits``.
            DecodeError: the response's content coding can't be undone.
            ArgumentError: the request can't be written as HTTP.
            ClientClosed: the transport has been closed.
        """

    def close(self) -> None:
        """Close idle connections, and refuse further requests; requests in progress finish."""


class AsyncTransport(Protocol):
    """Sends an asynchronous client's requests."""

    async def send(self, send: Send) -> Response:
        """Send the request once, and read the whole response; errors are those of :meth:`Transport.send`."""

    async def aclose(self) -> None:
        """Close idle connections, and refuse further requests; requests in progress finish."""


class AbortableExchange(Protocol):
    """One request in progress, which another thread may abort."""

    def run(self) -> Response:
        """Send the request and read the response, as :meth:`Transport.send` does."""

    def abort(self) -> None:
        """Break the connection, so that :meth:`run` ends soon with ConnectionLost; any thread may call it."""


@runtime_checkable
class AbortableTransport(Transport, Protocol):
    """A transport whose requests can be aborted."""

    def exchange(self, send: Send) -> AbortableExchange:
        """Make the exchange that :meth:`Transport.send` would run."""


# anyio takes long to import.
__getattr__ = deferred(
    __name__,
    {
        "adapters": ("HttpxTransport", "Urllib3Transport"),
        "tasks": ("AsyncHTTPTransport", "ThreadedTransport"),
        "threads": ("HTTPTransport",),
    },
)
