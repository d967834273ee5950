"""Documents behind a login: their credentials are sent only to their own origin, and never with a call."""

from __future__ import annotations

import json
import pickle

import anyio
import pytest
from werkzeug import Response

import dynclient
from dynclient import exceptions
from dynclient.options import Secret

RESPONSES = {"200": {"description": "", "content": {"application/json": {"schema": {"type": "object"}}}}}
DOCUMENT = {
    "openapi": "3.0.3",
    "info": {"title": "Inner", "version": "1"},
    "servers": [{"url": "/api"}],
    "paths": {"/me": {"get": {"operationId": "me", "responses": RESPONSES}}},
}
BASIC = "Basic dTpw"


def behind(server, path, header, value, body=None):
    """Serve a document to those who send a header."""

    def answer(request):
        if request.headers.get(header) != value:
            return Response("who are you?", status=401)
        return Response(json.dumps(body or DOCUMENT), content_type="application/json")

    server.expect_request(path).respond_with_handler(answer)
    server.expect_request("/api/me").respond_with_json({})
    return server.url_for(path)


WAYS = [
    ({"document_headers": {"X-Key": "canary"}}, "X-Key", "canary"),
    ({"document_auth": ("u", "p")}, "Authorization", BASIC),
    ({"document_auth": "canary"}, "Authorization", "Bearer canary"),
    ({"document_auth": Secret("Token canary")}, "Authorization", "Token canary"),
    ({"document_auth": ("u", "p"), "document_headers": {"authorization": "x"}}, "Authorization", BASIC),
]


@pytest.mark.parametrize(("options", "header", "value"), WAYS)
@pytest.mark.parametrize("way", ["sync", "async"])
def test_it_is_loaded_and_reloaded(httpserver, options, header, value, way):
    url = behind(httpserver, "/openapi.json", header, value)

    async def run():
        async with dynclient.AsyncClient.load(url, cache=False, **options) as client:
            return await client.me(), list(await client.reload())

    if way == "sync":
        with dynclient.load(url, cache=False, **options) as client:
            assert "canary" not in repr(vars(client._state.source))
            found = client.me(), list(client.reload())
    else:
        found = anyio.run(run)
    assert found == ({}, [])
    sent = [(request.path, header in request.headers) for request, _ in httpserver.log]
    assert sent == [("/openapi.json", True), ("/api/me", False), ("/openapi.json", True)]


def test_without_it_the_refusal_says_how(httpserver):
    url = behind(httpserver, "/openapi.json", "X-Key", "k")
    for options in ({}, {"headers": {"X-Key": "k"}}, {"auth": ("u", "p")}, {"document_auth": "other"}):
        with pytest.raises(
            exceptions.UnreadableDocument, match=r"status 401[\s\S]*document_auth=[\s\S]*document_headers"
        ):
            dynclient.load(url, cache=False, **options)
    assert all("X-Key" not in request.headers for request, _ in httpserver.log)


def test_it_goes_neither_with_a_redirect_nor_with_a_reference_to_another_origin(httpserver):
    from pytest_httpserver import HTTPServer

    schema = {"type": "object"}
    with HTTPServer(host="127.0.0.1") as other:
        reference = json.dumps({"$ref": other.url_for("/s.json")})
        referring = json.loads(json.dumps(DOCUMENT).replace(json.dumps({"type": "object"}), reference))
        near = {"post": {"operationId": "near", "responses": {"200": {"$ref": "near.json"}}}}
        referring["paths"]["/near"] = near
        url = behind(httpserver, "/openapi.json", "X-Key", "k", referring)
        behind(httpserver, "/near.json", "X-Key", "k", RESPONSES["200"])
        httpserver.expect_request("/moved.json").respond_with_response(
            Response(status=302, headers={"Location": other.url_for("/openapi.json")})
        )
        httpserver.expect_request("/here.json").respond_with_response(
            Response(status=302, headers={"Location": "/openapi.json"})
        )
        other.expect_request("/s.json").respond_with_json(schema)
        other.expect_request("/openapi.json").respond_with_json(DOCUMENT)
        options = {
            "document_headers": {"X-Key": "k"},
            "cache": False,
            "references": [other.url_for("/"), httpserver.url_for("/")],
        }
        with dynclient.load(url, **options) as client:
            assert client.me() == {}
            assert client.near.operation.responses["200"].content
        with dynclient.load(httpserver.url_for("/here.json"), **options) as client:
            assert "me" in client.operations
        with dynclient.load(httpserver.url_for("/moved.json"), **options) as client:
            assert "me" in client.operations
        assert {request.path for request, _ in other.log} == {"/s.json", "/openapi.json"}
        assert all("X-Key" not in request.headers for request, _ in other.log)


WRONG = [
    ("http://192.0.2.1/openapi.json", {"document_auth": "canary"}, exceptions.CredentialScopeError, "not encrypted"),
    ("http://192.0.2.1/a", {"document_headers": {"A": "canary"}}, exceptions.CredentialScopeError, "allow_origins"),
    (DOCUMENT, {"document_auth": "canary"}, exceptions.ArgumentError, "loaded from a URL"),
    ("a.yaml", {"document_headers": {"A": "canary"}}, exceptions.ArgumentError, "loaded from a URL"),
    ("https://a.test/a", {"document_auth": {"x": "canary"}}, exceptions.ArgumentError, "token or a pair"),
    ("https://a.test/a", {"document_headers": {"Host": "canary"}}, exceptions.ArgumentError, "can't be set"),
    ("https://a.test/a", {"document_headers": {"A": "canary\r\nB: c"}}, exceptions.ArgumentError, "line break"),
    ("https://a.test/a", {"document_headers": "canary"}, exceptions.ArgumentError, "mapping"),
]


@pytest.mark.parametrize(("source", "options", "kind", "text"), WRONG)
def test_what_is_wrong_is_said_before_anything_is_sent(source, options, kind, text):
    with pytest.raises(kind, match=text) as caught:
        dynclient.load(source, **options)
    assert "canary" not in str(caught.value)


def test_it_is_not_pickled(httpserver):
    url = behind(httpserver, "/openapi.json", "X-Key", "k")
    with dynclient.load(url, cache=False, document_headers={"X-Key": "k"}) as client, pytest.raises(TypeError):
        pickle.dumps(client)
