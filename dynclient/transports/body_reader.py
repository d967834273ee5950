"""Content codings, undone within limits (RFC 9110, 8.4).

Done here and not by the HTTP library, since those take a truncated gzip for a whole one, and unpack before they count.
Every stage is bounded: by the decoded bytes, and by their ratio to what came in once that could hurt.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator

from dynclient.options import Limits, MiB

ACCEPTED = "gzip, deflate"
"""What is asked for where the request does not say."""

_PIECE = 65_536
_RATIO_FROM = 8 * MiB


class CodingError(Exception):
    """A coding can't be undone; the text says why."""


class TooLarge(Exception):
    """The decoded bytes go beyond a limit, which ``limit`` names."""

    def __init__(self, limit: str) -> None:
        """Take the name of the limit."""
        super().__init__(limit)
        self.limit = limit


def named(values: Iterable[str]) -> list[str]:
    """The codings that Content-Encoding lines name, in the order in which they were applied."""
    members = (member.strip().lower() for value in values for member in value.split(","))
    return [member for member in members if member not in {"", "identity"}]


def decoded(
    chunks: Iterator[bytes | None], codings: list[str], limits: Limits, *, maximum: int | None
) -> Iterator[bytes | None]:
    """Yield the bytes with their codings undone, at most ``maximum`` of them; None where more have to come first.

    Raises:
        CodingError: a coding is unknown, there are too many, or its data is broken or cut.
        TooLarge: there is more than may be.
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
    """Undo one coding, and count."""
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
    """A zlib stream of one format; ``members`` tells that another may follow it (RFC 1952, 2.2)."""

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
    """One coding on its way; its format is chosen when its first two bytes are there."""

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
"""Content coding -> what opens a stream of it, given its first bytes."""
