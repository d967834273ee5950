"""Python as syntax trees: small builders, and the check of what was built.

Rule 1: a document's text comes in as the value of an ``ast.Constant`` and in no other way; names are our own making.
Rule 2: what is written is read again, and must be the tree that was built, of nodes that stubs are made of.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

ELLIPSIS = ast.Constant(...)
_NOT_AS_BUILT = "what was written does not read as it was built"

_ALLOWED = (
    *(ast.Module, ast.Import, ast.ImportFrom, ast.alias, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef),
    *(ast.AnnAssign, ast.Assign, ast.Expr, ast.Return, ast.Constant, ast.Name, ast.Attribute, ast.Subscript),
    *(ast.Tuple, ast.List, ast.Dict, ast.BinOp, ast.BitOr, ast.UnaryOp, ast.USub, ast.arguments, ast.arg, ast.Load),
    *(ast.Store, ast.Call, ast.keyword),
)
_CALLED = frozenset({"TypedDict", "TypeAliasType", "load", "loaded", "model", "package", "_deprecated"})


Keyword: TypeAlias = tuple[str, ast.expr, bool]
"""A parameter: its name, its type, and whether it has to be given."""


class Unsafe(Exception):
    """What was written is not what was built: this is a fault of the tool."""


def name(identifier: str) -> ast.expr:
    """A name, dotted ones too."""
    first, *rest = identifier.split(".")
    found: ast.expr = ast.Name(first, ast.Load())
    for part in rest:
        found = ast.Attribute(found, part, ast.Load())
    return found


def constant(value: str | int | None) -> ast.expr:
    """A constant; a negative number is a sign before one, as Python reads it."""
    if isinstance(value, int) and not isinstance(value, bool) and value < 0:
        return ast.UnaryOp(ast.USub(), ast.Constant(-value))
    return ast.Constant(value)


def list_of(texts: Iterable[str]) -> ast.expr:
    """A list of strings."""
    return ast.List([ast.Constant(text) for text in texts], ast.Load())


def subscript(of: str, *members: ast.expr) -> ast.expr:
    """``of[members]``."""
    inner = members[0] if len(members) == 1 else ast.Tuple(list(members), ast.Load())
    return ast.Subscript(name(of), inner, ast.Load())


def union(members: Sequence[ast.expr]) -> ast.expr:
    """``a | b | c``, each once."""
    flat = {ast.dump(part): part for member in members for part in _parts(member)}
    joined, *others = flat.values()
    for member in others:
        joined = ast.BinOp(joined, ast.BitOr(), member)
    return joined


def quoted(annotation: ast.expr) -> ast.expr:
    """A type as a string, which Python reads when all types are there.

    Raises:
        Unsafe: what was written is not what was built.
    """
    written = ast.unparse(annotation)
    _check_same(annotation, ast.parse(written, mode="eval").body)
    return ast.Constant(written)


def annotated(target: str, annotation: ast.expr, value: ast.expr | None = None) -> ast.stmt:
    """``target: annotation``, or with ``= value``."""
    return ast.AnnAssign(ast.Name(target, ast.Store()), annotation, value, simple=1)


def assigned(target: str, value: ast.expr) -> ast.stmt:
    """``target = value``."""
    return ast.Assign([ast.Name(target, ast.Store())], value)


def text(value: str) -> list[ast.stmt]:
    """A docstring, or nothing where there is no text."""
    return [ast.Expr(ast.Constant(value))] if value.strip() else []


def class_of(class_name: str, bases: Sequence[str], body: Sequence[ast.stmt]) -> ast.stmt:
    """A class."""
    made: Any = ast.ClassDef(
        name=class_name,
        bases=[name(base) for base in bases],
        keywords=[],
        body=list(body) or [ast.Expr(ELLIPSIS)],
        decorator_list=[],
    )
    found: ast.stmt = _with_parameters(made)
    return found


def function(
    function_name: str,
    arguments: ast.arguments,
    returns: ast.expr,
    body: Iterable[ast.stmt] = (),
    *,
    is_async: bool = False,
    decorators: Sequence[str | ast.expr] = (),
) -> ast.stmt:
    """A function whose body is its docstring, if there is one, and ``...``."""
    statements = list(body) or [ast.Expr(ELLIPSIS)]
    kind = ast.AsyncFunctionDef if is_async else ast.FunctionDef
    made = kind(
        name=function_name,
        args=arguments,
        body=statements,
        decorator_list=[name(each) if isinstance(each, str) else each for each in decorators],
        returns=returns,
    )
    found: ast.stmt = _with_parameters(made)
    return found


def called(function_called: str, argument: str) -> ast.expr:
    """``function("text")``."""
    return ast.Call(name(function_called), [ast.Constant(argument)], [])


def arguments_of(
    receiver: str,
    positional: Sequence[Keyword] = (),
    keywords: Sequence[Keyword] = (),
    rest: tuple[str, ast.expr] | None = None,
) -> ast.arguments:
    """Parameters; ``...`` is the default of those that need not be given."""
    first = [ast.arg(receiver)] if receiver else []
    return ast.arguments(
        posonlyargs=[],
        args=[*first, *(ast.arg(known, annotation) for known, annotation, _ in positional)],
        kwonlyargs=[ast.arg(known, annotation) for known, annotation, _ in keywords],
        kw_defaults=[None if needed else ELLIPSIS for _, _, needed in keywords],
        defaults=[ELLIPSIS for _, _, needed in positional if not needed],
        kwarg=ast.arg(*rest) if rest is not None else None,
    )


def keywords_of(typed_dict: str) -> tuple[str, ast.expr]:
    """``**options``, typed by a TypedDict: PEP 692."""
    return "options", subscript("_Unpack", name(typed_dict))


def source(statements: Iterable[ast.stmt]) -> str:
    """Write statements, and make sure that they read as what they are.

    Raises:
        Unsafe: they do not.
    """
    tree = ast.fix_missing_locations(ast.Module(list(statements), []))
    written = ast.unparse(tree)
    _check_same(tree, ast.parse(written))
    return written


def check(written: str) -> None:
    """Make sure that a source holds nothing but what stubs are made of.

    Raises:
        Unsafe: it holds something else.
    """
    for node in ast.walk(ast.parse(written)):
        _check_node(node)


def _check_node(node: ast.AST) -> None:
    if not isinstance(node, _ALLOWED):
        raise Unsafe(f"{type(node).__name__} has no place in a stub")
    if isinstance(node, ast.Call) and not _is_called(node.func):
        raise Unsafe("a call has no place in a stub")


def _check_same(built: ast.AST, read: ast.AST) -> None:
    """Make sure that what was read is what was built, and of nodes that stubs are made of."""
    waiting = [(built, read)]
    while waiting:
        own, other = waiting.pop()
        _check_node(other)
        if type(own) is not type(other):
            raise Unsafe(_NOT_AS_BUILT)
        for field in own._fields:
            mine, found = _field(own, field), _field(other, field)
            if isinstance(mine, list) and isinstance(found, list) and len(mine) == len(found):
                waiting += (pair for pair in zip(mine, found, strict=True) if pair != (None, None))
            elif isinstance(mine, ast.AST) and isinstance(found, ast.AST):
                waiting.append((mine, found))
            elif mine != found or type(mine) is not type(found):
                raise Unsafe(_NOT_AS_BUILT)


def _field(node: ast.AST, name: str) -> Any:
    """A node's field; a node that was built lacks what it need not have."""
    value = getattr(node, name, None)
    return None if value == [] else value


def _parts(annotation: ast.expr) -> list[ast.expr]:
    if isinstance(annotation, ast.BinOp):
        return [*_parts(annotation.left), *_parts(annotation.right)]
    return [annotation]


def _is_called(function_called: ast.expr) -> bool:
    last = function_called.attr if isinstance(function_called, ast.Attribute) else getattr(function_called, "id", "")
    return last in _CALLED


def _with_parameters(made: Any) -> Any:
    """Python 3.12 has type parameters in these nodes, and wants them there."""
    if "type_params" in made._fields:
        made.type_params = []
    return made
