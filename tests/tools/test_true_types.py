"""Emitted types match the methods made at run time, and type checkers accept them."""

from __future__ import annotations

import ast
import inspect
import os
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import pytest
from dynclient_tools.emitting import write
from dynclient_tools.stubs import stubs

import dynclient
from dynclient import types as keywords
from dynclient._client.operation_method import Described
from dynclient._request import CallOptions

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
    "openai": "openai/openapi.yaml",
    "twilio": "twilio/twilio_api_v2010.json",
}
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


def made(document, folders=()):
    """A document's operations with their signatures, its stubs, and the seconds that these took."""
    with dynclient.load(document, references=folders) as client:
        begun = time.process_time()
        files = stubs(client, "x.yaml")
        seconds = time.process_time() - begun
        return {name: signature_of(method) for name, method in client.operations.items()}, files, seconds


def signature_of(method):
    try:
        return inspect.signature(method)
    except dynclient.DocumentError:
        return None


def assert_true(signatures, files):
    emitted = emitted_signatures(files)
    readable = {name: signature for name, signature in signatures.items() if signature is not None}
    assert emitted.keys() == {known for name in readable for known in (name, f"{name}_with_http_info")}
    for name, signature in readable.items():
        found = emitted[name]
        assert emitted[f"{name}_with_http_info"] == found
        parameters = signature.parameters.values()
        expected = [(parameter.name, parameter.kind, parameter.default is ...) for parameter in parameters]
        assert [entry[:3] for entry in found] == expected, name
        for parameter, (*_, annotation) in zip(parameters, found, strict=True):
            shown = inspect.formatannotation(parameter.annotation).removeprefix("typing.")
            assert annotation not in PLAIN or shown == annotation, (name, parameter.name)


@pytest.mark.parametrize("name", ["voice", "orders", "voice.2.0"])
def test_signatures_are_those_emitted(root, name):
    signatures, files, _ = made(root / "openapi" / f"{name}.yaml")
    assert signatures
    assert_true(signatures, files)


def documents():
    """All documents of others, those that are checked below apart."""
    folder = Path(os.environ.get("DYNCLIENT_SHARED", "")) / "corpus"
    if not (folder / "INDEX.tsv").is_file():
        return [pytest.param("", marks=pytest.mark.skip("DYNCLIENT_SHARED names no folder of documents"))]
    rows = [line.split("\t") for line in (folder / "INDEX.tsv").read_text("utf-8").splitlines()[1:]]
    return [row[0] for row in rows if row[6] == "openapi" and row[0] not in CHECKED.values()]


@pytest.mark.large
@pytest.mark.parametrize("path", documents())
def test_signatures_of_other_documents(shared, path):
    document = shared / "corpus" / path
    signatures, files, _ = made(document, [str(document.parent.parent)])
    assert_true(signatures, files)


@pytest.mark.large
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "names", [("github", "petstore"), ("kubernetes", "bandwidth"), ("stripe", "twilio"), ("openai",)], ids=",".join
)
def test_type_checkers_accept_the_packages(shared, tmp_path, names):
    """Both look at the same time, while signatures are compared."""
    whole = {name: made(shared / "corpus" / CHECKED[name]) for name in names}
    for name, (_, files, seconds) in whole.items():
        assert seconds < 20, name
        write(tmp_path / name, files)
    mypy = begin("mypy", tmp_path, "--strict", "--python-version", "3.11", "--cache-dir", tmp_path / "cache", *names)
    pyright = begin("pyright", tmp_path, "--pythonpath", sys.executable, *names)
    for signatures, files, _ in whole.values():
        assert_true(signatures, files)
        compile(files["models.py"], "models.py", "exec")
    for running in (mypy, pyright):
        said, _ = running.communicate(timeout=200)
        assert running.returncode == 0, said[-2000:]


def begin(tool, folder, *options):
    program = Path(sysconfig.get_paths()["scripts"]) / tool
    if not program.exists():
        pytest.skip(f"{tool} is not installed")
    environment = {**os.environ, "MYPYPATH": ""}
    return subprocess.Popen(
        [program, *options], cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def test_options_are_those_of_load_and_with_options():
    load, load_async = (inspect.signature(kind.load).parameters for kind in (dynclient.Client, dynclient.AsyncClient))
    options, async_options = (kind.__annotations__ for kind in (keywords.LoadOptions, keywords.AsyncLoadOptions))
    # What takes all other keywords raises.
    assert options.keys() | {"source", "auth"} == load.keys()
    assert async_options.keys() | {"source", "auth"} == load_async.keys()
    assert keywords.CallOptions.__annotations__.keys() | {"auth"} == set(CallOptions._fields)
    for name, annotation in options.items():
        assert load[name].annotation in {annotation.__forward_arg__, "Any"}, name


def test_operations_have_the_members_of_their_types(voice_path, voice_files):
    (operation,) = (
        node
        for node in ast.parse(voice_files["stubs/voice/_operations_1.pyi"]).body
        if isinstance(node, ast.ClassDef) and node.name == "CreateCallOperation"
    )
    told = {part.name for part in operation.body} | {name for name in vars(Described) if name[0] != "_"}
    with dynclient.load(voice_path) as client:
        # `paginate` is told of lists only.
        found = {name for name in dir(client.create_call) if name[0] != "_"} - {"paginate"}
        assert found | {"__call__"} == told
        for kind, (own,) in {"Client": [client], "AsyncClient": [dynclient.AsyncClient.load(voice_path)]}.items():
            (typed,) = (
                node
                for node in ast.parse(voice_files["stubs/voice/__init__.pyi"]).body
                if isinstance(node, ast.ClassDef) and node.name == kind
            )
            members = [part for part in typed.body if not isinstance(part, ast.Expr)]
            names = {getattr(part, "name", "") or part.target.id for part in members}
            assert {name for name in dir(own) if name[0] != "_"} - names == {"load"}
            # dir() does not list the variants of operations.
            assert {name for name in names if not name.endswith("_with_http_info")} <= set(dir(own))
            assert all(hasattr(own, name) for name in names)
