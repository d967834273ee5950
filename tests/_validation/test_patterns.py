"""Patterns of schemas: they never make a schema unusable."""

import time

import pytest

from dynclient._validation import validator
from dynclient.exceptions import InvalidDocument, UnsafeDocument
from dynclient.options import Limits

UNBOUNDED = r"^(a+)+\1$"


@pytest.mark.parametrize("source", [UNBOUNDED, "(", "[a", "a++", r"\p{Nonsense}", "(?>a)"])
@pytest.mark.parametrize("keyword", ["pattern", "patternProperties"])
def test_a_pattern_that_can_not_be_evaluated_is_not_checked(make, source, keyword, caplog):
    node = {"type": "string", "pattern": source} if keyword == "pattern" else {"patternProperties": {source: {}}}
    checker = validator(make({"properties": {"p": node}}), "request")
    (unchecked,) = checker.unchecked
    assert isinstance(unchecked, UnsafeDocument if source == UNBOUNDED else InvalidDocument)
    assert unchecked.location.pointer.startswith(f"/x-here/properties/p/{keyword}")
    assert caplog.text.count("is not checked") == 1
    assert f"#/x-here/properties/p/{keyword}" in caplog.text
    assert checker.faults({"p": "b" if keyword == "pattern" else {"b": 1}}) == []
    assert checker.faults({"p": 5}) == [] if keyword == "patternProperties" else checker.faults({"p": 5})


@pytest.mark.parametrize("engine", ["jsonschema", "auto"])
@pytest.mark.parametrize(
    ("node", "value"),
    [
        ({"not": {"pattern": UNBOUNDED}}, "x"),
        ({"not": {"not": {"pattern": UNBOUNDED}}}, "x"),
        ({"oneOf": [{"pattern": UNBOUNDED}, {"type": "string"}]}, "x"),
        ({"anyOf": [{"pattern": UNBOUNDED}, {"type": "null"}]}, "x"),
        ({"if": {"pattern": UNBOUNDED}, "then": False}, "x"),
        ({"if": {"pattern": UNBOUNDED}, "else": False}, "x"),
        ({"contains": {"pattern": UNBOUNDED}, "maxContains": 1}, ["x", "y"]),
        ({"patternProperties": {UNBOUNDED: False}, "additionalProperties": False}, {"x": 1}),
        ({"patternProperties": {UNBOUNDED: False}, "unevaluatedProperties": False}, {"x": 1}),
        ({"propertyNames": {"pattern": UNBOUNDED}}, {"x": 1}),
    ],
)
def test_what_depends_on_a_pattern_that_is_not_checked_is_not_a_fault(make, node, value, engine):
    assert validator(make(node), "request").faults(value, engine=engine) == []
    named = {"$ref": "#/components/schemas/Named"}
    twice = {"properties": {"a": named, "b": named}}
    assert validator(make(twice, Named=node), "request").faults({"a": value, "b": value}, engine=engine) == []


def test_a_pattern_is_warned_of_once_for_a_document(make, caplog):
    schema = make({"properties": {"a": {"pattern": "("}, "b": {"pattern": "("}}})
    validator(schema, "request")
    validator(schema, "response")
    assert caplog.text.count("is not checked") == 1


def test_a_long_pattern_is_checked_where_the_limits_allow(make):
    node = {"pattern": "^(" + "a*b" * 200 + ")$"}
    assert validator(make(node), "request").faults("x") == []
    assert validator(make(node), "request", limits=Limits(pattern_length=1_000)).faults("x")


def test_a_text_too_long_for_a_pattern_is_not_checked(make, caplog):
    checker = validator(make({"pattern": r"^(.*)z(.*)\1$"}), "request")
    assert checker.faults("aza") == []
    assert checker.faults("b")
    for engine in ("jsonschema", "auto"):
        assert validator(make({"pattern": r"^(.*)z(.*)\1$"}), "request").faults("a" * 100_000, engine=engine) == []
    assert caplog.text.count("not checked for some texts") == 1


@pytest.mark.parametrize("engine", ["jsonschema", "auto"])
def test_many_texts_take_no_longer_than_one(make, engine):
    slow = {"items": {"pattern": "((?!b)a)*a$"}}
    start = time.thread_time()
    assert validator(make(slow), "request").faults(["a" * 5_000 + "c"] * 200, engine=engine)
    assert validator(make(slow), "request").faults(["ba"] * 2_000, engine=engine) == []
    assert validator(make(slow), "request").faults([*["ba"] * 2_000, "b"], engine=engine)
    assert time.thread_time() - start < 10
