"""The transport over urllib3's connections.

urllib3's pool manager is not used: it repeats, redirects, rewrites URLs and logs them. A connection is taken from our
own pool, written to once, read within limits, and given back only if its response was read to the end.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from dynclient._secrets import Secret
from dynclient.messages import Response, Send
from dynclient.options import TLS, Limits
from dynclient.transports._connection import Connection, SecureConnection
from dynclient.transports.connecting import Opener, connect
from dynclient.transports.exchange import Course, at_once
from dynclient.transports.pool import Pool, Pooled
from dynclient.transports.request_writer import Content, content_of

if TYPE_CHECKING:
    from dynclient.transports.proxies import Proxy


class HTTPTransport:
    """Sends requests over HTTP/1.1, on connections that are kept for the next one. Threads may share it.

    Proxies are used only if given, never from the environment.
    """

    def __init__(
        self,
        *,
        limits: Limits = Limits(),
        tls: TLS = TLS(),
        proxy: str | Secret | None = None,
        block_private: bool = False,
    ) -> None:
        """Take how many connections an origin may have, whom to trust, the proxy's URL, and whether to go anywhere.

        ``block_private``: only to servers whose addresses are public.

        Raises:
            ArgumentError: the proxy's URL is none, or private addresses can't be blocked behind it.
        """
        proxy = Secret(proxy) if isinstance(proxy, str) else proxy  # some tracebacks print local variables
        self._tls = tls
        self.block_private = block_private
        self._context: Any = None
        self._making = threading.Lock()
        self.proxy: Proxy | None = None
        if proxy is not None:
            from dynclient.transports.proxies import proxy_of

            self.proxy = proxy_of(proxy, block_private=block_private)
        self.pool = Pool(limits.pool_size)

    def send(self, send: Send) -> Response:
        """Send the request once, and read the whole response."""
        return self.exchange(send).run()

    def exchange(self, send: Send) -> Urllib3Exchange:
        """Make the exchange, which another thread may abort."""
        return Urllib3Exchange(self, send)

    def close(self) -> None:
        """Close idle connections, and refuse further requests; those under way end by themselves."""
        self.pool.close()

    def context(self) -> Any:
        """The TLS context, made when it is first needed."""
        with self._making:
            if self._context is None:
                from dynclient.transports.tls import context_of

                self._context = context_of(self._tls)
            return self._context

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class Urllib3Exchange(Course):
    """One request, on the course that no event loop is needed for."""

    def __init__(self, transport: HTTPTransport, send: Send) -> None:
        """Take what is to be sent."""
        super().__init__(transport, send)
        self._transport = transport

    def run(self) -> Response:
        """Send the request and read the response, once."""
        return at_once(self.response())

    def abort(self) -> None:
        """Break the connection, so that :meth:`run` ends soon; any thread may ask for it."""
        self._aborted = True
        wire = self._wire
        if isinstance(wire, Connection | SecureConnection):
            wire.break_off()

    async def _take(self) -> Pooled | None:
        return self._transport.pool.take(self._target.origin, self._clock, self)

    async def _open(self) -> Connection | SecureConnection:
        target, proxy, clock = self._target, self._transport.proxy, self._clock
        secure = target.scheme == "https" or (proxy is not None and proxy.target.scheme == "https")
        context = self._transport.context() if secure else None
        public = self._transport.block_private
        connections = Opener(target, proxy, context, clock, public).connections()
        for number, connection in enumerate(connections):
            if connect(self._held(connection), clock, len(connections) - number):
                break
        return self._held(connection)

    def _content(self) -> Content | None:
        return content_of(self._send.request.body)

    def _stream(self) -> BodyStream:
        return BodyStream(self)


class BodyStream:
    """A body that is read while it comes: iterate over it to its end, or close it."""

    def __init__(self, exchange: Urllib3Exchange) -> None:
        """Take the exchange, which reads it."""
        self._exchange = exchange

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        piece = at_once(self._exchange.piece())
        if piece is None:
            raise StopIteration
        return piece

    def close(self) -> None:
        """Let go of the connection; what was not read is lost."""
        self._exchange.give_up()

    def __del__(self) -> None:
        self.close()
