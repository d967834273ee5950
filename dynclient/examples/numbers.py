"""A number within bounds: small and plain where there is a choice."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from fractions import Fraction
from random import Random
from typing import Any

from dynclient.examples.formats import RANGES

_SPREAD = 100


class Bounds:
    """The bounds on a number, exact: a float is taken for the decimal that it is written as."""

    def __init__(self, constraints: Mapping[str, Any], format_: str | None) -> None:
        """Read the bounds of a schema."""
        low, high = RANGES.get(format_ or "", (None, None))
        self.low = _extreme(max, low, constraints.get("minimum"), constraints.get("exclusiveMinimum"))
        self.high = _extreme(min, high, constraints.get("maximum"), constraints.get("exclusiveMaximum"))
        self._above = _exact(constraints.get("exclusiveMinimum"))
        self._below = _exact(constraints.get("exclusiveMaximum"))
        self.step = _exact(constraints.get("multipleOf"))

    def allow(self, value: Fraction) -> bool:
        """Whether a number keeps all bounds."""
        return (
            (self.low is None or value >= self.low)
            and (self.high is None or value <= self.high)
            and (self._above is None or value > self._above)
            and (self._below is None or value < self._below)
            and (self.step is None or (value / self.step).denominator == 1)
        )


def number(constraints: Mapping[str, Any], format_: str | None, rng: Random | None, *, whole: bool) -> int | float:
    """A number that keeps the bounds, or 1 where none was found that does."""
    bounds = Bounds(constraints, format_)
    step = _step(bounds, whole=whole)
    lawful = (value for value in _candidates(bounds, step, rng, whole=whole) if bounds.allow(value))
    found = next((value for value in lawful if not whole or value.denominator == 1), Fraction(1))
    return int(found) if whole else float(found)


def _step(bounds: Bounds, *, whole: bool) -> Fraction:
    """The distance of neighbours: ``multipleOf``, made whole where the number has to be."""
    if bounds.step is not None:
        return Fraction(bounds.step.numerator) if whole else bounds.step
    return Fraction(1)


def _candidates(bounds: Bounds, step: Fraction, rng: Random | None, *, whole: bool) -> Iterator[Fraction]:
    low, high = bounds.low, bounds.high
    if rng is not None:
        start = low if low is not None else (high - _SPREAD * step if high is not None else Fraction(0))
        yield _up(start, step) + rng.randint(0, _SPREAD) * step
    yield from (Fraction(1), Fraction(3, 2)) if whole or bounds.step is not None else (Fraction(3, 2), Fraction(1))
    for edge in (low, high):
        if edge is not None:
            yield from (_up(edge, step), _up(edge, step) + step, _down(edge, step), _down(edge, step) - step)
            yield edge
    yield from (step, Fraction(0), -step)
    if not whole and low is not None and high is not None:
        yield (low + high) / 2


def _up(value: Fraction, step: Fraction) -> Fraction:
    return math.ceil(value / step) * step


def _down(value: Fraction, step: Fraction) -> Fraction:
    return math.floor(value / step) * step


def _exact(value: Any) -> Fraction | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return Fraction(str(value))


def _extreme(choose: Any, *values: Any) -> Fraction | None:
    exact = [found for found in map(_exact, values) if found is not None]
    return choose(exact) if exact else None
