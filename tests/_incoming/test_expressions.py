"""Runtime expressions: each kind of the specification, what has no value, and what is malformed."""

from __future__ import annotations

import pytest

import dynclient
from dynclient import ExpressionError, Headers, Request
from dynclient._incoming.expressions import context_of, evaluate

SENT = Request(
    "POST",
    "https://api.example.com/v1/calls/a%2Fb?to=1&to=2&url=https%3A%2F%2Fx.example%2Fcb",
    Headers({"X-Trace": "t1", "Authorization": "Bearer hidden-token"}),
)
CONTEXT = context_of("/calls/{id}", SENT, {"url": "https://me.example", "n": [1, {"a/b": True, "t~": None}]})._replace(
    status=201, response_headers=Headers({"Location": "/v1/calls/7"}), response_body={"id": 7, "": "empty"}
)

VALUES = {
    "$url": SENT.url,
    "$method": "POST",
    "$statusCode": 201,
    "$request.path.id": "a/b",
    "$request.query.to": "1",
    "$request.query.url": "https://x.example/cb",
    "$request.header.x-trace": "t1",
    "$request.body#/url": "https://me.example",
    "$request.body#/n/1/a~1b": True,
    "$request.body#/n/1/t~0": None,
    "$response.body": {"id": 7, "": "empty"},
    "$response.body#": {"id": 7, "": "empty"},
    "$response.body#/id": 7,
    "$response.body#/": "empty",
    "$response.header.LOCATION": "/v1/calls/7",
    "{$request.body#/url}/cb?n={$request.body#/n/0}&ok={$request.body#/n/1/a~1b}": "https://me.example/cb?n=1&ok=true",
    "$5 and $": "$5 and $",
    "plain {id}": "plain {id}",
    "": "",
}

NONE = {
    "$request.header.x-other": "no header 'x-other'",
    "$request.query.from": "no query parameter 'from'",
    "$request.path.other": "no path parameter 'other'",
    "$request.body#/m": "nothing at /m",
    "$request.body#/n/-1": "nothing at /n/-1",
    "$request.header.Authorization": "credential",
    "$response.query.q": "a response has no query",
    "$response.body#id": "begins with a slash",
    "$request.header.a b": "names no header",
    "$request.bodies": "not a runtime expression",
    "$reponse.body#/id": "not a runtime expression",
    "{$request.body#/n}": "only a string, number or boolean",
    "{$request.body#/url": "not closed",
    "{$}": "not a runtime expression",
    "$url" + "a" * 3000: "at most 2000 characters",
    "{$url}" * 33: "at most 32 expressions",
}


@pytest.mark.parametrize("text", VALUES)
def test_an_expression_has_the_value_that_it_refers_to(text):
    assert evaluate(text, CONTEXT) == VALUES[text]
    assert type(evaluate(text, CONTEXT)) is type(VALUES[text])


@pytest.mark.parametrize("text", NONE)
def test_an_error_says_why_there_is_no_value(text):
    with pytest.raises(ExpressionError, match=NONE[text]) as caught:
        evaluate(text, CONTEXT)
    assert "hidden" not in str(caught.value)
    assert text.strip("{}")[:7] in str(caught.value)


def test_members_of_constants_are_evaluated_and_other_constants_kept():
    value = {"id": "$response.body#/id", "list": ["{$method}!", 3, None, True]}
    assert evaluate(value, CONTEXT) == {"id": 7, "list": ["POST!", 3, None, True]}
    deep: list = []
    for _ in range(40):
        deep = [deep]
    with pytest.raises(ExpressionError, match="deeper"):
        evaluate(deep, CONTEXT)


OPERATION = {
    "requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}},
    "responses": {"204": {"description": "taken"}},
}
CALLBACKS = {"done": {"{$request.body#/url}/done": {"post": OPERATION}, "x-note": "no path"}}


@pytest.mark.parametrize(("version", "key"), [("3.0.3", "x-webhooks"), ("3.1.0", "webhooks"), ("3.2.0", "webhooks")])
def test_webhooks_and_callbacks_are_read_when_they_are_asked_for(version, key):
    paths = {"/a/{id}": {"post": {"responses": OPERATION["responses"], "callbacks": CALLBACKS}}}
    document = {
        "openapi": version,
        "info": {"title": "t", "version": "1"},
        "paths": paths,
        key: {"new": {"post": OPERATION}},
    }
    with dynclient.load(document) as client:
        (webhook,), (callback,) = (client.api.read_incoming(row) for row in (None, client.api.rows[0]))
    assert (webhook.name, webhook.expression, webhook.operation.id) == ("new", "", "POST new")
    assert (callback.name, callback.expression) == ("done", "{$request.body#/url}/done")
    assert list(callback.operation.body.content) == ["application/json"]
    assert callback.operation.parameters == ()
