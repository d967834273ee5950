"""Cases in which jsonschema and jsonschema-rs differ by themselves; here they agree."""

import math
import sys
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dynclient
from dynclient._document.references import open_document
from dynclient._validation import Validator, formats, validator
from dynclient.dialects import OAS31
from dynclient.model import Schema

ENGINES = ["jsonschema", "auto"]

DIFFERENCES = [
    ({"type": ["string", "null"]}, None, True),
    ({"type": ["string", "null"]}, 1, False),
    ({"multipleOf": 0.01}, 19.99, True),
    ({"multipleOf": 0.01}, 19.995, False),
    ({"multipleOf": 0.1}, 0.3, True),
    ({"multipleOf": 3}, 10**40, False),
    ({"multipleOf": 1e-8}, 1e300, True),
    ({"pattern": "^a$"}, "a\n", False),
    ({"pattern": "^a$"}, "a", True),
    ({"pattern": r"^\d+$"}, "\u0665", False),
    ({"pattern": r"^\w+$"}, "\u00e9", False),
    ({"pattern": r"^\s$"}, "\ufeff", True),
    ({"pattern": r"^\s$"}, "\u0085", False),
    ({"pattern": r"^\p{L}+$"}, "\u00e9\u0416", True),
    ({"pattern": r"^\p{L}+$"}, "a1", False),
    ({"pattern": r"^\P{Lu}$"}, "a", True),
    ({"pattern": r"^\p{Script=Greek}+$"}, "\u03b1", True),
    ({"pattern": "x(?i)y"}, "xY", True),
    ({"pattern": "x(?i)y"}, "Xy", False),
    ({"pattern": r"\Aab\z"}, "ab", True),
    ({"pattern": r"\Aab\z"}, "ab\n", False),
    ({"pattern": "^.$"}, "\u2028", False),
    ({"pattern": "^.$"}, "\U0001f600", True),
    ({"pattern": r"^\u{1F600}$"}, "\U0001f600", True),
    ({"pattern": r"^\uD83D\uDE00$"}, "\U0001f600", True),
    ({"pattern": "^[^]$"}, "\n", True),
    ({"pattern": "[]"}, "a", False),
    ({"pattern": r"^\cA$"}, "\x01", True),
    ({"pattern": r"^(?=.*\d)(?!.*x).{2,}$"}, "a1", True),
    ({"pattern": r"^(?=.*\d)(?!.*x).{2,}$"}, "x1", False),
    ({"pattern": r"^(a)?\1b$"}, "b", True),
    ({"patternProperties": {r"^\d$": False}}, {"\u0665": 1}, True),
    ({"patternProperties": {r"^\p{L}$": False}}, {"\u00e9": 1}, False),
    ({"type": "number"}, math.nan, False),
    ({"type": "number"}, math.inf, False),
    ({"maximum": 3}, math.inf, True),
    ({"type": "string"}, "\ud800", True),
    ({"maxLength": 1}, "\ud800", True),
    ({"maxLength": 1}, "\U0001f600", True),
    ({"maxLength": 1}, "e\u0301", False),
    ({"type": "object", "additionalProperties": False}, {"\ud800": 1}, False),
    ({"type": "integer"}, 1.0, True),
    ({"type": "integer"}, True, False),
    ({"type": "number"}, False, False),
    ({"const": 1}, 1.0, True),
    ({"const": 1}, True, False),
    ({"enum": [[1]]}, [True], False),
    ({"const": {"a": 0}}, {"a": False}, False),
    ({"uniqueItems": True}, [1, True], True),
    ({"uniqueItems": True}, [1, 1.0], False),
    ({"uniqueItems": True}, [{"a": [1]}, {"a": [1.0]}], False),
    ({"maximum": 2**63}, 2**63 + 1, False),
    ({"const": 2**53 + 1}, 2**53, False),
    ({"type": "integer", "format": "int32"}, 2**31, False),
    ({"type": "integer", "format": "int32"}, -(2**31), True),
    ({"type": "number", "format": "int32"}, 1.5, False),
    ({"type": "integer", "format": "int64"}, 2**63, False),
    ({"type": "integer", "format": "int64"}, 2**63 - 1, True),
    ({"format": "int64"}, "9223372036854775808", False),
    ({"type": "number", "format": "float"}, 3.5e38, False),
    ({"format": "date"}, "2023-02-29", False),
    ({"format": "date-time"}, "2030-01-01T00:00:00", False),
    ({"format": "byte"}, "YQ=", False),
    ({"format": "byte"}, "YQ==", True),
    ({"format": "base64url"}, "-_8", True),
    ({"format": "binary"}, "\x00 anything", True),
    ({"format": "password"}, "", True),
    ({"format": "uuid"}, "2eb8aa08-aa98-11ea-b4aa-73b441d16380", True),
    ({"format": "uuid"}, "2eb8aa08aa9811eab4aa73b441d16380", False),
    ({"format": "my-own"}, "anything", True),
    ({"format": "email"}, 5, True),
    ({"required": ["a", "a"]}, {"a": 1}, True),
    (False, None, False),
    (True, None, True),
    ({"properties": {"a": False}}, {"a": 1}, False),
]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("node", "value", "valid"), DIFFERENCES)
def test_both_engines_read_alike(make, node, value, valid, engine):
    faults = validator(make(node), "request").faults(value, engine=engine)
    assert (not faults) is valid


@pytest.mark.parametrize(("node", "value", "valid"), DIFFERENCES)
def test_the_verdict_reads_alike_or_is_not_given(make, node, value, valid):
    assert validator(make(node), "request").verdict(value) in {valid, None}


def test_where_jsonschema_rs_refuses_alone_it_is_logged(make, caplog):
    checker = validator(make({"type": "integer"}), "request")
    checker.__dict__["_verdict"] = lambda _: False
    with caplog.at_level("DEBUG", logger="dynclient.validation"):
        assert checker.faults(12345) == []
    assert "refuses" in caplog.text
    assert "12345" not in caplog.text


def test_without_jsonschema_rs_there_is_no_verdict(make, monkeypatch):
    monkeypatch.setitem(sys.modules, "jsonschema_rs", None)
    checker = validator(make({"type": "integer", "minimum": 3}), "request")
    assert checker.verdict(4) is None
    assert [fault.message for fault in checker.faults(1)] == ["must be at least 3"]
    assert checker.faults(4) == []


FORMATS = [
    ("date", "2024-02-29", "2023-02-29"),
    ("date", "2024-02-29", "24-2-9"),
    ("date-time", "2024-01-01T10:00:00Z", "yesterday"),
    ("time", "10:00:00", "10"),
    ("ipv4", "192.0.2.1", "1.2"),
    ("uuid", "00000000-0000-4000-8000-000000000000", "00000000-0000-4000-8000-000000000000-"),
    ("ipv6", "::1", "::1%eth0"),
    ("email", "a.b@c.example", "a..b@c.example"),
    ("hostname", "a.example", "-a.example"),
    ("uri", "https://a.example/b?c#d", "https://a.example/b c"),
    ("uri", "https://[::1]:8/a", "a/b"),
    ("uri-reference", "a/b", "1:b"),
    ("iri", "https://a.example/é", "https://a.example/é b"),
    ("json-pointer", "/a~1b", "a"),
    ("relative-json-pointer", "1/a", "01/a"),
]


@pytest.mark.parametrize(("name", "good", "bad"), FORMATS)
def test_without_jsonschema_rs_formats_are_checked(make, monkeypatch, name, good, bad):
    monkeypatch.setitem(sys.modules, "jsonschema_rs", None)
    monkeypatch.setattr(formats, "_engine", formats._engine.__wrapped__)
    checker = validator(make({"type": "string", "format": name}), "request")
    assert (checker.faults(good), len(checker.faults(bad))) == ([], 1)


def test_jsonschema_alone_is_asked_where_it_is_chosen(make):
    checker = validator(make({"type": "integer"}), "request")
    checker.__dict__["_verdict"] = lambda _: True
    assert checker.faults("x") == []
    assert checker.faults("x", engine="jsonschema")


def test_the_choice_of_the_engine_reaches_every_body(httpserver, monkeypatch):
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    content = {"content": {"application/json": {"schema": schema}}}
    items = {"content": {"application/jsonl": {"itemSchema": schema}}}
    operation = {
        "operationId": "post",
        "parameters": [{"name": "q", "in": "query", "schema": {"type": "integer"}}],
        "requestBody": content,
        "responses": {"200": {"description": "d", "headers": {"X": {"schema": {"type": "integer"}}}, **content}},
    }
    streamed = {"operationId": "items", "requestBody": items, "responses": {"200": {"description": "d", **items}}}
    document = {
        "openapi": "3.2.0",
        "info": {"title": "t", "version": "1"},
        "paths": {"/a": {"post": operation}, "/b": {"post": streamed}},
    }
    asked = []
    monkeypatch.setattr(Validator, "verdict", lambda self, value: asked.append(value) or True)
    httpserver.expect_request("/a").respond_with_json({"a": 1}, headers={"X": "1"})
    httpserver.expect_request("/b").respond_with_data(b'{"a": 1}\n', content_type="application/jsonl")
    with dynclient.load(document, base_url=httpserver.url_for("")) as client:
        client.post(q=1, body={"a": 1})
        client.items(body=[{"a": 1}])
        assert len(asked) == 6
        asked.clear()
        exact = client.with_options(validate=dynclient.Validation(engine="jsonschema"))
        exact.post(q=1, body={"a": 1})
        exact.items(body=[{"a": 1}])
        with exact.items.stream(body=[{"a": 1}]) as answer:
            assert list(answer.iter_items()) == [{"a": 1}]
        assert asked == []
        with pytest.raises(dynclient.exceptions.RequestValidationError):
            exact.post(q=1, body={"a": "x"})


@pytest.mark.parametrize("dynamic", [False, True])
def test_no_schema_in_a_bundle_has_a_dialect_of_its_own(make, dynamic):
    # jsonschema would go on by its own class below one that has.
    draft = "http://json-schema.org/draft-07/schema#"
    inner = {
        "$schema": draft,
        "$id": "https://a.example/b",
        "type": "object",
        "properties": {"$schema": {"$schema": draft}},
    }
    tree = {"$id": "https://a.example/tree", "$dynamicAnchor": "node", "items": {"$dynamicRef": "#node"}, "not": inner}
    node = {
        "allOf": [inner],
        "not": {"$schema": draft, "not": inner},
        "properties": {"a": {"$ref": "#/components/schemas/Other"}},
    }
    bundled = validator(
        make({"$ref": "#/components/schemas/Tree"}, Tree=tree if dynamic else node, Other=inner), "request"
    ).bundle.schema

    def dialects(schema):
        if not isinstance(schema, dict):
            return [each for item in schema for each in dialects(item)] if isinstance(schema, list) else []
        here = [schema["$schema"]] if isinstance(schema.get("$schema"), str) else []
        return here + [each for below in schema.values() for each in dialects(below)]

    assert dialects(bundled) == ["https://json-schema.org/draft/2020-12/schema"]


def test_the_private_name_of_jsonschema_leads_where_a_reference_does():
    schema = {"$defs": {"a": {"type": "integer"}}}
    found = jsonschema.Draft202012Validator(schema)._resolver.lookup("#/$defs/a")
    assert found.contents is schema["$defs"]["a"]
    assert found.resolver is not None


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=4),
    max_leaves=8,
)
numbers = st.integers(-(10**20), 10**20) | st.floats(allow_nan=False, allow_infinity=False)
leaf_schemas = st.one_of(
    st.builds(
        lambda types: {"type": types}, st.sampled_from(["integer", "number", "string", "object", "array", "null"])
    ),
    st.builds(lambda value: {"const": value}, json_values),
    st.builds(lambda values: {"enum": values}, st.lists(json_values, min_size=1, max_size=3)),
    st.builds(lambda low: {"minimum": low}, numbers),
    st.builds(lambda high: {"exclusiveMaximum": high}, numbers),
    st.builds(lambda step: {"multipleOf": step}, st.sampled_from([0.01, 0.1, 2, 3, 0.5, 1e-5])),
    st.builds(lambda most: {"maxLength": most, "maxItems": most, "maxProperties": most}, st.integers(0, 3)),
    st.builds(lambda least: {"minLength": least, "minItems": least, "minProperties": least}, st.integers(0, 3)),
    st.just({"uniqueItems": True}),
    st.builds(lambda names: {"required": names}, st.lists(st.sampled_from("abcd"), max_size=2, unique=True)),
    st.builds(lambda a, b: {"dependentRequired": {a: [b]}}, st.sampled_from("abcd"), st.sampled_from("abcd")),
    st.builds(lambda name: {"format": name}, st.sampled_from(["int32", "int64", "date", "char", "uuid", "float"])),
    st.builds(
        lambda text: {"pattern": text}, st.sampled_from(["^a", r"\d$", r"[^\s]", "^(a|b)*$", r"\p{Lu}", "a.c", r"\bx"])
    ),
)
small = st.integers(0, 2)
schemas = st.recursive(
    leaf_schemas,
    lambda inner: st.one_of(
        st.builds(lambda parts: {"allOf": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda parts: {"anyOf": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda parts: {"oneOf": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda part: {"not": part}, inner),
        st.builds(lambda part: {"items": part}, inner),
        st.builds(lambda part, rest: {"properties": {"a": part}, "additionalProperties": rest}, inner, inner),
        st.builds(lambda part: {"properties": {"a": part}, "unevaluatedProperties": False}, inner),
        st.builds(lambda a, b, c: {"if": a, "then": b, "else": c}, inner, inner, inner),
        st.builds(lambda a, b: {"prefixItems": [a], "items": b}, inner, inner),
        st.builds(lambda part, most: {"contains": part, "minContains": most, "maxContains": most + 1}, inner, small),
        st.builds(
            lambda a, b: {"patternProperties": {"^a": a, "[ab]": b}, "additionalProperties": False}, inner, inner
        ),
        st.builds(lambda part: {"propertyNames": part}, inner),
        st.builds(lambda name, part: {"dependentSchemas": {name: part}}, st.sampled_from("abcd"), inner),
        st.builds(lambda a, b: {**a, **b}, inner, inner),
        st.just({"$ref": "#/it"}).map(lambda again: {"properties": {"a": again}, "items": again}),
    ),
    max_leaves=5,
)


def schema_of(node):
    document = open_document({"it": node})
    return Schema(f"{document.uri}#/it", node, OAS31, document)


odd_values = st.recursive(
    st.sampled_from([math.nan, math.inf, b"x", Path("x"), "\ud800", "", 2**70, -0.0, True, None, 1.0]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=3),
    max_leaves=4,
)


@settings(max_examples=200, deadline=None)
@given(node=schemas, value=json_values)
def test_both_engines_agree_on_any_json(node, value):
    checker = validator(schema_of(node), "request")
    faults = checker.faults(value, engine="jsonschema")
    assert checker.verdict(value) in {not faults, None}, faults


@settings(max_examples=200, deadline=None)
@given(node=schemas, value=json_values | odd_values)
def test_the_verdict_says_yes_only_where_jsonschema_does(node, value):
    checker = validator(schema_of(node), "request")
    faults = checker.faults(value, engine="jsonschema")
    assert not (checker.verdict(value) and faults), faults
