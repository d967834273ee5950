import pytest

from dynclient._schemas import typed

OBJECT = {
    "type": "object",
    "properties": {
        "n": {"type": "integer"},
        "ok": {"type": "boolean"},
        "tags": {"type": "array", "items": {"type": "number"}},
    },
    "additionalProperties": {"type": "number"},
}
UNION = {
    "oneOf": [
        {
            "type": "object",
            "required": ["kind", "n"],
            "properties": {"kind": {"enum": ["a"]}, "n": {"type": "integer"}},
        },
        {"type": "object", "required": ["kind", "n"], "properties": {"kind": {"enum": ["b"]}, "n": {"type": "string"}}},
    ]
}
CASES = [
    ({"type": "integer"}, "5", 5),
    ({"type": "integer"}, "-05", -5),
    ({"type": "integer"}, "5.0", 5),
    ({"type": "integer"}, "5.5", "5.5"),
    ({"type": "integer"}, "\u0665", "\u0665"),
    ({"type": "integer"}, "x", "x"),
    ({"type": "number"}, "1e3", 1000.0),
    ({"type": "number"}, "7", 7),
    ({"type": "number"}, "1e999", "1e999"),
    ({"type": "number"}, "NaN", "NaN"),
    ({"type": "boolean"}, "true", True),
    ({"type": "boolean"}, "0", False),
    ({"type": "boolean"}, "yes", "yes"),
    ({"type": "string"}, "5", "5"),
    ({}, "5", "5"),
    ({"type": ["integer", "null"]}, "", None),
    ({"type": ["integer", "null"]}, "null", None),
    ({"type": ["string", "null"]}, "", ""),
    ({"type": ["string", "null"]}, "null", "null"),
    ({"type": ["string", "integer"]}, "007", "007"),
    ({"type": ["string", "integer"]}, "7", 7),
    ({"type": "array", "items": {"type": "integer"}}, ["1", "2"], [1, 2]),
    ({"type": "array", "items": {"type": "integer"}}, "1", [1]),
    ({"type": "array", "items": {"type": "integer"}}, "", []),
    ({"prefixItems": [{"type": "integer"}], "items": {"type": "boolean"}}, ["1", "true"], [1, True]),
    (OBJECT, {"n": "1", "ok": "false", "tags": ["1.5"], "else": "2"}, {"n": 1, "ok": False, "tags": [1.5], "else": 2}),
    (OBJECT, {"n": None, "ok": 3}, {"n": None, "ok": 3}),
    ({"type": "object"}, "", {}),
    ({"anyOf": [{"type": "array", "items": {"type": "string"}}, {"enum": [""], "type": "string"}]}, "a", ["a"]),
    ({"anyOf": [{"type": "array", "items": {"type": "string"}}, {"enum": [""], "type": "string"}]}, "", ""),
    ({"enum": [1, None, True]}, "1", 1),
    ({"enum": [1, None, True]}, "true", True),
    ({"anyOf": [{"type": "string", "enum": ["1"]}, {"type": "integer"}]}, "1", "1"),
    ({"anyOf": [{"type": "integer"}, {"type": "boolean"}]}, "true", True),
    (UNION, {"kind": "a", "n": "1"}, {"kind": "a", "n": 1}),
    (UNION, {"kind": "b", "n": "1"}, {"kind": "b", "n": "1"}),
    (
        {"oneOf": [{"type": "array", "items": each} for each in UNION["oneOf"]]},
        [{"kind": "b", "n": "1"}, {"kind": "a", "n": "1"}],
        [{"kind": "b", "n": "1"}, {"kind": "a", "n": 1}],
    ),
    (
        {"anyOf": [{"additionalProperties": each} for each in UNION["oneOf"]]},
        {"x": {"kind": "b", "n": "1"}, "y": {"kind": "a", "n": "1"}},
        {"x": {"kind": "b", "n": "1"}, "y": {"kind": "a", "n": 1}},
    ),
    ({"allOf": [{"properties": {"n": {"type": "integer"}}}, OBJECT]}, {"n": "1"}, {"n": 1}),
]


@pytest.mark.parametrize(("node", "texts", "value"), CASES)
def test_typed(make, node, texts, value):
    found = typed(make(node), texts)
    assert found == value
    assert type(found) is type(value)


def test_a_discriminator_picks(make):
    cat = {"type": "object", "properties": {"kind": {"type": "string"}, "n": {"type": "integer"}}}
    dog = {"type": "object", "properties": {"kind": {"type": "string"}, "n": {"type": "string"}}}
    node = {
        "oneOf": [{"$ref": "#/components/schemas/Dog"}, {"$ref": "#/components/schemas/Cat"}],
        "discriminator": {"propertyName": "kind"},
    }
    schema = make(node, Cat=cat, Dog=dog)
    assert typed(schema, {"kind": "Cat", "n": "1"}) == {"kind": "Cat", "n": 1}
    assert typed(schema, {"kind": "Dog", "n": "1"}) == {"kind": "Dog", "n": "1"}


def test_what_is_deep_or_broken_stays_as_it_is(make):
    schema = make({"$ref": "#/components/schemas/T"}, T={"properties": {"t": {"$ref": "#/components/schemas/T"}}})
    deep = "leaf"
    for _ in range(5_000):
        deep = {"t": deep}
    assert typed(schema, deep) is not None
    assert typed(make({"$ref": "#/nowhere"}), "5") == "5"
