"""Which schema the value of a discriminating property picks.

Rule 1: a schema with ``oneOf`` or ``anyOf`` picks among those; without, among the named schemas that ``allOf`` it,
directly or not (OAS 3.0.4, Discriminator Object).
Rule 2: an explicit mapping goes before the names of schemas; both count. But where the schemas themselves say by
``const`` or ``enum`` which values of the property are theirs, these stand for the names: many a document has a
discriminator without mapping, and no value is the name of a schema.
Rule 3: a mapping that leads nowhere makes the choice open: what it does not know may still be right.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from dynclient._expressions import expression
from dynclient._records import Record
from dynclient._schemas.places import cache, child, component_name, follow, named_schemas, target
from dynclient._schemas.words import Words, words
from dynclient.exceptions import DocumentError
from dynclient.model import Schema

# OAS 3.1.1, Components Object: what the name of a component may be.
_COMPONENT = expression(r"^[a-zA-Z0-9._-]+$", re.ASCII)


class Discriminator(Record):
    """How a property's value picks a schema.

    ``mapping`` pairs each known value with its schema; ``default`` is the schema for an unknown or absent value, if
    the document names one. ``closed`` tells that any other value is wrong. ``inherited`` tells that the schemas are
    found by their ``allOf``, not in a ``oneOf`` or ``anyOf``.
    """

    property_name: str
    mapping: Mapping[str, Schema]
    default: Schema | None = None
    closed: bool = True
    inherited: bool = False


def discriminator(schema: Schema, found: Words) -> Discriminator | None:
    """Read a schema's discriminator; None where it has none that can be used."""
    said = found.plain.get("discriminator")
    # OAS 2.0, Schema Object: the discriminator is the property's name itself.
    said = {"propertyName": said} if isinstance(said, str) else said
    if not isinstance(said, Mapping) or not isinstance(said.get("propertyName"), str):
        return None
    branches = (*found.many.get("oneOf", ()), *found.many.get("anyOf", ()))
    mapping = _branches(branches, said["propertyName"]) if branches else dict(_heirs(schema))
    closed = bool(branches) and {follow(branch) for branch in branches} <= set(mapping.values())
    explicit = said.get("mapping")
    for value, to in (explicit if isinstance(explicit, Mapping) else {}).items():
        picked = _picked(schema, to)
        closed = closed and picked is not None
        if picked is not None:
            mapping[str(value)] = picked
    default = _picked(schema, said.get("defaultMapping"))
    return Discriminator(said["propertyName"], mapping, default, closed, not branches)


def _branches(branches: tuple[Schema, ...], property_name: str) -> dict[str, Schema]:
    """Branches by the values that each alone says are its own, or else by their names."""
    mapping: dict[str, Schema] = {}
    own = {picked: _own_values(picked, property_name) for picked in map(follow, branches)}
    counts = Counter(value for values in own.values() for value in values)
    for picked, values in own.items():
        name = component_name(picked)
        alone = [value for value in values if counts[value] == 1]
        if name is not None and not alone and (not values or name in values):
            alone = [name]
        mapping.update(dict.fromkeys(alone, picked))
    return mapping


def _own_values(schema: Schema, property_name: str) -> list[str]:
    """The values that a schema, or what it merges, allows a property, as keys of a mapping; empty where any will do."""
    waiting, seen = [schema], {schema}
    while waiting:
        try:
            found = words(waiting.pop())
            said = found.named.get("properties", {}).get(property_name)
            plain = words(follow(said)).plain if said is not None else {}
            merged = [follow(member) for member in found.many.get("allOf", ())]
        except DocumentError:
            return []
        if plain:
            values = [plain["const"]] if "const" in plain else plain.get("enum", [])
            if values:
                return [value if isinstance(value, str) else json.dumps(value) for value in values]
        waiting += [member for member in merged if member not in seen]
        seen.update(merged)
    return []


def _picked(schema: Schema, to: Any) -> Schema | None:
    """The schema that a mapping names, by a component's name or by a URI."""
    if not isinstance(to, str):
        return None
    if _COMPONENT.match(to) and to in named_schemas(schema):
        document = schema.uri.partition("#")[0]
        to = f"{document}#{schema.dialect.schemas}/{to}"
    try:
        return follow(target(schema, to))
    except DocumentError:
        return None


def _heirs(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """A named schema and the named schemas that ``allOf`` it, directly or not, by their names."""
    heirs = _heirs_by_parent(schema)
    found = {schema.uri: schema}
    waiting = [schema.uri]
    while waiting:
        for heir in heirs.get(waiting.pop(), ()):
            if heir.uri not in found:
                found[heir.uri] = heir
                waiting.append(heir.uri)
    for heir in found.values():
        name = component_name(heir)
        if name is not None:
            yield name, heir


def _heirs_by_parent(schema: Schema) -> dict[str, list[Schema]]:
    """Which named schemas of a document name another one in their ``allOf``, by that one's URI."""
    document = schema.uri.partition("#")[0]
    known: dict[str, dict[str, list[Schema]]] = cache(schema.references, "heirs")
    if document in known:
        return known[document]
    heirs: dict[str, list[Schema]] = {}
    names = named_schemas(schema)
    root = Schema(f"{document}#{schema.dialect.schemas}", names, schema.dialect, schema.references)
    for name, node in names.items():
        members = node.get("allOf") if isinstance(node, Mapping) else None
        for index, member in enumerate(members if isinstance(members, list) else ()):
            if isinstance(member, Mapping) and isinstance(member.get("$ref"), str):
                heir = child(root, name)
                try:
                    parent = follow(child(heir, "allOf", index))
                except DocumentError:
                    continue
                heirs.setdefault(parent.uri, []).append(heir)
    known[document] = heirs
    return heirs
