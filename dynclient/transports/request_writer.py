"""The wire form of a request: its target, its header fields, and its body's chunks; h11 frames them.

The URL is sent exactly as it is in the request: percent-encoding and dot segments are not changed. Only this module
writes the fields that frame the message: no Content-Length, Transfer-Encoding or hop-by-hop field of a caller or a
document is sent.
"""

from __future__ import annotations

import io
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from functools import cache, lru_cache
from typing import IO, Any, TypeVar, cast

from dynclient._deferred import expression
from dynclient._records import Record
from dynclient.exceptions import ArgumentError
from dynclient.http_grammar import CONNECTION_FIELDS, CONTENT_EXPECTED, DEFAULT_PORTS, is_field_value, is_token
from dynclient.messages import Body, Request
from dynclient.transports.body_reader import accepted
from dynclient.transports.clock import Clock

T = TypeVar("T")

CHUNK = 65_536
"""Bytes per read or write."""

_URL = expression(r"(https?)://([^/?#]+)((?:[/?][^#]*)?)(?:#.*)?", re.IGNORECASE)
_AUTHORITY = expression(r"(\[[0-9A-Fa-f:.]+(?:%25[^\]]+)?\]|[^:\[\]@]+)(?::([0-9]{0,5}))?")
_UNSENDABLE = expression(r"[^\x21-\x7e]")
_MAX_PORT = 65_535


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
        """Scheme, host and port: connections are kept for each: those with the client's certificate apart."""
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


class BodyFailed(Exception):
    """The caller's body raised ``error``, or can't be sent."""

    def __init__(self, error: BaseException) -> None:
        """Wrap the error, which the call raises instead of this one."""
        super().__init__(str(error))
        self.error = error


PENDING: Any = object()
"""Yielded by a body's iterator if the next chunk has to be fetched first."""


class Content(Record):
    """A body to send.

    ``size`` is its length in bytes, or None if it is unknown. A chunk is None if ``fetch`` has to be awaited first.
    ``whole`` is the body if it is in memory.
    """

    chunks: Iterator[bytes | None]
    size: int | None
    whole: bytes | None = None
    fetch: Callable[[Clock], Awaitable[None]] | None = None


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
    headers = request.headers
    fields = HiddenLines([(b"Host", target.authority.encode("ascii"))])
    for name, value in headers.pairs():
        if name.lower() not in CONNECTION_FIELDS:
            fields.append((name.encode("utf-8", "replace"), encoded(value)))
    if "accept-encoding" not in headers:
        fields.append((b"Accept-Encoding", accepted().encode("ascii")))
    if "user-agent" not in headers:
        fields.append((b"User-Agent", _user_agent()))
    if content is None:
        if request.method in CONTENT_EXPECTED:
            fields.append((b"Content-Length", b"0"))
    elif content.size is None:
        fields.append((b"Transfer-Encoding", b"chunked"))
    else:
        fields.append((b"Content-Length", b"%d" % content.size))
    return fields


def encoded(value: str) -> bytes:
    """Return a header's value as it is sent: in Latin-1, or else in UTF-8."""
    # RFC 9110, 5.5: whitespace around a value is not part of it.
    value = value.strip(" \t")
    try:
        return value.encode("latin-1")
    except UnicodeEncodeError:
        # Half of a surrogate pair can't be encoded; NUL in its place makes the line unsendable.
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


def content_of(body: Body) -> Content | None:
    """Return a body that is read in this thread, or None if there is none.

    Raises:
        ArgumentError: it can't be sent.
    """
    if isinstance(body, AsyncIterator):
        raise ArgumentError("an asynchronous body needs an AsyncClient", argument="body")
    return read_by(body, iter)


def read_by(body: Body, fetching: Callable[[Any], Iterator[Any]]) -> Content | None:
    """Return a body in the form to send: bytes, files, and iterators with a ``length`` have a size; others are chunked.

    ``fetching`` makes an iterator that yields PENDING until the next chunk has been fetched, for a body that may block.

    Raises:
        ArgumentError: it can't be sent.
    """
    if body is None:
        return None
    if isinstance(body, bytes | bytearray | memoryview):
        whole = bytes(body)
        return Content(iter((whole,)), len(whole), whole)
    if hasattr(body, "read"):
        file = cast("IO[bytes]", body)
        size = _size(file)
        most = CHUNK if size is None else min(CHUNK, max(size, 1))
        return Content(_chunks(fetching(iter(lambda: file.read(most), b""))), size)
    if isinstance(body, AsyncIterator) or (isinstance(body, Iterable) and not isinstance(body, str)):
        length = getattr(body, "length", None)
        source = body if isinstance(body, AsyncIterator) else iter(body)
        return Content(_chunks(fetching(source)), length if isinstance(length, int) else None)
    raise ArgumentError(f"a {type(body).__name__} can't be sent as a body", argument="body")


def watched(content: Content | None, progress: Callable[[int, int | None], object] | None) -> Content | None:
    """Return a body that reports to ``progress`` after each piece of at most 64 KiB."""
    if content is None or progress is None:
        return content
    return content._replace(chunks=_told(content.chunks, content.size, progress), whole=None)


def _told(
    chunks: Iterator[bytes | None], size: int | None, progress: Callable[[int, int | None], object]
) -> Iterator[bytes | None]:
    sent = 0
    for chunk in chunks:
        if chunk is None:
            yield None
            continue
        for start in range(0, len(chunk), CHUNK):
            piece = chunk[start : start + CHUNK]
            yield piece
            sent += len(piece)
            try:
                progress(sent, size)
            except Exception as error:  # noqa: BLE001  # the caller's code may raise anything, which ends the call
                raise BodyFailed(error) from None


def _size(file: IO[bytes]) -> int | None:
    """Return the bytes from a file's position to its end, or None if that is unknown."""
    try:
        here = file.tell()
        end = file.seek(0, io.SEEK_END)
        file.seek(here)
    except (OSError, AttributeError, ValueError):
        return None
    return max(end - here, 0) if isinstance(end, int) else None


def _chunks(source: Iterator[Any]) -> Iterator[bytes | None]:
    """Read a caller's chunks, so that the caller's errors are not mistaken for errors of the connection."""
    while True:
        try:
            chunk = next(source)
        except StopIteration:
            return
        except Exception as error:  # noqa: BLE001  # any error of the caller's code is returned to the caller
            raise BodyFailed(error) from None
        if chunk is PENDING:
            yield None
        elif isinstance(chunk, bytes | bytearray | memoryview):
            yield bytes(chunk)
        else:
            raise BodyFailed(ArgumentError(f"the body yields {type(chunk).__name__}, not bytes", argument="body"))
