"""Links of responses and Location headers, on a real server, in sync, asyncio and trio."""

from __future__ import annotations

import inspect
import json
import pickle

import anyio
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

import dynclient
from dynclient import ExpressionError, LinkError

ANY = {"application/json": {"schema": {}}}
ID = {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}
LINKS = {
    "get": {"operationId": "getUser", "parameters": {"id": "$response.body#/id"}},
    "byRef": {"operationRef": "#/paths/~1users~1{id}/get", "parameters": {"path.id": "$response.body#/id"}},
    "text": {
        "operationId": "getUser",
        "parameters": {"id": "$response.body#/text", "q": "{$request.query.q}!{$method}"},
    },
    "body": {"operationId": "note", "parameters": {"id": 3}, "requestBody": {"name": "$request.body#/name", "n": 1}},
    "elsewhere": {"operationId": "getUser", "parameters": {"id": 1}, "server": {"url": "http://127.0.0.1:1/v9"}},
    "missing": {"operationId": "getUser", "parameters": {"id": "$response.body#/nothing"}},
    "misspelt": {"operationId": "getUsr"},
    "unknown": {"operationId": "getUser", "parameters": {"other": 1}},
    "ambiguous": {"operationId": "getUser", "parameters": {"x": 1}},
    "outside": {"operationRef": "https://other.example/api.yaml#/paths/~1a/get"},
    "empty": {},
}
WRONG = {
    "missing": "nothing at /nothing",
    "misspelt": "did the document mean getUser",
    "unknown": "getUser has no parameter 'other'",
    "ambiguous": "query.x or header.x",
    "outside": "another document",
    "empty": "neither operationId nor operationRef",
}


def document(version: str, server: HTTPServer) -> dict:
    query = [{"name": name, "in": in_, "schema": {}} for name, in_ in [("q", "query"), ("x", "query"), ("x", "header")]]
    answer = {"description": "ok", "content": ANY}
    created = {**answer, "links": {**LINKS, "shared": {"$ref": "#/components/links/shared"}}}
    create = {"operationId": "create", "requestBody": {"content": ANY}, "parameters": [query[0]]}
    return {
        "openapi": version,
        "info": {"title": "links", "version": "1"},
        "servers": [{"url": server.url_for("/v1")}],
        "paths": {
            "/users": {"post": {**create, "responses": {"201": created}}},
            "/users/{id}": {
                "parameters": [ID],
                "get": {"operationId": "getUser", "parameters": query, "responses": {"200": answer}},
                "put": {"operationId": "note", "requestBody": {"content": ANY}, "responses": {"200": answer}},
            },
        },
        "components": {"links": {"shared": {"operationId": "getUser", "parameters": {"id": "$statusCode"}}}},
    }


@pytest.fixture
def server(httpserver: HTTPServer) -> HTTPServer:
    def create(request):
        location = request.headers.get("X-Location", "/v1/users/7?q=a%20b&more=1")
        body = json.dumps({"id": 7, "text": "8"})
        return Response(body, 201, {"Location": location} if location else {}, content_type="application/json")

    def echo(request):
        body = {
            "path": request.full_path,
            "body": request.get_json(silent=True),
            "auth": "Authorization" in request.headers,
        }
        return Response(json.dumps(body), content_type="application/json")

    httpserver.expect_request("/v1/users", method="POST").respond_with_handler(create)
    httpserver.expect_request("/v1/users/7").respond_with_handler(echo)
    for number in (3, 8, 201):
        httpserver.expect_request(f"/v1/users/{number}").respond_with_handler(echo)
    return httpserver


@pytest.fixture(params=["sync", "asyncio", "trio"])
def follow(request, server):
    """Create a user, and give what a function makes of the result."""

    def run(function, version="3.1.0", headers=None):
        source, name = document(version, server), {"name": "ann"}
        if request.param == "sync":
            with dynclient.load(source, headers=headers or {}) as client:
                return function(client.create_with_http_info(q="x", body=name))

        async def main():
            async with dynclient.AsyncClient.load(source, headers=headers or {}) as client:
                found = function(await client.create_with_http_info(q="x", body=name))
                return await found if inspect.isawaitable(found) else found

        return anyio.run(main, backend=request.param)

    return run


FOLLOWED = {
    "get": ("/v1/users/7?", None),
    "byRef": ("/v1/users/7?", None),
    "shared": ("/v1/users/201?", None),
    "text": ("/v1/users/8?q=x%21POST", None),
    "body": ("/v1/users/3?", {"name": "ann", "n": 1}),
}


@pytest.mark.parametrize("name", FOLLOWED)
def test_a_link_is_followed_with_what_the_response_says(follow, name):
    result = follow(lambda result: result.follow(name))
    assert (result.data["path"], result.data["body"]) == FOLLOWED[name]
    assert result.status == 200


def test_keywords_replace_what_a_link_says(follow):
    assert follow(lambda result: result.follow("get", id=8, q="y")).data["path"] == "/v1/users/8?q=y"


@pytest.mark.parametrize("name", WRONG)
def test_a_link_that_cannot_be_followed_says_why(follow, name):
    assert WRONG[name] in str(follow(lambda result: result.links[name].error))
    with pytest.raises(LinkError):
        follow(lambda result: result.follow(name))


@pytest.mark.parametrize("version", ["3.0.3", "3.1.0", "3.2.0"])
def test_links_are_evaluated_when_they_are_looked_at(follow, version):
    links = follow(lambda result: result.links, version)
    assert list(links) == [*LINKS, "shared"]
    assert (links["get"].operation, links["get"].parameters, links["get"].error) == (
        "getUser",
        {("path", "id"): 7},
        None,
    )
    assert links["text"].parameters == {("path", "id"): 8, ("query", "q"): "x!POST"}
    assert links["body"].body == {"name": "ann", "n": 1}
    assert links["elsewhere"].server == "http://127.0.0.1:1/v9"
    assert isinstance(links["missing"].error, ExpressionError)


def test_the_server_of_a_link_is_used(follow):
    with pytest.raises(dynclient.ConnectError) as caught:
        follow(lambda result: result.follow("elsewhere"))
    assert caught.value.request.url == "http://127.0.0.1:1/v9/users/1"


def test_an_unknown_name_has_its_likes(follow):
    with pytest.raises(LinkError, match="did you mean byRef"):
        follow(lambda result: result.follow("byref"))


def test_a_location_is_followed_with_its_own_query(follow):
    assert follow(lambda result: result.follow.location()).data["path"] == "/v1/users/7?q=a%20b&more=1"


LOCATIONS = {
    "": "no header Location",
    "https://other.example/v1/users/7": "another origin",
    "//other.example/v1/users/7": "another origin",
    "/v1/teams/7": "no GET operation for the path of the header Location, /v1/teams/7",
}


@pytest.mark.parametrize("location", LOCATIONS)
def test_a_location_that_cannot_be_followed_says_why(follow, location):
    with pytest.raises(LinkError, match="Location") as caught:
        follow(lambda result: result.follow.location(), headers={"X-Location": location})
    assert LOCATIONS[location] in str(caught.value)


def test_a_result_without_a_client_has_no_links(server):
    with dynclient.load(document("3.1.0", server)) as client:
        result = client.create_with_http_info(body={})
    assert repr(result.follow).startswith("<follow(name), follow.location(): links get, byRef")
    copied = pickle.loads(pickle.dumps(result))
    assert (copied.links, copied.follow) == ({}, None)
