import json

import pytest
from jsonschema import Draft202012Validator

from dynclient._schemas import bundle

REF = "#/components/schemas/"


def ref(name):
    return {"$ref": f"{REF}{name}"}


def test_nothing_is_inlined_and_each_schema_is_there_once(make):
    named = {"A": {"properties": {"b": ref("B"), "c": ref("B")}}, "B": {"properties": {"a": ref("A")}}}
    bundled = bundle(make(ref("A"), **named), "request")
    assert bundled.schema == {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$ref": "#/$defs/0",
        "$defs": {
            "0": {"properties": {"b": {"$ref": "#/$defs/1"}, "c": {"$ref": "#/$defs/1"}}},
            "1": {"properties": {"a": {"$ref": "#/$defs/0"}}},
        },
    }


ORIGINS = [
    ("/$defs/0", f"{REF[1:]}A"),
    ("/$defs/0/properties/list/prefixItems/1/type", f"{REF[1:]}A/properties/list/items/1/type"),
    ("/$defs/0/properties/list/items", f"{REF[1:]}A/properties/list/additionalItems"),
    ("/$defs/0/dependentSchemas/x", f"{REF[1:]}A/dependencies/x"),
    ("/$defs/0/allOf/0/then/allOf/0", f"{REF[1:]}A/discriminator"),
]


@pytest.mark.parametrize(("pointer", "origin"), ORIGINS)
def test_origins(make, pointer, origin):
    node = {
        "properties": {"list": {"items": [{}, {"type": "null"}], "additionalItems": {"type": "string"}}},
        "dependencies": {"x": {"type": "object"}},
        "oneOf": [ref("B")],
        "discriminator": {"propertyName": "kind"},
    }
    bundled = bundle(make(ref("A"), A=node, B={}), "request")
    assert bundled.origin(pointer).partition("#")[2] == origin


def test_notes_and_unknown_words_are_left_out(make):
    node = {
        "type": "string",
        "x-mine": 1,
        "example": {"$ref": "#/nowhere"},
        "default": "a",
        "externalDocs": {},
        "xml": {"name": "x"},
        "$comment": "c",
    }
    assert bundle(make(node, "3.0"), "request").schema["$defs"] == {"0": {"type": "string"}}


def test_bundles_of_a_document_share_their_entries(make):
    schema = make({"properties": {"a": ref("A")}}, A={"type": "object", "properties": {"b": ref("B")}}, B={})
    whole, again = bundle(schema, "request"), bundle(schema, "request")
    part = bundle(make(ref("A"))._replace(uri=schema.uri + "/properties/a", references=schema.references), "request")
    assert whole.schema == again.schema
    shared = part.schema["$ref"].removeprefix("#/$defs/")
    assert part.schema["$defs"][shared] is whole.schema["$defs"][shared]
    assert set(part.schema["$defs"]) < set(whole.schema["$defs"])


def test_what_is_deep_goes_on_in_another_entry(make):
    node = {"type": "integer"}
    for _ in range(100):
        node = {"properties": {"next": node}}
    bundled = bundle(make({}, D=node)._replace(value=node), "request")
    assert len(bundled.schema["$defs"]) > 2
    assert json.dumps(bundled.schema).count("next") == 100


def test_resources_stay_resources_where_it_matters(make):
    tree = {"$id": "https://example.com/tree", "$dynamicAnchor": "node", "items": {"$dynamicRef": "#node"}}
    bundled = bundle(make(ref("Tree"), Tree=tree), "request")
    assert "example.com" not in json.dumps(bundled.schema)
    assert bundled.schema["$defs"]["0"]["$dynamicAnchor"] == "node"
    assert bundled.origin("/$defs/0/items").endswith("/components/schemas/Tree/items")


@pytest.mark.parametrize("version", ["2.0", "3.0", "3.1", "3.2"])
def test_a_bundle_is_a_schema_of_2020_12(make, version):
    node = {
        "type": "object",
        "required": ["a", "a"],
        "properties": {
            "a": {"type": "number", "minimum": 1, "exclusiveMinimum": True, "nullable": True, "x-nullable": True},
            "b": {"items": [{"type": "string"}]},
            "c": {"dependencies": {"x": ["y"]}},
            "d": {"oneOf": [{"type": "string"}, {"type": "null"}], "discriminator": {"propertyName": "kind"}},
        },
    }
    Draft202012Validator.check_schema(bundle(make(node, version), "response").schema)
