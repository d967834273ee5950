import io
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from dynclient._document.references import open_document
from dynclient._validation import validator
from dynclient.dialects import OAS31
from dynclient.model import Schema
from dynclient.options import Limits

CALL = {
    "type": "object",
    "required": ["to", "from"],
    "additionalProperties": False,
    "properties": {
        "to": {"type": "string", "pattern": "^[+][0-9]+$"},
        "from": {"type": "string"},
        "url": {"type": "string", "format": "uri", "maxLength": 2048},
        "timeout": {"type": "number", "minimum": 1, "maximum": 300},
        "tags": {"type": "array", "items": {"type": "string", "minLength": 2}, "uniqueItems": True},
        "machineDetection": {"type": "object", "properties": {"mode": {"enum": ["sync", "async"]}}},
        "odd key": {"type": "boolean"},
        "callback": {"type": ["string", "null"]},
    },
}

CALLED = {"to": "+1", "from": "a"}
MESSAGES = [
    ({"from": "a"}, [("$.to", "is required", "required")]),
    ({**CALLED, "fron": 1}, [("$.fron", "is not allowed", "additionalProperties")]),
    (
        {"to": "1", "from": 5},
        [
            ("$.to", "does not match the pattern '^[+][0-9]+$'", "pattern"),
            ("$.from", "must be a string, not an integer", "type"),
        ],
    ),
    ({**CALLED, "timeout": 301}, [("$.timeout", "must be at most 300", "maximum")]),
    (
        {**CALLED, "url": "http://x/" + "a" * 2040},
        [("$.url", "has 2049 characters, at most 2048 are allowed", "maxLength")],
    ),
    ({**CALLED, "url": "no uri"}, [("$.url", "is not a URI", "format")]),
    (
        {**CALLED, "machineDetection": {"mode": "x"}},
        [("$.machineDetection.mode", "is not one of 'sync', 'async'", "enum")],
    ),
    (
        {**CALLED, "tags": ["ab", "c", "ab"]},
        [
            ("$.tags[2]", "is the same as item 0, all must differ", "uniqueItems"),
            ("$.tags[1]", "has 1 character, at least 2 needed", "minLength"),
        ],
    ),
    ({**CALLED, "odd key": 1}, [("$['odd key']", "must be a boolean, not an integer", "type")]),
    ({**CALLED, "callback": 1.5}, [("$.callback", "must be a string or null, not a number", "type")]),
    ("text", [("$", "must be an object, not a string", "type")]),
]


@pytest.mark.parametrize(("value", "expected"), MESSAGES)
def test_messages_and_paths(make, value, expected):
    faults = validator(make(CALL), "request").faults(value)
    assert [(fault.path, fault.message, fault.keyword) for fault in faults] == expected


def test_a_fault_names_the_place_in_the_document(tmp_path):
    text = "components:\n  schemas:\n    Call:\n      properties:\n        to:\n          maxLength: 3\n"
    path = tmp_path / "voice.yaml"
    path.write_text(text, encoding="utf-8")
    document = open_document(path)
    schema = Schema(
        f"{document.uri}#/components/schemas/Call", document.root["components"]["schemas"]["Call"], OAS31, document
    )
    (fault,) = validator(schema, "request").faults({"to": "12345"})
    assert fault.location.document.endswith("voice.yaml")
    assert fault.location.pointer == "/components/schemas/Call/properties/to/maxLength"
    assert fault.location.line == 6
    assert fault.value_type == "string"


def test_no_message_shows_a_value(make):
    node = {
        "properties": {
            "a": {"type": "integer", "enum": [1]},
            "b": {"const": "x"},
            "c": {"pattern": "^x$", "format": "date", "maxLength": 1},
            "d": {"not": {"type": "string"}},
            "e": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
            "f": {"items": {"maximum": 1}, "contains": {"const": 0}, "maxItems": 0},
        },
    }
    secret = "hunter2-secret"
    value = {**dict.fromkeys("abcde", secret), "f": [4711]}
    faults = validator(make(node), "request").faults(value)
    assert len(faults) >= 8
    assert not any(secret in str(fault) or "4711" in fault.message for fault in faults)


# schema of the property, its name, value, what is shown of it
VALUES = [
    ({"type": "integer"}, "page", "3", "'3'"),
    ({"type": "integer"}, "page", True, "true"),
    ({"type": "boolean"}, "on", 1, "1"),
    ({"enum": ["a", "b"]}, "kind", "new", "'new'"),
    ({"const": 1}, "kind", 2, "2"),
    ({"maximum": 10}, "size", 11, "11"),
    ({"multipleOf": 0.5}, "size", 0.3, "0.3"),
    ({"format": "date"}, "day", "2024-13-01", "'2024-13-01'"),
    ({"items": {"type": "integer"}}, "ids", ["x"], "'x'"),
    ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "page", "x", "'x'"),
    # What wants any text may be a secret, and so may what is called so, or is long.
    ({"type": "string"}, "pin", 1234, ""),
    ({"type": "string", "maxLength": 3}, "pin", "hunter2", ""),
    ({"pattern": "^x$"}, "pin", "hunter2", ""),
    ({"type": "integer"}, "api_key", "hunter2", ""),
    ({"type": "integer", "format": "password"}, "pin", "hunter2", ""),
    ({"enum": ["a"]}, "access-token", "hunter2", ""),
    ({"items": {"enum": ["a"]}}, "secret", ["hunter2"], ""),
    ({"type": "integer"}, "page", "a longer text", ""),
    ({"type": "integer"}, "page", {"a": 1}, ""),
]


@pytest.mark.parametrize(("node", "name", "value", "shown"), VALUES)
def test_a_short_value_that_is_no_secret_is_shown_beside_the_message(make, node, name, value, shown):
    (fault,) = validator(make({"properties": {name: node}}), "request").faults({name: value})
    assert fault.value == shown
    assert (f"(it is {shown})" if shown else fault.message) in str(fault)
    assert "hunter2" not in str(fault)


def test_a_given_path_goes_before(make):
    (fault,) = validator(make({"type": "array", "items": {"type": "integer"}}), "request").faults(
        ["x"], path="header.X-Ids"
    )
    assert fault.path == "header.X-Ids[0]"


def test_at_most_so_many(make):
    node = {"type": "array", "items": {"type": "integer"}}
    assert len(validator(make(node), "request").faults(["x"] * 100)) == Limits().errors
    assert len(validator(make(node), "request", limits=Limits(errors=3)).faults(["x"] * 100)) == 3


CHOICES = [
    (
        {"anyOf": [{"type": "string", "maxLength": 3}, {"type": "integer", "maximum": 3}]},
        5,
        [("$", "must be at most 3")],
    ),
    ({"anyOf": [{"type": "string"}, {"type": "integer"}]}, None, [("$", "must be a string or an integer, not null")]),
    (
        {
            "oneOf": [
                {"type": "object", "required": ["a"], "properties": {"kind": {"const": "a"}, "a": {"type": "integer"}}},
                {"type": "object", "required": ["b"], "properties": {"kind": {"const": "b"}, "b": {"type": "integer"}}},
            ]
        },
        {"kind": "b", "b": "x"},
        [("$.b", "must be an integer, not a string")],
    ),
    (
        {"oneOf": [{"minimum": 1}, {"minimum": 2}]},
        3,
        [("$", "matches more than one of 2 schemas, only one is allowed")],
    ),
    (
        {"anyOf": [{"minimum": 5}, {"maximum": 1}]},
        3,
        [("$", "matches none of 2 schemas: $ must be at least 5; or $ must be at most 1")],
    ),
    ({"not": {"type": "string"}}, "x", [("$", "matches a schema that it must not match")]),
]


@pytest.mark.parametrize(("node", "value", "expected"), CHOICES)
def test_the_branch_that_was_meant_is_reported(make, node, value, expected):
    faults = validator(make(node), "request").faults(value)
    assert [(fault.path, fault.message) for fault in faults] == expected


FILES = [b"x", Path("a.wav"), io.BytesIO(b"x"), ("a.wav", b"x"), ("a.wav", b"x", "audio/wav"), ET.Element("Bxml")]


@pytest.mark.parametrize("file", FILES, ids=lambda file: type(file).__name__)
def test_files_stand_where_strings_may(make, file):
    node = {
        "type": "object",
        "required": ["name"],
        "properties": {
            "file": {"type": "string", "maxLength": 1, "format": "date", "enum": ["x"]},
            "n": {"type": "integer"},
        },
    }
    checker = validator(make(node), "request")
    assert checker.faults({"name": "a", "file": file}) == []
    assert [fault.path for fault in checker.faults({"file": file, "n": file})] == ["$.name", "$.n"]


def test_validators_are_made_once(make):
    schema = make({"$ref": "#/components/schemas/A"}, A={"type": "string"})
    named = Schema(
        f"{schema.uri.partition('#')[0]}#/components/schemas/A", {"type": "string"}, OAS31, schema.references
    )
    assert validator(schema, "request") is validator(schema, "request") is validator(named, "request")
    assert validator(schema, "request") is not validator(schema, "response")


def test_a_document_takes_its_validators_with_it(make):
    import gc
    import weakref

    document = open_document({"it": CALL})
    validator(Schema(f"{document.uri}#/it", CALL, OAS31, document), "request").faults({})
    gone = weakref.ref(document)
    del document
    gc.collect()
    assert gone() is None
