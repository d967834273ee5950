"""A response's body on its way in: its framing and its content codings undone, held to the limits.

Nothing here waits: where more has to come first, None is given in place of a piece.
"""

from __future__ import annotations

from collections.abc import Iterator

from dynclient.options import Limits
from dynclient.transports import body_reader as codings
from dynclient.transports.framing import Head, Received, read_body

TOO_LARGE = {
    "response_bytes": "the response is larger than may be",
    "encoded_response_bytes": "the response is larger than may be, as it is sent",
    "ratio": "the compressed response swells beyond all proportion",
}
"""Limit -> what is said of a body that goes beyond it."""


def body_of(source: Received, head: Head, limits: Limits, maximum: int | None) -> Iterator[bytes | None]:
    """Yield the body as it comes; decoded, it may have ``maximum`` bytes.

    Raises:
        Malformed, Cut: it breaks its framing.
        CodingError: its content codings can't be undone.
        TooLarge: it goes beyond a limit.
    """
    coded = head.headers.get_list("content-encoding")
    codes = codings.named(coded) if coded else coded
    chunks = read_body(source, head, limits)
    chunks = _bounded(chunks, head, limits.encoded_response_bytes, "encoded_response_bytes")
    if codes:
        return codings.decoded(chunks, codes, limits, maximum=maximum)
    return _bounded(chunks, head, maximum, "response_bytes")


def _bounded(chunks: Iterator[bytes | None], head: Head, maximum: int | None, limit: str) -> Iterator[bytes | None]:
    """Hold a body to a limit: by its head where that tells, else by counting."""
    if maximum is None:
        return chunks
    if head.length is not None:
        if head.length > maximum:
            raise codings.TooLarge(limit)
        return chunks
    return _counted(chunks, maximum, limit)


def _counted(chunks: Iterator[bytes | None], maximum: int, limit: str) -> Iterator[bytes | None]:
    total = 0
    for chunk in chunks:
        total += len(chunk or b"")
        if total > maximum:
            raise codings.TooLarge(limit)
        yield chunk
