"""A broken operation raises before anything is sent, is marked in the list, and does not affect others."""

from __future__ import annotations

import inspect
import json
import pickle
import pydoc

import pytest
import yaml

import dynclient
from dynclient import cli
from dynclient.changes import compare
from dynclient.exceptions import InvalidDocument, UnresolvableReference
from dynclient.testing import MockTransport

DOCUMENT = """
openapi: 3.2.0
info: {title: t, version: "1"}
paths:
  /good: {get: {operationId: good, responses: {"200": {description: d}}}}
  /answer:
    get:
      operationId: answer
      responses: {"200": {description: d, content: {application/json: {schema: {$ref: "#/nowhere"}}}}}
  /items:
    get:
      operationId: items
      responses:
        "200": {description: d, content: {application/jsonl: {itemSchema: {type: string, minLength: few}}}}
  /header:
    get:
      operationId: header
      responses: {"200": {description: d, headers: {X: {schema: {minLength: many}}}}}
  /parameter:
    get:
      operationId: parameter
      parameters: [{name: p, in: query, required: true, schema: {minLength: few}}]
"""
BROKEN = {
    "answer": (UnresolvableReference, "/paths/~1answer/get/responses/200/content/application~1json/schema"),
    "items": (InvalidDocument, "/paths/~1items/get/responses/200/content/application~1jsonl/itemSchema/minLength"),
    "parameter": (InvalidDocument, "/paths/~1parameter/get/parameters/0/schema/minLength"),
}


@pytest.fixture
def client(httpserver):
    httpserver.expect_request("/good").respond_with_data("")
    httpserver.expect_request("/answer").respond_with_json({"a": 1})
    httpserver.expect_request("/header").respond_with_data("", headers={"X": "a"})
    with dynclient.load(yaml.safe_load(DOCUMENT), base_url=httpserver.url_for("")) as client:
        yield client


@pytest.mark.parametrize("name", BROKEN)
def test_it_says_why(client, httpserver, name):
    kind, pointer = BROKEN[name]
    with pytest.raises(kind) as caught:
        getattr(client, name)(**({"p": "x"} if name == "parameter" else {}))
    assert caught.value.operation_id == name
    assert caught.value.location.pointer == pointer
    assert httpserver.log == []


def test_a_broken_header_of_a_response_is_a_warning(client, caplog):
    assert client.header() is None
    assert "can't be validated" in caplog.text


LOOKS = {
    "signature": (inspect.signature, "answer"),
    "example": (lambda method: method.example(), "parameter"),
}


@pytest.mark.parametrize("look", LOOKS)
def test_who_looks_at_it_is_told_too(client, look):
    act, name = LOOKS[look]
    with pytest.raises(BROKEN[name][0]) as caught:
        act(getattr(client, name))
    assert caught.value.operation_id == name


# Parts of an operation that has a body, each broken in its own way.
STRING = {"schema": {"type": "object", "properties": {"a": {"type": "String"}}}}
PARTS = {
    "schema of the body": {"requestBody": {"content": {"application/json": STRING}}},
    "schema of a parameter": {"parameters": [{"name": "p", "in": "query", "schema": {"type": "String"}}]},
    "schema of the response": {"responses": {"200": {"description": "d", "content": {"application/json": STRING}}}},
    "reference of a parameter": {"parameters": [{"$ref": "#/nowhere"}]},
    "reference within a named schema": {
        "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Named"}}}}
    },
}


@pytest.fixture(params=PARTS)
def broken_path(request, tmp_path):
    """A document with a good operation and a broken one."""
    ok = {"responses": {"200": {"description": "d"}}}
    paths = {
        "/good": {"get": {"operationId": "good", **ok}},
        "/bad": {"post": {"operationId": "bad", "summary": "Break it", **ok, **PARTS[request.param]}},
    }
    schemas = {"Named": {"type": "object", "properties": {"a": {"$ref": "#/nowhere"}}}}
    document = {"openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "paths": paths}
    path = tmp_path / "document.json"
    path.write_text(json.dumps({**document, "components": {"schemas": schemas}}))
    return path


def test_looking_at_it_says_what_is_broken_and_stops_nothing(broken_path, capsys, tmp_path):
    client = dynclient.load(broken_path)
    fault = str(client.bad.fault)
    assert (client.good.fault, "bad" in fault) == (None, True)
    for text in (client.bad.__doc__, pydoc.render_doc(client.bad), repr(client.bad)):
        assert fault.splitlines()[0] in text
    assert client.bad.__doc__.startswith("Break it")
    assert "[broken] Break it" in repr(client.operations)
    assert list(client.operations.search("break")) == ["bad"]
    assert {change.id for change in compare(client.api, client.api)} <= {"operation-not-compared"}
    for command in (["ls", "--check"], ["docs", "--out", tmp_path / "docs"], ["stubs", "--out", tmp_path / "stubs"]):
        assert cli.main([command[0], str(broken_path), *map(str, command[1:])]) == 0
        assert ("[broken] Break it" in capsys.readouterr().out) == (command[0] == "ls")
    assert "POST /bad" in (tmp_path / "docs" / "README.md").read_text()
    mocked = dynclient.load(broken_path, base_url="https://a.example", transport=MockTransport(broken_path))
    assert mocked.good() is None


@pytest.mark.parametrize("name", ["answer", "parameter"])
def test_the_prompt_tells_it_and_does_not_fail(client, name):
    # Debuggers, and tracebacks that show local variables, call repr: one that raises would hide what they are about.
    shown = repr(getattr(client, name))
    assert shown.startswith(f"<{name}, broken: {name}: ")
    assert BROKEN[name][1] in shown


@pytest.mark.parametrize("attribute", ["operation", "schema"])
def test_what_can_t_be_read_is_a_missing_attribute_too(attribute):
    lost = {"operationId": "lost", "requestBody": {"$ref": "#/nowhere"}, "responses": {}}
    document = {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {"/a": {"get": lost}}}
    method = dynclient.load(document).lost
    assert not hasattr(method, attribute)
    assert getattr(method, attribute, "none") == "none"
    with pytest.raises(UnresolvableReference, match="nowhere") as caught:
        getattr(method, attribute)
    again = pickle.loads(pickle.dumps(caught.value))
    assert type(again) is UnresolvableReference
    assert str(again) == str(caught.value)


def test_the_list_marks_it(client):
    lines = repr(client.operations).splitlines()
    assert {name for name in client.operations if any(f"{name} " in line and "broken" in line for line in lines)} == (
        set(BROKEN)
    )


def test_of_very_many_only_the_first_are_read_to_be_marked():
    schema = {"schema": {"$ref": "#/nowhere"}}
    broken = {"responses": {"200": {"description": "d", "content": {"application/json": schema}}}}
    paths = {f"/{number}": {"get": broken} for number in range(502)}
    document = {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": paths}
    operations = dynclient.load(document, base_url="https://x.example", cache=False).operations
    shown = str(operations).splitlines()
    assert [number for number, line in enumerate(shown[1:-1]) if "[broken]" in line] == list(range(500))
    assert shown[-1] == "broken operations are marked in the first 500 only; `dynclient ls --check` marks all of them"
    assert f"<p>{shown[-1]}</p>" in operations._repr_html_()
    assert operations["get_501"].fault is not None
    assert "only" not in str(operations.search("50")), "few are all looked into"


def test_the_others_are_usable(client):
    assert client.good() is None


def test_an_answer_is_not_looked_at_where_nobody_validates(client):
    assert client.with_options(validate="off").answer() == {"a": 1}


def test_the_shell_calls_without_a_broken_part(httpserver, tmp_path, capsys):
    httpserver.expect_request("/x", json={"n": 1}).respond_with_json({"done": True})
    schema = {"type": "object", "properties": {"n": {"type": "integer"}, "c": {"$ref": "#/nowhere"}}}
    body = {"content": {"application/json": {"schema": schema}}}
    operation = {"operationId": "put", "requestBody": body, "responses": {"200": {"description": "d", **body}}}
    document = {"openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "paths": {"/x": {"put": operation}}}
    (path := tmp_path / "document.json").write_text(json.dumps(document))
    call = ["call", str(path), "put", "--base-url", httpserver.url_for("/").rstrip("/")]
    assert cli.main([*call, "--n", "1"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out) == {"done": True}
    assert said.err.count("a part of responses is not checked") == 1
    assert cli.main([*call, "--c", "1"]) != 0
    assert "$.c: can't be checked, since the document is wrong" in capsys.readouterr().err
