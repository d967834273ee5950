"""Overlays on the command line: applied and checked, for each command that takes a document, and in settings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "Vendor", "version": "1"},
    "servers": [{"url": "https://api.example.com"}],
    "paths": {"/a": {"get": {"operationId": "getOne", "responses": {"200": {"description": "ok"}}}}},
}
FIX = """\
overlay: 1.1.0
info: {title: Fixes, version: "1"}
actions:
  - target: $.paths.*.get
    update: {operationId: getTwo}
  - target: $.servers[0].url
    update: https://two.example.com
"""
NOTHING = "  - {target: $.nowhere, remove: true}\n"


@pytest.fixture
def vendor(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("vendor.json").write_text(json.dumps(DOCUMENT))
    Path("fix.yaml").write_text(FIX)
    Path("both.yaml").write_text(FIX + NOTHING)
    return tmp_path


def test_what_each_action_selects(vendor, run):
    status, out, err = run("overlay", "check", "vendor.json", "both.yaml", "-o", "json")
    rows = [(row["line"], row["action"], row["selected"]) for row in json.loads(out)]
    assert (status, rows) == (0, [(4, "update", 1), (6, "update", 1), (8, "remove", 0)])
    assert "warning: both.yaml, line 8, #/actions/2: the target $.nowhere selects nothing" in err
    assert run("overlay", "check", "vendor.json", "both.yaml", "--strict")[0] == 1
    status, out, err = run("overlay", "check", "vendor.json", "fix.yaml", "--strict")
    assert (status, out.split()[:12], err) == (
        0,
        [
            "OVERLAY",
            "LINE",
            "ACTION",
            "NODES",
            "TARGET",
            "fix.yaml",
            "4",
            "update",
            "1",
            "$.paths.*.get",
            "fix.yaml",
            "6",
        ],
        "",
    )


def test_a_document_that_overlays_make(vendor, run):
    status, out, _ = run("overlay", "apply", "vendor.json", "fix.yaml")
    made = json.loads(out)
    assert (status, made["servers"], made["paths"]["/a"]["get"]["operationId"]) == (
        0,
        [{"url": "https://two.example.com"}],
        "getTwo",
    )
    assert run("overlay", "apply", "vendor.json", "fix.yaml", "-o", "made.yaml")[0] == 0
    assert run("overlay", "apply", "made.yaml", "fix.yaml", "--format", "json")[1] == out
    assert yaml.safe_load(Path("made.yaml").read_text()) == made
    status, out, _ = run("overlay", "apply", "vendor.json", "both.yaml", "--strict", "-o", "none.json")
    assert (status, out, Path("none.json").exists()) == (1, "", False)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (FIX.replace("1.1.0", "3"), "says `overlay: 3`, which is not supported"),
        (FIX.replace("$.paths.*", "$.paths["), "fix.yaml: action 1 `target: $.paths[.get`"),
        (FIX.replace("update: https", "update: {a: https").replace("example.com", "example.com}"), "action 2 can't be"),
    ],
)
def test_an_overlay_that_is_wrong(vendor, run, text, message):
    Path("fix.yaml").write_text(text)
    for words in (("overlay", "check", "vendor.json", "fix.yaml"), ("ls", "vendor.json", "--overlay", "fix.yaml")):
        status, out, err = run(*words)
        assert (status, out) == (1, "")
        assert message in err


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["ls", "DOC"], "get_two"),
        (["ls", "DOC", "--check"], "get_two"),
        (["show", "DOC", "get-two"], "get_two"),
        (["call", "DOC", "get-two", "--dry-run"], "https://two.example.com/a"),
        (["request", "DOC", "get", "/b", "--dry-run"], "https://two.example.com/b"),
        (["diff", "DOC", "other.json"], "get_two"),
        (["har", "check", "DOC", "empty.har", "--report", "json"], "getTwo"),
        (["auth", "status", "DOC"], "two.example.com"),
    ],
    ids=lambda words: words[0] if isinstance(words, list) else "",
)
def test_each_command_takes_overlays(vendor, run, words, shown):
    other = DOCUMENT | {"paths": {"/b": DOCUMENT["paths"]["/a"]}}
    Path("other.json").write_text(json.dumps(other))
    Path("empty.har").write_text(json.dumps({"log": {"version": "1.2", "entries": []}}))
    at = words.index("DOC")
    words = [*words[:at], "vendor.json", "--overlay", "fix.yaml", *words[at + 1 :]]
    if "auth" in words:
        assert run(*words)[0] == 0
        return
    status, out, _ = run(*words)
    assert status in {0, 3}
    assert shown in out


def test_overlays_of_a_short_name(vendor, run):
    settings = '[tool.dynclient.apis.v]\ndocument = "vendor.json"\noverlays = ["fix.yaml"]\n'
    Path("pyproject.toml").write_text(settings)
    status, _, err = run("ls", "v")
    assert status == 1
    assert "pyproject.toml sets overlays of v, and you have not trusted that project" in err
    assert run("trust", ".")[0] == 0
    assert "get_two" in run("ls", "v")[1]
    assert 'overlays = ["fix.yaml"]' in run("api", "show", "v")[1]
    Path("more.yaml").write_text(FIX.replace("getTwo", "getThree"))
    assert "get_three" in run("ls", "v", "--overlay", "more.yaml")[1]
    Path("pyproject.toml").write_text(settings.replace('["fix.yaml"]', '"fix.yaml"'))
    assert "overlays must be a list of paths or URLs" in run("ls", "v")[2]


def test_pages_and_types_are_of_the_document_with_its_overlays(vendor, run):
    assert run("docs", "vendor.json", "--overlay", "fix.yaml", "--out", "pages")[0] == 0
    assert any("get_two" in page.read_text() for page in Path("pages").rglob("*.md"))
    assert run("stubs", "vendor.json", "--overlay", "fix.yaml", "--out", "types")[0] == 0
    assert any("get_two" in page.read_text() for page in Path("types").rglob("*.pyi"))
    api = '[tool.dynclient.apis.v]\ndocument = "vendor.json"\noverlays = ["fix.yaml"]\n'
    Path("pyproject.toml").write_text(f'[tool.dynclient]\ndocuments = ["v"]\ndocs = "made"\nstubs = "typed"\n{api}')
    assert run("generate")[0] == 0
    for folder, ending in (("made", "md"), ("typed", "pyi")):
        assert any("get_two" in page.read_text() for page in Path(folder).rglob(f"*.{ending}"))


def test_an_overlay_of_recorded_traffic(vendor, run):
    content = {"mimeType": "application/json", "text": "{}"}
    exchange = {
        "request": {"method": "GET", "url": "https://api.example.com/a", "headers": []},
        "response": {"status": 418, "headers": [], "content": content},
    }
    Path("t.har").write_text(json.dumps({"log": {"version": "1.2", "entries": [exchange] * 2}}))
    status, _, err = run("har", "check", "vendor.json", "t.har", "--drift", "drift.yaml")
    assert (status, err) == (0, "drift.yaml: 1 action; read it before you use it\n")
    (action,) = yaml.safe_load(Path("drift.yaml").read_text())["actions"]
    assert (action["target"], action["x-evidence"]) == ("$.paths['/a'].get", 2)
    assert run("har", "check", "vendor.json", "t.har", "--overlay", "drift.yaml", "--fail")[0] == 0
    err = run("har", "check", "vendor.json", "t.har", "--overlay", "drift.yaml", "--drift", "none.yaml")[2]
    assert err.startswith("none.yaml is not written: no overlay is needed")


def test_a_compiled_document_and_a_valid_one(vendor, run):
    assert run("compile", "vendor.json", "--overlay", "fix.yaml", "-o", "v.dync")[0] == 0
    assert "get_two" in run("ls", "v.dync")[1]
    Path("broken.yaml").write_text(FIX + "  - {target: $.paths.*.get, update: {parameters: [1]}}\n")
    status, out, _ = run("validate", "vendor.json", "--overlay", "broken.yaml")
    assert status == 1
    assert out.startswith("broken.yaml:8: ")
