"""Discriminators: find the schema that the value of a property selects, and translate them to JSON Schema.

Rule 1: a schema with ``oneOf`` or ``anyOf`` picks among those; without, among the named schemas that ``allOf`` it,
directly or not (OAS 3.0.4, Discriminator Object). A discriminator in a member of ``allOf`` that is not a reference
belongs to the enclosing schema. Over several levels, a schema's discriminator also has the values that pick it in its
bases, or a schema that inherits it.
Rule 2: an explicit mapping takes precedence over the names of schemas; both count. But if the schemas have a ``const``
or ``enum`` for the property, these values replace the names: many documents have a discriminator without mapping, and
no value is the name of a schema.
Rule 3: if a mapping can't be resolved, the choice is open: unknown values may still be valid.
Rule 4: a value is validated only by the selected schema, so its errors are reported. Without the property, or for a
value that is not an object, the discriminator has no effect.
Rule 5: an unknown value is invalid if the discriminator is closed (OAS 3.0.4, Discriminator Object: validation SHOULD
fail), picks the default if there is one, and else has no effect.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from dynclient._deferred import expression
from dynclient._records import Record
from dynclient._schemas.keywords import (
    Keywords,
    cache,
    child,
    component_name,
    follow,
    keywords,
    members,
    named_schemas,
    target,
)
from dynclient.exceptions import DocumentError
from dynclient.model import Schema

# OAS 3.1.1, Components Object: the names that a component may have.
_COMPONENT = expression(r"^[a-zA-Z0-9._-]+$", re.ASCII)
_MEMBER = "/allOf/"


class Discriminator(Record):
    """The mapping of a property's values to schemas.

    ``mapping`` pairs each known value with its schema; ``default`` is the schema for an unknown or absent value, if
    the document has one. If ``closed``, any other value is invalid. If ``inherited``, the schemas are found by their
    ``allOf``, not in a ``oneOf`` or ``anyOf``, whose URIs are ``branches``. ``owner`` is the URI of the schema whose
    discriminator it is.
    """

    property_name: str
    mapping: Mapping[str, Schema]
    default: Schema | None = None
    closed: bool = True
    inherited: bool = False
    owner: str = ""
    branches: frozenset[str] = frozenset()


def discriminator(schema: Schema, found: Keywords) -> Discriminator | None:
    """Read a schema's discriminator, once for each URI; None if it has no usable one."""
    name = _property_name(found)
    if name is None:
        return None
    known: dict[str, Discriminator] = cache(schema.references, "discriminators")
    if schema.uri not in known:
        known[schema.uri] = _discriminator(schema, found, name)
    return known[schema.uri]


def _property_name(found: Keywords) -> str | None:
    declared = found.plain.get("discriminator")
    # OAS 2.0, Schema Object: the discriminator is the property's name itself.
    name = declared.get("propertyName") if isinstance(declared, Mapping) else declared
    return name if isinstance(name, str) else None


def _discriminator(schema: Schema, found: Keywords, name: str) -> Discriminator:
    declared = found.plain["discriminator"]
    owner = _owner(schema)
    branches = (*found.many.get("oneOf", ()), *found.many.get("anyOf", ()))
    mapping = _branches(branches, name) if branches else dict(_heirs(owner))
    uris = frozenset(follow(branch).uri for branch in branches)
    closed = bool(branches) and uris <= {picked.uri for picked in mapping.values()}
    explicit = _explicit(schema, found)
    closed = closed and None not in explicit.values()
    own = {value: picked for value, picked in explicit.items() if picked is not None}
    if not branches:
        known = {owner.uri, *(picked.uri for picked in (*mapping.values(), *own.values()))}
        mapping.update((value, picked) for value, picked in _of_bases(owner, name) if picked.uri in known)
    mapping.update(own)
    default = _picked(schema, declared.get("defaultMapping")) if isinstance(declared, Mapping) else None
    return Discriminator(name, mapping, default, closed, not branches, owner.uri, uris)


def _owner(schema: Schema) -> Schema:
    """Return the schema that a member of its ``allOf`` belongs to; any other schema itself."""
    uri = schema.uri
    while True:
        head, member, number = uri.rpartition(_MEMBER)
        if not member or not (number.isascii() and number.isdecimal()):
            break
        uri = head
    if uri == schema.uri:
        return schema
    return schema._replace(uri=uri, value=schema.references.resolve(uri, schema.uri)[1])


def _explicit(schema: Schema, found: Keywords) -> dict[str, Schema | None]:
    """Return the mapping that a discriminator has in the document; None for a schema that does not exist."""
    known: dict[str, dict[str, Schema | None]] = cache(schema.references, "mappings")
    if schema.uri not in known:
        declared = found.plain["discriminator"]
        said = declared.get("mapping") if isinstance(declared, Mapping) else None
        pairs = said.items() if isinstance(said, Mapping) else ()
        known[schema.uri] = {str(value): _picked(schema, to) for value, to in pairs}
    return known[schema.uri]


def _of_bases(schema: Schema, name: str) -> Iterator[tuple[str, Schema]]:
    """Yield the mappings of the bases' discriminators for the same property, the farthest first."""
    bases: list[dict[str, Schema | None]] = []
    with suppress(DocumentError):
        bases = [_explicit(here, found) for here, found in members(schema) if _property_name(found) == name]
    for explicit in reversed(bases):
        yield from ((value, picked) for value, picked in explicit.items() if picked is not None)


def _branches(branches: tuple[Schema, ...], property_name: str) -> dict[str, Schema]:
    """Return the branches by the values that only one of them allows, or else by their names."""
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
    """Return the values that a schema, or one that it merges, allows for a property; empty if any is allowed."""
    with suppress(DocumentError):
        for _, found in members(schema):
            described = found.named.get("properties", {}).get(property_name)
            plain = keywords(follow(described)).plain if described is not None else {}
            values = [plain["const"]] if "const" in plain else plain.get("enum")
            if values:
                return [value if isinstance(value, str) else json.dumps(value) for value in values]
    return []


def _picked(schema: Schema, to: Any) -> Schema | None:
    """Return the schema that a mapping names, by a component's name or by a URI; None if there is none."""
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
    """Yield a named schema, and the named schemas that ``allOf`` it, directly or not, with their names."""
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
    """Return the named schemas that refer to another one in their ``allOf``, by that one's URI."""
    document = schema.uri.partition("#")[0]
    known: dict[str, dict[str, list[Schema]]] = cache(schema.references, "heirs")
    if document in known:
        return known[document]
    heirs: dict[str, list[Schema]] = {}
    names = named_schemas(schema)
    root = Schema(f"{document}#{schema.dialect.schemas}", names, schema.dialect, schema.references)
    for name, node in names.items():
        for keys in _references(node):
            heir = child(root, name)
            try:
                parent = follow(child(heir, *keys))
            except DocumentError:
                continue
            heirs.setdefault(parent.uri, []).append(heir)
    known[document] = heirs
    return heirs


def _references(node: Any) -> Iterator[tuple[str | int, ...]]:
    """Yield the references in the ``allOf`` of a schema, also within inline members."""
    members = node.get("allOf") if isinstance(node, Mapping) else None
    for index, member in enumerate(members if isinstance(members, list) else ()):
        if isinstance(member, Mapping) and isinstance(member.get("$ref"), str):
            yield "allOf", index
        else:
            yield from (("allOf", index, *keys) for keys in _references(member))


Node = dict[str, Any]


def apply_discriminator(node: Node, picks: Discriminator, schema: Schema, link: Callable[[Schema], Node]) -> None:
    """Change a node so that its discriminator picks a schema, instead of each of ``oneOf`` or ``anyOf`` being tried.

    ``link`` returns a node that refers to a schema.
    """
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
    tried: Node = {keyword: node.pop(keyword) for keyword in ("oneOf", "anyOf") if keyword in node}
    if tried:
        # For the error message if the value lacks the property.
        tried["$comment"] = "\n".join([name, *map(str, values)])
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
    """Return a mapping's key, and the boolean or number that it may mean: keys of JSON objects are always strings."""
    if value in {"true", "false"}:
        return [value, value == "true"]
    if re.fullmatch(r"-?(0|[1-9][0-9]{0,17})", value):
        return [value, int(value)]
    return [value]
