"""How values of a call go out: in parameters, headers and bodies; as tables."""

from __future__ import annotations

import re
from typing import Any

import pytest

import dynclient
from dynclient.exceptions import ArgumentError
from dynclient.testing import MockTransport

BASE = "https://api.example.com"


def client_of(
    operation: dict[str, Any], path: str = "/x", method: str = "get", version: str = "3.0.3", **load: Any
) -> Any:
    """A client of a document with one operation, `x`."""
    responses = {"200": {"description": "ok"}}
    document: dict[str, Any] = {
        "openapi": version,
        "info": {"title": "t", "version": "1"},
        "paths": {path: {method: {"operationId": "x", "responses": responses, **operation}}},
    }
    if version == "2.0":
        document["swagger"] = document.pop("openapi")
    return dynclient.load(document, base_url=BASE, **load)


def parameter(in_: str, schema: dict[str, Any], name: str = "a", **more: Any) -> dict[str, Any]:
    return {"name": name, "in": in_, "schema": schema, "required": in_ == "path", **more}


EMPTY = [
    ({"type": "boolean"}, {}),
    ({"type": "integer", "minimum": 1}, {}),
    ({"type": "string", "enum": ["a"]}, {}),
    ({"type": "string", "minLength": 2}, {}),
    ({"type": "array", "items": {"type": "string"}}, {}),
    ({"type": "object"}, {"style": "deepObject"}),
]


@pytest.mark.parametrize(("schema", "more"), EMPTY)
def test_an_empty_value_where_it_is_allowed(schema: dict[str, Any], more: dict[str, Any]) -> None:
    allowed = parameter("query", schema, allowEmptyValue=True, **more)
    assert client_of({"parameters": [allowed]}).x.prepare(a="").url == f"{BASE}/x?a="
    with pytest.raises(dynclient.DynclientError):
        client_of({"parameters": [{**allowed, "allowEmptyValue": False}]}).x.prepare(a="")


def test_an_empty_value_is_allowed_in_2_0_too() -> None:
    flag = {"name": "a", "in": "query", "type": "boolean", "allowEmptyValue": True}
    assert client_of({"parameters": [flag]}, version="2.0").x.prepare(a="").url == f"{BASE}/x?a="


SHOWN = [
    ({"example": ""}, {"type": "string"}),
    ({"examples": {"none": {"value": ""}}}, {"type": "string"}),
    ({}, {"type": "string", "example": ""}),
    ({}, {"type": "string", "default": ""}),
    ({}, {"type": "string", "enum": ["", "a"]}),
]


@pytest.mark.parametrize(("more", "schema"), SHOWN)
def test_an_empty_segment_that_the_document_shows(more: dict[str, Any], schema: dict[str, Any]) -> None:
    client = client_of({"parameters": [parameter("path", schema, **more)]}, "/rooms/{a}/state")
    assert client.x.prepare("").url == f"{BASE}/rooms//state"


def test_an_empty_segment_that_the_document_does_not_show() -> None:
    client = client_of({"parameters": [parameter("path", {"type": "string"})]}, "/users/{a}")
    with pytest.raises(ArgumentError, match=r"empty.*\n.*validate='off'"):
        client.x.prepare("")
    assert client.x.with_options(validate="off").prepare("").url == f"{BASE}/users/"
    with pytest.raises(ArgumentError, match="dot segment"):
        client.x.with_options(validate="off").prepare("..")


def test_the_mock_knows_an_empty_segment() -> None:
    shown = client_of({"parameters": [parameter("path", {"type": "string"}, example="")]}, "/rooms/{a}")
    silent = client_of({"parameters": [parameter("path", {"type": "string"})]}, "/rooms/{a}")
    for client, status in ((shown, 200), (silent, 404)):
        request = shown.x.prepare("")
        assert MockTransport(client.api).send(request).status == status


AMBIGUOUS = [
    ("header", {"type": "array"}, ["a", "b,c"], {}),
    ("header", {"type": "array"}, ["a", "b,c"], {"explode": True}),
    ("header", {"type": "object"}, {"k": "x,y"}, {}),
    ("header", {"type": "object"}, {"k,l": "x"}, {}),
    ("header", {"type": "object"}, {"k": "x,y"}, {"explode": True}),
    ("cookie", {"type": "array"}, ["a,b"], {"style": "cookie", "explode": False}),
]


@pytest.mark.parametrize(("in_", "schema", "value", "more"), AMBIGUOUS)
def test_an_item_with_its_delimiter_is_refused(
    in_: str, schema: dict[str, Any], value: Any, more: dict[str, Any]
) -> None:
    client = client_of({"parameters": [parameter(in_, schema, "X-Tags", **more)]}, version="3.2.0")
    with pytest.raises(ArgumentError, match=r"X-Tags.* has a comma within an item[^\n]*\nHint: .*with_options"):
        client.x.prepare(x_tags=value)
    assert client.x.prepare(x_tags=[] if isinstance(value, list) else {"k": "x"}).headers is not None


JSON_TEXTS = [
    ({"path": "/日本.txt"}, r'{"path":"/\u65e5\u672c.txt"}'),
    ({"name": "é\x7f"}, r'{"name":"\u00e9\u007f"}'),
    ({"😀": 1}, r'{"\ud83d\ude00":1}'),
    ({"line": "a\nb"}, r'{"line":"a\nb"}'),
]


@pytest.mark.parametrize(("value", "text"), JSON_TEXTS)
def test_json_in_a_header_is_ascii(value: Any, text: str) -> None:
    argument = {
        "name": "Dropbox-API-Arg",
        "in": "header",
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
    client = client_of({"parameters": [argument]})
    assert client.x.prepare(dropbox_api_arg=value).headers["Dropbox-API-Arg"] == text
    for in_, expected in (("query", f"{BASE}/x?"), ("cookie", None)):
        request = client_of({"parameters": [{**argument, "in": in_}]}).x.prepare(dropbox_api_arg=value)
        assert expected is None or request.url.startswith(expected)
        assert all(text.isascii() for _, text in request.headers.pairs())


def test_a_long_name_of_a_delimiter() -> None:
    client = client_of({"parameters": [parameter("query", {"type": "array"}, style="pipeDelimited", explode=False)]})
    with pytest.raises(ArgumentError, match=re.escape("a vertical bar")):
        client.x.prepare(a=["b|c"])
