"""How a response is matched, decoded and held to the document: cases as data, no socket."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

import dynclient
from dynclient import HTTPResult, exceptions
from dynclient.messages import Headers, Response

THING = {"type": "object", "properties": {"id": {"type": "integer"}, "secret": {"type": "string", "writeOnly": True}}}
JSON = {"application/json": {"schema": THING}}
BODY = b'{"id":1}'


class Canned:
    """A transport that gives one answer to whatever is asked."""

    def __init__(self, status, content_type, body, headers=()):
        pairs = [("Content-Type", content_type)] if content_type else []
        self.answer = Response(status, Headers([*pairs, *headers]), body)

    def send(self, send):
        return replace(self.answer, request=send.request)

    def close(self):
        pass


def ask(responses, answer, *, method="get", **options):
    document = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {"/a": {method: {"operationId": "ask", "responses": responses}}},
    }
    with dynclient.load(document, base_url="http://h", transport=answer, **options) as client:
        return client.ask_with_http_info()


def documented(content=None, headers=None):
    given = {"description": "so"}
    return given | ({"content": content} if content else {}) | ({"headers": headers} if headers else {})


# name: documented responses, answer (status, Content-Type, body), data
TAKEN = {
    "exact before range": ({"2XX": documented(), "200": documented(JSON)}, (200, "application/json", BODY), {"id": 1}),
    "range before default": (
        {"default": documented(), "2XX": documented(JSON)},
        (201, "application/json", BODY),
        {"id": 1},
    ),
    "range in lower case": ({"2xx": documented(JSON)}, (201, "application/json", BODY), {"id": 1}),
    "status as a number": ({200: documented(JSON)}, (200, "application/json", BODY), {"id": 1}),
    "default": ({"default": documented(JSON)}, (207, "application/json", BODY), {"id": 1}),
    "no content at all": ({"204": documented()}, (204, None, b""), None),
    "204 has no content, whatever is documented": ({"204": documented(JSON)}, (204, None, b""), None),
    "content where none is documented": ({"200": documented()}, (200, "application/json", b'{"a":[1]}'), {"a": [1]}),
    "text where none is documented": ({"200": documented()}, (200, "text/plain; charset=latin-1", b"\xe9"), "é"),
    "what can't be read where none is documented": ({"200": documented()}, (200, "application/json", b"{"), b"{"),
    "304": ({"304": documented()}, (304, None, b""), None),
    "no status is documented": ({}, (200, "application/json", BODY), {"id": 1}),
    "only errors are documented": ({"4XX": documented()}, (204, None, b""), None),
    "a documented redirect": ({"302": documented()}, (302, None, b""), None),
    "type before suffix": (
        {"200": documented({"application/*+json": {}, "application/a+json": {"schema": THING}})},
        (200, "application/a+json", BODY),
        {"id": 1},
    ),
    "subtype's case and parameters": (
        {"200": documented(JSON)},
        (200, "Application/JSON;charset=utf-8; profile=x", BODY),
        {"id": 1},
    ),
    "any text": ({"200": documented({"text/*": {}})}, (200, "text/csv", b"a,b\n1,2\n"), "a,b\n1,2\n"),
    "anything": ({"200": documented({"*/*": {}})}, (200, "image/png", b"\x89PNG"), b"\x89PNG"),
    "a junk key beside": (
        {"200": documented({"json": {}, "application/json": {"schema": THING}})},
        (200, "application/json", BODY),
        {"id": 1},
    ),
    "writeOnly is not missed": (
        {"200": documented({"application/json": {"schema": {**THING, "required": ["id", "secret"]}}})},
        (200, "application/json", BODY),
        {"id": 1},
    ),
    "a bare scalar": (
        {"200": documented({"application/json": {"schema": {"type": "integer"}}})},
        (200, "application/json", b"5"),
        5,
    ),
    "lines of JSON": (
        {"200": documented({"application/jsonl": {"schema": {"type": "array", "items": THING}}})},
        (200, "application/jsonl", b'{"id":1}\n{"id":2}\n'),
        [{"id": 1}, {"id": 2}],
    ),
}


@pytest.mark.parametrize("case", TAKEN.values(), ids=TAKEN)
def test_taken(case):
    responses, answer, data = case
    result = ask(responses, Canned(*answer))
    assert isinstance(result, HTTPResult)
    assert (result.data, result.status) == (data, answer[0])


# name: documented responses, answer, class of error
REFUSED = {
    "4XX": ({"200": documented(), "4XX": documented(JSON)}, (404, "application/json", BODY), exceptions.NotFound),
    "default is an error": ({"default": documented(JSON)}, (503, "application/json", BODY), exceptions.ServerError),
    "an error without content": ({"410": documented()}, (410, None, b""), exceptions.Gone),
    "an error with less than documented": (
        {"422": documented(JSON)},
        (422, None, b""),
        exceptions.UnprocessableContent,
    ),
    "a redirect nobody documents": ({"200": documented()}, (302, None, b""), exceptions.RedirectError),
    "another success is documented": ({"201": documented()}, (200, None, b""), exceptions.UndocumentedStatus),
    "nothing is documented": ({}, (404, "application/json", BODY), exceptions.UndocumentedStatus),
    "empty without Content-Type": ({"200": documented(JSON)}, (200, None, b""), exceptions.UnexpectedMediaType),
    "a lone surrogate": (
        {"200": documented(JSON)},
        (200, "application/json", rb'{"a":"\ud800"}'),
        exceptions.DecodeError,
    ),
    "too deep": ({"200": documented(JSON)}, (200, "application/json", b"[" * 999 + b"]" * 999), exceptions.DecodeError),
    "an unknown charset": (
        {"200": documented({"text/plain": {}})},
        (200, "text/plain;charset=x", b"a"),
        exceptions.DecodeError,
    ),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_refused(case):
    responses, answer, error_class = case
    with pytest.raises(exceptions.ResponseError) as caught:
        ask(responses, Canned(*answer), retry=None)
    assert type(caught.value) is error_class
    assert caught.value.response.body == answer[2]


HEADERS = {
    "X-Count": {"required": True, "schema": {"type": "integer", "minimum": 1}},
    "X-Tags": {"schema": {"type": "array", "items": {"type": "string", "maxLength": 3}}},
    "content-type": {"required": True, "schema": {"const": "never looked at"}},
}


@pytest.mark.parametrize(
    ("headers", "paths"),
    [
        ([("x-count", "5"), ("X-Tags", "a,bb,ccc")], set()),
        ([("X-Count", "5"), ("X-Tags", "a"), ("X-Tags", "b")], set()),
        ([], {"header.X-Count"}),
        ([("X-Count", "five")], {"header.X-Count"}),
        ([("X-Count", "0"), ("X-Tags", "a,long")], {"header.X-Count", "header.X-Tags[1]"}),
    ],
)
def test_headers(headers, paths):
    answer = Canned(200, "application/json", BODY, headers)
    responses = {"200": documented(JSON, HEADERS)}
    if not paths:
        assert ask(responses, answer).data == {"id": 1}
        return
    with pytest.raises(exceptions.ResponseValidationError) as caught:
        ask(responses, answer)
    assert {fault.path for fault in caught.value.errors} == paths
    assert caught.value.data == {"id": 1}
    assert ask(responses, answer, validate="off").data == {"id": 1}


def test_head_has_no_body():
    assert ask({"200": documented(JSON)}, Canned(200, "application/json", b""), method="head").data is None


PROBLEMS = {
    "whole": ({"type": "t", "title": "T", "status": 400, "detail": "d", "instance": "i"}, ("t", "T", 400, "d", "i")),
    "of wrong types": ({"type": 5, "title": None, "status": "400", "detail": []}, (None, None, None, None, None)),
}


@pytest.mark.parametrize("case", PROBLEMS.values(), ids=PROBLEMS)
def test_problem(case):
    data, problem = case
    answer = Canned(400, "application/problem+json", json.dumps(data).encode())
    with pytest.raises(exceptions.BadRequest) as caught:
        ask({"400": documented({"application/problem+json": {}})}, answer)
    assert caught.value.problem == problem
