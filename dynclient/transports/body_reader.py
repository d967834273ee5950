"""A response's body on its way in: content codings undone (RFC 9110, 8.4), within limits.

Rule 1: nothing here waits. Where more bytes have to come first, None is yielded in place of a chunk.
Rule 2: every stage is bounded: by the bytes that come in, by the decoded bytes, and by the ratio of the two once that
could hurt. HTTP libraries decompress before they count, and accept a gzip stream that was cut off.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator

from dynclient.messages import Headers
from dynclient.options import Limits, MiB

ACCEPTED = "gzip, deflate"
"""The value of Accept-Encoding where the request has none."""

TOO_LARGE = {
    "response_bytes": "the response is larger than may be",
    "encoded_response_bytes": "the response is larger than may be, as it is sent",
    "ratio": "the compressed response swells beyond all proportion",
}
"""Limit -> the text of the error about a body that exceeds it."""

_PIECE = 65_536
_RATIO_FROM = 8 * MiB


class CodingError(Exception):
    """A content coding can't be undone; the text says why."""


class TooLarge(Exception):
    """The body exceeds a limit of :class:`~dynclient.options.Limits`, which ``limit`` names."""

    def __init__(self, limit: str) -> None:
        """Name the limit."""
        super().__init__(limit)
        self.limit = limit


def body_of(
    chunks: Iterator[bytes | None], headers: Headers, length: int | None, limits: Limits, maximum: int | None
) -> Iterator[bytes | None]:
    """Yield the decoded body, of which ``chunks`` are the framed bytes and ``length`` the size, if the head has one.

    ``maximum`` is the most bytes that it may have when decoded, or None for any number.

    Raises:
        CodingError: its content codings can't be undone.
        TooLarge: it exceeds a limit.
    """
    chunks = _counted(chunks, length, limits.encoded_response_bytes, "encoded_response_bytes")
    if "content-encoding" in headers:
        codings = [coding.strip().lower() for coding in headers["content-encoding"].split(",")]
        codings = [coding for coding in codings if coding not in {"", "identity"}]
        if codings:
            return decoded(chunks, codings, limits, maximum=maximum)
    return _counted(chunks, length, maximum, "response_bytes")


def _counted(
    chunks: Iterator[bytes | None], length: int | None, maximum: int | None, limit: str
) -> Iterator[bytes | None]:
    """Enforce a limit: by the head where that has a length, else by counting."""
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


def decoded(
    chunks: Iterator[bytes | None], codings: list[str], limits: Limits, *, maximum: int | None
) -> Iterator[bytes | None]:
    """Undo codings, which are named in the order in which they were applied, to at most ``maximum`` bytes.

    Raises:
        CodingError: a coding is unknown, there are too many, or the data is broken or cut off.
        TooLarge: the decoded bytes exceed a limit.
    """
    unknown = [coding for coding in codings if coding not in DECODERS]
    if unknown:
        raise CodingError("the body came in a content coding that was not asked for")
    if len(codings) > limits.codings:
        raise CodingError(f"the body came in {len(codings)} content codings, one upon another")
    for coding in reversed(codings):
        chunks = _bounded(chunks, DECODERS[coding], limits.ratio, maximum)
    return chunks


def _bounded(
    chunks: Iterator[bytes | None], open_: Callable[[bytes], _Decompressor], ratio: int, maximum: int | None
) -> Iterator[bytes | None]:
    """Undo one coding, and enforce its limits."""
    stage: _Stage | None = None
    taken = given = 0
    for chunk in chunks:
        if chunk is None:
            yield None
            continue
        taken += len(chunk)
        stage = stage or _Stage(open_)
        for piece in stage.feed(chunk):
            given += len(piece)
            if maximum is not None and given > maximum:
                raise TooLarge("response_bytes")
            if given > _RATIO_FROM and given > taken * ratio:
                raise TooLarge("ratio")
            yield piece
    # A response to HEAD, or an empty one, may name a coding and have no byte of it.
    if stage is not None:
        stage.finish()


class _Decompressor:
    """A zlib stream of one format; with ``members``, another may follow it (RFC 1952, 2.2)."""

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
            # A full piece may leave output inside zlib even when all of its input is taken.
            if not data and len(piece) < _PIECE:
                return


class _Stage:
    """One coding of a body; its format is chosen when the first two bytes are there."""

    def __init__(self, open_: Callable[[bytes], _Decompressor]) -> None:
        self._open = open_
        self._first = b""
        self._decompressor: _Decompressor | None = None

    def feed(self, data: bytes) -> Iterator[bytes]:
        if self._decompressor is None:
            data = self._first + data
            if len(data) < 2:  # noqa: PLR2004  # RFC 1950, 2.2: a zlib header has two bytes
                self._first = data
                return
            self._decompressor = self._open(data)
        try:
            yield from self._decompressor.feed(data)
        except zlib.error:
            raise CodingError("the compressed body is broken") from None

    def finish(self) -> None:
        if self._decompressor is None or not self._decompressor.ended:
            raise CodingError("the compressed body was cut off before its end")


def _gzip(_: bytes) -> _Decompressor:
    return _Decompressor(16 + zlib.MAX_WBITS, members=True)


def _deflate(first: bytes) -> _Decompressor:
    # RFC 9110, 8.4.1.2: deflate is the zlib format; some send the bare stream instead. RFC 1950, 2.2 tells them apart.
    zlib_header = first[0] & 0x0F == 8 and (first[0] * 256 + first[1]) % 31 == 0  # noqa: PLR2004  # RFC 1950's own
    return _Decompressor(zlib.MAX_WBITS if zlib_header else -zlib.MAX_WBITS)


DECODERS: dict[str, Callable[[bytes], _Decompressor]] = {"gzip": _gzip, "x-gzip": _gzip, "deflate": _deflate}
"""Content coding -> makes its decompressor, given the first two bytes."""
