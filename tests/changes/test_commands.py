"""``dynclient diff`` and ``dynclient generate`` from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dynclient.changes import SEVERITIES
from dynclient.cli import main


@pytest.fixture(autouse=True)
def _in_root(root, monkeypatch):
    monkeypatch.chdir(root)


@pytest.fixture
def warned(root, tmp_path) -> str:
    """The document with one change, a warning."""
    text = (root / "openapi/voice.yaml").read_text("utf-8")
    old = "      operationId: createCall\n"
    assert text.count(old) == 1
    path = tmp_path / "new.yaml"
    path.write_text(text.replace(old, f"{old}      deprecated: true\n"), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(("fail_on", "status"), [(None, 0), ("breaking", 0), ("warning", 3), ("info", 3)])
def test_diff_exits_with_3_at_the_severity(warned, capsys, fail_on, status):
    options = ["--fail-on", fail_on] if fail_on is not None else []
    assert main(["diff", "openapi/voice.yaml", warned, "-o", "json", *options]) == status
    (change,) = json.loads(capsys.readouterr().out)
    assert (change["id"], change["severity"], change["operation"]) == ("operation-deprecated", "warning", "createCall")
    assert change["new"]["document"] == warned
    lines = Path(warned).read_text("utf-8").splitlines()
    assert lines[change["new"]["line"] - 1].strip() == "post:"


def test_diff_for_github(warned, capsys):
    assert main(["diff", "openapi/voice.yaml", warned, "-o", "github"]) == 0
    line = capsys.readouterr().out
    assert line.startswith(f"::warning title=operation-deprecated (warning),file={warned},line=")
    assert line.endswith("::create_call: is deprecated\n")


@pytest.mark.parametrize("severity", SEVERITIES)
def test_diff_without_changes(capsys, severity):
    assert main(["diff", "openapi/voice.2.0.yaml", "openapi/voice.yaml", "--fail-on", severity]) == 0
    assert capsys.readouterr().out == "no changes\n"


def test_diff_of_a_file_that_is_not_a_document(capsys):
    assert main(["diff", "openapi/voice.yaml", "nowhere.yaml"]) == 1
    assert "nowhere.yaml" in capsys.readouterr().err


@pytest.fixture
def project(root, tmp_path) -> Path:
    (tmp_path / "voice.yaml").write_bytes((root / "openapi/voice.yaml").read_bytes())
    config = tmp_path / "pyproject.toml"
    config.write_text(
        '[tool.dynclient]\nv = "voice.yaml"\ndocuments = ["v"]\ndocs = "pages"\nstubs = "apis"\n', "utf-8"
    )
    return config


def test_generate_writes_and_checks_all_files(project, capsys):
    arguments = ["generate", "--config", str(project)]
    assert main([*arguments, "--check"]) == 1
    assert not (project.parent / "pages").exists()
    assert main(arguments) == 0
    assert (project.parent / "pages/voice/CallsApi.md").is_file()
    assert (project.parent / "apis/voice/__init__.pyi").is_file()
    capsys.readouterr()
    assert main([*arguments, "--check"]) == 0
    assert capsys.readouterr().out == ""
    (project.parent / "pages/voice/CallState.md").unlink()
    assert main([*arguments, "--check"]) == 1
    assert "CallState.md" in capsys.readouterr().out


def test_files_of_this_project_are_up_to_date():
    assert main(["generate", "--check"]) == 0


BROKEN = {
    "no table": "[tool]\n",
    "no TOML": "[",
    "no documents": "[tool.dynclient]\n",
    "another key": "[tool.dynclient]\ndocuments = ['a.yaml']\nstub = true\n",
    "no list": "[tool.dynclient]\ndocuments = 5\n",
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_an_invalid_configuration(project, capsys, text):
    project.write_text(text, encoding="utf-8")
    assert main(["generate", "--config", str(project)]) == 1
    assert "Traceback" not in capsys.readouterr().err
