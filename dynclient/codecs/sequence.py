"""Bodies of many items: JSON Lines, JSON text sequences, server-sent events; and splitters for any body in chunks.

Rule 1: a body whose schema is a string is its text; else it is a list, also if it has no schema or an ``itemSchema``.
Rule 2: an iterator of items is written as a stream, item by item.
Rule 3: the ``data`` of an event is read as JSON if its schema says so, and an item is only the data if the schema
describes nothing else (``_schemas.event_form``). Data that is not JSON stays text, for the validator to report.
``[DONE]`` ends a stream of JSON.
Rule 4: a splitter does no I/O: chunks are fed to it, and it yields whole items. So it works for bodies in memory and
streams, with threads and event loops.
Rule 5: an item's size is limited, for a body of any length (``Limits.response_bytes``).
Rule 6: an item that is cut off at the end is an error, or is dropped if its format says so; it is never yielded.
"""

from __future__ import annotations

import codecs
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from dynclient import _schemas
from dynclient._deferred import expression
from dynclient._negotiation import BOM, decode_text, encode_text, is_known
from dynclient._plain_values import plain_value
from dynclient._schemas import shapes
from dynclient.codecs import json
from dynclient.codecs.codec import Codec, Encode, Encoded, Split, StreamBody, is_content, raw_body, too_many
from dynclient.exceptions import DecodeError, EncodeError, ResponseTooLarge
from dynclient.media_types import charset_of
from dynclient.model import MediaType
from dynclient.options import Limits
from dynclient.transports.body_reader import CHUNK
from dynclient.transports.clock import look

Write = Callable[[Any], bytes]

_RECORD_SEPARATOR = b"\x1e"
_LINE_END = expression(r"\r\n|\r|\n")
_BLANK = b" \t\r\n"
_SHORT = 16_384
_DIGITS = expression(r"[0-9]+")
_NUMBER_OR_WORD = expression(rb"[-0-9tfn]")


def _encode(
    write: Write, value: Any, media_type: MediaType, content_type: str
) -> Encoded:  # the signature of every codec
    """Write a list, or an iterator as a stream; text and bytes are sent unchanged.

    Raises:
        EncodeError: an item can't be written.
    """
    if isinstance(value, str):
        return Encoded(encode_text(value, "utf-8"), content_type)
    if isinstance(value, list):
        return Encoded(b"".join(map(write, value)), content_type)
    if isinstance(value, Iterator) and not hasattr(value, "read"):
        encode = partial(_encoded, write, _settle(media_type))
        return Encoded(StreamBody([lambda: map(encode, value)], None), content_type)
    if isinstance(value, AsyncIterator):
        return Encoded(_async_encoded(partial(_encoded, write, _settle(media_type)), value), content_type)
    if is_content(value):
        return Encoded(raw_body(value), content_type)
    raise EncodeError(f"a {content_type} body must be a list of items, not a {type(value).__name__}")


def _settle(media_type: MediaType) -> Callable[[Any], Any] | None:
    """The function that converts the parts of an item by its schema (:func:`plain_value`)."""
    schema = media_type.item_schema
    if schema is None and media_type.schema is not None:
        schema = _schemas.shape(media_type.schema).items
    return None if schema is None else partial(_schemas.settled, schema)


def _encoded(write: Write, settle: Callable[[Any], Any] | None, item: Any) -> bytes:
    is_written = isinstance(item, (bytes, bytearray, memoryview))
    return bytes(item) if is_written else write(plain_value(item, settle=settle))


async def _async_encoded(encode: Callable[[Any], bytes], items: AsyncIterator[Any]) -> AsyncIterator[bytes]:
    async for item in items:
        yield encode(item)


def _decode(split: Split, body: bytes, media_type: MediaType | None, content_type: str, limits: Limits) -> Any:
    """Read a list, or text if the schema is a string.

    Raises:
        DecodeError: an item is malformed or cut off.
    """
    if media_type is not None and media_type.schema is not None and media_type.item_schema is None:
        shape = shapes.sole(media_type.schema)
        if "string" in shape.types and not shapes.is_array(shape):
            return decode_text(body, charset_of(content_type) or "utf-8")
    splitter = split(media_type, replace(limits, response_bytes=None))
    found: list[Any] = []
    values = 0
    for start in range(0, len(body) + 1, CHUNK):
        look()
        chunk = body[start : start + CHUNK]
        values += sum(map(chunk.count, getattr(splitter, "before_values", ())))
        found += splitter.feed(chunk)
        if limits.body_values is not None and max(len(found), values) > limits.body_values:
            raise too_many(limits.body_values)
    return [*found, *splitter.finish()]


def write_line(item: Any) -> bytes:
    """One line of JSON Lines; compact JSON has no line break."""
    return encode_text(json.dump(item), "utf-8") + b"\n"


def write_record(item: Any) -> bytes:
    """One item of a JSON text sequence: a record separator, JSON, a line feed (RFC 7464, 2.2)."""
    return _RECORD_SEPARATOR + write_line(item)


def write_event(item: Any) -> bytes:
    """One server-sent event (HTML, 9.2.5): a mapping of its fields, or its data alone."""
    event = item if isinstance(item, dict) else {"data": item}
    lines = []
    for name in ("event", "id", "retry"):
        value = event.get(name)
        if value is not None:
            text = value if isinstance(value, str) else json.dump(value)
            if _LINE_END.search(text) or "\0" in text:
                raise EncodeError(f"the {name} of an event has a line break or NUL, which can't be written")
            lines.append(f"{name}: {text}")
    data = event.get("data")
    if data is not None:
        text = data if isinstance(data, str) else json.dump(data)
        lines += [f"data: {line}" for line in _LINE_END.split(text)]
    return encode_text("\n".join([*lines, "", ""]), "utf-8")


def _write_data(item: Any) -> bytes:
    """One server-sent event of which only the data is described."""
    return write_event({"data": item if isinstance(item, str) else json.dump(item)})


def _encode_events(value: Any, media_type: MediaType, content_type: str) -> Encoded:
    write = _write_data if _schemas.event_form(media_type).is_data else write_event
    return _encode(write, value, media_type, content_type)


# -- splitters of any body ---------------------------------------------------------------------------------------------


class ByteSplitter:
    """Splits bytes into chunks of one size, of which the last may be shorter; without a size, yields them unchanged."""

    def __init__(self, size: int | None = None) -> None:
        """Take the size in bytes."""
        self._size = size
        self._held = bytearray()

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Take a chunk."""
        if self._size is None:
            yield chunk
            return
        self._held += chunk
        whole = len(self._held) // self._size * self._size
        for start in range(0, whole, self._size):
            yield bytes(self._held[start : start + self._size])
        del self._held[:whole]

    def finish(self) -> Iterator[bytes]:
        """Yield the rest."""
        if self._held:
            yield bytes(self._held)


class TextSplitter:
    """Decodes chunks of text in a charset, strictly; a byte order mark at the beginning is removed."""

    def __init__(self, charset: str) -> None:
        """Take the charset's name.

        Raises:
            DecodeError: it is not known.
        """
        if not is_known(charset):
            raise DecodeError(f"the body's charset {charset[:40]!r} is not known")
        self._charset = charset
        self._decoder = codecs.getincrementaldecoder(charset)("strict")
        self._begun = False
        self._taken = 0

    def finish(self) -> Iterator[str]:
        """Yield the rest."""
        return self.feed(b"", final=True)

    def feed(self, chunk: bytes, *, final: bool = False) -> Iterator[str]:
        """Take a chunk; ``final`` says that it is the last one."""
        pending = self._taken - len(self._decoder.getstate()[0])
        self._taken += len(chunk)
        try:
            text = self._decoder.decode(chunk, final)
        except UnicodeDecodeError as error:
            offset = pending + error.start
            raise DecodeError(f"the body is not text in {self._charset}: {error.reason}", offset=offset) from None
        except UnicodeError:
            raise DecodeError(f"the body is not text in {self._charset}") from None
        if text and not self._begun:
            self._begun = True
            text = text.removeprefix(BOM)
        if text:
            yield text


class LineSplitter(TextSplitter):
    """Splits text into lines without their ends, which are CRLF, LF or CR."""

    def __init__(self, charset: str, limits: Limits) -> None:
        """Take the charset's name, and the limit of a line.

        Raises:
            DecodeError: the charset is not known.
        """
        super().__init__(charset)
        self._limit = limits.response_bytes
        self._held: list[str] = []
        self._size = 0
        self._after_return = False

    def feed(self, chunk: bytes, *, final: bool = False) -> Iterator[str]:
        """Take a chunk; ``final`` says that it is the last one."""
        for text in super().feed(chunk, final=final):
            # A line ends at its CR: waiting for an LF could take long.
            more = text[1:] if self._after_return and text.startswith("\n") else text
            self._after_return = more.endswith("\r")
            *lines, rest = _LINE_END.split(more)
            for line in lines:
                whole = "".join((*self._held, line))
                self._held, self._size = [], 0
                yield whole
            if rest:
                self._held.append(rest)
                self._size += len(rest)
                _check_size(self._size, self._limit)
        if final and self._held:
            yield "".join(self._held)


class _SeparatedBytes:
    """Bytes between separators of one byte each, with the offset of each item."""

    separator = b"\n"
    # Each value follows one of these. In strings they count, too.
    before_values = (b",", b"[", b"{", b"\n", b"\x1e")

    def __init__(self, media_type: MediaType | None, limits: Limits) -> None:  # noqa: ARG002  # every splitter's arguments
        """Take the limits of one value."""
        self._limits = limits
        self._held = bytearray()
        self._offset = 0

    def _items(self, chunk: bytes) -> Iterator[tuple[bytes, int]]:
        *ended, rest = chunk.split(self.separator)
        for each in ended:
            item = bytes(self._held + each) if self._held else each
            self._held.clear()
            offset = self._offset
            self._offset += len(item) + 1
            yield item, offset
        self._held += rest
        _check_size(len(self._held), self._limits.response_bytes)


def _check_size(size: int, limit: int | None) -> None:
    if limit is not None and size > limit:
        raise ResponseTooLarge(
            f"an item of the response is larger than {limit:,} bytes",
            limit="response_bytes",
            hint="load(..., limits=Limits(response_bytes=...)) sets this limit",
        )


# -- splitters of sequences --------------------------------------------------------------------------------------------


class JSONLinesSplitter(_SeparatedBytes):
    """The values of JSON Lines; empty lines are skipped."""

    def feed(self, chunk: bytes) -> Iterator[Any]:
        """Take a chunk."""
        for line, offset in self._items(chunk):
            if line.strip(_BLANK):
                yield _loaded(line, offset, self._limits)

    def finish(self) -> Iterator[Any]:
        """Yield the last value, whose line needs no end."""
        # An additional separator ends the last line.
        return self.feed(b"\n")


class JSONSequenceSplitter(_SeparatedBytes):
    """The values of a JSON text sequence.

    RFC 7464, 2.4: a number or a word at the end without a blank after it may be cut off, which is an error. A value is
    yielded as soon as its line feed is the last byte received: the next record may arrive much later.
    """

    separator = _RECORD_SEPARATOR

    def __init__(self, media_type: MediaType | None, limits: Limits) -> None:
        """Take the limits of one value."""
        super().__init__(media_type, limits)
        self._begun = False
        self._yielded = 0
        self._next = 0

    def feed(self, chunk: bytes) -> Iterator[Any]:
        """Take a chunk."""
        for record, offset in self._items(chunk):
            yield from self._ended(record, offset)
            self._begun = True
        size = len(self._held)
        if not self._begun or self._yielded or not self._held.endswith(b"\n") or size < self._next:
            return
        held = bytes(self._held)
        if held.strip(_BLANK):
            try:
                value = json.load(held, self._limits)
            except DecodeError:
                # The rest may still arrive. A long record is not tried at each line, which would take quadratic time.
                self._next = size * 2 if size > _SHORT else 0
                return
            self._yielded = size
            yield value

    def finish(self) -> Iterator[Any]:
        """Yield the last value."""
        return self._ended(bytes(self._held), self._offset)

    def _ended(self, record: bytes, offset: int) -> Iterator[Any]:
        yielded, self._yielded, self._next = self._yielded, 0, 0
        if not self._begun and record.strip(_BLANK):
            raise DecodeError("the body does not begin with a record separator", offset=0)
        if yielded and record[yielded:].strip(_BLANK):
            raise DecodeError("an item of the body is followed by other text", offset=offset + yielded)
        if yielded or not record.strip(_BLANK):
            return
        if _NUMBER_OR_WORD.match(record.lstrip(_BLANK)) and not record.endswith((b" ", b"\t", b"\r", b"\n")):
            raise DecodeError("an item of the body may be cut off: no line feed follows it", offset=offset)
        yield _loaded(record, offset, self._limits)


class EventSplitter:
    """Server-sent events (HTML, 9.2.6): mappings of the fields that each has, or their data alone.

    An event without data is dropped, and so is one at the end without a blank line after it. An event without a type
    gets the type ``message`` if its schema requires one. ``last_id`` and ``retry`` (in milliseconds) are for
    reconnecting; ``ended`` says that ``[DONE]`` has arrived, after which nothing is yielded.
    """

    before_values = (b"\n", b"\r")

    def __init__(self, media_type: MediaType | None, limits: Limits) -> None:
        """Take the media type, and the limits of one line and of an event's data."""
        self._form = _schemas.event_form(media_type)
        self._limits = limits
        self.ended = False
        self._lines = LineSplitter("utf-8", limits)
        self._limit = limits.response_bytes
        self._default = {"event": "message"} if _requires_type(media_type) else {}
        self._begin()
        self.last_id = ""
        self.retry: int | None = None

    def _begin(self) -> None:
        self._event: dict[str, Any] = {}
        self._data: list[str] = []
        self._size = 0

    def feed(self, chunk: bytes) -> Iterator[Any]:
        """Take a chunk."""
        for line in self._lines.feed(chunk):
            if self.ended:
                return
            if line:
                self._take(line)
                continue
            event, data = self._event, self._data
            self.last_id = event.get("id", self.last_id)
            self._begin()
            if data:
                yield from self._item({**self._default, **event, "data": "\n".join(data)})

    def _item(self, event: dict[str, Any]) -> Iterator[Any]:
        text = event["data"]
        if self._form.ends and text == _schemas.DONE:
            self.ended = True
            return
        if self._form.is_json(event):
            # Text that is not JSON is left for the validator to report.
            with contextlib.suppress(DecodeError):
                event["data"] = json.load(text.encode("utf-8"), self._limits)
        yield event["data"] if self._form.is_data else event

    def finish(self) -> Iterator[Any]:
        """Yield nothing: an event ends with a blank line.

        Bytes that are not text are an error even in an incomplete event.
        """
        for _ in self._lines.finish():
            pass
        return iter(())

    def _take(self, line: str) -> None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
            self._size += len(value)
            _check_size(self._size, self._limit)
            self._event.setdefault("data", "")
        elif name == "retry":
            if _DIGITS.fullmatch(value):
                self.retry = self._event["retry"] = int(value[:20])
        elif name == "event" or (name == "id" and "\0" not in value):
            self._event[name] = value


def _requires_type(media_type: MediaType | None) -> bool:
    schema = media_type.item_schema if media_type is not None else None
    if schema is None and media_type is not None and media_type.schema is not None:
        schema = _schemas.shape(media_type.schema).items
    return schema is not None and "event" in _schemas.shape(schema).required


def _loaded(text: bytes, offset: int, limits: Limits) -> Any:
    try:
        return json.load(text, limits)
    except DecodeError as error:
        at = None if error.offset is None else error.offset + offset
        message = error.message.replace("the body", f"the item at byte {offset} of the body", 1)
        hint = error.hint or "stream(...) and iter_lines() give the lines as they are"
        raise DecodeError(message, offset=at, hint=hint) from None


def _codec(encode: Encode, split: Split) -> Codec:
    return Codec("sequence", encode, partial(_decode, split), files=True, split=split)


LINES = _codec(partial(_encode, write_line), JSONLinesSplitter)
RECORDS = _codec(partial(_encode, write_record), JSONSequenceSplitter)
EVENTS = _codec(_encode_events, EventSplitter)
