"""Values made from schemas are valid, and so are calls with the example arguments of an operation."""

from __future__ import annotations

import re
import time
from contextlib import suppress
from random import Random

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import dynclient
from dynclient import testing
from dynclient._validation import validator
from dynclient.examples import example, media_example, patterns
from dynclient.exceptions import ArgumentError
from dynclient.messages import Request
from dynclient.model import Example, MediaType

SEEDS = (0, 1, 2, 7)


def schema_of(document, version="3.1.0"):
    """The component ``It`` of some components."""
    made = {"openapi": version, "info": {"title": "t", "version": "1"}, "paths": {}}
    return dynclient.load({**made, "components": {"schemas": document}}).api.schemas["It"]


SCHEMAS = yaml.safe_load(
    """
    - {type: string, minLength: 10, maxLength: 12}
    - {type: string, maxLength: 2}
    - {type: string, pattern: '^[A-Z]{3}-\\d{4}$'}
    - {type: string, pattern: '^(?!foo)[a-z]{3,}$', minLength: 8}
    - {type: string, pattern: '^[a-z]+$', minLength: 20, maxLength: 22}
    - {type: string, pattern: '^\\p{Lu}\\p{L}*$'}
    - {type: string, pattern: '^^1[0-9]*$', minLength: 10, maxLength: 10, example: 1739683760}
    - {type: string, pattern: '^https://', format: uri}
    - {type: string, format: email, maxLength: 15}
    - {type: string, format: uri, minLength: 60}
    - {type: integer, minimum: 7}
    - {type: integer, exclusiveMinimum: 7, maximum: 9}
    - {type: integer, maximum: -3}
    - {type: integer, minimum: 10, multipleOf: 7}
    - {type: number, minimum: 0.1, maximum: 0.2}
    - {type: number, exclusiveMinimum: 0, exclusiveMaximum: 0.001}
    - {type: number, multipleOf: 0.01, minimum: 19.985}
    - {type: integer, format: int8, minimum: 100}
    - {type: integer, format: uint8}
    - {type: object, additionalProperties: {type: string}, propertyNames: {pattern: '^x-'}, minProperties: 2}
    - {type: object, propertyNames: {enum: [a, b, c]}, minProperties: 3}
    - {type: object, propertyNames: {format: uuid}, minProperties: 1}
    - {type: array, items: {type: integer}, contains: {minimum: 5}}
    - {type: array, contains: {const: x}, minContains: 2, maxItems: 2}
    - {type: array, items: {type: object}, contains: {required: [a], properties: {a: {const: 1}}}}
    - {allOf: [{type: array, items: {type: string}}, {contains: {minLength: 9}}]}
    - {type: string, not: {enum: [string, string1]}}
    - {type: object, required: [a], properties: {a: {type: string, not: {const: string}}}}
    - {type: integer, not: {maximum: 3}}
    - {allOf: [{type: string, format: uuid}, {type: string, pattern: '^0'}]}
    - {type: string, format: uuid, pattern: '^[0-9a-f]{8}-.*[13579bdf]$'}
    - {type: boolean}
    - {type: 'null'}
    - {type: [string, 'null']}
    - {enum: [null, a]}
    - type: integer
      enum: [9, 11]
      oneOf: [{const: 1}, {const: 2}, {const: 3}, {const: 4}, {enum: [5, 6]}, {const: 7}, {const: 8}, {const: 9}]
    - {enum: [x, y, z], anyOf: [{enum: [a, b]}, {enum: [c, z]}]}
    - {const: {a: 1}}
    - {type: array, minItems: 3, uniqueItems: true, items: {type: integer}}
    - {type: array, minItems: 3, uniqueItems: true, items: {enum: [a, b, c]}}
    - {type: array, minItems: 2, uniqueItems: true, items: {type: string, pattern: '^(0|[1-9][0-9]*)$'}}
    - {type: array, minItems: 2, uniqueItems: true, items: {type: object, properties: {n: {type: integer}}}}
    - {type: array, maxItems: 0, items: {type: string}}
    - {type: array, prefixItems: [{type: string}, {type: integer}], items: false}
    - {type: object, minProperties: 2, additionalProperties: {type: integer}}
    - {type: object, required: [a, b], properties: {a: {type: string}}, additionalProperties: {type: integer}}
    - {type: object, patternProperties: {'^x-[a-z]{3}$': {type: integer}}, additionalProperties: false}
    - {type: object, maxProperties: 1, properties: {a: {type: string}, b: {type: string}}}
    - {type: object, maxProperties: 2, required: [c], properties: {a: {type: string}, b: {}, c: {}, d: {}}}
    - {type: object, maxProperties: 0, properties: {a: {type: string}}}
    - {oneOf: [{type: string, maxLength: 3}, {type: string, minLength: 5}]}
    - {oneOf: [{type: string}, {type: [string, 'null']}]}
    - {type: array, items: {oneOf: [{type: integer}, {type: number}, {type: [boolean, 'null']}]}}
    - {type: object, properties: {a: {oneOf: [{type: integer}, {type: number}]}}}
    - {type: object, properties: {a: {type: string, enum: [x], default: X}}}
    - oneOf:
        - {type: object, properties: {a: {oneOf: [{type: string}, {type: string, format: date}]}}}
        - {type: object, required: [b], properties: {b: {oneOf: [{type: integer}, {enum: [1, one]}]}}}
    - type: object
      oneOf: [{properties: {days: {type: integer}}}, {properties: {hours: {type: integer}, days: {}}}]
    - anyOf: [{oneOf: [{properties: {a: {type: string}}}, {properties: {b: {}, c: {enum: [string]}}}]}]
      type: object
    - {anyOf: [{required: [a]}, {required: [b]}], type: object, properties: {a: {type: string}, b: {type: string}}}
    - {oneOf: [{required: [a]}, {required: [b]}], type: object, properties: {a: {type: string}, b: {type: string}}}
    - {allOf: [{type: object, required: [a], properties: {a: {type: integer}}}, {properties: {a: {minimum: 5}}}]}
    - allOf:
        - oneOf: [{required: [a]}, {required: [b]}]
        - oneOf: [{type: object, required: [c], properties: {c: {type: integer}}}, {required: [d]}]
        - {type: object, properties: {a: {type: string}, b: {type: string}}}
    - allOf:
        - {type: object, required: [a], properties: {a: {type: string}}, additionalProperties: false}
        - {type: object, properties: {b: {type: string}}}
    - {type: string, pattern: '.*', maxLength: 36}
    - {type: string, example: 5, examples: [6], default: [], minLength: 3}
    - {type: object, example: {a: wrong}, properties: {a: {type: integer, example: wrong}}, required: [a]}
    - {type: object, required: [id, name], properties: {id: {type: string, readOnly: true}, name: {type: string}}}
    - {not: {type: string}}
    - {}
    """
)


@pytest.mark.parametrize("direction", ["request", "response"])
@pytest.mark.parametrize("schema", SCHEMAS, ids=str)
def test_an_example_is_valid(schema, direction):
    made = schema_of({"It": schema})
    check = validator(made, direction)
    for seed in SEEDS:
        assert check.faults(example(made, direction, seed)) == []


NAMED = {
    "recursive": """
        It: {type: object, required: [name], properties: {
               name: {type: string}, child: {$ref: '#/components/schemas/It'},
               children: {type: array, items: {$ref: '#/components/schemas/It'}}}}
        """,
    "recursive by a union": """
        It: {anyOf: [{type: array, minItems: 1, items: {$ref: '#/components/schemas/It'}}, {type: string}]}
        """,
    "discriminated by name": """
        Cat: {type: object, required: [kind, lives], properties: {kind: {type: string}, lives: {type: integer}}}
        Dog: {type: object, required: [kind, tricks], properties: {kind: {type: string}, tricks: {type: array}}}
        It: {oneOf: [{$ref: '#/components/schemas/Cat'}, {$ref: '#/components/schemas/Dog'}],
             discriminator: {propertyName: kind}}
        """,
    "discriminated by mapping": """
        Cat: {type: object, required: [kind], properties: {kind: {type: string}, lives: {type: integer}}}
        It: {oneOf: [{$ref: '#/components/schemas/Cat'}],
             discriminator: {propertyName: kind, mapping: {meow: '#/components/schemas/Cat'}}}
        """,
    "discriminated by inheritance": """
        It: {type: object, required: [kind], properties: {kind: {type: string}}, discriminator: {propertyName: kind}}
        Cat: {allOf: [{$ref: '#/components/schemas/It'}, {required: [lives], properties: {lives: {type: integer}}}]}
        """,
    "wide": "\n".join(
        f"L{depth}: {{type: object, properties: {{"
        + ", ".join(f"p{index}: {{$ref: '#/components/schemas/L{depth + 1}'}}" for index in range(20))
        + "}}"
        for depth in range(30)
    )
    + "\nL30: {type: string}\nIt: {$ref: '#/components/schemas/L0'}",
}


@pytest.mark.parametrize("name", NAMED)
def test_named_schemas(name):
    schema = schema_of(yaml.safe_load(NAMED[name]))
    for seed in SEEDS:
        value = example(schema, "request", seed)
        assert validator(schema, "request").faults(value) == []
        assert len(repr(value)) < 20_000


def test_examples_of_the_document_come_first():
    schema = schema_of({"It": {"type": "string", "examples": ["one", "two"], "default": "three"}})
    assert [example(schema, seed=seed) for seed in (0, 1, 2)] == ["one", "two", "one"]
    assert example(schema, shown=False) not in {"one", "two", "three"}
    assert example(schema_of({"It": {"type": "string", "default": "three"}})) == "three"


def test_the_branch_of_a_union_has_examples_too():
    branches = [{"type": "boolean", "default": False}, {"type": "null"}]
    ids = [{"type": "string", "examples": ["at_1"]}, {"type": "integer"}]
    wrong = [{"type": "integer", "example": "one"}, {"type": "null"}]
    properties = {"stream": {"anyOf": branches}, "id": {"oneOf": ids}, "n": {"anyOf": wrong}}
    assert example(schema_of({"It": {"type": "object", "properties": properties}})) == {
        "stream": False,
        "id": "at_1",
        "n": 1,
    }


def test_a_direction_omits_properties():
    schema = schema_of(
        {
            "It": {
                "type": "object",
                "required": ["id", "secret"],
                "properties": {"id": {"type": "string", "readOnly": True}, "secret": {"writeOnly": True}},
            }
        }
    )
    assert set(example(schema, "request")) == {"secret"}
    assert set(example(schema, "response")) == {"id"}


def test_examples_are_not_shared():
    schema = schema_of({"It": {"type": "object", "example": {"a": [1]}}})
    example(schema)["a"].append(2)
    assert example(schema) == {"a": [1]}


def test_binary_data_is_bytes_in_files():
    schema = schema_of({"It": {"type": "object", "properties": {"f": {"type": "string", "format": "binary"}}}}, "3.0.3")
    assert isinstance(example(schema, files=True)["f"], bytes)
    assert isinstance(example(schema)["f"], str)


MEDIA = {
    "application/json": {},
    "text/plain": "string",
    "application/xml": "<example/>",
    "image/png": b"example",
    "multipart/form-data": {},
}


@pytest.mark.parametrize("media_range", MEDIA)
def test_media_types_without_a_schema(media_range):
    assert media_example(MediaType(media_range)) == MEDIA[media_range]


@pytest.mark.parametrize("shown", ['<?xml version=\\"1.0\\"?><a/>', "no markup", "<a>"])
def test_examples_that_are_not_xml_are_not_used(shown):
    schema = schema_of({"It": {"type": "string", "example": shown}})
    given = MediaType("application/xml", schema, examples=(Example("", shown), Example("", "<b/>")))
    assert media_example(given) == "<b/>"
    assert media_example(given._replace(examples=())) == "<example/>"


def test_xml_as_text_is_markup():
    assert media_example(MediaType("application/xml", schema_of({"It": {"type": "string"}}))) == "<example/>"


def test_a_value_is_made_for_a_path():
    nested = {"type": "object", "required": ["a"], "properties": {"a": {"type": "object", "required": ["b"]}}}
    plain = {"type": "object", "required": ["c"], "properties": {"c": {"type": "string"}}}
    parameter = {"name": "id", "in": "path", "required": True, "schema": {"oneOf": [nested, plain]}}
    operation = {"operationId": "x", "parameters": [parameter], "responses": {"200": {"description": ""}}}
    paths = {"/{id}": {"get": operation}}
    client = dynclient.load(
        {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": paths}, base_url="https://x.example"
    )
    assert client.x.prepare(**client.x.example()).url.startswith("https://x.example/c,string")


DOCUMENTS = ("voice.yaml", "voice.2.0.yaml", "voice.3.0.yaml", "voice.3.2.yaml", "orders.yaml")


@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.parametrize("seed", SEEDS)
def test_arguments_of_our_documents(root, name, seed):
    check_arguments(dynclient.load(root / "openapi" / name), seed)


@pytest.mark.parametrize(
    "name",
    [
        "discord/openapi.json",
        "figma/openapi.yaml",
        "openai/openapi.yaml",
        "petstore/openapi.yaml",
        "readme-oas-examples/3.0/json/discriminators.json",
        "slack/web-api/slack_web_openapi_v2.json",
    ],
)
def test_arguments_of_real_documents(shared, name):
    check_arguments(dynclient.load(shared / "corpus" / name), 0)


def check_arguments(client, seed):
    for row in client.api.rows:
        method = client.operations[row.key].with_options(base_url="https://a.example")
        given = method.example(seed)
        assert given == method.example(seed)
        method.prepare(**given)


PATTERNS = (
    r"^\+[1-9]\d{1,14}$",
    r"^[a-z]+(-[a-z]+)*$",
    r"^(GET|POST)$",
    r"[^/]+",
    r"^[\w.%+-]+@[A-Za-z]{2,}$",
    r"^(a)(b)\2\1$",
    r"^[\s\S]*$",
    r"^[^\x00-\x1f]+$",
    r"^\u0041\x42{2,}?$",
    r"^{a}$",
    r"^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==)?$",
    r"^[a\-\]]{3}$",
    r"\bx\b",
    r"",
)


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("more", [0, 1, 5])
def test_a_text_matches_its_pattern(pattern, more):
    found = patterns.text(pattern, Random(0), more)
    assert found is not None
    assert re.search(pattern, found)


UNREADABLE = ("(", "[", "a)", "(?<", "\\", r"[^\s\S]", r"\u{110000}", r"\p{Script=Klingon}", "(" * 300, "a" * 600)


@pytest.mark.parametrize("pattern", UNREADABLE)
def test_a_malformed_pattern_has_no_text(pattern):
    assert patterns.text(pattern, Random(0)) is None


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="ab01()[]{}|*+?^$.\\-,:=!<>dwspPkux", max_size=30), st.integers(0, 5))
def test_no_pattern_breaks_the_reader(pattern, more):
    found = patterns.text(pattern, Random(0), more)
    assert found is None or len(found) <= 1000


_decimals = st.integers(-10_000, 10_000).map(lambda value: value / 100)


@settings(max_examples=150, deadline=None)
@given(low=_decimals, width=st.integers(0, 500), whole=st.booleans(), seed=st.integers(0, 4))
def test_numbers_are_within_their_bounds(low, width, whole, seed):
    bounds = {"minimum": low, "maximum": round(low + 1 + width / 100, 2)}
    found = example(schema_of({"It": {"type": "integer" if whole else "number", **bounds}}), seed=seed)
    assert bounds["minimum"] <= found <= bounds["maximum"]
    assert isinstance(found, int if whole else float)


NOTHING_VALID = [
    {"type": "string", "enum": []},
    {"type": "integer", "not": {}},
    {"type": "string", "minLength": 5, "maxLength": 2},
]


@pytest.mark.parametrize("schema", NOTHING_VALID)
def test_an_example_that_can_not_be_made_is_an_error(schema):
    # Several faults below are nearer to what is wanted than the single one of another type.
    whole = {"type": "object", "required": ["a", "b", "c"], "properties": dict.fromkeys("abc", schema)}
    body = {"required": True, "content": {"application/json": {"schema": whole}}}
    operation = {"operationId": "x", "requestBody": body, "responses": {"200": {"description": ""}}}
    document = {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {"/x": {"post": operation}}}
    client = dynclient.load(document, base_url="https://x.example")
    with pytest.raises(ArgumentError, match="no valid example of body") as caught:
        client.x.example()
    assert caught.value.errors[0].path.startswith("$.a")
    assert client.x.__doc__


def chained(link, end):
    """Schemas each of which names the next one several times."""
    return {"It": link("S1"), **{f"S{number}": link(f"S{number + 1}") for number in range(1, 15)}, "S15": end}


def ref(name):
    return {"$ref": f"#/components/schemas/{name}"}


# Written out they are millions of values, or of paths.
CHAINS = {
    "required": lambda name: {"type": "object", "required": [*"abc"], "properties": dict.fromkeys("abc", ref(name))},
    "items": lambda name: {"type": "array", "minItems": 3, "items": ref(name)},
    "tuples": lambda name: {"type": "array", "minItems": 3, "prefixItems": [ref(name)] * 3},
    "additional": lambda name: {"type": "object", "minProperties": 3, "additionalProperties": ref(name)},
    "unions": lambda name: {"anyOf": [ref(name), ref(name)]},
}


@pytest.mark.parametrize(
    "chain",
    [
        pytest.param(chain, marks=pytest.mark.large if chain in {"additional", "items", "required", "tuples"} else ())
        for chain in CHAINS
    ],
)
def test_schemas_that_name_each_other_many_times(chain):
    content = {"application/json": {"schema": ref("It")}}
    operation = {
        "operationId": "go",
        "requestBody": {"content": content},
        "responses": {"200": {"description": "", "content": content}},
    }
    schemas = chained(CHAINS[chain], {"type": "object", "properties": {"a": {"type": "string"}}})
    document = {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {"/x": {"post": operation}}}
    document["components"] = {"schemas": schemas}
    client = dynclient.load(document, base_url="http://h.example")
    started = time.thread_time()
    with suppress(ArgumentError):  # no valid one, within what is made
        assert len(str(client.go.example())) < 500_000
    assert len(client.go.__doc__) < 500_000
    answer = testing.app(document, validate=False).respond(Request("POST", "http://h.example/x"))
    assert len(answer.body) < 500_000
    assert time.thread_time() - started < 30
