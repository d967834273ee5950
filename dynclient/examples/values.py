"""A value made from a schema, from the top down.

Rule 1: what the document shows goes first: examples, default; then const, enum, format, pattern, bounds.
Rule 2: readOnly is not in a request, writeOnly not in a response.
Rule 3: what may be left out is left out below some depth, and once the value has grown large: recursion ends.
Rule 4: the same way gives the same value, in every run.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import Any, Literal

from dynclient._records import Record
from dynclient._schemas import MISSING, Shape, is_binary, shape
from dynclient._validation import validator
from dynclient.examples import patterns
from dynclient.examples.numbers import number
from dynclient.examples.texts import texts
from dynclient.examples.unions import settle
from dynclient.model import Schema

Direction = Literal["request", "response"]

_OPTIONAL_DEPTH = 3
_DEPTH = 24
_NODES = 150
_ITEMS = 1000
_TRIES = 30


class Way(Record):
    """One way to make a value.

    ``documented`` tells whether the document's values are taken as they are, only if they are valid, or not at all;
    ``optional`` whether properties that may lack are there; ``turn`` which branch of a union is taken. ``files`` tells
    that the media type takes bytes.
    """

    direction: Direction
    seed: int = 0
    documented: Literal["trusted", "checked", "none"] = "trusted"
    optional: bool = True
    turn: int = 0
    files: bool = False


class Maker:
    """Makes one value in one way."""

    def __init__(self, way: Way) -> None:
        """Take the way."""
        self._way = way
        self._left = _NODES
        self._shift = 0

    def make(self, schema: Schema, depth: int = 0) -> Any:
        """Make a value.

        Raises:
            DocumentError: a schema below is broken.
        """
        self._left -= 1
        seen = shape(schema)
        if depth or self._way.documented == "checked":
            shown = self._documented(schema, seen)
            if shown is not MISSING:
                return copy.deepcopy(shown)
        if depth > _DEPTH:
            return None
        settled = settle(seen, self._way.turn, simple=depth >= _OPTIONAL_DEPTH)
        return self._made(settled.shape, settled.tags, depth)

    @property
    def _seed(self) -> int:
        return self._way.seed + self._shift

    def _documented(self, schema: Schema, seen: Shape) -> Any:
        if self._way.documented == "none":
            return MISSING
        values = documented(seen, self._seed)
        if self._way.documented == "checked":
            check = validator(schema, self._way.direction) if values else None
            values = [value for value in values if check is not None and not check.faults(value, places=False)]
        return values[0] if values else MISSING

    def _made(self, seen: Shape, tags: Mapping[str, str], depth: int) -> Any:
        if seen.const is not MISSING:
            return copy.deepcopy(seen.const)
        if seen.enum:
            told = [value for value in seen.enum if value is not None] or seen.enum
            return copy.deepcopy(told[(self._seed + self._way.turn) % len(told)])
        kind = _kind(seen, self._way.turn)
        if kind == "object":
            return self._object(seen, tags, depth)
        if kind == "array":
            return self._array(seen, depth)
        return _SCALARS[kind](self, seen, depth)

    def _object(self, seen: Shape, tags: Mapping[str, str], depth: int) -> dict[str, Any]:
        value: dict[str, Any] = {}
        for name, schema in seen.properties.items():
            if self._wanted(name, schema, seen, depth):
                value[name] = self.make(schema, depth + 1)
        for name in sorted(seen.required - seen.properties.keys()):
            value[name] = self._additional(seen, depth)
        known = seen.properties
        value.update({name: tag for name, tag in tags.items() if name in known and _open_to(shape(known[name]), tag)})
        for name in self._more_names(seen, value, depth):
            value[name] = self._named(name, seen, depth)
        return value

    def _wanted(self, name: str, schema: Schema, owner: Shape, depth: int) -> bool:
        seen = shape(schema)
        if seen.read_only if self._way.direction == "request" else seen.write_only:
            return False
        return name in owner.required or self._roomy(depth)

    def _roomy(self, depth: int) -> bool:
        return self._way.optional and depth < _OPTIONAL_DEPTH and self._left > 0

    def _more_names(self, seen: Shape, value: Mapping[str, Any], depth: int) -> Iterator[str]:
        """Names for what is not among the properties, as many as have to be there, or one to show that it can be."""
        low = int(seen.constraints.get("minProperties", 0))
        open_ended = not seen.properties and (isinstance(seen.additional, Schema) or bool(seen.pattern_properties))
        missing = min(max(low - len(value), 1 if open_ended and self._roomy(depth) else 0), _ITEMS)
        high = int(min(seen.constraints.get("maxProperties", _ITEMS), _ITEMS))
        for index in range(min(missing, max(high - len(value), 0))):
            pattern = next(iter(seen.pattern_properties), None) if not _free(seen) else None
            random = Random(f"{self._seed}:{index}")  # noqa: S311  # no secret: the same in every run
            found = patterns.text(pattern, random, index % 3) if pattern is not None else None
            yield found if found is not None else f"key{index + 1}"

    def _named(self, name: str, seen: Shape, depth: int) -> Any:
        if name in seen.properties:
            return self.make(seen.properties[name], depth + 1)
        if seen.pattern_properties and not _free(seen):
            return self.make(next(iter(seen.pattern_properties.values())), depth + 1)
        return self._additional(seen, depth)

    def _additional(self, seen: Shape, depth: int) -> Any:
        return self.make(seen.additional, depth + 1) if isinstance(seen.additional, Schema) else "string"

    def _array(self, seen: Shape, depth: int) -> list[Any]:
        items = [self.make(schema, depth + 1) for schema in seen.prefix_items]
        low = int(seen.constraints.get("minItems", 0))
        high = int(seen.constraints.get("maxItems", _ITEMS))
        # One level deeper than what may lack: an array that is asked for shows an item.
        count = min(max(low, 1 if self._roomy(depth - 1) else 0), high, _ITEMS)
        while len(items) < count and not (seen.items is not None and seen.items.value is False):
            items.append(self._item(seen, depth, items))
        return items[:high] if len(items) > high else items

    def _item(self, seen: Shape, depth: int, others: list[Any]) -> Any:
        """One more item; where all have to differ, the seed is moved on until it does."""
        if seen.items is None:
            return f"string{len(others)}" if others else "string"
        shift = self._shift
        item = self.make(seen.items, depth + 1)
        if seen.constraints.get("uniqueItems"):
            for more in range(1, _TRIES):
                if item not in others:
                    break
                self._shift = shift + more
                item = self.make(seen.items, depth + 1)
        self._shift = shift
        return item

    def _text(self, seen: Shape, depth: int) -> str | bytes:
        if is_binary(seen.schema) and (self._way.files or not depth):
            return b"example".ljust(int(min(seen.constraints.get("minLength", 0), _ITEMS)), b".")
        found = texts(seen, self._seed)
        if "pattern" in seen.constraints:
            # The document says what matches; a text made from a pattern only tries to.
            check = validator(seen.schema, self._way.direction)
            made = list(found)
            return next((text for text in made if not check.faults(text, places=False)), made[0])
        return next(found)

    def _number(self, seen: Shape, _depth: int) -> int | float:
        random = Random(str(self._seed)) if self._seed else None  # noqa: S311  # likewise
        return number(seen.constraints, seen.format, random, whole="number" not in seen.types)

    def _boolean(self, _seen: Shape, _depth: int) -> bool:
        return self._seed % 2 == 0

    def _null(self, _seen: Shape, _depth: int) -> None:
        return None


_SCALARS: Mapping[str, Callable[[Maker, Shape, int], Any]] = {
    "string": Maker._text,  # noqa: SLF001  # a table of its own methods
    "integer": Maker._number,  # noqa: SLF001  # likewise
    "number": Maker._number,  # noqa: SLF001  # likewise
    "boolean": Maker._boolean,  # noqa: SLF001  # likewise
    "null": Maker._null,  # noqa: SLF001  # likewise
}
_KINDS = ("object", "array", "string", "integer", "number", "boolean", "null")

# What a keyword says of the type where the document does not (JSON Schema 2020-12 Validation, 6).
_TELLING = {
    "minLength": "string",
    "maxLength": "string",
    "pattern": "string",
    "minimum": "number",
    "maximum": "number",
    "exclusiveMinimum": "number",
    "exclusiveMaximum": "number",
    "multipleOf": "number",
    "minItems": "array",
    "minProperties": "object",
}


def documented(seen: Shape, seed: int) -> list[Any]:
    """What the document shows of a schema's values: its examples, the seed's first, and then its default."""
    turn = seed % len(seen.examples) if seen.examples else 0
    values = [*seen.examples[turn:], *seen.examples[:turn]]
    if seen.default is not MISSING and seen.default not in ({}, [], None):
        values.append(seen.default)
    return values


def _kind(seen: Shape, turn: int) -> str:
    if seen.types:
        kinds = [kind for kind in _KINDS if kind in seen.types and kind != "null"] or ["null"]
        return kinds[turn % len(kinds)]
    if seen.properties or seen.required or isinstance(seen.additional, Schema) or seen.pattern_properties:
        return "object"
    if seen.items is not None or seen.prefix_items:
        return "array"
    return next((kind for keyword, kind in _TELLING.items() if keyword in seen.constraints), "string")


def _free(seen: Shape) -> bool:
    """Whether properties of any name may be there."""
    return seen.additional is not False and not (seen.pattern_properties and seen.additional is True)


def _open_to(seen: Shape, tag: str) -> bool:
    if seen.const is not MISSING:
        return bool(seen.const == tag)
    return seen.enum is None or tag in seen.enum
