"""The types of the schemas that operations use: their names, and their definitions as Python syntax.

Rule 1: a schema has one type, or two if a request differs from a response; the type of requests then has ``Input``
appended to its name. They differ by readOnly and writeOnly properties, by files, by enums, which are open in a
response, and by schemas in them that differ.
Rule 2: an object without a name is named after its first use.
Rule 3: types of both directions use list and dict; types that are only sent use Sequence and Mapping.
Rule 4: a property whose name is not a Python name, or would hide a type, makes its TypedDict use the functional form.
Rule 5: the definitions are executed as a module, so a type that may not exist yet is named by a string.
"""

from __future__ import annotations

import keyword
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from dynclient._identifiers import class_name, distinct
from dynclient._schemas import shape
from dynclient.inspection.docstrings import clean
from dynclient.inspection.hints import Direction, Field, Hint, definition, fields
from dynclient.model import Schema
from dynclient_tools import syntax

_BUILTINS = frozenset({"str", "int", "float", "bool", "bytes", "list", "dict", "tuple", "object", "type", "property"})
_FLAT = frozenset({"literal", "scalar"})
_LISTS = {"request": "Sequence", "response": "list"}
_DICTS = {"request": "Mapping", "response": "dict"}


class Key(NamedTuple):
    """The key of a type: a schema in one direction, by its name or as an unnamed object."""

    uri: str
    direction: Direction
    kind: str

    @property
    def other(self) -> Key:
        """The key of the same schema in the other direction."""
        return self._replace(direction="response" if self.direction == "request" else "request")


class Model(NamedTuple):
    """A type to be written. ``tags`` are pairs: a discriminator property, and the value that selects the type."""

    schema: Schema
    name: str
    direction: Direction
    hint: Hint
    tags: frozenset[tuple[str, str]] = frozenset()

    @property
    def is_enum(self) -> bool:
        """Whether this is an alias of literals. Responses allow other values wherever they use it."""
        parts = self.hint.members if self.hint.kind == "union" else (self.hint,)
        return any(part.kind == "literal" for part in parts) and all(part.kind in _FLAT for part in parts)


class Models:
    """The types of a document's schemas."""

    def __init__(self, hints: Iterable[tuple[Hint, Direction, str]], taken: Iterable[str]) -> None:
        """Collect the types of operations, each with its direction and the name for unnamed objects in it."""
        self.taken = frozenset(taken) | _BUILTINS
        self._models: dict[Key, Model] = {}
        self._edges: dict[Key, set[Key]] = {}
        for hint, direction, location in hints:
            self._collect(hint, direction, location)
        self._name_all()

    def of(self, hint: Hint, direction: Direction) -> Model | None:
        """The type of a node with a schema, or None."""
        return self._models[Key(hint.schema.uri, direction, hint.kind)] if hint.schema is not None else None

    def all(self) -> list[Model]:
        """All types, each once, in the order of their first use."""
        return list({model.name: model for model in reversed(self._models.values())}.values())[::-1]

    def reached(self, model: Model) -> Iterator[Model]:
        """The types that an alias uses."""
        for node in model.hint.walk():
            found = self.of(node, model.direction)
            if found is not None:
                yield found

    def _collect(self, hint: Hint, direction: Direction, location: str) -> None:
        """Collect all types that a type uses. It keeps its own stack, since schemas may be nested deeply."""
        waiting: list[tuple[Hint, str, Key | None]] = [(hint, location, None)]
        while waiting:
            here, name, owner = waiting.pop()
            for node in here.walk():
                if node.schema is None:
                    continue
                key = Key(node.schema.uri, direction, node.kind)
                if owner is not None:
                    self._edges.setdefault(owner, set()).add(key)
                if key not in self._models:
                    described = definition(node.schema, direction) if node.kind == "named" else node
                    self._models[key] = Model(node.schema, node.name or name, direction, described)
                    waiting += [(child, inner, key) for child, inner in _below(self._models[key])]
                if node.tags:
                    known = self._models[key]
                    self._models[key] = known._replace(tags=known.tags | set(node.tags))

    def _name_all(self) -> None:
        apart = self._apart()
        wanted: dict[tuple[str, str, bool], str] = {}
        for key, model in self._models.items():
            own = key.uri in apart and key.direction == "request"
            wanted.setdefault((key.uri, key.kind, own), f"{model.name}Input" if own else model.name)
        names = dict(zip(wanted, distinct(wanted.values(), self.taken), strict=True))
        for key, model in self._models.items():
            own = key.uri in apart and key.direction == "request"
            twin = self._models.get(key.other) if key.uri not in apart else None
            self._models[key] = model._replace(
                name=names[key.uri, key.kind, own],
                # A type of both directions is written as that of the response.
                direction="response" if twin is not None else model.direction,
                tags=model.tags | (twin.tags if twin is not None else frozenset()),
            )

    def _apart(self) -> set[str]:
        """The schemas whose types differ between requests and responses, directly or by a schema that they use."""
        both = {key.uri for key in self._models if key.other in self._models}
        apart = {key.uri for key in self._models if key.uri in both and self._differs(key)}
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

    def _differs(self, key: Key) -> bool:
        model = self._models[key]
        if model.is_enum:
            return False
        return self._members(key) != self._members(key.other) or any(
            self._is_directed(node, key.direction) for hint, _ in _below(model) for node in hint.walk()
        )

    def _is_directed(self, node: Hint, direction: Direction) -> bool:
        found = self.of(node, direction) if node.kind == "named" else None
        literals = [node] if found is None else [*found.hint.members, found.hint]
        return node.name == "bytes" or any(is_open(literal) for literal in literals)

    def _members(self, key: Key) -> tuple[str, ...]:
        model = self._models.get(key)
        if model is None or model.hint.kind != "object":
            return ()
        return tuple(field.wire for field in fields(model.schema, key.direction))


def is_open(hint: Hint) -> bool:
    """Whether a response may have other values than these: a newer server may have added some."""
    return hint.kind == "literal" and len(hint.values) > 1 and all(isinstance(value, str) for value in hint.values)


def _below(model: Model) -> Iterator[tuple[Hint, str]]:
    if model.hint.kind != "object":
        yield model.hint, f"{model.name}Object"
        return
    for field in fields(model.schema, model.direction):
        yield field.hint, model.name + class_name(field.wire)


# Definitions.


def type_of(models: Models, hint: Hint, direction: Direction) -> str:
    """Write a type as an expression."""
    return syntax.union(_MEMBERS[hint.kind](models, hint, direction))


def statements(models: Models) -> Iterator[list[str]]:
    """Write the definitions of all types: TypedDicts first, then aliases, each after those that it uses."""
    aliases: dict[str, Model] = {}
    hidden = models.taken | {model.name for model in models.all()}
    for model in models.all():
        if model.hint.kind == "object":
            yield _typed_dict(models, model, hidden)
        else:
            aliases[model.name] = model
    written: set[str] = set()
    for name in aliases:
        yield from _alias(models, name, aliases, written)


def _alias(models: Models, first: str, aliases: Mapping[str, Model], written: set[str]) -> Iterator[list[str]]:
    """Write an alias after the aliases that it uses; a recursive one becomes a TypeAliasType."""
    waiting = [first]
    begun: set[str] = set()
    while waiting:
        name = waiting[-1]
        named = {found.name for found in models.reached(aliases[name]) if found.name in aliases} - written
        if name in written:
            waiting.pop()
        elif named - begun - {name} and name not in begun:
            begun.add(name)
            waiting += sorted(named - begun - {name})
        else:
            waiting.pop()
            written.add(name)
            model = aliases[name]
            value = type_of(models, model.hint, "request" if model.is_enum else model.direction)
            recursive = syntax.assigned(name, f"TypeAliasType({name!r}, {value!r})")
            yield [recursive if named else syntax.annotated(name, "TypeAlias", value)]


def _typed_dict(models: Models, model: Model, hidden: frozenset[str]) -> list[str]:
    # Type checkers do not accept an empty name.
    named = [field for field in fields(model.schema, model.direction) if field.wire]
    members = {field.wire: _member(models, model, field) for field in named}
    if not all(_is_plain(wire) and wire not in hidden for wire in members):
        return [syntax.assigned(model.name, f"TypedDict({model.name!r}, {syntax.dict_of(members.items())})")]
    body: list[str] = []
    for field in named:
        body += [syntax.annotated(field.wire, members[field.wire]), *syntax.text(clean(field.description))]
    described = clean(shape(model.schema).description or "")
    if not _has_more(model):
        return syntax.class_of(model.name, ["TypedDict"], body, described)
    # PEP 728. Only in a class, since mypy does not know the keyword yet, and would drop the fields of the functional
    # form.
    return syntax.class_of(model.name, ["TypedDict", "extra_items=Any"], body, described, "  # type: ignore[call-arg]")


def _has_more(model: Model) -> bool:
    """Whether the document says that there may be other properties."""
    said = model.schema.value.get("additionalProperties") if isinstance(model.schema.value, Mapping) else None
    return said is True or isinstance(shape(model.schema).additional, Schema)


def _member(models: Models, model: Model, field: Field) -> str:
    tags = sorted(value for name, value in model.tags if name == field.wire)
    if tags and all(_is_text(node) for node in (field.hint, *field.hint.members)):
        annotation = syntax.literal(tags)
    else:
        annotation = type_of(models, field.hint, model.direction)
        if any(node.schema is not None for node in field.hint.walk()):
            annotation = repr(annotation)
    return annotation if field.required else f"NotRequired[{annotation}]"


def _is_text(hint: Hint) -> bool:
    return hint.name == "str" or is_open(hint)


def _is_plain(wire: str) -> bool:
    """Whether a property can be an attribute in a class body, where ``__x`` would be mangled."""
    return wire.isascii() and wire.isidentifier() and not keyword.iskeyword(wire) and not wire.startswith("__")


def _literal(_models: Models, hint: Hint, direction: Direction) -> list[str]:
    return [syntax.literal(hint.values), *(["str"] if direction == "response" and is_open(hint) else [])]


def _scalar(_models: Models, hint: Hint, direction: Direction) -> list[str]:
    return ["File" if hint.name == "bytes" and direction == "request" else hint.name]


def _reference(models: Models, hint: Hint, direction: Direction) -> list[str]:
    found = models.of(hint, direction)
    if found is None:
        return ["Any"]
    opened = direction == "response" and found.is_enum and any(map(is_open, (found.hint, *found.hint.members)))
    return [syntax.name(found.name), *(["str"] if opened else [])]


# The types of a union, or the only one.
_MEMBERS: Mapping[str, Callable[[Models, Hint, Direction], list[str]]] = {
    "any": lambda _models, _hint, _direction: ["Any"],
    "scalar": _scalar,
    "literal": _literal,
    "list": lambda models, hint, direction: [f"{_LISTS[direction]}[{type_of(models, hint.members[0], direction)}]"],
    "dict": lambda models, hint, direction: [
        f"{_DICTS[direction]}[str, {type_of(models, hint.members[0], direction)}]"
    ],
    "union": lambda models, hint, direction: [
        part for member in hint.members for part in _MEMBERS[member.kind](models, member, direction)
    ],
    "named": _reference,
    "object": _reference,
}
