"""A request as it is written: where it goes, its header lines, and how its body is framed.

The URL is sent exactly as the request has it: percent-encoding and dot segments are the caller's. What frames the
message is ours alone: no Content-Length, Transfer-Encoding or hop-by-hop field of a caller or a document survives.

Nothing here waits. A body that has to be waited for gives WANTED in place of a piece, and what is to be written is then
None: have the body's next piece fetched, and ask again.
"""

from __future__ import annotations

import io
import re
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from functools import cache, lru_cache
from typing import IO, Any, cast

from dynclient._expressions import expression
from dynclient._records import Record
from dynclient.exceptions import ArgumentError
from dynclient.http_grammar import CONNECTION_FIELDS, CONTENT_EXPECTED, DEFAULT_PORTS, is_token
from dynclient.messages import Body, Request
from dynclient.transports.body_reader import ACCEPTED
from dynclient.transports.framing import CHUNK

_URL = expression(r"(https?)://([^/?#]+)([^#]*)(?:#.*)?", re.IGNORECASE)
_AUTHORITY = expression(r"(\[[0-9A-Fa-f:.]+(?:%25[^\]]+)?\]|[^:\[\]@]+)(?::([0-9]{0,5}))?")
_UNSENDABLE = expression(r"[^\x21-\x7e]")
_MAX_PORT = 65_535


class Target(Record):
    """Where a request goes. ``authority`` is what Host says, ``path`` the request target with its query."""

    scheme: str
    host: str
    port: int
    authority: str
    path: str

    @property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host and port."""
        return self.scheme, self.host, self.port


class Path(str):
    """A request target, which may hold a secret: what prints the local variables of a traceback sees none."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{len(self)} characters>"


class Lines(list[tuple[bytes, bytes]]):
    """Header lines, which may hold secrets: likewise."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{len(self)} header lines>"


class Octets(bytes):
    """What is written, which may hold secrets: likewise."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{len(self)} bytes>"


class BodyFailed(Exception):
    """What the caller gave as a body raised; ``error`` is what it raised."""

    def __init__(self, error: BaseException) -> None:
        """Take what was raised."""
        super().__init__(str(error))
        self.error = error


WANTED: Any = object()
"""What an iterator gives whose next piece has to be fetched first."""


class Content(Record):
    """A body as it goes out. ``size`` is None where only its end tells it; a piece is None where it must be fetched."""

    pieces: Iterator[bytes | None]
    size: int | None
    whole: bytes | None = None


def target_of(url: str) -> Target:
    """Take a URL apart without changing any of it.

    Raises:
        ArgumentError: it is no absolute http or https URL, holds what can't be sent, or has user information.
    """
    match = _URL.fullmatch(url)
    if match is None:
        raise ArgumentError("the URL is not an absolute http or https URL", argument="url")
    scheme, authority, path = match[1].lower(), match[2], match[3]
    if "@" in authority:
        raise ArgumentError("the URL holds user information", argument="url", hint="give credentials as auth=")
    if _UNSENDABLE.search(path):
        raise ArgumentError("the URL holds characters that must be percent-encoded", argument="url")
    path = path if path.startswith("/") else "/" + path
    there = _place(scheme, authority)
    return Target(there.scheme, there.host, there.port, there.authority, Path(path))


@lru_cache(maxsize=256)
def _place(scheme: str, authority: str) -> Target:
    """Where an authority is, without a path; one of the few that there are."""
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


def header_lines(request: Request, target: Target, content: Content | None) -> Lines:
    """The lines of the header section, in order, framing included.

    Raises:
        ArgumentError: the method, a name or a value can't be written.
    """
    if not is_token(request.method):
        raise ArgumentError("the method is not a token", argument="method")
    lines = Lines([(b"Host", target.authority.encode("ascii"))])
    lines += [_line(name, value) for name, value in request.headers.pairs() if name.lower() not in CONNECTION_FIELDS]
    if "accept-encoding" not in request.headers:
        lines.append(_ACCEPT_ENCODING)
    if "user-agent" not in request.headers:
        lines.append(_user_agent())
    lines += _framing(request.method, content)
    return lines


_ACCEPT_ENCODING = (b"Accept-Encoding", ACCEPTED.encode("ascii"))


@cache
def _user_agent() -> tuple[bytes, bytes]:
    from dynclient._version import __version__

    return _line("User-Agent", f"dynclient/{__version__}")


def _framing(method: str, content: Content | None) -> list[tuple[bytes, bytes]]:
    if content is None:
        return [(b"Content-Length", b"0")] if method in CONTENT_EXPECTED else []
    if content.size is None:
        return [(b"Transfer-Encoding", b"chunked")]
    return [(b"Content-Length", b"%d" % content.size)]


def _line(name: str, value: str) -> tuple[bytes, bytes]:
    if not is_token(name):
        raise ArgumentError("a header's name is not a token", argument="headers")
    # RFC 9110, 5.5: CR, LF and NUL are dangerous in a value.
    if "\r" in value or "\n" in value or "\0" in value:
        raise ArgumentError(f"the value of header {name} holds a line end or NUL", argument=name)
    try:
        return name.encode("ascii"), value.encode("latin-1")
    except UnicodeEncodeError:
        return name.encode("ascii"), value.encode("utf-8")


def written(
    method: str, path: str, lines: list[tuple[bytes, bytes]], content: Content | None
) -> Iterator[bytes | None]:
    """Yield a request's bytes; its head is in one piece with a small body.

    ``target_of`` and ``header_lines`` have made sure that neither path nor method nor lines hold what ends a line.
    """
    # RFC 9112, 3 and 5: request-line, field lines, and an empty line.
    head = Octets(
        b"%b %b HTTP/1.1\r\n%b\r\n"
        % (method.encode("ascii"), path.encode("ascii"), b"".join([b"%b: %b\r\n" % line for line in lines]))
    )
    if content is None:
        yield head
    elif content.whole is not None and len(content.whole) < CHUNK:
        yield Octets(head + content.whole)
    else:
        yield head
        yield from content.pieces if content.size is not None else _in_chunks(content.pieces)


def _in_chunks(pieces: Iterator[bytes | None]) -> Iterator[bytes | None]:
    for piece in pieces:
        # RFC 9112, 7.1: a chunk of no bytes would be the last.
        if piece is None:
            yield None
        elif piece:
            yield b"%x\r\n%b\r\n" % (len(piece), piece)
    yield b"0\r\n\r\n"


def content_of(body: Body, fetching: Callable[[Any], Iterator[Any]] | None = None) -> Content | None:
    """Work out how a body goes out: bytes, files, and iterators that have a ``length``, with it; all else in chunks.

    ``fetching`` makes an iterator of one that may block or is asynchronous, which gives WANTED until it has a piece.

    Raises:
        ArgumentError: it is nothing that can be sent.
    """
    if body is None:
        return None
    if isinstance(body, bytes | bytearray | memoryview):
        whole = bytes(body)
        return Content(iter((whole,)), len(whole), whole)
    if hasattr(body, "read"):
        return _file(cast("IO[bytes]", body), fetching or iter)
    if isinstance(body, AsyncIterator):
        if fetching is None:
            raise ArgumentError("an asynchronous body needs an AsyncClient", argument="body")
        return _iterated(fetching(body), body)
    if isinstance(body, Iterable) and not isinstance(body, str):
        return _iterated((fetching or iter)(iter(body)), body)
    raise ArgumentError(f"a {type(body).__name__} can't be sent as a body", argument="body")


def _iterated(source: Iterator[Any], body: Any) -> Content:
    size = getattr(body, "length", None)
    pieces = _pieces(source)
    return Content(_exactly(pieces, size), size) if isinstance(size, int) else Content(pieces, None)


def _file(file: IO[bytes], fetching: Callable[[Any], Iterator[Any]]) -> Content:
    size = _size(file)
    reads = fetching(iter(lambda: file.read(CHUNK if size is None else min(CHUNK, max(size, 1))), b""))
    return Content(_pieces(reads) if size is None else _exactly(_pieces(reads), size), size)


def _size(file: IO[bytes]) -> int | None:
    """Bytes from where the file stands to its end, or None where it can't tell."""
    try:
        here = file.tell()
        end = file.seek(0, io.SEEK_END)
        file.seek(here)
    except (OSError, AttributeError, ValueError):
        return None
    return max(end - here, 0) if isinstance(end, int) else None


def _exactly(pieces: Iterator[bytes | None], size: int) -> Iterator[bytes | None]:
    """Hold a body to the size that the head has told."""
    for piece in pieces:
        if piece is not None:
            if len(piece) > size:
                wrong = ArgumentError("the body is longer than it was when its sending began", argument="body")
                raise BodyFailed(wrong)
            size -= len(piece)
        yield piece
    if size:
        raise BodyFailed(ArgumentError("the body is shorter than it was when its sending began", argument="body"))


def _pieces(source: Iterator[Any]) -> Iterator[bytes | None]:
    """Pull a caller's pieces, so that what the caller raises is not taken for the connection's."""
    while True:
        try:
            piece = next(source)
        except StopIteration:
            return
        except Exception as error:  # noqa: BLE001  # whatever the caller's code raises is handed back to the caller
            raise BodyFailed(error) from None
        if piece is WANTED:
            yield None
        elif isinstance(piece, bytes | bytearray | memoryview):
            yield bytes(piece)
        else:
            wrong = ArgumentError(f"the body yields {type(piece).__name__}, not bytes", argument="body")
            raise BodyFailed(wrong)
