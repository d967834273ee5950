"""The rules of the codebase that can be counted: sizes, names, imports. CONTRIBUTING.md explains them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODULE_LINES = 600
FUNCTION_LINES = 50
FORBIDDEN_MODULES = {"utils", "helpers", "base", "common", "util", "helper", "misc"}
PACKAGES = ("dynclient", "tools/dynclient_tools")
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def modules(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


def functions(*folders: str) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for path in modules(*folders):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, FUNCTIONS):
                yield f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", node


def body_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """The lines of a function without those of its docstring."""
    return (node.end_lineno or 0) - node.lineno + 1 - len((ast.get_docstring(node) or "").splitlines())


def lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """How long a function is, its docstring not counted: what an argument means may be said at length."""
    docstring = ast.get_docstring(node)
    return (node.end_lineno or 0) - node.lineno + 1 - (len(docstring.splitlines()) if docstring else 0)


def test_no_module_is_too_long():
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in modules(*PACKAGES, "tools")}
    assert {str(path): lines for path, lines in lengths.items() if lines > MODULE_LINES} == {}


def test_no_function_is_too_long():
    lengths = {where: body_lines(node) for where, node in functions(*PACKAGES, "tools")}
    assert lengths
    assert {where: count for where, count in lengths.items() if count > FUNCTION_LINES} == {}


def test_every_function_is_annotated():
    bare = []
    for where, node in functions(*PACKAGES):
        arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        named = [argument for argument in arguments if argument.arg not in {"self", "cls", "metacls", "_cls"}]
        if node.returns is None or any(argument.annotation is None for argument in named):
            bare.append(where)
    assert bare == []


def test_no_module_has_a_name_that_says_nothing():
    assert [str(path) for path in modules(*PACKAGES) if path.stem.lstrip("_") in FORBIDDEN_MODULES] == []


def test_every_module_has_a_docstring():
    bare = [path for path in modules(*PACKAGES) if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))]
    assert bare == []
