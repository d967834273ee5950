"""The wheel in an environment of its own: ``dynclient.load`` is typed by a project's own package, or not at all."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from dynclient.cli import main

UNTYPED = """
import dynclient
client = dynclient.load("openapi/voice.yaml", timeout=5)
reveal_type(client)
reveal_type(client.no_such)
"""
TYPED = """
import dynclient
from dynclient_types import voice
from typing_extensions import assert_type

client = dynclient.load("openapi/voice.yaml", timeout=5, auth=("user", "password"))
assert_type(client, voice.Client)
assert_type(dynclient.load("./openapi/voice.yaml").get_call_state("a", "b"), voice.CallState)
assert_type(dynclient.Client.load("./openapi/voice.yaml", watch=True), voice.Client)
assert_type(dynclient.AsyncClient.load("openapi/voice.yaml", retry=2), voice.AsyncClient)
other = dynclient.load("openapi/other.yaml")
assert_type(other, dynclient.Client)
assert_type(other.with_options(timeout=5), dynclient.Client)
assert_type(dynclient.AsyncClient.load("openapi/other.yaml"), dynclient.AsyncClient)
client.no_such
dynclient.load("openapi/voice.yaml", timeout="5")
dynclient.AsyncClient.load("openapi/voice.yaml", no_such=5)
"""

STRICT = """
import dynclient
from dynclient.types import Answer, Credential, Operations
from dynclient_types import voice
from typing_extensions import assert_type

def saved(answer: Answer) -> None:
    answer.save("a")

def listed(operations: Operations) -> list[str]:
    return list(operations)

def connected(by: Credential) -> voice.Client:
    return dynclient.load("openapi/voice.yaml", auth={"Basic": by})

client = connected("token")
listed(client.operations)
with client.get_call_state.stream("a", "b") as told:
    saved(told)
assert_type(dynclient.load("openapi/voice.yaml", auth={"Basik": "token"}), voice.Client)
assert_type(dynclient.AsyncClient.load("openapi/voice.yaml", auth={"Basik": "token"}), voice.AsyncClient)
"""


@pytest.fixture(scope="module")
def python(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment that has the wheel, and everything else but this checkout."""
    folder = tmp_path_factory.mktemp("installed")
    code = f"import os, hatchling.build as b; os.chdir({str(root)!r}); print(b.build_wheel({str(folder)!r}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    venv.create(folder / "venv", symlinks=True)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = folder / "venv" / "lib" / version / "site-packages"
    zipfile.ZipFile(folder / done.stdout.splitlines()[-1]).extractall(packages)
    (packages / "rest.pth").write_text(sysconfig.get_paths()["purelib"])
    return folder / "venv" / "bin" / "python"


@pytest.fixture
def project(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "openapi").mkdir()
    for name in ("voice", "orders"):
        shutil.copy(root / "openapi" / f"{name}.yaml", tmp_path / "openapi")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def checked(python: Path, source: str, file: str = "main.py", *more: str) -> tuple[str, str]:
    """What mypy and pyright say."""
    Path(file).write_text(source)
    tools = Path(sysconfig.get_paths()["scripts"])
    if not (tools / "mypy").exists():
        pytest.skip("mypy and pyright are not installed")
    environment = {**os.environ, "MYPYPATH": str(Path(file).parent)}
    commands = (
        ["mypy", "--strict", "--python-executable", python, file, *more],
        ["pyright", "--pythonpath", python, file, *more],
    )
    mypy, pyright = (
        subprocess.run([tools / name, *rest], capture_output=True, text=True, timeout=100, check=False, env=environment)
        for name, *rest in commands
    )
    return mypy.stdout, pyright.stdout


@pytest.mark.large
def test_without_a_package_attributes_are_any(python, project):
    mypy, pyright = checked(python, UNTYPED)
    assert 'Revealed type is "dynclient._client.clients.Client"' in mypy
    assert 'Revealed type is "Any"' in mypy
    assert "Success" in mypy
    assert 'Type of "client.no_such" is "Any"' in pyright
    assert "0 errors" in pyright


@pytest.mark.large
@pytest.mark.parametrize("layout", ["", "src"])
def test_with_a_package_load_is_typed(python, project, layout):
    (project / layout).mkdir(exist_ok=True)
    assert main(["stubs", "openapi/voice.yaml", "openapi/orders.yaml"]) == 0
    assert (project / layout / "dynclient_types" / "orders" / "models.py").is_file()
    mypy, pyright = checked(python, TYPED, f"{layout or '.'}/main.py")
    wrong = [number for number, line in enumerate(TYPED.splitlines(), 1) if "no_such" in line or '"5"' in line]
    assert '"Client" has no attribute "no_such"' in mypy
    assert 'Cannot access attribute "no_such"' in pyright
    for said in (mypy, pyright):
        found = re.findall(r"(\w+\.pyi?):(\d+):(?: error|\d+ - error)", said)
        assert sorted({(file, int(line)) for file, line in found}) == [("main.py", number) for number in wrong]


@pytest.mark.large
def test_strict_checkers_report_wrong_scheme_names_alone(python, project):
    assert main(["stubs", "openapi/voice.yaml"]) == 0
    (project / "pyrightconfig.json").write_text('{"typeCheckingMode": "strict"}')
    (project / "mypy.ini").write_text("[mypy]\nenable_error_code = deprecated\n")
    mypy, pyright = checked(python, STRICT, "main.py", "dynclient_types")
    wrong = [number for number, line in enumerate(STRICT.splitlines(), 1) if "Basik" in line]
    for said in (mypy, pyright):
        found = re.findall(r"(\w+\.pyi?):(\d+):(?: error|\d+ - error)", said)
        assert sorted({(file, int(line)) for file, line in found}) == [("main.py", number) for number in wrong]
        assert "not security schemes of the document: Basic" in said


def test_generated_files_import_public_modules_only(project):
    assert main(["stubs", "openapi/voice.yaml", "openapi/orders.yaml"]) == 0
    assert main(["stubs", "openapi/voice.yaml", "--out", "apis"]) == 0
    written = [path for folder in ("dynclient_types", "apis") for path in (project / folder).rglob("*.py*")]
    assert len(written) > 10
    private = re.compile(r"dynclient[\w.]*\._|dynclient import _")
    assert [path.name for path in written if private.search(path.read_text())] == []


def test_a_newer_document_is_logged_once(python, project):
    assert main(["stubs", "openapi/voice.yaml"]) == 0
    with (project / "openapi" / "voice.yaml").open("a") as file:
        file.write("# newer\n")
    code = (
        "import dynclient; from dynclient_types import voice; dynclient.load('openapi/voice.yaml');"
        "dynclient.load('./openapi/voice.yaml'); voice.load(); print(sorted(voice.UpdateCall.__optional_keys__)[:1],"
        "sorted(voice.CreateCall.__required_keys__)[:1], voice.errors.NotFound.__name__)"
    )
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr.splitlines() == [
        "the type hints for 'openapi/voice.yaml' were made from another version of it; run dynclient stubs again"
    ]
    assert done.stdout.strip() == "['fallbackPassword'] ['answerUrl'] NotFound"


@pytest.mark.parametrize("text", ["", "DOCUMENTS = {1: print()}", "DOCUMENTS = {", "DOCUMENTS = 5", "DOCUMENTS: dict"])
def test_a_load_runs_no_code_of_the_current_folder(python, project, text):
    package = project / "dynclient_types"
    package.mkdir(exist_ok=True)
    (package / "__init__.py").write_text(f"print('run')\n{text}\n")
    code = "import dynclient; dynclient.load('openapi/voice.yaml')"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert (done.stdout, done.stderr) == ("", "")


@pytest.mark.parametrize("command", [["docs", "--out", "pages", "--mkdocs"], ["stubs"], ["stubs", "--out", "apis"]])
def test_check_prints_differences(project, command, capsys):
    told = [command[0], "openapi/orders.yaml", *command[1:]]
    assert main([*told, "--check"]) == 1
    assert main(told) == 0
    capsys.readouterr()
    assert main([*told, "--check"]) == 0
    document = project / "openapi" / "orders.yaml"
    document.write_text(document.read_text().replace("What a customer orders", "What somebody wants"))
    assert main([*told, "--check"]) == 1
    out = capsys.readouterr().out
    assert "-" in out
    assert "What somebody wants" in out


def test_a_users_own_template(project):
    (project / "mine").mkdir()
    (project / "mine" / "schema.md.jinja").write_text("{{ head }}\n\nMine: {{ page.view.class_name }} {{ '<b>' }}\n")
    assert main(["docs", "openapi/orders.yaml", "--out", "pages", "--templates", "mine"]) == 0
    assert (project / "pages" / "Order.md").read_text().endswith("\nMine: Order &lt;b&gt;\n")
    assert (project / "pages" / "README.md").read_text().count("\n") > 20


@pytest.mark.parametrize(
    ("template", "old", "command", "file"),
    [
        ("index.md", "## Use", ["docs", "--out", "made"], "README.md"),
        ("api.md", "| Method |", ["docs", "--out", "made"], "OrdersApi.md"),
        ("operation.md", "### Responses", ["docs", "--out", "made"], "OrdersApi.md"),
        ("schema.md", "## Properties", ["docs", "--out", "made"], "Order.md"),
        ("package.py", "import dynclient", ["stubs", "--out", "made"], "orders/__init__.py"),
        ("package.pyi", "DOCUMENT: str", ["stubs", "--out", "made"], "orders/__init__.pyi"),
        ("operations.pyi", "from .models", ["stubs", "--out", "made"], "orders/_operations_1.pyi"),
        ("models.py", "# ruff: noqa", ["stubs", "--out", "made"], "orders/models.py"),
        ("errors.py", "from dynclient.exceptions import Conflict", ["stubs", "--out", "made"], "orders/errors.py"),
    ],
)
def test_each_template_can_be_replaced(root, project, template, old, command, file):
    own = root / "tools" / "dynclient_tools" / "templates" / f"{template}.jinja"
    text = own.read_text("utf-8")
    assert old in text
    (project / "mine").mkdir()
    (project / "mine" / own.name).write_text(text.replace(old, f"# Mine.\n{old}", 1), "utf-8")
    assert main([command[0], "openapi/orders.yaml", *command[1:], "--templates", "mine"]) == 0
    assert f"# Mine.\n{old}" in (project / "made" / file).read_text("utf-8")


def test_old_generated_files_are_removed(project):
    assert main(["docs", "openapi/orders.yaml", "--out", "pages"]) == 0
    (project / "pages" / "Gone.md").write_text("<!-- Generated by dynclient -->")
    (project / "pages" / "mine.md").write_text("mine")
    assert main(["docs", "openapi/orders.yaml", "--out", "pages"]) == 0
    assert not (project / "pages" / "Gone.md").exists()
    assert (project / "pages" / "mine.md").exists()
