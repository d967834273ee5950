"""Reading an HTTP/1.1 response: its head, and where its body ends.

Strict where leniency has let one response be taken for two (RFC 9112, 11.2): two lengths, a length beside a transfer
coding, a chunk size that is no plain hexadecimal number. Every line and every count is bounded.

Nothing here waits. Where more bytes have to come first, what has been received says None, and so do the generators that
read from it: feed it, and ask again.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator

from dynclient._expressions import expression
from dynclient.messages import Headers
from dynclient.options import Limits

CHUNK = 65_536

# RFC 9112, 4: status-line = HTTP-version SP status-code SP [ reason-phrase ]; the last SP is often missing.
_STATUS = expression(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: [^\r\n\0]*)?\r?\n")
# RFC 9112, 5: no whitespace between name and colon. RFC 9110, 5.6.2: a name is a token.
_FIELD = expression(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):([^\r\n\0]*)\r?\n")
# A head whose lines are well-formed, end in two bytes, and are not folded: as most are, and then it is read at once.
_HEAD = expression(
    rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: [^\r\n\0]*)?\r\n((?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\r\n\0]*\r\n)*)\r\n"
)
_FOLD = expression(rb"[ \t]([^\r\n\0]*)\r?\n")
# RFC 9112, 7.1: chunk-size = 1*HEXDIG, then extensions, which are ignored. The line ends in CRLF: a bare LF, which
# RFC 9112, 2.2 permits in heads only, is where two recipients could take one response for two.
_SIZE = expression(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\r\n]*)?\r\n")
_MOST_DIGITS = 18
# RFC 9110, 5.6.3: no other space than these; what Python strips besides may mean another length to somebody else.
_SPACE = " \t"
_ENDS = frozenset({b"\r\n", b"\n"})

_SWITCHING = 101
_FIRST_FINAL = 200
_BODILESS = frozenset({204, 304})  # RFC 9112, 6.3: 205 is framed as others are


class Malformed(Exception):
    """What came is not HTTP. The text says why, and holds nothing of what came."""


class Cut(Exception):
    """The connection ended before the response did."""


class Received:
    """What has come so far, and was not read yet. What comes in one piece is read from it as it is, and not copied."""

    __slots__ = ("_at", "_data", "_ended", "_looked_at")

    def __init__(self) -> None:
        """Nothing has come yet."""
        self._data: bytes | bytearray = b""
        self._at = 0
        self._looked_at = 0
        self._ended = False

    def feed(self, data: bytes) -> None:
        """Take what came; no bytes are the end of the stream."""
        if self._at == len(self._data):
            self._data, self._at, self._looked_at = data, 0, 0
        else:
            rest = self._data if isinstance(self._data, bytearray) else bytearray(self._data)
            del rest[: self._at]
            rest += data
            self._data, self._at, self._looked_at = rest, 0, max(self._looked_at - self._at, 0)
        self._ended = not data

    def match(self, pattern: re.Pattern[bytes], size: int) -> re.Match[bytes] | None:
        """Read what a pattern matches here, at most so many bytes; None, and nothing is read, where it does not."""
        found = pattern.match(self._data, self._at, self._at + size)
        if found is not None:
            self._at = self._looked_at = found.end()
        return found

    def readline(self, size: int) -> bytes | None:
        """Read a line with its end, at most so many bytes, or as much as there is at the end of the stream.

        Where it has not come whole, only what comes later is looked at again.
        """
        end = self._data.find(b"\n", max(self._looked_at, self._at), self._at + size) + 1
        if not end and len(self) < size and not self._ended:
            self._looked_at = len(self._data)
            return None
        return self._cut(end - self._at if end else size)

    def read1(self, size: int) -> bytes | None:
        """Read what is there, at most so many bytes; none at the end of the stream."""
        return self._cut(size) if self or self._ended else None

    def _cut(self, size: int) -> bytes:
        start, self._at = self._at, min(self._at + size, len(self._data))
        return bytes(self._data[start : self._at])

    def __len__(self) -> int:
        return len(self._data) - self._at


class Head:
    """A final response's status, headers, and what they say of the body.

    ``length`` is the body's length in bytes, or None where ``chunked`` or the connection's end tells it.
    """

    __slots__ = ("chunked", "headers", "keep_alive", "length", "status")

    def __init__(self, minor: int, status: int, fields: list[tuple[str, str]], method: str) -> None:
        """Work out the framing (RFC 9112, 6.3)."""
        self.status = status
        self.headers = headers = Headers(fields)
        options = {option.lower() for option in members(headers, "connection")}
        # RFC 9112, 9.3: HTTP/1.1 persists unless it says close; 1.0 only if it says keep-alive.
        self.keep_alive = "close" not in options and (minor == 1 or "keep-alive" in options)
        codings = [coding.lower() for coding in members(headers, "transfer-encoding")]
        self.chunked = bool(codings)
        self.length = _length(members(headers, "content-length"))
        if codings not in ([], ["chunked"]):
            raise Malformed("its Transfer-Encoding is unknown")
        if self.chunked and self.length is not None:
            raise Malformed("it has both Transfer-Encoding and Content-Length")
        if method == "HEAD" or status in _BODILESS:
            self.chunked, self.length = False, 0
        if minor == 0 and self.chunked:
            self.keep_alive = False
        if self.length is None and not self.chunked:
            self.keep_alive = False


def read_head(source: Received, method: str, limits: Limits) -> Generator[None, None, Head]:
    """Read up to the end of the final response's header section, past interim responses; returns its Head.

    Raises:
        Malformed: it is not HTTP, or goes beyond the limits.
        Cut: the stream ended before.
    """
    for _ in range(limits.informational_responses + 1):
        whole = source.match(_HEAD, limits.header_line_bytes)
        if whole is not None:
            minor, status, fields = int(whole[1]), int(whole[2]), _split(whole[3], limits)
        else:
            minor, status, fields = yield from _by_lines(source, limits)
        # RFC 9110, 15.2: a client must be able to take 1xx responses, and may ignore those that it did not expect.
        if status >= _FIRST_FINAL:
            return Head(minor, status, fields, method)
        if status == _SWITCHING:
            raise Malformed("it switches to another protocol, which nobody asked for")
    raise Malformed(f"more than {limits.informational_responses} interim responses came before the final one")


def _split(section: bytes, limits: Limits) -> list[tuple[str, str]]:
    """The fields of lines that are known to be well-formed."""
    # RFC 9110, 5.5: a value may hold bytes beyond ASCII, of which nothing is known.
    lines = section.decode("latin-1").split("\r\n")
    if len(lines) > limits.header_lines + 1:
        raise _too_many(limits)
    return [(name, value.strip(_SPACE)) for name, colon, value in [line.partition(":") for line in lines] if colon]


def _by_lines(source: Received, limits: Limits) -> Generator[None, None, tuple[int, int, list[tuple[str, str]]]]:
    """Read a head line by line: minor version, status, fields."""
    while (line := source.readline(limits.header_line_bytes + 1)) is None:
        yield
    match = _STATUS.fullmatch(_line(line, limits))
    if match is None:
        raise Malformed("it does not begin with an HTTP/1.1 status line")
    fields = yield from _fields(source, limits)
    return int(match[1]), int(match[2]), fields


def read_body(source: Received, head: Head, limits: Limits) -> Iterator[bytes | None]:
    """Yield the body's bytes as they come, transfer coding undone, up to its end and not beyond.

    Raises:
        Malformed: a chunk is not as it should be.
        Cut: the stream ended before.
    """
    if head.chunked:
        return _chunked(source, limits)
    if head.length is not None:
        return _counted(source, head.length)
    return iter(lambda: source.read1(CHUNK), b"")


def _counted(source: Received, length: int) -> Iterator[bytes | None]:
    while length:
        data = source.read1(min(length, CHUNK))
        if data is not None:
            if not data:
                raise Cut
            length -= len(data)
        yield data


def _chunked(source: Received, limits: Limits) -> Iterator[bytes | None]:
    while True:
        while (line := source.readline(limits.header_line_bytes + 1)) is None:
            yield None
        match = _SIZE.fullmatch(_line(line, limits))
        if match is None:
            raise Malformed("a chunk's size is no number")
        size = int(match[1], 16)
        if not size:
            break
        yield from _counted(source, size)
        while (line := source.readline(limits.header_line_bytes + 1)) is None:
            yield None
        if (end := _line(line, limits)) != b"\r\n":
            raise Malformed(f"a chunk is followed by {len(end)} more bytes")
    # RFC 9112, 7.1.2: trailer fields may be ignored.
    yield from _fields(source, limits)


def _fields(source: Received, limits: Limits) -> Generator[None, None, list[tuple[str, str]]]:
    """Read field lines up to the empty one."""
    fields: list[tuple[str, str]] = []
    for _ in range(limits.header_lines + 1):
        while (line := source.readline(limits.header_line_bytes + 1)) is None:
            yield
        line = _line(line, limits)
        if line in _ENDS:
            return fields
        if match := _FIELD.fullmatch(line):
            fields.append((match[1].decode("ascii"), match[2].decode("latin-1").strip(_SPACE)))
        elif fields and (match := _FOLD.fullmatch(line)):
            # RFC 9112, 5.2: a user agent replaces each obs-fold with a space.
            name, value = fields[-1]
            fields[-1] = (name, f"{value} {match[1].decode('latin-1').strip(_SPACE)}".strip(_SPACE))
        else:
            raise Malformed("a header line is malformed")
    raise _too_many(limits)


def _too_many(limits: Limits) -> Malformed:
    return Malformed(f"it has more than {limits.header_lines} header lines")


def _line(line: bytes, limits: Limits) -> bytes:
    """A line that is whole."""
    if line.endswith(b"\n"):
        return line
    if len(line) > limits.header_line_bytes:
        raise Malformed(f"a header line is longer than {limits.header_line_bytes} bytes")
    raise Cut


def members(headers: Headers, name: str) -> list[str]:
    """The members of a field that is a list, over all its lines."""
    lines = headers.get_list(name)
    return [member.strip(_SPACE) for value in lines for member in value.split(",")] if lines else lines


def _length(values: list[str]) -> int | None:
    # RFC 9110, 8.6: a list of equal values may be taken for one; all else is an error.
    if not values:
        return None
    if len(values) > 1 and len(set(values)) > 1:
        raise Malformed("it has two different lengths")
    if not (values[0].isascii() and values[0].isdecimal() and len(values[0]) <= _MOST_DIGITS):
        raise Malformed("its Content-Length is no number")
    return int(values[0])
