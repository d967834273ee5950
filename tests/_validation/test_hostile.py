"""Malicious documents and values: each is refused, or takes time in proportion to its size."""

import re
import time

import pytest

from dynclient._schemas import child
from dynclient._validation import validator
from dynclient._validation.evaluation import EvaluationContext, OverBudget
from dynclient.exceptions import InvalidDocument, UnsafeDocument
from dynclient.options import Limits

REF = "#/components/schemas/"
ENGINES = ["jsonschema", "auto"]


def ref(name):
    return {"$ref": f"{REF}{name}"}


def bomb(word, levels, below=None):
    """Each level tries the next one twice."""
    wrap = below or (lambda node: node)
    named = {f"L{n}": {word: [wrap(ref(f"L{n + 1}"))] * 2} for n in range(levels)}
    return {**named, f"L{levels}": {"const": 0}}


@pytest.mark.parametrize("word", ["anyOf", "oneOf", "allOf"])
def test_a_blow_up_within_one_value_is_refused(make, word):
    with pytest.raises(UnsafeDocument, match="steps") as caught:
        validator(make(ref("L0"), **bomb(word, 40)), "request")
    assert caught.value.location.pointer.startswith("/components/schemas/L")


@pytest.mark.parametrize("engine", ENGINES)
def test_a_blow_up_down_a_recursive_value_is_not_felt(make, engine):
    branch = {"properties": {"next": ref("Node")}}
    node = {"anyOf": [{**branch, "required": ["a"]}, {**branch, "required": ["b"]}, {**branch, "required": ["c"]}]}
    value = {"x": 1}
    for _ in range(60):
        value = {"next": value}
    start = time.thread_time()
    assert validator(make(ref("Node"), Node=node), "request").faults(value, engine=engine)
    assert time.thread_time() - start < 5


@pytest.mark.parametrize("word", ["allOf", "anyOf", "oneOf"])
def test_a_blow_up_down_a_chain_of_schemas_is_not_felt(make, word):
    named = bomb(word, 26, lambda node: {"properties": {"next": node}})
    value = 0
    for _ in range(26):
        value = {"next": value}
    checker = validator(make(ref("L0"), **named), "request")
    start = time.thread_time()
    checker.faults(value)
    assert time.thread_time() - start < 5


class Known(dict):
    """What is known of the bundles that came before: to be asked by name, not gone through."""

    def keys(self):
        raise AssertionError("the work for each bundle is that for all before it")

    __iter__ = items = values = keys


def test_a_bundle_costs_nothing_for_those_before_it(make):
    loop = {"type": "object", "properties": {"a": ref("Loop")}}
    schema = make(
        {"properties": {"one": ref("One"), "loop": ref("Loop")}}, One={"items": {"type": "integer"}}, Loop=loop
    )
    first = validator(child(schema, "properties", "one"), "request").bundle.worked_out
    cost = "cost"
    known = {name: Known(getattr(first[cost], name)) for name in ("in_place", "visits")}
    first[cost] = first[cost]._replace(**known, growth=Known())
    assert validator(child(schema, "properties", "loop"), "request").faults({"a": {"a": 5}})
    assert len(first[cost].in_place) > 1
    assert len(first[cost].growth) == 1


CIRCLES = [
    {"A": {"anyOf": [ref("A"), {"type": "string"}]}},
    {"A": {"oneOf": [ref("B")]}, "B": {"allOf": [ref("A")]}},
    {"A": {"not": ref("A")}},
    {"A": {"if": ref("B")}, "B": {"dependentSchemas": {"x": ref("A")}}},
]


@pytest.mark.parametrize("named", CIRCLES)
def test_a_schema_that_contains_itself_is_refused(make, named):
    with pytest.raises(InvalidDocument, match="contains itself"):
        validator(make(ref("A"), **named), "request")


@pytest.mark.parametrize("engine", ENGINES)
def test_a_recursive_schema_is_none(make, engine):
    tree = {"type": "object", "properties": {"n": {"type": "integer"}, "left": ref("Tree"), "right": ref("Tree")}}
    checker = validator(make(ref("Tree"), Tree=tree), "request")
    assert checker.faults({"left": {"right": {"n": 1}}}, engine=engine) == []
    assert checker.faults({"left": {"right": {"n": "1"}}}, engine=engine)


def nested(levels, leaf=None):
    value = leaf
    for _ in range(levels):
        value = {"next": value}
    return value


DEEP = {
    "recursive": {"type": ["object", "null"], "properties": {"next": {"$ref": f"{REF}Deep"}}},
    "compared": {"uniqueItems": True, "properties": {"next": {"enum": [{}]}}},
    "anything": {},
}


@pytest.mark.parametrize("levels", [500, 100_000])
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", DEEP)
def test_deep_values_are_faults_at_most(make, name, engine, levels):
    value = nested(levels)
    faults = validator(make(ref("Deep"), Deep=DEEP[name]), "request").faults(value, engine=engine)
    assert [fault.message for fault in faults] == (
        [] if name == "anything" else ["is nested more than 128 levels deep"]
    )
    while isinstance(value, dict):  # free it without recursion
        value = value["next"]


def test_values_as_deep_as_allowed_are_checked(make):
    node = {"type": ["object", "null"], "properties": {"next": ref("Deep")}}
    for engine in ENGINES:
        assert validator(make(ref("Deep"), Deep=node), "request").faults(nested(127), engine=engine) == []


def test_what_python_can_not_follow_is_a_fault(make):
    node = {"allOf": [{"allOf": [{"allOf": [{"properties": {"next": ref("Deep")}}]}]}]}
    checker = validator(make(ref("Deep"), Deep=node), "request")
    faults = checker.faults(nested(127), engine="jsonschema")
    assert [fault.message for fault in faults] in ([], ["is nested too deep to be checked"])


@pytest.mark.parametrize(("levels", "refused"), [(60, False), (400, True), (5_000, True)])
def test_deep_schemas(make, levels, refused):
    node = {"type": "integer"}
    for _ in range(levels):
        node = {"properties": {"next": node}}
    schema = make({}, Deep={})._replace(value=node)
    if refused:
        with pytest.raises(UnsafeDocument, match="levels deep"):
            validator(schema, "request")
        return
    for engine in ENGINES:
        assert validator(schema, "request").faults(nested(levels, 1), engine=engine) == []
        (fault,) = validator(schema, "request").faults(nested(levels, "x"), engine=engine)
        assert fault.path.count(".next") == levels


def test_long_chains_of_references(make):
    named = {f"L{n}": ref(f"L{n + 1}") for n in range(5_000)}
    assert validator(make(ref("L0"), **named, L5000={"type": "string"}), "request").faults("x") == []
    named = {f"L{n}": {"allOf": [ref(f"L{n + 1}")], "type": "object"} for n in range(3_000)}
    with pytest.raises(UnsafeDocument, match="refer to each other"):
        validator(make(ref("L0"), **named, L3000={}), "request")
    wide = {"type": "object", "properties": {f"p{n}": ref("L0") for n in range(50)}}
    assert validator(make(ref("L0"), L0=wide), "request").faults({"p1": {"p2": {}}}) == []


def test_large_arrays_of_distinct_objects_take_no_square_of_time(make):
    value = [{"id": n, "tags": [n, str(n)]} for n in range(20_000)]
    start = time.thread_time()
    assert validator(make({"uniqueItems": True}), "request").faults(value, engine="jsonschema") == []
    assert time.thread_time() - start < 5


def test_large_values_have_a_large_budget(make):
    node = {"type": "array", "items": {"type": "object", "properties": {"n": {"type": "integer", "minimum": 0}}}}
    limits = Limits(validation_steps=100)
    value = [{"n": n} for n in range(2_000)]
    assert validator(make(node), "request", limits=limits).faults(value, engine="jsonschema") == []


def test_the_budget_ends():
    context = EvaluationContext(1, steps=10, pattern_length=1, is_dynamic=False)
    with pytest.raises(OverBudget):
        all(context.step() is None for _ in range(10_000))


MALFORMED = [
    ({"type": "String"}, "type", "'String', and must be one of array, boolean, .*; did you mean string"),
    ({"type": ["string", "Null"]}, "type", r"\['string', 'Null'\], and must be one of"),
    ({"minLength": "3"}, "minLength", "'3', and must be a whole number from 0"),
    ({"properties": []}, "properties", r"is \[\]"),
    ({"properties": {"a": "text"}}, "properties", "'a' is not a schema, but 'text'"),
    ({"properties": {"$ref": "#/x"}}, "properties", r"`\$ref` leads to no map of schemas"),
    ({"patternProperties": {"$ref": 5}}, "patternProperties", r"'\$ref' is not a schema, but 5"),
    ({"allOf": {}}, "allOf", "is an object"),
    ({"enum": "a"}, "enum", "is 'a'"),
    ({"items": 5}, "items", "is 5, and must be a schema"),
    ({"pattern": ["a"]}, "pattern", "must be a string"),
    ({"$ref": 5}, "$ref", "is 5"),
    ({"multipleOf": 0}, "multipleOf", "is 0"),
]


@pytest.mark.parametrize(("node", "word", "text"), MALFORMED)
def test_words_that_make_no_sense(make, node, word, text):
    with pytest.raises(InvalidDocument, match=f"is malformed.*{text}") as caught:
        validator(make(node), "request")
    assert caught.value.location.pointer == f"/x-here/{word}"


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("below", ["properties", "patternProperties", "items", "additionalProperties", "reference"])
@pytest.mark.parametrize(("node", "word", "text"), MALFORMED)
def test_what_does_not_use_a_broken_part_can_be_validated(make, node, word, text, below, engine):
    schema = {below: {"p": node} if below in {"properties", "patternProperties"} else node}
    if below == "reference":
        schema = {"properties": {"p": ref("P")}}
    check = validator(make({**schema, "required": ["x"]}, P=node), "request")
    unused, used = ([], [1]) if below == "items" else ({"x": 1}, {"x": 1, "p": 1})
    if below == "additionalProperties":
        check = validator(make({**schema, "properties": {"x": {}}}), "request")
    assert check.faults(unused, engine=engine) == []
    [fault] = check.faults(used, engine=engine)
    assert re.search(f"^can't be checked, since the document is wrong: .* is malformed.*{text}", fault.message)
    assert [error.location.pointer.rpartition("/")[2] for error in check.unchecked] == [word]
    assert validator(make(schema, P=node), "response").faults(used, engine=engine) == []


@pytest.mark.parametrize("word", ["properties", "patternProperties"])
def test_a_reference_in_place_of_a_map_of_schemas_is_followed(make, word):
    maps = {"First": ref("Second"), "Second": {"a": ref("One")}, "One": {"type": "integer"}}
    check = validator(make({word: ref("First")}, **maps), "request")
    assert check.faults({"a": 1}) == []
    [fault] = check.faults({"a": "b"})
    assert (fault.path, fault.location.pointer) == ("$.a", "/components/schemas/One/type")


def test_required_as_draft_3_had_it_is_borne(make):
    assert validator(make({"properties": {"a": {"type": "string", "required": True}}}), "request").faults({}) == []


@pytest.mark.parametrize("uri", ["https://evil.example/schema", "http://json-schema.org/draft-07/schema#", "urn:x"])
def test_schema_and_id_are_never_fetched(make, uri, monkeypatch):
    import socket

    monkeypatch.setattr(socket, "socket", None)
    node = {"$schema": uri, "$id": "https://evil.example/id", "type": "object", "properties": {"a": {"type": "string"}}}
    for engine in ENGINES:
        checker = validator(make(node), "request")
        assert checker.faults({"a": "x"}, engine=engine) == []
        assert "evil" not in str(checker.bundle.schema)


@pytest.mark.parametrize("engine", ENGINES)
def test_an_integer_of_too_many_digits_is_a_fault_at_most(make, engine):
    (fault,) = validator(make({"type": "string"}), "request").faults(10**5000, engine=engine)
    assert fault.message == "has an integer of too many digits to be checked"
    assert validator(make({"minimum": 3}), "request").faults(10**5000, engine=engine) == []


def test_long_values_cost_steps_and_leave_no_text_behind(make):
    branch = {"properties": {"next": ref("Node")}, "required": ["a"]}
    schema = make(ref("Node"), Node={"anyOf": [branch, {**branch, "required": ["b"]}]})
    value = nested(40, "x" * 1_000_000)
    start = time.thread_time()
    (fault, *_) = validator(schema, "request").faults(value, engine="jsonschema")
    assert "xxx" not in fault.message
    assert time.thread_time() - start < 5
    (fault,) = validator(schema, "request", limits=Limits(validation_steps=1_000)).faults(value, engine="jsonschema")
    assert fault.message == "takes more steps to check than are allowed"
