"""The rules of the codebase that can be counted: sizes, names, imports. CONTRIBUTING.md explains them."""

from __future__ import annotations

import ast
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODULE_LINES = 600
FUNCTION_LINES = 50
FORBIDDEN_MODULES = {"utils", "helpers", "base", "common", "util", "helper", "misc"}
NAMESAKES = 2
PACKAGES = ("dynclient", "tools/dynclient_tools")
ARCHITECTURE = ROOT / "docs" / "architecture.md"
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


def imported(path: Path) -> Iterator[str]:
    """The names that a file imports; without those that an ``__init__`` loads for others, at their first use."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body if path.stem == "__init__" else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_no_files_import_each_other_in_a_circle():
    files = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in modules("dynclient")}
    files = {name.removesuffix(".__init__"): path for name, path in files.items()}
    graph = {}
    for name, path in files.items():
        found = {full if full in files else full.rpartition(".")[0] for full in imported(path)}
        graph[name] = (found & files.keys()) - {name}
    assert sum(map(len, graph.values())) > len(files)
    TopologicalSorter(graph).prepare()  # a CycleError names the files


def test_a_file_name_occurs_at_most_twice():
    names = Counter(path.name for path in modules("dynclient") if not path.name.startswith("__"))
    assert {name: count for name, count in names.items() if count > NAMESAKES} == {}


def test_the_architecture_has_the_layers_of_the_contract():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (contract,) = settings["tool"]["importlinter"]["contracts"]
    layer_of = {name: index for index, row in enumerate(contract["layers"]) for name in row.split(" | ")}
    rows = re.findall(r"^\| \w* ?\| (`.*?) \|", ARCHITECTURE.read_text(encoding="utf-8"), re.MULTILINE)
    told = re.findall(r"`(\w+)/?`", " ".join(rows))
    assert sorted(told) == sorted(layer_of)
    assert told == sorted(told, key=layer_of.__getitem__)


def test_the_files_that_the_architecture_names_exist():
    named = set(re.findall(r"`(\w+/[\w/]+\.\w+)`", ARCHITECTURE.read_text(encoding="utf-8")))
    assert named
    assert [
        name for name in sorted(named) if not any((root / name).exists() for root in (ROOT, ROOT / "dynclient"))
    ] == []


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


def test_no_retired_name_is_left():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    retired = set(re.findall(r"`(\w+)`", text.partition("### Retired names")[2]))
    assert len(retired) > 70
    found = []
    for path in modules(*PACKAGES):
        nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        names = {path.stem, path.parent.name} | {node.name for node in nodes if isinstance(node, ast.ClassDef)}
        found += [f"{path.relative_to(ROOT)}: {name}" for name in names if name.lstrip("_") in retired]
    assert found == []
