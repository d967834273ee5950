"""Redirects over sockets: no secret reaches another origin, regardless of its name and location."""

from __future__ import annotations

import json

import anyio
import pytest
from pytest_httpserver import HTTPServer

import dynclient
from dynclient import exceptions
from dynclient.options import Limits

SCHEMES = {
    "key": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
    "query": {"type": "apiKey", "in": "query", "name": "api_key"},
    "cookie": {"type": "apiKey", "in": "cookie", "name": "session"},
    "bearer": {"type": "http", "scheme": "bearer"},
}
AUTH = {name: f"canary-{name}" for name in SCHEMES}
ANSWER = {"200": {"description": "ok", "content": {"application/json": {}}}, "401": {"description": "who?"}}
BODY = {"content": {"application/json": {}}}
DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "Redirects", "version": "1"},
    "paths": {
        "/a": {
            "get": {"operationId": "get", "responses": ANSWER},
            "post": {"operationId": "post", "requestBody": BODY, "responses": ANSWER},
        }
    },
    "components": {"securitySchemes": SCHEMES},
    "security": [{name: [] for name in SCHEMES}],
}


@pytest.fixture
def other():
    with HTTPServer() as server:
        server.expect_request("/b").respond_with_json({"here": "other"})
        yield server


@pytest.fixture
def call(way, httpserver):
    def make(name, *args, **options):
        given = {"base_url": httpserver.url_for(""), "auth": AUTH, "headers": {"X-Mine": "canary"}, **options}
        return way(DOCUMENT, **given)(name, *args)

    return make


def asked(server):
    return [request for request, _ in server.log]


def test_within_the_origin_the_request_stays_as_it_is(call, httpserver):
    httpserver.expect_request("/a").respond_with_data(status=307, headers={"Location": "/b?c=1"})
    httpserver.expect_request("/b").respond_with_json(1)
    assert call("get") == 1
    first, second = asked(httpserver)
    assert second.query_string == b"c=1"
    assert second.headers["X-Api-Key"] == first.headers["X-Api-Key"] == "canary-key"


def test_another_origin_is_not_asked(call, httpserver, other):
    httpserver.expect_request("/a").respond_with_data(status=302, headers={"Location": other.url_for("/b")})
    with pytest.raises(exceptions.RedirectError) as caught:
        call("get")
    assert asked(other) == []
    assert "canary-" not in str(caught.value) + repr(caught.value.request)
    assert (caught.value.operation_id, caught.value.status, caught.value.attempts) == ("get", 302, 1)


def test_asked_for_nothing_of_ours_goes_along(call, httpserver, other):
    httpserver.expect_request("/a").respond_with_data(status=302, headers={"Location": other.url_for("/b")})
    assert call("get", redirects="any") == {"here": "other"}
    (request,) = asked(other)
    assert b"canary" not in json.dumps(dict(request.headers)).encode() + request.query_string
    assert sorted(request.headers.keys()) == ["Accept", "Accept-Encoding", "Host", "User-Agent"]


def test_a_stranger_that_sends_us_back_gets_no_credentials_sent(call, httpserver, other):
    httpserver.expect_request("/a").respond_with_data(status=302, headers={"Location": other.url_for("/back")})
    other.expect_request("/back").respond_with_data(status=302, headers={"Location": httpserver.url_for("/steal")})
    httpserver.expect_request("/steal").respond_with_data(status=401)
    with pytest.raises(exceptions.Unauthorized):
        call("get", redirects="any", auth={**AUTH, "bearer": lambda _: "canary"})
    assert [request.path for request in asked(httpserver)] == ["/a", "/steal"]
    assert "canary" not in str(asked(httpserver)[1].headers)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_body_goes_nowhere_else(status, call, httpserver):
    httpserver.expect_request("/a").respond_with_data(status=status, headers={"Location": "/b"})
    with pytest.raises(exceptions.RedirectError):
        call("post", {"n": 1})
    assert len(httpserver.log) == 1


def test_a_redirect_that_is_a_bomb_stays_within_limits(call, httpserver):
    httpserver.expect_request("/a").respond_with_data(b"x" * 2000, status=302, headers={"Location": "/b"})
    with pytest.raises(exceptions.ResponseTooLarge):
        call("get", limits=Limits(response_bytes=1000))


@pytest.mark.parametrize("options", [{"redirects": "some"}, {"hooks": [object()]}, {"hooks": 3}])
def test_options_that_are_none(options, call):
    with pytest.raises(exceptions.ArgumentError):
        call("get", **options)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_hooks_run_in_the_task_of_the_call(backend, httpserver):
    httpserver.expect_request("/a").respond_with_json(1)
    tasks = []

    class Hook:
        def on_request(self, _):
            tasks.append(anyio.get_current_task().id)

    async def main():
        given = {"base_url": httpserver.url_for(""), "auth": AUTH, "hooks": Hook()}
        async with dynclient.AsyncClient.load(DOCUMENT, **given) as client:
            await client.get()
        tasks.append(anyio.get_current_task().id)

    anyio.run(main, backend=backend)
    assert tasks[0] == tasks[1]


def test_an_asynchronous_hook_is_refused(call):
    class Hook:
        async def on_request(self, event):
            pass

    with pytest.raises(exceptions.ArgumentError, match="async"):
        call("get", hooks=Hook())


def test_the_result_tells_its_attempts(way, httpserver):
    httpserver.expect_ordered_request("/a").respond_with_data(status=503, headers={"Retry-After": "0"})
    httpserver.expect_ordered_request("/a").respond_with_json(1)
    result = way(DOCUMENT, base_url=httpserver.url_for(""), auth=AUTH)("get_with_http_info")
    assert (result.attempts, result.data) == (2, 1)
