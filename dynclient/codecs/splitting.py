"""Bodies that come in chunks, cut into pieces as they come: bytes, text, lines, items.

Nothing here reads: a splitter is fed with chunks, and gives what is whole. So it serves a body in memory as well as one
on its way, and threads as well as event loops.
Rule 1: what a splitter gives for a chunk is taken before the next one is fed.
Rule 2: a piece is bounded, however long the body is (``Limits.response_bytes``).
Rule 3: what is cut off at the end is an error, or nothing where its format says so; never a piece.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import Any

from dynclient._expressions import expression
from dynclient.codecs import charsets, json
from dynclient.exceptions import DecodeError, ResponseTooLarge
from dynclient.options import Limits

RECORD = b"\x1e"
LINE_END = expression(r"\r\n|\r|\n")

_BLANK = b" \t\r\n"
_SHORT = 16_384
_DIGITS = expression(r"[0-9]+")
_NUMBER_OR_WORD = expression(rb"[-0-9tfn]")


class Bytes:
    """Bytes in pieces of one size, the last of which may be shorter; as they come where no size is given."""

    def __init__(self, size: int | None = None) -> None:
        """Take the size."""
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
        """Give the rest."""
        if self._held:
            yield bytes(self._held)


class Text:
    """Text in a charset, strictly; a byte order mark at its beginning is skipped."""

    def __init__(self, charset: str) -> None:
        """Take the charset's name.

        Raises:
            DecodeError: it is not known.
        """
        if not charsets.known(charset):
            raise DecodeError(f"the body's charset {charset[:40]!r} is not known")
        self._charset = charset
        self._decoder = codecs.getincrementaldecoder(charset)("strict")
        self._begun = False
        self._taken = 0

    def feed(self, chunk: bytes) -> Iterator[str]:
        """Take a chunk."""
        return self._decoded(chunk, final=False)

    def finish(self) -> Iterator[str]:
        """Give the rest."""
        return self._decoded(b"", final=True)

    def _decoded(self, chunk: bytes, *, final: bool) -> Iterator[str]:
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
            text = text.removeprefix(charsets.BOM)
        if text:
            yield text


class Lines:
    """Lines of text without their ends, which are CRLF, LF or CR. ``cut`` is what came after the last end."""

    def __init__(self, charset: str, limits: Limits) -> None:
        """Take the charset's name.

        Raises:
            DecodeError: it is not known.
        """
        self._text = Text(charset)
        self._limit = limits.response_bytes
        self._held: list[str] = []
        self._size = 0
        self._after_return = False

    def feed(self, chunk: bytes) -> Iterator[str]:
        """Take a chunk."""
        for text in self._text.feed(chunk):
            yield from self._lines(text)

    def finish(self) -> Iterator[str]:
        """Give the rest."""
        for text in self._text.finish():
            yield from self._lines(text)
        if self.cut:
            yield self.cut

    @property
    def cut(self) -> str:
        """What came after the last line's end."""
        return "".join(self._held)

    def _lines(self, text: str) -> Iterator[str]:
        # A line ends at its CR already: who waited for the LF could wait for long.
        if self._after_return and text.startswith("\n"):
            text = text[1:]
        self._after_return = text.endswith("\r") if text else False
        *lines, rest = LINE_END.split(text)
        for line in lines:
            whole = "".join((*self._held, line))
            self._held, self._size = [], 0
            yield whole
        if rest:
            self._held.append(rest)
            self._size += len(rest)
            _bound(self._size, self._limit)


class _Cut:
    """Bytes between separators of one byte each, with the offset of each piece."""

    def __init__(self, separator: bytes, limits: Limits) -> None:
        self._separator = separator
        self._limit = limits.response_bytes
        self.held = bytearray()
        self.offset = 0

    def feed(self, chunk: bytes) -> Iterator[tuple[bytes, int]]:
        *ended, rest = chunk.split(self._separator)
        for each in ended:
            piece = bytes(self.held + each) if self.held else each
            self.held.clear()
            offset = self.offset
            self.offset += len(piece) + 1
            yield piece, offset
        self.held += rest
        _bound(len(self.held), self._limit)


class JSONLines:
    """The values of JSON Lines; empty lines are skipped."""

    def __init__(self, limits: Limits) -> None:
        """Take the limits of one value."""
        self._limits = limits
        self._lines = _Cut(b"\n", limits)

    def feed(self, chunk: bytes) -> Iterator[Any]:
        """Take a chunk."""
        for line, offset in self._lines.feed(chunk):
            if line.strip(_BLANK):
                yield _loaded(line, offset, self._limits)

    def finish(self) -> Iterator[Any]:
        """Give the last value, whose line needs no end."""
        last = bytes(self._lines.held)
        if last.strip(_BLANK):
            yield _loaded(last, self._lines.offset, self._limits)


class JSONRecords:
    """The values of a JSON text sequence.

    RFC 7464, 2.4: a number or a word at the end that no blank follows may have been cut, and is taken for that.
    A value whose line feed is the last that came is given at once: the next record may come much later.
    """

    def __init__(self, limits: Limits) -> None:
        """Take the limits of one value."""
        self._limits = limits
        self._records = _Cut(RECORD, limits)
        self._begun = False
        self._given = 0
        self._next = 0

    def feed(self, chunk: bytes) -> Iterator[Any]:
        """Take a chunk."""
        for record, offset in self._records.feed(chunk):
            yield from self._ended(record, offset)
            self._begun = True
        size = len(self._records.held)
        if not self._begun or self._given or not self._records.held.endswith(b"\n") or size < self._next:
            return
        held = bytes(self._records.held)
        if held.strip(_BLANK):
            try:
                value = json.load(held, self._limits)
            except DecodeError:
                # Its rest may come yet. What is long is not tried at each line: that would take the square of its time.
                self._next = size * 2 if size > _SHORT else 0
                return
            self._given = size
            yield value

    def finish(self) -> Iterator[Any]:
        """Give the last value."""
        return self._ended(bytes(self._records.held), self._records.offset)

    def _ended(self, record: bytes, offset: int) -> Iterator[Any]:
        given, self._given, self._next = self._given, 0, 0
        if not self._begun and record.strip(_BLANK):
            raise DecodeError("the body does not begin with a record separator", offset=0)
        if given and record[given:].strip(_BLANK):
            raise DecodeError("an item of the body is followed by something else", offset=offset + given)
        if given or not record.strip(_BLANK):
            return
        if _NUMBER_OR_WORD.match(record.lstrip(_BLANK)) and not record.endswith((b" ", b"\t", b"\r", b"\n")):
            raise DecodeError("an item of the body may be cut: no line feed follows it", offset=offset)
        yield _loaded(record, offset, self._limits)


class Events:
    """Server-sent events (HTML, 9.2.6), as mappings of the fields that each has.

    An event without data is none, nor is one at the end that no blank line follows. ``typed`` tells the type of one
    that names none: ``message``. ``last_id`` and ``retry`` (in milliseconds) are what reconnecting goes by.
    """

    def __init__(self, limits: Limits, *, typed: bool = False) -> None:
        """Take the limits of one line, and of the data of an event."""
        self._lines = Lines("utf-8", limits)
        self._limit = limits.response_bytes
        self._default = {"event": "message"} if typed else {}
        self._begin()
        self.last_id = ""
        self.retry: int | None = None

    def _begin(self) -> None:
        self._event: dict[str, Any] = {}
        self._data: list[str] = []
        self._size = 0

    def feed(self, chunk: bytes) -> Iterator[dict[str, Any]]:
        """Take a chunk."""
        for line in self._lines.feed(chunk):
            if line:
                self._take(line)
                continue
            event, data = self._event, self._data
            self.last_id = event.get("id", self.last_id)
            self._begin()
            if data:
                yield {**self._default, **event, "data": "\n".join(data)}

    def finish(self) -> Iterator[dict[str, Any]]:
        """Give nothing: what no blank line follows is no event. Bytes that are no text are an error even there."""
        for _ in self._lines.finish():
            pass
        return iter(())

    def _take(self, line: str) -> None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
            self._size += len(value)
            _bound(self._size, self._limit)
            self._event.setdefault("data", "")
        elif name == "retry":
            if _DIGITS.fullmatch(value):
                self.retry = self._event["retry"] = int(value[:20])
        elif name == "event" or (name == "id" and "\0" not in value):
            self._event[name] = value


def _loaded(text: bytes, offset: int, limits: Limits) -> Any:
    try:
        return json.load(text, limits)
    except DecodeError as error:
        at = None if error.offset is None else error.offset + offset
        raise DecodeError(error.message.replace("the body", "an item of the body", 1), offset=at) from None


def _bound(size: int, limit: int | None) -> None:
    if limit is not None and size > limit:
        raise ResponseTooLarge("an item of the response is larger than may be", limit="response_bytes")
