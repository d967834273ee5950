"""Convert values by a schema: texts, as in XML, forms and headers, to typed values; bytes and Decimals to JSON values.

Rule 1: a text becomes a value of a type that its schema allows; numbers are tried before booleans, and booleans before
null. If text is allowed too, only values that would be written in the same way again are converted. A text that fits no
type stays text, for the validator to report.
Rule 2: the lexical forms are those of XML Schema and of JSON: ``true``, ``1``, ``-0.5e3``. An infinity is not a number.
Rule 3: one element may be an array of one: if the schema allows only a list, a text becomes a list of texts.
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any, NoReturn

from dynclient._deferred import expression
from dynclient._json_types import decimal_text, is_decimal, plain_number
from dynclient._schemas.shapes import Shape, branches, shape
from dynclient.exceptions import ArgumentError, DocumentError
from dynclient.json_pointer import MISSING
from dynclient.model import Schema

_INTEGER = expression(r"[+-]?[0-9]{1,4000}", re.ASCII)
_NUMBER = expression(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?", re.ASCII)
_DEEPEST = 128


def typed(schema: Schema, value: Any) -> Any:
    """Convert texts to the types that a schema has for them.

    ``value`` is a text, or a list or a dict with texts as leaves; other values are returned as they are. So are texts
    for which the schema has no type, and values that are nested deeper than a document may be.
    """
    return _TYPED.value(schema, value)


def from_text(schema: Schema, text: str) -> Any:
    """Read a text that a person has written: an array or object as JSON, anything else by its type.

    If the schema has no type, JSON is read as JSON, and everything else is text.

    Raises:
        ValueError: an array or object is not JSON.
    """
    seen = shape(schema)
    if len(seen.types) == 1 and not (seen.enum or seen.one_of or seen.any_of):
        # Most texts are numbers, which need no more.
        (name,) = seen.types
        if name in TYPED and (value := TYPED[name](text)) is not MISSING:
            return value
    if text.lstrip()[:1] in {"{", "["} and "string" not in seen.types:
        return read_json(text)
    if seen.types or seen.enum or seen.one_of or seen.any_of:
        return _READ.value(schema, text)
    with suppress(ValueError):
        return read_json(text)
    return text


def read_json(text: str) -> Any:
    """Read JSON that a person has written.

    Raises:
        ValueError: it is not JSON; RFC 8259, 6: Infinity and NaN are not permitted.
    """
    try:
        return json.loads(text, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")


def read(schema: Schema, value: Any) -> Any:
    """Read the texts within a value as :func:`from_text` does; invalid JSON stays text, for the validator."""
    return _READ.value(schema, value)


def settled(schema: Schema, value: Any, *, files: bool = False) -> Any:
    """Give bytes, Decimals and floats without a fraction the form that a schema has for them, within a plain value.

    Bytes become base64; with ``files`` they stay, as the files of a form. A Decimal becomes a string if the schema has
    a string, else a number with all of its digits. A float becomes an int if the schema has only integers.

    Raises:
        ArgumentError: the schema has a plain string, but the value is bytes.
    """
    return (_SETTLED_BUT_FILES if files else _SETTLED).value(schema, value)


class ValueWalk:
    """Walks through a value and its schema together, and replaces the leaves.

    ``leaf`` is called with the shapes that may apply to a leaf for which ``is_changed`` is true, the leaf and its path;
    it returns the new value. ``ends`` may say, for the shape of an array's items, that none of their leaves changes.
    """

    def __init__(
        self,
        leaf: Callable[[list[Shape], Any, str], Any],
        is_changed: Callable[[Any], bool],
        ends: Callable[[Shape], bool] | None = None,
        whole: Callable[[list[Shape], Any, str], Any] | None = None,
    ) -> None:
        """``whole`` is called with the shapes of an object, its new value and its path, and returns a newer one."""
        self._leaf = leaf
        self._is_changed = is_changed
        self._ends = ends
        self._whole = whole

    def value(self, schema: Schema, value: Any, path: str = "$", depth: int = 0) -> Any:
        """Replace the leaves of a value; where the schema is broken or ends, they stay as they are."""
        is_leaf = not isinstance(value, (dict, list))
        if depth > _DEEPEST or (is_leaf and not self._is_changed(value)):
            return value
        try:
            shapes = _choices(schema, value)
        except DocumentError:
            return value
        if is_leaf:
            return self._leaf(shapes, value, path)
        if isinstance(value, list):
            return self._list(shapes, value, path, depth)
        return self._dict(shapes, value, path, depth)

    def _list(self, shapes: list[Shape], values: list[Any], path: str, depth: int) -> list[Any]:
        arrays = [each for each in shapes if each.items is not None or each.prefix_items]
        if self._ends and arrays and all(each.items and not each.prefix_items for each in arrays):
            with suppress(DocumentError):
                if all(self._ends(shape(each.items)) for each in arrays if each.items):
                    return values
        result = []
        for index, value in enumerate(values):
            below = (each.prefix_items[index] if index < len(each.prefix_items) else each.items for each in arrays)
            result.append(self._by([each for each in below if each], value, f"{path}[{index}]", depth))
        return result if _differ(result, values) else values

    def _dict(self, shapes: list[Shape], values: dict[str, Any], path: str, depth: int) -> Any:
        fitting = _fitting(shapes, values)
        result = {}
        for name, value in values.items():
            named = [each.properties[name] for each in fitting if name in each.properties]
            other = [each.additional for each in fitting if isinstance(each.additional, Schema)]
            result[name] = self._by(named or other, value, f"{path}.{name}", depth)
        made = result if _differ(result.values(), values.values()) else values
        return made if self._whole is None else self._whole(fitting, made, path)

    def _by(self, schemas: list[Schema], value: Any, path: str, depth: int) -> Any:
        """Convert a value by the first schema that has a type for it; an object by the one that it fits best."""
        if isinstance(value, dict):
            schemas = sorted(schemas, key=lambda schema: _misfit(schema, value))[:1]
        for schema in schemas:
            made = self.value(schema, value, path, depth + 1)
            if made is not value or _takes(schema, value):
                return made
        return value


def _differ(made: Iterable[Any], values: Iterable[Any]) -> bool:
    return any(one is not other for one, other in zip(made, values, strict=True))


def _choices(schema: Schema, value: Any) -> list[Shape]:
    """Return a shape, and those of its ``oneOf`` and ``anyOf`` that may apply: the one of the discriminator, or all."""
    seen = shape(schema)
    picked = _picked(seen, value)
    return branches(schema) if picked is None else [seen, *branches(picked)]


def _picked(seen: Shape, value: Any) -> Schema | None:
    if seen.discriminator is None or not isinstance(value, Mapping):
        return None
    name = value.get(seen.discriminator.property_name)
    picked = seen.discriminator.mapping.get(name) if isinstance(name, str) else None
    return picked or seen.discriminator.default


def _from_text(shapes: list[Shape], text: str, path: str) -> Any:
    types = frozenset[str]().union(*(each.types for each in shapes))
    fixed = [value for each in shapes for value in (each.enum or ())]
    if text in fixed:
        return text
    for name, made in TYPED.items():
        value = made(text) if name in types else MISSING
        if value is not MISSING and ("string" not in types or _spelled(value) == text != "null"):
            return value
    for value in fixed:
        if not types and not isinstance(value, str) and _spelled(value) == text:
            return value
    takes_any_text = any("string" in each.types and each.enum is None for each in shapes)
    if "array" in types and "object" not in types and not takes_any_text:
        items = next((each.items for each in shapes if each.items is not None), None)
        return [] if not text else [text if items is None else _TYPED.value(items, text, f"{path}[0]", 1)]
    if text == "" and types == {"object"}:
        return {}
    return text


def _fitting(shapes: list[Shape], values: Mapping[str, Any]) -> list[Shape]:
    """Sort the shapes by how well they fit an object: those with most of its properties first."""
    return [shapes[0], *sorted(shapes[1:], key=lambda seen: _misfit(seen.schema, values))]


def _misfit(schema: Schema, values: Mapping[str, Any]) -> tuple[bool, int, int]:
    """Whether a property has another value than its schema, and how many are missing and known."""
    try:
        seen = shape(schema)
        fixed = any(
            name in values
            and (allowed := shape(each).fixed) is not None
            and values[name] not in (*allowed, *map(_spelled, allowed))
            for name, each in seen.properties.items()
        )
    except DocumentError:
        return True, 0, 0
    return fixed, len(seen.required - values.keys()), -len(seen.properties.keys() & values.keys())


def _takes(schema: Schema, value: Any) -> bool:
    """Whether a schema names the type that a leaf has already."""
    try:
        types = shape(schema).types
    except DocumentError:
        return False
    if isinstance(value, str):
        return "string" in types
    return (isinstance(value, float) or is_decimal(value)) and bool(types & {"integer", "number"})


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _null(text: str) -> Any:
    return None if text in {"", "null"} else MISSING


def _boolean(text: str) -> Any:
    return {"true": True, "1": True, "false": False, "0": False}.get(text.strip(), MISSING)


def _integer(text: str) -> Any:
    number = _number(text)
    is_whole = isinstance(number, int) or (isinstance(number, float) and number.is_integer() and abs(number) < 2**53)
    return int(number) if is_whole else MISSING


def _number(text: str) -> Any:
    text = text.strip()
    if _INTEGER.fullmatch(text):
        return int(text)
    number = float(text) if _NUMBER.fullmatch(text) else math.inf
    return number if math.isfinite(number) else MISSING


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


def _read(shapes: list[Shape], text: str, path: str) -> Any:
    types = frozenset[str]().union(*(each.types for each in shapes))
    if "string" not in types:
        if text.lstrip()[:1] in {"{", "["}:
            with suppress(ValueError):
                return read_json(text)
        if "boolean" in types and text.strip().lower() in {"true", "false"}:
            # Spreadsheets and Python write TRUE and True.
            return text.strip().lower() == "true"
    return _from_text(shapes, text, path)


_TYPED = ValueWalk(_from_text, _is_text)
_READ = ValueWalk(_read, _is_text)


# -- settling ----------------------------------------------------------------------------------------------------------

_ENCODED_FORMATS = frozenset({"base64", "base64url", "binary", "byte"})


def _settle(shapes: list[Shape], value: Any, path: str) -> Any:
    types = frozenset[str]().union(*(each.types for each in shapes))
    if is_decimal(value):
        if "string" in types and not types & {"integer", "number"}:
            return decimal_text(value)
        return plain_number(value)
    if isinstance(value, float):
        return int(value) if value.is_integer() and "integer" in types and "number" not in types else value
    if not isinstance(value, bytes):
        return value
    if "string" in types and not any(map(_is_encoded, shapes)):
        raise ArgumentError(
            f"{path} is bytes, but the document has a plain string there",
            argument=path,
            hint="pass text, such as value.decode(), or base64.b64encode(value).decode() if the server expects that",
        )
    return base64.b64encode(value).decode("ascii")


def _is_encoded(seen: Shape) -> bool:
    return bool(seen.content_encoding or seen.content_media_type or seen.format in _ENCODED_FORMATS)


def _is_settled(items: Shape) -> bool:
    return items.types == {"number"} and not (items.one_of or items.any_of)


_SETTLED = ValueWalk(_settle, lambda leaf: isinstance(leaf, (float, bytes)) or is_decimal(leaf), _is_settled)
_SETTLED_BUT_FILES = ValueWalk(_settle, lambda leaf: isinstance(leaf, float) or is_decimal(leaf), _is_settled)
