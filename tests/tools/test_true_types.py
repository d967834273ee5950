"""Emitted types are true of the methods made at run time, and type checkers take them."""

from __future__ import annotations

import ast
import inspect
import os
import subprocess
import sys
import sysconfig
import time
from functools import cache
from pathlib import Path

import pytest
from dynclient_tools.files import write
from dynclient_tools.stubs import stubs

import dynclient

KINDS = {
    "posonlyargs": inspect.Parameter.POSITIONAL_ONLY,
    "args": inspect.Parameter.POSITIONAL_OR_KEYWORD,
    "kwonlyargs": inspect.Parameter.KEYWORD_ONLY,
}
CHECKED = {
    "bandwidth": "bandwidth/python-sdk/bandwidth.yml",
    "petstore": "petstore/openapi.yaml",
    "stripe": "stripe/spec3.json",
    "kubernetes": "kubernetes/swagger.json",
    "github": "github/api.github.com.json",
}
OTHERS = ("xero/xero_accounting.yaml", "docker/swagger.yaml", "figma/openapi.yaml", "openai/openapi.yaml")
PLAIN = {"str", "int", "float", "bool", "Any", "None"}


def emitted_signatures(files):
    """Of each operation's class, by the client's attribute: names, kinds, whether it may be left out, plain types."""
    calls = {}
    for name, text in files.items():
        if name.startswith("_operations"):
            for node in ast.parse(text).body:
                if isinstance(node, ast.ClassDef):
                    call = next(part for part in node.body if getattr(part, "name", "") == "__call__")
                    calls[node.name] = list(parameters(call.args))
    (client,) = (
        node
        for node in ast.parse(files["__init__.pyi"]).body
        if isinstance(node, ast.ClassDef) and node.name == "Client"
    )
    attributes = {part.target.id: part.annotation.id for part in client.body if isinstance(part, ast.AnnAssign)}
    return {name: calls[known] for name, known in attributes.items() if known in calls}


def parameters(arguments):
    defaults = [None] * (len(arguments.args) - len(arguments.defaults)) + arguments.defaults
    for argument, default in list(zip(arguments.args, defaults, strict=True))[1:]:
        yield argument.arg, KINDS["args"], default is not None, ast.unparse(argument.annotation)
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        yield argument.arg, KINDS["kwonlyargs"], default is not None, ast.unparse(argument.annotation)


@cache
def made(document):
    """The stubs of a document, and the seconds that they took."""
    begun = time.process_time()
    with dynclient.load(document) as client:
        files = stubs(client, "x.yaml")
    return files, time.process_time() - begun


def assert_true(document):
    with dynclient.load(document) as client:
        emitted = emitted_signatures(made(document)[0])
        for name, method in client.operations.items():
            try:
                signature = inspect.signature(method)
            except dynclient.DocumentError:
                assert name not in emitted
                continue
            found = emitted[name]
            expected = [
                (parameter.name, parameter.kind, parameter.default is ...)
                for parameter in signature.parameters.values()
            ]
            assert [entry[:3] for entry in found] == expected, name
            for parameter, (*_, annotation) in zip(signature.parameters.values(), found, strict=True):
                shown = inspect.formatannotation(parameter.annotation).removeprefix("typing.")
                if annotation in PLAIN:
                    assert shown == annotation, (name, parameter.name)


@pytest.mark.parametrize("name", ["voice", "orders", "voice.2.0"])
def test_signatures_are_those_emitted(root, name):
    assert_true(root / "openapi" / f"{name}.yaml")


@pytest.mark.parametrize("path", [*CHECKED.values(), *OTHERS])
def test_signatures_of_other_documents(shared, path):
    assert_true(shared / "corpus" / path)


def run(tool, folder, *options):
    program = Path(sysconfig.get_paths()["scripts"]) / tool
    if not program.exists():
        pytest.skip(f"{tool} is not installed")
    environment = {**os.environ, "MYPYPATH": ""}
    done = subprocess.run(
        [program, *options], cwd=folder, env=environment, capture_output=True, text=True, timeout=110, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:]


@pytest.mark.parametrize("name", CHECKED)
def test_type_checkers_take_them(shared, tmp_path, name):
    files, seconds = made(shared / "corpus" / CHECKED[name])
    assert seconds < 20
    write(tmp_path / name, files)
    run("mypy", tmp_path, "--strict", "--python-version", "3.10", "--cache-dir", tmp_path / "cache", name)
    run("pyright", tmp_path, "--pythonpath", sys.executable, name)
    compile(files["models.py"], "models.py", "exec")
