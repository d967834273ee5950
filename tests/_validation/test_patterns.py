"""Patterns of schemas: they never make a schema unusable."""

import pytest

from dynclient._validation import validator
from dynclient.exceptions import InvalidDocument, UnsafeDocument

UNBOUNDED = r"^(a+)+\1$"


@pytest.mark.parametrize("source", [UNBOUNDED, "(", "[a", "a++", r"\p{Nonsense}", "(?>a)"])
@pytest.mark.parametrize("keyword", ["pattern", "patternProperties"])
def test_a_pattern_that_can_not_be_evaluated_is_not_checked(make, source, keyword, caplog):
    node = {"type": "string", "pattern": source} if keyword == "pattern" else {"patternProperties": {source: {}}}
    checker = validator(make({"properties": {"p": node}}), "request")
    (unchecked,) = checker.unchecked
    assert isinstance(unchecked, UnsafeDocument if source == UNBOUNDED else InvalidDocument)
    assert unchecked.place.pointer.startswith(f"/x-here/properties/p/{keyword}")
    assert caplog.text.count("is not checked") == 1
    assert f"#/x-here/properties/p/{keyword}" in caplog.text
    assert checker.faults({"p": "b" if keyword == "pattern" else {"b": 1}}) == []
    assert checker.faults({"p": 5}) == [] if keyword == "patternProperties" else checker.faults({"p": 5})


@pytest.mark.parametrize("engine", ["jsonschema", None])
@pytest.mark.parametrize(
    ("node", "value"),
    [
        ({"not": {"not": {"pattern": UNBOUNDED}}}, "x"),
        ({"anyOf": [{"pattern": UNBOUNDED}, {"type": "null"}]}, "x"),
        ({"if": {"pattern": UNBOUNDED}, "else": False}, "x"),
        ({"patternProperties": {UNBOUNDED: False}, "additionalProperties": False}, {"x": 1}),
        ({"patternProperties": {UNBOUNDED: False}, "unevaluatedProperties": False}, {"x": 1}),
        ({"propertyNames": {"pattern": UNBOUNDED}}, {"x": 1}),
    ],
)
def test_what_depends_on_a_pattern_that_is_not_checked_is_not_a_fault(make, node, value, engine):
    for _ in range(10):
        assert validator(make(node), "request", engine=engine).faults(value) == []
    named = {"$ref": "#/components/schemas/Named"}
    twice = {"properties": {"a": named, "b": named}}
    assert validator(make(twice, Named=node), "request", engine=engine).faults({"a": value, "b": value}) == []


def test_a_pattern_is_warned_of_once_for_a_document(make, caplog):
    schema = make({"properties": {"a": {"pattern": "("}, "b": {"pattern": "("}}})
    validator(schema, "request")
    validator(schema, "response")
    assert caplog.text.count("is not checked") == 1
