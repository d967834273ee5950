"""The schemas that operations name: which types there are, and what they are called.

Rule 1: a schema has one type; where a request differs from a response, the type of requests has ``Input`` added to its
name. They differ by readOnly and writeOnly, by files, and by enums, which are open in a response; and where they reach
what differs.
Rule 2: an object without a name is named after where it is met.
Rule 3: what goes both ways is a list or a dict; what is only sent, any Sequence or Mapping.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from dynclient.inspection import Direction, Hint, class_name, definition, distinct, fields
from dynclient.model import Schema

_BUILTINS = frozenset({"str", "int", "float", "bool", "bytes", "list", "dict", "tuple", "object", "type", "property"})
_FLAT = frozenset({"literal", "scalar"})


class Key(NamedTuple):
    """What has a type of its own: a schema in one direction, by its name, or as the object among its types."""

    uri: str
    direction: Direction
    kind: str

    @property
    def other(self) -> Key:
        """The same in the other direction."""
        return self._replace(direction="response" if self.direction == "request" else "request")


class Model(NamedTuple):
    """A type to be written. ``tags`` are the values of properties by which a union knows it."""

    schema: Schema
    name: str
    direction: Direction
    hint: Hint
    tags: frozenset[tuple[str, str]] = frozenset()

    @property
    def is_enum(self) -> bool:
        """Whether it is an alias of literals, which is opened where it is named."""
        parts = self.hint.members if self.hint.kind == "union" else (self.hint,)
        return any(part.kind == "literal" for part in parts) and all(part.kind in _FLAT for part in parts)


class Models:
    """The types of a document's schemas; made once for a document."""

    def __init__(self, hints: Iterable[tuple[Hint, Direction, str]], taken: Iterable[str]) -> None:
        """Take the types that operations name, with their direction, and what to name an unnamed one after."""
        self.taken = frozenset(taken) | _BUILTINS
        self._models: dict[Key, Model] = {}
        self._edges: dict[Key, set[Key]] = {}
        for hint, direction, place in hints:
            self._collect(hint, direction, place)
        self._name_all()

    def of(self, hint: Hint, direction: Direction) -> Model | None:
        """The type of a node that names a schema."""
        return self._models[Key(hint.schema.uri, direction, hint.kind)] if hint.schema is not None else None

    def all(self) -> list[Model]:
        """Every type once, in the order in which they were met."""
        return list({model.name: model for model in reversed(self._models.values())}.values())[::-1]

    def reached(self, model: Model) -> Iterator[Model]:
        """The types that an alias names."""
        for node in model.hint.walk():
            found = self.of(node, model.direction)
            if found is not None:
                yield found

    def _collect(self, hint: Hint, direction: Direction, place: str) -> None:
        """Find all that a type reaches; its own stack, since schemas reach far."""
        waiting: list[tuple[Hint, str, Key | None]] = [(hint, place, None)]
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
                # What goes both ways is written as a response has it.
                direction="response" if twin is not None else model.direction,
                tags=model.tags | (twin.tags if twin is not None else frozenset()),
            )

    def _apart(self) -> set[str]:
        """The schemas of which a request and a response differ, themselves or in what they reach."""
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
    """Whether an answer may have other values than these: a server's next version may know more of them."""
    return hint.kind == "literal" and len(hint.values) > 1 and all(isinstance(value, str) for value in hint.values)


def _below(model: Model) -> Iterator[tuple[Hint, str]]:
    if model.hint.kind != "object":
        yield model.hint, f"{model.name}Object"
        return
    for field in fields(model.schema, model.direction):
        yield field.hint, model.name + class_name(field.wire)
