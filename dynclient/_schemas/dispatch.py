"""A discriminator in the words of JSON Schema: if the property says so, then that schema.

Rule 1: the schema that is picked is validated, and it alone; so its faults are the ones that are reported.
Rule 2: without the property, or for a value that is no object, it is as if there were no discriminator.
Rule 3: a value that nothing is known of is wrong where the discriminator is closed (OAS 3.0.4, Discriminator Object:
validation SHOULD fail), picks the default where there is one, and else leaves it as in rule 2.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from dynclient._schemas.discriminators import Discriminator
from dynclient.model import Schema

Node = dict[str, Any]


def dispatched(node: Node, picks: Discriminator, schema: Schema, link: Callable[[Schema], Node]) -> None:
    """Let a node go by its discriminator instead of trying each of its ``oneOf`` and ``anyOf``."""
    name = picks.property_name
    by_schema: dict[str, tuple[Schema, list[Any]]] = {}
    for value, picked in picks.mapping.items():
        by_schema.setdefault(picked.uri, (picked, []))[1].extend(_spellings(value))
    values = [value for _, found in by_schema.values() for value in found]
    choices = [
        {"if": _has(name, found), "then": link(picked)}
        for picked, found in by_schema.values()
        if picked.uri != schema.uri
    ]
    if not choices and picks.default is None:
        return
    chosen: Node = {"allOf": choices} if choices else {}
    tried: Node = {word: node.pop(word) for word in ("oneOf", "anyOf") if word in node}
    if picks.default is not None:
        otherwise = link(picks.default) if picks.default.uri != schema.uri else {}
        rule = {
            "if": {"type": "object"},
            "then": {"if": _has(name, values), "then": chosen, "else": otherwise},
            "else": tried,
        }
    elif picks.closed:
        rule = {
            "if": {"type": "object", "required": [name]},
            "then": {"properties": {name: {"enum": values}}, **chosen},
            "else": tried,
        }
    else:
        rule = {"if": _has(name, values), "then": chosen, "else": tried}
    node["allOf"] = [*node.get("allOf", []), rule]


def _has(name: str, values: list[Any]) -> Node:
    return {"type": "object", "required": [name], "properties": {name: {"enum": values}}}


def _spellings(value: str) -> list[Any]:
    """A mapping's key, and the boolean or number that it may stand for: keys of JSON objects are texts."""
    if value in {"true", "false"}:
        return [value, value == "true"]
    if re.fullmatch(r"-?(0|[1-9][0-9]{0,17})", value):
        return [value, int(value)]
    return [value]
