"""Bodies: a request's in chunks; a response's with its content codings (RFC 9110, 8.4) decoded, within limits.

Rule 1: nothing here waits. If more bytes have to arrive or to be fetched first, None is yielded instead of a chunk.
Rule 2: every stage of a response is bounded: by the received bytes, by the decoded bytes, and for larger bodies by the
ratio of the two. HTTP libraries decompress before they count, and accept a truncated gzip stream.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import suppress
from functools import cache
from importlib import import_module
from typing import IO, Any, TypeAlias, cast

from dynclient._records import Record
from dynclient.exceptions import ArgumentError, ResponseTooLarge
from dynclient.messages import Body, Headers
from dynclient.options import Limits, MiB
from dynclient.transports.clock import Clock

CHUNK = 65_536
"""Bytes per read or write."""


# -- requests ----------------------------------------------------------------------------------------------------------


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
        size = size_of(file)
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


def size_of(file: Any) -> int | None:
    """Return the bytes from a file's position to its end, or None if that is unknown."""
    if isinstance(file, io.TextIOBase):
        return None
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


# -- responses ---------------------------------------------------------------------------------------------------------

_TOO_LARGE = {
    "response_bytes": "the response is larger than {:,} bytes",
    "encoded_response_bytes": "the encoded response is larger than {:,} bytes",
    "streamed_response_bytes": "the streamed response is larger than {:,} bytes",
    "ratio": "the compressed response grows to more than {} times its size",
    "codings": "the response has more than {} nested content codings",
}
_STREAMED = {"response_bytes", "encoded_response_bytes"}
# Servers also name charsets there, and S3 the framing of the upload (aws-chunked), which has been removed.
_NO_CODINGS = frozenset({"", "identity", "none", "binary", "aws-chunked", "utf-8", "utf8", "us-ascii", "iso-8859-1"})

_RATIO_FROM = 8 * MiB


class CodingError(Exception):
    """A content coding can't be decoded; the text says why."""


class TooLarge(Exception):
    """The body exceeds a limit of :class:`~dynclient.options.Limits`, which ``limit`` names."""

    def __init__(self, limit: str) -> None:
        """Take the name of the limit."""
        super().__init__(limit)
        self.limit = limit


def too_large(limit: str, limits: Limits, **data: Any) -> ResponseTooLarge:
    """Return the error about a response that exceeds a limit: it names the limit, its value and the option."""
    hint = f"load(..., limits=Limits({limit}=...)) sets this limit"
    if limit in _STREAMED:
        hint += "; stream() reads a body of any size in pieces, or saves it to a file"
    return ResponseTooLarge(_TOO_LARGE[limit].format(getattr(limits, limit)), limit=limit, hint=hint, **data)


def body_of(
    chunks: Iterator[bytes | None], headers: Headers, length: int | None, limits: Limits, *, stream: bool
) -> Iterator[bytes | None]:
    """Yield the decoded body of the framed ``chunks``; ``length`` is the size in the head, if it has one.

    With ``stream`` the body is not kept in memory, so its size has another limit.

    Raises:
        CodingError: its content codings can't be decoded.
        TooLarge: it exceeds a limit.
    """
    sent, whole = ("streamed_response_bytes",) * 2 if stream else ("encoded_response_bytes", "response_bytes")
    chunks = _counted(chunks, length, limits, sent)
    if "content-encoding" in headers:
        codings = [coding.strip().lower() for coding in headers["content-encoding"].split(",")]
        codings = [coding for coding in codings if coding not in _NO_CODINGS]
        if codings:
            return decoded(chunks, codings, limits, whole)
    return chunks if stream else _counted(chunks, length, limits, whole)


def _counted(chunks: Iterator[bytes | None], length: int | None, limits: Limits, limit: str) -> Iterator[bytes | None]:
    """Enforce a limit: by the length in the head if there is one, else by counting."""
    maximum: int | None = getattr(limits, limit)
    if maximum is None:
        return chunks
    if length is None:
        return _summed(chunks, maximum, limit)
    if length > maximum:
        raise TooLarge(limit)
    return chunks


def _summed(chunks: Iterator[bytes | None], maximum: int, limit: str) -> Iterator[bytes | None]:
    total = 0
    for chunk in chunks:
        total += len(chunk or b"")
        if total > maximum:
            raise TooLarge(limit)
        yield chunk


def decoded(chunks: Iterator[bytes | None], codings: list[str], limits: Limits, limit: str) -> Iterator[bytes | None]:
    """Decode codings, listed in the order in which they were applied; ``limit`` bounds the decoded bytes.

    Raises:
        CodingError: a coding is unknown, or the data is broken or cut off.
        TooLarge: there are too many codings, or the decoded bytes exceed a limit.
    """
    if len(codings) > limits.codings:
        raise TooLarge("codings")
    for coding in codings:
        if coding not in DECODERS:
            raise CodingError(f"the body has a content coding that was not requested, {coding[:20]!r}")
        if coding in _EXTRAS and coding not in accepted():
            raise CodingError(
                f"the body is encoded with {coding}, which needs: pip install 'dynclient[{_EXTRAS[coding]}]'"
            )
    for coding in reversed(codings):
        chunks = _bounded(chunks, DECODERS[coding], limits, limit)
    return chunks


def _bounded(
    chunks: Iterator[bytes | None], open_: Callable[[bytes], _Decompressor], limits: Limits, limit: str
) -> Iterator[bytes | None]:
    """Decode one coding, and enforce its limits."""
    maximum, ratio = getattr(limits, limit), limits.ratio
    decompressor: _Decompressor | None = None
    first = b""
    taken = given = 0
    for chunk in chunks:
        if chunk is None:
            yield None
            continue
        taken += len(chunk)
        data, first = first + chunk, b""
        if decompressor is None and len(data) < 2:  # noqa: PLR2004  # RFC 1950, 2.2: a zlib header has two bytes
            first = data
            continue
        decompressor = decompressor or open_(data)
        try:
            for piece in decompressor.feed(data):
                given += len(piece)
                if maximum is not None and given > maximum:
                    raise TooLarge(limit)
                if given > _RATIO_FROM and given > taken * ratio:
                    raise TooLarge("ratio")
                yield piece
        except decompressor.error:
            raise CodingError("the compressed body is corrupt") from None
    # A response to HEAD, or an empty response, may name a coding and have no bytes.
    if taken and (decompressor is None or not decompressor.ended):
        raise CodingError("the compressed body was cut off before its end")


# Each class decodes one coding, in pieces of bounded size. ``error`` is the exception for invalid data; ``ended``: the
# data is complete.


class _Zlib:
    """A zlib stream of one format; with ``members``, another may follow it (RFC 1952, 2.2)."""

    error: type[Exception] = zlib.error

    def __init__(self, wbits: int, *, members: bool = False) -> None:
        self._wbits = wbits
        self._members = members
        self._stream = zlib.decompressobj(wbits)

    @property
    def ended(self) -> bool:
        return self._stream.eof

    def feed(self, data: bytes) -> Iterator[bytes]:
        while data or not self._stream.eof:
            if self._stream.eof:
                if not self._members:
                    raise CodingError("the compressed body is followed by other bytes")
                self._stream = zlib.decompressobj(self._wbits)
            piece = self._stream.decompress(data, CHUNK)
            data = self._stream.unused_data if self._stream.eof else self._stream.unconsumed_tail
            if piece:
                yield piece
            # A full piece may leave output inside zlib even after all of its input is consumed.
            if not data and len(piece) < CHUNK:
                return


class _Brotli:
    """A brotli stream (RFC 7932)."""

    def __init__(self, _: bytes) -> None:
        module = _brotli()
        self.error: type[Exception] = module.error
        self._stream = module.Decompressor()

    @property
    def ended(self) -> bool:
        return bool(self._stream.is_finished())

    def feed(self, data: bytes) -> Iterator[bytes]:
        while True:
            piece: bytes = self._stream.process(data, output_buffer_limit=CHUNK)
            data = b""
            if not piece:
                return
            yield piece


class _Zstd:
    """Zstandard frames, one after the other (RFC 8878, 3)."""

    def __init__(self, _: bytes) -> None:
        self._module = _zstd()
        self.error: type[Exception] = self._module.ZstdError
        self._stream = self._opened()

    def _opened(self) -> Any:
        # RFC 9659: a content coding needs a window of 8 MiB at most.
        return self._module.ZstdDecompressor(options={self._module.DecompressionParameter.window_log_max: 23})

    @property
    def ended(self) -> bool:
        return bool(self._stream.eof)

    def feed(self, data: bytes) -> Iterator[bytes]:
        while data or not (self._stream.eof or self._stream.needs_input):
            if self._stream.eof:
                self._stream = self._opened()
            piece: bytes = self._stream.decompress(data, CHUNK)
            data = self._stream.unused_data if self._stream.eof else b""
            if piece:
                yield piece


_Decompressor: TypeAlias = _Zlib | _Brotli | _Zstd


def _gzip(_: bytes) -> _Decompressor:
    return _Zlib(16 + zlib.MAX_WBITS, members=True)


def _deflate(first: bytes) -> _Decompressor:
    # RFC 9110, 8.4.1.2: deflate is the zlib format; some send the bare stream instead. RFC 1950, 2.2 distinguishes
    # them.
    zlib_header = first[0] & 0x0F == 8 and (first[0] * 256 + first[1]) % 31 == 0  # noqa: PLR2004  # RFC 1950's own
    return _Zlib(zlib.MAX_WBITS if zlib_header else -zlib.MAX_WBITS)


DECODERS: dict[str, Callable[[bytes], _Decompressor]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "br": _Brotli,
    "zstd": _Zstd,
}
"""Content coding -> makes its decompressor, given the first two bytes."""

_EXTRAS = {"br": "brotli", "zstd": "zstd"}


@cache
def _brotli() -> Any:
    """Return the module for brotli, or None. Versions before 1.2 can't bound their output."""
    module = _first("brotli", "brotlicffi")
    return module if hasattr(getattr(module, "Decompressor", None), "can_accept_more_data") else None


@cache
def _zstd() -> Any:
    """Return the module for Zstandard, or None."""
    return _first("compression.zstd", "backports.zstd")


def _first(*names: str) -> Any:
    """Return the first of these modules that is installed, or None."""
    for name in names:
        with suppress(ImportError):
            return import_module(name)
    return None


@cache
def accepted() -> str:
    """Return the default of Accept-Encoding: the codings that can be decoded here."""
    return "gzip, deflate" + (", br" if _brotli() else "") + (", zstd" if _zstd() else "")
