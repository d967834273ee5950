"""Inspecting an operation before a call: explanations, data, schemas, and examples that can be pasted."""

from __future__ import annotations

import inspect
import json
import sys

import jsonschema
import pytest

import dynclient
from dynclient import cli


@pytest.fixture(scope="module")
def client(voice_path):
    with dynclient.load(voice_path) as client:
        yield client


def line_of(voice_path, text):
    return voice_path.read_text().splitlines().index(text) + 1


def test_explain_tells_where_and_by_which_line(client, voice_path):
    told = client.update_call.explain("99", "c 1", state="completed")
    assert [(way.name, way.in_, way.wire, way.text) for way in told.ways] == [
        ("account_id", "path", "accountId", "99"),
        ("call_id", "path", "callId", "c%201"),
        ("state", "body", "state", "'completed'"),
    ]
    assert told.ways[0].location.line == line_of(voice_path, "    accountId:")
    assert (told.faults, told.refused) == ((), "")
    assert str(told).endswith("\nvalid")


@pytest.mark.parametrize(
    ("arguments", "refused", "paths"),
    [
        ({}, "missing arguments: account_id, call_id", []),
        ({"account_id": "9", "call_id": "c", "state": "x"}, "1 fault", ["$.state"]),
        ({"account_id": "9", "state": "x"}, "missing argument: call_id", ["$.state"]),
    ],
)
def test_explain_tells_what_validation_would_say(client, arguments, refused, paths):
    told = client.update_call.explain(**arguments)
    assert refused in told.refused
    assert [fault.path for fault in told.faults] == paths


def test_explain_takes_no_argument_that_is_none(client):
    with pytest.raises(dynclient.RequestError, match="did you mean state"):
        client.update_call.explain(stat="x")


def test_explain_masks_what_is_secret():
    schema = {"type": "object", "properties": {"pin": {"type": "string", "format": "password"}}}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {
            "/a": {
                "post": {
                    "operationId": "a",
                    "parameters": [{"name": "p", "in": "query", "schema": {"type": "string", "format": "password"}}],
                    "requestBody": {"content": {"application/json": {"schema": schema}}},
                    "responses": {},
                }
            }
        },
    }
    with dynclient.load(document, base_url="http://127.0.0.1") as client:
        assert "hunter2" not in str(client.a.explain(p="hunter2", pin="hunter2"))


@pytest.mark.parametrize("name", ["create_call", "get_call_state", "update_call", "update_call_bxml"])
def test_the_example_works_when_it_is_pasted(client, voice_path, name):
    call = inspect.getdoc(client.operations[name]).rpartition("Example:\n")[2].strip()
    assert call.startswith(f"voice.{name}(")
    method, _, arguments = call.removeprefix("voice.").partition("(")
    request = eval(f"prepare({arguments}", {"prepare": getattr(client, method).prepare})
    assert request.url.startswith("https://voice.bandwidth.com/")


@pytest.mark.parametrize("name", ["create_call", "create_call_with_http_info"])
def test_the_example_of_a_namespace_works_when_it_is_pasted(client, name):
    call = inspect.getdoc(getattr(client.calls, name)).rpartition("Example:\n")[2].strip()
    assert call.startswith(f"voice.calls.{name}(")
    assert client.calls.create_call.with_options(timeout=1).__qualname__ == "calls.create_call"
    assert client.calls.create_call.with_http_info.__name__ == "create_call_with_http_info"


LARGE = {
    "openapi": "3.0.3",
    "info": {"title": "Large", "version": "1"},
    "tags": [{"name": "b", "description": "What is <b>\nand more."}],
    "paths": {
        **{
            f"/{tag}/{number}": {"get": {"operationId": f"{tag}/get-{number}", "tags": [tag], "responses": {}}}
            for tag in "abc"
            for number in range(40)
        },
        "/bare": {"get": {"operationId": "bare", "responses": {}}},
    },
}


def test_a_large_client_shows_its_namespaces(monkeypatch):
    client = dynclient.load(LARGE)
    monkeypatch.setattr(sys, "ps1", ">>> ", raising=False)
    shown = client._repr_mimebundle_()
    assert shown["text/plain"] == repr(client)
    head, titles, *lines, note = repr(client).splitlines()
    assert head == "<Client of Large 1: 121 operations>"
    assert titles.split() == ["namespace", "operations", "description"]
    assert [line.split() for line in lines] == [
        ["b", "40", "What", "is", "<b>"],
        ["a", "40"],
        ["c", "40"],
        ["1", "without", "a", "namespace"],
    ]
    assert "operations.search(" in note
    assert shown["text/html"].count("<tr>") == 5
    assert "What is &lt;b&gt;" in shown["text/html"]
    assert len(repr(client.operations).splitlines()) > 121
    assert len(repr(client.b).splitlines()) == 41
    found = client.operations.search("get")
    assert (len(found), len(repr(found).splitlines())) == (120, 1 + 15 + 1)
    assert repr(found).splitlines()[-1] == "the best 15 of 120; list(...) has the names of all"
    assert "of 120; list(...)" in found._repr_html_()
    assert "list(...)" not in repr(client.operations.search("bare"))
    assert client.operations._ipython_key_completions_()[:2] == ["a_get_0", "a_get_1"]


def test_the_schema_of_the_body_is_complete_in_itself(client):
    schema = client.update_call.schema
    check = jsonschema.Draft202012Validator(json.loads(json.dumps(schema)))
    assert check.is_valid(client.update_call.example()["update_call"])
    assert not check.is_valid({"state": 5})
    assert client.get_call_state.schema is None


def test_describe_is_the_page_as_data(client):
    told = json.loads(json.dumps(client.create_call.describe()))
    assert (told["operationId"], told["method"], told["tags"]) == ("createCall", "POST", ["Calls"])
    by_name = {argument["name"]: argument for argument in told["arguments"]}
    assert by_name["from_"]["wireName"] == "from"
    assert by_name["answer_method"]["default"] == "POST"
    assert {"GET", "POST"} <= set(by_name["answer_method"]["enum"])
    assert by_name["priority"]["constraints"][:2] == [">= 1", "<= 5"]
    assert list(told["body"]["content"]) == ["application/json"]
    assert told["responses"]["429"]["raises"] == "RateLimited"
    assert told["security"] == [{"Basic": []}]


def test_names_that_are_none_never_raise(client):
    assert not hasattr(client, "nothing")
    assert not hasattr(client.calls, "nothing")
    assert not hasattr(client.operations, "nothing")
    assert not hasattr(client.create_call, "nothing")
    for thing in (client, client.calls, client.operations, client.create_call):
        assert all(hasattr(thing, name) for name in dir(thing))


def test_at_the_prompt_a_client_is_a_table(client, monkeypatch):
    assert len(repr(client).splitlines()) == 1
    monkeypatch.setattr(sys, "ps1", ">>> ", raising=False)
    assert repr(client).splitlines()[0] == "<Client of Voice 2.0.0: 4 operations>"
    assert repr(client.operations) in repr(client)


def test_a_terminal_has_colours_unless_it_wants_none(client, monkeypatch):
    class Terminal:
        encoding = "utf-8"

        def isatty(self):
            return True

        def write(self, text):
            return len(text)

        def flush(self):
            pass

    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    coloured = client.operations._repr_mimebundle_()["text/plain"]
    monkeypatch.setenv("NO_COLOR", "1")
    plain = client.operations._repr_mimebundle_()["text/plain"]
    monkeypatch.undo()
    assert "\x1b[" in coloured
    assert "\x1b[" not in plain
    assert "create_call" in coloured


def test_paths_are_namespaces_without_tags(tmp_path):
    paths = {
        f"/v1/{path}": {"get": {"operationId": name, "responses": {}}}
        for path, name in {"users": "GetUsers", "users/{id}": "GetUsersId", "jobs": "jobs"}.items()
    }
    file = tmp_path / "t.json"
    file.write_text(json.dumps({"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": paths}))
    client = dynclient.load(file)
    assert (dir(client.users), client.jobs.operation.id) == (["get", "get_id"], "jobs")
    assert client.users.get_id.operation == client.operations["users.get_id"].operation
    assert cli.main(["stubs", str(file), "--out", str(tmp_path / "stubs")]) == 0
    stub = (tmp_path / "stubs" / "t" / "__init__.pyi").read_text()
    assert "class UsersNamespace:\n    get: GetUsersOperation" in stub
