"""An asynchronous transport made of a synchronous one and worker threads, for asyncio and trio alike.

Each request under way takes one place of a bounded number. Cancelling breaks the request's connection and returns at
once; the place is given back when the request's thread has ended, so that cancelled requests can't pile up threads.
"""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import AsyncIterator, Callable, Iterator

import anyio
import anyio.from_thread
import anyio.to_thread

from dynclient.messages import Response, Send
from dynclient.transports import AbortableTransport, Exchange, Transport

_PLACES = 40


class ThreadedTransport:
    """Runs a transport's requests in worker threads. The tasks of one event loop share it.

    It does not stream responses.
    """

    def __init__(self, transport: Transport, limit: int = _PLACES) -> None:
        """Take the transport, and how many requests may be under way at once."""
        self._transport = transport
        self._limit = limit
        self._places: anyio.CapacityLimiter | None = None
        self._threads: anyio.CapacityLimiter | None = None

    async def send(self, send: Send) -> Response:
        """Send the request once, and read the whole response; cancelling breaks its connection."""
        if send.stream:
            raise NotImplementedError("ThreadedTransport does not stream responses")
        # Limiters belong to an event loop, which need not run when the transport is made.
        self._places = self._places or anyio.CapacityLimiter(self._limit)
        self._threads = self._threads or anyio.CapacityLimiter(math.inf)
        place = _Place(self._places)
        await self._places.acquire_on_behalf_of(place)
        work = _Work(self._transport, send, place)
        try:
            return await anyio.to_thread.run_sync(work.run, abandon_on_cancel=True, limiter=self._threads)
        except anyio.get_cancelled_exc_class():
            work.abort()
            raise
        finally:
            work.left()

    async def aclose(self) -> None:
        """Close idle connections, and refuse further requests; those under way end by themselves."""
        self._transport.close()


class _Place:
    """One of a bounded number of places, which any thread may give back."""

    def __init__(self, places: anyio.CapacityLimiter) -> None:
        self._places = places
        self._on_loop = _scheduler()

    def give_back(self) -> None:
        """Give it back, from the event loop's thread."""
        self._places.release_on_behalf_of(self)

    def give_back_from_thread(self) -> None:
        """Give it back, from another thread."""
        # The loop may have ended meanwhile; then nobody waits for the place.
        with contextlib.suppress(RuntimeError):
            self._on_loop(self.give_back)


class _Work:
    """A request in its thread. Its place is given back once, when both the thread and the task are done with it."""

    def __init__(self, transport: Transport, send: Send, place: _Place) -> None:
        request = send.request
        if isinstance(request.body, AsyncIterator):
            request = request._replace(body=_pulled(request.body))
        self._send = send._replace(request=request)
        self._transport = transport
        self._place = place
        self._exchange: Exchange | None = None
        if isinstance(transport, AbortableTransport):
            self._exchange = transport.exchange(self._send)
        self._lock = threading.Lock()
        self._running = False
        self._left = False

    def run(self) -> Response:
        with self._lock:
            if self._left:
                raise RuntimeError("the task has gone")
            self._running = True
        try:
            return self._exchange.run() if self._exchange is not None else self._transport.send(self._send)
        finally:
            with self._lock:
                self._running = False
                gone = self._left
            if gone:
                self._place.give_back_from_thread()

    def abort(self) -> None:
        if self._exchange is not None:
            self._exchange.abort()

    def left(self) -> None:
        with self._lock:
            self._left = True
            running = self._running
        if not running:
            self._place.give_back()


def _pulled(body: AsyncIterator[bytes]) -> Iterator[bytes]:
    """Pull an asynchronous body from a worker thread."""

    async def pull() -> bytes | None:
        return await anext(body, None)

    while (piece := anyio.from_thread.run(pull)) is not None:
        yield piece


def _scheduler() -> Callable[[Callable[[], None]], object]:
    """The function by which other threads have the running event loop call something."""
    import asyncio

    try:
        return asyncio.get_running_loop().call_soon_threadsafe
    except RuntimeError:
        import trio

        return trio.lowlevel.current_trio_token().run_sync_soon
