"""Request bodies of OpenAPI 3, and the bodies and forms of 2.0."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dynclient.exceptions import InvalidDocument
from dynclient.model import Encoding, Operation, RequestBody

Reader = Callable[..., Operation]


def body_of(operation: Operation) -> RequestBody:
    assert operation.body is not None
    return operation.body


URLENCODED = "application/x-www-form-urlencoded"
FORM = "multipart/form-data"

# A method, its Request Body Object, and the media ranges that are left of it, or None.
BODIES = [
    ("post", "{content: {application/json: {}}}", ["application/json"]),
    ("post", "{content: {'a/*+json': {}, '*/*': {}, junk: {}, '': {}}}", ["a/*+json", "*/*", "junk", ""]),
    ("post", "{content: {'text/plain; charset=utf-8': {}}}", ["text/plain; charset=utf-8"]),
    ("post", "{content: {}, required: true}", None),
    ("post", "{}", None),
    ("get", f"{{content: {{{URLENCODED}: {{schema: {{type: object, properties: {{}}}}, encoding: {{}}}}}}}}", None),
    ("delete", f"{{content: {{{FORM}: {{}}}}}}", None),
    ("head", f"{{content: {{{URLENCODED}: {{schema: {{additionalProperties: false}}}}}}}}", None),
    ("get", f"{{required: true, content: {{{FORM}: {{}}}}}}", [FORM]),
    ("get", f"{{content: {{{URLENCODED}: {{schema: {{properties: {{a: {{}}}}}}}}}}}}", [URLENCODED]),
    ("get", "{content: {application/json: {schema: {}}}}", ["application/json"]),
    ("post", f"{{content: {{{FORM}: {{}}}}}}", [FORM]),
]


@pytest.mark.parametrize(("method", "text", "ranges"), BODIES, ids=[f"{method} {text}" for method, text, _ in BODIES])
def test_body_of_3(operation_of: Reader, method: str, text: str, ranges: list[str] | None) -> None:
    body = operation_of(f"requestBody: {text}", method=method).body
    assert (None if body is None else list(body.content)) == ranges


def test_what_is_said_of_a_body(operation_of: Reader) -> None:
    content = "{text/plain: {schema: {type: string}, example: a}}"
    text = f"requestBody: {{required: true, description: ' It ', content: {content}}}"
    body = body_of(operation_of(text, method="post"))
    assert (body.required, body.description, body.pointer) == (True, "It", "/paths/~1x/post/requestBody")
    media_type = body.content["text/plain"]
    assert media_type.schema is not None
    assert media_type.schema.pointer == "/paths/~1x/post/requestBody/content/text~1plain/schema"
    assert [example.value for example in media_type.examples] == ["a"]


# The version, the media type, an Encoding Object; what the model has.
ENCODINGS = [
    ("3.0.0", URLENCODED, "{}", Encoding()),
    ("3.0.0", URLENCODED, "{contentType: text/plain}", Encoding("text/plain")),
    ("3.0.0", URLENCODED, "{style: form}", Encoding(style="form", explode=True)),
    ("3.0.0", URLENCODED, "{explode: false}", Encoding(style="form", explode=False)),
    ("3.0.0", URLENCODED, "{allowReserved: true}", Encoding(style="form", explode=True, allow_reserved=True)),
    ("3.0.0", URLENCODED, "{style: deepObject}", Encoding(style="deepObject", explode=False)),
    ("3.0.0", FORM, "{style: spaceDelimited}", Encoding()),
    ("3.1.0", FORM, "{style: spaceDelimited}", Encoding(style="spaceDelimited", explode=False)),
    ("3.1.0", "multipart/mixed", "{style: form}", Encoding()),
    ("3.1.0", FORM, "{encoding: {a: {}}}", Encoding()),
    ("3.2.0", FORM, "{encoding: {a: {contentType: b}}}", Encoding(encoding={"a": Encoding("b")})),
    ("3.2.0", FORM, "{itemEncoding: {contentType: b}}", Encoding(item_encoding=Encoding("b"))),
    ("3.2.0", FORM, "{prefixEncoding: [{contentType: b}]}", Encoding(prefix_encoding=(Encoding("b"),))),
]


@pytest.mark.parametrize(("version", "media_range", "text", "expected"), ENCODINGS, ids=str)
def test_encoding(operation_of: Reader, version: str, media_range: str, text: str, expected: Encoding) -> None:
    text = f"requestBody: {{content: {{{media_range}: {{schema: {{}}, encoding: {{a: {text}}}}}}}}}"
    body = body_of(operation_of(text, method="post", openapi=version))
    assert body.content[media_range].encoding["a"] == expected


def test_headers_of_a_part(operation_of: Reader) -> None:
    text = f"requestBody: {{content: {{{FORM}: {{encoding: {{a: {{headers: {{X-A: {{}}, content-type: {{}}}}}}}}}}}}}}"
    encoding = body_of(operation_of(text, method="post")).content[FORM].encoding["a"]
    assert list(encoding.headers) == ["X-A"]


ITEMS = "{itemSchema: {type: object}, prefixEncoding: [{contentType: a}], itemEncoding: {contentType: b}}"


@pytest.mark.parametrize(("version", "known"), [("3.1.0", False), ("3.2.0", True)])
def test_items_came_with_3_2(operation_of: Reader, version: str, known: bool) -> None:  # noqa: FBT001  # a table's column
    text = f"requestBody: {{content: {{multipart/mixed: {ITEMS}}}}}"
    media_type = body_of(operation_of(text, method="post", openapi=version)).content["multipart/mixed"]
    assert (media_type.item_schema is not None) is known
    assert media_type.prefix_encoding == ((Encoding("a"),) if known else ())
    assert media_type.item_encoding == (Encoding("b") if known else None)


def test_encodings_are_not_nested_for_ever(operation_of: Reader) -> None:
    nested = "{}"
    for _ in range(40):
        nested = f"{{encoding: {{a: {nested}}}}}"
    with pytest.raises(InvalidDocument, match="nested deeper"):
        operation_of(f"requestBody: {{content: {{{FORM}: {nested}}}}}", method="post", openapi="3.2.0")


JSON_BODY = "{name: thing, in: body, schema: {type: object}}"
FIELD = "{name: a, in: formData, type: string}"
FILE = "{name: f, in: formData, type: file, required: true}"

# What an operation and the document consume, its parameters; the media ranges of the body.
CONSUMED = [
    (None, None, JSON_BODY, ["application/json"]),
    (None, "[]", JSON_BODY, ["application/json"]),
    ("[]", "[text/xml]", JSON_BODY, ["application/json"]),
    (None, "[text/xml, application/json]", JSON_BODY, ["text/xml", "application/json"]),
    ("[text/plain]", "[text/xml]", JSON_BODY, ["text/plain"]),
    (None, None, FIELD, [URLENCODED]),
    (None, "[application/json]", FIELD, [URLENCODED]),
    (f"[{FORM}, {URLENCODED}, application/json]", None, FIELD, [FORM, URLENCODED]),
    (None, None, FILE, [FORM]),
    (f"[{URLENCODED}]", None, f"{FIELD}, {FILE}", [FORM]),
    (f"[{URLENCODED}, {FORM}]", None, FILE, [FORM]),
]


@pytest.mark.parametrize(("own", "documents", "parameters", "ranges"), CONSUMED)
def test_body_of_2(
    operation_of: Reader, own: str | None, documents: str | None, parameters: str, ranges: list[str]
) -> None:
    more = {"consumes": documents.strip("[]").replace(" ", "").split(",")} if documents else {}
    more = {key: [one for one in value if one] for key, value in more.items()}
    consumes = f"consumes: {own}" if own else "{}"
    text = f"parameters: [{parameters}]" + (f"\n{consumes}" if own else "")
    body = body_of(operation_of(text, method="post", swagger="2.0", **more))
    assert list(body.content) == ranges


def test_what_is_said_of_a_body_of_2(operation_of: Reader) -> None:
    text = (
        "parameters: [{name: thing, in: body, required: true, description: It, schema: {type: object}, x-example: {}}]"
    )
    body = body_of(operation_of(text, method="put", swagger="2.0"))
    assert (body.name, body.required, body.description) == ("thing", True, "It")
    media_type = body.content["application/json"]
    assert media_type.schema is not None
    assert media_type.schema.pointer == "/paths/~1x/put/parameters/0/schema"
    assert [example.value for example in media_type.examples] == [{}]


def test_a_form_of_2_is_an_object(operation_of: Reader) -> None:
    strings = "in: formData, type: array, items: {type: string}"
    text = (
        f"parameters: [{FILE}, {{name: tags, collectionFormat: multi, {strings}}}, {{name: csv, {strings}}},"
        " {name: n, in: formData, type: integer, maximum: 3}]"
    )
    operation = operation_of(text, method="post", swagger="2.0")
    body = body_of(operation)
    assert (body.required, body.name, operation.parameters) == (True, None, ())
    media_type = body.content[FORM]
    assert media_type.schema is not None
    assert media_type.schema.pointer == "/paths/~1x/post/x-form"
    assert media_type.schema.value == {
        "type": "object",
        "required": ["f"],
        "properties": {
            "f": {"type": "file"},
            "tags": {"type": "array", "items": {"type": "string"}},
            "csv": {"type": "array", "items": {"type": "string"}},
            "n": {"type": "integer", "maximum": 3},
        },
    }
    assert media_type.encoding == {
        "tags": Encoding(style="form", explode=True),
        "csv": Encoding(style="form", explode=False),
    }


def test_a_form_of_2_cannot_stand_beside_a_body(operation_of: Reader) -> None:
    with pytest.raises(InvalidDocument, match="can't have both a form field and a body"):
        operation_of(f"parameters: [{JSON_BODY}, {FIELD}]", method="post", swagger="2.0")


def test_a_body_of_2_may_come_from_the_path(operation_of: Reader) -> None:
    item = f"{{parameters: [{JSON_BODY}, {{$ref: '#/parameters/other'}}]}}"
    more = {"swagger": "2.0", "parameters": {"other": {"name": "q", "in": "query", "type": "string"}}}
    operation = operation_of("{}", method="post", item=item, **more)
    assert body_of(operation).name == "thing"
    assert [parameter.name for parameter in operation.parameters] == ["q"]
