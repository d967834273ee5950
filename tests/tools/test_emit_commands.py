"""``dynclient docs`` and ``dynclient stubs`` from the command line."""

from __future__ import annotations

import importlib.util
import sys

import pytest

from dynclient.cli import main

PACKAGE = ["__init__.py", "__init__.pyi", "_operations_1.pyi", "errors.py", "models.py"]


@pytest.fixture(autouse=True)
def _in_root(root, monkeypatch):
    monkeypatch.chdir(root)


def test_docs(tmp_path, voice_files, capsys):
    assert main(["docs", "openapi/voice.yaml", "--out", str(tmp_path / "out")]) == 0
    written = {f"docs/{path.name}": path.read_text("utf-8") for path in (tmp_path / "out").iterdir()}
    assert written == {name: text for name, text in voice_files.items() if name.startswith("docs/")}
    assert capsys.readouterr().out == ""


def test_stubs_make_a_package_that_loads(tmp_path, monkeypatch):
    assert main(["stubs", "openapi/voice.yaml", "--out", str(tmp_path)]) == 0
    assert sorted(path.name for path in (tmp_path / "voice").iterdir()) == PACKAGE
    spec = importlib.util.spec_from_file_location("emitted_voice", tmp_path / "voice" / "__init__.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "emitted_voice", module)
    spec.loader.exec_module(module)
    with module.load(auth=("user", "password")) as client:
        assert "create_call" in dir(client)


@pytest.mark.parametrize("command", ["docs", "stubs"])
def test_a_missing_document_and_a_file_in_the_way(tmp_path, command, capsys):
    assert main([command, "openapi/nowhere.yaml", "--out", str(tmp_path)]) == 1
    assert "nowhere.yaml" in capsys.readouterr().err
    (tmp_path / "README.md").write_text("mine")
    (tmp_path / "voice").mkdir()
    (tmp_path / "voice" / "__init__.py").write_text("mine")
    assert main([command, "openapi/voice.yaml", "--out", str(tmp_path)]) == 1
    assert "was not generated" in capsys.readouterr().err


LISTED = """
openapi: 3.1.0
info: {title: t, version: '1'}
paths:
  /cats: {get: {operationId: listCats, tags: [Cats], responses: {'204': {description: none}}}}
  /dogs: {get: {operationId: 2ndDog, tags: [Dogs], responses: {'204': {description: none}}}}
"""


@pytest.fixture
def two(tmp_path, monkeypatch):
    """Two documents of one file name in the current folder."""
    monkeypatch.chdir(tmp_path)
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "openapi.yaml").write_text(LISTED.replace("title: t", f"title: {folder}"))
    return ["a/openapi.yaml", "b/openapi.yaml"]


def test_two_documents_of_one_name_get_two_packages(two, tmp_path):
    assert main(["stubs", *two, "--out", "out"]) == 0
    written = {path.parent.name: path.read_text() for path in tmp_path.glob("out/*/__init__.py")}
    assert [("a/openapi.yaml" in written["openapi"]), ("b/openapi.yaml" in written["openapi_2"])] == [True, True]


@pytest.mark.parametrize("stubs", ["true", '"types"'])
def test_generating_twice_changes_nothing(two, stubs, tmp_path):
    settings = f"[tool.dynclient]\ndocuments = {two}\ndocs = 'docs'\nstubs = {stubs}\n"
    (tmp_path / "pyproject.toml").write_text(settings, "utf-8")
    assert main(["generate"]) == 0
    assert main(["generate", "--check"]) == 0


@pytest.mark.parametrize("setting", ["docs = '../..'", "docs = '/etc'", "docs = 'a/../../b'", "stubs = '..'"])
def test_a_configuration_writes_into_its_project_alone(two, setting, tmp_path, capsys):
    (tmp_path / "pyproject.toml").write_text(f"[tool.dynclient]\ndocuments = {two}\n{setting}\n", "utf-8")
    assert main(["generate"]) == 1
    assert "a folder within the project" in capsys.readouterr().err


def test_the_types_of_a_part(two, tmp_path):
    assert main(["stubs", two[0], "--out", "out", "--name", "pets", "--tag", "Dogs"]) == 0
    text = (tmp_path / "out" / "pets" / "__init__.pyi").read_text()
    assert "list_cats" not in text
    assert "_2nd_dog" in text
    # What begins with an underscore is imported by `*` only if it is listed.
    assert "'_2ndDogOperation'" in (tmp_path / "out" / "pets" / "_operations_1.pyi").read_text()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--tag", "Dog"], "no operation has the tag 'Dog'"),
        (["--tag", "Dog"], "did you mean Dogs"),
        (["--name", "a.b"], "a Python name"),
        (["b/openapi.yaml", "--name", "both"], "one document"),
    ],
)
def test_a_part_that_is_not_there(two, options, said, capsys):
    assert main(["stubs", two[0], "--out", "out", *options]) == 1
    assert said in capsys.readouterr().err
