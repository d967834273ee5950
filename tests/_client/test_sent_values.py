"""How values of a call are sent, in parameters, headers and bodies, as tables."""

from __future__ import annotations

import dataclasses
import json
import re
from contextlib import suppress
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

import attrs
import pydantic
import pytest

import dynclient
from dynclient.codecs import CODECS, Codec, Encoded, register
from dynclient.exceptions import ArgumentError, EncodeError
from dynclient.media_types import MEDIA_TYPES
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
    shown = {"parameters": [parameter("path", {"type": "string"}, example="")]}
    silent = {"parameters": [parameter("path", {"type": "string"})]}
    for operation, status in ((shown, 200), (silent, 404)):
        mock = MockTransport(client_of(operation, "/rooms/{a}").api)
        client = client_of(shown, "/rooms/{a}", transport=mock)
        with suppress(dynclient.DynclientError):
            client.x("")
        assert [response.status for response in mock.responses] == [status]


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


@pytest.mark.parametrize("value", [[], {}])
def test_nothing_in_a_cookie_makes_no_header(value: Any) -> None:
    kind = "array" if value == [] else "object"
    assert "cookie" not in client_of({"parameters": [parameter("cookie", {"type": kind})]}).x.prepare(a=value).headers


def test_a_long_name_of_a_delimiter() -> None:
    client = client_of({"parameters": [parameter("query", {"type": "array"}, style="pipeDelimited", explode=False)]})
    with pytest.raises(ArgumentError, match=re.escape("a vertical bar")):
        client.x.prepare(a=["b|c"])


# -- bodies ------------------------------------------------------------------------------------------------------------


def body_of(schema: Any, *media_types: str) -> dict[str, Any]:
    content = {media_type: {"schema": schema} for media_type in media_types or ("application/json",)}
    return {"requestBody": {"required": True, "content": content}}


PATCHES = ("application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json")
OPERATIONS = [{"op": "remove", "path": "/a"}]
CHOSEN = [
    (PATCHES, {"a": 1}, "application/merge-patch+json"),
    (PATCHES, OPERATIONS, "application/json-patch+json"),
    (PATCHES[::-1], {"a": 1}, "application/strategic-merge-patch+json"),
    (PATCHES[::-1], OPERATIONS, "application/json-patch+json"),
    (("application/json", *PATCHES), {"a": 1}, "application/json"),
    (("application/json", *PATCHES), OPERATIONS, "application/json-patch+json"),
    (("application/json-patch+json", "text/plain"), OPERATIONS, "application/json-patch+json"),
    (("application/apply-patch+yaml", *PATCHES), {"a": 1}, "application/merge-patch+json"),
    (("application/apply-patch+yaml", *PATCHES), "a: 1", "application/apply-patch+yaml"),
    (("text/plain", "application/yaml"), {"a": 1}, "application/yaml"),
    (("text/csv", "application/x-www-form-urlencoded"), {"a": 1}, "application/x-www-form-urlencoded"),
]


@pytest.mark.parametrize(("media_types", "value", "chosen"), CHOSEN)
def test_the_value_chooses_the_media_type(media_types: tuple[str, ...], value: Any, chosen: str) -> None:
    client = client_of(body_of({"type": "object"}, *media_types), method="patch")
    assert client.x.prepare(value).headers["content-type"].partition(";")[0] == chosen


def test_a_registered_codec_goes_before_text(monkeypatch: pytest.MonkeyPatch) -> None:
    codec = Codec("zson", lambda value, _, content_type: Encoded(repr(value).encode(), content_type), lambda *_: None)
    for table in (CODECS, MEDIA_TYPES):  # the row is taken out again after the test
        monkeypatch.setitem(table, "application/vnd.zson", None)
    register("application/vnd.zson", codec, structured=True)
    client = client_of(
        body_of({"type": "object", "properties": {"a": {}}}, "text/plain", "application/vnd.zson"), method="post"
    )
    assert client.x.prepare(a=1).body == b"{'a': 1}"
    assert client.x.prepare("text").headers["content-type"] == "text/plain"


UNPARSED = ["text/csv", "text/html", "application/msgpack", "application/pdf", "application/x-protobuf"]


@pytest.mark.parametrize(
    "schema", [{"type": "object"}, {"type": "array"}, {"oneOf": [{"type": "object"}, {"type": "array"}]}]
)
@pytest.mark.parametrize("media_type", UNPARSED)
@pytest.mark.parametrize("validate", ["strict", "off"])
def test_a_structured_schema_says_nothing_of_text_or_bytes(media_type: str, schema: Any, validate: str) -> None:
    response = {"200": {"description": "", "content": {media_type: {"schema": schema}}}}
    operation = {**body_of(schema, media_type), "responses": response}
    mock = MockTransport(client_of(operation, method="post").api)
    client = client_of(operation, method="post", transport=mock, validate=validate)
    for value in ("a,b", b"a,b"):
        mock.x.returns(b"c,d" if media_type.startswith("application/") else "c,d", status=200)
        assert client.x(value) in ("c,d", b"c,d")
        assert mock.requests[-1].body == b"a,b"
    with pytest.raises(EncodeError, match="no codec for this media type"):
        client.x.prepare({"a": 1} if schema["oneOf" if "oneOf" in schema else "type"] != "array" else [1])
    assert client_of(operation, method="post", transport=MockTransport(client.api)).x(**client.x.example())


def test_a_scalar_schema_is_held_against_text() -> None:
    client = client_of(body_of({"type": "string", "enum": ["a"]}, "text/plain"), method="post")
    assert client.x.prepare("a").body == b"a"
    with pytest.raises(dynclient.exceptions.RequestValidationError):
        client.x.prepare("b")


def test_a_part_of_a_form_without_a_codec() -> None:
    schema = {
        "type": "object",
        "properties": {"rows": {"type": "array", "items": {"type": "object"}}, "n": {"type": "integer"}},
    }
    operation = body_of(schema, "multipart/form-data")
    operation["requestBody"]["content"]["multipart/form-data"]["encoding"] = {"rows": {"contentType": "text/csv"}}
    client = client_of(operation, method="post")
    assert b"Content-Type: text/csv\r\n\r\na,b\r\n" in client.x.prepare(rows="a,b").body
    with pytest.raises(dynclient.exceptions.RequestValidationError):
        client.x.prepare(rows="a,b", n="x")


YAML_TYPES = ["application/yaml", "application/x-yaml", "text/yaml", "application/vnd.oai.openapi+yaml;version=3.0"]


@pytest.mark.parametrize("media_type", YAML_TYPES)
def test_yaml_is_written_and_read(media_type: str) -> None:
    schema = {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}, "b": {"type": "string"}}}
    response = {"200": {"description": "", "content": {media_type: {"schema": schema}}}}
    operation = {**body_of(schema, media_type), "responses": response}
    mock = MockTransport(client_of(operation, method="post").api)
    client = client_of(operation, method="post", transport=mock)
    mock.x.returns({"a": 5, "b": "no"}, status=200)
    assert client.x({"a": 1, "b": "on"}) == {"a": 5, "b": "no"}
    assert mock.requests[-1].body == b"a: 1\nb: 'on'\n"
    assert client.x.prepare(b"a: 1 # as it is").body == b"a: 1 # as it is"
    assert client.x.prepare("a: 1").body == b"a: 1"
    assert client.x(**client.x.example()) == {"a": 5, "b": "no"}
    for wrong in ({"b": "x"}, "a: x", b"a: x", "a: ["):
        with pytest.raises(dynclient.exceptions.RequestError):
            client.x.prepare(wrong)


EXACT = Decimal("12345678901234567890.12")
NUMBERS = [
    ({"type": "number"}, EXACT, "12345678901234567890.12"),
    ({"type": "number"}, Decimal("1.10"), "1.10"),
    ({"type": "number"}, Decimal("1E+400"), "1E+400"),
    ({"type": "integer"}, Decimal("1E+3"), "1000"),
    ({"type": "integer"}, Decimal(10**30), str(10**30)),
    ({}, EXACT, "12345678901234567890.12"),
    ({"type": "string"}, Decimal("1.10"), '"1.10"'),
    ({"type": "string", "format": "decimal"}, EXACT, '"12345678901234567890.12"'),
    ({"type": "string", "nullable": True}, Decimal("1E+2"), '"100"'),
    ({"oneOf": [{"type": "string", "format": "decimal"}, {"type": "boolean"}]}, Decimal("0.10"), '"0.10"'),
    ({"type": "integer"}, 3.0, "3"),
    ({"type": "number"}, 3.0, "3.0"),
    ({"type": "string", "format": "byte"}, b"\xff", '"/w=="'),
]


@pytest.mark.parametrize(("schema", "value", "text"), NUMBERS)
def test_numbers_and_bytes_in_json(schema: dict[str, Any], value: Any, text: str) -> None:
    client = client_of(body_of(schema), method="post")
    assert client.x.prepare(value).body == text.encode()
    within = {"type": "object", "properties": {"a": {"type": "array", "items": schema}}, "additionalProperties": schema}
    client = client_of(body_of(within), method="post")
    assert client.x.prepare({"a": [value], "b": value}).body == f'{{"a":[{text}],"b":{text}}}'.encode()
    for in_ in ("query", "header", "cookie"):
        client = client_of(
            {"parameters": [{"name": "a", "in": in_, "content": {"application/json": {"schema": schema}}}]}
        )
        request = client.x.prepare(a=value)
        assert text.strip('"') in unquote(request.url + str(request.headers.pairs()))


WRITTEN = [
    ("application/x-www-form-urlencoded", "a=12345678901234567890.12"),
    ("application/xml", "<a>12345678901234567890.12</a>"),
    ("application/yaml", "a: 12345678901234567890.12\n"),
    ("application/x-ndjson", '{"a":12345678901234567890.12}\n'),
]


@pytest.mark.parametrize(("media_type", "text"), WRITTEN)
def test_a_decimal_in_other_media_types(media_type: str, text: str) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "number"}}}
    client = client_of(body_of(schema, media_type), method="post")
    body = client.x.prepare([{"a": EXACT}] if "ndjson" in media_type else {"a": EXACT}).body
    assert text in body.decode()
    client = client_of({"parameters": [parameter("query", {"type": "number", "minimum": 1})]})
    assert client.x.prepare(a=EXACT).url == f"{BASE}/x?a=12345678901234567890.12"
    with pytest.raises(dynclient.exceptions.RequestError):
        client.x.prepare(a=Decimal("0.5"))


def test_bytes_for_plain_text_are_refused() -> None:
    client = client_of(body_of({"type": "object", "properties": {"a": {"type": "string"}}}), method="post")
    with pytest.raises(ArgumentError, match=r"\$\.a is bytes[^\n]*\nHint: .*decode"):
        client.x.prepare(a=b"x")
    client = client_of({"parameters": [parameter("query", {"type": "string"})]})
    with pytest.raises(ArgumentError, match="is bytes"):
        client.x.prepare(a=b"x")


@dataclasses.dataclass
class Pet:
    name: str
    tag: str | None = None
    owner: str | None = "nobody"


@attrs.define
class Cat:
    name: str
    tag: str | None = None


class Dog(pydantic.BaseModel):
    name: str
    tag: str | None = pydantic.Field(default=None, alias="Tag")
    pets: list[Dog] | None = None


OBJECTS = [
    (Pet("a"), {"name": "a", "owner": "nobody"}),
    (Pet("a", owner=None), {"name": "a", "owner": None}),
    (Cat("a"), {"name": "a"}),
    (Dog(name="a"), {"name": "a"}),
    (Dog(name="a", Tag=None, pets=[Dog(name="b")]), {"name": "a", "Tag": None, "pets": [{"name": "b"}]}),
    ({"name": None}, {"name": None}),
]


@pytest.mark.parametrize(("value", "expected"), OBJECTS)
def test_a_default_none_is_not_given(value: Any, expected: Any) -> None:
    assert json.loads(client_of(body_of({"type": "object"}), method="post").x.prepare(value).body) == expected


def test_a_file_stays_a_file_beside_a_decimal() -> None:
    schema = {"type": "object", "properties": {"f": {"type": "string", "format": "binary"}, "n": {"type": "integer"}}}
    body = client_of(body_of(schema, "multipart/form-data"), method="post").x.prepare(f=b"xx", n=3.0).body
    assert b"\r\n\r\nxx\r\n" in body
    assert b"\r\n\r\n3\r\n" in body


def test_the_branch_decides_what_a_decimal_is() -> None:
    branches = [
        {"type": "object", "required": ["k"], "properties": {"k": {"const": name}, "v": {"type": kind}}}
        for name, kind in (("a", "string"), ("b", "number"))
    ]
    client = client_of(body_of({"anyOf": branches}), method="post", version="3.1.0")
    for name, text in (("a", '"1.10"'), ("b", "1.10")):
        assert client.x.prepare({"k": name, "v": Decimal("1.10")}).body == f'{{"k":"{name}","v":{text}}}'.encode()


def test_items_that_are_streamed_are_settled_too() -> None:
    texts = {"p": {"type": "string"}, "b": {"type": "string", "format": "byte"}}
    item = {"type": "object", "properties": {**texts, "i": {"type": "integer"}}}
    client = client_of(body_of(item, "application/x-ndjson"), method="post")
    items = [{"p": Decimal("1.10"), "i": 3.0, "b": b"x"}]
    sent = b'{"p":"1.10","i":3,"b":"eA=="}\n'
    assert b"".join(client.x.prepare(iter(items)).body) == client.x.prepare(items).body == sent
    assert client.x.prepare(sent).body == sent
