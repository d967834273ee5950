"""The two drivers of a call: all I/O of a client is done here, in threads or in tasks.

A streamed response that a call does not return is closed here. A transport that does not stream returns bytes, which
count as a stream of one chunk.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any, TypeVar

from dynclient._call import Flow
from dynclient._response import StreamedResponse
from dynclient.exceptions import ArgumentError, DynclientError
from dynclient.messages import LOOKED_AT, Await, Read, Response, RunBlocking, Send, Sleep
from dynclient.options import Limits
from dynclient.transports import AsyncTransport, Transport
from dynclient.transports.body_reader import too_large

T = TypeVar("T")


def drive(flow: Flow[T], transport: Transport) -> T:
    """Run a call to its end in this thread."""
    answer: Any = None
    fault: DynclientError | None = None
    while True:
        try:
            step = flow.throw(fault) if fault is not None else flow.send(answer)
        except StopIteration as stop:
            close(answer, kept=stop.value)
            return stop.value  # type: ignore[no-any-return]  # a generator's return value is untyped here
        except BaseException:
            close(answer)
            raise
        answer, fault = None, None
        try:
            if isinstance(step, Send):
                answer = transport.send(step)
            elif isinstance(step, Read):
                answer = whole(step)
            elif isinstance(step, RunBlocking):
                answer = step.function()
            elif isinstance(step, Await):
                fault = _not_awaited(step)
            else:
                time.sleep(step.seconds)
        except DynclientError as error:
            fault = error
        except BaseException:
            # Interrupted or cancelled: stop what other threads or tasks wait for.
            flow.close()
            raise


def _not_awaited(step: Await) -> ArgumentError:
    """The error of a thread that is asked to await a credential."""
    close = getattr(step.awaitable, "close", None)
    if close is not None:
        close()  # a coroutine that was never awaited would warn
    return ArgumentError(
        "auth is an async function, which a Client can't await",
        argument="auth",
        hint="use dynclient.AsyncClient, or pass a plain function",
    )


async def _waited(step: RunBlocking | Sleep | Await) -> Any:
    """Await something, run a function that may block in a thread, or sleep."""
    if isinstance(step, Await):
        return await step.awaitable
    import anyio

    if isinstance(step, RunBlocking):
        return await anyio.to_thread.run_sync(step.function)
    return await anyio.sleep(step.seconds)


async def drive_async(flow: Flow[T], transport: AsyncTransport) -> T:
    """Run a call to its end in this task, on asyncio or trio."""
    answer: Any = None
    fault: DynclientError | None = None
    while True:
        try:
            step = flow.throw(fault) if fault is not None else flow.send(answer)
        except StopIteration as stop:
            await close_async(answer, kept=stop.value)
            return stop.value  # type: ignore[no-any-return]  # a generator's return value is untyped here
        except BaseException:
            await close_async(answer)
            raise
        answer, fault = None, None
        try:
            if isinstance(step, Send):
                answer = await transport.send(step)
            elif isinstance(step, Read):
                answer = await whole_async(step)
            else:
                answer = await _waited(step)
        except DynclientError as error:
            fault = error
        except BaseException:
            # Interrupted or cancelled: stop what other threads or tasks wait for.
            flow.close()
            raise


class BodyBuffer:
    """The chunks of a body, kept in memory within a client's limits."""

    def __init__(self, response: Response, limits: Limits) -> None:
        """Take the response, whose body is a stream."""
        self._response = response
        self._limits = limits
        self._chunks: list[bytes] = []
        self._size = 0

    def add(self, chunk: bytes) -> None:
        """Add a chunk.

        Raises:
            ResponseTooLarge: the chunks exceed ``Limits.response_bytes``.
        """
        self._size += len(chunk)
        self._chunks.append(chunk)
        limit = self._limits.response_bytes
        if limit is not None and self._size > limit:
            begun = replace(self._response, body=self._chunks[0][:LOOKED_AT]).beginning()
            raise too_large("response_bytes", self._limits, response=begun)

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Add a chunk, as a splitter does."""
        self.add(chunk)
        return iter(())

    def finish(self) -> Iterator[bytes]:
        """The whole body."""
        yield self.response().body

    def response(self) -> Response:
        """The response with the chunks as its body."""
        return replace(self._response, body=b"".join(self._chunks))


def chunks(body: Any) -> Iterator[bytes]:
    """The chunks of a body."""
    return iter((body,) if body else ()) if isinstance(body, bytes) else iter(body)


def whole(step: Read) -> Response:
    """Read a streamed response to its end; whatever happens, its body is closed."""
    buffer = BodyBuffer(step.response, step.limits)
    try:
        for chunk in chunks(step.response.body):
            buffer.add(chunk)
    finally:
        close(step.response)
    return buffer.response()


def close(answer: object, *, kept: object = None) -> None:
    """Close a response's stream and its connection, unless it is kept as a StreamedResponse."""
    finish = getattr(_unread(answer, kept), "close", None)
    if finish is not None:
        finish()


def chunks_async(body: Any) -> AsyncIterator[bytes]:
    """The chunks of a body."""
    if hasattr(body, "__aiter__"):
        return aiter(body)
    return _AsyncChunks(chunks(body))


async def whole_async(step: Read) -> Response:
    """Read a streamed response to its end; whatever happens, its body is closed."""
    buffer = BodyBuffer(step.response, step.limits)
    try:
        async for chunk in chunks_async(step.response.body):
            buffer.add(chunk)
    finally:
        await close_async(step.response)
    return buffer.response()


async def close_async(answer: object, *, kept: object = None) -> None:
    """Close a response's stream and its connection, unless it is kept as a StreamedResponse."""
    body = _unread(answer, kept)
    finish = getattr(body, "aclose", None) or getattr(body, "close", None)
    if finish is None:
        return
    import inspect

    import anyio

    # A cancelled task releases its connection too.
    with anyio.CancelScope(shield=True):
        closing = finish()
        if inspect.isawaitable(closing):
            await closing


def _unread(answer: object, kept: object) -> Any:
    return answer.body if isinstance(answer, Response) and not isinstance(kept, StreamedResponse) else None


class _AsyncChunks(AsyncIterator[bytes]):
    """Chunks that have already arrived."""

    def __init__(self, source: Iterator[bytes]) -> None:
        self._source = source

    async def __anext__(self) -> bytes:
        for chunk in self._source:
            return chunk
        raise StopAsyncIteration
