"""Big documents share schemas among all their operations; a comparison looks at each pair of them once."""

from __future__ import annotations

import time

import pytest

import dynclient
from dynclient.changes import compare, schemas

SCHEMAS, OPERATIONS = 100, 30


def document(deep: dict[str, object]) -> dict[str, object]:
    """Operations whose responses reach every schema; the last one of them has the property ``deep``."""

    def schema(number: int) -> dict[str, object]:
        near = {f"to_{step}": {"$ref": f"#/components/schemas/S{(number * 2 + step) % SCHEMAS}"} for step in range(6)}
        return {"type": "object", "properties": {**near, **(deep if number == SCHEMAS - 1 else {})}}

    def operation(number: int) -> dict[str, object]:
        content = {"application/json": {"schema": {"$ref": f"#/components/schemas/S{number}"}}}
        return {"operationId": f"op{number}", "responses": {"200": {"description": "", "content": content}}}

    return {
        "openapi": "3.1.0",
        "info": {"title": "Shared", "version": "1"},
        "paths": {f"/{number}": {"get": operation(number)} for number in range(OPERATIONS)},
        "components": {"schemas": {f"S{number}": schema(number) for number in range(SCHEMAS)}},
    }


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({}, {}, 0),
        ({"deep": {"type": "string"}}, {"deep": {"type": "integer"}}, OPERATIONS),
    ],
)
def test_shared_schemas_are_compared_once(before, after, expected):
    old, new = dynclient.load(document(before)).api, dynclient.load(document(after)).api
    begun = time.process_time()
    found = compare(old, new)
    assert len(found) == expected
    # Each walked anew from every operation, they take five times as long and more.
    assert time.process_time() - begun < 2


def one_schema(schema: dict[str, object]) -> dict[str, object]:
    content = {"application/json": {"schema": schema}}
    operation = {"operationId": "op", "responses": {"200": {"description": "", "content": content}}}
    return {"openapi": "3.1.0", "info": {"title": "One", "version": "1"}, "paths": {"/": {"post": operation}}}


def union(lengths: list[int], offset: int, number: int = 0) -> dict[str, object]:
    """Unions within unions, of so many branches at each level; each branch has a bound of its own."""
    if not lengths:
        return {"type": "string", "maxLength": offset + number}
    below = (union(lengths[1:], offset, number * lengths[0] + index) for index in range(lengths[0]))
    return {"anyOf": [{"type": "object", "required": ["a"], "properties": {"a": branch}} for branch in below]}


@pytest.mark.parametrize("lengths", [[20, 20], [5, 5, 5], pytest.param([3, 3, 3, 3], marks=pytest.mark.large), [400]])
def test_unions_within_unions_are_compared_in_time(lengths):
    old, new = (dynclient.load(one_schema(union(lengths, offset))).api for offset in (1, 6))
    begun = time.process_time()
    assert len(compare(old, new)) > 0
    assert time.process_time() - begun < 12


@pytest.mark.parametrize("count", [20, pytest.param(60, marks=pytest.mark.large)])
@pytest.mark.parametrize("keyword", ["oneOf", "anyOf"])
def test_branches_with_a_discriminator_are_compared_in_time(keyword, count):
    def made(longest: int) -> dict[str, object]:
        kind = {"kind": {"type": "string"}}
        found = {f"T{it}": {"properties": {**kind, f"v{it}": {"maxLength": longest + it}}} for it in range(count)}
        branches = [{"$ref": f"#/components/schemas/{name}"} for name in found]
        schema = {keyword: branches, "discriminator": {"propertyName": "kind"}}
        return {**one_schema(schema), "components": {"schemas": found}}

    old, new = (dynclient.load(made(longest)).api for longest in (5, 6))
    begun = time.process_time()
    assert [change.id for change in compare(old, new)] == ["response-max-length-widened"] * count
    assert time.process_time() - begun < 12


def test_equal_branches_in_another_order_are_no_change():
    branches = union([30], 1)["anyOf"]
    old, new = ({"anyOf": each} for each in (branches, branches[::-1]))
    assert not [*compare(dynclient.load(one_schema(old)).api, dynclient.load(one_schema(new)).api)]


def test_schemas_that_join_properties_with_themselves_end():
    """Each level of `p` joins the same schemas as the level above."""

    def made(longest: int) -> dict[str, object]:
        below = {"type": "object", "properties": {"p": {"type": "object"}, "q": {"maxLength": longest}}}
        node = {"properties": {"p": {"allOf": [below, {"$ref": "#/components/schemas/Node"}]}}}
        return {**one_schema({"$ref": "#/components/schemas/Node"}), "components": {"schemas": {"Node": node}}}

    old, new = (dynclient.load(made(longest)).api for longest in (5, 6))
    begun = time.process_time()
    assert [change.id for change in compare(old, new)] == ["response-max-length-widened"]
    assert time.process_time() - begun < 2


def test_what_is_too_large_to_be_compared_is_told(monkeypatch):
    monkeypatch.setattr(schemas, "BUDGET", 5)
    old, new = (dynclient.load(one_schema(union([3, 3], offset))).api for offset in (1, 6))
    assert "response-not-compared" in {change.id for change in compare(old, new).breaking}
