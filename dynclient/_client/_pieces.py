"""A streamed body in pieces: bytes, text, lines, items.

Cutting is :mod:`dynclient.codecs.sequence`'s; here chunks are read for it, and items held to the document. What is not
reading is in :class:`_Source`, once for both kinds of client.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from dynclient import codecs
from dynclient._call import Flow
from dynclient._client import _bodies
from dynclient._client._drivers import drive, drive_async
from dynclient._response import Opened
from dynclient.codecs import Splitter
from dynclient.codecs.sequence import EventSplitter
from dynclient.exceptions import (
    ArgumentError,
    ConnectionLost,
    DecodeError,
    DynclientError,
    TimeoutError,  # noqa: A004  # ours
)

if TYPE_CHECKING:
    from dynclient._client._answers import Body

T = TypeVar("T")

_NOTHING: Any = object()


class Items:
    """The items of a body, each held to its schema. One that is no sequence is read whole, and has to be a list."""

    def __init__(self, opened: Opened) -> None:
        """Take the response."""
        self.opened = opened
        self._index = 0
        codec = codecs.find(opened.content_type)
        limits = opened.reader.limits
        self.split: Splitter = codec.split(opened.media_type, limits) if codec.split else _Whole(codec, opened)

    def reopened(self, opened: Opened) -> Items:
        """The items of the stream that follows, which goes on where this one ended."""
        following = Items(opened)
        following._index = self._index
        if isinstance(self.split, EventSplitter) and isinstance(following.split, EventSplitter):
            following.split.last_id, following.split.retry = self.split.last_id, self.split.retry
        return following

    def feed(self, chunk: bytes) -> Iterator[Any]:
        """Take a chunk."""
        return self._checked(self.split.feed(chunk))

    def finish(self) -> Iterator[Any]:
        """Give what is left."""
        return self._checked(self.split.finish())

    def _checked(self, items: Iterator[Any]) -> Iterator[Any]:
        for item in items:
            self.opened.reader.item_faults(self.opened, item, self._index)
            self._index += 1
            yield item


class _Whole:
    """A body that has to be there as a whole before it can be read."""

    def __init__(self, codec: codecs.Codec, opened: Opened) -> None:
        self._codec = codec
        self._opened = opened
        self._gathered = _bodies.Gathered(opened.response, opened.reader.limits)

    def feed(self, chunk: bytes) -> Iterator[Any]:
        self._gathered.add(chunk)
        return iter(())

    def finish(self) -> Iterator[Any]:
        opened = self._opened
        body = self._gathered.response().body
        value = self._codec.decode(body, opened.media_type, opened.content_type, opened.reader.limits)
        if not isinstance(value, list):
            raise DecodeError(f"the body is no sequence: {opened.content_type or 'it'} has no items")
        yield from value


class _Source(Generic[T]):
    """What is cut from which body, and whether the body is opened again where it ends."""

    def __init__(self, body: Body, splitter: Any, reconnect: int = 0) -> None:
        """Take the body; ``reconnect`` is how often in a row it is opened again without an item in between."""
        self._body = body
        self._splitter = splitter
        self._ready: Iterator[T] = iter(())
        self._ended = False
        self._most = self._left = reconnect
        if reconnect and not (isinstance(splitter, Items) and isinstance(splitter.split, EventSplitter)):
            raise ArgumentError("only a stream of server-sent events can be reconnected", argument="reconnect")
        if reconnect and not body.repeatable:
            raise ArgumentError("only what can be sent twice can be reconnected", argument="reconnect")

    def _piece(self) -> T:
        """The next piece that is there, or the mark that more has to be read."""
        try:
            piece = next(self._ready, _NOTHING)
        except DynclientError as error:
            self._ended = True
            raise self._body.completed(error) from error.__cause__
        if piece is not _NOTHING:
            self._left = self._most
        return cast("T", piece)

    def _fed(self, chunk: bytes | None) -> Flow[Opened | None] | None:
        """Take a chunk, or the end; give what opens the body again."""
        if chunk is not None:
            self._ready = self._splitter.feed(chunk)
            return None
        if self._left:
            return self._reopening()
        self._ready, self._ended = self._splitter.finish(), True
        return None

    def _lost(self, error: DynclientError) -> Flow[Opened | None]:
        """The body broke off: give what opens it again, or raise."""
        passing = isinstance(error, ConnectionLost) or (isinstance(error, TimeoutError) and error.phase == "read")
        if not (passing and self._left):
            self._ended = True
            raise self._body.completed(error) from error.__cause__
        return self._reopening()

    def _reopening(self) -> Flow[Opened | None]:
        self._left -= 1
        return self._body.reopening(self._splitter.split.last_id, self._splitter.split.retry)

    def _reopened(self, opened: Opened | None) -> None:
        if opened is None:
            self._ended = True
            return
        self._body.replace(opened)
        self._splitter = self._splitter.reopened(opened)


class Pieces(_Source[T], Iterator[T]):
    """The pieces of a body: an iterator, once over."""

    def __next__(self) -> T:
        while True:
            piece = self._piece()
            if piece is not _NOTHING:
                return piece
            if self._ended:
                raise StopIteration
            try:
                flow = self._fed(next(self._body.chunks(), None))
            except DynclientError as error:
                flow = self._lost(error)
            if flow is not None:
                self._reopened(drive(flow, self._body.transport))


class AsyncPieces(_Source[T], AsyncIterator[T]):
    """The pieces of a body: an asynchronous iterator, once over."""

    async def __anext__(self) -> T:
        while True:
            piece = self._piece()
            if piece is not _NOTHING:
                return piece
            if self._ended:
                raise StopAsyncIteration
            try:
                flow = self._fed(await anext(self._body.chunks(), None))
            except DynclientError as error:
                flow = self._lost(error)
            if flow is not None:
                self._reopened(await drive_async(flow, self._body.transport))
