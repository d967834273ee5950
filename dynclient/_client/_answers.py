"""What ``operation.stream(...)`` gives: a response with its body unread.

Rule 1: a body is read once, and only within the ``with`` statement; leaving it early closes the connection.
Rule 2: time-outs and the call's deadline hold for each chunk, and so does the limit on what comes over the wire. That
on the decoded size holds for what is kept in memory: one item, one line, :meth:`Answer.read`.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from dynclient._call import Flow, Terms, reconnect, repeatable, stream
from dynclient._charsets import charset_of
from dynclient._client import _bodies
from dynclient._client._drivers import drive, drive_async
from dynclient._client._pieces import AsyncPieces, Items, Pieces
from dynclient._response import Opened, Reader
from dynclient.codecs import sequence
from dynclient.exceptions import DynclientError, RequestError, ResponseError, TransportError
from dynclient.messages import Headers, Request

Progress = Callable[[int, "int | None"], object]
"""Called with the bytes that were saved so far and those that there will be, or None where nobody has told."""


class Body:
    """A body on its way, and what opens it again."""

    def __init__(
        self, opened: Opened, request: Request, terms: Terms, transport: Any, chunks: Callable[..., Any]
    ) -> None:
        """Take the response, what it was asked for with, and what makes an iterator of a body."""
        self.transport = transport
        self.closed = False
        self._request = request
        self._terms = terms
        self._iterator = chunks
        self.replace(opened)

    def replace(self, opened: Opened) -> None:
        """Go on with another response."""
        self.opened = opened
        self._chunks = self._iterator(opened.response.body)

    @property
    def repeatable(self) -> bool:
        """Whether the request can be sent again."""
        return repeatable(self._request)

    def chunks(self) -> Any:
        """The iterator of what was not read yet.

        Raises:
            RequestError: it is closed.
        """
        if self.closed:
            raise RequestError("the answer is closed", hint="read it within its with statement")
        return self._chunks

    def reopening(self, last_id: str, retry: int | None) -> Flow[Opened | None]:
        """What opens it again."""
        return reconnect(self._request, self.opened.reader, self._terms, last_id=last_id, retry=retry)

    def completed(self, error: DynclientError) -> DynclientError:
        """An error with what it can't know itself: the call that it belongs to."""
        response = self.opened.response
        error.operation_id = error.operation_id or self.opened.reader.operation.id
        if isinstance(error, TransportError):
            error.attempts = response.attempts
        elif isinstance(error, ResponseError):
            request = response.request.with_no_secrets() if response.request is not None else None
            error.request = request
            shown = error.response or replace(response, body=b"")
            error.response = replace(shown, request=request, attempts=response.attempts)
        return error


class _Answer:
    """What answers of both kinds of client have."""

    def __init__(self, body: Body) -> None:
        self._body = body

    @property
    def status(self) -> int:
        """The status code."""
        return self._body.opened.response.status

    @property
    def headers(self) -> Headers:
        """The headers."""
        return self._body.opened.response.headers

    @property
    def content_type(self) -> str:
        """The content type: the header's, or the documented one where the server sent none."""
        return self._body.opened.content_type

    @property
    def attempts(self) -> int:
        """How many requests the call has sent."""
        return self._body.opened.response.attempts

    @property
    def _charset(self) -> str:
        return charset_of(self.content_type) or "utf-8"

    @property
    def _limits(self) -> Any:
        return self._body.opened.reader.limits

    @property
    def _length(self) -> int | None:
        """The bytes that there will be; of a body in a content coding only its coded length is told."""
        length = self.headers.get("content-length", "")
        return int(length[:18]) if length.isdecimal() and "content-encoding" not in self.headers else None

    def _gathered(self) -> _bodies.Gathered:
        return _bodies.Gathered(self._body.opened.response, self._limits)

    def _text(self) -> sequence.TextSplitter:
        try:
            return sequence.TextSplitter(self._charset)
        except ResponseError as error:
            raise self._body.completed(error) from None

    def _lines(self) -> sequence.LineSplitter:
        try:
            return sequence.LineSplitter(self._charset, self._limits)
        except ResponseError as error:
            raise self._body.completed(error) from None

    def __repr__(self) -> str:
        state = ", closed" if self._body.closed else ""
        return f"<{type(self).__name__} {self.status} {self.content_type or 'without Content-Type'}{state}>"


class Answer(_Answer):
    """A response whose body is read as it is asked for. Use it in a ``with`` statement."""

    def iter_bytes(self, size: int | None = None) -> Iterator[bytes]:
        """The body in pieces of ``size`` bytes, content codings undone; as they come without it."""
        return Pieces(self._body, sequence.ByteSplitter(size))

    def iter_text(self) -> Iterator[str]:
        """The body as text, in the charset that the Content-Type names, or UTF-8; strictly."""
        return Pieces(self._body, self._text())

    def iter_lines(self) -> Iterator[str]:
        """The body's lines, without their ends."""
        return Pieces(self._body, self._lines())

    def iter_items(self, *, reconnect: int = 0) -> Iterator[Any]:
        """The body's items, each held to its schema: JSON Lines, JSON sequences, events, the items of an array.

        ``reconnect`` is how often in a row a stream of server-sent events is opened again where it ends or breaks off,
        with Last-Event-ID.
        """
        return Pieces(self._body, Items(self._body.opened), reconnect)

    def read(self) -> bytes:
        """What is left of the body, all at once."""
        return next(Pieces[bytes](self._body, self._gathered()))

    def save(self, path: str | os.PathLike[str], *, progress: Progress | None = None) -> Path:
        """Save what is left of the body; the file is there whole, or not at all.

        ``progress`` is called with the bytes that were saved so far, and those that there will be, or None.
        """
        from dynclient._client._files import Saving

        with Saving(path) as file:
            for chunk in self.iter_bytes():
                file.write(chunk)
                if progress is not None:
                    progress(file.size, self._length)
        return file.path

    def close(self) -> None:
        """Close the connection, if the body was not read to its end."""
        self._body.closed = True
        _bodies.close(self._body.opened.response)


class AsyncAnswer(_Answer):
    """A response whose body is read as it is asked for. Use it in an ``async with`` statement."""

    def iter_bytes(self, size: int | None = None) -> AsyncIterator[bytes]:
        """The body in pieces of ``size`` bytes, content codings undone; as they come without it."""
        return AsyncPieces(self._body, sequence.ByteSplitter(size))

    def iter_text(self) -> AsyncIterator[str]:
        """The body as text, in the charset that the Content-Type names, or UTF-8; strictly."""
        return AsyncPieces(self._body, self._text())

    def iter_lines(self) -> AsyncIterator[str]:
        """The body's lines, without their ends."""
        return AsyncPieces(self._body, self._lines())

    def iter_items(self, *, reconnect: int = 0) -> AsyncIterator[Any]:
        """The body's items, each held to its schema; see :meth:`Answer.iter_items`."""
        return AsyncPieces(self._body, Items(self._body.opened), reconnect)

    async def read(self) -> bytes:
        """What is left of the body, all at once."""
        return await anext(AsyncPieces[bytes](self._body, self._gathered()))

    async def save(self, path: str | os.PathLike[str], *, progress: Progress | None = None) -> Path:
        """Save what is left of the body, as :meth:`Answer.save` does; the file is written in worker threads."""
        from anyio.to_thread import run_sync

        from dynclient._client._files import Saving

        file = await run_sync(Saving, path)
        try:
            async for chunk in self.iter_bytes():
                await run_sync(file.write, chunk)
                if progress is not None:
                    progress(file.size, self._length)
            await run_sync(file.keep)
        finally:
            file.discard()
        return file.path

    async def aclose(self) -> None:
        """Close the connection, if the body was not read to its end."""
        self._body.closed = True
        await _bodies.close_async(self._body.opened.response)


class _Streaming:
    """A streamed call that is made when its ``with`` statement begins."""

    def __init__(self, request: Request, reader: Reader, terms: Terms, transport: Any) -> None:
        self._asked = (request, reader, terms)
        self._transport = transport

    def _begun(self) -> tuple[Request, Terms, Flow[Opened]]:
        request, reader, terms = self._asked
        # What opens the stream again has no more time than the first call.
        if terms.timeout.total is not None:
            terms = terms._replace(deadline=terms.chance.clock() + terms.timeout.total)
        return request, terms, stream(request, reader, terms)


class Streaming(_Streaming):
    """A streamed call of a Client."""

    _answer: Answer | None = None

    def __enter__(self) -> Answer:
        request, terms, flow = self._begun()
        opened = drive(flow, self._transport)
        self._answer = Answer(Body(opened, request, terms, self._transport, _bodies.chunks))
        return self._answer

    def __exit__(self, *exception: object) -> None:
        if self._answer is not None:
            self._answer.close()


class AsyncStreaming(_Streaming):
    """A streamed call of an AsyncClient."""

    _answer: AsyncAnswer | None = None

    async def __aenter__(self) -> AsyncAnswer:
        request, terms, flow = self._begun()
        opened = await drive_async(flow, self._transport)
        self._answer = AsyncAnswer(Body(opened, request, terms, self._transport, _bodies.chunks_async))
        return self._answer

    async def __aexit__(self, *exception: object) -> None:
        if self._answer is not None:
            await self._answer.aclose()
