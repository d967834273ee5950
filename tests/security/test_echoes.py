"""Authorization servers that repeat what they were sent, or whose answer is unreadable: nothing of it is shown."""

from __future__ import annotations

import gzip
import json
import pickle
from dataclasses import replace

import pytest
from pytest_httpserver import HTTPServer

import dynclient
from dynclient import exceptions
from dynclient.options import OAuth2

FLOW = {"tokenUrl": "https://unused.test/", "scopes": {}}
SECRET, PASSWORD, TOKEN = "canary secret/4711", "canary-password-4712", "canary-token-4713"
WAYS = {
    "basic": OAuth2("me", SECRET, client_auth="basic"),
    "post": OAuth2("me", SECRET, client_auth="post"),
    "password": OAuth2("me", username="user", password=PASSWORD),
    "refresh": OAuth2("me", refresh_token=TOKEN),
}


def document(url):
    answers = {"200": {"description": "ok"}}
    flows = {"clientCredentials": FLOW, "password": FLOW}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Guarded", "version": "1"},
        "servers": [{"url": url}],
        "paths": {"/a": {"get": {"operationId": "get", "responses": answers, "security": [{"O": []}]}}},
        "components": {"securitySchemes": {"O": {"type": "oauth2", "flows": flows}}},
    }


def failure(httpserver: HTTPServer, auth: OAuth2) -> exceptions.ResponseError:
    url = httpserver.url_for("")
    client = dynclient.load(document(url), auth=replace(auth, token_url=httpserver.url_for("/token")), retry=1)
    with client, pytest.raises(exceptions.ResponseError) as caught:
        client.get()
    return caught.value


def shown(error):
    return f"{error} {error!r} {vars(error)!r} {pickle.dumps(error)!r}"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("status", [200, 400, 401])
def test_what_is_repeated_is_masked(way, status, httpserver):
    mine = {"basic": SECRET, "post": SECRET, "password": PASSWORD, "refresh": TOKEN}[way]
    # A part of it counts too, where the text is cut off.
    said = {"error": f"no {mine}", "error_description": "x" * 190 + mine}
    httpserver.expect_request("/token").respond_with_json(said, status=status)
    error = failure(httpserver, WAYS[way])
    assert isinstance(error, exceptions.AuthorizationError)
    assert "canary" not in shown(error)


WHOLE = gzip.compress(json.dumps({"access_token": TOKEN}).encode() + b" " * 2000, mtime=0)


@pytest.mark.parametrize("body", [WHOLE[:-9], b"no gzip " + TOKEN.encode()], ids=["cut", "not compressed"])
def test_an_answer_that_can_not_be_read_is_not_kept(body, httpserver):
    httpserver.expect_request("/token").respond_with_data(body, headers={"Content-Encoding": "gzip"})
    error = failure(httpserver, WAYS["basic"])
    assert isinstance(error, exceptions.DecodeError)
    assert error.response.body == b""
    assert TOKEN not in shown(error)
