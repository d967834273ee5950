"""Big documents share schemas among all their operations; a comparison looks at each pair of them once."""

from __future__ import annotations

import time

import pytest

import dynclient
from dynclient.changes import compare

SCHEMAS, OPERATIONS = 200, 60


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
    assert time.process_time() - begun < 4
