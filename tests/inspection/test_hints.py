"""The Python types of schemas: as text in ``describe()``, as objects in a signature."""

from __future__ import annotations

import inspect
from typing import Any, Literal

import pytest

PETS = """
{Pet: {type: object, required: [name, id], properties: {
   name: {type: string}, id: {type: integer, readOnly: true}, secret: {type: string, writeOnly: true},
   parent: {$ref: '#/components/schemas/Pet'}, tags: {type: array, items: {type: string}}}},
 Kind: {type: string, enum: [cat, dog]},
 Loop: {anyOf: [{type: string}, {type: array, items: {$ref: '#/components/schemas/Loop'}}]},
 Maybe: {type: [object, 'null'], properties: {a: {}}}}
"""

TEXTS = {
    "{type: string}": "str",
    "{type: string, format: date-time}": "str",
    "{type: integer}": "int",
    "{type: number}": "float",
    "{type: [integer, number]}": "float",
    "{type: boolean}": "bool",
    "{type: 'null'}": "None",
    "{type: [string, 'null']}": "str | None",
    "{type: array, items: {type: integer}}": "list[int]",
    "{type: array}": "list[Any]",
    "{type: array, prefixItems: [{type: string}, {type: integer}], items: false}": "list[str | int]",
    "{type: object}": "dict[str, Any]",
    "{type: object, additionalProperties: {type: number}}": "dict[str, float]",
    "{type: object, properties: {a: {}}}": "dict[str, Any]",
    "{enum: [a, b]}": "Literal['a', 'b']",
    "{enum: [a, null]}": "Literal['a'] | None",
    "{enum: [1, true]}": "Literal[1, True]",
    "{enum: [1.5, 2.5]}": "float",
    "{enum: ['it''s \\n \u202e']}": 'Literal["it\'s \\\\n \\u202e"]',
    "{const: x}": "Literal['x']",
    "{}": "Any",
    "true": "Any",
    "{oneOf: [{type: string}, {type: integer}, {type: string}]}": "str | int",
    "{anyOf: [{type: string}, {}]}": "Any",
    "{type: string, anyOf: [{minLength: 3}, {pattern: a}]}": "str",
    "{contentMediaType: image/png}": "bytes",
    "{type: string, contentMediaType: image/png, contentEncoding: base64}": "str",
    "{$ref: '#/components/schemas/Pet'}": "Pet",
    "{$ref: '#/components/schemas/Kind'}": "Kind",
    "{$ref: '#/components/schemas/Maybe'}": "Maybe | None",
    "{type: array, items: {$ref: '#/components/schemas/Pet'}}": "list[Pet]",
    "{oneOf: [{$ref: '#/components/schemas/Pet'}, {type: 'null'}]}": "Pet | None",
    "{allOf: [{$ref: '#/components/schemas/Pet'}], description: with a note}": "Pet",
}


@pytest.mark.parametrize("schema", TEXTS)
def test_as_text(answering, schema):
    assert answering(schema, schemas=PETS).describe()["returns"] == TEXTS[schema]


# OAS 3.0: `nullable` beside something else than `type`, which the client takes to allow null.
NULLABLE = {
    "{allOf: [{$ref: '#/components/schemas/Kind'}], nullable: true}": "Kind | None",
    "{allOf: [{$ref: '#/components/schemas/Pet'}], nullable: true}": "Pet | None",
    "{allOf: [{$ref: '#/components/schemas/Kind'}, {description: x}], nullable: true}": (
        "Literal['cat', 'dog'] | None"
    ),
    "{anyOf: [{type: string}, {$ref: '#/components/schemas/Pet'}], nullable: true}": "str | Pet | None",
    "{oneOf: [{type: string}, {type: integer}], nullable: true}": "str | int | None",
    "{oneOf: [{type: string, nullable: true}, {type: integer}]}": "str | int | None",
    "{allOf: [{properties: {a: {}}}], nullable: true}": "dict[str, Any] | None",
}


@pytest.mark.parametrize("schema", NULLABLE)
def test_null_beside_alternatives(answering, schema):
    schemas = PETS.replace("[object, 'null']", "object")
    assert answering(schema, schemas=schemas, version="3.0.3").describe()["returns"] == NULLABLE[schema]


OBJECTS = {
    "{type: [string, 'null']}": str | None,
    "{type: array, items: {type: integer}}": list[int],
    "{type: object, additionalProperties: {type: number}}": dict[str, float],
    "{$ref: '#/components/schemas/Kind'}": Literal["cat", "dog"],
    "{enum: [a, null]}": Literal["a", None],  # noqa: PYI061  # this is how it is shown, and another value
    "{}": Any,
    "{type: 'null'}": None,
    "{$ref: '#/components/schemas/Loop'}": str | list[str | list[str | list[Any]]],
}


@pytest.mark.parametrize("schema", OBJECTS)
def test_as_object(answering, schema):
    assert inspect.signature(answering(schema, schemas=PETS)).return_annotation == OBJECTS[schema]


def test_a_typed_dict_by_direction(answering):
    signature = inspect.signature(answering("{$ref: '#/components/schemas/Pet'}", schemas=PETS, sent=True))
    sent, returned = signature.parameters["pet"].annotation, signature.return_annotation
    assert sent.__name__ == returned.__name__ == "Pet"
    assert sent.__required_keys__ == {"name"}
    assert sent.__optional_keys__ == {"secret", "parent", "tags"}
    assert returned.__required_keys__ == {"name", "id"}
    assert returned.__annotations__["tags"] == list[str]
    assert returned.__annotations__["parent"].__forward_arg__ == "Pet"


def test_binary_data_of_version_30(answering):
    method = answering("{type: string, format: binary}", version="3.0.3", sent=True)
    assert [argument["type"] for argument in method.describe()["arguments"]] == ["bytes"]


def test_no_schema_is_any(method_of):
    assert method_of("parameters: [{name: q, in: query}]").describe()["arguments"][0]["type"] == "Any"
