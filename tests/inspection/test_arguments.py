"""The arguments of a method: names, order, kinds."""

from __future__ import annotations

import inspect
import textwrap

import pytest

import dynclient

BODY = "requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/NewPet'}}}, required: true}"
PET = "{NewPet: {type: object, required: [name], properties: {name: {type: string}, from: {type: string}, id: {}}}}"

# Operation, components, and the arguments: "name" by position or "*name" by keyword only, kind, place, wire name.
CASES = {
    "required first, body, then by keyword": (
        f"""
        parameters:
          - {{name: dryRun, in: query, schema: {{type: boolean}}}}
          - {{name: id, in: path, required: true, schema: {{type: string}}}}
          - {{name: X-Trace, in: header, required: true, schema: {{type: string}}}}
        {BODY}
        """,
        PET,
        [
            ("id", "parameter", "path", "id"),
            ("x_trace", "parameter", "header", "X-Trace"),
            ("new_pet", "body", "body", ""),
            ("*dry_run", "parameter", "query", "dryRun"),
            ("*name", "property", "body", "name"),
            ("*from_", "property", "body", "from"),
            ("*id_2", "property", "body", "id"),
        ],
    ),
    "one name in two places": (
        """
        parameters:
          - {name: id, in: header, schema: {type: string}}
          - {name: id, in: path, required: true, schema: {type: string}}
          - {name: ID, in: query, schema: {type: string}}
        """,
        "{}",
        [
            ("id", "parameter", "path", "id"),
            ("*id_header", "parameter", "header", "id"),
            ("*id_query", "parameter", "query", "ID"),
        ],
    ),
    "names that differ on the wire only": (
        "parameters: [{name: page-size, in: query, schema: {}}, {name: page_size, in: query, schema: {}}]",
        "{}",
        [("*page_size_2", "parameter", "query", "page-size"), ("*page_size", "parameter", "query", "page_size")],
    ),
    "own names come first, of parameters and then of properties": (
        """
        parameters: [{name: _a, in: query, schema: {}}, {name: X-Name, in: header, schema: {}}]
        requestBody:
          content: {application/json: {schema: {properties: {_a: {}, a: {}, x_name: {}, B: {}, _b: {}, b: {}}}}}
        """,
        "{}",
        [
            ("body", "body", "body", ""),
            ("*a_2", "parameter", "query", "_a"),
            ("*x_name_2", "parameter", "header", "X-Name"),
            ("*a_3", "property", "body", "_a"),
            ("*a", "property", "body", "a"),
            ("*x_name", "property", "body", "x_name"),
            ("*b_2", "property", "body", "B"),
            ("*b_3", "property", "body", "_b"),
            ("*b", "property", "body", "b"),
        ],
    ),
    "a property called body": (
        "requestBody: {content: {application/json: {schema: {properties: {Body: {type: string}}}}}}",
        "{}",
        [("request_body", "body", "body", ""), ("*body", "property", "body", "Body")],
    ),
    "a property called as the body's schema": (
        BODY,
        "{NewPet: {type: object, properties: {new_pet: {}}}}",
        [("new_pet_body", "body", "body", ""), ("*new_pet", "property", "body", "new_pet")],
    ),
    "a parameter called body": (
        """
        parameters: [{name: body, in: query, required: true, schema: {}}]
        requestBody: {content: {text/plain: {schema: {type: string}}}}
        """,
        "{}",
        [("body", "parameter", "query", "body"), ("request_body", "body", "body", "")],
    ),
    "a parameter called as the body's schema": (
        f"""
        parameters: [{{name: new_pet, in: query, schema: {{}}}}]
        {BODY}
        """,
        "{NewPet: {type: array, items: {}}}",
        [("new_pet_body", "body", "body", ""), ("*new_pet", "parameter", "query", "new_pet")],
    ),
    "read-only properties are omitted": (
        BODY,
        "{NewPet: {type: object, properties: {id: {type: string, readOnly: true}, name: {type: string}}}}",
        [("new_pet", "body", "body", ""), ("*name", "property", "body", "name")],
    ),
    "properties of merged schemas": (
        BODY,
        """
        Pet: {properties: {name: {}}}
        NewPet: {allOf: [{$ref: '#/components/schemas/Pet'}, {properties: {tag: {}}}]}
        """,
        [
            ("new_pet", "body", "body", ""),
            ("*name", "property", "body", "name"),
            ("*tag", "property", "body", "tag"),
        ],
    ),
    "no properties of binary data": (
        "requestBody: {content: {application/octet-stream: {schema: {properties: {a: {}}}}, text/csv: {}}}",
        "{}",
        [("body", "body", "body", "")],
    ),
    "properties of a form": (
        """
        requestBody:
          content:
            multipart/form-data:
              schema: {type: object, properties: {file: {type: string, contentMediaType: image/png}, note: {}}}
        """,
        "{}",
        [
            ("body", "body", "body", ""),
            ("*file", "property", "body", "file"),
            ("*note", "property", "body", "note"),
        ],
    ),
    "odd names": (
        """
        parameters:
          - {name: $filter, in: query, schema: {}}
          - {name: 'page[size]', in: query, schema: {}}
          - {name: from, in: query, schema: {}}
          - {name: self, in: query, schema: {}}
        """,
        "{}",
        [
            ("*filter", "parameter", "query", "$filter"),
            ("*page_size", "parameter", "query", "page[size]"),
            ("*from_", "parameter", "query", "from"),
            ("*self", "parameter", "query", "self"),
        ],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_arguments(method_of, case):
    text, schemas, expected = CASES[case]
    method = method_of(textwrap.dedent(text), schemas=schemas)
    kinds = [parameter.kind for parameter in inspect.signature(method).parameters.values()]
    marks = ["*" if kind is inspect.Parameter.KEYWORD_ONLY else "" for kind in kinds]
    found = method.describe()["arguments"]
    assert [
        (mark + each["name"], each["kind"], each["in"], each["wireName"])
        for mark, each in zip(marks, found, strict=True)
    ] == expected


def test_the_description_of_an_argument(method_of):
    method = method_of(
        """
        parameters:
          - {name: limit, in: query, deprecated: true, schema: {type: integer, default: 10, description: how many}}
        """
    )
    (limit,) = method.describe()["arguments"]
    assert (limit["default"], limit["description"], limit["deprecated"], limit["required"]) == (
        10, "how many", True, False,
    )  # fmt: skip


def test_the_body_of_version_20_keeps_its_name():
    client = dynclient.load(
        {
            "swagger": "2.0",
            "info": {"title": "t", "version": "1"},
            "paths": {
                "/x": {
                    "put": {
                        "operationId": "put",
                        "parameters": [{"name": "theThing", "in": "body", "schema": {"type": "string"}}],
                        "responses": {"200": {"description": "ok"}},
                    }
                }
            },
        }
    )
    assert list(inspect.signature(client.put).parameters) == ["the_thing"]
