"""The Python type of a schema, as a small tree that others make objects, text or syntax of.

Rule 1: a named schema is a leaf: what is behind it is asked for by :func:`definition`. So trees are small and end.
Rule 2: what the document leaves open is ``Any``: a type is true of every valid value, or it is not said.
Rule 3: values are told as they go over the wire: a date is a ``str``. That a datetime may be given too is for the
manual; only where bytes go is the type ``bytes``.
Rule 4: request and response are two directions: readOnly is not sent, writeOnly does not come back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from dynclient._identifiers import class_name
from dynclient._records import Record
from dynclient._schemas import MISSING, Discriminator, Shape, is_binary, shape
from dynclient.model import Schema

Direction = Literal["request", "response"]

# JSON Schema 2020-12, 6.1.1: "integer" and "number" are told apart by "type" only.
_SCALARS = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
_ORDER = tuple(_SCALARS)


class Hint(Record):
    """A node of a type's tree.

    ``kind`` is ``any``, ``scalar`` (``name`` is ``str``, ``int``, ``float``, ``bool``, ``bytes`` or ``None``),
    ``literal`` (of ``values``), ``list`` or ``dict`` (of ``members[0]``), ``union`` (of ``members``), ``named``
    (``schema`` is a component, ``name`` its class name) or ``object`` (``schema`` has properties but no name).
    ``tags`` are the values of a property that pick this branch of a union, as pairs of property and value.
    """

    kind: Literal["any", "scalar", "literal", "list", "dict", "union", "named", "object"]
    name: str = ""
    members: tuple[Hint, ...] = ()
    values: tuple[Any, ...] = ()
    schema: Schema | None = None
    tags: tuple[tuple[str, str], ...] = ()

    def walk(self) -> Iterator[Hint]:
        """This node and those below it."""
        yield self
        for member in self.members:
            yield from member.walk()


class Field(Record):
    """A property of an object in one direction, by its wire name."""

    wire: str
    schema: Schema
    required: bool
    hint: Hint


ANY = Hint("any")
NONE = Hint("scalar", "None")
BYTES = Hint("scalar", "bytes")
STR = Hint("scalar", "str")


def hint_tree(schema: Schema | None, direction: Direction) -> Hint:
    """The type of a schema's valid values; a named schema is named, not described.

    Raises:
        DocumentError: the schema is broken, or a reference of it is.
    """
    return _tree(schema, _Way(direction))


def definition(schema: Schema, direction: Direction) -> Hint:
    """What a named schema stands for: an ``object``, or the type that its name is an alias of.

    That an object may be null too is said where it is named (:func:`hint_tree`), not here.
    """
    seen = shape(schema)
    tree = _described(seen, _Way(direction))
    if has_fields(seen) and NONE in tree.members:
        return union(member for member in tree.members if member != NONE)
    return tree


def fields(schema: Schema, direction: Direction) -> tuple[Field, ...]:
    """The properties of an object that go in one direction, in the document's order."""
    seen = shape(schema)
    return tuple(
        Field(wire, child, wire in seen.required, hint_tree(child, direction))
        for wire, child in seen.properties.items()
        if not _left_out(shape(child), direction)
    )


def has_fields(seen: Shape) -> bool:
    """Whether a schema describes an object by its properties."""
    return bool(seen.properties) and (not seen.types or "object" in seen.types)


def union(members: Iterable[Hint]) -> Hint:
    """The union of types, flat, each once; literals are joined, and ``Any`` swallows all."""
    flat: list[Hint] = []
    for member in members:
        for part in member.members if member.kind == "union" else (member,):
            if part not in flat:
                flat.append(part)
    if ANY in flat or not flat:
        return ANY
    return _joined(flat)


def _joined(parts: list[Hint]) -> Hint:
    values = [value for part in parts if part.kind == "literal" for value in part.values]
    others = [part for part in parts if part.kind != "literal"]
    if values:
        unique = {(type(value), value): value for value in values}
        others.insert(0, Hint("literal", values=tuple(unique.values())))
    if NONE in others:  # None reads best at the end.
        others.remove(NONE)
        others.append(NONE)
    return others[0] if len(others) == 1 else Hint("union", members=tuple(others))


def _left_out(seen: Shape, direction: Direction) -> bool:
    return seen.read_only if direction == "request" else seen.write_only


class _Way(Record):
    """The direction, and the URIs of the schemas that are being described: one of them again would have no end."""

    direction: Direction
    above: frozenset[str] = frozenset()


def _tree(schema: Schema | None, way: _Way) -> Hint:
    if schema is None:
        return ANY
    seen = shape(schema)
    if seen.name is None:
        return _described(seen, way)
    named = Hint("named", class_name(seen.name), schema=seen.schema)
    return union([named, NONE]) if "null" in seen.types and has_fields(seen) else named


def _described(seen: Shape, way: _Way) -> Hint:
    if seen.schema.uri in way.above:
        return ANY
    way = way._replace(above=way.above | {seen.schema.uri})
    if is_binary(seen.schema):
        return BYTES
    if seen.const is not MISSING:
        return _literal((seen.const,))
    if seen.enum is not None:
        return _literal(seen.enum)
    branches = seen.one_of or seen.any_of
    if branches and not seen.properties:
        return _of_branches(seen, branches, way)
    if seen.discriminator is not None and seen.discriminator.inherited and _is_own(seen):
        return _of_heirs(seen, seen.discriminator, way)
    return _of_types(seen, way)


def _is_own(seen: Shape) -> bool:
    """Whether a schema has its discriminator itself, not from one that it inherits."""
    return isinstance(seen.schema.value, Mapping) and "discriminator" in seen.schema.value


def _of_heirs(seen: Shape, found: Discriminator, way: _Way) -> Hint:
    """The schemas that inherit this one, and this one itself: a property tells which it is."""
    # OAS 3.2, Discriminator Object: with allOf, the heirs are no part of the parent; its discriminator leads to them.
    own = _of_types(seen, way)
    heirs = [schema for schema in found.mapping.values() if schema.uri != seen.schema.uri]
    if not heirs or own.kind != "object":
        return own
    return union([*(tagged(_tree(heir, way), heir, found) for heir in heirs), tagged(own, seen.schema, found)])


def tagged(hint: Hint, schema: Schema, found: Discriminator | None) -> Hint:
    """A branch with the values that pick it."""
    if found is None or hint.kind not in {"named", "object"}:
        return hint
    uri = shape(schema).schema.uri
    values = [value for value, picked in found.mapping.items() if shape(picked).schema.uri == uri]
    return hint._replace(tags=tuple((found.property_name, value) for value in values))


def _of_branches(seen: Shape, branches: tuple[Schema, ...], way: _Way) -> Hint:
    found = union(tagged(_tree(branch, way), branch, seen.discriminator) for branch in branches)
    # A branch that only adds conditions, as `required` does, tells no type: the schema around it does.
    return _of_types(seen, way) if found == ANY and seen.types else found


def _of_types(seen: Shape, way: _Way) -> Hint:
    if not seen.types:
        if seen.properties:
            return Hint("object", schema=seen.schema)
        return Hint("list", members=(_items(seen, way),)) if seen.items is not None else ANY
    parts = [Hint("scalar", _SCALARS[name]) for name in _ORDER if name in seen.types]
    if "number" in seen.types:
        parts = [part for part in parts if part.name != "int"]
    if "array" in seen.types:
        parts.append(Hint("list", members=(_items(seen, way),)))
    if "object" in seen.types:
        parts.append(_object(seen, way))
    return union(parts)


def _items(seen: Shape, way: _Way) -> Hint:
    if seen.prefix_items:
        rest = [_tree(seen.items, way)] if seen.items is not None else [ANY]
        closed = isinstance(getattr(seen.items, "value", None), bool)
        return union([*(_tree(item, way) for item in seen.prefix_items), *([] if closed else rest)])
    return _tree(seen.items, way)


def _object(seen: Shape, way: _Way) -> Hint:
    if seen.properties:
        return Hint("object", schema=seen.schema)
    additional = seen.additional
    if isinstance(additional, bool) or seen.pattern_properties:
        return Hint("dict", members=(ANY,))
    return Hint("dict", members=(_tree(additional, way),))


def _literal(values: tuple[Any, ...]) -> Hint:
    """Literals of what Python has literals for (PEP 586); of anything else its type only."""
    plain = [value for value in values if isinstance(value, (str, int, bool))]
    rest = [value for value in values if not isinstance(value, (str, int, bool))]
    parts = [Hint("literal", values=tuple(plain))] if plain else []
    return union([*parts, *(_type_of(value) for value in rest)])


def _type_of(value: Any) -> Hint:
    if isinstance(value, list):
        return Hint("list", members=(ANY,))
    if isinstance(value, dict):
        return Hint("dict", members=(ANY,))
    return Hint("scalar", {float: "float", type(None): "None"}.get(type(value), "str"))
