"""Texts that a string schema may take, the likeliest first."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from dynclient._schemas import Shape
from dynclient.examples import patterns
from dynclient.examples.formats import TEXTS

_FILLER = "string"
_LONGEST = 100_000  # A minLength beyond this is no example's business.
_GROWTH = (0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 255)


def texts(seen: Shape, seed: int) -> Iterator[str]:
    """Texts of a string schema's format and pattern whose length is right."""
    low = min(int(seen.constraints.get("minLength", 0)), _LONGEST)
    high = int(min(seen.constraints.get("maxLength", _LONGEST), _LONGEST))
    for text in _wanted(seen, seed, low):
        if low <= len(text) <= high:
            yield text
    yield _filler(seed, low, high)


def _wanted(seen: Shape, seed: int, low: int) -> Iterator[str]:
    known = TEXTS.get(seen.format or "", ())
    turn = seed % len(known) if known else 0
    yield from (*known[turn:], *known[:turn])
    if seen.format in {"uri", "url", "iri"}:
        yield "https://example.com/".ljust(low, "a")
    if seen.content_encoding in {"base64", "base64url"}:
        yield "ZXhhbXBsZQ=="
    if seen.content_media_type is not None and seen.content_media_type.endswith("json"):
        yield "{}"
    pattern = seen.constraints.get("pattern")
    if isinstance(pattern, str):
        for more in _GROWTH:
            # Text is a seed that is the same in every run, unlike a hash.
            found = patterns.text(pattern, Random(f"{seed}:{more}:{pattern}"), more)  # noqa: S311  # no secret
            if found is not None:
                yield found


def _filler(seed: int, low: int, high: int) -> str:
    word = _FILLER if not seed else f"{_FILLER}{seed}"
    return (word * (low // len(word) + 1) if len(word) < low else word)[: max(high, 0)][: max(low, len(word))]
