"""Examples without secrets: what a document shows as a password is nobody's example.

Rule 1: what is secret is told by the schema alone (``inspection.secret``): passwords, and what never comes back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dynclient._schemas import shape
from dynclient.inspection import secret
from dynclient.model import Schema

_DEEPEST = 40


def replaced(schema: Schema | None, value: Any, instead: Callable[[Schema], Any], depth: int = 0) -> Any:
    """A value with each secret text in it replaced by what ``instead`` gives; the value itself where there is none."""
    if schema is None or depth > _DEEPEST:
        return value
    if isinstance(value, str):
        return instead(schema) if secret(schema) else value
    if isinstance(value, (dict, list)):
        return _inside(schema, value, instead, depth + 1)
    return value


def _inside(schema: Schema, value: Any, instead: Callable[[Schema], Any], depth: int) -> Any:
    seen = shape(schema)
    for branch in (*seen.one_of, *seen.any_of):
        value = replaced(branch, value, instead, depth)
    if isinstance(value, list):
        return [replaced(seen.items, member, instead, depth) for member in value]
    additional = seen.additional if isinstance(seen.additional, Schema) else None
    return {
        name: replaced(seen.properties.get(name, additional), member, instead, depth) for name, member in value.items()
    }
