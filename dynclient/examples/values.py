"""Make a value from a schema, top down.

Rule 1: examples and defaults of the document come first, then const, enum, format, pattern and bounds.
Rule 2: readOnly properties are omitted in a request, writeOnly ones in a response.
Rule 3: optional properties are omitted below some depth, and once the value has become large, so that recursion ends.
Rule 4: after a maximum number of values, all others are null, which may be invalid.
Rule 5: the same options give the same value in every run.
"""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from fractions import Fraction
from itertools import chain, islice
from random import Random
from typing import Any, Literal
from zlib import crc32

from dynclient._json_types import TYPES
from dynclient._records import Record
from dynclient._schemas import (
    MISSING,
    Discriminator,
    Shape,
    applied,
    bases,
    cache,
    component_name,
    is_binary,
    joined,
    members,
    shape,
)
from dynclient._schemas.bundles import BROKEN
from dynclient._schemas.shapes import shared_values, with_branch
from dynclient._validation import validator
from dynclient.examples import patterns, realistic
from dynclient.examples.scalars import Bounds, number, rotated, texts
from dynclient.media_types import find
from dynclient.model import Schema

Direction = Literal["request", "response"]

_OPTIONAL_DEPTH = 3
_DEPTH = 24
_UNION_DEPTH = 16  # Unions nested deeper than this count as a cycle.
_NODES = 150
_MOST_NODES = 5_000  # Required properties count too: fifteen schemas may require each other a million times.
_ITEMS = 1000
_FAKED_ITEMS = 3  # of a list that looks real
_TRIES = 30
_MOST_BRANCHES = 8  # of a union that are tried
ANYTHING: tuple[Any, ...] = ("string", 1, True, None, [], {})  # Values for schemas that only exclude values.


class MakerOptions(Record):
    """How to make a value.

    ``documented`` decides whether examples of the document are used as they are, only if they are valid, or not at
    all; if they are not trusted, branches of unions are tried until the value is valid. ``optional`` includes optional
    properties, ``turn`` selects the first branch of each union to try, and ``apart`` adds what only one branch of a
    ``oneOf`` matches. ``files`` means that binary data is ``bytes``, as in a multipart body. ``fake`` is the seed of
    values that look real; None makes none.
    """

    direction: Direction
    seed: int = 0
    documented: Literal["trusted", "checked", "none"] = "trusted"
    optional: bool = True
    turn: int = 0
    apart: bool = False
    files: bool = False
    fake: int | None = None


class Maker:
    """Makes one value."""

    def __init__(self, options: MakerOptions, trying: frozenset[Any] = frozenset()) -> None:
        """Start a value with these options; ``trying`` are the branches of unions that it is made to try."""
        self._options = options
        self._trying = trying
        self._left = _NODES if options.fake is None else _NODES * _FAKED_ITEMS
        self._shift = 0
        # A realistic value depends on the names of the value and of its object, and on the object's number.
        self._name_of_value = ""
        self._owner = ""
        self._objects = self._current = 0

    def make(self, schema: Schema, depth: int = 0) -> Any:
        """Make a value.

        Raises:
            DocumentError: a schema below is broken.
        """
        seen, before = shape(schema), (self._options, self._shift)
        if not _may_overlap(seen.one_of or seen.any_of):
            return self._value(schema, depth)
        chosen = self._branch(schema, seen.one_of or seen.any_of, depth)
        if chosen is None:
            return None
        self._shift += chosen.seed
        self._options = self._options._replace(turn=chosen.turn, apart=chosen.apart)
        try:
            return self._value(schema, depth)
        finally:
            self._options, self._shift = before

    def _branch(self, schema: Schema, branches: tuple[Schema, ...], depth: int) -> MakerOptions | None:
        """The options with the first branch of a union that gives a valid value; None if only null is valid.

        The seed is what to add to the value's own: another number may be one that other branches don't match.
        """
        known = cache(schema.references, "branches")
        depth = min(max(depth, _OPTIONAL_DEPTH - 1), _OPTIONAL_DEPTH)
        count = sum(max(1, len(each.one_of or each.any_of)) for each in map(shape, branches))
        check = validator(schema, self._options.direction)
        for apart in (False, True):
            for seed in range(min(count, _MOST_BRANCHES)):
                turn = (self._options.turn + seed) % count
                # Not with the value's own seed, so that the choice does not depend on the values made before.
                options = self._options._replace(seed=seed, turn=turn, apart=apart, fake=None)
                key = schema.uri, depth, options
                if key in self._trying:  # the same schema within itself
                    continue
                if key not in known:
                    value = Maker(options, self._trying | {key})._value(schema, depth)  # noqa: SLF001  # its own
                    known[key] = not check.faults(value, places=False)
                if known[key]:
                    return options
        return self._options._replace(seed=0) if check.faults(None, places=False) else None

    def _value(self, schema: Schema, depth: int) -> Any:
        self._left -= 1
        if self.is_cut:
            return None
        seen = shape(schema)
        resolved, tags = _without_unions(seen, self._options, simple=depth >= _OPTIONAL_DEPTH)
        if depth or self._options.documented == "checked":
            # The schema's own examples, or those of the branch of its union.
            for each in (seen,) if resolved is seen else (seen, resolved):
                shown = self._documented(schema, each)
                if shown is not MISSING:
                    return copy.deepcopy(shown)
        return self._made(resolved, tags, depth) if depth <= _DEPTH else None

    @property
    def is_cut(self) -> bool:
        """Whether the value has more parts than are made."""
        return self._left < _NODES - _MOST_NODES

    @property
    def _seed(self) -> int:
        return self._options.seed + self._shift

    @property
    def _varied(self) -> int:
        """A number that selects one of a few values; realistic values differ at each place."""
        return self._seed if self._options.fake is None else crc32(self._key.encode("utf-8", "replace"))

    @property
    def _key(self) -> str:
        """The seed of a realistic value: each place in a value has its own."""
        return f"{self._options.fake} {self._seed} {self._left} {self._name_of_value}"

    @property
    def _person(self) -> str:
        return f"{self._options.fake} {self._seed} {self._current}"

    def _documented(self, schema: Schema, seen: Shape) -> Any:
        if self._options.documented == "none":
            return MISSING
        known = cache(schema.references, "documented")
        for value in documented(seen, self._seed):
            if self._options.documented == "trusted":
                return value
            key = schema.uri, self._options.direction, id(value)
            if key not in known:
                # The value is kept, so that its identity remains its own.
                known[key] = not validator(schema, self._options.direction).faults(value, places=False), value
            if known[key][0]:
                return value
        return MISSING

    def _made(self, seen: Shape, tags: Mapping[str, str], depth: int) -> Any:
        if seen.const is not MISSING:
            return copy.deepcopy(seen.const)
        if seen.enum:
            allowed = [value for value in seen.enum if value is not None] or seen.enum
            return copy.deepcopy(allowed[(self._varied + self._options.turn) % len(allowed)])
        kind = _kind(seen, self._options.turn)
        if kind == "object":
            return self._object(seen, tags, depth)
        if kind == "array":
            return self._array(seen, depth)
        return _SCALARS[kind](self, seen, depth)

    def _object(self, seen: Shape, tags: Mapping[str, str], depth: int) -> dict[str, Any]:
        self._objects += 1
        here = (component_name(seen.schema) or self._name_of_value, self._objects)
        value: dict[str, Any] = {}
        for name, schema in self._included(seen, depth):
            with suppress(*BROKEN):  # a broken part, which no request may use
                if not shape(schema).is_hidden(self._options.direction):
                    self._name_of_value, (self._owner, self._current) = name, here
                    value[name] = self.make(schema, depth + 1)
        for name in sorted(seen.required - seen.properties.keys()):
            value[name] = self._additional(seen, depth)
        value |= {name: tag for name, tag in tags.items() if _is_open_to(seen, name, tag)}
        for name in self._more_names(seen, value, depth):
            value[name] = self._named(name, seen, depth)
        return value

    def _included(self, owner: Shape, depth: int) -> Iterator[tuple[str, Schema]]:
        """The required properties, and the optional ones as long as there is room for them."""
        optional = [name for name in owner.properties if name not in owner.required]
        most = owner.constraints.get("maxProperties", math.inf) - len(owner.required)
        if most < len(optional):
            optional = rotated(optional, self._seed + self._options.turn)[: max(int(most), 0)]
        for name, schema in owner.properties.items():
            if name in owner.required or (self._roomy(depth) and name in optional):
                yield name, schema

    def _roomy(self, depth: int) -> bool:
        return self._options.optional and depth < _OPTIONAL_DEPTH and self._left > 0

    def _name(self, seen: Shape, index: int, others: Mapping[str, Any]) -> str:
        """The name of a further property, by ``propertyNames`` or by a pattern."""
        allowed = applied(seen.schema, "propertyNames")
        if allowed:
            names = joined(seen.schema, "propertyNames", allowed)
            check = validator(names, self._options.direction)
            numbered = (f"{text}{index + 1}" for text in texts(shape(names), self._seed))
            made = chain(shape(names).enum or (), texts(shape(names), self._seed), numbered)
            found = (name for name in made if name not in others and not check.faults(name, places=False))
            return str(next(found, f"key{index + 1}"))
        pattern = next(iter(seen.pattern_properties), None) if not _free(seen) else None
        random = Random(f"{self._seed}:{index}")  # noqa: S311  # not for secrets; the same in every run
        text = patterns.text(pattern, random, index % 3) if pattern is not None else None
        return text if text is not None else f"key{index + 1}"

    def _more_names(self, seen: Shape, value: Mapping[str, Any], depth: int) -> Iterator[str]:
        """Names of further properties: as many as ``minProperties`` requires, or one to show that they are allowed."""
        low = int(seen.constraints.get("minProperties", 0))
        if len(value) < low and depth <= _OPTIONAL_DEPTH + 1:
            left = rotated((name for name in seen.properties if name not in value), self._seed + self._options.turn)
            optional = (name for name in left if not shape(seen.properties[name]).is_hidden(self._options.direction))
            yield from islice(optional, low - len(value))
        open_ended = not seen.properties and (isinstance(seen.additional, Schema) or bool(seen.pattern_properties))
        missing = min(max(low - len(value), 1 if open_ended and self._roomy(depth) else 0), _ITEMS)
        high = int(min(seen.constraints.get("maxProperties", _ITEMS), _ITEMS))
        for index in range(min(missing, max(high - len(value), 0))):
            yield self._name(seen, index, value)

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
        # One level deeper than optional properties, so that an array shows an item.
        shown = _FAKED_ITEMS if self._options.fake is not None and depth <= 1 else 1
        count = min(max(low, shown if self._roomy(depth - 1) else 0), high, _ITEMS)
        while len(items) < count and not (seen.items is not None and seen.items.value is False):
            items.append(self._item(seen, depth, items))
        for contained in applied(seen.schema, "contains"):
            count = int(seen.constraints.get("minContains", 1))
            check = validator(contained, self._options.direction)
            if sum(not check.faults(item, places=False) for item in items) < count:
                both = joined(seen.schema, "contains", [*filter(None, [seen.items]), contained])
                made = [self.make(both, depth + 1) for _ in range(min(count, _ITEMS))]
                items = [*items[: max(high - count, 0)], *made]
        return items[:high] if len(items) > high else items

    def _item(self, seen: Shape, depth: int, others: list[Any]) -> Any:
        """One more item; with ``uniqueItems``, the seed is changed until the item differs from the others."""
        if seen.items is None:
            return f"string{len(others)}" if others else "string"
        shift, name = self._shift, self._name_of_value
        item = self.make(seen.items, depth + 1)
        self._name_of_value = name
        if seen.constraints.get("uniqueItems"):
            for more in range(1, _TRIES):
                if item not in others:
                    break
                self._shift = shift + more
                item = self.make(seen.items, depth + 1)
        self._shift = shift
        return item

    def _text(self, seen: Shape, depth: int) -> str | bytes:
        if is_binary(seen.schema) and (self._options.files or not depth):
            return b"example".ljust(int(min(seen.constraints.get("minLength", 0), _ITEMS)), b".")
        faked: Iterator[str] = iter(())
        if self._options.fake is not None:
            faked = realistic.texts(self._name_of_value, self._owner, seen.format, self._person, self._key)
        found: Iterator[str] = texts(seen, self._seed, faked)
        content = applied(seen.schema, "contentSchema")
        if content and seen.content_media_type and find(seen.content_media_type).name == "json":
            return json.dumps(self.make(content[0], depth + 1))
        if "pattern" in seen.constraints:
            # A text made from a pattern does not always match it, and the format's own may not either.
            check = validator(seen.schema, self._options.direction)
            first = next(found)
            valid = (text for text in chain([first], found) if not check.faults(text, places=False))
            best = next(valid, first)
            # An empty text is seldom meant, and can't be sent in a path.
            return best or next(filter(None, valid), best)
        return next(found)

    def _number(self, seen: Shape, _depth: int) -> int | float:
        whole = "number" not in seen.types
        if self._options.fake is not None:
            faked = realistic.number(self._name_of_value, self._person, self._key, whole=whole)
            if Bounds(seen.constraints, seen.format).allow(Fraction(str(faked))):
                return faked
        random = Random(str(self._seed)) if self._seed else None  # noqa: S311  # not for secrets
        return number(seen.constraints, seen.format, random, whole=whole)

    def _boolean(self, _seen: Shape, _depth: int) -> bool:
        return self._varied % 2 == 0

    def _null(self, _seen: Shape, _depth: int) -> None:
        return None


_SCALARS: Mapping[str, Callable[[Maker, Shape, int], Any]] = {
    "string": Maker._text,  # noqa: SLF001  # a table of its own methods
    "integer": Maker._number,  # noqa: SLF001  # a table of its own methods
    "number": Maker._number,  # noqa: SLF001  # a table of its own methods
    "boolean": Maker._boolean,  # noqa: SLF001  # a table of its own methods
    "null": Maker._null,  # noqa: SLF001  # a table of its own methods
}
_KINDS = ("object", "array", "string", "integer", "number", "boolean", "null")

# The type that a keyword implies where the schema has no type (JSON Schema 2020-12 Validation, 6).
_IMPLIED = {
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
    """List the examples of a schema, beginning with the one that the seed selects, and then its default."""
    values = rotated(seen.examples, seed)
    if seen.default is not MISSING and seen.default not in ({}, []):
        values.append(seen.default)
    # Without values of another type, and those that an enum lacks.
    return [value for value in values if _may_be(seen, value)]


def _may_be(seen: Shape, value: Any) -> bool:
    if seen.fixed is not None and value not in seen.fixed:
        return False
    return not seen.types or any(TYPES[name](value) for name in seen.types)


def _kind(seen: Shape, turn: int) -> str:
    if seen.types:
        kinds = [kind for kind in _KINDS if kind in seen.types and kind != "null"] or ["null"]
        return kinds[turn % len(kinds)]
    if seen.properties or seen.required or isinstance(seen.additional, Schema) or seen.pattern_properties:
        return "object"
    if seen.items is not None or seen.prefix_items:
        return "array"
    return next((kind for keyword, kind in _IMPLIED.items() if keyword in seen.constraints), "string")


def _free(seen: Shape) -> bool:
    """Whether properties of any name are allowed."""
    return seen.additional is not False and not (seen.pattern_properties and seen.additional is True)


def _is_open_to(owner: Shape, name: str, tag: str) -> bool:
    if name not in owner.properties:
        return _free(owner)
    seen = shape(owner.properties[name])
    return bool(seen.const == tag) if seen.const is not MISSING else seen.enum is None or tag in seen.enum


# Unions.


def _without_unions(seen: Shape, options: MakerOptions, *, simple: bool) -> tuple[Shape, dict[str, str]]:
    """Choose a branch of each union; return the resulting shape, and the discriminator values by property.

    ``simple`` prefers branches that are neither objects nor arrays, so that recursion ends.
    """
    tags: dict[str, str] = {}
    turn = options.turn
    others = _other_unions(seen)
    settled = set(bases(seen.schema)) if seen.discriminator is not None else {seen.schema.uri}
    for _ in range(_UNION_DEPTH):
        found = seen.discriminator
        if found is not None and found.inherited:
            seen = _heir(seen, found, turn, tags)
        elif found is not None and any(picked.uri in settled for picked in found.mapping.values()):
            # A branch that has the union in its allOf, so the branch is known.
            for own in filter(None, () if tags else bases(seen.schema).values()):
                _tag(own, seen.schema, tags)
            return seen._replace(one_of=(), any_of=(), discriminator=None), tags
        branches = seen.one_of or seen.any_of
        if not branches:
            break
        branch = _chosen(seen, branches, turn, simple=simple)
        if found is not None:
            _tag(found, branch.schema, tags)
        settled.add(branch.schema.uri)
        around, seen = seen, with_branch(seen, branch)
        if options.apart and around.one_of:
            seen = _apart(seen, around.one_of, options.direction)
    for branches in others:
        seen = with_branch(seen, _chosen(seen, branches, turn, simple=simple))
    return seen, tags


def _apart(seen: Shape, branches: tuple[Schema, ...], direction: Direction) -> Shape:
    """Require a property of each other branch, with a value that is invalid there: a ``oneOf`` may match only one."""
    for branch in branches:
        for name, schema in shape(branch).properties.items():
            wrong = MISSING if name in seen.properties else _invalid_value(schema, direction)
            if wrong is not MISSING:
                added = schema._replace(uri=f"{schema.uri}/not", value={"const": wrong})
                seen = seen._replace(properties={**seen.properties, name: added}, required=seen.required | {name})
                break
    return seen


def _invalid_value(schema: Schema, direction: Direction) -> Any:
    known, key = cache(schema.references, "invalid values"), (schema.uri, direction)
    if key not in known:
        check = validator(schema, direction)
        known[key] = next((value for value in ANYTHING if check.faults(value, places=False)), MISSING)
    return known[key]


def _other_unions(seen: Shape) -> list[tuple[Schema, ...]]:
    """The unions in the allOf of a schema, without the one that its shape has; those of named schemas aside."""
    if not (seen.one_of or seen.any_of):
        return []
    own = [part for part, _ in members(seen.schema) if part.uri.startswith(f"{seen.schema.uri}/allOf/")]
    unions = [shape(part)._replace(schema=part) for part in own if isinstance(part.value, Mapping)]
    found = [union for each in unions for union in (each.one_of, each.any_of) if union]
    return [union for union in found if union not in {seen.one_of, seen.any_of}]


def _chosen(around: Shape, branches: tuple[Schema, ...], turn: int, *, simple: bool) -> Shape:
    shapes = [shape(branch) for branch in branches]
    fitting = [found for found in shapes if found.types != {"null"}] or shapes
    fitting = [found for found in fitting if shared_values(around, found) != ()] or fitting
    if simple:
        fitting = [found for found in fitting if found.types and not found.types & {"object", "array"}] or fitting
    return fitting[turn % len(fitting)]


def _may_overlap(branches: tuple[Schema, ...]) -> bool:
    """Whether a value may match several branches of a union, or the branch may not be that of the value."""
    shapes = [shape(branch) for branch in branches]
    if any(each.one_of or each.any_of for each in shapes):
        return True
    types = [{"number" if name == "integer" else name for name in each.types - {"null"}} for each in shapes]
    return len(types) > 1 and (not all(types) or sum(map(len, types)) > len(set().union(*types)))


def _heir(seen: Shape, found: Discriminator, turn: int, tags: dict[str, str]) -> Shape:
    """The schema itself if the discriminator has a value for it, or one of its heirs on another turn."""
    _tag(found, seen.schema, tags)
    heirs = [heir for heir in found.mapping.values() if heir.uri != seen.schema.uri]
    if not heirs or (found.property_name in tags and not turn):
        return seen._replace(discriminator=None)
    heir = shape(heirs[turn % len(heirs)])
    _tag(found, heir.schema, tags)
    return heir._replace(discriminator=None)


def _tag(found: Discriminator, schema: Schema, tags: dict[str, str]) -> None:
    for value, picked in found.mapping.items():  # The last one counts: explicit mappings come after names.
        if picked.uri == schema.uri:
            tags[found.property_name] = value
