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
