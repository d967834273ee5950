"""Types as objects of ``typing``, for ``inspect.signature``, and as text, for docstrings and pages.

Rule 1: an object with a name is a TypedDict class of that name, made by the functional form: no text is run.
Rule 2: a class is made one level deep. What its fields name is a forward reference, so a signature costs only what it
shows, and recursion is no matter.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from typing import Any, ForwardRef, Literal, TypedDict

from dynclient._schemas import shape
from dynclient.inspection.hints import Direction, Field, Hint, definition, fields, has_fields, hint_tree
from dynclient.model import Schema

_SCALARS: Mapping[str, Any] = {
    "str": str,
    "int": int,
    "float": float,
    "bool": bool,
    "bytes": bytes,
    "None": None,
}
_ALIASES = 8  # Names of names of names: deeper than this nobody reads.


def hint(schema: Schema | None, direction: Direction) -> Any:
    """The type of a schema's values as an object: ``str``, ``list[...]``, ``Literal[...]``, a TypedDict class."""
    return typing_object(hint_tree(schema, direction), direction)


def hint_text(schema: Schema | None, direction: Direction) -> str:
    """The type of a schema's values as text, as in ``list[CallState] | None``."""
    return text(hint_tree(schema, direction))


def typing_object(tree: Hint, direction: Direction, depth: int = 0) -> Any:
    """Make an object of ``typing`` of a type's tree."""
    if depth > _ALIASES:
        return Any
    if tree.kind == "named" and tree.schema is not None:
        if has_fields(shape(tree.schema)):
            return _typed_dict(tree.name, tree.schema, direction)
        return typing_object(definition(tree.schema, direction), direction, depth + 1)
    members = [typing_object(member, direction, depth + 1) for member in tree.members]
    return _BUILD[tree.kind](tree, members)


def text(tree: Hint) -> str:
    """Write a type's tree as Python would."""
    return _TEXT[tree.kind](tree)


def _union(members: list[Any]) -> Any:
    if Any in members:
        return Any
    joined = members[0]
    for member in members[1:]:
        if getattr(joined, "__origin__", None) is Literal and member is None:
            values = (*joined.__args__, None)  # It reads better than Optional[Literal[...]].
            joined = _LITERAL[values]
        else:
            joined = joined | member
    return joined


# Type checkers would take a subscript for a type; these are made as the document says.
_LITERAL: Any = Literal
_LIST: Any = list
_DICT: Any = dict

# How a node becomes an object, given those of its members.
_BUILD: Mapping[str, Callable[[Hint, list[Any]], Any]] = {
    "any": lambda _tree, _members: Any,
    "scalar": lambda tree, _members: _SCALARS[tree.name],
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
    # As if it were built in: a signature then shows the class by its name alone.
    body = {"__annotations__": annotations, "__module__": "builtins"}
    return types.new_class(name, bases, {"total": total}, lambda namespace: namespace.update(body))


def _annotation(member: Field, direction: Direction) -> Any:
    tree = member.hint
    if any(node.kind == "named" for node in tree.walk()):
        return ForwardRef(text(tree))
    found = typing_object(tree, direction)
    return type(None) if found is None else found
