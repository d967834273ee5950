"""``dynclient diff`` and ``dynclient generate`` from the command line."""

from __future__ import annotations

import json
import subprocess
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


LIMIT = {"name": "limit", "in": "query", "schema": {"$ref": "parts/limit.json"}}
DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "T", "version": "1"},
    "paths": {
        "/a": {"get": {"operationId": "listThings", "parameters": [LIMIT], "responses": {"200": {"description": ""}}}}
    },
}


@pytest.fixture
def repository(tmp_path, monkeypatch) -> Path:
    """A repository with a document in ``api``, whose schema has another limit in the working tree."""
    monkeypatch.chdir(tmp_path)
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "api/parts").mkdir(parents=True)
    (tmp_path / "api/openapi.json").write_text(json.dumps(DOCUMENT), "utf-8")
    (tmp_path / "api/parts/limit.json").write_text('{"type": "integer"}', "utf-8")
    who = ("-c", "user.name=n", "-c", "user.email=n@example.com")
    for arguments in (("init", "-q", "-b", "main"), ("add", "."), (*who, "commit", "-qm", "x")):
        subprocess.run(["git", *arguments], check=True)
    (tmp_path / "api/parts/limit.json").write_text('{"type": "integer", "maximum": 5}', "utf-8")
    return tmp_path


NARROWED = "parameter-maximum-narrowed"


@pytest.mark.parametrize(
    ("folder", "old"),
    [
        ("", "main:api/openapi.json"),
        ("", "HEAD:./api/openapi.json"),
        ("api", "main:api/openapi.json"),
        ("api", "main:./openapi.json"),
        ("api", "main:openapi.json"),
        ("api/parts", "HEAD^{commit}:../openapi.json"),
    ],
)
def test_a_document_at_a_revision(repository, monkeypatch, capsys, folder, old):
    monkeypatch.chdir(repository / folder)
    assert main(["diff", old, str(repository / "api/openapi.json"), "-o", "json"]) == 0
    (change,) = json.loads(capsys.readouterr().out)
    assert (change["id"], change["old"]["document"], change["old"]["line"]) == (NARROWED, old, 1)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("nope:api/openapi.json", "nope is not a revision of this repository"),
        ("--help:api/openapi.json", "--help is not a revision of this repository"),
        ("main:openapi.json", "main has no file openapi.json"),
        ("main:../../openapi.json", "main has no file ../../openapi.json"),
        ("C:\\api.json", "api.json: can't be read: No such file"),
    ],
)
def test_a_revision_that_is_not_there(repository, capsys, word, said):
    assert main(["diff", "--", word, str(repository / "api/openapi.json")]) == 1
    assert said in capsys.readouterr().err


def test_a_file_goes_before_a_revision(repository, capsys):
    (repository / "main:api").mkdir()
    (repository / "main:api/openapi.json").write_bytes((repository / "api/openapi.json").read_bytes())
    assert main(["diff", "main:api/openapi.json", "api/openapi.json", "--fail-on", "info"]) == 3
    assert "operation-not-compared" in capsys.readouterr().out  # that file's parts are not there


def test_a_revision_without_git_or_a_repository(repository, monkeypatch, capsys):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(repository.parent.parent))
    monkeypatch.chdir(repository.parent)
    assert main(["show", "main:api/openapi.json"]) == 1
    assert "not a git repository" in capsys.readouterr().err
    monkeypatch.setenv("PATH", str(repository))
    assert main(["show", "main:api/openapi.json"]) == 1
    assert "git, which can't be run" in capsys.readouterr().err


def test_severities_of_the_command_and_the_project(repository, capsys):
    arguments = ["diff", "main:api/openapi.json", "api/openapi.json", "--fail-on", "warning"]
    assert main(arguments) == 3
    (repository / "pyproject.toml").write_text(f'[tool.dynclient.severities]\n{NARROWED} = "info"\n', "utf-8")
    assert main(arguments) == 0
    assert main([*arguments, "--severity", f"{NARROWED}=warning"]) == 3
    capsys.readouterr()
    for wrong, said in (("parameter-maximum-narowed=info", f"did you mean {NARROWED}"), (NARROWED, "not nothing")):
        assert main([*arguments, "--severity", wrong]) == 2
        assert said in capsys.readouterr().err


POINTER = "/paths/~1a/get/parameters/0/schema"
ACCEPTED = [
    ({"kind": NARROWED, "operation": "listThings", "reason": "agreed", "until": "9999-12-31"}, 0, ""),
    ({"kind": NARROWED, "operation": "list_things", "reason": "agreed"}, 0, ""),
    ({"kind": NARROWED, "pointer": f"#{POINTER}", "reason": "agreed"}, 0, ""),
    (
        {"kind": NARROWED, "operation": "listThings", "reason": "agreed", "until": "2020-01-31"},
        3,
        "expired on 2020-01-31",
    ),
    (
        {"kind": NARROWED, "operation": "other", "reason": "agreed"},
        3,
        "entry 1 (parameter-maximum-narrowed) matches no",
    ),
    ({"kind": NARROWED, "reason": "agreed"}, 3, "matches no change"),
    ({"kind": NARROWED, "pointer": "/paths", "reason": "agreed"}, 3, "matches no change"),
    ({"kind": NARROWED, "operation": "listThings"}, 1, "entry 1 has no reason"),
    ({"kind": "narrowed", "reason": "agreed"}, 1, "unknown kind narrowed"),
    ({"kind": NARROWED, "reason": "agreed", "until": "soon"}, 1, "not soon"),
    ({"kind": NARROWED, "reason": "agreed", "expires": "2027-01-01"}, 1, "unknown key expires"),
    ({"kind": NARROWED, "reason": 5}, 1, "must have a string as reason"),
    ("all", 1, "must be a mapping"),
]


@pytest.mark.parametrize(("entry", "status", "said"), ACCEPTED, ids=lambda it: str(it)[:60])
def test_accepted_changes(repository, capsys, entry, status, said):
    (repository / "accepted.yaml").write_text(json.dumps([entry]), "utf-8")
    arguments = ["diff", "main:api/openapi.json", "api/openapi.json", "--accept", "accepted.yaml", "--fail-on", "info"]
    assert main(arguments) == status
    out, err = capsys.readouterr()
    assert said in err
    if status == 0:
        assert "1 change: 1 accepted" in out
        assert "(accepted: agreed)" in out


def test_a_file_without_accepted_changes(repository, capsys):
    (repository / "accepted.yaml").write_text("# nothing yet\n", "utf-8")
    assert main(["diff", "main:api/openapi.json", "api/openapi.json", "--accept", "accepted.yaml"]) == 0
    assert "1 change: 1 breaking" in capsys.readouterr().out


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
