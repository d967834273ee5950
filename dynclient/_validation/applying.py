"""Which schemas within a schema apply to the same value, and which to what is within the value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_SAME_MANY = ("allOf", "anyOf", "oneOf")
_SAME_ONE = ("if", "then", "else", "not")
_BELOW_ONE = ("additionalProperties", "contains", "items", "propertyNames", "unevaluatedItems", "unevaluatedProperties")

Node = Mapping[str, Any]


def same_value(node: Node) -> list[Any]:
    """The schemas for the same value that stand in a schema."""
    below = [node[word] for word in _SAME_ONE if word in node]
    below += [each for word in _SAME_MANY for each in node.get(word, ())]
    return below + list(node.get("dependentSchemas", {}).values())


def below_value(node: Node) -> Iterator[tuple[str, Any]]:
    """The schemas for what is within a value, with the name of the place; ``*`` for many places."""
    yield from ((f".{name}", below) for name, below in node.get("properties", {}).items())
    yield from (("*", node[word]) for word in _BELOW_ONE if word in node)
    yield from (("*", below) for below in node.get("patternProperties", {}).values())
    yield from ((f"[{index}]", below) for index, below in enumerate(node.get("prefixItems", ())))


def descendants(node: Any) -> Iterator[Node]:
    """A schema and all that stands in it; references are not followed."""
    waiting = [node]
    while waiting:
        here = waiting.pop()
        if isinstance(here, dict):
            yield here
            waiting += same_value(here)
            waiting += [below for _, below in below_value(here)]


def references_in(node: Any) -> set[str]:
    """What a schema, and all that stands in it, refers to."""
    return {here["$ref"] for here in descendants(node) if "$ref" in here}
