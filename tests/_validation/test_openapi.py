"""What OpenAPI adds to JSON Schema: directions, null, discriminators."""

import pytest

from dynclient._validation import validator

REF = "#/components/schemas/"
ENGINES = ["jsonschema", "auto"]

USER = {
    "type": "object",
    "required": ["id", "name", "password"],
    "properties": {
        "id": {"type": "integer", "readOnly": True},
        "name": {"type": "string"},
        "password": {"type": "string", "writeOnly": True},
    },
}
DIRECTIONS = [
    ("request", {"name": "a", "password": "b"}, []),
    ("request", {"name": "a"}, ["$.password"]),
    ("request", {"id": 1, "name": "a", "password": "b"}, []),
    ("request", {"id": "x", "name": "a", "password": "b"}, ["$.id"]),
    ("response", {"id": 1, "name": "a"}, []),
    ("response", {"name": "a"}, ["$.id"]),
    ("response", {"id": 1, "name": "a", "password": "b"}, []),
]
USERS = {
    "itself": USER,
    "by reference": {"$ref": f"{REF}User"},
    "flags behind a reference": {
        **USER,
        "properties": {
            **USER["properties"],
            "id": {"$ref": f"{REF}Id"},
            "password": {"allOf": [{"$ref": f"{REF}Secret"}]},
        },
    },
    "required by another member": {
        "allOf": [{"properties": USER["properties"]}, {"type": "object", "required": USER["required"]}]
    },
    "required beside allOf": {"allOf": [{"$ref": f"{REF}Loose"}], "required": USER["required"]},
}
NAMED = {
    "User": USER,
    "Id": {"type": "integer", "readOnly": True},
    "Secret": {"type": "string", "writeOnly": True},
    "Loose": {"type": "object", "properties": USER["properties"]},
}


@pytest.mark.parametrize("version", ["3.0", "3.1"])
@pytest.mark.parametrize("node", USERS.values(), ids=USERS)
@pytest.mark.parametrize(("direction", "value", "paths"), DIRECTIONS)
def test_read_only_and_write_only(make, node, direction, value, paths, version):
    schema = make(node, version, **NAMED)
    assert [fault.path for fault in validator(schema, direction).faults(value)] == paths
    for engine in ENGINES:
        assert bool(validator(schema, direction).faults(value, engine=engine)) is bool(paths)


NULLS = [
    ("3.0", {"type": "string", "nullable": True}, True),
    ("3.0", {"type": "string"}, False),
    ("3.0", {"type": "string", "nullable": True, "enum": ["a"]}, False),
    ("3.0", {"type": "string", "nullable": True, "enum": ["a", None]}, True),
    ("3.0", {"nullable": False}, True),
    ("3.0", {"nullable": True, "allOf": [{"type": "string"}]}, True),
    ("3.0", {"nullable": True, "type": "string", "allOf": [{"$ref": f"{REF}Text"}]}, True),
    ("3.0", {"nullable": True, "oneOf": [{"type": "integer"}, {"type": "string", "nullable": True}]}, True),
    ("3.0", {"nullable": False, "anyOf": [{"type": "string"}]}, False),
    ("3.0", {"type": "array", "nullable": True, "items": {"type": "string"}}, True),
    ("3.0", {"$ref": f"{REF}Text", "nullable": True}, False),
    ("2.0", {"type": "string", "x-nullable": True, "enum": ["a"]}, True),
    ("2.0", {"type": "string", "nullable": True}, False),
    ("3.1", {"type": "string", "nullable": True}, True),
    ("3.1", {"$ref": f"{REF}Text", "nullable": True}, True),
    ("3.1", {"type": "string", "nullable": False}, False),
    ("3.1", {"type": ["string", "null"]}, True),
    ("3.1", {"$ref": f"{REF}Text"}, False),
]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("version", "node", "valid"), NULLS)
def test_null(make, version, node, valid, engine):
    check = validator(make(node, version, Text={"type": "string"}), "request")
    assert (not check.faults(None, engine=engine)) is valid
    assert check.verdict(None) in {valid, None}


PET = {
    "type": "object",
    "required": ["kind"],
    "properties": {"kind": {"type": "string"}},
    "discriminator": {"propertyName": "kind", "mapping": {"hound": "Dog"}},
}
PETS = {
    "Pet": PET,
    "Cat": {"allOf": [{"$ref": f"{REF}Pet"}, {"required": ["lives"], "properties": {"lives": {"type": "integer"}}}]},
    "Dog": {"allOf": [{"$ref": f"{REF}Pet"}, {"required": ["bark"], "properties": {"bark": {"type": "string"}}}]},
    "Lion": {"allOf": [{"$ref": f"{REF}Cat"}, {"required": ["mane"], "properties": {"mane": {"$ref": f"{REF}Pet"}}}]},
    "Rock": {"type": "object", "required": ["kind", "weight"], "properties": {"weight": {"type": "number"}}},
}
ONE_OF = [{"$ref": f"{REF}Cat"}, {"$ref": f"{REF}Dog"}]
PICKED = [
    ("parent", {"kind": "Cat"}, [("$.lives", "is required")]),
    ("parent", {"kind": "Cat", "lives": 9}, []),
    ("parent", {"kind": "hound"}, [("$.bark", "is required")]),
    ("parent", {"kind": "Dog", "bark": 5}, [("$.bark", "must be a string, not an integer")]),
    ("parent", {"kind": "Lion", "lives": 1}, [("$.mane", "is required")]),
    ("parent", {"kind": "Lion", "lives": 1, "mane": {"kind": "Cat"}}, [("$.mane.lives", "is required")]),
    ("parent", {"kind": "Pet"}, []),
    ("parent", {"kind": "unheard of"}, []),
    ("parent", {}, [("$.kind", "is required")]),
    ("child", {"kind": "Cat"}, [("$.lives", "is required")]),
    ("union", {"kind": "Cat"}, [("$.lives", "is required")]),
    ("union", {"kind": "Dog", "bark": "x"}, []),
    ("union", {"kind": "hound", "bark": 1}, [("$.bark", "must be a string, not an integer")]),
    ("union", {"kind": "Lion"}, [("$.kind", "is not one of 'Cat', 'Dog', 'hound'")]),
    ("union", {"kind": "unheard of"}, [("$.kind", "is not one of 'Cat', 'Dog', 'hound'")]),
    ("union or null", None, []),
    ("default", {"kind": "unheard of"}, [("$.weight", "is required")]),
    ("default", {}, [("$.kind", "is required"), ("$.weight", "is required")]),
    ("default", {"kind": "Cat"}, [("$.lives", "is required")]),
    ("dangling", {"kind": "gone"}, [("$", "matches none of 2 schemas: $.lives is required; or $.bark is required")]),
    ("dangling", {"kind": "Dog", "bark": "x"}, []),
]
DISCRIMINATED = {
    "parent": {"$ref": f"{REF}Pet"},
    "child": {"$ref": f"{REF}Cat"},
    "union": {"oneOf": ONE_OF, "discriminator": {"propertyName": "kind", "mapping": {"hound": f"{REF}Dog"}}},
    "union or null": {"oneOf": [*ONE_OF, {"type": "null"}], "discriminator": {"propertyName": "kind"}},
    "default": {
        "anyOf": [*ONE_OF, {"$ref": f"{REF}Rock"}],
        "discriminator": {"propertyName": "kind", "defaultMapping": "Rock"},
    },
    "dangling": {"oneOf": ONE_OF, "discriminator": {"propertyName": "kind", "mapping": {"gone": "Nowhere"}}},
}


@pytest.mark.parametrize(("name", "value", "expected"), PICKED)
def test_a_discriminator_picks_the_schema_whose_faults_are_reported(make, name, value, expected):
    schema = make(DISCRIMINATED[name], "3.2", **PETS)
    faults = validator(schema, "request").faults(value)
    assert sorted((fault.path, fault.message) for fault in faults) == sorted(expected)
    for engine in ENGINES:
        assert bool(validator(schema, "request").faults(value, engine=engine)) is bool(expected)


def test_the_discriminator_of_2_0(make):
    named = {
        "Pet": {**PET, "discriminator": "kind"},
        "Cat": {"allOf": [{"$ref": "#/definitions/Pet"}, {"required": ["lives"]}]},
    }
    faults = validator(make({"$ref": "#/definitions/Pet"}, "2.0", **named), "request").faults({"kind": "Cat"})
    assert [fault.path for fault in faults] == ["$.lives"]


def test_a_union_whose_branches_take_it_in_again(make):
    named = {
        "Shape": {"oneOf": [{"$ref": f"{REF}Circle"}], "discriminator": {"propertyName": "kind"}},
        "Circle": {"allOf": [{"$ref": f"{REF}Shape"}, {"required": ["radius"]}]},
    }
    schema = make({"$ref": f"{REF}Shape"}, "3.0", **named)
    assert [fault.path for fault in validator(schema, "request").faults({"kind": "Circle"})] == ["$.radius"]
    assert validator(schema, "request").faults({"kind": "Circle", "radius": 1}) == []


def test_other_drafts_within_3_1(make):
    old = {"$schema": "http://json-schema.org/draft-07/schema#", "$ref": f"{REF}Text", "maxLength": 1}
    new = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$ref": f"{REF}Text", "maxLength": 1}
    assert validator(make(old, "3.1", Text={"type": "string"}), "request").faults("long") == []
    assert len(validator(make(new, "3.1", Text={"type": "string"}), "request").faults("long")) == 1


def test_dynamic_references(make):
    tree = {
        "$id": "https://example.com/tree",
        "$dynamicAnchor": "node",
        "type": "object",
        "properties": {"children": {"type": "array", "items": {"$dynamicRef": "#node"}}},
    }
    strict = {
        "$id": "https://example.com/strict",
        "$dynamicAnchor": "node",
        "$ref": "tree",
        "unevaluatedProperties": False,
    }
    schema = make({"$ref": f"{REF}Strict"}, "3.1", Tree=tree, Strict=strict)
    value = {"children": [{"children": [], "daat": 1}]}
    faults = validator(schema, "request").faults(value)
    assert [fault.path for fault in faults] == ["$.children[0].daat"]
    assert faults[0].location.pointer == "/components/schemas/Strict/unevaluatedProperties"
    assert validator(make({"$ref": f"{REF}Tree"}, "3.1", Tree=tree, Strict=strict), "request").faults(value) == []
