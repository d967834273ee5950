"""An asynchronous transport that runs a synchronous one in worker threads."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from typing import Any, TypeVar

import anyio
import anyio.from_thread
import anyio.to_thread

from dynclient.exceptions import PoolTimeout
from dynclient.messages import Response, Send
from dynclient.transports import AbortableTransport, Transport
from dynclient.transports.clock import Clock, DeadlineExceeded
from dynclient.transports.exchange import AsyncBodyStream
from dynclient.transports.pool import Lease, Pool
from dynclient.transports.tasks import TaskWaiter

T = TypeVar("T")


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
            # The loop may have ended meanwhile; then nobody waits.
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
        # Thread and task may both come here: only one of them closes.
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
