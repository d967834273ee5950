"""Texts -> typed values, by a schema: for XML, forms and headers, whose leaves are all text.

Rule 1: a text becomes a value of a type that its schema allows; of several, numbers go before booleans, and those
before null. If text is allowed too, only values that would be written the same again. A text that fits no type stays
text, for the validator to report.
Rule 2: the lexical forms are those of XML Schema and of JSON: ``true``, ``1``, ``-0.5e3``. An infinity is not a number.
Rule 3: one element may be an array of one: if the schema allows only a list, a text becomes a list of texts.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from dynclient._expressions import expression
from dynclient._schemas.shapes import Shape, shape
from dynclient.exceptions import DocumentError
from dynclient.model import Schema

_INTEGER = expression(r"[+-]?[0-9]{1,4000}", re.ASCII)
_NUMBER = expression(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?", re.ASCII)
_DEEPEST = 128
_NOTHING = object()


def typed(schema: Schema, value: Any) -> Any:
    """Convert texts to the types that a schema has for them.

    ``value`` is a text, or a list or a dict with texts as leaves; other values are returned as they are. So are texts
    for which the schema has no type, and values that are nested deeper than a document may be.
    """
    return _typed(schema, value, 0)


def _typed(schema: Schema, value: Any, depth: int) -> Any:
    if depth > _DEEPEST or not isinstance(value, (str, dict, list)):
        return value
    try:
        shapes = list(_choices(shape(schema), value))
    except DocumentError:
        return value
    if isinstance(value, str):
        return _from_text(shapes, value, depth)
    if isinstance(value, list):
        return _from_list(shapes, value, depth)
    return _from_dict(shapes, value, depth)


def _choices(seen: Shape, value: Any) -> Iterator[Shape]:
    """Yield a shape, and those of its ``oneOf`` and ``anyOf`` that may apply: the one of the discriminator, or all."""
    picked = _picked(seen, value)
    branches = (picked,) if picked is not None else (*seen.one_of, *seen.any_of)
    waiting = [seen, *(shape(branch) for branch in branches)]
    known: set[str] = set()
    while waiting:
        here = waiting.pop(0)
        if here.schema.uri not in known:
            known.add(here.schema.uri)
            yield here
            if here is not seen:
                waiting += [shape(branch) for branch in (*here.one_of, *here.any_of)]


def _picked(seen: Shape, value: Any) -> Schema | None:
    if seen.discriminator is None or not isinstance(value, Mapping):
        return None
    name = value.get(seen.discriminator.property_name)
    picked = seen.discriminator.mapping.get(name) if isinstance(name, str) else None
    return picked or seen.discriminator.default


def _from_text(shapes: list[Shape], text: str, depth: int) -> Any:
    types = frozenset[str]().union(*(each.types for each in shapes))
    fixed = [value for each in shapes for value in (each.enum or ())]
    if text in fixed:
        return text
    for name, made in TYPED.items():
        value = made(text) if name in types else _NOTHING
        if value is not _NOTHING and ("string" not in types or _spelled(value) == text != "null"):
            return value
    for value in fixed:
        if not types and not isinstance(value, str) and _spelled(value) == text:
            return value
    takes_any_text = any("string" in each.types and each.enum is None for each in shapes)
    if "array" in types and "object" not in types and not takes_any_text:
        return _from_list(shapes, [text] if text else [], depth)
    if text == "" and types == {"object"}:
        return {}
    return text


def _from_list(shapes: list[Shape], values: list[Any], depth: int) -> list[Any]:
    arrays = [each for each in shapes if each.items is not None or each.prefix_items]
    result = []
    for index, value in enumerate(values):
        below = (each.prefix_items[index] if index < len(each.prefix_items) else each.items for each in arrays)
        result.append(_by(filter(None, below), value, depth))
    return result


def _from_dict(shapes: list[Shape], values: dict[str, Any], depth: int) -> dict[str, Any]:
    fitting = _fitting(shapes, values)
    result = {}
    for name, value in values.items():
        named = [each.properties[name] for each in fitting if name in each.properties]
        other = [each.additional for each in fitting if isinstance(each.additional, Schema)]
        result[name] = _by(iter(named or other), value, depth)
    return result


def _fitting(shapes: list[Shape], values: Mapping[str, Any]) -> list[Shape]:
    """Sort the shapes by how well they fit an object: those with most of its properties first."""

    def known(seen: Shape) -> tuple[bool, int, int]:
        lacks = len(seen.required - values.keys())
        fixed = any(
            name in values
            and (below := shape(schema)).enum is not None
            and values[name] not in map(_spelled, below.enum)
            for name, schema in seen.properties.items()
        )
        return fixed, lacks, -len(seen.properties.keys() & values.keys())

    return [shapes[0], *sorted(shapes[1:], key=known)]


def _by(schemas: Iterator[Schema], value: Any, depth: int) -> Any:
    """Convert a value by the first schema that has a type for it."""
    for schema in schemas:
        made = _typed(schema, value, depth + 1)
        if type(made) is not type(value) or made != value or _allows_text(schema, value):
            return made
    return value


def _allows_text(schema: Schema, value: Any) -> bool:
    try:
        return isinstance(value, str) and "string" in shape(schema).types
    except DocumentError:
        return False


def _null(text: str) -> Any:
    return None if text in {"", "null"} else _NOTHING


def _boolean(text: str) -> Any:
    return {"true": True, "1": True, "false": False, "0": False}.get(text.strip(), _NOTHING)


def _integer(text: str) -> Any:
    number = _number(text)
    is_whole = isinstance(number, int) or (isinstance(number, float) and number.is_integer() and abs(number) < 2**53)
    return int(number) if is_whole else _NOTHING


def _number(text: str) -> Any:
    text = text.strip()
    if _INTEGER.fullmatch(text):
        return int(text)
    number = float(text) if _NUMBER.fullmatch(text) else math.inf
    return number if math.isfinite(number) else _NOTHING


TYPED: dict[str, Callable[[str], Any]] = {
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "null": _null,
}
"""Converts a text to each type, in the order in which they are tried."""


def _spelled(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "null" if value is None else value if isinstance(value, str) else str(value)
