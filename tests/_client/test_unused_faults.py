"""Faults in parts of a document that a call does not use never stop it.

With ``validate``, other faults don't either.
"""

from __future__ import annotations

import inspect
import json
import logging
from dataclasses import replace

import pytest

import dynclient
from dynclient import Validation, exceptions
from dynclient.messages import Headers, Response

BROKEN = {
    "type": {"type": "String"},
    "keyword": {"type": "integer", "minimum": "x"},
    "reference": {"$ref": "#/components/schemas/Nowhere"},
    "circle": {"$ref": "#/components/schemas/Circle"},
    "properties": {"type": "object", "properties": {"$ref": "#/components/schemas/Circle"}},
}
OK = {"description": "", "content": {"application/json": {"schema": {"type": "object"}}}}
ANSWER = Response(200, Headers({"Content-Type": "application/json"}), b'{"a": 1}')


class Canned:
    """A transport that answers each request alike."""

    def __init__(self, answer=ANSWER):
        self.answer = answer
        self.sent = []

    def send(self, send):
        self.sent.append(send.request)
        return replace(self.answer, request=send.request)

    def close(self):
        pass


def loaded(version="3.0.3", *, transport=None, responses=None, method="post", **operation):
    described = {"operationId": "ask", "responses": responses or {"200": OK}, **operation}
    document = {
        "openapi": version,
        "info": {"title": "t", "version": "1"},
        "paths": {"/x": {method: described}},
        "components": {"schemas": {"Circle": {"$ref": "#/components/schemas/Circle"}}},
    }
    return dynclient.load(document, base_url="http://h", transport=transport or Canned())


def parameter(schema, *, required=False):
    return [{"name": "q", "in": "query", "required": required, "schema": schema}]


def body(schema, *, required=False):
    return {"required": required, "content": {"application/json": {"schema": schema}}}


@pytest.mark.parametrize("version", ["3.0.3", "3.1.0", "3.2.0"])
@pytest.mark.parametrize("schema", BROKEN.values(), ids=BROKEN)
def test_what_is_not_used_need_not_be_right(schema, version):
    header = {"X-A": {"schema": schema}}
    responses = {"200": {**OK, "headers": header}, "404": {"description": "", "content": body(schema)["content"]}}
    client = loaded(version, parameters=parameter(schema), requestBody=body(schema), responses=responses)
    assert client.ask() == {"a": 1}


@pytest.mark.parametrize("schema", BROKEN.values(), ids=BROKEN)
def test_what_is_used_is_refused_with_the_option_that_sends_it(schema, caplog):
    described = {"parameters": parameter(schema, required=True), "requestBody": body(schema, required=True)}
    transport = Canned()
    client = loaded(transport=transport, **described)
    arguments = {"q": "1", "body": {"a": 1}}
    with pytest.raises(exceptions.DocumentError, match=r"validate=Validation\(requests="):
        client.ask(**arguments)
    assert transport.sent == []
    assert client.ask.fault is not None
    for mode in ("warn", "off"):
        assert client.with_options(validate=mode).ask(**arguments) == {"a": 1}
    assert [request.body for request in transport.sent] == [b'{"a":1}'] * 2
    unchecked = [record for record in caplog.records if "sent unchecked" in record.message]
    assert len(unchecked) == 2
    assert {record.levelno for record in unchecked} == {logging.WARNING}


PARTS = {
    "type": {"properties": {"a": {"type": "String"}}},
    "reference": {"properties": {"a": {"$ref": "#/components/schemas/Nowhere"}}},
    "circle": {"additionalProperties": {"$ref": "#/components/schemas/Circle"}},
    "below": {"properties": {"a": {"items": {"properties": {"b": {"$ref": "#/components/schemas/Nowhere"}}}}}},
}


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
def test_a_broken_part_stops_only_requests_that_use_it(part, caplog):
    schema, used = {"type": "object", **part}, {"a": [{"b": 1}]}
    answers = {"200": {"description": "", "content": body(schema)["content"]}}
    client = loaded(requestBody=body(schema), responses=answers)
    assert client.ask(body={}) == {"a": 1}
    assert len([record for record in caplog.records if "a part of responses is not checked" in record.message]) == 1
    with pytest.raises(
        exceptions.RequestValidationError, match="can't be checked, since the document is wrong"
    ) as caught:
        client.ask(body=used)
    assert 'validate=Validation(requests="warn") sends it anyway' in str(caught.value)
    assert isinstance(client.ask.fault, exceptions.DocumentError)
    assert client.with_options(validate="warn").ask(body=used) == {"a": 1}
    assert {"body"} <= inspect.signature(client.ask).parameters.keys()
    assert client.ask.__doc__


def test_a_part_in_a_file_that_can_t_be_read_stops_only_requests_that_use_it(tmp_path):
    (tmp_path / "broken.yaml").write_text("a: @b")
    part = {"type": "object", "properties": {"a": {"$ref": "broken.yaml#/A"}}}
    document = {
        "openapi": "3.0.3",
        "info": {"title": "t", "version": "1"},
        "paths": {"/x": {"post": {"operationId": "ask", "requestBody": body(part), "responses": {"200": OK}}}},
    }
    (tmp_path / "document.json").write_text(json.dumps(document))
    client = dynclient.load(tmp_path / "document.json", base_url="http://h", transport=Canned())
    assert client.ask(body={"b": 1}) == {"a": 1}
    assert client.ask(**client.ask.example()) == {"a": 1}
    with pytest.raises(exceptions.RequestValidationError, match="is not YAML"):
        client.ask(body={"a": 1})


def test_what_can_t_be_read_names_the_way_past_the_document():
    client = loaded(requestBody={"$ref": "#/nowhere"})
    with pytest.raises(exceptions.UnresolvableReference, match=r"client\.request\('POST', '/x'\)"):
        client.ask()
    assert client.request("POST", "/x").data == {"a": 1}


LEFT_OUT = {
    "reference": {"$ref": "#/components/parameters/Nowhere"},
    "circle": {"$ref": "#/paths/~1x/post/parameters/1"},
    "no object": "q",
    "no name": {"in": "query", "schema": {}},
    "no location": {"name": "a", "schema": {}},
    "misspelt location": {"name": "a", "in": "hedaer", "schema": {}},
    "unknown style": {"name": "a", "in": "query", "style": "fancy", "schema": {}},
    "no schema": {"name": "a", "in": "query", "schema": []},
    "no flag": {"name": "a", "in": "query", "required": "perhaps", "schema": {}},
}


@pytest.mark.parametrize(
    ("broken", "version"),
    [*((LEFT_OUT[name], "3.1.0") for name in LEFT_OUT), *((LEFT_OUT[name], "2.0") for name in [*LEFT_OUT][:6])],
)
def test_a_broken_optional_parameter_is_left_out(broken, version, caplog):
    typed = {"type": "string"} if version == "2.0" else {"schema": {"type": "string"}}
    described = {"operationId": "ask", "responses": {"200": {"description": ""}}}
    parameters = [{"name": "q", "in": "query", **typed}, broken]
    document = {
        **({"swagger": version} if version == "2.0" else {"openapi": version}),
        "info": {"title": "t", "version": "1"},
        "paths": {"/x": {"post": {**described, "parameters": parameters}}},
    }
    client = dynclient.load(document, base_url="http://h", transport=Canned(replace(ANSWER, status=204, body=b"")))
    assert client.ask.prepare(q="1").url == "http://h/x?q=1"
    assert client.ask(q="1") is None
    assert len([one for one in caplog.records if "a parameter is left out" in one.message]) == 1
    assert client.ask.fault.location.pointer.startswith("/paths/~1x/post/parameters/1")


@pytest.mark.parametrize("response", [{"$ref": "#/components/responses/Nowhere"}, {"description": "", "content": 5}, 5])
def test_a_broken_success_stops_only_calls_that_check_it(response):
    client = loaded(responses={"200": response})
    with pytest.raises(exceptions.DocumentError, match=r"validate=Validation\(responses=") as caught:
        client.ask()
    assert caught.value.location.pointer.startswith("/paths/~1x/post/responses/200")
    assert client.ask.fault is not None
    for mode in ("warn", "off"):
        assert client.ask.with_options(validate=mode)() == {"a": 1}
    both = loaded(responses={"200": response, "201": OK})
    with pytest.raises(exceptions.ResponseValidationError, match="has carried out the POST") as caught:
        both.ask()
    assert caught.value.data == {"a": 1}
    created = Canned(replace(ANSWER, status=201))
    assert loaded(transport=created, responses={"200": response, "201": OK}).ask() == {"a": 1}


SERVERS = {
    "no array": ("3.1.0", {"servers": {}}, "/servers"),
    "no URL": ("3.2.0", {"servers": [{}]}, "/servers/0"),
    "a variable": ("3.0.3", {"servers": [{"url": "x", "variables": {"a": {"enum": []}}}]}, "/servers/0/variables/a"),
    "the host": ("2.0", {"host": {}}, "/host"),
    "the schemes": ("2.0", {"host": "h", "schemes": "http"}, "/schemes"),
}


@pytest.mark.parametrize(("version", "servers", "pointer"), SERVERS.values(), ids=SERVERS)
def test_broken_servers_stop_only_calls_that_use_them(version, servers, pointer):
    said = {"swagger": version} if version == "2.0" else {"openapi": version}
    ask = {"/x": {"get": {"operationId": "ask", "responses": {"200": {"description": ""}}}}}
    document = {**said, "info": {"title": "t", "version": "1"}, "paths": ask, **servers}
    client = dynclient.load(document, transport=Canned(replace(ANSWER, status=204, body=b"")))
    assert client.ask.with_options(base_url="http://h")() is None
    with pytest.raises(exceptions.InvalidDocument, match="base_url= needs no server") as caught:
        client.ask()
    assert caught.value.location.pointer == pointer
    assert client.ask.fault.location.pointer == pointer


UNIONS = {
    "one of": lambda bad: {"oneOf": [{"required": ["a"]}, bad]},
    "any of": lambda bad: {"anyOf": [{"required": ["b"]}, bad]},
    "within a branch": lambda bad: {"oneOf": [{"required": ["a"]}, {"properties": {"a": bad}}]},
    "not": lambda bad: {"not": {"properties": {"a": bad}}},
    "if": lambda bad: {"if": {"properties": {"a": bad}}, "then": {"required": ["b"]}, "else": {"required": ["c"]}},
}


@pytest.mark.parametrize("bad", [BROKEN["type"], BROKEN["reference"]], ids=["inline", "elsewhere"])
@pytest.mark.parametrize("union", UNIONS.values(), ids=UNIONS)
@pytest.mark.parametrize("engine", ["auto", "jsonschema"])
def test_what_depends_on_a_broken_part_of_an_answer_is_not_refused(union, bad, engine):
    answers = {"200": {"description": "", "content": body(union(bad))["content"]}}
    client = loaded("3.1.0", responses=answers).with_options(validate=Validation(engine=engine))
    assert client.ask() == {"a": 1}


@pytest.mark.parametrize("union", ["oneOf", "anyOf"])
def test_a_request_may_use_the_branches_that_are_right(union):
    client = loaded(requestBody=body({union: [{"type": "object", "required": ["a"]}, {"type": "String"}]}))
    assert client.ask(body={"a": 1}) == {"a": 1}
    with pytest.raises(exceptions.RequestValidationError, match="can't be checked"):
        client.ask(body={"b": 1})


@pytest.mark.parametrize("schema", BROKEN.values(), ids=BROKEN)
def test_where_no_success_can_be_validated_nothing_is_sent_unless_that_is_asked_for(schema):
    transport = Canned()
    broken = {"description": "", "content": body(schema)["content"]}
    client = loaded(transport=transport, responses={"200": broken})
    with pytest.raises(exceptions.DocumentError, match=r"validate=Validation\(responses="):
        client.ask()
    assert transport.sent == []
    for mode in ("warn", "off", Validation(responses="warn")):
        assert client.with_options(validate=mode).ask() == {"a": 1}
    # Another success might come, which is right: that this one is not shows when it is there.
    other = loaded(transport=transport, responses={"200": broken, "202": OK})
    with pytest.raises(exceptions.ResponseValidationError, match="the document's schema is broken") as caught:
        other.ask()
    assert caught.value.data == {"a": 1}
    assert "has carried out the POST" in str(caught.value)


@pytest.mark.parametrize("status", ["404", "4XX", "default"])
@pytest.mark.parametrize("response", [{"$ref": "#/components/responses/Nowhere"}, {"description": "", "content": 5}, 5])
def test_a_broken_error_response_stops_nobody(response, status):
    responses = {"200": OK, status: response}
    assert loaded(responses=responses).ask() == {"a": 1}
    with pytest.raises(exceptions.NotFound) as caught:
        loaded(transport=Canned(replace(ANSWER, status=404)), responses=responses).ask()
    assert caught.value.data == {"a": 1}
    if status == "default":
        with pytest.raises(exceptions.DocumentError, match=r"validate=Validation\(responses="):
            loaded(responses={status: response}).ask()
    else:
        assert loaded(responses={status: response}).ask() == {"a": 1}


def test_the_broken_schema_of_an_error_does_not_hide_the_error():
    responses = {"200": OK, "404": {"description": "gone", "content": body({"type": "String"})["content"]}}
    client = loaded(transport=Canned(replace(ANSWER, status=404)), responses=responses)
    with pytest.raises(exceptions.NotFound, match="schema is broken") as caught:
        client.ask()
    assert caught.value.data == {"a": 1}
