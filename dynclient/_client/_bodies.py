"""Bodies on their way in: iterated, gathered within limits, and closed; of a Client and of an AsyncClient.

A transport that does not stream gives bytes: a stream of one chunk.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

from dynclient._response import Opened
from dynclient.exceptions import ResponseTooLarge
from dynclient.messages import Read, Response
from dynclient.options import Limits


class Gathered:
    """The chunks of a body, kept as long as they stay within a client's limits."""

    def __init__(self, response: Response, limits: Limits) -> None:
        """Take the response, whose body is still a stream."""
        self._response = response
        self._limit = limits.response_bytes
        self._chunks: list[bytes] = []
        self._size = 0

    def add(self, chunk: bytes) -> None:
        """Take a chunk.

        Raises:
            ResponseTooLarge: it is more than may be held in memory.
        """
        self._size += len(chunk)
        self._chunks.append(chunk)
        if self._limit is not None and self._size > self._limit:
            response = replace(self._response, body=self._chunks[0][:1024])
            raise ResponseTooLarge(
                "the response is larger than may be read at once", limit="response_bytes", response=response
            )

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Take a chunk, as a splitter does."""
        self.add(chunk)
        return iter(())

    def finish(self) -> Iterator[bytes]:
        """Give all."""
        yield self.response().body

    def response(self) -> Response:
        """The response with what was gathered as its body."""
        return replace(self._response, body=b"".join(self._chunks))


def chunks(body: Any) -> Iterator[bytes]:
    """The chunks of a body."""
    return iter((body,) if body else ()) if isinstance(body, bytes) else iter(body)


def whole(step: Read) -> Response:
    """Read a streamed response to its end; whatever happens, its body is closed."""
    gathered = Gathered(step.response, step.limits)
    try:
        for chunk in chunks(step.response.body):
            gathered.add(chunk)
    finally:
        close(step.response)
    return gathered.response()


def close(answer: object, *, kept: object = None) -> None:
    """Let go of a response's connection, if its body is still a stream, unless it was kept as an Opened."""
    finish = getattr(_unread(answer, kept), "close", None)
    if finish is not None:
        finish()


def chunks_async(body: Any) -> AsyncIterator[bytes]:
    """The chunks of a body."""
    if hasattr(body, "__aiter__"):
        return aiter(body)
    return _Ready(chunks(body))


async def whole_async(step: Read) -> Response:
    """Read a streamed response to its end; whatever happens, its body is closed."""
    gathered = Gathered(step.response, step.limits)
    try:
        async for chunk in chunks_async(step.response.body):
            gathered.add(chunk)
    finally:
        await close_async(step.response)
    return gathered.response()


async def close_async(answer: object, *, kept: object = None) -> None:
    """Let go of a response's connection, if its body is still a stream, unless it was kept as an Opened."""
    body = _unread(answer, kept)
    finish = getattr(body, "aclose", None) or getattr(body, "close", None)
    if finish is None:
        return
    import inspect

    import anyio

    # A cancelled task lets go of its connection too.
    with anyio.CancelScope(shield=True):
        closing = finish()
        if inspect.isawaitable(closing):
            await closing


def _unread(answer: object, kept: object) -> Any:
    return answer.body if isinstance(answer, Response) and not isinstance(kept, Opened) else None


class _Ready(AsyncIterator[bytes]):
    """Chunks that are there already."""

    def __init__(self, source: Iterator[bytes]) -> None:
        self._source = source

    async def __anext__(self) -> bytes:
        for chunk in self._source:
            return chunk
        raise StopAsyncIteration
