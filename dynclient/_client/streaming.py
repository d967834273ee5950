"""Streamed responses of ``operation.stream(...)``, and how a body is split into bytes, text, lines and items.

:mod:`dynclient.codecs.sequence` splits; this module feeds it with chunks, and validates items.

Rule 1: a body is read once, and only within the ``with`` statement; leaving it early closes the connection.
Rule 2: timeouts and the call's deadline apply to each chunk. ``Limits.response_bytes`` applies to everything kept in
memory: one item, one line, :meth:`Answer.read`; ``Limits.streamed_response_bytes`` to all of the body.
Rule 3: a stream of server-sent events can be reopened where it ended (HTML, 9.2.3): with ``Last-Event-ID``, within the
deadline of the first call, after the pause that the stream's ``retry`` field sets. A 204 ends it.
"""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from dynclient import codecs
from dynclient._call import Flow, call, is_repeatable
from dynclient._client import drivers
from dynclient._client.downloads import AtomicFile, Download, Progress, length_of, version_of
from dynclient._client.drivers import BodyBuffer, Dispatcher, drive, drive_async
from dynclient._client.shown_methods import outermost
from dynclient._request import Bound, CallOptions, Plan
from dynclient._response import ResponseReader, StreamedResponse
from dynclient.codecs import Splitter, sequence
from dynclient.exceptions import (
    ArgumentError,
    ConnectionLost,
    DecodeError,
    DynclientError,
    RequestError,
    ResponseError,
    TimeoutError,  # noqa: A004  # ours
    TransportError,
    UndocumentedStatus,
)
from dynclient.media_types import charset_of
from dynclient.messages import Await, Headers, Request, Response, RunBlocking, Sleep

T = TypeVar("T")

_NOTHING: Any = object()
_NO_CONTENT = 204
_RECONNECT_SECONDS = 3.0


class Body:
    """The body of a streamed call: opens it, and opens it again for reconnection."""

    def __init__(
        self, flow: Callable[..., Flow[StreamedResponse]], request: Request, options: CallOptions, client: Dispatcher
    ) -> None:
        """``flow`` is :func:`~dynclient._call.call` with all of its arguments but the request and the deadline."""
        self.request = request
        self.transport, self.is_async = client.state.transport, client.is_async
        self.is_closed = self.is_begun = False
        self.streamed: StreamedResponse
        self._flow = flow
        self._options = options
        self._deadline: float | None = None

    def begin(self) -> Flow[StreamedResponse]:
        """Open the stream; the call's deadline counts from now."""
        total = self._options.timeout.total
        if total is not None:
            self._deadline = time.monotonic() + total
        return self._flow(self.request, deadline=self._deadline)

    def again(self, last_id: str, retry: int | None) -> Flow[StreamedResponse | None]:
        """Wait, and open the stream again; None if the server has nothing more. ``retry`` is in milliseconds.

        Raises:
            TransportError, ResponseError: as the first call.
            TimeoutError: the wait is longer than the time that is left.
        """
        wait = min(_RECONNECT_SECONDS if retry is None else retry / 1000, self._options.retry.max_retry_after)
        request = self.request
        if self._deadline is not None and time.monotonic() + wait >= self._deadline:
            raise TimeoutError(
                "the call's deadline passed before the stream could be reopened",
                phase="total",
                request=request,
                operation_id=request.operation_id or "",
            )
        yield Sleep(wait)
        if last_id:
            # HTML, 9.2.4: the value is sent in UTF-8. Header values are texts of Latin-1, a character for each byte.
            encoded = last_id.encode("utf-8").decode("latin-1")
            request = replace(request, headers=request.headers.replace("Last-Event-ID", encoded))
        try:
            streamed = yield from self._flow(request, deadline=self._deadline)
        except UndocumentedStatus as error:
            if error.status == _NO_CONTENT:
                return None
            raise
        return None if streamed.response.status == _NO_CONTENT else streamed

    @property
    def attempts(self) -> int:
        """How often it may be reopened in a row."""
        return self._options.retry.attempts

    def reopen(self, request: Request, reader: ResponseReader) -> Flow[None]:
        """Open the stream once more, by another request and with another reader of its head."""
        self.opened((yield from self._flow(request, deadline=self._deadline, reader=reader)))

    def opened(self, streamed: StreamedResponse) -> None:
        """Read from this response."""
        self.streamed = streamed
        self._chunks: Any = (drivers.chunks_async if self.is_async else drivers.chunks)(streamed.response.body)

    def chunk(self) -> RunBlocking | Await:
        """The step that reads the next chunk; its result is None at the end.

        Raises:
            RequestError: the answer is closed.
        """
        if self.is_closed:
            raise RequestError("the answer is closed", hint="read it within its `with` statement")
        self.is_begun = True
        return Await(anext(self._chunks, None)) if self.is_async else RunBlocking(partial(next, self._chunks, None))

    def close(self, response: Response) -> RunBlocking | Await:
        """The step that closes a response."""
        return Await(drivers.close_async(response)) if self.is_async else RunBlocking(partial(drivers.close, response))

    def completed(self, error: DynclientError) -> DynclientError:
        """Add to an error the facts of its call: the operation, the request, the number of attempts."""
        response = self.streamed.response
        error.operation_id = error.operation_id or self.streamed.reader.operation.id
        if isinstance(error, TransportError):
            error.attempts = response.attempts
        elif isinstance(error, ResponseError):
            request = response.request.with_no_secrets() if response.request is not None else None
            error.request = request
            shown = error.response or replace(response, body=b"")
            error.response = replace(shown, request=request, attempts=response.attempts)
        return error


class Items:
    """The items of a body, each validated. A body whose media type is not sequential is read whole, and is a list."""

    def __init__(self, opened: StreamedResponse) -> None:
        """Take the response."""
        self.opened = opened
        self._index = 0
        codec = codecs.find(opened.content_type)
        limits = opened.reader.reading
        self.split: Splitter = codec.split(opened.media_type, limits) if codec.split else _Whole(codec, opened)

    @property
    def ended(self) -> bool:
        """Whether the stream has announced its end."""
        return isinstance(self.split, sequence.EventSplitter) and self.split.ended

    def reopened(self, opened: StreamedResponse) -> Items:
        """The items of the next stream, which continues this one."""
        following = Items(opened)
        following._index = self._index
        if isinstance(self.split, sequence.EventSplitter) and isinstance(following.split, sequence.EventSplitter):
            following.split.last_id, following.split.retry = self.split.last_id, self.split.retry
        return following

    def feed(self, chunk: bytes) -> Iterator[Any]:
        """Add a chunk."""
        return self._checked(self.split.feed(chunk))

    def finish(self) -> Iterator[Any]:
        """The remaining items."""
        return self._checked(self.split.finish())

    def _checked(self, items: Iterator[Any]) -> Iterator[Any]:
        for item in items:
            self.opened.reader.item_faults(self.opened, item, self._index)
            yield self.opened.reader.converted(self.opened, item, self._index)
            self._index += 1


class _Whole(BodyBuffer):
    """Splits a body that can only be decoded as a whole."""

    def __init__(self, codec: codecs.Codec, opened: StreamedResponse) -> None:
        super().__init__(opened.response, opened.reader.limits)
        self._codec = codec
        self._opened = opened

    def finish(self) -> Iterator[Any]:
        opened = self._opened
        body = self.response().body
        value = self._codec.decode(body, opened.media_type, opened.content_type, opened.reader.reading)
        if not isinstance(value, list):
            raise DecodeError(f"the body is not a sequence: {opened.content_type or 'it'} has no items")
        yield from value


class IterableBody(Generic[T]):
    """The pieces of a body, for one ``for`` or ``async for`` loop; on request, the body is reopened where it ends."""

    if TYPE_CHECKING:

        def __iter__(self) -> Iterator[T]: ...
        def __next__(self) -> T: ...
        def __aiter__(self) -> AsyncIterator[T]: ...
        async def __anext__(self) -> T: ...

    def __init__(self, body: Body, splitter: Any, reconnect: int = 0) -> None:
        """``reconnect`` is how often in a row the body is reopened without an item in between."""
        self._body = body
        self._splitter = splitter
        self._ready: Iterator[T] = iter(())
        self._ended = False
        self._most = self._left = reconnect
        if reconnect and not (isinstance(splitter, Items) and isinstance(splitter.split, sequence.EventSplitter)):
            raise ArgumentError("only a stream of server-sent events can be reconnected", argument="reconnect")
        if reconnect and not is_repeatable(body.request):
            raise ArgumentError("only a request that can be repeated can be reconnected", argument="reconnect")

    def _piece(self) -> T:
        """The next piece, or ``_NOTHING`` if more has to be read."""
        try:
            piece = next(self._ready, _NOTHING)
        except DynclientError as error:
            self._ended = True
            raise self._body.completed(error) from error.__cause__
        if piece is not _NOTHING:
            self._left = self._most
        elif isinstance(self._splitter, Items) and self._splitter.ended:
            self._ended = True
        return cast("T", piece)

    def _fed(self, chunk: bytes | None) -> Flow[StreamedResponse | None] | None:
        """Add a chunk, or the end; returns a flow if the body is to be opened again."""
        if chunk is not None:
            self._ready = self._splitter.feed(chunk)
            return None
        if self._left:
            return self._reopening()
        self._ready, self._ended = self._splitter.finish(), True
        return None

    def _lost(self, error: DynclientError) -> Flow[StreamedResponse | None]:
        """The body broke off: returns a flow that opens it again, or raises."""
        passing = isinstance(error, ConnectionLost) or (isinstance(error, TimeoutError) and error.phase == "read")
        if not (passing and self._left):
            self._ended = True
            raise self._body.completed(error) from error.__cause__
        return self._reopening()

    def _reopening(self) -> Flow[StreamedResponse | None]:
        self._left -= 1
        return self._body.again(self._splitter.split.last_id, self._splitter.split.retry)

    def _reopened(self, opened: StreamedResponse | None) -> None:
        if opened is None:
            self._ended = True
            return
        self._body.opened(opened)
        self._splitter = self._splitter.reopened(opened)

    def _read(self) -> Flow[T]:
        """Read until there is a piece, or the end: ``_NOTHING``."""
        while (piece := self._piece()) is _NOTHING and not self._ended:
            try:
                flow = self._fed((yield self._body.chunk()))
            except DynclientError as error:
                flow = self._lost(error)
            if flow is not None:
                self._reopened((yield from flow))
        return piece


class BodyIterator(IterableBody[T], Iterator[T]):
    """The pieces of a body, in a thread."""

    @outermost
    def __next__(self) -> T:
        if (piece := drive(self._read(), self._body.transport)) is _NOTHING:
            raise StopIteration
        return piece


class AsyncBodyIterator(IterableBody[T], AsyncIterator[T]):
    """The pieces of a body, in a task."""

    @outermost
    async def __anext__(self) -> T:
        if (piece := await drive_async(self._read(), self._body.transport)) is _NOTHING:
            raise StopAsyncIteration
        return piece


class _Answer:
    """The common part of both kinds of answer."""

    def __init__(self, body: Body) -> None:
        self._body = body

    @property
    def status(self) -> int:
        """The status code."""
        return self._body.streamed.response.status

    @property
    def headers(self) -> Headers:
        """The headers."""
        return self._body.streamed.response.headers

    @property
    def content_type(self) -> str:
        """The content type: of the header, or the documented one if the server sent none."""
        return self._body.streamed.content_type

    @property
    def request(self) -> Request | None:
        """The request that was sent last, after redirects."""
        return self._body.streamed.response.request

    @property
    def attempts(self) -> int:
        """How many requests the call has sent."""
        return self._body.streamed.response.attempts

    def _iterated(self, splitter: Any, reconnect: int = 0) -> IterableBody[Any]:
        return (AsyncBodyIterator if self._body.is_async else BodyIterator)(self._body, splitter, reconnect)

    def iter_bytes(self, size: int | None = None) -> IterableBody[bytes]:
        """The body in chunks of ``size`` bytes, or as they arrive, with its content codings decoded."""
        if size is not None and not (isinstance(size, int) and size > 0):
            raise ArgumentError(f"size must be a number of bytes from 1, not {size!r}", argument="size")
        return self._iterated(sequence.ByteSplitter(size))

    def iter_text(self) -> IterableBody[str]:
        """The body as text, strictly in the charset of the Content-Type, or in UTF-8."""
        return self._iterated(self._in_charset(sequence.TextSplitter))

    def iter_lines(self) -> IterableBody[str]:
        """The body's lines, without their ends."""
        return self._iterated(self._in_charset(sequence.LineSplitter, self._body.streamed.reader.limits))

    def iter_items(self, *, reconnect: int = 0) -> IterableBody[Any]:
        """The body's items, each validated: JSON Lines, JSON sequences, events, the items of an array.

        An event is a mapping of its fields, or only its data, read from JSON, if the document describes only the data;
        ``[DONE]`` ends such a stream. :meth:`iter_events` has all fields of each event.

        ``reconnect`` is how often in a row a stream of server-sent events is reopened, with Last-Event-ID, when it ends
        or breaks off.
        """
        return self._iterated(Items(self._body.streamed), reconnect)

    def iter_events(self) -> IterableBody[dict[str, Any]]:
        """The server-sent events of the body as they arrive: mappings of their fields, with ``data`` as text."""
        return self._iterated(sequence.EventSplitter(None, self._body.streamed.reader.limits))

    def _whole(self) -> IterableBody[bytes]:
        response = self._body.streamed.response
        return self._iterated(BodyBuffer(response, self._body.streamed.reader.limits))

    def _saved(self, path: str | os.PathLike[str], progress: Progress | None, *, resume: bool) -> Flow[Path]:
        """Save the rest of the body."""
        response = self._body.streamed.response
        if resume and self._body.is_begun:
            raise ArgumentError(
                "resume=True saves a whole body, but part of this one has already been read", argument="resume"
            )
        if resume and (version := version_of(response)) is not None:
            return (yield from Download(self._body, version).saved(path, progress))
        file: AtomicFile = yield RunBlocking(partial(AtomicFile, path))
        try:
            while (chunk := (yield self._body.chunk())) is not None:
                yield RunBlocking(partial(file.write, chunk))
                if progress is not None:
                    progress(file.size, length_of(response))
            yield RunBlocking(file.keep)
        except DynclientError as error:
            raise self._body.completed(error) from error.__cause__
        finally:
            file.discard()
        return file.path

    def _in_charset(self, splitter: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return splitter(charset_of(self.content_type) or "utf-8", *arguments)
        except ResponseError as error:
            raise self._body.completed(error) from None

    def __repr__(self) -> str:
        state = ", closed" if self._body.is_closed else ""
        return f"<{type(self).__name__} {self.status} {self.content_type or 'without Content-Type'}{state}>"


class Answer(_Answer):
    """A response whose body is read on demand. Use it in a ``with`` statement; it iterates over its items."""

    def __iter__(self) -> Iterator[Any]:
        return self.iter_items()

    def read(self) -> bytes:
        """Read the rest of the body."""
        return next(self._whole())

    @outermost
    def save(self, path: str | os.PathLike[str], *, progress: Progress | None = None, resume: bool = False) -> Path:
        """Save the rest of the body to a file; a failed download leaves no file.

        ``progress`` is called with the number of bytes saved so far, and the number of all bytes, or None.

        With ``resume``, a download that breaks off is continued (RFC 9110, 14), by further requests in this call, and
        by the next call with the same path: the received part is kept next to the file. This needs a server that
        supports ranges and sends an ETag or a Last-Modified, and a body without a content coding; otherwise the whole
        body is downloaded.
        """
        return drive(self._saved(path, progress, resume=resume), self._body.transport)

    def close(self) -> None:
        """Close the connection, if the body was not read to its end."""
        self._body.is_closed = True
        drivers.close(self._body.streamed.response)


class AsyncAnswer(_Answer):
    """A response whose body is read on demand. Use it in an ``async with`` statement.

    ``async for`` iterates over its items.
    """

    def __aiter__(self) -> AsyncIterator[Any]:
        return self.iter_items()

    async def read(self) -> bytes:
        """Read the rest of the body."""
        return await anext(self._whole())

    @outermost
    async def save(
        self, path: str | os.PathLike[str], *, progress: Progress | None = None, resume: bool = False
    ) -> Path:
        """Save the rest of the body, as :meth:`Answer.save` does; the file is written in worker threads."""
        return await drive_async(self._saved(path, progress, resume=resume), self._body.transport)

    async def aclose(self) -> None:
        """Close the connection, if the body was not read to its end."""
        self._body.is_closed = True
        await drivers.close_async(self._body.streamed.response)


class Streaming:
    """A streamed call of a Client, made when its ``with`` statement is entered."""

    def __init__(self, body: Body) -> None:
        self._body = body

    @outermost
    def __enter__(self) -> Answer:
        self._body.opened(drive(self._body.begin(), self._body.transport))
        self._answer = Answer(self._body)
        return self._answer

    def __exit__(self, *exception: object) -> None:
        self._answer.close()


class AsyncStreaming:
    """A streamed call of an AsyncClient, made when its ``async with`` statement is entered."""

    def __init__(self, body: Body) -> None:
        self._body = body

    @outermost
    async def __aenter__(self) -> AsyncAnswer:
        self._body.opened(await drive_async(self._body.begin(), self._body.transport))
        self._answer = AsyncAnswer(self._body)
        return self._answer

    async def __aexit__(self, *exception: object) -> None:
        await self._answer.aclose()


def streamed(dispatcher: Dispatcher, plan: Plan, bound: Bound, options: CallOptions | None = None) -> Any:
    """A context manager that makes the call when it is entered, and leaves the response's body unread."""
    options = dispatcher.options if options is None else options
    prepared = dispatcher.prepared(plan, bound, plan.streaming(options))
    request = prepared.pop("request")
    body = Body(partial(call, stream=True, **prepared), request, options, dispatcher)
    return (AsyncStreaming if dispatcher.is_async else Streaming)(body)
