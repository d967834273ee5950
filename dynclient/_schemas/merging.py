"""How what several schemas say of one value becomes one saying."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dynclient._schemas.words import CONSTRAINTS, Words
from dynclient.json_pointer import escape
from dynclient.model import Schema

NARROWEST: dict[str, Callable[[Any, Any], Any]] = {
    "exclusiveMaximum": min,
    "exclusiveMinimum": max,
    "maxItems": min,
    "maxLength": min,
    "maxProperties": min,
    "maximum": min,
    "minItems": max,
    "minLength": max,
    "minProperties": max,
    "minimum": max,
    "uniqueItems": lambda one, other: one or other,
}
"""Of two bounds the one that both allow. Of other constraints the first is shown."""


def merged_types(found: list[Words]) -> frozenset[str]:
    """The types that all allow; empty where any will do."""
    types: frozenset[str] = frozenset()
    for part in found:
        said = part.plain.get("type", ())
        new = frozenset((said,) if isinstance(said, str) else said)
        types = _both(types, new) or types if types and new else types or new
    return types


def merged_constraints(found: list[Words]) -> dict[str, Any]:
    """The narrowest of all bounds."""
    result: dict[str, Any] = {}
    for part in found:
        for word in part.plain.keys() & CONSTRAINTS.keys():
            value = part.plain[word]
            narrowest = NARROWEST.get(word, lambda one, _: one)
            result[word] = narrowest(result[word], value) if word in result else value
    return {word: result[word] for word in sorted(result)}


def merged_properties(owner: Schema, found: list[Words]) -> dict[str, Schema]:
    """All properties, those of the merged schemas first, as their documents order them.

    A property of which several say something becomes a schema of its own that refers to each.
    """
    said: dict[str, list[Schema]] = {}
    for part in (*found[1:], found[0]):
        for name, schema in part.named.get("properties", {}).items():
            said.setdefault(name, []).append(schema)
    return {name: _one(owner, name, schemas) for name, schemas in said.items()}


def _one(owner: Schema, name: str, schemas: list[Schema]) -> Schema:
    """One schema for a property: the only one that says something, or one that refers to all of them."""
    telling: list[Schema] = []
    for schema in schemas:
        if schema.value not in ({}, True) and all(schema.value != other.value for other in telling):
            telling.append(schema)
    if len(telling) <= 1:
        return (telling or schemas)[0]
    # Nothing stands at this URI: `allOf` is an array. So it is nobody else's.
    uri = f"{owner.uri}/allOf/properties/{escape(name)}"
    # The last is the schema's own word, and the first in rank.
    value: Mapping[str, Any] = {"allOf": [{"$ref": schema.uri} for schema in reversed(telling)]}
    return Schema(uri, value, owner.dialect, owner.references)


def _both(one: frozenset[str], other: frozenset[str]) -> frozenset[str]:
    both = one & other
    if "integer" in (one | other) and "number" in (one | other):
        both |= {"integer"}
    return both
