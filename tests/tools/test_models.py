"""The types of schemas: two where directions differ, tags, open enums, recursion, and invalid names."""

from __future__ import annotations

import ast

import pytest
import typing_extensions
from dynclient_tools.stubs import stubs

import dynclient

SCHEMAS = {
    "Colour": {"enum": ["red", "green"]},
    "Tree": {
        "type": "object",
        "properties": {"children": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}},
    },
    "Json": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"$ref": "#/components/schemas/Json"}}]},
    "Both": {
        "type": "object",
        "required": ["labels"],
        "properties": {"labels": {"$ref": "#/components/schemas/Labels"}},
    },
    "Labels": {"type": "array", "items": {"type": "string"}},
    "Account": {
        "type": "object",
        "required": ["id", "password", "class"],
        "properties": {
            "id": {"type": "integer", "readOnly": True},
            "password": {"type": "string", "writeOnly": True},
            "class": {"type": ["string", "null"]},
        },
    },
    "Painted": {
        "type": "object",
        "properties": {
            "colour": {"$ref": "#/components/schemas/Colour"},
            "size": {"enum": [1, 2]},
            "shape": {"enum": ["round", "square"]},
        },
    },
    "Pet": {
        "oneOf": [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}],
        "discriminator": {"propertyName": "kind", "mapping": {"cat": "#/components/schemas/Cat"}},
    },
    **{
        name: {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string"}}}
        for name in ("Cat", "Dog")
    },
    "Vehicle": {
        "type": "object",
        "required": ["wheels"],
        "discriminator": {"propertyName": "wheels"},
        "properties": {"wheels": {"type": "string"}},
    },
    "Car": {"allOf": [{"$ref": "#/components/schemas/Vehicle"}, {"properties": {"doors": {"type": "integer"}}}]},
    "Open": {
        "type": "object",
        "description": "May hold more.",
        "properties": {"": {"type": "string"}, "size": {"enum": [1, 2**63], "description": "How large.\nIn metres."}},
        "additionalProperties": {"type": "integer"},
    },
    "Choice": {
        "type": "object",
        "required": ["id"],
        "properties": {"id": {"type": "string"}},
        "oneOf": [
            {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}, "id": {"const": "x"}}},
            {"required": ["own"], "properties": {"a": {"type": "string"}, "own": {"type": "string", "readOnly": True}}},
            {
                "anyOf": [
                    {"$ref": "#/components/schemas/Colour"},
                    {"required": ["more"], "properties": {"deep": {"type": "boolean"}}},
                ]
            },
        ],
    },
    "Unnamed": {
        "type": "object",
        "required": ["id", "more", "x-1"],
        "properties": {"id": {"type": "string"}, "photo": {"type": "string", "contentMediaType": "image/png"}},
        "patternProperties": {"^x-": {"type": "integer"}},
    },
    "Sent": {"type": "object", "properties": {"tags": {"type": "array", "items": {"type": "string"}}}},
    "Answered": {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}},
}
ONE_WAY = {"Sent": "request", "Answered": "response"}


def _content(name):
    return {"content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}}


def document():
    paths = {}
    for name in SCHEMAS:
        way = ONE_WAY.get(name)
        operation = {"operationId": f"use{name}", "responses": {"204": {"description": ""}}}
        if way != "response":
            operation["requestBody"] = {"required": True, **_content(name)}
        if way != "request":
            operation["responses"] = {"200": {"description": "", **_content(name)}}
        paths[f"/{name}"] = {"post": operation}
    both = {"200": {"description": "", **_content("Cat")}, "202": {"description": "", **_content("Dog")}}
    paths["/either"] = {"post": {"operationId": "either", "responses": both}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "x", "version": "1"},
        "paths": paths,
        "components": {"schemas": SCHEMAS},
    }


@pytest.fixture(scope="module")
def files():
    with dynclient.load(document()) as client:
        return stubs(client, "x.yaml")


@pytest.fixture(scope="module")
def types(files):
    """Each type's fields, or what an alias stands for."""
    found = {}
    for node in ast.parse(files["models.py"]).body:
        if isinstance(node, ast.ClassDef):
            fields = [part for part in node.body if isinstance(part, ast.AnnAssign)]
            found[node.name] = {part.target.id: ast.unparse(part.annotation) for part in fields}
        elif isinstance(node, ast.AnnAssign):
            found[node.target.id] = ast.unparse(node.value)
        elif isinstance(node, ast.Assign):
            found[node.targets[0].id] = ast.unparse(node.value)
    return found


EXPECTED = {
    "Colour": "Literal['red', 'green']",
    "Tree": {"children": "NotRequired['list[Tree]']"},
    "Json": "TypeAliasType('Json', 'str | list[Json]')",
    "Both": {"labels": "'Labels'"},
    "Labels": "list[str]",
    "Account": "TypedDict('Account', {'id': int, 'class': str | None})",
    "AccountInput": "TypedDict('AccountInput', {'password': str, 'class': str | None})",
    "Painted": {
        "colour": "NotRequired['Colour | str']",
        "size": "NotRequired[Literal[1, 2]]",
        "shape": "NotRequired[Literal['round', 'square'] | str]",
    },
    "PaintedInput": {
        "colour": "NotRequired['Colour']",
        "size": "NotRequired[Literal[1, 2]]",
        "shape": "NotRequired[Literal['round', 'square']]",
    },
    "Pet": "Cat | Dog",
    "Cat": {"kind": "Literal['Cat', 'cat']"},
    "Dog": {"kind": "Literal['Dog']"},
    "Vehicle": "Car | VehicleObject",
    "VehicleObject": {"wheels": "Literal['Vehicle']"},
    "Car": {"wheels": "Literal['Car']", "doors": "NotRequired[int]"},
    "Open": {"size": "NotRequired[Literal[1] | int]"},
    # Required properties that no schema names, and a file, which is a text in JSON.
    "Unnamed": "TypedDict('Unnamed', {'id': str, 'photo': NotRequired[str], 'more': Any, 'x-1': int})",
    "UnnamedInput": "TypedDict('UnnamedInput', {'id': str, 'photo': NotRequired[File], 'more': Any, 'x-1': int})",
    # The properties of its alternatives are optional.
    "Choice": {
        "id": "str",
        "a": "NotRequired[int | str]",
        "own": "NotRequired[str]",
        "deep": "NotRequired[bool]",
        "more": "NotRequired[Any]",
    },
    "ChoiceInput": {
        "id": "str",
        "a": "NotRequired[int | str]",
        "deep": "NotRequired[bool]",
        "more": "NotRequired[Any]",
    },
    "Sent": {"tags": "NotRequired[Sequence[str]]"},
    "Answered": "dict[str, list[str]]",
}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_schema_as_a_type(types, name):
    assert types[name] == EXPECTED[name]


def test_no_other_types(types):
    assert types.keys() - {"__all__", "File"} == EXPECTED.keys()


def test_texts_and_other_properties_of_an_object(files):
    (model,) = (node for node in ast.parse(files["models.py"]).body if getattr(node, "name", "") == "Open")
    texts = [part.value.value for part in model.body if isinstance(part, ast.Expr)]
    assert texts == ["May hold more.", "How large.\nIn metres."]
    assert "class Open(TypedDict, extra_items=Any):  # type: ignore[call-arg]\n" in files["models.py"]


def test_an_attribute_has_its_signature_and_summary_below(files):
    (client,) = (node for node in ast.parse(files["__init__.pyi"]).body if getattr(node, "name", "") == "Client")
    texts = dict(zip(client.body, client.body[1:], strict=False))
    (text,) = (texts[part] for part in client.body if getattr(getattr(part, "target", None), "id", "") == "use_sent")
    assert text.value.value == "use_sent(sent: Sent = ..., *, tags: list[str] = ...) -> None\n\nPOST /Sent"


def test_results_by_status(files):
    results = "HTTPResult[Cat, Literal[200]] | HTTPResult[Dog, Literal[202]]"
    assert f"def __call__(self) -> {results}:" in files["_operations_1.pyi"]
    assert "def __call__(self) -> Cat | Dog:" in files["_operations_1.pyi"]


def test_types_exist_at_run_time(files):
    names: dict[str, object] = {"__name__": "made"}
    exec(compile(files["models.py"], "models.py", "exec", dont_inherit=True), names)
    assert names["PaintedInput"].__optional_keys__ == {"colour", "size", "shape"}
    assert names["AccountInput"].__required_keys__ == {"password", "class"}
    for name in names["__all__"]:
        if isinstance(names[name], type):
            assert typing_extensions.get_type_hints(names[name], names) is not None
