"""Read a response's body: decode content codings (RFC 9110, 8.4), within limits.

Rule 1: nothing here waits. If more bytes have to arrive first, None is yielded instead of a chunk.
Rule 2: every stage is bounded: by the received bytes, by the decoded bytes, and for larger bodies by the ratio of the
two. HTTP libraries decompress before they count, and accept a truncated gzip stream.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from importlib import import_module
from typing import Any, TypeAlias

from dynclient.exceptions import ResponseTooLarge
from dynclient.messages import Headers
from dynclient.options import Limits, MiB

_TOO_LARGE = {
    "response_bytes": "the response is larger than {:,} bytes",
    "encoded_response_bytes": "the encoded response is larger than {:,} bytes",
    "streamed_response_bytes": "the streamed response is larger than {:,} bytes",
    "ratio": "the compressed response grows to more than {} times its size",
    "codings": "the response has more than {} nested content codings",
}
_STREAMED = {"response_bytes", "encoded_response_bytes"}

_PIECE = 65_536
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
        codings = [coding for coding in codings if coding not in {"", "identity"}]
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
    # A response to HEAD, or an empty one, may name a coding and have no bytes.
    if taken and (decompressor is None or not decompressor.ended):
        raise CodingError("the compressed body was cut off before its end")


# Each decodes a coding, in pieces of bounded size. ``error`` is that of invalid data; ``ended``: the data is complete.


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
            piece = self._stream.decompress(data, _PIECE)
            data = self._stream.unused_data if self._stream.eof else self._stream.unconsumed_tail
            if piece:
                yield piece
            # A full piece may leave output inside zlib even after all of its input is consumed.
            if not data and len(piece) < _PIECE:
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
            piece: bytes = self._stream.process(data, output_buffer_limit=_PIECE)
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
            piece: bytes = self._stream.decompress(data, _PIECE)
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
