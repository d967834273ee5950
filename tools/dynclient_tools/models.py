"""The schemas that operations name, as TypedDicts and aliases.

Rule 1: a schema has one type; where readOnly or writeOnly, its own or those of what it reaches, make a request differ
from a response, the type of requests has ``Input`` added to its name.
Rule 2: an object without a name is named after where it is met.
Rule 3: a name that is no Python name, or would hide a type, makes its TypedDict by the functional form.
"""

from __future__ import annotations

import ast
import keyword
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from dynclient.inspection import Direction, Hint, class_name, clean, definition, distinct, fields, schema_view
from dynclient.model import Schema
from dynclient_tools import syntax

_BUILTINS = frozenset({"str", "int", "float", "bool", "bytes", "list", "dict", "tuple", "object", "type", "property"})


class _Key(NamedTuple):
    """What has a type of its own: a schema in one direction, by its name, or as the object among its types."""

    uri: str
    direction: Direction
    kind: str


class _Model(NamedTuple):
    """A type to be written: its schema, its name, and whether it is a named schema's own definition."""

    schema: Schema
    name: str
    direction: Direction
    hint: Hint


class Models:
    """Names types for schemas, and writes them; made once for a document."""

    def __init__(self, hints: Iterable[tuple[Hint, Direction, str]], taken: Iterable[str]) -> None:
        """Take the types that operations name, with their direction, and what to name an unnamed one after."""
        self._taken = set(taken) | _BUILTINS
        self._models: dict[_Key, _Model] = {}
        self._edges: dict[_Key, set[_Key]] = {}
        found = list(hints)
        for hint, direction, place in found:
            self._collect(hint, direction, place)
        self._name_all()

    def type_of(self, hint: Hint, direction: Direction) -> ast.expr:
        """A type's expression."""
        return _EXPRESSIONS[hint.kind](self, hint, direction)

    def statements(self) -> list[ast.stmt]:
        """The definitions of all types, in the order in which they were met."""
        written: dict[str, ast.stmt] = {}
        for model in self._models.values():
            if model.name not in written:
                written[model.name] = self._statement(model)
        return list(written.values())

    def _collect(self, hint: Hint, direction: Direction, place: str) -> None:
        """Find all that a type reaches; its own stack, since schemas reach far."""
        waiting: list[tuple[Hint, str, _Key | None]] = [(hint, place, None)]
        while waiting:
            here, name, owner = waiting.pop()
            for node in here.walk():
                if node.schema is None:
                    continue
                key = _Key(node.schema.uri, direction, node.kind)
                if owner is not None:
                    self._edges.setdefault(owner, set()).add(key)
                if key in self._models:
                    continue
                described = definition(node.schema, direction) if node.kind == "named" else node
                self._models[key] = _Model(node.schema, node.name or name, direction, described)
                waiting += [(child, inner, key) for child, inner in _below(self._models[key])]

    def _name_all(self) -> None:
        apart = self._apart()
        wanted: dict[tuple[str, str, bool], str] = {}
        for key, model in self._models.items():
            own = key.uri in apart and key.direction == "request"
            wanted.setdefault((key.uri, key.kind, own), f"{model.name}Input" if own else model.name)
        names = dict(zip(wanted, distinct(wanted.values(), self._taken), strict=True))
        for key, model in self._models.items():
            own = key.uri in apart and key.direction == "request"
            self._models[key] = model._replace(name=names[key.uri, key.kind, own])

    def _apart(self) -> set[str]:
        """The schemas of which a request and a response differ, themselves or in what they reach."""
        both = {key.uri for key in self._models if self._other(key) in self._models}
        apart = {
            key.uri for key in self._models if key.uri in both and self._members(key) != self._members(self._other(key))
        }
        above: dict[str, set[str]] = {}
        for owner, reached in self._edges.items():
            for key in reached:
                above.setdefault(key.uri, set()).add(owner.uri)
        waiting = list(apart)
        while waiting:
            for uri in (above.get(waiting.pop(), set()) & both) - apart:
                apart.add(uri)
                waiting.append(uri)
        return apart

    @staticmethod
    def _other(key: _Key) -> _Key:
        return key._replace(direction="response" if key.direction == "request" else "request")

    def _members(self, key: _Key) -> tuple[str, ...]:
        model = self._models[key]
        if model.hint.kind != "object":
            return ()
        return tuple(field.wire for field in fields(model.schema, key.direction))

    def _statement(self, model: _Model) -> ast.stmt:
        if model.hint.kind != "object":
            return syntax.annotated(model.name, syntax.name("TypeAlias"), self.type_of(model.hint, model.direction))
        members = {}
        for field in fields(model.schema, model.direction):
            annotation = self.type_of(field.hint, model.direction)
            members[field.wire] = annotation if field.required else syntax.subscript("NotRequired", annotation)
        return self._typed_dict(model, members)

    def _typed_dict(self, model: _Model, members: Mapping[str, ast.expr]) -> ast.stmt:
        hidden = self._taken | {other.name for other in self._models.values()}
        if all(_is_plain(wire) and wire not in hidden for wire in members):
            described = syntax.text(clean(schema_view(model.schema).description))
            body = [syntax.annotated(wire, annotation) for wire, annotation in members.items()]
            return syntax.class_of(model.name, ["TypedDict"], [*described, *body])
        table = ast.Dict([ast.Constant(wire) for wire in members], list(members.values()))
        call = ast.Call(syntax.name("TypedDict"), [ast.Constant(model.name), table], [])
        return syntax.assigned(model.name, call)

    def _reference(self, hint: Hint, direction: Direction) -> ast.expr:
        if hint.schema is None:
            return syntax.name("Any")
        return syntax.name(self._models[_Key(hint.schema.uri, direction, hint.kind)].name)


def _below(model: _Model) -> Iterator[tuple[Hint, str]]:
    if model.hint.kind != "object":
        yield model.hint, f"{model.name}Object"
        return
    for field in fields(model.schema, model.direction):
        yield field.hint, model.name + class_name(field.wire)


def _is_plain(wire: str) -> bool:
    """Whether a property may be a member of a class: ``__x`` would be mangled there."""
    return wire.isascii() and wire.isidentifier() and not keyword.iskeyword(wire) and not wire.startswith("__")


def _literal(_models: Models, hint: Hint, _direction: Direction) -> ast.expr:
    return syntax.subscript("Literal", *(syntax.constant(value) for value in hint.values))


def _scalar(_models: Models, hint: Hint, direction: Direction) -> ast.expr:
    if hint.name == "None":
        return syntax.constant(None)
    return syntax.name("File" if hint.name == "bytes" and direction == "request" else hint.name)


_EXPRESSIONS: Mapping[str, Callable[[Models, Hint, Direction], ast.expr]] = {
    "any": lambda _models, _hint, _direction: syntax.name("Any"),
    "scalar": _scalar,
    "literal": _literal,
    "list": lambda models, hint, way: syntax.subscript("list", models.type_of(hint.members[0], way)),
    "dict": lambda models, hint, way: syntax.subscript(
        "dict", syntax.name("str"), models.type_of(hint.members[0], way)
    ),
    "union": lambda models, hint, way: syntax.union([models.type_of(member, way) for member in hint.members]),
    "named": Models._reference,  # noqa: SLF001  # a table of its own methods
    "object": Models._reference,  # noqa: SLF001  # likewise
}
