"""The public API is small and sorted, costs next to nothing to import, and the wheel holds the package and no more."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import dynclient

# What most programs need; the errors and options follow by a rule.
FIRST = ["AsyncClient", "Client", "HTTPCache", "HTTPResult", "Headers", "Request", "Response", "load", "resume"]
SECURITY = ["Auth", "AuthContext", "HMACAuth", "SigV4"]


def classes_of(module):
    return [
        name
        for name, value in vars(module).items()
        if isinstance(value, type) and value.__module__ == module.__name__ and not name.startswith("_")
    ]


VALUES = ["DocumentLocation", "Fault", "Problem"]
NAMES = sorted({*FIRST, *VALUES, *SECURITY, *classes_of(dynclient.exceptions), *classes_of(dynclient.options)})

LATE = ["urllib3", "jsonschema", "jsonschema_rs", "jinja2", "yaml", "click", "rich", "werkzeug", "anyio", "msgspec"]


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.strip()


def test_the_public_names_are_in_one_place_and_sorted():
    # A star import must not hide the built-in TimeoutError.
    assert dynclient.__all__ == [name for name in NAMES if name != "TimeoutError"]


@pytest.mark.parametrize("name", NAMES)
def test_each_public_name_is_there(name):
    assert getattr(dynclient, name) is not None
    assert name in dir(dynclient)


@pytest.mark.parametrize("module", ["bulk", "drift", "exceptions", "mcp", "options", "security", "testing", "webhooks"])
def test_the_rest_is_in_named_modules(module):
    assert getattr(dynclient, module).__name__ == f"dynclient.{module}"


def test_names_for_annotations_are_sorted_and_there():
    types = __import__("dynclient.types").types
    assert types.__all__ == sorted(types.__all__)
    assert all(hasattr(types, name) for name in types.__all__)


def test_a_star_import_brings_the_public_names_alone():
    code = "from dynclient import *; print(sorted(name for name in globals() if not name.startswith('__')))"
    assert python(code) == str(sorted(dynclient.__all__))


def test_importing_loads_nothing_that_is_not_needed_yet():
    code = f"import sys, dynclient; print([name for name in {LATE!r} if name in sys.modules])"
    assert python(code) == "[]"


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = dynclient.nothing


def test_the_wheel_holds_the_package_and_no_more(root: Path, tmp_path: Path):
    code = f"import os, hatchling.build as b; os.chdir({str(root)!r}); print(b.build_wheel({str(tmp_path)!r}))"
    names = zipfile.ZipFile(tmp_path / python(code).splitlines()[-1]).namelist()
    tops = {name.split("/")[0] for name in names}
    packages = {top for top in tops if not top.endswith(".dist-info")}
    assert packages == {"dynclient", "dynclient_tools", "dynclient_types"}
    # A project makes dynclient_types for itself: the wheel has the empty one, for type checkers.
    shipped = {name for name in names if name.startswith("dynclient_types/")}
    assert shipped == {"dynclient_types/__init__.pyi", "dynclient_types/py.typed"}
    assert "dynclient/py.typed" in names
    assert "dynclient/cli/__init__.py" in names
    assert not [name for name in names if "/test_" in name or name.endswith(".pyc")]
    sources = {str(path.relative_to(root)) for path in (root / "dynclient").rglob("*.py")}
    assert sources <= set(names)


def test_type_checkers_see_the_same_public_names(root: Path):
    import ast

    tree = ast.parse((root / "dynclient" / "__init__.pyi").read_text("utf-8"))
    seen = {alias.asname for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    seen |= {node.target.id for node in tree.body if isinstance(node, ast.AnnAssign)}
    modules = {"bulk", "drift", "exceptions", "explorer", "mcp", "options", "security", "testing", "webhooks"}
    assert seen == {*NAMES, "__version__", *modules}


def test_what_is_loaded_late_is_listed_before_it_is_asked_for():
    code = "import dynclient.testing as package; print(sorted({*package.__all__} - {*dir(package)}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "[]\n", done.stderr


def test_methods_with_a_signature_of_their_own_are_methods(voice_path: Path):
    with dynclient.load(voice_path) as client:
        for owner, name in (
            (client, "with_options"),
            (client.create_call, "with_options"),
            (client.create_call, "wait"),
        ):
            method = getattr(owner, name)
            assert (method.__self__, method.__func__) == (owner, getattr(type(owner), name))
