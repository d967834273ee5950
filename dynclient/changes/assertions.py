"""Comparison of the keywords of two schemas that constrain a value itself: types, values, formats, bounds and so on.

Each check takes two shapes and yields ``(aspect, before, after)`` for each difference. Subschemas are compared in
:mod:`dynclient.changes.schemas`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from dynclient._schemas import MISSING, Shape, is_binary
from dynclient.changes.facts import divides
from dynclient.changes.kinds import BOUNDS

Differences = Iterator[tuple[str, Any, Any]]

_ALL = frozenset({"array", "boolean", "integer", "number", "object", "string"})
# Pairs of formats of which the second one allows all values of the first.
_WIDER = {("int32", "int64"), ("float", "double"), ("int32", "double"), ("date-time-local", "date-time")}
# Keywords that a Shape does not hold: any difference in them is reported without a direction.
_CONDITIONS = (
    "not", "if", "then", "else", "contains", "propertyNames", "dependentSchemas", "dependentRequired",
    "unevaluatedItems", "unevaluatedProperties",
)  # fmt: skip
# Formats that are annotations only, and never validated.
_NO_FORMATS = frozenset({None, "password", "binary", "byte", "base64", "base64url"})


def types(old: Shape, new: Shape) -> Differences:
    """Compare ``type``, and whether null is allowed."""
    if is_binary(old.schema) or is_binary(new.schema):
        if is_binary(old.schema) != is_binary(new.schema):
            yield "binary-changed", _type_names(old), _type_names(new)
        return
    before, after = types_of(old), types_of(new)
    if before != after:
        word = "narrowed" if before > after else "widened" if before < after else "changed"
        yield f"type-{word}", _type_names(old), _type_names(new)
    if old.types and new.types and ("null" in old.types) != ("null" in new.types):
        yield ("null-allowed" if "null" in new.types else "null-forbidden"), MISSING, MISSING


def types_of(seen: Shape) -> frozenset[str]:
    """The types without null. Every integer is a number, so "number" includes "integer"."""
    found = seen.types - {"null"} if seen.types else _ALL
    return found | {"integer"} if "number" in found else found


def _type_names(seen: Shape) -> str:
    names = sorted(seen.types - {"null"}) or ["any"]
    return ", ".join(names) + (" (bytes)" if is_binary(seen.schema) else "")


def values(old: Shape, new: Shape) -> Differences:
    """Compare the values that ``enum`` or ``const`` allows."""
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
    if allowed is None:
        return None
    # Null is compared with the types.
    return {json.dumps(value, sort_keys=True): value for value in allowed if value is not None}


def formats(old: Shape, new: Shape) -> Differences:
    """Compare ``format``."""
    before, after = (None if seen.format in _NO_FORMATS else seen.format for seen in (old, new))
    if before == after:
        return
    if before is None or after is None:
        yield ("format-added" if before is None else "format-removed"), before or MISSING, after or MISSING
    elif (before, after) in _WIDER:
        yield "format-widened", before, after
    else:
        yield ("format-narrowed" if (after, before) in _WIDER else "format-changed"), before, after


def encodings(old: Shape, new: Shape) -> Differences:
    """Compare ``contentEncoding`` and ``contentMediaType``."""
    if is_binary(old.schema) or is_binary(new.schema):
        return
    # OAS 3.1.1, Working With Binary Data: these formats of 3.0 are content encodings in JSON Schema.
    names = {"byte": "base64", "base64": "base64", "base64url": "base64url"}
    found = ((it.content_encoding or names.get(it.format or ""), it.content_media_type) for it in (old, new))
    before, after = (" ".join(filter(None, pair)) for pair in found)
    if before != after:
        yield "encoding-changed", before or "none", after or "none"


# The limits of lengths and counts, all of them keywords in the spelling of kinds.
_COUNTS = sorted(bound for bound in BOUNDS if "-" in bound)


def bounds(old: Shape, new: Shape) -> Differences:
    """Compare the limits of numbers, lengths and counts."""
    for aspect in _COUNTS:
        word, _, noun = aspect.partition("-")
        keyword, sign = f"{word}{noun.capitalize()}", 1 if word == "min" else -1
        absent = math.inf if sign < 0 else 1 if keyword == "minContains" else 0
        before, after = old.constraints.get(keyword, absent), new.constraints.get(keyword, absent)
        if before != after:
            word = "narrowed" if (after - before) * sign > 0 else "widened"
            yield f"{aspect}-{word}", _or_none(before), _or_none(after)
    for aspect, sign in (("minimum", 1), ("maximum", -1)):
        low, high = _limit(old, aspect, sign), _limit(new, aspect, sign)
        if low != high:
            word = "narrowed" if high > low else "widened"
            yield f"{aspect}-{word}", _limit_text(low, sign), _limit_text(high, sign)


def _limit(seen: Shape, keyword: str, sign: int) -> tuple[float, bool]:
    """A limit as the number times the sign, and whether it is exclusive: the narrower limit compares greater."""
    inclusive = seen.constraints.get(keyword, -math.inf * sign)
    exclusive = seen.constraints.get(f"exclusive{keyword.capitalize()}", -math.inf * sign)
    return max((inclusive * sign, False), (exclusive * sign, exclusive * sign > -math.inf))


def _limit_text(limit: tuple[float, bool], sign: int) -> Any:
    number, exclusive = limit
    return "none" if math.isinf(number) else f"{number * sign}{' (excluded)' if exclusive else ''}"


def multiples(old: Shape, new: Shape) -> Differences:
    """Compare ``multipleOf``."""
    before, after = old.constraints.get("multipleOf"), new.constraints.get("multipleOf")
    if before == after:
        return
    if before is None or (after is not None and divides(before, after)):
        yield "multiple-of-narrowed", _or_none(before), after
    elif after is None or divides(after, before):
        yield "multiple-of-widened", before, _or_none(after)
    else:
        yield "multiple-of-changed", before, after


def _or_none(value: Any, null: Any = "none") -> Any:
    """A value for people: "none" where there is none, and ``null`` for None."""
    if value is MISSING or value == math.inf:
        return "none"
    return null if value is None else value


def patterns(old: Shape, new: Shape) -> Differences:
    """Compare ``pattern`` and ``uniqueItems``."""
    before, after = old.constraints.get("pattern"), new.constraints.get("pattern")
    if before != after:
        word = "added" if before is None else "removed" if after is None else "changed"
        yield f"pattern-{word}", _or_none(before), _or_none(after)
    was, is_ = (bool(seen.constraints.get("uniqueItems")) for seen in (old, new))
    if was != is_:
        yield f"unique-items-{'narrowed' if is_ else 'widened'}", MISSING, MISSING


def conditions(old: Shape, new: Shape) -> Differences:
    """Compare keywords of which only equality can be decided."""
    before, after = (seen.schema.value if isinstance(seen.schema.value, Mapping) else {} for seen in (old, new))
    for keyword in _CONDITIONS:
        if before.get(keyword) != after.get(keyword):
            yield "assertion-changed", _or_none(before.get(keyword)), _or_none(after.get(keyword))


def notes(old: Shape, new: Shape) -> Differences:
    """Compare ``default`` and ``deprecated``."""
    if old.default != new.default:
        yield "default-changed", _or_none(old.default, null=None), _or_none(new.default, null=None)
    if old.deprecated != new.deprecated:
        yield ("deprecated" if new.deprecated else "undeprecated"), MISSING, MISSING


ASSERTIONS: tuple[Callable[[Shape, Shape], Differences], ...] = (
    types,
    values,
    formats,
    encodings,
    bounds,
    multiples,
    patterns,
    conditions,
    notes,
)
