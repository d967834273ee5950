"""The mock's responses and errors for the document tests/cases/things.yaml."""

from __future__ import annotations

import base64
import json
import logging
import re
import time

import pytest

import dynclient
from dynclient._incoming.requests import HTTPError, Router
from dynclient.messages import Request

JSON = {"Content-Type": "application/json"}
BASIC = "Basic " + base64.b64encode("us er:pass:wörd".encode()).decode()
KEYS = {"X-Key": "k"}

# method, target, headers, status, operationId
ROUTES = [
    ("GET", "/things", {}, 200, "listThings"),
    ("GET", "/v1/things", {}, 200, "listThings"),
    ("GET", "/anything/things", {}, 200, "listThings"),
    ("GET", "/things/mine", {}, 200, "getMine"),
    ("GET", "/v1/things/mine", {}, 200, "getMine"),
    ("GET", "/th%69ngs/m%69ne", {}, 200, "getMine"),
    ("HEAD", "/things", {}, 200, "listThings"),
    ("GET", "/things/a%2Fb/picture", {}, 404, "getPicture"),
    ("GET", "/things/", {}, 404, None),
    ("GET", "/nothing", {}, 404, None),
    ("GET", "/", {}, 404, None),
    ("PUT", "/things", {}, 405, None),
    ("BREW", "/things", {}, 405, None),
    ("OPTIONS", "/things", {}, 204, None),
    ("GET", "/twins/7", {}, 204, "twinByNumber"),
    ("GET", "/twins/seven", {}, 204, "twinByWord"),
    ("GET", "/twins/7even", {}, 400, "twinByNumber"),
    ("GET", "/fixed?kind=a", {}, 204, "fixedA"),
    ("GET", "/fixed?x=1&kind=b", {}, 204, "fixedB"),
    ("GET", "/fixed?kind=c", {}, 404, None),
    ("GET", "/numbers/.1.2.3/;point=x,1.5", {}, 204, "getNumbers"),
    ("GET", "/numbers/.1.two/;point=x,1.5", {}, 400, "getNumbers"),
    ("GET", "/numbers/.1/;point=y,1.5", {}, 400, "getNumbers"),
]

# method, target, headers, body, status
REQUESTS = {
    "a number": ("GET", "/things?limit=3", {}, b"", 200),
    "not a number": ("GET", "/things?limit=x", {}, b"", 400),
    "too large": ("GET", "/things?limit=101", {}, b"", 400),
    "a list": ("GET", "/things?tag=a&tag=b", {}, b"", 200),
    "an object": ("GET", "/things?filter%5Bsize%5D=3", {}, b"", 200),
    "an object with a fault": ("GET", "/things?filter%5Bsize%5D=x", {}, b"", 400),
    "undocumented parameters are ignored": ("GET", "/things?more=1", {"X-More": "1"}, b"", 200),
    "a header": ("GET", "/things", {"x-trace": "0189d4a2-7c1e-7b5c-9d5e-3f1a2b3c4d5e"}, b"", 200),
    "a header with a fault": ("GET", "/things", {"X-Trace": "no uuid"}, b"", 400),
    "a cookie": ("GET", "/things", {"Cookie": "a=b; seen=true"}, b"", 200),
    "a cookie with a fault": ("GET", "/things", {"Cookie": "seen=maybe"}, b"", 400),
    "a parameter in JSON": ("GET", "/things?where=%7B%22a%22%3A1%7D", {}, b"", 200),
    "a parameter in JSON with a fault": ("GET", "/things?where=%7B%22b%22%3A1%7D", {}, b"", 400),
    "a parameter with invalid JSON": ("GET", "/things?where=%7B", {}, b"", 400),
    "JSON": ("POST", "/things", JSON, b'{"name":"ab"}', 201),
    "JSON with parameters": (
        "POST",
        "/things",
        {"Content-Type": "APPLICATION/JSON; charset=utf-8"},
        b'{"name":"ab"}',
        201,
    ),
    "XML": (
        "POST",
        "/things",
        {"Content-Type": "application/xml"},
        b"<Thing><name>ab</name><size>3</size></Thing>",
        201,
    ),
    "XML with a fault": ("POST", "/things", {"Content-Type": "application/xml"}, b"<Thing><name>a</name></Thing>", 422),
    "invalid XML": ("POST", "/things", {"Content-Type": "application/xml"}, b"<Thing><name>", 422),
    "a form": ("POST", "/things", {"Content-Type": "application/x-www-form-urlencoded"}, b"name=a+b&size=3", 201),
    "a form with a fault": (
        "POST",
        "/things",
        {"Content-Type": "application/x-www-form-urlencoded"},
        b"name=ab&size=x",
        422,
    ),
    "invalid JSON": ("POST", "/things", JSON, b'{"name":', 422),
    "an empty body": ("POST", "/things", {}, b"", 422),
    "a body with a fault": ("POST", "/things", JSON, b'{"name":"a"}', 422),
    "another media type": ("POST", "/things", {"Content-Type": "text/csv"}, b"name", 415),
    "no media type": ("POST", "/things", {}, b"{}", 415),
    "a malformed media type": ("POST", "/things", {"Content-Type": "json"}, b"{}", 415),
    "a content coding": ("POST", "/things", {**JSON, "Content-Encoding": "gzip"}, b"x", 415),
    "no accepted media type": ("GET", "/things/mine", {"Accept": "image/png"}, b"", 406),
    "a broken operation": ("GET", "/broken", {}, b"", 500),
}

# target, headers, status
CREDENTIALS = [
    ("/guarded/basic", {"Authorization": BASIC}, 204),
    ("/guarded/basic", {"Authorization": BASIC.replace("Basic", "bASIC")}, 204),
    ("/guarded/basic", {"Authorization": "Basic no-base64!"}, 401),
    ("/guarded/basic", {"Authorization": "Bearer t"}, 401),
    ("/guarded/basic", {}, 401),
    ("/guarded/bearer", {"Authorization": "Bearer t"}, 204),
    ("/guarded/bearer", {"Authorization": "Bearer "}, 401),
    ("/guarded/oauth", {"Authorization": "bearer t"}, 204),
    ("/guarded/digest", {"Authorization": "Digest a=b"}, 204),
    ("/guarded/header", KEYS, 204),
    ("/guarded/header", {}, 401),
    ("/guarded/query?key=k", {}, 204),
    ("/guarded/query?other=k", {}, 401),
    ("/guarded/cookie", {"Cookie": "session=s"}, 204),
    ("/guarded/cookie", {"Cookie": "other=s"}, 401),
    ("/guarded/either", {"Authorization": BASIC}, 204),
    ("/guarded/either", KEYS, 204),
    ("/guarded/either", {}, 401),
    ("/guarded/both?key=k", KEYS, 204),
    ("/guarded/both", KEYS, 401),
    ("/guarded/optional", {}, 204),
]


@pytest.mark.parametrize(("method", "target", "headers", "status", "operation_id"), ROUTES)
def test_routes(ask, method, target, headers, status, operation_id):
    response = ask(method, target, headers)
    assert (response.status, response.request.operation_id) == (status, operation_id)


def test_405_lists_the_allowed_methods(ask):
    assert ask("PUT", "/things").headers["allow"] == "GET, HEAD, OPTIONS, POST"
    assert ask("OPTIONS", "/things").headers["allow"] == "GET, HEAD, OPTIONS, POST"


@pytest.mark.parametrize("case", REQUESTS.values(), ids=REQUESTS)
def test_requests(ask, case):
    *request, status = case
    response = ask(*request)
    assert response.status == status, response.body


@pytest.mark.parametrize(("target", "headers", "status"), CREDENTIALS)
def test_any_credential_of_the_right_form_is_valid(ask, target, headers, status):
    assert ask("GET", target, headers).status == status


@pytest.mark.parametrize(
    ("credentials", "target", "headers", "status"),
    [
        (("us er", "pass:wörd"), "/guarded/basic", {"Authorization": BASIC}, 204),
        (("us er", "another"), "/guarded/basic", {"Authorization": BASIC}, 401),
        ("t", "/guarded/bearer", {"Authorization": "Bearer t"}, 204),
        ("t", "/guarded/bearer", {"Authorization": "Bearer u"}, 401),
        ({"headerKey": "k"}, "/guarded/header", KEYS, 204),
        ({"headerKey": "l"}, "/guarded/header", KEYS, 401),
        ({"headerKey": "l"}, "/guarded/query?key=k", {}, 204),
        ({"basic": ["us er", "pass:wörd"]}, "/guarded/basic", {"Authorization": BASIC}, 204),
    ],
)
def test_a_given_credential_is_the_only_valid_one(ask_with, credentials, target, headers, status):
    assert ask_with(credentials=credentials)("GET", target, headers).status == status


def test_401_names_the_accepted_schemes(ask):
    assert ask("GET", "/guarded/basic").headers["www-authenticate"] == 'Basic realm="Things"'
    assert ask("GET", "/guarded/oauth").headers["www-authenticate"] == 'Bearer realm="Things"'
    assert ask("GET", "/guarded/either").headers["www-authenticate"] == 'Basic realm="Things", ApiKey realm="Things"'


def test_a_documented_error_has_the_documented_body(ask):
    response = ask("POST", "/things", JSON, b'{"name":"a","size":-1}')
    fault = json.loads(response.body)
    assert response.content_type == "application/json"
    assert isinstance(fault["code"], int)
    assert "$.name" in fault["message"]
    assert "$.size" in fault["message"]
    assert fault.get("kind", "fault") == "fault"


def test_an_error_documented_without_a_body_has_none(ask):
    response = ask("PATCH", "/things/not-there", {"Content-Type": "application/merge-patch+json"}, b"{}")
    assert (response.status, response.body, response.content_type) == (404, b"", None)


def test_an_undocumented_error_is_problem_details(ask):
    response = ask("GET", "/numbers/.x/;point=x,1")
    problem = json.loads(response.body)
    assert response.content_type == "application/problem+json"
    assert (problem["title"], problem["status"]) == ("Bad Request", 400)
    assert problem["errors"][0]["path"].startswith("path.list")


def test_a_broken_operation_names_the_reason(ask):
    assert "NotThere" in json.loads(ask("GET", "/broken").body)["detail"]


def test_the_headers_of_the_document_are_sent(ask):
    headers = ask("GET", "/things").headers
    assert (headers["x-total"], headers["x-tags"]) == ("12", "a,b")


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("application/*", "application/json"),
        ("application/xml", "application/xml"),
        ("application/json;q=0.5, application/xml", "application/xml"),
        ("application/json;q=0, */*;q=0.1", "application/xml"),
        ("text/html, junk, application/xml;q=0.9", "application/xml"),
    ],
)
def test_accept_chooses_the_media_type(ask, accept, content_type):
    response = ask("GET", "/things", {"Accept": accept})
    assert (response.status, response.content_type) == (200, content_type)


def test_the_same_value_in_json_and_xml(ask):
    as_json = json.loads(ask("GET", "/things", {"Accept": "application/json"}).body)
    as_xml = ask("GET", "/things", {"Accept": "application/xml"}).body.decode()
    assert as_json[0]["name"] in as_xml
    assert "secret" not in as_json[0]


def test_a_media_range_becomes_a_concrete_type(ask_with):
    asked = ask_with()("GET", "/things/abc/picture")
    assert asked.content_type == "image/png"
    assert asked.body


@pytest.mark.parametrize(
    ("prefer", "status", "body"),
    [
        ("", 200, {"n": 1}),
        ("example=two", 200, {"n": 2}),
        ('code=200; example="two"', 200, {"n": 2}),
        ("dynamic=true", 200, {}),
        ("code=503", 503, None),
    ],
)
def test_prefer_chooses_the_response(ask, prefer, status, body):
    response = ask("GET", "/choices", {"Prefer": prefer})
    assert response.status == status
    assert (json.loads(response.body) if response.body else None) == body


def test_a_documented_error_comes_with_its_headers(ask):
    assert ask("GET", "/choices", {"Prefer": "code=503"}).headers["retry-after"] == "7"


def test_the_same_seed_gives_the_same_responses(ask_with):
    def body(seed):
        return ask_with(seed=seed)("GET", "/things", {"Accept": "application/json"}).body

    assert body(3) == body(3)


def test_an_invalid_example_is_repaired_and_logged_once(ask_with, caplog):
    schema = {"type": "object", "required": ["a"]}
    content = {"application/json": {"schema": schema, "example": {"b": 1}}}
    paths = {"/x": {"get": {"operationId": "x", "responses": {"200": {"description": "", "content": content}}}}}
    ask = ask_with({"openapi": "3.1.0", "info": {"title": "X", "version": "1"}, "paths": paths})
    with caplog.at_level(logging.WARNING, "dynclient.testing"):
        bodies = [json.loads(ask("GET", "/x").body) for _ in range(3)]
    assert bodies == [{"a": "string", "b": 1}] * 3
    assert len(caplog.messages) == 1


def test_a_bug_in_the_mock_is_500_without_a_traceback(mock, monkeypatch):
    monkeypatch.setattr(mock, "_answer", lambda *_: 1 / 0)
    response = mock.respond(Request("GET", "http://mock.test/choices"))
    assert response.status == 500
    assert b"Traceback" not in response.body
    assert b"division" not in response.body


def test_requests_and_responses_are_recorded(mock, ask):
    ask("GET", "/choices?a=b")
    ask("GET", "/nothing")
    assert [request.url for request in mock.requests] == ["http://mock.test/choices?a=b", "http://mock.test/nothing"]
    assert [response.status for response in mock.responses] == [200, 404]


def test_only_the_last_exchanges_are_kept_within_a_bound_of_bytes(mock, ask, monkeypatch):
    monkeypatch.setattr("dynclient._mock.mock.MAX_EXCHANGE_BYTES", 10_000)
    for number in range(30):
        ask("POST", f"/nothing?n={number}", body=b"a" * 1_000)
    assert mock.requests[-1].url.endswith("?n=29")
    assert 3 < len(mock.requests) < 10


def test_one_exchange_is_kept_however_large(mock, ask, monkeypatch):
    monkeypatch.setattr("dynclient._mock.mock.MAX_EXCHANGE_BYTES", 10_000)
    for size in (20_000, 30_000):
        ask("POST", "/nothing", body=b"a" * size)
    assert [len(request.body) for request in mock.requests] == [30_000]


def test_a_segment_with_many_templates_is_matched_in_time(ask_with):
    answers = {"responses": {"204": {"description": ""}}}
    parameters = [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in "abcd"]
    document = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "servers": [{"url": "/{e}-{f}-{g}-{h}/v1", "variables": {name: {"default": "x"} for name in "efgh"}}],
        "paths": {"/{a}-{b}-{c}-{d}/x": {"get": {"parameters": parameters, **answers}}},
    }
    ask = ask_with(document)
    started = time.thread_time()
    for target, status in {
        "/" + "-" * 4_000: 404,
        "/" + "-" * 4_000 + "/x": 204,
        "/" + "-" * 4_000 + "/v1/1-2-3-4/x": 204,
        "/" + "-" * 4_000 + "/v1/1-2-3-/x": 404,
    }.items():
        assert ask("GET", target).status == status
    assert time.thread_time() - started < 2


@pytest.mark.parametrize(
    ("template", "path", "values"),
    [
        ("/{a}", "/x", {"a": "x"}),
        ("/{a}", "/", None),
        ("/{a}-{b}", "/1-2-3", {"a": "1-2", "b": "3"}),
        ("/{a}-{b}", "/--1", {"a": "-", "b": "1"}),
        ("/{a}-{b}", "/-1", None),
        ("/{a}{b}", "/123", {"a": "12", "b": "3"}),
        ("/{a}{b}", "/1", None),
        ("/x{a}.json", "/xy.json", {"a": "y"}),
        ("/x{a}.json", "/x.json", None),
        ("/{a}:{b}/c", "/1:2/c", {"a": "1", "b": "2"}),
        ("/ä{a}ü{b}", "/%C3%A41%C3%BC2", {"a": "1", "b": "2"}),
        ("/ä{a}ü{b}", "/ä1%C3%BC2ü3", {"a": "1%C3%BC2", "b": "3"}),
        ("/{a}aba{b}", "/xababay", {"a": "xab", "b": "y"}),
    ],
)
def test_the_values_of_templates(ask_with, template, path, values):
    schema = {"type": "string"}
    names = re.findall(r"\{(.)\}", template)
    parameters = [{"name": name, "in": "path", "required": True, "schema": schema} for name in names]
    operation = {"operationId": "go", "parameters": parameters, "responses": {"204": {"description": ""}}}
    api = dynclient.load(
        {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {template: {"get": operation}}},
        base_url="http://h.example",
    ).api
    try:
        assert [match.texts for match in Router(api).find("GET", path)] == [values]
    except HTTPError as error:
        assert (error.status, values) == (404, None)


def test_operations_whose_schemas_are_broken_are_told():
    answer = {"200": {"description": "", "content": {"application/json": {"schema": {"$ref": "#/nowhere"}}}}}
    field = {"name": "q", "in": "query", "schema": {"$ref": "#/nowhere"}}
    fine = {"responses": {"204": {"description": ""}}}
    paths = {
        "/answer": {"get": {"operationId": "answer", "responses": answer}},
        "/field": {"get": {"operationId": "field", "parameters": [field], **fine}},
        "/fine": {"get": {"operationId": "fine", **fine}},
    }
    with dynclient.testing.serve(
        {"openapi": "3.1.0", "info": {"title": "T", "version": "1"}, "paths": paths}
    ) as server:
        assert [name for name, _ in server.mock.broken()] == ["answer", "field"]
