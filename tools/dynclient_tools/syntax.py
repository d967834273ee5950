"""Python as syntax trees: small builders, and the check of the result.

Rule 1: text of a document only becomes the value of an ``ast.Constant``; names are generated identifiers.
Rule 2: each source is parsed again. The result must equal the tree that was built, and contain only the kinds of nodes
that stubs need.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

ELLIPSIS = ast.Constant(...)
_NOT_AS_BUILT = "the written source does not parse to the tree that was built"

_ALLOWED = (
    *(ast.Module, ast.Import, ast.ImportFrom, ast.alias, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef),
    *(ast.AnnAssign, ast.Assign, ast.Expr, ast.Return, ast.Constant, ast.Name, ast.Attribute, ast.Subscript),
    *(ast.Tuple, ast.List, ast.Dict, ast.BinOp, ast.BitOr, ast.UnaryOp, ast.USub, ast.arguments, ast.arg, ast.Load),
    *(ast.Store, ast.Call, ast.keyword),
)
_CALLED = frozenset({"TypedDict", "TypeAliasType", "load", "loaded", "model", "package", "_deprecated"})


Keyword: TypeAlias = tuple[str, ast.expr, bool]
"""A parameter: its name, its type, and whether it is required."""


class Unsafe(Exception):
    """The written source is not what was built, which is a bug of this tool."""


def name(identifier: str) -> ast.expr:
    """Build a name, which may be dotted."""
    first, *rest = identifier.split(".")
    found: ast.expr = ast.Name(first, ast.Load())
    for part in rest:
        found = ast.Attribute(found, part, ast.Load())
    return found


def constant(value: str | int | None) -> ast.expr:
    """Build a constant; a negative number is a sign and a constant, as Python parses it."""
    if isinstance(value, int) and not isinstance(value, bool) and value < 0:
        return ast.UnaryOp(ast.USub(), ast.Constant(-value))
    return ast.Constant(value)


def list_of(texts: Iterable[str]) -> ast.expr:
    """Build a list of strings."""
    return ast.List([ast.Constant(text) for text in texts], ast.Load())


def subscript(of: str, *members: ast.expr) -> ast.expr:
    """Build ``of[members]``."""
    inner = members[0] if len(members) == 1 else ast.Tuple(list(members), ast.Load())
    return ast.Subscript(name(of), inner, ast.Load())


def union(members: Sequence[ast.expr]) -> ast.expr:
    """Build ``a | b | c`` without repetition."""
    flat = {ast.dump(part): part for member in members for part in _parts(member)}
    joined, *others = flat.values()
    for member in others:
        joined = ast.BinOp(joined, ast.BitOr(), member)
    return joined


def quoted(annotation: ast.expr) -> ast.expr:
    """Build a type as a string, a forward reference.

    Raises:
        Unsafe: the string does not parse to the same tree.
    """
    written = ast.unparse(annotation)
    _check_same(annotation, ast.parse(written, mode="eval").body)
    return ast.Constant(written)


def annotated(target: str, annotation: ast.expr, value: ast.expr | None = None) -> ast.stmt:
    """Build ``target: annotation``, or ``target: annotation = value``."""
    return ast.AnnAssign(ast.Name(target, ast.Store()), annotation, value, simple=1)


def assigned(target: str, value: ast.expr) -> ast.stmt:
    """Build ``target = value``."""
    return ast.Assign([ast.Name(target, ast.Store())], value)


def text(value: str) -> list[ast.stmt]:
    """Build a docstring, or nothing for an empty text."""
    return [ast.Expr(ast.Constant(value))] if value.strip() else []


def class_of(
    class_name: str, bases: Sequence[str], body: Sequence[ast.stmt], keywords: Sequence[ast.keyword] = ()
) -> ast.stmt:
    """Build a class."""
    made: Any = ast.ClassDef(
        name=class_name,
        bases=[name(base) for base in bases],
        keywords=list(keywords),
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
    """Build a function whose body is a docstring, or ``...`` without one."""
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
    """Build ``function("text")``."""
    return ast.Call(name(function_called), [ast.Constant(argument)], [])


def arguments_of(
    receiver: str,
    positional: Sequence[Keyword] = (),
    keywords: Sequence[Keyword] = (),
    rest: tuple[str, ast.expr] | None = None,
) -> ast.arguments:
    """Build parameters; ``...`` is the default of optional ones."""
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
    """Build ``**options``, typed by a TypedDict (PEP 692)."""
    return "options", subscript("_Unpack", name(typed_dict))


def source(statements: Iterable[ast.stmt]) -> str:
    """Write statements as source, and check it.

    Raises:
        Unsafe: the source does not parse to the same tree, or contains a node that no stub needs.
    """
    tree = ast.fix_missing_locations(ast.Module(list(statements), []))
    written = ast.unparse(tree)
    _check_same(tree, ast.parse(written))
    return written


def check(written: str) -> None:
    """Check that a source contains only the kinds of nodes that stubs need.

    Raises:
        Unsafe: it contains another node.
    """
    for node in ast.walk(ast.parse(written)):
        _check_node(node)


def _check_node(node: ast.AST) -> None:
    if not isinstance(node, _ALLOWED):
        raise Unsafe(f"{type(node).__name__} is not allowed in a stub")
    if isinstance(node, ast.Call) and not _is_called(node.func):
        raise Unsafe("a call is not allowed in a stub")


def _check_same(built: ast.AST, read: ast.AST) -> None:
    """Check that the parsed tree equals the one that was built, and that all of its nodes are allowed."""
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
    """A field of a node; built nodes lack optional fields, so an empty list counts as None."""
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
    """Add the field for type parameters, which Python 3.12 and later require."""
    if "type_params" in made._fields:
        made.type_params = []
    return made
