"""HTTP/1.1 framing with h11: write a request as bytes, and read bytes as a response.

Rule 1: nothing here waits. If more bytes have to arrive first, generators yield None: feed them, and continue.
Rule 2: h11 is given whole sections: a head, the size line of a chunk, trailers. Their lines are checked first: their
length, their number, and characters that no line may have. h11 has no limits for these, and its pattern of a header
field takes quadratic time on a malformed line of blanks.
Rule 3: h11's errors may quote header lines. Their text is not used, and they are kept neither as cause nor as context.
Rule 4: a request's head is joined here, and the usual final head, with plain lines and a body length, is split and
checked line by line here, since h11 would take a quarter of a call's time for them. h11 frames everything else. A head
that arrives in pieces is always read by h11, so that tests can compare both.
Rule 5: the URL is sent exactly as it is in the request: percent-encoding and dot segments are not changed. Only this
module writes the fields that frame the message: no Content-Length, Transfer-Encoding or hop-by-hop field of a caller or
a document is sent.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from functools import cache, lru_cache
from typing import Any, Literal, TypeVar

import h11

from dynclient._deferred import expression
from dynclient._records import Record
from dynclient.exceptions import ArgumentError
from dynclient.http_grammar import (
    CONNECTION_FIELDS,
    CONTENT_EXPECTED,
    DEFAULT_PORTS,
    SUCCESS,
    TOKEN,
    is_field_value,
    is_token,
)
from dynclient.messages import Headers, Request
from dynclient.options import Limits
from dynclient.transports.body_reader import CHUNK, BodyFailed, Content, accepted

T = TypeVar("T")

# RFC 9112, 4: status-line = HTTP-version SP status-code SP [ reason-phrase ]; the last SP is often missing.
_STATUS_LINE = expression(rb"HTTP/1\.[01] [1-9][0-9]{2}[ \r\n]")
# RFC 9110, 5.5: no NUL, CR or LF in a field value; h11 allows no form feed or vertical tab either. RFC 9112, 2.2: a
# bare CR ends no line.
_UNSAFE = expression(rb"[\0\x0b\x0c]|\r(?!\n)")
# RFC 9112, 4 and 5: a status line and field lines, without line folding and other line ends, which rule 4 leaves to
# h11.
_PLAIN_HEAD = expression(
    rb"HTTP/1\.1 ([2-9][0-9]{2})(?: [^\r\n\0\x0b\x0c]*)?\r\n((?:%b:[^\r\n\0\x0b\x0c]*\r\n)*)\r\n"
    % TOKEN.encode("ascii")
)
# RFC 9112, 3 and 5: a request line, and a field line.
_REQUEST_LINE = expression(rb"%b [\x21-\x7e]+ HTTP/1\.1\r\n" % TOKEN.encode("ascii"))
_FIELD_LINE = expression(rb"%b: [^\r\n\0\x0b\x0c]*\r\n" % TOKEN.encode("ascii"))
_LONGEST_LENGTH = 20
# RFC 8446, 5.1: a TLS alert, with which TLS servers respond to plain HTTP.
_TLS_ALERT = b"\x15\x03"
_SWITCHING = (b"HTTP/1.1 101", b"HTTP/1.0 101")

_FIRST_FINAL = 200
_BODILESS = frozenset({204, 304})


class RemoteProtocolError(Exception):
    """The response is not HTTP/1.1. The text says why, and quotes nothing of it."""


class IncompleteResponse(Exception):
    """The connection ended before the response did."""


_URL = expression(r"(https?)://([^/?#]+)((?:[/?][^#]*)?)(?:#.*)?", re.IGNORECASE)
_AUTHORITY = expression(r"(\[[0-9A-Fa-f:.]+(?:%25[^\]]+)?\]|[^:\[\]@]+)(?::([0-9]{0,5}))?")
_UNSENDABLE = expression(r"[^\x21-\x7e]")
_MAX_PORT = 65_535

_REASONS = {
    "illegal status line": "it does not begin with an HTTP/1.1 status line",
    "conflicting Content-Length": "it has two different lengths",
    "bad Content-Length": "its Content-Length is not a number",
    "multiple Transfer-Encoding": "its Transfer-Encoding is unknown",
    "Only Transfer-Encoding": "its Transfer-Encoding is unknown",
    "illegal chunk header": "a chunk's size is not a number",
    "malformed chunk footer": "a chunk is longer than its size says",
}
"""The beginning of h11's error -> the text to use instead."""


class Target(Record):
    """The target of a request. ``authority`` is the value of Host, ``path`` the request target with its query.

    ``certificate``: the client's certificate is sent to the server.
    """

    scheme: str
    host: str
    port: int
    authority: str
    path: str
    certificate: bool = False

    @property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host and port: connections are kept for each.

        Those with the client's certificate are kept separately.
        """
        return f"{self.scheme}+certificate" if self.certificate else self.scheme, self.host, self.port


# Some tracebacks print local variables, so values that may contain secrets show only their size.


class HiddenPath(str):
    """A request target, whose query may hold a secret."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{len(self)} characters>"


class HiddenLines(list[T]):
    """Header fields or lines, which may hold secrets."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{len(self)} header fields>"


class HiddenBytes(bytes):
    """Bytes of a request, which may hold secrets."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{len(self)} bytes>"


def target_of(url: str) -> Target:
    """Split a URL without changing it.

    Raises:
        ArgumentError: it is not an absolute http or https URL, has characters that can't be sent, or user information.
    """
    match = _URL.fullmatch(url)
    if match is None:
        raise ArgumentError("the URL is not an absolute http or https URL", argument="url")
    scheme, authority, path = match[1].lower(), match[2], match[3]
    if "@" in authority:
        raise ArgumentError("the URL contains user information", argument="url", hint="pass credentials as auth=")
    if _UNSENDABLE.search(path):
        raise ArgumentError("the URL contains characters that must be percent-encoded", argument="url")
    path = path if path.startswith("/") else "/" + path
    server = _server(scheme, authority)
    return Target(server.scheme, server.host, server.port, server.authority, HiddenPath(path))


@lru_cache(maxsize=256)
def _server(scheme: str, authority: str) -> Target:
    """Return the target of an authority, without a path; a program uses few, so they are cached."""
    parts = _AUTHORITY.fullmatch(authority)
    host = _ascii_host(parts[1]) if parts else ""
    port = int(parts[2] or 0) if parts else 0
    if not host or port > _MAX_PORT:
        raise ArgumentError("the URL's host or port is malformed", argument="url")
    shown = f"{host}:{port}" if port else host
    return Target(scheme, host.strip("[]").replace("%25", "%"), port or DEFAULT_PORTS[scheme], shown, "")


def _ascii_host(host: str) -> str:
    try:
        # RFC 9110, 4.2.3: the host is case-insensitive.
        host = host.lower() if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        return ""
    return "" if _UNSENDABLE.search(host) else host


def header_fields(request: Request, target: Target, content: Content | None) -> HiddenLines[tuple[bytes, bytes]]:
    """Return the fields of the header section, framing included. h11 refuses those that can't be written."""
    fields = own_fields(request)
    fields.insert(0, (b"Host", target.authority.encode("ascii")))
    if "user-agent" not in request.headers:
        fields.append((b"User-Agent", _user_agent()))
    if content is None:
        if request.method in CONTENT_EXPECTED:
            fields.append((b"Content-Length", b"0"))
    elif content.size is None:
        fields.append((b"Transfer-Encoding", b"chunked"))
    else:
        fields.append((b"Content-Length", b"%d" % content.size))
    return fields


def own_fields(request: Request) -> HiddenLines[tuple[bytes, bytes]]:
    """Return a request's own fields, without those of the connection, and the codings that can be decoded."""
    fields: HiddenLines[tuple[bytes, bytes]] = HiddenLines()
    for name, value in request.headers.pairs():
        if name.lower() not in CONNECTION_FIELDS:
            fields.append((name.encode("utf-8", "replace"), _encoded(value)))
    if "accept-encoding" not in request.headers:
        fields.append((b"Accept-Encoding", accepted().encode("ascii")))
    return fields


def _encoded(value: str) -> bytes:
    """Return a header's value as it is sent: in Latin-1, or else in UTF-8."""
    # RFC 9110, 5.5: whitespace around a value is not part of it.
    value = value.strip(" \t")
    try:
        return value.encode("latin-1")
    except UnicodeEncodeError:
        # Half of a surrogate pair can't be encoded; NUL in its place makes the line invalid, so that it is refused.
        return re.sub("[\ud800-\udfff]", "\0", value).encode("utf-8")


@cache
def _user_agent() -> bytes:
    from dynclient import __version__

    return f"dynclient/{__version__}".encode("ascii")


def why_unsendable(request: Request) -> ArgumentError:
    """Explain why a request's head can't be written as HTTP."""
    if not is_token(request.method):
        return ArgumentError("the method is not a token", argument="method")
    for name, value in request.headers.pairs():
        if not is_token(name):
            return ArgumentError("a header's name is not a token", argument="headers")
        if not is_field_value(value):
            return ArgumentError(
                f"the value of header {name} can't be sent: it contains a line break or a control character",
                argument=name,
            )
    return ArgumentError("the URL contains characters that must be percent-encoded", argument="url")


class ReceiveBuffer:
    """Received bytes that are not read yet."""

    __slots__ = ("_data", "_ended", "_limits", "_line", "_lines", "_searched")

    def __init__(self, limits: Limits) -> None:
        """Start empty; ``limits`` bound its sections."""
        self._data = bytearray()
        self._limits = limits
        self._ended = False
        self._line = self._searched = self._lines = 0

    def feed(self, data: bytes) -> None:
        """Add received bytes; no bytes mean the end of the stream."""
        self._data += data
        self._ended = not data

    def section(self, kind: Literal["head", "size", "trailers"] = "head") -> bytes | None:
        """Read a head or trailers, up to an empty line, or the line of a chunk's size. None: it is not complete.

        Raises:
            RemoteProtocolError: a line is malformed or too long, or there are too many.
            IncompleteResponse: the stream ended before.
        """
        data, limits = self._data, self._limits
        while True:
            end = data.find(b"\n", self._searched) + 1
            if (end or len(data)) - self._line > limits.header_line_bytes:
                raise RemoteProtocolError(
                    f"a header line is longer than {limits.header_line_bytes} bytes (Limits.header_line_bytes)"
                )
            if not end:
                if kind == "head" and data.startswith(_TLS_ALERT):
                    raise RemoteProtocolError("it is TLS; use https:// in base_url")
                self._searched = len(data)
                self._check_end()
                return None
            line = bytes(data[self._line : end])
            _check(line, kind if not self._lines else "fields")
            if kind == "size":
                return self._cut(end)
            if line in (b"\r\n", b"\n"):
                return self._cut(end)
            # The status line is one of them.
            self._lines += 1
            if self._lines > limits.header_lines + 1:
                raise RemoteProtocolError(f"it has more than {limits.header_lines} header lines (Limits.header_lines)")
            self._line = self._searched = end

    def plain_head(self) -> tuple[int, Headers] | None:
        """Read the status and fields of a head by rule 4. Returns None, and reads nothing, if it is not such a head."""
        data, limits = self._data, self._limits
        # Most heads arrive at once, and are too short for a line to be too long.
        found = None if self._searched else _PLAIN_HEAD.match(data, 0, limits.header_line_bytes)
        if found is None or found[2].count(b"\n") >= limits.header_lines:
            return None
        status = int(found[1])
        lines = [line.partition(":") for line in found[2].decode("latin-1").split("\r\n")[:-1]]
        headers = Headers([(name, value.strip(" \t")) for name, _, value in lines])
        length = headers.get("content-length", "")
        if (
            not (length.isascii() and length.isdigit() and len(length) < _LONGEST_LENGTH)
            or "transfer-encoding" in headers
        ):
            return None
        self._cut(found.end())
        return status, headers

    def take(self, size: int, *, until_end: bool = False) -> bytes | None:
        """Read the bytes that have arrived, at most ``most``. Returns None if there are none yet.

        Raises:
            IncompleteResponse: the stream has ended; with ``until_end``, no bytes are returned then.
        """
        if self._data or (until_end and self._ended):
            return self._cut(size)
        self._check_end()
        return None

    def _cut(self, size: int) -> bytes:
        taken = bytes(self._data[:size])
        del self._data[:size]
        self._line = self._searched = self._lines = 0
        return taken

    def _check_end(self) -> None:
        if self._ended:
            raise IncompleteResponse

    def __len__(self) -> int:
        return len(self._data)


def _check(line: bytes, kind: str) -> None:
    """Check a line: the first one of a head, of a chunk, or of trailers; or a further one."""
    # RFC 9112, 7.1: CRLF ends a chunk's size, not the bare LF that a head may have (2.2).
    if kind == "size" and not line.endswith(b"\r\n"):
        raise RemoteProtocolError("a chunk's size is not a number")
    if kind == "head" and not _STATUS_LINE.match(line):
        raise RemoteProtocolError("it does not begin with an HTTP/1.1 status line")
    if _UNSAFE.search(line):
        raise RemoteProtocolError("a header line is malformed")


class ResponseHead:
    """A final response's status and headers, and how its body is framed.

    ``length`` is the body's size in bytes, or None if chunks or the end of the connection determine it. ``keep_alive``:
    the connection may be reused.
    """

    __slots__ = ("chunked", "headers", "keep_alive", "length", "status")

    def __init__(self, status: int, headers: Headers, method: str, *, old: bool = False) -> None:
        """Determine the framing (RFC 9112, 6.3). ``old``: the version is HTTP/1.0.

        Raises:
            RemoteProtocolError: it has both a length and a transfer coding.
        """
        self.status = status
        self.headers = headers
        self.chunked = "transfer-encoding" in headers
        length = headers.get("content-length")
        # RFC 9112, 6.3: an attempt at request smuggling, or at response splitting. h11 prefers the coding.
        if self.chunked and length is not None:
            raise RemoteProtocolError("it has both Transfer-Encoding and Content-Length")
        self.length = None if length is None else int(length)
        if method == "HEAD" or status in _BODILESS or (method == "CONNECT" and status in SUCCESS):
            self.chunked, self.length = False, 0
        # RFC 9112, 9.3: HTTP/1.1 persists unless it says close; 1.0 only if it says keep-alive.
        self.keep_alive = not old and (self.chunked or self.length is not None)
        if "connection" in headers:
            options = {option.strip(" \t").lower() for option in headers["connection"].split(",")}
            kept = "keep-alive" in options and self.length is not None if old else self.keep_alive
            self.keep_alive = kept and "close" not in options


class Framing:
    """One request and its response, on a connection."""

    def __init__(self, method: str, limits: Limits) -> None:
        """Start a request with this method; ``limits`` bound the response."""
        self._method = method
        self._limits = limits
        self._head: dict[str, Any] = {}
        self._connection: h11.Connection | None = None
        self._buffer = ReceiveBuffer(limits)
        self.feed = self._buffer.feed

    @property
    def has_more(self) -> bool:
        """Whether more bytes than the response were received."""
        return bool(self._buffer)

    def request_head(self, request: Request, path: str, fields: list[tuple[bytes, bytes]]) -> HiddenBytes:
        """Return the bytes of a request's head.

        Raises:
            ArgumentError: it can't be written as HTTP.
        """
        lines = HiddenLines(
            [
                b"%b %b HTTP/1.1\r\n" % (request.method.encode("utf-8", "replace"), path.encode()),
                *map(b"%b: %b\r\n".__mod__, fields),
            ]
        )
        # Line by line: a value with a line break would be two fields.
        if not (_REQUEST_LINE.fullmatch(lines[0]) and all(map(_FIELD_LINE.fullmatch, lines[1:]))):
            raise why_unsendable(request)
        self._head = {"method": request.method, "target": path, "headers": fields}
        return HiddenBytes(b"".join(lines) + b"\r\n")

    def _h11(self) -> h11.Connection:
        """Return h11's side of the connection, after sending the request's head."""
        if self._connection is None:
            self._connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=self._limits.header_line_bytes)
            self._connection.send(h11.Request(**self._head))
        return self._connection

    def request_pieces(self, head: HiddenBytes, content: Content | None) -> Iterator[bytes | None]:
        """Yield a request's bytes; a small body is in one piece with its head. None: fetch the body's next chunk.

        Raises:
            BodyFailed: the body is longer or shorter than its length, or its source raised an error.
        """
        if content is None:
            yield head
        elif content.whole is not None and len(content.whole) < CHUNK:
            yield HiddenBytes(head + content.whole)
        else:
            yield head
            for chunk in content.chunks:
                yield None if chunk is None else self._sent(h11.Data(data=chunk), "longer")
            if end := self._sent(h11.EndOfMessage(), "shorter"):
                yield end

    def _sent(self, event: h11.Data | h11.EndOfMessage, otherwise: str) -> bytes:
        try:
            return self._h11().send(event)
        except h11.LocalProtocolError:
            wrong = f"the body is {otherwise} than it was when its sending began"
        raise BodyFailed(ArgumentError(wrong, argument="body"))

    def response_head(self) -> Generator[None, None, ResponseHead]:
        """Read up to the end of the final response's header section, past interim responses.

        Raises:
            RemoteProtocolError: it is not HTTP/1.1, or exceeds the limits.
            IncompleteResponse: the stream ended before.
        """
        most = self._limits.informational_responses
        for _ in range(most + 1):
            if plain := self._buffer.plain_head():
                return ResponseHead(*plain, self._method)
            while (section := self._buffer.section()) is None:
                yield
            if section.startswith(_SWITCHING):
                raise RemoteProtocolError("it switches to another protocol, which was not requested")
            response = self._event(section)
            # RFC 9110, 15.2: a client must be able to parse 1xx responses, and may ignore unexpected ones.
            if response.status_code >= _FIRST_FINAL:
                # RFC 9110, 5.5: a value may contain non-ASCII bytes, whose meaning is undefined.
                lines = [
                    (name.decode("ascii"), value.decode("latin-1")) for name, value in response.headers.raw_items()
                ]
                old = response.http_version != b"1.1"
                return ResponseHead(response.status_code, Headers(lines), self._method, old=old)
        limit = f"{most} interim responses came before the final one (Limits.informational_responses)"
        raise RemoteProtocolError(f"more than {limit}")

    def response_body(self, head: ResponseHead) -> Iterator[bytes | None]:
        """Yield the body's bytes as they arrive, without the transfer coding, exactly up to its end.

        Raises:
            RemoteProtocolError: a chunk or a trailer is malformed.
            IncompleteResponse: the stream ended before.
        """
        if head.chunked:
            return self._chunked()
        if head.length is not None:
            return self._sized(head.length)
        return iter(lambda: self._buffer.take(CHUNK, until_end=True), b"")

    def _sized(self, size: int) -> Iterator[bytes | None]:
        """Yield ``length`` bytes."""
        while size:
            data = self._buffer.take(min(size, CHUNK))
            if data is not None:
                size -= len(data)
            yield data

    def _chunked(self) -> Iterator[bytes | None]:
        while True:
            while (line := self._buffer.section("size")) is None:
                yield None
            self._event(line)
            # h11 has read it, so it is a number.
            size = int(line.partition(b";")[0], 16)
            if not size:
                break
            for data in self._sized(size):
                yield None if data is None else bytes(self._event(data).data)
            for end in self._sized(len(b"\r\n")):
                if end is None:
                    yield None
                else:
                    self._event(end)
        # RFC 9112, 7.1.2: trailer fields may be ignored.
        while (section := self._buffer.section("trailers")) is None:
            yield None
        self._event(section)

    def _event(self, data: bytes) -> Any:
        """Feed these bytes to h11, and return the resulting event."""
        try:
            self._h11().receive_data(data)
            return self._h11().next_event()
        except h11.RemoteProtocolError as error:
            text = str(error)
        # Outside of the handler: see rule 3.
        reasons = (reason for start, reason in _REASONS.items() if text.startswith(start))
        raise RemoteProtocolError(next(reasons, "a header line is malformed"))
