"""Parameters of OpenAPI 3 and 2.0, as the model has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dynclient.exceptions import InvalidDocument
from dynclient.model import Example, Operation, Parameter

Reader = Callable[..., Operation]

# A Parameter Object beside `name: a`, and what the model says that it didn't say by default.
THREE = [
    ("in: query, schema: {}", {"style": "form", "explode": True}),
    ("in: query, style: form, explode: false", {"style": "form", "explode": False}),
    ("in: query, style: spaceDelimited", {"style": "spaceDelimited", "explode": False}),
    ("in: query, style: pipeDelimited, explode: true", {"style": "pipeDelimited", "explode": True}),
    ("in: query, style: deepObject", {"style": "deepObject", "explode": False}),
    ("in: query, required: 'true'", {"required": True}),
    ("in: query, allowReserved: true, allowEmptyValue: true", {"allow_reserved": True, "allow_empty": True}),
    ("in: header", {"style": "simple", "explode": False}),
    ("in: header, explode: true, allowEmptyValue: true", {"style": "simple", "explode": True, "allow_empty": False}),
    ("in: header, style: form", {"style": "simple", "explode": False}),
    ("in: cookie", {"style": "form", "explode": True}),
    ("in: cookie, style: cookie", {"style": "cookie", "explode": True}),
    ("in: path", {"style": "simple", "explode": False, "required": True}),
    ("in: path, style: matrix, explode: true", {"style": "matrix", "explode": True}),
    ("in: path, style: label, required: false", {"style": "label", "required": True}),
    ("in: path, style: spaceDelimited", {"style": "simple"}),
    ("in: query, description: ' text '", {"description": "text"}),
    ("in: query, description: [5]", {"description": ""}),
    ("in: query, deprecated: true, x-a: 1", {"deprecated": True, "extensions": {"x-a": 1}}),
    ("in: query, example: 5", {"examples": (Example("", 5),)}),
    ("in: query, examples: [5]", {"examples": (Example("0", 5),)}),
    ("in: query, examples: {b: {value: null}}", {"examples": (Example("b", None),)}),
    ("in: query, examples: {b: {externalValue: x}}", {"examples": (Example("b", has_value=False, external="x"),)}),
    ("in: query, examples: {b: {$ref: '#/no'}, c: 5}", {"examples": ()}),
    (
        "in: query, examples: {b: {dataValue: 1, serializedValue: one}}",
        {"examples": (Example("b", 1, serialized="one"),)},
    ),
]


@pytest.mark.parametrize(("text", "expected"), THREE, ids=[text for text, _ in THREE])
def test_parameter_of_3(operation_of: Reader, text: str, expected: dict[str, Any]) -> None:
    path = "/x/{a}" if "in: path" in text else "/x"
    (parameter,) = operation_of(f"parameters: [{{name: a, {text}}}]", path=path).parameters
    assert {key: getattr(parameter, key) for key in expected} == expected


# The same for 2.0, beside `name: a`.
TWO = [
    ("in: query, type: string", {"style": "form", "explode": True}),
    ("in: query, type: array, items: {type: string}", {"style": "form", "explode": False}),
    ("in: query, type: array, collectionFormat: csv", {"style": "form", "explode": False}),
    ("in: query, type: array, collectionFormat: ssv", {"style": "spaceDelimited", "explode": False}),
    ("in: query, type: array, collectionFormat: tsv", {"style": "tabDelimited", "explode": False}),
    ("in: query, type: array, collectionFormat: pipes", {"style": "pipeDelimited", "explode": False}),
    ("in: query, type: array, collectionFormat: multi", {"style": "form", "explode": True}),
    ("in: query, type: string, collectionFormat: nonsense", {"style": "form", "explode": True}),
    ("in: query, type: string, allowEmptyValue: true", {"allow_empty": True}),
    ("in: header, type: array", {"style": "simple", "explode": False}),
    ("in: header, type: array, collectionFormat: pipes", {"style": "pipeDelimited", "explode": False}),
    ("in: header, type: array, collectionFormat: multi", {"style": "simple", "explode": False}),
    ("in: path, type: array, required: true", {"style": "simple", "explode": False, "required": True}),
    ("in: query, type: string, x-example: b", {"examples": (Example("", "b"),)}),
]


@pytest.mark.parametrize(("text", "expected"), TWO, ids=[text for text, _ in TWO])
def test_parameter_of_2(operation_of: Reader, text: str, expected: dict[str, Any]) -> None:
    path = "/x/{a}" if "in: path" in text else "/x"
    (parameter,) = operation_of(f"parameters: [{{name: a, {text}}}]", path=path, swagger="2.0").parameters
    assert {key: getattr(parameter, key) for key in expected} == expected


def test_the_schema_of_a_parameter_of_2_is_what_is_left_of_it(operation_of: Reader) -> None:
    text = (
        "parameters: [{name: a, in: query, required: true, collectionFormat: csv, allowEmptyValue: true, type: array,"
        " items: {type: integer}, maxItems: 3, default: [1], x-nullable: true, description: d, junk: 1}]"
    )
    (parameter,) = operation_of(text, swagger="2.0").parameters
    assert parameter.schema is not None
    assert parameter.schema.value == {
        "type": "array", "items": {"type": "integer"}, "maxItems": 3, "default": [1], "x-nullable": True,
    }  # fmt: skip
    assert parameter.schema.pointer == parameter.pointer == "/paths/~1x/get/parameters/0"


@pytest.mark.parametrize("text", ["in: query, type: array, collectionFormat: xml", "in: cookie, type: string", "in: q"])
def test_a_parameter_that_2_does_not_know_is_told(operation_of: Reader, text: str) -> None:
    (told,) = operation_of(f"parameters: [{{name: a, {text}}}]", swagger="2.0").left_out
    assert isinstance(told, InvalidDocument)
    with pytest.raises(InvalidDocument):
        operation_of(f"parameters: [{{name: a, required: true, {text}}}]", swagger="2.0")


def test_content_stands_instead_of_a_schema(operation_of: Reader) -> None:
    text = "parameters: [{name: a, in: query, content: {application/json: {schema: {type: object}}}}]"
    (parameter,) = operation_of(text).parameters
    assert parameter.schema is None
    assert parameter.media_type is not None
    assert parameter.media_type.media_range == "application/json"
    assert parameter.media_type.schema is not None


def test_a_querystring_has_its_encoding(operation_of: Reader) -> None:
    text = (
        "parameters: [{name: q, in: querystring, content: {application/x-www-form-urlencoded:"
        " {schema: {type: object}, encoding: {a: {explode: false}}}}}]"
    )
    (parameter,) = operation_of(text, openapi="3.2.0").parameters
    assert parameter.in_ == "querystring"
    assert parameter.media_type is not None
    assert parameter.media_type.encoding["a"][3:5] == (False, False)


def names(parameters: tuple[Parameter, ...]) -> list[str]:
    return [f"{parameter.in_}:{parameter.name}" for parameter in parameters]


RESERVED = "Accept content-type AUTHORIZATION Host Content-Length transfer-encoding Connection TE Trailer Upgrade"


@pytest.mark.parametrize("version", [{"openapi": "3.0.0"}, {"swagger": "2.0"}], ids=str)
def test_reserved_headers_are_no_parameters(operation_of: Reader, version: dict[str, str]) -> None:
    listed = ", ".join(f"{{name: {name}, in: header}}, {{name: {name}, in: query}}" for name in RESERVED.split())
    operation = operation_of(f"parameters: [{listed}, {{name: X-Own, in: header}}]", **version)
    assert names(operation.parameters) == [*(f"query:{name}" for name in RESERVED.split()), "header:X-Own"]


# The path, the Path Item's parameters, the operation's; what comes of them.
MERGED = {
    "the operation's replaces the path's in its place": (
        "/x", "[{name: a, in: query}, {name: b, in: query}]", "[{name: c, in: query}, {name: a, in: query}]",
        ["query:a", "query:b", "query:c"],
    ),
    "one name in two locations": (
        "/x/{id}", "[{name: id, in: path}]", "[{name: id, in: query}, {name: id, in: header}, {name: id, in: cookie}]",
        ["path:id", "query:id", "header:id", "cookie:id"],
    ),
    "twice in one list": ("/x", "[]", "[{name: a, in: query}, {name: a, in: query}]", ["query:a"]),
    "undeclared in the path": ("/{a}/{b}.{c}", "[]", "[{name: b, in: path}]", ["path:a", "path:c", "path:b"]),
    "declared, but not in the path": ("/x", "[{name: a, in: path}]", "[]", []),
    "twice in the path": ("/{a}/{a}", "[]", "[]", ["path:a"]),
    "beyond the path": ("/x?y={a}#{b}", "[]", "[]", ["path:a", "path:b"]),
    "names that are no strings": (
        "/x", "[]", "[{name: 1, in: query}, {name: true, in: query}]",
        ["query:1", "query:true"],
    ),
    "odd names": (
        "/x", "[]", "[{name: $filter, in: query}, {name: 'page[size]', in: query}]",
        ["query:$filter", "query:page[size]"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("version", [{"openapi": "3.1.0"}, {"swagger": "2.0"}], ids=str)
@pytest.mark.parametrize("case", MERGED)
def test_parameters_of_path_and_operation(operation_of: Reader, case: str, version: dict[str, str]) -> None:
    path, item, own, expected = MERGED[case]
    if "swagger" in version and "cookie" in own:
        own, expected = own.replace(", {name: id, in: cookie}", ""), expected[:-1]
    operation = operation_of(f"parameters: {own}", path=path, item=f"{{parameters: {item}}}", **version)
    assert names(operation.parameters) == expected
    assert all(parameter.required for parameter in operation.parameters if parameter.in_ == "path")


def test_the_operation_s_own_word_counts(operation_of: Reader) -> None:
    item = "{parameters: [{name: a, in: query, description: path, required: true}]}"
    (parameter,) = operation_of("parameters: [{name: a, in: query, description: own}]", item=item).parameters
    assert (parameter.description, parameter.required) == ("own", False)


def test_an_undeclared_name_in_the_path_is_a_string(operation_of: Reader) -> None:
    (parameter,) = operation_of("{}", path="/{a~b}").parameters
    assert parameter.schema is not None
    assert parameter.schema.value == {"type": "string"}
    assert parameter.schema.pointer == "/paths/~1{a~0b}/get/x-path/a~0b"


REFERENCES = {"3.0.0": "there", "3.1.0": "here", "3.2.0": "here"}


@pytest.mark.parametrize(("version", "description"), REFERENCES.items())
def test_words_beside_a_reference_count_since_3_1(operation_of: Reader, version: str, description: str) -> None:
    operation = operation_of(
        "parameters: [{$ref: '#/components/parameters/a', description: here}]",
        openapi=version,
        components={"parameters": {"a": {"name": "a", "in": "query", "description": "there"}}},
    )
    assert operation.parameters[0].description == description
    assert operation.parameters[0].pointer == "/components/parameters/a"
