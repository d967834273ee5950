"""The mock's answers: valid by the document, whatever its examples are."""

from __future__ import annotations

import json
import logging
import os
import re
from pathlib import Path

import pytest

from dynclient import testing
from dynclient.messages import Request
from dynclient.testing.traffic import TrafficCheck

VENDORS = {
    "github": "github/api.github.com.json",
    "kubernetes": "kubernetes/swagger.json",
    "stripe": "stripe/spec3.json",
    "openai": "openai/openapi.yaml",
    "twilio": "twilio/twilio_api_v2010.json",
    "discord": "discord/openapi.json",
}
TEXT = {"type": "string"}
NUMBER = {"type": "integer"}
ITEM = {
    "type": "object",
    "required": ["id"],
    "properties": {"id": NUMBER, "title": TEXT},
    "additionalProperties": False,
}


def document(content, version="3.1.0", **components):
    response = {"description": "", "content": content} if version != "2.0" else {"description": "", **content}
    first = {"swagger": "2.0"} if version == "2.0" else {"openapi": version}
    paths = {"/x": {"get": {"operationId": "x", "responses": {"200": response}}}}
    described = {**first, "info": {"title": "X", "version": "1"}, "paths": paths}
    return {**described, "components": components} if components else described


def as_json(schema=None, **more):
    return {"application/json": {**({"schema": schema} if schema is not None else {}), **more}}


# the document, and the answer
ANSWERS = {
    "an example": (document(as_json(ITEM, example={"id": 7})), {"id": 7}),
    "the first valid one": (
        document(as_json(ITEM, examples={"bad": {"value": {"id": "x"}}, "good": {"value": {"id": 8}}})),
        {"id": 8},
    ),
    "JSON in a text": (document(as_json(ITEM, example='{"id": 7}')), {"id": 7}),
    "a text that is valid as a text": (document(as_json(TEXT, example='{"id": 7}')), '{"id": 7}'),
    "a wrong member": (document(as_json(ITEM, example={"id": "x", "title": "t"})), {"id": 1, "title": "t"}),
    "a member too much": (document(as_json(ITEM, example={"id": 7, "more": 1})), {"id": 7}),
    "a missing member": (document(as_json(ITEM, example={"title": "t"})), {"id": 1, "title": "t"}),
    "items": (
        document(as_json({"type": "array", "items": ITEM}, example=[{"id": 7, "title": 1}, {"x": 1, "id": 8}])),
        [{"id": 7, "title": "string"}, {"id": 8}],
    ),
    "nothing of it": (document(as_json(ITEM, example=[1])), {"id": 1, "title": "string"}),
    "a reference": (
        document(
            as_json(ITEM, examples={"one": {"value": {"$ref": "#/components/examples/i"}}}),
            examples={"i": {"value": {"id": 9}}},
        ),
        {"id": 9},
    ),
    "a reference within": (
        document(
            as_json({"type": "array", "items": ITEM}, example=[{"$ref": "#/components/examples/i"}]),
            examples={"i": {"value": {"id": 9}}},
        ),
        [{"id": 9}],
    ),
    "an odd name": (
        document(as_json({**ITEM, "required": ["a'b.c"], "properties": {"a'b.c": NUMBER}}, example={"a'b.c": "x"})),
        {"a'b.c": 1},
    ),
    "2.0 without a schema": (document({"examples": {"application/json": {"id": 7}}}, "2.0"), {"id": 7}),
    "a property that can't be made": (
        document(as_json({**ITEM, "properties": {**ITEM["properties"], "odd": {**TEXT, "enum": []}}})),
        {"id": 1, "title": "string"},
    ),
    "null as the default": (
        document(as_json({"type": "object", "properties": {"a": {"type": ["string", "null"], "default": None}}})),
        {"a": None},
    ),
    "contains": (
        document(
            as_json(
                {
                    **ITEM,
                    "properties": {
                        **ITEM["properties"],
                        "tags": {"type": "array", "items": TEXT, "contains": {"const": "a"}},
                    },
                }
            )
        ),
        {"id": 1, "title": "string", "tags": ["string", "a"]},
    ),
}


@pytest.mark.parametrize(("described", "body"), ANSWERS.values(), ids=ANSWERS)
def test_the_answer(ask_with, described, body):
    response = ask_with(described)("GET", "/x")
    assert (response.status, json.loads(response.body)) == (200, body)


def post(content, **responses):
    body = {"content": {"application/json": {"schema": content}}}
    operation = {"operationId": "x", "requestBody": body, "responses": {"204": {"description": ""}, **responses}}
    return {"openapi": "3.1.0", "info": {"title": "X", "version": "1"}, "paths": {"/x": {"post": operation}}}


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "application/json", "text/plain"])
def test_an_optional_body_may_be_empty_whatever_its_content_type_is(ask_with, content_type):
    assert ask_with(post(ITEM))("POST", "/x", {"Content-Type": content_type}).status == 204


def test_the_documents_example_of_an_error_is_sent_and_a_header_says_what_is_wrong(ask_with):
    refused = {"400": {"description": "", "content": as_json(example={"error": {"message": "No such é", "code": 7}})}}
    response = ask_with(post(ITEM, **refused))("POST", "/x", {"Content-Type": "application/json"}, b'{"id":"x"}')
    assert (response.status, json.loads(response.body)["error"]["code"]) == (400, 7)
    assert json.loads(response.body)["error"]["message"] == "No such é"
    assert "$.id" in response.headers["dynclient-detail"]


@pytest.mark.parametrize(("key", "status"), [("409", 409), ("4XX", 400), ("default", 500)])
@pytest.mark.parametrize("stateful", [False, True])
def test_a_named_example_is_found_in_any_status(ask_with, key, status, stateful):
    examples = {"busy": {"value": {"code": 7}}}
    ask = ask_with(post(ITEM, **{key: {"description": "", "content": as_json(examples=examples)}}), stateful=stateful)
    headers = {"Content-Type": "application/json", "Prefer": "example=busy"}
    response = ask("POST", "/x", headers, b'{"id":1}')
    assert (response.status, json.loads(response.body)) == (status, {"code": 7})


def test_a_wrong_example_is_one_line_of_the_log(ask_with, caplog):
    ask = ask_with(document(as_json({"type": "array", "items": ITEM}, example=[{"id": "x"}, {"id": "y"}])))
    with caplog.at_level(logging.WARNING, "dynclient.testing"):
        for _ in range(3):
            ask("GET", "/x")
    assert len(caplog.messages) == 1
    assert "$[0].id" in caplog.messages[0]
    assert "1 more" in caplog.messages[0]


@pytest.mark.large
@pytest.mark.parametrize("name", VENDORS.values(), ids=VENDORS)
def test_every_answer_of_a_vendor_is_valid(name):
    shared = os.environ.get("DYNCLIENT_SHARED")
    if shared is None:
        pytest.skip("DYNCLIENT_SHARED is not set")
    mock = testing.app(Path(shared) / "corpus" / name, authenticate=False, validate=False)
    traffic = TrafficCheck(mock.api)
    for row in mock.api.rows:
        target = re.sub(r"\{[^{}]*\}", "1", row.path)
        request = Request(row.method, f"http://mock.test{target}")
        response = mock.respond(request)
        has_success = any(status[:1] in "123d" for status in mock.operation(row).responses)
        assert response.status < 400 or not has_success, (row.key, response.body)
        assert [str(one) for one in traffic.response(mock.operation(row), request, response)] == [], row.key
