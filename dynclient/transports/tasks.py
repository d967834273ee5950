"""The asynchronous transport: sockets that an event loop waits for, on asyncio and trio alike.

anyio does the waiting and the looking up of names; requests are written, and responses read, by the same pieces as in a
thread. Cancelling a task closes its connection at once.
"""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any

import anyio
import anyio.to_thread

from dynclient._secrets import Secret
from dynclient.http_grammar import SUCCESS
from dynclient.messages import Response, Send
from dynclient.options import TLS, Limits
from dynclient.transports import addresses
from dynclient.transports._sockets import Address, Link
from dynclient.transports.clock import Expired
from dynclient.transports.exchange import Course, fed
from dynclient.transports.framing import Cut, Malformed, read_head
from dynclient.transports.pool import Pooled
from dynclient.transports.proxies import Proxy, proxy_of
from dynclient.transports.request_writer import WANTED, BodyFailed, Content, Lines, Target, content_of, written
from dynclient.transports.tls import context_of
from dynclient.transports.turns import TaskPool


class AsyncHTTPTransport:
    """Sends requests over HTTP/1.1, on connections that are kept for the next one. The tasks of an event loop share it.

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
        self.proxy = proxy_of(proxy, block_private=block_private)
        self.pool = TaskPool(limits.pool_size)

    async def send(self, send: Send) -> Response:
        """Send the request once, and read the whole response unless it is streamed; cancelling closes its connection.

        The body of a streamed one is an asynchronous iterator of bytes.
        """
        return await _Exchange(self, send).response()

    async def aclose(self) -> None:
        """Close idle connections, and refuse further requests; those under way end by themselves."""
        self.pool.close()

    async def context(self) -> Any:
        """The TLS context, made when it is first needed: in a thread, since it reads the system's certificates."""
        if self._context is None:
            self._context = await anyio.to_thread.run_sync(context_of, self._tls)
        return self._context

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class _Exchange(Course):
    """One request, in its task."""

    def __init__(self, transport: AsyncHTTPTransport, send: Send) -> None:
        super().__init__(transport, send)
        self._transport = transport
        self._fetched = _Fetched()

    async def _take(self) -> Pooled | None:
        return await self._transport.pool.taken(self._target.origin, self._clock, self)

    async def _open(self) -> Link:
        proxy, target = self._transport.proxy, self._target
        place = proxy.target if proxy is not None else target
        link = await self._connect(place)
        if place.scheme == "https":
            await link.secure(await self._transport.context(), place.host)
        if proxy is not None and target.scheme == "https":
            await self._tunnel(link, proxy)
            await link.secure(await self._transport.context(), target.host)
        return link

    async def _connect(self, place: Target) -> Link:
        """Connect to the first address that answers; the time is shared with those that remain."""
        found = await self._addresses(place)
        for remaining in range(len(found), 0, -1):
            family, address = found[-remaining]
            link = self._held(Link(family, self._clock))
            left = self._clock.left()
            try:
                await link.connect(address, left if left is None else left / remaining)
            except OSError:
                link.close()
                if remaining == 1:
                    raise
            else:
                return link
        raise socket.gaierror(socket.EAI_NONAME, "no address")

    async def _addresses(self, place: Target) -> list[Address]:
        """The host's addresses, each once, in the resolver's order.

        Raises:
            socket.gaierror: the host's name can't be resolved.
            BlockedAddress: it is at an address that is not public.
            Expired: looking it up took all the time.
        """
        try:
            found: Any = socket.getaddrinfo(
                place.host, place.port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST
            )
        except socket.gaierror:
            with anyio.move_on_after(self._clock.left()) as scope:
                found = await anyio.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
            if scope.cancelled_caught:
                raise Expired from None
        if self._transport.block_private:
            addresses.public(place.host, [str(entry[4][0]) for entry in found])
        return list(dict.fromkeys((entry[0], entry[4]) for entry in found))

    async def _tunnel(self, link: Link, proxy: Proxy) -> None:
        """Have the proxy make a tunnel to the server (RFC 9110, 9.3.6)."""
        host = f"[{self._target.host}]" if ":" in self._target.host else self._target.host
        authority = f"{host}:{self._target.port}"
        lines = Lines((name.encode(), value.encode()) for name, value in (("Host", authority), *proxy.headers.items()))
        for piece in written("CONNECT", authority, lines, None):
            await link.put(piece or b"")
        # A tunnel's head is not followed by a body, whatever it says.
        try:
            head = await fed(read_head(link.incoming(), "HEAD", self._send.limits), link)
        except (Cut, Malformed):
            raise OSError(None, "the proxy's answer is not HTTP") from None
        if head.status not in SUCCESS:
            raise OSError(None, f"the proxy answered {head.status}")
        if link.leftover():
            raise OSError(None, "the proxy said more than it was asked")

    def _content(self) -> Content | None:
        return content_of(self._send.request.body, self._fetched.from_)

    async def _fetch(self) -> None:
        with anyio.move_on_after(self._clock.remaining) as scope:
            await self._fetched.fetch()
        if scope.cancelled_caught:
            raise Expired

    def _stream(self) -> AsyncBodyStream:
        return AsyncBodyStream(self)


class AsyncBodyStream(AsyncIterator[bytes]):
    """A body that is read while it comes: iterate over it to its end, or close it."""

    def __init__(self, exchange: _Exchange) -> None:
        """Take the exchange, which reads it."""
        self._exchange = exchange

    async def __anext__(self) -> bytes:
        piece = await self._exchange.piece()
        if piece is None:
            raise StopAsyncIteration
        return piece

    async def aclose(self) -> None:
        """Let go of the connection; what was not read is lost."""
        self._exchange.give_up()

    def __del__(self) -> None:
        self._exchange.give_up()


class _Fetched(Iterator[Any]):
    """The pieces of a body that has to be waited for: WANTED, until the next one has been fetched.

    What is no asynchronous iterator may block, as files do, and is read in a worker thread.
    """

    _END: Any = object()

    def __init__(self) -> None:
        self._source: Any = None
        self._piece: Any = WANTED

    def from_(self, source: Any) -> _Fetched:
        """Take what gives the pieces."""
        self._source = source
        return self

    def __next__(self) -> Any:
        piece = self._piece
        if piece is self._END:
            raise StopIteration
        self._piece = WANTED
        return piece

    async def fetch(self) -> None:
        """Fetch the next piece."""
        try:
            if isinstance(self._source, AsyncIterator):
                self._piece = await anext(self._source, self._END)
            else:
                self._piece = await anyio.to_thread.run_sync(next, self._source, self._END, abandon_on_cancel=True)
        except Exception as error:  # noqa: BLE001  # whatever the caller's code raises is handed back to the caller
            raise BodyFailed(error) from None
