"""Make texts and numbers for schemas: values of each format, and values within bounds.

Rule 1: addresses are those reserved for examples (RFC 2606, 5737, 3849), so that no real person or server is reached.
Rule 2: a format has a few values, and the seed selects one of them.
Rule 3: numbers are small and plain where the bounds leave a choice.
"""

from __future__ import annotations

import json
import math
import sys
from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction
from itertools import chain
from pathlib import Path
from random import Random
from typing import Any

from dynclient._schemas import Shape
from dynclient.examples import patterns
from dynclient.media_types import essence, find

# Formats of the OpenAPI Format Registry and of JSON Schema.
TEXTS: Mapping[str, list[str]] = json.loads(Path(__file__).with_name("texts.json").read_text("utf-8"))
# The smallest valid files: an image has one pixel, a PDF one empty page, an archive one file, a sound is short silence.
FILES = {
    media_type: text
    for media_types, text in json.loads(Path(__file__).with_name("files.json").read_text("utf-8")).items()
    for media_type in media_types.split()
}

RANGES: Mapping[str, tuple[int, int]] = {
    **{f"int{bits}": (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": (0, 2**bits - 1) for bits in (8, 16, 32, 64)},
    "double-int": (-(2**53) + 1, 2**53 - 1),
    "unixtime": (0, 2**31 - 1),
}

_FILLER = "string"
_LONGEST = 100_000  # A text for a larger minLength is not made.
_GROWTH = (0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 255)
_SPREAD = 100
_UUIDS = 256  # of which one may match a pattern as well as the format


def texts(seen: Shape, seed: int, proposed: Iterable[str] = ()) -> Iterator[str]:
    """Yield texts for a string schema, the proposed ones first; all have a length that it allows."""
    low = min(int(seen.constraints.get("minLength", 0)), _LONGEST)
    high = int(min(seen.constraints.get("maxLength", _LONGEST), _LONGEST))
    for text in chain(proposed, _candidate_texts(seen, seed, low)):
        if low <= len(text) <= high:
            yield text
    yield _filler(seed, low, high)


def _candidate_texts(seen: Shape, seed: int, low: int) -> Iterator[str]:
    yield from rotated(TEXTS.get(seen.format or "", ()), seed)
    if seen.format in {"uri", "url", "iri"}:
        yield "https://example.com/".ljust(low, "a")
    if seen.content_encoding in {"base64", "base64url"}:
        file = file_of(seen.content_media_type or "")
        if file is not None:
            encode = urlsafe_b64encode if seen.content_encoding == "base64url" else b64encode
            yield encode(file).decode("ascii")
        yield "ZXhhbXBsZQ=="
    if seen.content_media_type is not None and find(seen.content_media_type).name == "json":
        yield "{}"
    pattern = seen.constraints.get("pattern")
    if isinstance(pattern, str):
        for more in chain(_GROWTH, range(min(low, _GROWTH[-1]))):
            # A string as seed gives the same numbers in every run; its hash would not.
            number = f"{seed}:{more}:{pattern}".encode("utf-8", "surrogatepass")
            found = patterns.text(pattern, Random(number), more)  # noqa: S311  # not for secrets
            if found is not None:
                yield found
        if seen.format == "uuid":
            from uuid import UUID  # slow to import

            random = Random(f"{seed}:{pattern}")  # noqa: S311  # not for secrets
            yield from (str(UUID(int=random.getrandbits(128), version=4)) for _ in range(_UUIDS))


def file_of(content_type: str) -> bytes | None:
    """Return the smallest valid file of a content type; None if there is none here."""
    text = FILES.get(essence(content_type))
    return b64decode(text) if text is not None else None


def rotated(values: Iterable[Any], seed: int) -> list[Any]:
    """List values beginning with the one that a seed selects."""
    found = list(values)
    turn = seed % len(found) if found else 0
    return [*found[turn:], *found[:turn]]


def _filler(seed: int, low: int, high: int) -> str:
    word = _FILLER if not seed else f"{_FILLER}{seed}"
    return (word * (low // len(word) + 1) if len(word) < low else word)[: max(high, 0)][: max(low, len(word))]


class Bounds:
    """The bounds of a number as exact fractions: a float counts as the decimal that it is written as."""

    def __init__(self, constraints: Mapping[str, Any], format_: str | None) -> None:
        """Read the bounds from the keywords of a schema and its format."""
        low, high = RANGES.get(format_ or "", (None, None))
        self.low = _extreme(max, low, constraints.get("minimum"), constraints.get("exclusiveMinimum"))
        self.high = _extreme(min, high, constraints.get("maximum"), constraints.get("exclusiveMaximum"))
        self._above = _exact(constraints.get("exclusiveMinimum"))
        self._below = _exact(constraints.get("exclusiveMaximum"))
        self.step = _exact(constraints.get("multipleOf"))

    def allow(self, value: Fraction) -> bool:
        """Whether a number is within all bounds."""
        return (
            (self.low is None or value >= self.low)
            and (self.high is None or value <= self.high)
            and (self._above is None or value > self._above)
            and (self._below is None or value < self._below)
            and (self.step is None or (value / self.step).denominator == 1)
        )


def number(constraints: Mapping[str, Any], format_: str | None, rng: Random | None, *, whole: bool) -> int | float:
    """Find a number within the bounds of a schema; 1 if none was found. ``whole`` asks for an integer."""
    bounds = Bounds(constraints, format_)
    # The distance between neighbouring values: multipleOf, rounded to a whole number for integers.
    step = bounds.step if bounds.step is not None else Fraction(1)
    step = Fraction(step.numerator) if whole else step
    valid = (value for value in _candidate_numbers(bounds, step, rng, whole=whole) if bounds.allow(value))
    found = next((value for value in valid if not whole or value.denominator == 1), Fraction(1))
    # In JSON, integers beyond the range of floats are written like others.
    return int(found) if whole or abs(found) > sys.float_info.max else float(found)


def _candidate_numbers(bounds: Bounds, step: Fraction, rng: Random | None, *, whole: bool) -> Iterator[Fraction]:
    low, high = bounds.low, bounds.high
    if rng is not None:
        start = low if low is not None else (high - _SPREAD * step if high is not None else Fraction(0))
        yield (math.ceil(start / step) + rng.randint(0, _SPREAD)) * step
    yield from (Fraction(1), Fraction(3, 2)) if whole or bounds.step is not None else (Fraction(3, 2), Fraction(1))
    for edge in (low, high):
        if edge is not None:
            up, down = math.ceil(edge / step) * step, math.floor(edge / step) * step
            yield from (up, up + step, down, down - step, edge)
    yield from (step, Fraction(0), -step)
    if not whole and low is not None and high is not None:
        yield (low + high) / 2


def _exact(value: Any) -> Fraction | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if isinstance(value, int):
        return Fraction(value)
    return Fraction(str(value)) if math.isfinite(value) else None


def _extreme(choose: Callable[[list[Fraction]], Fraction], *values: Any) -> Fraction | None:
    exact = [found for found in map(_exact, values) if found is not None]
    return choose(exact) if exact else None
