"""An asynchronous transport made of a synchronous one and worker threads, for asyncio and trio alike.

Each request under way takes one place of a bounded number. Cancelling breaks the request's connection and returns at
once; the place is given back when the request's thread has ended, so that cancelled requests can't pile up threads.
"""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from typing import Any, TypeVar

import anyio
import anyio.from_thread
import anyio.to_thread

from dynclient.exceptions import PoolTimeout
from dynclient.messages import Response, Send
from dynclient.transports import AbortableTransport, Exchange, Transport

T = TypeVar("T")

_PLACES = 40


class ThreadedTransport:
    """Runs a transport's requests in worker threads. The tasks of one event loop share it.

    A streamed response holds its place until it is read to its end, or closed.
    """

    def __init__(self, transport: Transport, limit: int = _PLACES) -> None:
        """Take the transport, and how many requests may be under way at once."""
        self._transport = transport
        self._limit = limit
        self._places: anyio.CapacityLimiter | None = None
        self._threads: anyio.CapacityLimiter | None = None

    async def send(self, send: Send) -> Response:
        """Send the request once, and read the whole response unless it is streamed; cancelling breaks its connection.

        The body of a streamed one is an asynchronous iterator of bytes.
        """
        # Limiters belong to an event loop, which need not run when the transport is made.
        self._places = self._places or anyio.CapacityLimiter(self._limit)
        self._threads = self._threads or anyio.CapacityLimiter(math.inf)
        place = _Place(self._places)
        await place.take(send)
        work = _Work(self._transport, send, place, self._threads)
        streamed = False
        try:
            response = await work.run(work.send)
            streamed = work.body is not None
        finally:
            if not streamed:
                work.end()
        return replace(response, body=AsyncBodyStream(work)) if streamed else response

    async def aclose(self) -> None:
        """Close idle connections, and refuse further requests; those under way end by themselves."""
        self._transport.close()


class AsyncBodyStream(AsyncIterator[bytes]):
    """A body that is read while it comes: iterate over it to its end, or close it."""

    def __init__(self, work: _Work) -> None:
        """Take the request, whose response has begun."""
        self._work: _Work | None = work

    async def __anext__(self) -> bytes:
        if self._work is None:
            raise StopAsyncIteration
        piece = None
        try:
            piece = await self._work.run(self._work.read)
        finally:
            if piece is None:
                await self.aclose()
        if piece is None:
            raise StopAsyncIteration
        return piece

    async def aclose(self) -> None:
        """Let go of the connection; what was not read is lost."""
        work, self._work = self._work, None
        if work is not None:
            work.end()


class _Place:
    """One of a bounded number of places, which any thread may give back."""

    def __init__(self, places: anyio.CapacityLimiter) -> None:
        self._places = places
        self._on_loop = _scheduler()

    async def take(self, send: Send) -> None:
        """Wait for it.

        Raises:
            PoolTimeout: none became free in time.
        """
        left = math.inf if send.timeout.pool is None else send.timeout.pool
        if send.deadline is not None:
            left = min(left, send.deadline - time.monotonic())
        with anyio.move_on_after(left) as waiting:
            await self._places.acquire_on_behalf_of(self)
        if waiting.cancelled_caught:
            request = send.request
            raise PoolTimeout(
                "too many requests are under way", request=request, operation_id=request.operation_id, elapsed=left
            )

    def give_back(self) -> None:
        """Give it back, from the event loop's thread."""
        self._places.release_on_behalf_of(self)

    def give_back_from_thread(self) -> None:
        """Give it back, from another thread."""
        # The loop may have ended meanwhile; then nobody waits for the place.
        with contextlib.suppress(RuntimeError):
            self._on_loop(self.give_back)


class _Work:
    """A request in its threads, one at a time.

    When both the thread and the task are done with it, what is left of its response is closed and its place given back,
    once.
    """

    def __init__(self, transport: Transport, send: Send, place: _Place, threads: anyio.CapacityLimiter) -> None:
        self._pulled: _Pulled | None = None
        if isinstance(send.request.body, AsyncIterator):
            self._pulled = _Pulled(send.request.body)
            send = send._replace(request=replace(send.request, body=self._pulled))
        self._send = send
        self._transport = transport
        self._place = place
        self._threads = threads
        self._exchange: Exchange | None = None
        if isinstance(transport, AbortableTransport):
            self._exchange = transport.exchange(send)
        self.body: Any = None
        self._lock = threading.Lock()
        self._running = False
        self._left = False

    async def run(self, function: Callable[[], T]) -> T:
        """Run one of the two functions below in a thread; cancelling breaks the connection, and waits for nothing."""
        try:
            return await anyio.to_thread.run_sync(
                self._guarded, function, abandon_on_cancel=True, limiter=self._threads
            )
        except anyio.get_cancelled_exc_class():
            if self._pulled is not None:
                self._pulled.cancel()
            if self._exchange is not None:
                self._exchange.abort()
            raise

    def send(self) -> Response:
        """Send the request, and read the response, or of a streamed one its head."""
        response = self._exchange.run() if self._exchange is not None else self._transport.send(self._send)
        if self._send.stream and not isinstance(response.body, bytes):
            self.body = response.body
        return response

    def read(self) -> bytes | None:
        """Read the next bytes of a streamed response; None at its end."""
        return next(self.body, None)

    def end(self) -> None:
        """The task is done with it."""
        with self._lock:
            left, self._left = self._left, True
            running = self._running
        if not left and not running:
            self._close()
            self._place.give_back()

    def _guarded(self, function: Callable[[], T]) -> T:
        with self._lock:
            if self._left:
                raise RuntimeError("the task has gone")
            self._running = True
        try:
            return function()
        finally:
            with self._lock:
                self._running = False
                gone = self._left
            if gone:
                self._close()
                self._place.give_back_from_thread()

    def _close(self) -> None:
        body, self.body = self.body, None
        if hasattr(body, "close"):
            body.close()


class _Pulled(Iterator[bytes]):
    """An asynchronous body, pulled from a worker thread. ``length`` is its size in bytes, where it tells that."""

    def __init__(self, body: AsyncIterator[bytes]) -> None:
        self.length = getattr(body, "length", None)
        self._body = body
        self._scope: anyio.CancelScope | None = None
        self._cancelled = False

    def __next__(self) -> bytes:
        piece: bytes | None = anyio.from_thread.run(self._pull)
        if piece is None:
            raise StopIteration
        return piece

    async def _pull(self) -> bytes | None:
        if not self._cancelled:
            with anyio.CancelScope() as self._scope:
                return await anext(self._body, None)
        raise ConnectionAbortedError

    def cancel(self) -> None:
        """End the wait for the next piece, and pull no more."""
        self._cancelled = True
        if self._scope is not None:
            self._scope.cancel()


def _scheduler() -> Callable[[Callable[[], None]], object]:
    """The function by which other threads have the running event loop call something."""
    import asyncio

    try:
        return asyncio.get_running_loop().call_soon_threadsafe
    except RuntimeError:
        import trio

        return trio.lowlevel.current_trio_token().run_sync_soon
