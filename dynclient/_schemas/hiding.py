"""Which properties a direction does not require.

OAS 3.0.4, Schema Object: of a readOnly property ``required`` takes effect on the response only, of a writeOnly one on
the request only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dynclient._schemas.shapes import members, shape
from dynclient._schemas.words import Words
from dynclient.model import Schema

HIDDEN = {"request": "readOnly", "response": "writeOnly"}
"""The word that takes a property out of a direction."""


def hidden_properties(schema: Schema, found: Words, direction: str, known: frozenset[str]) -> frozenset[str]:
    """The required properties that a schema and what it merges do not require in a direction.

    ``known`` are those that are so where it is merged into another one.
    """
    names = set(_required(schema.value))
    own = found.named.get("properties", {})
    word = HIDDEN[direction]
    hidden = {name for name in names & own.keys() if _says(own[name], word)}
    if names - own.keys() and (found.reference is not None or "allOf" in found.many):
        merged = shape(schema).properties
        hidden |= {name for name in (names - own.keys()) & merged.keys() if _says(merged[name], word)}
    return known | hidden


def _required(node: Any) -> Iterator[str]:
    """What a schema requires by itself or by the members of its ``allOf`` that are written there."""
    waiting = [node]
    while waiting:
        here = waiting.pop()
        if isinstance(here, Mapping):
            required, inner = here.get("required"), here.get("allOf")
            yield from (name for name in (required if isinstance(required, list) else ()) if isinstance(name, str))
            waiting += inner if isinstance(inner, list) else ()


def _says(schema: Schema, word: str) -> bool:
    if not isinstance(schema.value, Mapping):
        return False
    if schema.value.get(word) is True and ("$ref" not in schema.value or schema.dialect.ref_siblings):
        return True
    if "$ref" not in schema.value and "allOf" not in schema.value:
        return False
    return any(part.plain.get(word) is True for _, part in members(schema))
