"""Types as Python syntax: TypedDicts, aliases, and the expressions that name them.

Rule 1: a name that is no Python name, or would hide a type, makes its TypedDict by the functional form.
Rule 2: what is written stands in a module that is run: a type that may not be made yet is named by a string.
Rule 3: a string that Python reads as a type is made of syntax too, and is read again like all else.
"""

from __future__ import annotations

import ast
import keyword
from collections.abc import Callable, Iterator, Mapping

from dynclient.inspection import Direction, Field, Hint, clean, fields, schema_view
from dynclient_tools import syntax
from dynclient_tools.models import Model, Models, is_open

_LISTS = {"request": "Sequence", "response": "list"}
_DICTS = {"request": "Mapping", "response": "dict"}
_STR = syntax.name("str")


def type_of(models: Models, hint: Hint, direction: Direction) -> ast.expr:
    """A type's expression."""
    return _EXPRESSIONS[hint.kind](models, hint, direction)


def statements(models: Models) -> Iterator[ast.stmt]:
    """The definitions of all types: TypedDicts first, then aliases, each after those that it names."""
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


def _alias(models: Models, first: str, aliases: Mapping[str, Model], written: set[str]) -> Iterator[ast.stmt]:
    """An alias, after the aliases that it names; one that names itself, be it through others, is one of its own."""
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
            yield _circular(name, value) if named else syntax.annotated(name, syntax.name("TypeAlias"), value)


def _circular(name: str, value: ast.expr) -> ast.stmt:
    call = ast.Call(syntax.name("TypeAliasType"), [ast.Constant(name), syntax.quoted(value)], [])
    return syntax.assigned(name, call)


def _typed_dict(models: Models, model: Model, hidden: frozenset[str]) -> ast.stmt:
    members = {field.wire: _member(models, model, field) for field in fields(model.schema, model.direction)}
    if all(_is_plain(wire) and wire not in hidden for wire in members):
        described = syntax.text(clean(schema_view(model.schema).description))
        body = [syntax.annotated(wire, annotation) for wire, annotation in members.items()]
        return syntax.class_of(model.name, ["TypedDict"], [*described, *body])
    table = ast.Dict([ast.Constant(wire) for wire in members], list(members.values()))
    call = ast.Call(syntax.name("TypedDict"), [ast.Constant(model.name), table], [])
    return syntax.assigned(model.name, call)


def _member(models: Models, model: Model, field: Field) -> ast.expr:
    tags = sorted(value for name, value in model.tags if name == field.wire)
    if tags and all(_is_text(node) for node in (field.hint, *field.hint.members)):
        annotation = syntax.subscript("Literal", *(syntax.constant(value) for value in tags))
    else:
        annotation = type_of(models, field.hint, model.direction)
        if any(node.schema is not None for node in field.hint.walk()):
            annotation = syntax.quoted(annotation)
    return annotation if field.required else syntax.subscript("NotRequired", annotation)


def _is_text(hint: Hint) -> bool:
    return hint.name == "str" or is_open(hint)


def _is_plain(wire: str) -> bool:
    """Whether a property may be a member of a class: ``__x`` would be mangled there."""
    return wire.isascii() and wire.isidentifier() and not keyword.iskeyword(wire) and not wire.startswith("__")


def _literal(_models: Models, hint: Hint, direction: Direction) -> ast.expr:
    found = syntax.subscript("Literal", *(syntax.constant(value) for value in hint.values))
    return syntax.union([found, _STR]) if direction == "response" and is_open(hint) else found


def _scalar(_models: Models, hint: Hint, direction: Direction) -> ast.expr:
    if hint.name == "None":
        return syntax.constant(None)
    return syntax.name("File" if hint.name == "bytes" and direction == "request" else hint.name)


def _reference(models: Models, hint: Hint, direction: Direction) -> ast.expr:
    found = models.of(hint, direction)
    if found is None:
        return syntax.name("Any")
    opened = direction == "response" and found.is_enum and any(map(is_open, (found.hint, *found.hint.members)))
    return syntax.union([syntax.name(found.name), _STR]) if opened else syntax.name(found.name)


_EXPRESSIONS: Mapping[str, Callable[[Models, Hint, Direction], ast.expr]] = {
    "any": lambda _models, _hint, _direction: syntax.name("Any"),
    "scalar": _scalar,
    "literal": _literal,
    "list": lambda models, hint, way: syntax.subscript(_LISTS[way], type_of(models, hint.members[0], way)),
    "dict": lambda models, hint, way: syntax.subscript(_DICTS[way], _STR, type_of(models, hint.members[0], way)),
    "union": lambda models, hint, way: syntax.union([type_of(models, member, way) for member in hint.members]),
    "named": _reference,
    "object": _reference,
}
