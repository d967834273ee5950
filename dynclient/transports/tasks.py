"""The transport for the tasks of an event loop, asyncio or trio, with anyio.

anyio's own streams are not used, since connections outlive an event loop here: a program that calls ``asyncio.run``
several times reuses them, and one that forgets to close a client gets no warning. asyncio's transports, which anyio's
streams use, can neither be used nor closed after their loop has ended. Bytes are read from a socket only on demand, so
an idle connection still shows received bytes and its end.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from typing import Any, TypeVar

import anyio
import anyio.to_thread

from dynclient.messages import Body, Response, Send
from dynclient.transports.clock import Clock, DeadlineExceeded
from dynclient.transports.connecting import Address, Connector, Stream, context_of
from dynclient.transports.exchange import AsyncBodyStream, HTTP11Exchange
from dynclient.transports.pool import Waiter
from dynclient.transports.request_writer import CHUNK, PENDING, BodyFailed, Content, read_by

T = TypeVar("T")


class TaskWaiter(Waiter):
    """A task that waits for a place in the pool."""

    one_thread = True

    def __init__(self) -> None:
        self._woken = anyio.Event()
        self.wake = self._woken.set

    async def wait(self, seconds: float | None) -> None:
        """Wait until ``wake`` is called, for at most this many seconds."""
        with anyio.move_on_after(seconds):
            await self._woken.wait()


class AsyncHTTPTransport(Connector):
    """Sends requests over HTTP/1.1, on pooled connections. The tasks of an event loop share it.

    Proxies are used only on request: those of the environment with ``proxy="environment"``.
    """

    waiter = TaskWaiter

    async def send(self, send: Send) -> Response:
        """Send the request once, and read the whole response unless it is streamed; cancelling closes its connection.

        The body of a streamed response is an asynchronous iterator of bytes.
        """
        return await HTTP11Exchange(self, send, AsyncBodyStream).response()

    async def aclose(self) -> None:
        """Close idle connections, and refuse further requests; requests in progress finish."""
        self.pool.close()

    def content(self, body: Body) -> Content | None:
        """Return the body in the form to send, or None if there is none."""
        return fetched(body)

    async def context(self, *, certificate: bool) -> ssl.SSLContext:
        """Return the TLS context, which is made when it is first needed: in a thread, since it reads files."""
        if certificate not in self._contexts:
            make = partial(context_of, self._tls, certificate=certificate)
            self._contexts[certificate] = await anyio.to_thread.run_sync(make)
        return self._contexts[certificate]

    async def look_up(self, host: str, port: int, clock: Clock) -> list[Address]:
        """Return the host's addresses, in the resolver's order."""
        kind = socket.SOCK_STREAM
        found: Any
        try:
            found = socket.getaddrinfo(host, port, type=kind, flags=socket.AI_NUMERICHOST)
        except socket.gaierror:
            with anyio.move_on_after(clock.left()) as scope:
                found = await anyio.getaddrinfo(host, port, type=kind)
            if scope.cancelled_caught:
                raise DeadlineExceeded from None
        return [(entry[0], entry[4]) for entry in found]

    async def dial(self, address: Address, seconds: float | None) -> Stream:
        """Connect to an address."""
        stream = TCPStream(address[0])
        try:
            await stream.connect(address[1], seconds)
        except BaseException:  # also a cancellation: no other code has the socket
            stream.close()
            raise
        return stream

    async def secured(self, stream: TCPStream | TLSStream, host: str, clock: Clock, *, certificate: bool) -> Stream:
        """Do the TLS handshake with a server of this name."""
        secured = TLSStream(stream)
        await secured.handshake(await self.context(certificate=certificate), host, clock)
        return secured

    def __repr__(self) -> str:
        return "<AsyncHTTPTransport>"


class TCPStream:
    """A non-blocking socket for tasks."""

    def __init__(self, family: int) -> None:
        """Make a socket, not connected yet."""
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        self._waiting = self._closing = False
        try:
            self._socket.setblocking(False)
            if family != getattr(socket, "AF_UNIX", None):
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except BaseException:  # also an interrupt: no other code has the socket
            self._socket.close()
            raise

    async def connect(self, address: Any, seconds: float | None) -> None:
        """Connect.

        Raises:
            OSError: the connection failed, or was not made within these seconds.
        """
        result = self._socket.connect_ex(address)
        if result in {errno.EINPROGRESS, errno.EWOULDBLOCK}:
            with anyio.move_on_after(seconds) as scope:
                await self._wait(anyio.wait_writable)
            if scope.cancelled_caught:
                raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
            result = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if result:
            raise OSError(result, os.strerror(result))

    async def receive(self, clock: Clock) -> bytes:
        """Wait for bytes; no bytes mean the end."""
        while True:
            await self._ready(anyio.wait_readable, clock)
            with contextlib.suppress(BlockingIOError):
                return self._socket.recv(CHUNK)

    async def send(self, data: memoryview, clock: Clock) -> None:
        """Send all of it, piece by piece."""
        while data:
            try:
                data = data[self._socket.send(data[:CHUNK]) :]
            except BlockingIOError:
                await self._ready(anyio.wait_writable, clock)

    def is_idle(self) -> bool:
        """Whether neither bytes nor the end have arrived."""
        try:
            self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def close(self) -> None:
        """Close it. If a task waits for it, that task is woken, and closes it."""
        if self._waiting:
            self._closing = True
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
        else:
            self._socket.close()

    async def _ready(self, wait: Callable[[socket.socket], Awaitable[None]], clock: Clock) -> None:
        """Wait no longer than the clock allows."""
        with anyio.move_on_after(clock.left()) as scope:
            await self._wait(wait)
        if scope.cancelled_caught:
            raise DeadlineExceeded

    async def _wait(self, wait: Callable[[socket.socket], Awaitable[None]]) -> None:
        self._waiting = True
        try:
            await wait(self._socket)
        finally:
            self._waiting = False
            if self._closing:
                self._socket.close()


class TLSStream:
    """TLS over another stream.

    anyio's can't be read after an aborted write, but an early response is read then.
    """

    def __init__(self, below: TCPStream | TLSStream) -> None:
        """Take the stream that carries it."""
        self._below = below
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()

    async def handshake(self, context: ssl.SSLContext, host: str, clock: Clock) -> None:
        """Shake hands with a server of this name."""

        def wrap() -> ssl.SSLObject:
            return context.wrap_bio(self._in, self._out, server_hostname=host)

        # Contexts that use the system's trust store may block.
        self._tls = wrap() if type(context) is ssl.SSLContext else await anyio.to_thread.run_sync(wrap)
        try:
            await self._do(clock, self._tls.do_handshake)
        except ssl.SSLError:
            # Send the reason to the server, if possible.
            with contextlib.suppress(OSError, DeadlineExceeded):
                await self._flush(clock)
            raise

    async def receive(self, clock: Clock) -> bytes:
        """Wait for bytes; no bytes mean the end."""
        try:
            return await self._do(clock, self._tls.read, CHUNK)
        except ssl.SSLZeroReturnError:
            # The server's close_notify. RFC 9112, 9.8: an end without it is an error, not the end of a body.
            return b""

    async def send(self, data: memoryview, clock: Clock) -> None:
        """Send all of it, piece by piece."""
        while data:
            data = data[await self._do(clock, self._tls.write, data[:CHUNK]) :]

    def is_idle(self) -> bool:
        """Whether neither bytes nor the end have arrived.

        Tickets for later sessions, which TLS reads itself, don't count.
        """
        try:
            self._tls.read(1)
        except ssl.SSLWantReadError:
            return not self._in.pending and self._below.is_idle()
        except OSError:
            return False
        return False

    def close(self) -> None:
        """Close the stream that carries it; TLS sends no close_notify."""
        self._below.close()

    async def _do(self, clock: Clock, function: Callable[..., T], *arguments: Any) -> T:
        while True:
            with contextlib.suppress(ssl.SSLWantReadError):
                result = function(*arguments)
                break
            await self._flush(clock)
            data = await self._below.receive(clock)
            if data:
                self._in.write(data)
            else:
                self._in.write_eof()
        await self._flush(clock)
        return result

    async def _flush(self, clock: Clock) -> None:
        if self._out.pending:
            await self._below.send(memoryview(self._out.read()), clock)


def fetched(body: Body) -> Content | None:
    """Return a body whose chunks a task waits for, or None if there is none.

    Raises:
        ArgumentError: it can't be sent.
    """
    source = _Source()
    content = read_by(body, source.of)
    return None if content is None else content._replace(fetch=source.fetch)


class _Source(Iterator[Any]):
    """The chunks of an asynchronous body: PENDING until the next one has been fetched.

    Other iterators may block, like files, and are read in a worker thread.
    """

    _END: Any = object()

    def __init__(self) -> None:
        self._source: Any = None
        self._chunk: Any = PENDING

    def of(self, source: Any) -> _Source:
        """Read the chunks of this iterator."""
        self._source = source
        return self

    def __next__(self) -> Any:
        chunk = self._chunk
        if chunk is self._END:
            raise StopIteration
        self._chunk = PENDING
        return chunk

    async def fetch(self, clock: Clock) -> None:
        """Fetch the next chunk, within the call's deadline.

        Raises:
            BodyFailed: its source raised an error.
            DeadlineExceeded: no time is left.
        """
        with anyio.move_on_after(clock.remaining) as scope:
            try:
                if isinstance(self._source, AsyncIterator):
                    self._chunk = await anext(self._source, self._END)
                else:
                    self._chunk = await anyio.to_thread.run_sync(next, self._source, self._END, abandon_on_cancel=True)
            except Exception as error:  # noqa: BLE001  # any error of the caller's code is returned to the caller
                raise BodyFailed(error) from None
        if scope.cancelled_caught:
            raise DeadlineExceeded
