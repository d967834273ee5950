"""Examples without secrets: what a document shows or asks for as a password never stands on a page.

Rule 1: what is secret is told by the schema alone (``inspection.secret``): passwords, and what never comes back.
"""

from __future__ import annotations

from typing import Any

from dynclient.inspection import arguments, secret, shape
from dynclient.model import Operation, Schema

MASK = "YOUR SECRET"
_DEEPEST = 40


def masked(schema: Schema | None, value: Any, depth: int = 0) -> Any:
    """A value with each secret text in it replaced; the value itself where there is none."""
    if schema is None or depth > _DEEPEST:
        return value
    if isinstance(value, str):
        return MASK if secret(schema) else value
    if isinstance(value, (dict, list)):
        return _inside(schema, value, depth)
    return value


def masked_arguments(operation: Operation, given: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a call with each secret text in them replaced."""
    schemas = {argument.name: argument.schema for argument in arguments(operation)}
    return {name: masked(schemas.get(name), value) for name, value in given.items()}


def _inside(schema: Schema, value: Any, depth: int) -> Any:
    seen = shape(schema)
    for branch in (*seen.one_of, *seen.any_of):
        value = masked(branch, value, depth + 1)
    if isinstance(value, list):
        return [masked(seen.items, member, depth + 1) for member in value]
    additional = seen.additional if isinstance(seen.additional, Schema) else None
    return {name: masked(seen.properties.get(name, additional), member, depth + 1) for name, member in value.items()}
