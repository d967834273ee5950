"""How a response is matched, decoded and validated: cases as data, without a socket."""

from __future__ import annotations

import json
import math
import pickle
from dataclasses import replace

import pytest

import dynclient
from dynclient import HTTPResult, Validation, exceptions
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
    "200 in place of 201": ({"201": documented(JSON)}, (200, "application/json", BODY), {"id": 1}),
    "another success without content": ({"201": documented()}, (204, None, b""), None),
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
    "another success has content": ({"201": documented(JSON)}, (204, None, b""), exceptions.UndocumentedStatus),
    "another success has another body": (
        {"201": documented(JSON), "4XX": documented()},
        (200, "application/json", b'{"id": "x"}'),
        exceptions.UndocumentedStatus,
    ),
    "304 that nobody asked for": ({"200": documented()}, (304, None, b""), exceptions.UndocumentedStatus),
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
        ([("x-count", "5"), ("X-Tags", "a,bb,ccc")], []),
        ([("X-Count", "5"), ("X-Tags", "a"), ("X-Tags", "b")], []),
        ([], ["header.X-Count"]),
        ([("X-Count", "five")], ["header.X-Count"]),
        ([("X-Count", "0"), ("X-Tags", "a,long")], ["header.X-Count", "header.X-Tags[1]"]),
    ],
)
def test_what_is_wrong_with_headers_is_a_warning(headers, paths, caplog):
    answer = Canned(200, "application/json", BODY, headers)
    responses = {"200": documented(JSON, HEADERS)}
    assert ask(responses, answer).data == {"id": 1}
    assert [record.args[1].path for record in caplog.records if record.name == "dynclient"] == paths
    caplog.clear()
    assert ask(responses, answer, validate="off").data == {"id": 1}
    assert not [record for record in caplog.records if record.name == "dynclient"]


# status, and the class of its error
STATUSES = {
    400: exceptions.BadRequest,
    401: exceptions.Unauthorized,
    403: exceptions.Forbidden,
    404: exceptions.NotFound,
    409: exceptions.Conflict,
    410: exceptions.Gone,
    418: exceptions.ApiError,
    422: exceptions.UnprocessableContent,
    429: exceptions.RateLimited,
    500: exceptions.ServerError,
    503: exceptions.ServerError,
    599: exceptions.ServerError,
}


@pytest.mark.parametrize("is_documented", [True, False])
@pytest.mark.parametrize("status", STATUSES)
def test_the_class_of_an_error_follows_the_status(status, is_documented):
    responses = {"200": documented(JSON), **({str(status): documented(JSON)} if is_documented else {})}
    with pytest.raises(STATUSES[status]) as caught:
        ask(responses, Canned(status, "application/json", b'{"id": 5}'), retry=None)
    error = caught.value
    assert isinstance(error, exceptions.ApiError)
    assert error.documented is is_documented
    assert isinstance(error, exceptions.UndocumentedStatus) is not is_documented
    assert (error.status, error.data, error.done) == (status, {"id": 5}, False)
    assert type(error).__name__ == STATUSES[status].__name__
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.documented) == (type(error), str(error), is_documented)
    assert ("does not describe" in str(error)) is not is_documented


# documented responses, answer, class of error
DONE = {
    "status": ({"201": documented(JSON)}, (200, "application/json", b"[1]"), exceptions.UndocumentedStatus),
    "body": ({"200": documented(JSON)}, (200, "application/json", b"[1]"), exceptions.ResponseValidationError),
    "type": ({"200": documented(JSON)}, (200, "application/vnd.x+json", b"[1]"), exceptions.UnexpectedMediaType),
}


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("case", DONE.values(), ids=DONE)
def test_a_refused_success_says_that_it_was_done_and_how_to_take_it(case, method, caplog):
    responses, answer, error_class = case
    with pytest.raises(error_class) as caught:
        ask(responses, Canned(*answer), method=method)
    assert caught.value.done
    assert caught.value.data == [1]
    text = str(caught.value)
    assert ("has carried out the POST" in text) is (method == "post")
    assert "error.data" in text
    assert 'validate=Validation(by={"ask": "warn"})' in text
    for mode in ("warn", Validation(by={"ask": "warn"}), {"ask": Validation(responses="off")}):
        assert ask(responses, Canned(*answer), method=method, validate=mode).data == [1]


def test_the_hint_is_there_however_long_the_rest_is():
    faults = json.dumps([{"id": "x" * 50} for _ in range(50)]).encode()
    many = {"application/json": {"schema": {"type": "array", "items": THING}}}
    with pytest.raises(exceptions.ResponseValidationError, match=r"by=\{\"ask\": \"warn\"\}\)$") as caught:
        ask({"200": documented(many)}, Canned(200, "application/json", faults))
    assert len(str(caught.value)) <= 2000


@pytest.mark.parametrize("header", ["If-None-Match", "if-modified-since"])
def test_304_is_the_answer_that_a_conditional_request_asked_for(header):
    assert ask({"200": documented(JSON)}, Canned(304, None, b""), headers={header: '"a"'}) == HTTPResult(
        None, 304, Headers()
    )


@pytest.mark.parametrize("content_type", ["text/plain", "text/html; charset=utf-8", "application/octet-stream"])
def test_json_of_an_unspecific_type_is_read_as_the_one_that_is_documented(content_type):
    answer, responses = Canned(200, content_type, BODY), {"200": documented(JSON)}
    with pytest.raises(exceptions.UnexpectedMediaType) as caught:
        ask(responses, answer)
    assert caught.value.data == {"id": 1}
    assert caught.value.media_types == ("application/json",)
    assert [ask(responses, answer, validate=mode).data for mode in ("warn", "off")] == [{"id": 1}] * 2
    page = Canned(200, content_type, b"<p>")
    assert ask(responses, page, validate="off").data == (b"<p>" if "octet" in content_type else "<p>")


def test_without_validation_json_is_read_as_python_reads_it():
    odd = Canned(200, "application/json", b'{"id": 1, "id": NaN, "x": 2}')
    for mode in ("off", "warn"):
        data = ask({"200": documented(JSON)}, odd, validate=mode).data
        assert math.isnan(data["id"])
        assert data["x"] == 2
    assert ask({"200": documented(JSON)}, Canned(200, "application/json", b"{"), validate="off").data == b"{"


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
