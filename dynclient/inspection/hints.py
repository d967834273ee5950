"""The Python type of a schema: a small tree, and from it an object of ``typing`` or text.

Rule 1: a named schema is a leaf; :func:`definition` gives the type behind it. So trees are small and finite.
Rule 2: a type fits every valid value. Undefined parts are ``Any``.
Rule 3: types are those of the values on the wire: a date is a ``str``, although a datetime is accepted too. Binary
data is ``bytes``.
Rule 4: request and response are two directions: readOnly properties are not sent, writeOnly ones are not received.
Rule 5: an object with a name becomes a TypedDict class of that name by the functional form: no text is executed.
Rule 6: a class is made one level deep. Its fields name other classes by forward references, so a signature is cheap,
and recursion ends.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, ForwardRef, Literal, TypedDict

from dynclient._identifiers import class_name
from dynclient._records import Record
from dynclient._schemas import MISSING, Discriminator, Shape, branches, cache, is_binary, shape
from dynclient._schemas.shapes import property_schema
from dynclient.exceptions import DocumentError
from dynclient.model import Schema

Direction = Literal["request", "response"]

# The Python types of JSON's scalars (JSON Schema 2020-12 Validation, 6.1.1), in the order of a union's members.
_SCALARS = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}


class Hint(Record):
    """A node of a type's tree.

    ``kind`` is ``any``, ``scalar`` (``name`` is ``str``, ``int``, ``float``, ``bool``, ``bytes`` or ``None``),
    ``literal`` (of ``values``), ``list`` or ``dict`` (of ``members[0]``), ``union`` (of ``members``), ``named``
    (``schema`` is a component, ``name`` its class name) or ``object`` (``schema`` has properties but no name).
    ``tags`` are pairs of a discriminator property and a value that selects this branch of a union.
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
    """A property of an object in one direction; ``wire`` is its name in the document. It may have no schema."""

    wire: str
    schema: Schema | None
    required: bool
    hint: Hint

    @property
    def description(self) -> str:
        """The text of its schema, or the empty string."""
        return (self.schema is not None and shape(self.schema).description) or ""


ANY = Hint("any")
NONE = Hint("scalar", "None")
BYTES = Hint("scalar", "bytes")
STR = Hint("scalar", "str")


def hint_tree(schema: Schema | None, direction: Direction, *, is_inner: bool = False) -> Hint:
    """Build the type of a schema's valid values, once. A named schema becomes a leaf.

    ``is_inner``: the values are members of others.

    Raises:
        DocumentError: the schema is broken, or a reference of it is.
    """
    if schema is None:
        return ANY
    known = cache(schema.references, f"hints of a {direction}")
    key = schema.uri, is_inner
    if key not in known:
        known[key] = _tree(schema, _Context(direction, is_inner=is_inner))
    return known[key]  # type: ignore[no-any-return]  # the type


def definition(schema: Schema, direction: Direction) -> Hint:
    """Build the type behind a named schema: an ``object``, or the type that its name is an alias of.

    A nullable object is a union with None at its reference (:func:`hint_tree`), not here.
    """
    seen = shape(schema)
    tree = _described(seen, _Context(direction))
    if has_fields(seen) and NONE in tree.members:
        return union(member for member in tree.members if member != NONE)
    return tree


def fields(schema: Schema, direction: Direction) -> tuple[Field, ...]:
    """List the properties of an object that occur in a direction, in the document's order; broken ones are Any.

    Those of its ``oneOf`` and ``anyOf`` come after its own. They are optional, since a value need not fit each branch.
    Required ones without a schema have any value.
    """
    seen = shape(schema)
    try:
        parts = branches(schema)
    except DocumentError:
        parts = [seen]
    found: dict[str, Field] = {}
    for part in parts:
        for wire, child in part.properties.items():
            try:
                hidden, hint = shape(child).is_hidden(direction), hint_tree(child, direction, is_inner=True)
            except DocumentError:
                hidden, hint = False, ANY
            if hidden or (wire in seen.properties and part is not seen):
                continue
            if wire in found:
                found[wire] = found[wire]._replace(hint=union([found[wire].hint, hint]))
            else:
                found[wire] = Field(wire, child, wire in seen.required, hint)
    described = {wire for part in parts for wire in part.properties}
    for wire in sorted({wire for part in parts for wire in part.required} - described):
        other = property_schema(seen, wire)
        if other is not None or seen.additional is not False:
            found[wire] = Field(wire, other, wire in seen.required, hint=hint_tree(other, direction, is_inner=True))
    return tuple(found.values())


def has_fields(seen: Shape) -> bool:
    """Whether a schema describes an object by its properties."""
    return bool(seen.properties) and (not seen.types or "object" in seen.types)


def union(members: Iterable[Hint]) -> Hint:
    """Join types to a flat union without repetition; literals are joined to one, and ``Any`` absorbs the others."""
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
    if NONE in others:  # None comes last.
        others.remove(NONE)
        others.append(NONE)
    return others[0] if len(others) == 1 else Hint("union", members=tuple(others))


class _Context(Record):
    """The direction, and the URIs of the enclosing schemas: a schema within itself is ``Any``, to end recursion.

    ``is_inner``: the value is a member of another one.
    """

    direction: Direction
    above: frozenset[str] = frozenset()
    is_inner: bool = False


def _tree(schema: Schema | None, context: _Context) -> Hint:
    if schema is None:
        return ANY
    try:
        seen = shape(schema)
    except DocumentError:
        if not context.above:
            raise
        return ANY  # a broken part
    if seen.name is None:
        return _described(seen, context)
    named = Hint("named", class_name(seen.name), schema=seen.schema)
    return union([named, NONE]) if seen.or_null or ("null" in seen.types and has_fields(seen)) else named


def _described(seen: Shape, context: _Context) -> Hint:
    if seen.schema.uri in context.above:
        return ANY
    described = _not_null(seen, context._replace(above=context.above | {seen.schema.uri}))
    return union([described, NONE]) if seen.or_null else described


def _not_null(seen: Shape, context: _Context) -> Hint:
    if is_binary(seen.schema):
        # Members of a response are in a JSON text, as a rule, which has no bytes.
        is_text = context.direction == "response" and (context.is_inner or len(context.above) > 1)
        return STR if is_text else BYTES
    if seen.const is not MISSING:
        return _literal((seen.const,))
    if seen.enum is not None:
        return _literal(seen.enum)
    branches = seen.one_of or seen.any_of
    if branches and not seen.properties:
        return _of_branches(seen, branches, context)
    found = seen.discriminator
    if found is not None and found.inherited and found.owner == seen.schema.uri:
        return _of_heirs(seen, found, context)
    return _of_types(seen, context)


def _of_heirs(seen: Shape, found: Discriminator, context: _Context) -> Hint:
    """The union of a schema with the schemas that inherit it, distinguished by a property."""
    # OAS 3.2, Discriminator Object: with allOf, only the parent's discriminator leads to the heirs.
    own = _of_types(seen, context)
    heirs = [schema for schema in found.mapping.values() if schema.uri != seen.schema.uri]
    if not heirs or own.kind != "object":
        return own
    return union([*(tagged(_tree(heir, context), heir, found) for heir in heirs), tagged(own, seen.schema, found)])


def tagged(hint: Hint, schema: Schema, found: Discriminator | None) -> Hint:
    """Add to a branch of a union the discriminator values that select it."""
    if found is None or hint.kind not in {"named", "object"}:
        return hint
    uri = shape(schema).schema.uri
    values = [value for value, picked in found.mapping.items() if shape(picked).schema.uri == uri]
    return hint._replace(tags=tuple((found.property_name, value) for value in values))


def _of_branches(seen: Shape, branches: tuple[Schema, ...], context: _Context) -> Hint:
    found = union(tagged(_tree(branch, context), branch, seen.discriminator) for branch in branches)
    # Branches that only add conditions, such as `required`, have no type: the schema around them has one.
    return _of_types(seen, context) if found == ANY and seen.types else found


def _of_types(seen: Shape, context: _Context) -> Hint:
    if not seen.types:
        if seen.properties:
            return Hint("object", schema=seen.schema)
        return Hint("list", members=(_items(seen, context),)) if seen.items is not None else ANY
    parts = [Hint("scalar", _SCALARS[name]) for name in _SCALARS if name in seen.types]
    if "number" in seen.types:
        parts = [part for part in parts if part.name != "int"]
    if "array" in seen.types:
        parts.append(Hint("list", members=(_items(seen, context),)))
    if "object" in seen.types:
        parts.append(_object(seen, context))
    return union(parts)


def _items(seen: Shape, context: _Context) -> Hint:
    if seen.prefix_items:
        rest = [_tree(seen.items, context)] if seen.items is not None else [ANY]
        closed = isinstance(getattr(seen.items, "value", None), bool)
        return union([*(_tree(item, context) for item in seen.prefix_items), *([] if closed else rest)])
    return _tree(seen.items, context)


def _object(seen: Shape, context: _Context) -> Hint:
    if seen.properties:
        return Hint("object", schema=seen.schema)
    additional = seen.additional
    if isinstance(additional, bool) or seen.pattern_properties:
        return Hint("dict", members=(ANY,))
    return Hint("dict", members=(_tree(additional, context),))


def _literal(values: tuple[Any, ...]) -> Hint:
    """Literals of the values that type checkers accept (PEP 586), and the types of the others."""
    plain = [value for value in values if isinstance(value, str) or (isinstance(value, int) and -_INT < value < _INT)]
    rest = [value for value in values if not any(value is other for other in plain)]
    parts = [Hint("literal", values=tuple(plain))] if plain else []
    return union([*parts, *(_type_of(value) for value in rest)])


def _type_of(value: Any) -> Hint:
    if isinstance(value, list):
        return Hint("list", members=(ANY,))
    if isinstance(value, dict):
        return Hint("dict", members=(ANY,))
    return Hint("scalar", {float: "float", int: "int", type(None): "None"}.get(type(value), "str"))


_INT = 2**63  # mypy accepts no larger literal.


# Objects of typing, and text.

_OBJECTS: Mapping[str, Any] = {"str": str, "int": int, "float": float, "bool": bool, "bytes": bytes, "None": None}
_ALIASES = 8  # Aliases of aliases deeper than this are Any.


def typing_object(tree: Hint, direction: Direction, depth: int = 0) -> Any:
    """Build an object of ``typing`` from a type's tree. ``depth`` counts the aliases and types around it."""
    if depth > _ALIASES:
        return Any
    if tree.kind == "named" and tree.schema is not None:
        if has_fields(shape(tree.schema)):
            return _typed_dict(tree.name, tree.schema, direction)
        return typing_object(definition(tree.schema, direction), direction, depth + 1)
    members = [typing_object(member, direction, depth + 1) for member in tree.members]
    return _BUILD[tree.kind](tree, members)


def text(tree: Hint) -> str:
    """Write a type's tree as a Python annotation."""
    return _TEXT[tree.kind](tree)


def _union(members: list[Any]) -> Any:
    if Any in members:
        return Any
    joined, *others = dict.fromkeys(members)
    for member in others:
        if getattr(joined, "__origin__", None) is Literal and member is None:
            joined = _LITERAL[(*joined.__args__, None)]  # Shorter than Optional[Literal[...]].
        else:
            joined = joined | member
    return joined


# Typed as Any: type checkers accept only literal subscripts, and these come from the document.
_LITERAL: Any = Literal
_LIST: Any = list
_DICT: Any = dict

# Kind of a node -> the function that builds its object from those of its members.
_BUILD: Mapping[str, Callable[[Hint, list[Any]], Any]] = {
    "any": lambda _tree, _members: Any,
    "scalar": lambda tree, _members: _OBJECTS[tree.name],
    "literal": lambda tree, _members: _LITERAL[tree.values],
    "list": lambda _tree, members: _LIST[members[0]],
    "dict": lambda _tree, members: _DICT[str, members[0]],
    "union": lambda _tree, members: _union(members),
    "object": lambda _tree, _members: _DICT[str, Any],
}

_TEXT: Mapping[str, Callable[[Hint], str]] = {
    "any": lambda _tree: "Any",
    "scalar": lambda tree: tree.name,
    "literal": lambda tree: f"Literal[{', '.join(ascii(value) for value in tree.values)}]",
    "list": lambda tree: f"list[{text(tree.members[0])}]",
    "dict": lambda tree: f"dict[str, {text(tree.members[0])}]",
    "union": lambda tree: " | ".join(text(member) for member in tree.members),
    "object": lambda _tree: "dict[str, Any]",
    "named": lambda tree: tree.name,
}


def _typed_dict(name: str, schema: Schema, direction: Direction) -> Any:
    members = fields(schema, direction)
    needed = _class(name, (TypedDict,), [member for member in members if member.required], direction, total=True)
    return _class(name, (needed,), [member for member in members if not member.required], direction, total=False)


def _class(name: str, bases: tuple[Any, ...], members: list[Field], direction: Direction, *, total: bool) -> Any:
    annotations = {member.wire: _annotation(member, direction) for member in members}
    # In the module builtins, signatures show a class by its bare name.
    body = {"__annotations__": annotations, "__module__": "builtins"}
    return types.new_class(name, bases, {"total": total}, lambda namespace: namespace.update(body))


def _annotation(member: Field, direction: Direction) -> Any:
    tree = member.hint
    if any(node.kind == "named" for node in tree.walk()):
        return ForwardRef(text(tree))
    found = typing_object(tree, direction)
    return type(None) if found is None else found
