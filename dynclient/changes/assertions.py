"""What two schemas say of a value itself: types, values, formats, bounds, and the rest that needs no look below.

Each check takes two shapes and tells ``(aspect, before, after)`` of what differs.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from dynclient._schemas import MISSING, Shape, is_binary

Told = Iterator[tuple[str, Any, Any]]

_ALL = frozenset({"array", "boolean", "integer", "number", "object", "string"})
# A format, and one that takes all its values.
_WIDER = {("int32", "int64"), ("float", "double"), ("int32", "double"), ("date-time-local", "date-time")}
# Words that Shape does not know, and that decide what is valid.
_CONDITIONS = (
    "not", "if", "then", "else", "contains", "propertyNames", "dependentSchemas", "dependentRequired",
)  # fmt: skip
# What only tells people, and so is never asserted.
_NO_FORMATS = frozenset({None, "password", "binary", "byte", "base64", "base64url"})


def types(old: Shape, new: Shape) -> Told:
    """The types, and whether null is among them."""
    if is_binary(old.schema) or is_binary(new.schema):
        if is_binary(old.schema) != is_binary(new.schema):
            yield "binary-changed", _named(old), _named(new)
        return
    before, after = _types(old), _types(new)
    if before != after:
        word = "narrowed" if before > after else "widened" if before < after else "changed"
        # What lacks "integer" beside "number" is the same set of values.
        yield f"type-{word}", _named(old), _named(new)
    if null(old) != null(new) and old.types and new.types:
        yield ("null-allowed" if null(new) else "null-forbidden"), MISSING, MISSING


def _types(seen: Shape) -> frozenset[str]:
    said = seen.types - {"null"} if seen.types else _ALL
    return said | {"integer"} if "number" in said else said


def _named(seen: Shape) -> str:
    names = sorted(seen.types - {"null"}) or ["any"]
    return ", ".join(names) + (" (bytes)" if is_binary(seen.schema) else "")


def null(seen: Shape) -> bool:
    """Whether null is allowed."""
    if not seen.types:
        return True
    return "null" in seen.types


def values(old: Shape, new: Shape) -> Told:
    """The values that are allowed, by ``enum`` or ``const``."""
    before, after = _values(old), _values(new)
    if before is None and after is not None:
        yield "enum-added", MISSING, [*after.values()]
    elif before is not None and after is None:
        yield "enum-removed", [*before.values()], MISSING
    elif before is not None and after is not None:
        yield from (("enum-value-removed", value, MISSING) for key, value in before.items() if key not in after)
        yield from (("enum-value-added", MISSING, value) for key, value in after.items() if key not in before)


def _values(seen: Shape) -> dict[str, Any] | None:
    allowed = seen.enum if seen.const is MISSING else (seen.const,)
    # Whether null is among them, the types say already.
    return (
        None
        if allowed is None
        else {json.dumps(value, sort_keys=True): value for value in allowed if value is not None}
    )


def formats(old: Shape, new: Shape) -> Told:
    """The format."""
    before, after = (None if seen.format in _NO_FORMATS else seen.format for seen in (old, new))
    if before == after:
        return
    if before is None or after is None:
        yield ("format-added" if before is None else "format-removed"), before or MISSING, after or MISSING
    elif (before, after) in _WIDER:
        yield "format-widened", before, after
    else:
        yield ("format-narrowed" if (after, before) in _WIDER else "format-changed"), before, after


def encodings(old: Shape, new: Shape) -> Told:
    """How a text holds bytes, or another document."""
    if is_binary(old.schema) or is_binary(new.schema):
        return
    before, after = ((_encoding(seen), seen.content_media_type) for seen in (old, new))
    if before != after:
        yield "encoding-changed", _both(before), _both(after)


# OAS 3.1.1, Working With Binary Data: what 3.0's formats are in JSON Schema.
_ENCODINGS = {"byte": "base64", "base64": "base64", "base64url": "base64url"}


def _encoding(seen: Shape) -> str | None:
    return seen.content_encoding or _ENCODINGS.get(seen.format or "")


def _both(pair: tuple[str | None, str | None]) -> Any:
    return " ".join(filter(None, pair)) or "none"


# Keyword -> its aspect, and 1 where a larger value is the narrower one.
_BOUNDS: dict[str, tuple[str, int]] = {
    "maxContains": ("max-contains", -1),
    "maxItems": ("max-items", -1),
    "maxLength": ("max-length", -1),
    "maxProperties": ("max-properties", -1),
    "minContains": ("min-contains", 1),
    "minItems": ("min-items", 1),
    "minLength": ("min-length", 1),
    "minProperties": ("min-properties", 1),
}
_COUNTS_FROM = {"minContains": 1}


def bounds(old: Shape, new: Shape) -> Told:
    """How large, how long, how many."""
    for keyword, (aspect, sign) in _BOUNDS.items():
        none = _COUNTS_FROM.get(keyword, 0) if sign > 0 else math.inf
        before, after = old.constraints.get(keyword, none), new.constraints.get(keyword, none)
        if before != after:
            yield f"{aspect}-{'narrowed' if (after - before) * sign > 0 else 'widened'}", _bound(before), _bound(after)
    for aspect, sign in (("minimum", 1), ("maximum", -1)):
        low, high = _limit(old, aspect, sign), _limit(new, aspect, sign)
        if low != high:
            word = "narrowed" if high > low else "widened"
            yield f"{aspect}-{word}", _limit_text(low, sign), _limit_text(high, sign)


def _limit(seen: Shape, word: str, sign: int) -> tuple[float, bool]:
    """A limit as something that is larger the narrower it is: the number, and whether it is excluded."""
    found = [(-math.inf, False)]
    inclusive = seen.constraints.get(word)
    exclusive = seen.constraints.get(f"exclusive{word.capitalize()}")
    found += [(inclusive * sign, False)] if inclusive is not None else []
    found += [(exclusive * sign, True)] if exclusive is not None else []
    return max(found)


def _limit_text(limit: tuple[float, bool], sign: int) -> Any:
    number, excluded = limit
    return "none" if math.isinf(number) else f"{number * sign}{' (excluded)' if excluded else ''}"


def _bound(value: Any) -> Any:
    return "none" if value == math.inf else value


def multiples(old: Shape, new: Shape) -> Told:
    """What a number must be a multiple of."""
    before, after = old.constraints.get("multipleOf"), new.constraints.get("multipleOf")
    if before == after:
        return
    if before is None or (after is not None and _divides(before, after)):
        yield "multiple-of-narrowed", _or_none(before), _or_none(after)
    elif after is None or _divides(after, before):
        yield "multiple-of-widened", _or_none(before), _or_none(after)
    else:
        yield "multiple-of-changed", before, after


def _said(value: Any) -> Any:
    return "none" if value is MISSING else value


def _or_none(value: Any) -> Any:
    return "none" if value is None else value


def _divides(one: float, other: float) -> bool:
    from fractions import Fraction

    return (Fraction(str(other)) / Fraction(str(one))).denominator == 1


def patterns(old: Shape, new: Shape) -> Told:
    """The pattern of a text."""
    before, after = old.constraints.get("pattern"), new.constraints.get("pattern")
    if before != after:
        word = "added" if before is None else "removed" if after is None else "changed"
        yield f"pattern-{word}", _or_none(before), _or_none(after)


def uniqueness(old: Shape, new: Shape) -> Told:
    """Whether items may be equal."""
    before, after = (bool(seen.constraints.get("uniqueItems")) for seen in (old, new))
    if before != after:
        yield f"unique-items-{'narrowed' if after else 'widened'}", MISSING, MISSING


def conditions(old: Shape, new: Shape) -> Told:
    """Words of which only equality can be told."""
    before, after = (seen.schema.value if isinstance(seen.schema.value, Mapping) else {} for seen in (old, new))
    for word in _CONDITIONS:
        if before.get(word) != after.get(word):
            yield "assertion-changed", _or_none(before.get(word)), _or_none(after.get(word))


def notes(old: Shape, new: Shape) -> Told:
    """What the server assumes, and what is on its way out."""
    if old.default != new.default:
        yield "default-changed", _said(old.default), _said(new.default)
    if old.deprecated != new.deprecated:
        yield ("deprecated" if new.deprecated else "undeprecated"), MISSING, MISSING


ASSERTIONS: tuple[Callable[[Shape, Shape], Told], ...] = (
    types,
    values,
    formats,
    encodings,
    bounds,
    multiples,
    patterns,
    uniqueness,
    conditions,
    notes,
)
