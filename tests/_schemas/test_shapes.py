import pytest

from dynclient._schemas import MISSING, child, component_name, is_binary, shape
from dynclient.exceptions import DocumentError, InvalidDocument, UnresolvableReference

PET = {
    "type": "object",
    "required": ["kind"],
    "properties": {"kind": {"type": "string"}, "age": {"type": "integer", "minimum": 0}},
    "discriminator": {"propertyName": "kind"},
}
CAT = {
    "allOf": [
        {"$ref": "#/components/schemas/Pet"},
        {"properties": {"kind": {"enum": ["Cat"]}, "lives": {"type": "integer"}}},
    ]
}


def test_a_reference_is_followed_to_a_named_schema(make):
    seen = shape(make({"$ref": "#/components/schemas/Pet"}, "3.0", Pet=PET))
    assert seen.name == "Pet"
    assert seen.schema.pointer == "/components/schemas/Pet"
    assert seen.types == {"object"}
    assert seen.required == {"kind"}
    assert list(seen.properties) == ["kind", "age"]
    assert shape(seen.properties["age"]).constraints == {"minimum": 0}


def test_all_of_is_merged(make):
    seen = shape(make({"$ref": "#/components/schemas/Cat"}, "3.0", Pet=PET, Cat=CAT))
    assert seen.name == "Cat"
    assert seen.types == {"object"}
    assert list(seen.properties) == ["kind", "age", "lives"]
    assert shape(seen.properties["kind"]).enum == ("Cat",)
    assert shape(seen.properties["kind"]).types == {"string"}


def test_a_description_beside_a_reference_is_the_schema_s_own(make):
    node = {"description": "mine", "allOf": [{"$ref": "#/components/schemas/Pet"}]}
    assert (shape(make(node, "3.0", Pet=PET)).name, shape(make(node, "3.0", Pet=PET)).description) == ("Pet", "mine")
    beside = make({"$ref": "#/components/schemas/Pet", "description": "mine"}, "3.1", Pet=PET)
    assert (shape(beside).name, shape(beside).description) == ("Pet", "mine")


def test_words_beside_a_reference_count_from_3_1_on(make):
    node = {"$ref": "#/components/schemas/Name", "maxLength": 3}
    assert shape(make(node, "3.0", Name={"type": "string"})).constraints == {}
    seen = shape(make(node, "3.1", Name={"type": "string", "maxLength": 9, "minLength": 1}))
    assert seen.constraints == {"maxLength": 3, "minLength": 1}
    assert (seen.name, seen.types) == (None, {"string"})


NULLABLE = [
    ("3.0", {"type": "string", "nullable": True}, {"string", "null"}, None),
    ("3.0", {"type": "string", "nullable": True, "enum": ["a"]}, {"string", "null"}, ("a",)),
    ("3.0", {"nullable": True, "enum": ["a"]}, set(), ("a",)),
    ("3.0", {"type": "string", "x-nullable": True}, {"string"}, None),
    ("2.0", {"type": "string", "x-nullable": True, "enum": ["a"]}, {"string", "null"}, ("a", None)),
    ("3.1", {"type": "string", "nullable": True}, {"string", "null"}, None),
    ("3.2", {"type": "integer", "nullable": True}, {"integer", "null"}, None),
    ("3.1", {"type": ["string", None]}, {"string", "null"}, None),
    ("3.1", {"type": None}, {"null"}, None),
    ("3.0", {"type": None}, set(), None),
    ("3.0", {"type": "string", "format": "int-or-string"}, {"integer", "string"}, None),
    ("2.0", {"type": "string", "format": "int-or-string", "x-nullable": True}, {"integer", "string", "null"}, None),
    ("3.1", {"type": ["string", "null"]}, {"string", "null"}, None),
]


@pytest.mark.parametrize(("version", "node", "types", "enum"), NULLABLE)
def test_nullable(make, version, node, types, enum):
    seen = shape(make(node, version))
    assert (seen.types, seen.enum) == (types, enum)


TRANSLATED = [
    (
        {"minimum": 1, "exclusiveMinimum": True, "maximum": 9, "exclusiveMaximum": False},
        {"exclusiveMinimum": 1, "maximum": 9},
    ),
    ({"exclusiveMaximum": 3}, {"exclusiveMaximum": 3}),
    ({"exclusiveMinimum": True}, {}),
    ({"minLength": "3", "maxLength": -1, "multipleOf": 0, "uniqueItems": "yes"}, {}),
]


@pytest.mark.parametrize(("node", "constraints"), TRANSLATED)
@pytest.mark.parametrize("version", ["2.0", "3.0", "3.1", "3.2"])
def test_bounds_of_all_drafts(make, version, node, constraints):
    assert shape(make(node, version)).constraints == constraints


def test_old_arrays_are_prefix_items(make):
    seen = shape(make({"items": [{"type": "string"}, {"type": "integer"}], "additionalItems": {"type": "null"}}))
    assert [shape(each).types for each in seen.prefix_items] == [{"string"}, {"integer"}]
    assert shape(seen.items).types == {"null"}
    assert seen.items.pointer == "/x-here/additionalItems"


def test_bounds_narrow_and_types_intersect(make):
    seen = shape(
        make(
            {
                "allOf": [
                    {"type": ["number", "null"], "minimum": 1, "maximum": 9, "enum": [1, 2, 3]},
                    {"type": ["integer", "string"], "minimum": 2, "maximum": 10, "enum": [3, 2]},
                ]
            }
        )
    )
    assert seen.types == {"integer"}
    assert seen.constraints == {"minimum": 2, "maximum": 9}
    assert seen.enum == (2, 3)


def test_what_is_not_said(make):
    seen = shape(make({}))
    assert (seen.default, seen.const, seen.format, seen.items, seen.xml) == (MISSING, MISSING, None, None, None)
    assert (seen.types, seen.enum, seen.additional, seen.discriminator) == (frozenset(), None, True, None)
    assert shape(make({"default": None, "const": None})).default is None


def test_examples_of_all_versions(make):
    assert shape(make({"example": 1}, "3.0")).examples == (1,)
    assert shape(make({"examples": [1, 2]})).examples == (1, 2)


def test_boolean_schemas(make):
    assert shape(make(True)).enum is None
    assert shape(make(False)).enum == ()
    assert shape(make({"additionalProperties": False})).additional is False
    assert shape(shape(make({"additionalProperties": {"type": "string"}})).additional).types == {"string"}


BINARY = [
    ("2.0", {"type": "file"}, True),
    ("3.0", {"type": "file"}, False),
    ("3.0", {"type": "string", "format": "binary"}, True),
    ("3.0", {"type": "string", "format": "byte"}, False),
    ("3.1", {"contentMediaType": "image/png"}, True),
    ("3.1", {"contentMediaType": "application/octet-stream"}, True),
    ("3.1", {"type": "string", "contentMediaType": "image/png", "contentEncoding": "base64"}, False),
    ("3.1", {"type": "string", "contentMediaType": "application/json"}, False),
    ("3.1", {"type": "object", "contentMediaType": "image/png"}, False),
    ("3.1", {"type": "string"}, False),
]


@pytest.mark.parametrize(("version", "node", "expected"), BINARY)
def test_binary(make, version, node, expected):
    assert is_binary(make(node, version)) is expected


def test_names_and_places(make):
    schema = make({"properties": {"a/b~c": {"type": "string"}}}, "3.0", Pet=PET)
    below = child(schema, "properties", "a/b~c")
    assert below.pointer == "/x-here/properties/a~1b~0c"
    assert component_name(below) is None


A, B = {"$ref": "#/components/schemas/A"}, {"$ref": "#/components/schemas/B"}
CIRCLES = [
    ({"A": {"allOf": [A]}}, InvalidDocument),
    ({"A": {"allOf": [B], "type": "object"}, "B": {"allOf": [A]}}, InvalidDocument),
    ({"A": {**A, "type": "object"}}, InvalidDocument),
    ({"A": B, "B": A}, UnresolvableReference),
    ({"A": {"$ref": "#/components/schemas/Nowhere"}}, UnresolvableReference),
    ({"A": {"$ref": "#/components"}}, None),
    ({"A": "text"}, InvalidDocument),
]


@pytest.mark.parametrize(("named", "error"), CIRCLES)
def test_circles_and_dead_ends(make, named, error):
    schema = make({"$ref": "#/components/schemas/A"}, "3.1", **named)
    if error is None:
        assert shape(schema).name is None
    else:
        with pytest.raises(error) as caught:
            shape(schema)
        assert isinstance(caught.value, DocumentError)
        assert caught.value.location is not None


def test_a_schema_may_be_recursive(make):
    tree = {"type": "object", "properties": {"left": {"$ref": "#/components/schemas/Tree"}}}
    seen = shape(make({"$ref": "#/components/schemas/Tree"}, Tree=tree))
    for _ in range(500):
        seen = shape(seen.properties["left"])
    assert seen.name == "Tree"


def test_wide_diamonds_are_merged_in_no_time(make):
    named = {f"L{n}": {"allOf": [{"$ref": f"#/components/schemas/L{n + 1}"}] * 2} for n in range(40)}
    seen = shape(make({"$ref": "#/components/schemas/L0"}, **named, L40={"type": "string"}))
    assert seen.types == {"string"}


def test_discriminators(make):
    seen = shape(make({"$ref": "#/components/schemas/Pet"}, "3.0", Pet=PET, Cat=CAT))
    assert seen.discriminator.property_name == "kind"
    assert {value: component_name(each) for value, each in seen.discriminator.mapping.items()} == {
        "Pet": "Pet",
        "Cat": "Cat",
    }
    union = {
        "oneOf": [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Pet"}],
        "discriminator": {
            "propertyName": "kind",
            "mapping": {"kitty": "Cat", "p": "#/components/schemas/Pet"},
            "defaultMapping": "Cat",
        },
    }
    seen = shape(make(union, "3.2", Pet=PET, Cat=CAT))
    assert {value: component_name(each) for value, each in seen.discriminator.mapping.items()} == {
        "Cat": "Cat",
        "Pet": "Pet",
        "kitty": "Cat",
        "p": "Pet",
    }
    assert component_name(seen.discriminator.default) == "Cat"


def test_xml_hints(make):
    xml = {
        "name": "n",
        "namespace": "urn:x",
        "prefix": "p",
        "attribute": True,
        "wrapped": True,
        "nodeType": "attribute",
    }
    assert tuple(shape(make({"xml": xml})).xml) == ("n", "urn:x", "p", True, True, "attribute")
    assert shape(make({"xml": {"wrapped": "yes"}})).xml.wrapped is False
