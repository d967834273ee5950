"""The transports for the tasks of an event loop, asyncio or trio: with anyio, or in worker threads.

anyio's own streams are not used, since connections outlive an event loop here: a program that calls ``asyncio.run``
several times reuses them, and one that forgets to close a client gets no warning. asyncio's transports, which anyio's
streams use, can neither be used nor closed after their loop has ended. Bytes are read from a socket only on demand, so
that received bytes, or the end, can be seen on an idle connection.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import anyio
import anyio.from_thread
import anyio.to_thread

from dynclient.exceptions import PoolTimeout
from dynclient.messages import Body, Response, Send
from dynclient.transports import AbortableTransport, Transport
from dynclient.transports.body_reader import CHUNK, PENDING, BodyFailed, Content, read_by
from dynclient.transports.clock import Clock, DeadlineExceeded
from dynclient.transports.connecting import Address, Connector, Stream, context_of
from dynclient.transports.exchange import AsyncBodyStream, HTTP11Exchange
from dynclient.transports.pool import Lease, Pool, Waiter

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


class AsyncHTTPTransport(Connector):
    """Sends requests over HTTP/1.1, on pooled connections. The tasks of an event loop share it.

    Proxies are used only on request: those of the environment with ``proxy="environment"``.
    """

    waiter = TaskWaiter
    content = staticmethod(fetched)

    async def send(self, send: Send) -> Response:
        """Send the request once, and read the whole response unless it is streamed; cancelling closes its connection.

        The body of a streamed response is an asynchronous iterator of bytes.
        """
        return await HTTP11Exchange(self, send, AsyncBodyStream).response()

    async def aclose(self) -> None:
        """Close idle connections, and refuse further requests; requests in progress finish."""
        self.pool.close()

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
        # connect(2): a Unix socket whose queue is full answers EAGAIN, and does not connect later.
        is_full = result == errno.EAGAIN and self._socket.family == getattr(socket, "AF_UNIX", None)
        if result in {errno.EINPROGRESS, errno.EWOULDBLOCK} and not is_full:
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

    anyio's can't be read after an aborted write, and an early response has to be read then.
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
            # Send the TLS alert to the server, if possible.
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


class ThreadedTransport:
    """Runs the requests of a synchronous transport in worker threads, for asyncio and trio.

    The number of concurrent requests is bounded. Cancelling one returns at once, and aborts its connection if the
    transport is an AbortableTransport; its place becomes free when its thread has ended. A streamed response holds its
    place until it is read to its end, or closed.
    """

    def __init__(self, transport: Transport, limit: int = 40) -> None:
        """Take the transport, and the largest number of concurrent requests."""
        self._transport = transport
        self._pool = Pool(limit, _LoopWaiter)

    async def send(self, send: Send) -> Response:
        """Send the request once, and read the whole response unless it is streamed."""
        work = _Work(self._transport, send, self._pool)
        body = None
        try:
            await work.take_place()
            response = await work.run(work.send)
            body = work.body
        finally:
            if body is None:
                work.give_up()
        return replace(response, body=AsyncBodyStream(work)) if body is not None else response

    async def aclose(self) -> None:
        """Close the transport; requests in progress finish."""
        self._transport.close()


class _LoopWaiter(TaskWaiter):
    """A task that waits for a place; any thread may wake it."""

    one_thread = False

    def __init__(self) -> None:
        super().__init__()
        woken, schedule = self._woken, _scheduler()

        def wake() -> None:
            # The loop may have ended meanwhile; then no task waits.
            with contextlib.suppress(RuntimeError):
                schedule(woken.set)

        self.wake = wake


def _scheduler() -> Callable[[Callable[[], None]], object]:
    """Return the function that lets other threads have the running event loop call something."""
    import asyncio

    try:
        return asyncio.get_running_loop().call_soon_threadsafe
    except RuntimeError:
        import trio

        return trio.lowlevel.current_trio_token().run_sync_soon


_PLACE = ("", "", 0)


class _Work(Lease):
    """A request in worker threads, one at a time.

    When both its thread and its task have finished, its response is closed and its place is given back, once.
    """

    def __init__(self, transport: Transport, send: Send, pool: Pool) -> None:
        self._pool = pool
        self._pulled: _Pulled | None = None
        if isinstance(send.request.body, AsyncIterator):
            self._pulled = _Pulled(send.request.body)
            send = send._replace(request=replace(send.request, body=self._pulled))
        self._send = send
        self._transport = transport
        self._exchange = transport.exchange(send) if isinstance(transport, AbortableTransport) else None
        self.body: Any = None
        self._busy, self._closing = threading.Lock(), threading.Lock()
        self._left = False

    async def take_place(self) -> None:
        """Wait for a place.

        Raises:
            PoolTimeout: none became free in time.
        """
        clock, request = Clock(self._send.timeout, self._send.deadline), self._send.request
        try:
            await self._pool.take(_PLACE, clock, self)
        except DeadlineExceeded:
            text, operation_id = "too many concurrent requests", request.operation_id
        else:
            return
        raise PoolTimeout(text, request=request, operation_id=operation_id, elapsed=clock.elapsed)

    async def run(self, function: Callable[[], T]) -> T:
        """Run ``send`` or ``read`` in a thread; cancelling aborts the connection without waiting."""
        one = anyio.CapacityLimiter(1)
        try:
            return await anyio.to_thread.run_sync(self._guarded, function, abandon_on_cancel=True, limiter=one)
        except anyio.get_cancelled_exc_class():
            if self._pulled is not None:
                self._pulled.cancel()
            if self._exchange is not None:
                self._exchange.abort()
            raise

    def send(self) -> Response:
        """Send the request, and read the response, or only its head if it is streamed."""
        response = self._exchange.run() if self._exchange is not None else self._transport.send(self._send)
        if self._send.stream and not isinstance(response.body, bytes):
            self.body = response.body
        return response

    async def chunk(self) -> bytes | None:
        """Read the next bytes of a streamed response; None at its end."""
        chunk = None
        try:
            if not self._left:
                chunk = await self.run(lambda: next(self.body, None))
        finally:
            if chunk is None:
                self.give_up()
        return chunk

    def give_up(self) -> None:
        """Record that the task has finished."""
        self._left = True
        if not self._busy.locked():
            self._close()

    def _guarded(self, function: Callable[[], T]) -> T:
        try:
            with self._busy:
                if self._left:
                    raise RuntimeError("the task has ended")
                return function()
        finally:
            if self._left:
                self._close()

    def _close(self) -> None:
        # Thread and task may both reach this line; only one of them closes.
        if self._closing.acquire(blocking=False):
            if hasattr(self.body, "close"):
                self.body.close()
            if self.is_held:
                self._pool.give_back(_PLACE, None, self)


class _Pulled(Iterator[bytes]):
    """An asynchronous body, pulled from a worker thread. ``length`` is its size in bytes, if it has one."""

    def __init__(self, body: AsyncIterator[bytes]) -> None:
        self.length = getattr(body, "length", None)
        self._body = body
        self._scope: Any = None
        self._cancelled = False

    def __next__(self) -> bytes:
        chunk: bytes | None = anyio.from_thread.run(self._pull)
        if chunk is None:
            raise StopIteration
        return chunk

    async def _pull(self) -> bytes | None:
        if not self._cancelled:
            with anyio.CancelScope() as self._scope:
                return await anext(self._body, None)
        raise ConnectionAbortedError

    def cancel(self) -> None:
        """End the wait for the next chunk, and pull no more."""
        self._cancelled = True
        if self._scope is not None:
            self._scope.cancel()
