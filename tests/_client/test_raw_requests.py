"""Undocumented requests: query fields, paths and bodies that the document lacks, sent like any call."""

from __future__ import annotations

import datetime as dt
import json
import pickle
import re

import anyio
import pytest

import dynclient
from dynclient import exceptions
from dynclient.options import Retry

DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "t", "version": "1"},
    "security": [{"Key": []}],
    "components": {"securitySchemes": {"Key": {"type": "apiKey", "in": "header", "name": "X-Key"}}},
    "paths": {
        "/things": {
            "get": {
                "operationId": "listThings",
                "parameters": [{"name": "page", "in": "query", "schema": {"type": "integer"}}],
                "responses": {"200": {"description": ""}},
            },
            "post": {"operationId": "request", "responses": {"200": {"description": ""}}},
        }
    },
}


@pytest.fixture(params=["sync", "asyncio", "trio"])
def calling(request, httpserver):
    """A function that calls a function of a client, and returns what that returns; ``options`` are those of load."""
    options = {"auth": "k", "base_url": httpserver.url_for("/api")}

    def call(act, **more):
        if request.param == "sync":
            with dynclient.load(DOCUMENT, **{**options, **more}) as client:
                return act(client)

        async def run():
            async with dynclient.AsyncClient.load(DOCUMENT, **{**options, **more}) as client:
                return await act(client)

        return anyio.run(run, backend=request.param)

    return call


QUERIES = [
    ({"debug": "a b"}, "page=2&debug=a%20b"),
    ({"a[]": ["x&y", 2]}, "page=2&a%5B%5D=x%26y&a%5B%5D=2"),
    ({"flag": True, "gone": None, "n": 1.5}, "page=2&flag=true&n=1.5"),
    ({"page": "last"}, "page=last"),
    ({"since": dt.date(2026, 1, 2), "n": 1e-7}, "page=2&since=2026-01-02&n=1e-7"),
    ({}, "page=2"),
]


@pytest.mark.parametrize(("query", "sent"), QUERIES)
def test_query_fields_that_the_document_has_forgotten(calling, httpserver, query, sent):
    httpserver.expect_request("/api/things").respond_with_data("")
    calling(lambda client: client.list_things.with_options(query=query)(page=2))
    calling(lambda client: client.with_options(query=query).operations["listThings"](page=2))
    assert [request.query_string.decode() for request, _ in httpserver.log] == [sent] * 2


def test_query_fields_are_added_and_hidden_where_they_may_be_secret():
    client = dynclient.load(DOCUMENT, base_url="http://h").with_options(query={"a": 1, "token": "canary"})
    request = client.list_things.with_options(query={"b": 2}).prepare()
    assert request.url == "http://h/things?a=1&token=canary&b=2"
    assert "canary" not in request.to_curl() + repr(request) + repr(client._last.options)
    assert "a=1" in request.to_curl()
    assert pickle.loads(pickle.dumps(client)).list_things.prepare().url == "http://h/things"
    asked = client.request.prepare("GET", "/things?access_token=nightingale&page=2")
    assert asked.url.startswith("http://h/things?access_token=nightingale&page=2")
    assert "page=2" in repr(asked)
    assert "nightingale" not in asked.to_curl() + repr(asked)
    for wrong in ("a=1", {1: "a"}):
        with pytest.raises(exceptions.ArgumentError, match="query must be a mapping"):
            client.with_options(query=wrong)


TARGETS = {
    "/other": "/api/other",
    "other": "/api/other",
    "/other?x=1#part": "/api/other?x=1",
    "/a b/é": "/api/a%20b/%C3%A9",
    "{server}/else/where?cursor=a%2Fb": "/else/where?cursor=a%2Fb",
    "{server}": "/",
}


@pytest.mark.parametrize("target", TARGETS)
def test_a_path_or_a_url_of_the_same_origin(calling, httpserver, target):
    server = httpserver.url_for("").rstrip("/")
    httpserver.expect_request(re.compile("/.*")).respond_with_json([1], headers={"X-Next": "n"})
    result = calling(lambda client: client.request("get", target.format(server=server)))
    assert (result.data, result.status, result.headers["x-next"]) == ([1], 200, "n")
    request = httpserver.log[0][0]
    assert request.environ["RAW_URI"] == TARGETS[target]
    assert request.headers["X-Key"] == "k"


@pytest.mark.parametrize(
    "target", ["https://evil.test/x", "https://h:81/x", "http://h/x", "https://a@h/x", "https://:80"]
)
def test_another_origin_is_refused(target):
    client = dynclient.load(DOCUMENT, base_url="https://h", auth="k")
    with pytest.raises(exceptions.ArgumentError, match=r"another origin|no valid host") as caught:
        client.request("GET", target)
    if "origin" in str(caught.value):
        assert "with_options(base_url=" in str(caught.value)
    assert client.request.prepare("GET", "//evil.test/x").url == "https://h//evil.test/x"


FORM = "application/x-www-form-urlencoded"
BODIES = [
    ({"body": {"a": 1}}, b'{"a":1}', "application/json"),
    ({"body": [1]}, b"[1]", "application/json"),
    ({"body": "text"}, b"text", "text/plain"),
    ({"body": b"\0"}, b"\0", "application/octet-stream"),
    ({"body": {"a": "b c"}, "content_type": FORM}, b"a=b+c", FORM),
    ({"body": {"a": 1}, "content_type": "application/merge-patch+json"}, b'{"a":1}', "application/merge-patch+json"),
    ({"body": {"f": b"x"}}, b'name="f"', "multipart/form-data"),
    ({}, b"", None),
]


@pytest.mark.parametrize(("more", "sent", "content_type"), BODIES)
def test_bodies_by_their_kind(calling, httpserver, more, sent, content_type):
    httpserver.expect_request("/api/x").respond_with_data("")
    calling(lambda client: client.request("POST", "/x", headers={"X-A": "b"}, query={"q": 1}, **more))
    request = httpserver.log[0][0]
    assert sent in request.get_data()
    assert (request.headers.get("Content-Type") or "").partition(";")[0] == (content_type or "")
    assert (request.headers["X-A"], request.query_string) == ("b", b"q=1")


STATUSES = {404: exceptions.NotFound, 429: exceptions.RateLimited, 503: exceptions.ServerError}


@pytest.mark.parametrize("status", STATUSES)
def test_errors_follow_the_status_after_retries(calling, httpserver, status):
    httpserver.expect_request("/api/x").respond_with_json({"why": 1}, status=status)
    with pytest.raises(STATUSES[status]) as caught:
        calling(lambda client: client.request("GET", "/x"), retry=Retry(attempts=2, base=0, throttle_base=0))
    assert (caught.value.data, caught.value.documented) == ({"why": 1}, False)
    assert caught.value.attempts == (1 if status == 404 else 2)


def test_a_stream_of_it(httpserver):
    httpserver.expect_request("/x").respond_with_data("a\nb\n", content_type="text/plain")
    url = httpserver.url_for("")
    with dynclient.load(DOCUMENT, base_url=url) as client, client.request.stream("GET", "/x") as answer:
        assert list(answer.iter_lines()) == ["a", "b"]

    async def read():
        client = dynclient.AsyncClient.load(DOCUMENT, base_url=url)
        async with client, client.request.stream("GET", "/x") as answer:
            return [line async for line in answer.iter_lines()]

    assert anyio.run(read) == ["a", "b"]


def test_its_hooks_see_no_path_template(httpserver):
    events = []

    class Hook:
        def on_request(self, event):
            events.append((event.operation_id, event.method))

    httpserver.expect_request("/x").respond_with_json({})
    with dynclient.load(DOCUMENT, base_url=httpserver.url_for(""), hooks=Hook()) as client:
        assert client.request("GET", "/x").data == {}
    assert events == [("request", "GET")]


def test_credentials_without_security_of_the_document():
    by_operation = json.loads(json.dumps(DOCUMENT))
    by_operation["paths"]["/things"]["get"]["security"] = by_operation.pop("security")
    client = dynclient.load(by_operation, base_url="https://h", auth="k")
    assert client.request.prepare("GET", "/x").headers["X-Key"] == "k"
    assert "X-Key" not in dynclient.load(DOCUMENT, base_url="https://h").request.prepare("GET", "/x").headers
    assert "X-Key" not in client.with_options(auth=None).request.prepare("GET", "/x").headers


def test_credentials_go_to_trusted_origins_only(httpserver):
    described = {**DOCUMENT, "servers": [{"url": "http://192.0.2.1"}]}
    httpserver.expect_request("/openapi.json").respond_with_json(described)
    client = dynclient.load(httpserver.url_for("/openapi.json"), auth="k", cache=False)
    with client, pytest.raises(exceptions.CredentialScopeError):
        client.request("GET", "http://192.0.2.1/x")


def test_what_is_wrong_is_said_before_anything_is_sent():
    client = dynclient.load(DOCUMENT, base_url="http://h")
    for method in ("G T", "", "connect", 5):
        with pytest.raises(exceptions.ArgumentError, match="method"):
            client.request(method, "/x")
    with pytest.raises(exceptions.ArgumentError, match="path or a URL"):
        client.request("GET", 5)
    with pytest.raises(exceptions.ArgumentError, match=r"with_options\(timeout="):
        client.request("GET", "/x", timeout=5)


def test_an_operation_of_that_name_gets_an_underscore():
    client = dynclient.load(DOCUMENT, base_url="http://h")
    assert client.request_.prepare().method == "POST"
    assert client.operations["request"].prepare().method == "POST"
    assert "request" in dir(client)
