"""``unevaluatedProperties`` and ``unevaluatedItems``: what no other word of a schema has looked at.

JSON Schema 2020-12, 11: words that apply to the same value tell what they have looked at, if they hold.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jsonschema.exceptions import ValidationError

from dynclient import _regex
from dynclient._validation.keywords import Errors, at
from dynclient._validation.references import referred


def unevaluated_properties(validator: Any, allowed: Any, value: Any, schema: Any) -> Errors:
    """Hold each property that nothing has looked at to a schema."""
    if not isinstance(value, dict):
        return
    seen = _keys(validator, value, schema, inner=False)
    for name, item in value.items():
        if name in seen:
            continue
        if allowed is False:
            yield at(ValidationError("is not allowed"), name)
        else:
            yield from validator.descend(item, allowed, path=name)


def unevaluated_items(validator: Any, allowed: Any, value: Any, schema: Any) -> Errors:
    """Hold each item that nothing has looked at to a schema."""
    if not isinstance(value, list):
        return
    seen = _indexes(validator, value, schema, inner=False)
    for index, item in enumerate(value):
        if index in seen:
            continue
        if allowed is False:
            yield at(ValidationError("is not allowed"), index)
        else:
            yield from validator.descend(item, allowed, path=index)


def _keys(validator: Any, value: dict[str, Any], schema: Any, *, inner: bool = True) -> set[str]:
    if not isinstance(schema, dict):
        return set()
    if "additionalProperties" in schema or (inner and "unevaluatedProperties" in schema):
        return set(value)
    seen = set(schema.get("properties", ())) & value.keys()
    for source in schema.get("patternProperties", ()):
        matcher = _regex.compile(source)
        seen |= {name for name in value if matcher.search(name) is not False}
    for other, below in _applying(validator, value, schema):
        seen |= _keys(other, value, below)
    return seen


def _indexes(validator: Any, value: list[Any], schema: Any, *, inner: bool = True) -> set[int]:
    if not isinstance(schema, dict):
        return set()
    if "items" in schema or (inner and "unevaluatedItems" in schema):
        return set(range(len(value)))
    seen = set(range(min(len(schema.get("prefixItems", ())), len(value))))
    if "contains" in schema:
        seen |= {i for i, item in enumerate(value) if validator.evolve(schema=schema["contains"]).is_valid(item)}
    for other, below in _applying(validator, value, schema):
        seen |= _indexes(other, value, below)
    return seen


def _applying(validator: Any, value: Any, schema: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
    """The schemas that apply to the same value and hold, each with the validator to go on with.

    Those that have to hold count even if they do not: that is reported already, and all that they look at with it.
    """
    for word in ("$ref", "$dynamicRef"):
        if word in schema:
            other = referred(validator, schema[word])
            yield other, other.schema
    yield from ((validator, each) for each in schema.get("allOf", ()))
    below = [each for word in ("anyOf", "oneOf") for each in schema.get(word, ())]
    if isinstance(value, dict):
        below += [each for name, each in schema.get("dependentSchemas", {}).items() if name in value]
    for each in below:
        if validator.evolve(schema=each).is_valid(value):
            yield validator, each
    if "if" in schema:
        holds = validator.evolve(schema=schema["if"]).is_valid(value)
        if holds:
            yield validator, schema["if"]
        yield validator, schema.get("then" if holds else "else", True)


KEYWORDS = {"unevaluatedItems": unevaluated_items, "unevaluatedProperties": unevaluated_properties}
