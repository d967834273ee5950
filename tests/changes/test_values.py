"""Random pairs of schemas: a value that jsonschema refuses only after a change is never reported as harmless."""

from __future__ import annotations

import os
import random
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

import dynclient
from dynclient.changes import compare

PAIRS = int(os.environ.get("DYNCLIENT_PAIRS", "150"))
VALUES: list[Any] = [None, True, False, 0, 1, 2, 3, 5, -1, 1.5, "", "a", "ab", "abc", "b", [], {}]
VALUES += [[one] for one in VALUES[:14]] + [[1, 1], ["a", "a"], ["a", 1], [1, "a"], ["a", "b", "c"], [[], {}]]
VALUES += [{name: one} for name in ("a", "b") for one in VALUES[:14]]
VALUES += [{"a": one, "b": other} for one in ("a", 1, None) for other in ("a", 1, None)]
VALUES += [{"c": 1}, {"x-1": 1}, {"x-1": "a"}, {"a": {"a": 1}}, {"a": ["a"]}, {"a": "a", "b": 1, "c": 2}, [{"a": 1}]]

S, I = {"type": "string"}, {"type": "integer"}  # noqa: E741 - short, since there are many
KEYWORDS: list[dict[str, Any]] = [
    {"type": "string"}, {"type": "integer"}, {"type": "number"}, {"type": ["string", "null"]}, {"type": "object"},
    {"type": "array"}, {"type": "boolean"}, {"enum": ["a", 1]}, {"enum": ["a", None]}, {"enum": ["a"]}, {"const": "a"},
    {"const": 1}, {"minimum": 1}, {"maximum": 2}, {"exclusiveMinimum": 1}, {"exclusiveMaximum": 3}, {"multipleOf": 2},
    {"multipleOf": 0.5}, {"minLength": 1}, {"maxLength": 2}, {"pattern": "^a"}, {"format": "date"}, {"minItems": 1},
    {"maxItems": 1}, {"uniqueItems": True}, {"items": S}, {"items": I}, {"prefixItems": [S]}, {"prefixItems": [S, I]},
    {"contains": S}, {"contains": I, "minContains": 2}, {"contains": S, "maxContains": 1},
    {"prefixItems": [S], "unevaluatedItems": False}, {"prefixItems": [S], "items": False}, {"properties": {"a": S}},
    {"properties": {"a": I, "b": S}}, {"properties": {"a": S}, "additionalProperties": False}, {"required": ["a"]},
    {"additionalProperties": S}, {"additionalProperties": False}, {"patternProperties": {"^x-": S}},
    {"propertyNames": {"pattern": "^[ab]$"}}, {"minProperties": 1}, {"maxProperties": 1},
    {"dependentRequired": {"a": ["b"]}}, {"dependentSchemas": {"a": {"required": ["b"]}}},
    {"if": {"required": ["a"]}, "then": {"required": ["b"]}}, {"if": S, "then": {"minLength": 2}, "else": I},
    {"not": {"required": ["a"]}}, {"not": S}, {"not": {"const": "a"}}, {"anyOf": [S, I]},
    {"anyOf": [{"required": ["a"]}, {"required": ["b"]}]}, {"oneOf": [S, {"minLength": 1}]}, {"oneOf": [S, I]},
    {"oneOf": [{"type": "number"}, I]}, {"allOf": [S, {"maxLength": 1}]},
    {"properties": {"a": S}, "unevaluatedProperties": False}, {"anyOf": [{"type": "null"}, S]},
    {"anyOf": [{"properties": {"a": S}}, {"properties": {"b": I}}]},
]  # fmt: skip


def drawn(rng: random.Random, depth: int = 0) -> dict[str, Any]:
    """A schema of one to three of the keywords, some of them with another such schema below."""
    made: dict[str, Any] = {}
    for _ in range(rng.choice((1, 1, 2, 3))):
        made.update(rng.choice(KEYWORDS))
    if depth == 0 and rng.random() < 0.4:
        below = drawn(rng, 1)
        made.update(
            rng.choice(
                (
                    {"properties": {"a": below}}, {"items": below}, {"allOf": [below]},
                    {"anyOf": [below, drawn(rng, 1)]},
                    {"oneOf": [below, drawn(rng, 1)]}, {"not": below}, {"additionalProperties": below},
                )
            )
        )  # fmt: skip
    return made


def changed(rng: random.Random, schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with one keyword more, or one less, or another schema."""
    if rng.random() < 0.3:
        return drawn(rng)
    if rng.random() < 0.5 and len(schema) > 1:
        left = rng.choice([*schema])
        return {key: value for key, value in schema.items() if key != left}
    return {**schema, **rng.choice(KEYWORDS)}


def document(sent: Any, received: Any) -> dict[str, Any]:
    operation = {
        "operationId": "op",
        "requestBody": {"content": {"application/json": {"schema": {"type": "array", "prefixItems": [sent]}}}},
        "responses": {"200": {"description": "", "content": {"application/json": {"schema": received}}}},
    }
    paths = {"/a": {"post": operation}}
    return {"openapi": "3.1.0", "info": {"title": "T", "version": "1"}, "paths": paths}


def severities(old: Any, new: Any) -> tuple[str, str]:
    """The worst severity of a change in a request, and in a response."""
    found = list(compare(*(dynclient.load(document(each, each)).api for each in (old, new))))
    order = ("breaking", "warning", "info")
    worst = ([change.severity for change in found if change.id.startswith(side)] for side in ("request-", "response-"))
    return tuple(next((it for it in order if it in ranks), "none") for ranks in worst)  # type: ignore[return-value]


BELOW = ("properties", "patternProperties", "additionalProperties", "unevaluatedProperties", "items", "prefixItems")
BELOW += ("unevaluatedItems", "contains")


def known_names(schema: Any, level: int = 0) -> set[tuple[int, str]]:
    """The names of properties that a schema has anywhere, each with its level in a value."""
    if isinstance(schema, list):
        return {name for item in schema for name in known_names(item, level)}
    if not isinstance(schema, dict):
        return set()
    own = {*schema.get("properties", ()), *schema.get("required", ()), *schema.get("dependentSchemas", ())}
    own |= {*schema.get("dependentRequired", ())}
    below = (known_names(value, level + (key in BELOW)) for key, value in schema.items() if key != "properties")
    inner = known_names([*schema.get("properties", {}).values()], level + 1)
    return {(level, name) for name in own} | inner.union(*below)


def used_names(value: Any, level: int = 0) -> set[tuple[int, str]]:
    if isinstance(value, list):
        return {name for item in value for name in used_names(item, level + 1)}
    if not isinstance(value, dict):
        return set()
    return {(level, name) for name in value}.union(*(used_names(item, level + 1) for item in value.values()))


def lost(one: Any, other: Any) -> list[Any]:
    """Values that are valid by one schema and not by the other. Names that only the other has do not count."""
    before, after = (Draft202012Validator(each, format_checker=FormatChecker()) for each in (one, other))
    new = known_names(other) - known_names(one)
    return [
        value
        for value in VALUES
        if before.is_valid(value) and not after.is_valid(value) and not used_names(value) & new
    ]


def check(old: Any, new: Any) -> None:
    sent, received = severities(old, new)
    refused, added = lost(old, new), lost(new, old)
    assert not refused or sent in {"breaking", "warning"}, (old, new, "request", sent, refused[:3])
    assert not added or received in {"breaking", "warning"}, (old, new, "response", received, added[:3])


@pytest.mark.parametrize("keywords", KEYWORDS, ids=",".join)
def test_each_keyword_that_appears_or_goes_is_decided(keywords: dict[str, Any]):
    """Where one keyword is added, what is refused is breaking: that can be decided."""
    sent, received = severities({}, keywords)
    back_sent, back_received = severities(keywords, {})
    refused = bool(lost({}, keywords))
    assert (sent == "breaking") >= refused, (keywords, sent)
    assert (back_received == "breaking") >= refused, (keywords, back_received)
    # A property that goes is an argument that goes.
    assert known_names(keywords) or "breaking" not in {received, back_sent}, (keywords, received, back_sent)


@pytest.mark.parametrize("part", range(10))
def test_random_changes(part: int):
    """As many as DYNCLIENT_PAIRS says; ``make nightly`` has 20,000."""
    rng = random.Random(part)
    for _ in range(PAIRS // 10):
        old = drawn(rng)
        check(old, changed(rng, old))
