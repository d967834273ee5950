"""``dynclient validate``: every fault with its file, line and pointer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import dynclient
from dynclient import _validation
from dynclient.cli.document_commands import find_faults

FAULTY = """\
openapi: 3.1.0
info: {title: Faulty, version: "1"}
paths:
  /lost: 5
  /a/{id}:
    get:
      parameters: [{name: limit, in: query, schema: {type: integer}, example: many}]
      responses: {"200": {$ref: "#/components/responses/NotThere"}}
    put:
      parameters:
        - {name: id, in: path, required: true, schema: {type: string}}
        - {name: limit, in: query, schema: {type: integer}, example: many}
      requestBody:
        content:
          application/json:
            schema: {$ref: "#/components/schemas/Thing"}
            examples: {good: {value: {size: 1}}, bad: {value: {size: -1}}}
      responses: {"204": {description: done}}
components:
  schemas:
    Thing:
      type: object
      properties:
        size: {type: integer, minimum: 0, default: -5}
    Broken:
      type: object
      properties:
        one: {type: string, pattern: "("}
        two: {type: nonsense}
        three: {$ref: "#/components/schemas/Gone"}
"""

# Line and pointer of each fault, and words of its message.
EXPECTED = [
    (4, "/paths/~1lost", ""),
    (6, "/paths/~1a~1{id}/get", "{id}"),
    (7, "/paths/~1a~1{id}/get/parameters/0/example", "must be an integer"),
    (8, "/paths/~1a~1{id}/get", "NotThere"),
    (12, "/paths/~1a~1{id}/put/parameters/1/example", "must be an integer"),
    (17, "/examples/bad", "$.size"),
    (24, "/components/schemas/Thing/properties/size/default", "default violates"),
    (28, "/components/schemas/Broken/properties/one/pattern", "pattern"),
    (29, "/components/schemas/Broken/properties/two/type", "is malformed"),
    (30, "/components/schemas/Broken/properties/three", "Gone"),
]


@pytest.fixture
def faulty(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "faulty.yaml").write_text(FAULTY)
    return "faulty.yaml"


def test_every_fault_has_its_line(run, faulty):
    status, out, err = run("validate", faulty, "-o", "json")
    found = json.loads(out)
    assert status == 1
    assert err == f"faulty.yaml: {len(found)} faults\n"
    for line, pointer, word in EXPECTED:
        assert [
            fault
            for fault in found
            if fault["line"] == line and pointer in fault["pointer"] and word in fault["message"]
        ], (line, found)
    assert len(found) == len(EXPECTED)


def test_one_line_for_each_fault(run, faulty):
    lines = run("validate", faulty)[1].splitlines()
    assert len(lines) == len(EXPECTED)
    assert [int(line.split(":")[1]) for line in lines] == [line for line, _, _ in EXPECTED]
    assert all(line.startswith("faulty.yaml:") for line in lines)


@pytest.mark.parametrize("text", ["{", "swagger: '1.2'", "openapi: 3.1.0", ""])
def test_text_that_is_not_a_document_is_a_fault(run, tmp_path, text):
    (tmp_path / "x.yaml").write_text(text)
    status, out, _ = run("validate", tmp_path / "x.yaml")
    assert status == 1
    assert 1 <= len(out.splitlines()) <= 2


def test_the_document_is_named_once(run, tmp_path):
    path = tmp_path / "cut.json"
    path.write_text('{"openapi": "3.1.0",\n"info": {')
    status, out, _ = run("validate", path)
    assert status == 1
    assert out.splitlines()[0].startswith(f"{path}:2: #: is not JSON: ")


@pytest.mark.parametrize(
    "name", ["voice.yaml", "voice.2.0.yaml", "voice.3.0.yaml", "voice.3.1.yaml", "voice.3.2.yaml", "orders.yaml"]
)
def test_our_documents_have_no_faults(run, root, name):
    assert run("validate", root / "openapi" / name)[:2] == (0, "")


def test_ls_check_marks_broken_operations(run):
    things = Path(__file__).parents[1] / "cases" / "things.yaml"
    plain, checked = run("ls", things)[1].splitlines(), run("ls", things, "--check")[1].splitlines()
    assert [line for line in plain if "broken]" in line] == []
    assert [line.split()[0] for line in checked if "[broken]" in line] == ["broken"]
    assert checked[-1].startswith("broken: broken: ")
    assert "NotThere" in checked[-1]
    assert "NotThere" in run("ls", things, "--check", "-o", "names")[2]
    broken = {row["name"]: row["broken"] for row in json.loads(run("ls", things, "--check", "-o", "json")[1])}
    assert "NotThere" in broken.pop("broken")
    assert set(broken.values()) == {None}
    assert "broken" not in json.loads(run("ls", things, "-o", "json")[1])[0]


def test_ls_reports_operations_that_can_not_be_listed(run, faulty):
    import dynclient

    assert "/paths/~1lost" in run("ls", faulty)[1].splitlines()[-1]
    assert "/paths/~1lost" in run("ls", faulty, "-o", "names")[2]
    with dynclient.load(faulty) as client:
        assert "/paths/~1lost" in repr(client.operations)
        assert "lost" in client.operations._repr_html_()


def test_the_schemas_below_a_valid_one_are_not_prepared_again(monkeypatch):
    items = {"type": "array", "items": {"type": "string"}}
    below = {"type": "object", "properties": {f"p{n}": items for n in range(9)}}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "components": {"schemas": {"Deep": {"properties": {"a": below, "b": below}}}},
    }
    made = []
    validator = _validation.validator

    def counted(schema, direction):
        made.append((schema.uri, direction))
        return validator(schema, direction)

    monkeypatch.setattr(_validation, "validator", counted)
    assert find_faults(dynclient.load(document).api) == []
    assert [uri.partition("#")[2] for uri, _ in made] == ["/components/schemas/Deep"]


UNBOUNDED = """
openapi: 3.1.0
info: {title: t, version: "1"}
paths:
  /a:
    get:
      operationId: a
      parameters: [{name: q, in: query, schema: {type: string, pattern: '^(a+)+\\1$'}}]
      responses: {"200": {description: d}}
"""


def test_a_pattern_that_is_not_checked_is_a_warning(run, tmp_path, caplog):
    path = tmp_path / "a.yaml"
    path.write_text(UNBOUNDED)
    status, out, _ = run("validate", str(path), "-o", "json")
    (found,) = json.loads(out)
    assert (status, found["severity"], found["line"]) == (0, "warning", 8)
    assert "is not checked" in found["message"]
    assert caplog.text == ""


TAKEN = """
openapi: 3.1.0
info: {title: t, version: "1"}
paths:
  /a:
    get:
      operationId: a
      responses:
        "200":
          description: d
          content:
            text/csv: {schema: {type: array}, example: "a,b"}
            application/json:
              schema: {properties: {a: {type: string, nullable: true}, b: {type: null}, c: {type: string, enum: }}}
"""


def test_what_is_taken_although_it_is_wrong_is_reported(run, tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text(TAKEN)
    status, out, _ = run("validate", str(path), "-o", "json")
    said = sorted((found["severity"], found["message"].partition(";")[0]) for found in json.loads(out))
    assert status == 0
    assert said == [
        ("warning", "`enum` has no value"),
        ("warning", "`nullable` was removed in OpenAPI 3.1"),
        ("warning", "`type` has no value, which counts as the type null"),
    ]
