"""Build Python source in which text of a document can't break out of its literal.

Rule 1: text of a document is only written as a literal, and names are checked. So any nesting of these builders gives
the intended syntax, and need not be parsed again.
Rule 2: types are expressions as text. A statement is a list of lines; a docstring is a single one of these, even if it
contains line breaks, so that indenting a body does not change its text.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from keyword import iskeyword
from typing import TypeAlias

from markupsafe import Markup

_ALLOWED = (
    *(ast.Module, ast.Import, ast.ImportFrom, ast.alias, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef),
    *(ast.AnnAssign, ast.Assign, ast.Expr, ast.Return, ast.Constant, ast.Name, ast.Attribute, ast.Subscript),
    *(ast.Tuple, ast.List, ast.Dict, ast.BinOp, ast.BitOr, ast.UnaryOp, ast.USub, ast.arguments, ast.arg, ast.Load),
    *(ast.Store, ast.Call, ast.keyword),
)
_CALLED = frozenset({"TypedDict", "TypeAliasType", "load", "loaded", "model", "package", "_deprecated"})

Keyword: TypeAlias = tuple[str, str, bool]
"""A parameter: its name, its type, and whether it is required."""


class Unsafe(Exception):
    """A name is not an identifier, or a template contains code that does not belong in a stub."""


def name(identifier: str) -> str:
    """Check a name, which may be dotted, and return it.

    Raises:
        Unsafe: it is not an identifier.
    """
    if not all(part.isidentifier() and not iskeyword(part) for part in identifier.split(".")):
        raise Unsafe(f"not a Python name: {identifier!r}")
    return identifier


def list_of(texts: Iterable[str]) -> str:
    """Write a list of strings."""
    return f"[{', '.join(map(repr, texts))}]"


def dict_of(members: Iterable[tuple[str, str]]) -> str:
    """Write a dict; the keys are strings, the values expressions."""
    return f"{{{', '.join(f'{key!r}: {value}' for key, value in members)}}}"


def literal(values: Iterable[str | int | None]) -> str:
    """Write ``Literal[...]``."""
    return f"Literal[{', '.join(map(repr, values)) or '()'}]"


def union(members: Iterable[str]) -> str:
    """Write ``a | b | c``, each once."""
    return " | ".join(dict.fromkeys(members))


def annotated(target: str, annotation: str, value: str = "") -> str:
    """Write ``target: annotation``, or ``target: annotation = value``."""
    return f"{name(target)}: {annotation}{value and f' = {value}'}"


def assigned(target: str, value: str) -> str:
    """Write ``target = value``."""
    return f"{name(target)} = {value}"


def text(value: str) -> list[str]:
    """Write a docstring after an attribute; nothing if the text is empty."""
    return [repr(value)] if value.strip() else []


def class_of(class_name: str, bases: Sequence[str], body: Iterable[str], doc: str = "", comment: str = "") -> list[str]:
    """Write a class, with a comment on its first line."""
    above = f"({', '.join(bases)})" if bases else ""
    return ["", f"class {name(class_name)}{above}:{comment}", *_body([*_docstring(doc), *body])]


def function(
    function_name: str,
    arguments: str,
    returns: str,
    doc: str = "",
    *,
    is_async: bool = False,
    decorators: Iterable[str] = (),
) -> list[str]:
    """Write a function whose body is a docstring, or ``...`` without one."""
    head = f"{'async ' if is_async else ''}def {name(function_name)}({arguments}) -> {returns}:"
    return ["", *(f"@{each}" for each in decorators), head, *_body(_docstring(doc))]


def arguments_of(
    receiver: str = "", positional: Iterable[Keyword] = (), keywords: Sequence[Keyword] = (), options: str = ""
) -> str:
    """Write parameters; ``...`` is the default of optional ones. ``options`` is the TypedDict of further ones."""
    written = [
        *([receiver] if receiver else []),
        *map(_argument, positional),
        *(["*"] if keywords else []),
        *map(_argument, keywords),
        # PEP 692.
        *([f"**options: _Unpack[{name(options)}]"] if options else []),
    ]
    return ", ".join(written)


def source(lines: Iterable[str]) -> Markup:
    """Join the lines of statements for a template."""
    return Markup("\n".join(lines).removeprefix("\n"))  # noqa: S704  # Python, not HTML


def check(written: str) -> None:
    """Check that a source contains only the kinds of nodes that stubs need.

    Raises:
        Unsafe: it contains another node.
    """
    for node in ast.walk(ast.parse(written)):
        if not isinstance(node, _ALLOWED):
            raise Unsafe(f"{type(node).__name__} is not allowed in a stub")
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] not in _CALLED:
            raise Unsafe("a call is not allowed in a stub")


def _argument(argument: Keyword) -> str:
    known, annotation, needed = argument
    return f"{name(known)}: {annotation}{'' if needed else '=...'}"


def _docstring(value: str) -> list[str]:
    if not value.strip():
        return []
    plain = value.translate({10: " ", 9: " "}).isprintable() and "\\" not in value
    if plain and '"""' not in value and not value.endswith('"'):
        return [f'"""{value}"""']
    return [ast.unparse(ast.Module([ast.Expr(ast.Constant(value))], []))]


def _body(lines: Sequence[str]) -> list[str]:
    return [line and f"    {line}" for line in lines or ["..."]]
