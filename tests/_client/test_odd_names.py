"""Names that documents give without a thought for Python or URLs: calls take them, and the wire gets them whole."""

from __future__ import annotations

import inspect

import pytest

import dynclient
from dynclient.exceptions import ArgumentError


def client_of(paths, url="https://api.example"):
    return dynclient.load({"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": paths}, base_url=url)


WAYS = {
    "call": lambda method, given: method(**given),
    "prepare": lambda method, given: method.prepare(**given),
    "stream": lambda method, given: method.stream(**given),
    "explain": lambda method, given: method.explain(**given),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_parameter_may_be_called_self(httpserver, way):
    httpserver.expect_request("/a", query_string="self=s").respond_with_data("")
    parameter = {"name": "self", "in": "query", "schema": {"type": "string"}}
    operation = {"operationId": "one", "parameters": [parameter], "responses": {"200": {"description": "d"}}}
    with client_of({"/a": {"get": operation}}, httpserver.url_for("")) as client:
        assert list(inspect.signature(client.one).parameters) == ["self"]
        WAYS[way](client.one, {"self": "s"})


PATHS = {
    "/sp ace/é": "/sp%20ace/%C3%A9",
    "/e/{}": "/e/%7B%7D",
    '/"<>^`|/{a}': "/%22%3C%3E%5E%60%7C/%20%22",
    "/%7Bkept%7D/%2F/{a}:go;v=1,2": "/%7Bkept%7D/%2F/%20%22:go;v=1,2",
    "/q?x=é y#Action=1": "/q?x=%C3%A9%20y",
    "/w h y/{a b}": "/w%20h%20y/%20%22",
}


@pytest.mark.parametrize("path", PATHS)
def test_what_a_url_can_not_hold_is_encoded_in_a_path_of_the_document(path):
    names = [name for name in ("a", "a b") if f"{{{name}}}" in path]
    parameters = [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]
    operation = {"operationId": "one", "parameters": parameters, "responses": {"200": {"description": "d"}}}
    client = client_of({path: {"get": operation}})
    assert client.one.prepare(*[' "' for _ in names]).url == "https://api.example" + PATHS[path]


def test_an_error_names_its_operation_also_where_the_name_is_part_of_a_word():
    body = {"required": True, "content": {"application/json": {}}}
    operation = {"operationId": "plain", "requestBody": body, "responses": {"200": {"description": "d"}}}
    with pytest.raises(ArgumentError, match=r"^plain: \$: a value of type object can.t be converted to JSON"):
        client_of({"/a": {"post": operation}}).plain(object())
