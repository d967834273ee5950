"""Bundle a schema with all schemas that it references, for validation.

Rule 1: nothing is inlined. The target of a reference is compiled once for a document and direction, regardless of the
number of references, and becomes an entry of ``$defs``. The bundles of a document share these entries.
Rule 2: every reference leads to an entry, so ``$id`` and ``$anchor`` are left out.
Rule 3: a schema nested deeper than engines allow continues in a separate entry.
Rule 4: the target of a ``$dynamicRef`` depends on the resources entered before. If there is one, each resource (a
schema with ``$id``, or a whole document) is kept, under a URI of the bundle, and references are absolute.
Rule 5: no URI of the document is in a bundle, so none can be fetched or hijacked.
Rule 6: what does not use a broken part (a malformed keyword, a reference that leads nowhere) can be validated. In a
request the part matches no value; whether a response matches it is unknown. If the whole schema is broken, that is an
error.

Drafts 4 to 2019-09 are translated to 2020-12; any other ``$schema`` is read as 2020-12.

A property that is ``readOnly`` is not required in a request, and one that is ``writeOnly`` not in a response. It is
allowed, and validated: sending back a received value is not an error (OAS 3.0.4, Schema Object: it SHOULD NOT be sent;
"required" takes effect on the other direction only).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from copy import copy
from os import getpid
from threading import RLock
from typing import Any

from dynclient._records import Record
from dynclient._schemas.discriminators import Discriminator, apply_discriminator, discriminator
from dynclient._schemas.keywords import (
    ASSERTIONS,
    HIDDEN,
    Direction,
    Keywords,
    anchored,
    cache,
    follow,
    keywords,
    location_at,
    malformed_text,
    members,
    resource_of,
    same_value,
    target,
)
from dynclient._schemas.shapes import shape
from dynclient.exceptions import (
    DocumentError,
    InvalidDocument,
    UnreadableDocument,
    UnresolvableReference,
    UnsafeDocument,
)
from dynclient.json_pointer import escape
from dynclient.model import Schema
from dynclient.options import Limits

DRAFT = "https://json-schema.org/draft/2020-12/schema"
UNKNOWN = "$unknown"
"""The keyword of a broken part: whether a value matches it is unknown."""
BROKEN = (InvalidDocument, UnreadableDocument, UnresolvableReference)
"""The errors that a part of a schema may have."""
_OPEN = "?"  # appended to a discriminator's URI: an unknown value is not a fault
_CLOSING = frozenset({"additionalProperties", "items", "unevaluatedItems", "unevaluatedProperties"})
_INLINE = 24
"""The levels within one entry; engines fail at a few hundred."""


class SchemaBundle(Record):
    """A self-contained schema, and the origins of its parts.

    ``uris`` pairs JSON pointers in the bundle with URIs in the document, for each entry, and for each node below one
    that is elsewhere in the document. Nodes within the pointers ``made`` have no own URI. ``broken`` has the errors of
    broken parts. ``worked_out`` stores values that other modules compute once for each entry; the bundles of a document
    share it.
    """

    schema: dict[str, Any]
    uris: Mapping[str, str]
    made: AbstractSet[str]
    broken: tuple[DocumentError, ...]
    worked_out: dict[str, Any]

    def origin(self, pointer: str) -> str:
        """Return the URI in the document of the node at a JSON pointer in the bundle."""
        head, rest = pointer, ""
        while head not in self.uris:
            head, _, key = head.rpartition("/")
            rest = f"/{key}{rest}"
        return self.uris[head] + ("" if head in self.made else rest)


def bundle(schema: Schema, direction: Direction, *, depth: int = Limits().schema_depth) -> SchemaBundle:
    """Return one schema of JSON Schema 2020-12 with a schema and everything that it references.

    Raises:
        InvalidDocument: a keyword's value is malformed.
        UnresolvableReference: the target of a ``$ref`` does not exist, or it is circular.
        UnsafeDocument: schemas are nested deeper than ``depth``.
    """
    schema = follow(schema)
    known = cache(schema.references, "entries")
    # A process that was forked while another thread held the lock makes its own entries: the existing ones may be half
    # written, and the lock is never released.
    key = direction, depth, getpid()
    shared: CompiledSchemas = known.setdefault(key, CompiledSchemas(direction, depth))
    with shared.lock:
        start = shared.number(schema)
        numbers = shared.reached(start)
    found = [shared.entries[number] for number in numbers]
    if any(entry.dynamic for entry in found):
        return _dynamic(schema, CompiledSchemas(direction, depth))
    defs = {str(number): entry.node for number, entry in zip(numbers, found, strict=True)}
    root = {"$schema": DRAFT, "$ref": f"#/$defs/{start}", "$defs": defs}
    broken = tuple(error for entry in found for error in entry.broken)
    return SchemaBundle(root, shared.uris, shared.made, broken, shared.worked_out)


def _dynamic(schema: Schema, own: CompiledSchemas) -> SchemaBundle:
    """Return a bundle in which resources stay resources. Its entries are not shared, since their references differ."""
    numbers = [own.number(schema)]
    homes: list[int] = []
    resources: dict[str, int] = {}
    while len(homes) < len(numbers):
        home = resource_of(own.entries[len(homes)].schema)
        if home.uri not in resources:
            resources[home.uri] = len(resources)
            numbers = own.reached(*numbers, *(own.number(each) for each in anchored(home)))
        homes.append(resources[home.uri])
    for entry in own.entries:
        anchor = entry.schema.value.get("$dynamicAnchor") if isinstance(entry.schema.value, Mapping) else None
        if isinstance(anchor, str) and not entry.settled:
            entry.node["$dynamicAnchor"] = anchor
        for node, number in entry.links:
            node["$ref"] = f"dynclient:/{homes[number]}#/$defs/{number}"
        for node, number, name in entry.dynamic:
            node["$dynamicRef"] = f"dynclient:/{homes[number]}#{name}"
    return _assembled(own, homes)


def _assembled(own: CompiledSchemas, homes: list[int]) -> SchemaBundle:
    """Put each entry into its resource; the first is the root."""
    defs: list[dict[str, Any]] = [{} for _ in range(max(homes) + 1)]
    for number, entry in enumerate(own.entries):
        defs[homes[number]][str(number)] = entry.node
    root: dict[str, Any] = {
        "$schema": DRAFT,
        "$id": "dynclient:/0",
        "$ref": "dynclient:/0#/$defs/0",
        "$defs": defs[0],
    }
    for home in range(1, len(defs)):
        root["$defs"][f"resource{home}"] = {"$id": f"dynclient:/{home}", "$defs": defs[home]}

    def moved(pointer: str) -> str:
        home = homes[int(pointer.split("/")[2])]
        return f"/$defs/resource{home}{pointer}" if home else pointer

    uris = {moved(pointer): uri for pointer, uri in own.uris.items()}
    broken = tuple(error for entry in own.entries for error in entry.broken)
    return SchemaBundle(root, uris, frozenset(map(moved, own.made)), broken, {})


class CompiledSchemas:
    """The entries of a document in one direction; ``uris``, ``made`` and ``worked_out`` are those of their bundles."""

    def __init__(self, direction: Direction, depth: int, inline: int = _INLINE) -> None:
        self.direction: Direction = direction
        self.depth = depth
        self.inline = inline
        self.lock = RLock()
        self.entries: list[CompiledSchema] = []
        self.uris: dict[str, str] = {}
        self.made: set[str] = set()
        self.worked_out: dict[str, Any] = {}
        self._numbers: dict[tuple[str, frozenset[str]], int] = {}

    def number(self, schema: Schema, *, settled: frozenset[str] = frozenset(), level: int = 0) -> int:
        """Return the number of a schema's entry, new or known."""
        key = (schema.uri, settled)
        if key not in self._numbers:
            self._numbers[key] = len(self.entries)
            at = f"/$defs/{len(self.entries)}"
            self.entries.append(CompiledSchema(self, schema, at, level, settled=settled))
        return self._numbers[key]

    def reached(self, *starts: int) -> list[int]:
        """Write some entries and everything that they refer to; returns their numbers.

        Raises:
            DocumentError: one of the entries to start with is itself broken.
        """
        found = dict.fromkeys(starts)
        waiting = list(starts)
        while waiting:
            number = waiting.pop()
            entry = self.entries[number]
            if entry.node is None:
                entry.write()
            if entry.is_broken and number in starts:
                raise copy(entry.broken[0])
            for number in [*(each[1] for each in entry.links), *(each[1] for each in entry.dynamic)]:
                if number not in found:
                    found[number] = None
                    waiting.append(number)
        return list(found)


class _Position(Record):
    """The position of a node: its pointer in the bundle (``at``), the URI that follows from it, its depth.

    ``owner`` is the URI of the entry's schema as long as only ``allOf`` is between; ``hidden`` are the properties that
    are not required in this direction; ``settled`` are the discriminators that no longer apply here, by the URIs of
    their schemas.
    """

    at: str
    uri: str
    level: int
    inline: int
    owner: str | None
    hidden: frozenset[str]
    settled: frozenset[str]

    def below(self, *keys: str | int, same_value: bool = False) -> _Position:
        path = "".join(f"/{escape(str(key))}" for key in keys)
        below = self._replace(at=self.at + path, uri=self.uri + path, level=self.level + 1, inline=self.inline + 1)
        return below if same_value else below._replace(owner=None, hidden=frozenset(), settled=frozenset())


class CompiledSchema:
    """One entry of ``$defs``.

    ``settled`` are the discriminators that have no effect here, since the schema is one that they have picked, or could
    have picked. ``node`` is None until the entry is written. ``links`` are the nodes in it that refer to other entries,
    by number; ``dynamic`` those that do so dynamically, with the anchor's name. ``broken`` are the errors of its broken
    parts; ``is_broken`` if that is the whole.
    """

    __slots__ = ("at", "broken", "dynamic", "entries", "is_broken", "level", "links", "node", "schema", "settled")

    def __init__(
        self, entries: CompiledSchemas, schema: Schema, at: str, level: int, *, settled: frozenset[str]
    ) -> None:
        self.entries = entries
        self.schema = schema
        self.at = at
        self.level = level
        self.settled = settled
        self.node: Any = None
        self.links: list[tuple[dict[str, Any], int]] = []
        self.dynamic: list[tuple[dict[str, Any], int, str]] = []
        self.broken: list[DocumentError] = []
        self.is_broken = False

    def write(self) -> None:
        """Write the entry, down to its references."""
        uri = self.schema.uri
        self.entries.uris[self.at] = uri
        for written in (self.links, self.dynamic, self.broken):
            written.clear()
        position = _Position(self.at, uri, self.level, 0, uri, frozenset(), self.settled)
        try:
            self.node = self.compiled(self.schema, position)
        except BROKEN as error:
            self.links.clear()
            self.node, self.is_broken = self.instead(error), True

    def part(self, schema: Schema, position: _Position) -> Any:
        """Write the schema of a member, an item, or a branch of a union."""
        try:
            return self.compiled(schema, position)
        except BROKEN as error:
            return self.instead(error)

    def instead(self, error: DocumentError) -> dict[str, Any]:
        """Return the node in place of a broken schema."""
        self.broken.append(error)
        if self.entries.direction == "response":
            return {UNKNOWN: True}
        return {"not": {}, "$comment": f"can't be checked, since the document is wrong: {error.message}"}

    def link(
        self,
        schema: Schema,
        node: dict[str, Any] | None = None,
        *,
        settled: frozenset[str] = frozenset(),
        level: int = 0,
    ) -> dict[str, Any]:
        """Make a node, or a new one, refer to a schema's entry."""
        node = {} if node is None else node
        number = self.entries.number(schema, settled=settled, level=level)
        node["$ref"] = f"#/$defs/{number}"
        self.links.append((node, number))
        return node

    def compiled(self, schema: Schema, position: _Position) -> Any:
        """Write one schema, down to its references."""
        if position.level > self.entries.depth:
            where = location_at(schema.references, schema.uri)
            raise UnsafeDocument(f"schemas are nested more than {self.entries.depth} levels deep", location=where)
        if position.inline and (position.inline > self.entries.inline or self.is_resource(schema)):
            return self.link(schema, settled=position.settled, level=position.level)
        if position.uri != schema.uri:
            self.entries.uris[position.at] = schema.uri
            position = position._replace(uri=schema.uri)
        found = keywords(schema)
        if found.malformed:
            where = location_at(schema.references, f"{schema.uri}/{escape(found.malformed[0])}")
            raise InvalidDocument(
                malformed_text(found.malformed[0], schema.value.get(found.malformed[0])), location=where
            )
        if isinstance(schema.value, bool):
            return {"not": {}} if found.never else True
        if found.or_null:
            self.entries.uris[f"{position.at}/anyOf/1"] = schema.uri
            inner = position._replace(at=f"{position.at}/anyOf/1")
            return {"anyOf": [{"type": "null"}, self.written(schema, found, inner)]}
        return self.written(schema, found, position)

    def written(self, schema: Schema, found: Keywords, position: _Position) -> dict[str, Any]:
        """Write a schema that is an object."""
        position = position._replace(hidden=hidden_properties(schema, found, self.entries.direction, position.hidden))
        node: dict[str, Any] = {keyword: value for keyword, value in found.plain.items() if keyword in ASSERTIONS}
        if "required" in node:
            node["required"] = [name for name in dict.fromkeys(node["required"]) if name not in position.hidden]
        self.add_references(node, schema, found, position)
        self.add_below(node, found, position)
        picks = discriminator(schema, found)
        if picks is None:
            return node
        if schema.uri in position.settled:
            node.pop("oneOf", None)
            node.pop("anyOf", None)
            return node
        if schema.uri + _OPEN in position.settled:
            picks = picks._replace(closed=False)
        at = f"{position.at}/allOf/{len(node.get('allOf', ()))}"
        apply_discriminator(node, picks, schema, lambda picked: self.link(picked, settled=settled_by(picks, picked)))
        self.entries.uris[at] = f"{schema.uri}/discriminator"
        self.entries.made.add(at)
        return node

    def is_resource(self, schema: Schema) -> bool:
        if not schema.dialect.identifiers or not isinstance(schema.value, Mapping):
            return False
        return isinstance(schema.value.get("$id"), str) or isinstance(schema.value.get("$dynamicAnchor"), str)

    def add_references(self, node: dict[str, Any], schema: Schema, found: Keywords, position: _Position) -> None:
        """Write ``$ref`` and ``$dynamicRef``."""
        if found.reference is not None:
            to = follow(target(schema, found.reference))
            self.link(to, node, settled=settled_above(to, position))
        reference = node.pop("$dynamicRef", None)
        if reference is None:
            return
        to = target(schema, reference)
        name = reference.partition("#")[2]
        below: dict[str, Any] = {}
        # JSON Schema 2020-12, 8.2.3.2: dynamic only where the first target was made by `$dynamicAnchor`.
        if isinstance(to.value, Mapping) and to.value.get("$dynamicAnchor") == name:
            self.dynamic.append((below, self.entries.number(to), name))
        else:
            self.link(follow(to), below)
        node.setdefault("allOf", []).append(below)

    def add_below(self, node: dict[str, Any], found: Keywords, position: _Position) -> None:
        """Write the keywords whose values are schemas."""
        dynamic = node.pop("allOf", [])
        for keyword, schema in found.one.items():
            below = position.below(keyword, same_value=keyword in {"then", "else"})
            write = self.part if keyword in _CLOSING else self.compiled
            node[keyword] = False if schema.value is False and keyword in _CLOSING else write(schema, below)
        for keyword, schemas in found.many.items():
            same = keyword == "allOf"
            write = self.member if same else self.part
            node[keyword] = [
                write(schema, position.below(keyword, index, same_value=same)) for index, schema in enumerate(schemas)
            ]
        for keyword, named in found.named.items():
            node[keyword] = {name: self.part(schema, position.below(keyword, name)) for name, schema in named.items()}
        if dynamic:
            node["allOf"] = [*node.get("allOf", []), *dynamic]

    def member(self, schema: Schema, position: _Position) -> Any:
        """Write a member of ``allOf``."""
        to = follow(schema)
        if to.uri != schema.uri:
            return self.link(to, settled=settled_above(to, position))
        return self.compiled(schema, position)


def settled_above(base: Schema, position: _Position) -> frozenset[str]:
    """Return the discriminators of a base and of its bases that have no effect for a schema with the base in its allOf.

    They are those that were settled before, and those that could have picked the schema.
    """
    if position.owner is None:
        return frozenset()
    found = _discriminators(base)
    return frozenset(
        uri
        for uri, picks in found.items()
        if uri in position.settled
        or position.owner in picks.branches
        or any(heir.uri == position.owner for heir in picks.mapping.values())
    )


def settled_by(picks: Discriminator, picked: Schema) -> frozenset[str]:
    """Return the discriminators for the same property that have no effect in a schema which has been picked.

    The schema's own union may pick further, but need not.
    """
    found = {uri: each for uri, each in _discriminators(picked).items() if each.property_name == picks.property_name}
    return frozenset(uri if each.inherited or each.owner == picks.owner else uri + _OPEN for uri, each in found.items())


def _discriminators(schema: Schema) -> Mapping[str, Discriminator]:
    """Return the discriminators of a schema and of all its bases, by the URI of the schemas that have them."""
    known: dict[str, Mapping[str, Discriminator]] = cache(schema.references, "bases")
    # Those of the bases first, each once: in a long chain of bases, walking through all from each would be quadratic.
    waiting: list[tuple[Schema, list[Schema] | None]] = [(schema, None)]
    entered: set[str] = set()
    while waiting:
        here, bases = waiting.pop()
        if bases is not None:
            found = [known[base.uri] for base in bases if known.get(base.uri)]
            own = discriminator(here, keywords(here)) if "discriminator" in here.value else None
            found += [{here.uri: own}] if own is not None else []
            known[here.uri] = (
                found[0] if len(found) == 1 else {uri: each for part in found for uri, each in part.items()}
            )
        elif here.uri not in known and here.uri not in entered:
            entered.add(here.uri)
            if not isinstance(here.value, Mapping):
                known[here.uri] = {}
                continue
            refers = "allOf" in here.value or "$ref" in here.value
            bases = list(same_value(here, keywords(here))) if refers else []
            waiting.append((here, bases))
            waiting += [(base, None) for base in bases]
    return known[schema.uri]


def hidden_properties(schema: Schema, found: Keywords, direction: str, known: frozenset[str]) -> frozenset[str]:
    """Return the required properties that are not required in a direction.

    OAS 3.0.4, Schema Object: of a readOnly property ``required`` takes effect on the response only, of a writeOnly one
    on the request only. ``known`` are those of the schema that this one is merged into.
    """
    names = set(_required(schema.value))
    own = found.named.get("properties", {})
    keyword = HIDDEN[direction]
    hidden = {name for name in names & own.keys() if _has(own[name], keyword)}
    if names - own.keys() and (found.reference is not None or "allOf" in found.many):
        merged = shape(schema).properties
        hidden |= {name for name in (names - own.keys()) & merged.keys() if _has(merged[name], keyword)}
    return known | hidden


def _required(node: Any) -> Iterator[str]:
    """Yield the names that a schema requires by itself, or by members of its ``allOf`` that are not references."""
    waiting = [node]
    while waiting:
        here = waiting.pop()
        if isinstance(here, Mapping):
            required, inner = here.get("required"), here.get("allOf")
            yield from (name for name in (required if isinstance(required, list) else ()) if isinstance(name, str))
            waiting += inner if isinstance(inner, list) else ()


def _has(schema: Schema, keyword: str) -> bool:
    if not isinstance(schema.value, Mapping):
        return False
    if schema.value.get(keyword) is True and ("$ref" not in schema.value or schema.dialect.ref_siblings):
        return True
    if "$ref" not in schema.value and "allOf" not in schema.value:
        return False
    return any(part.plain.get(keyword) is True for _, part in members(schema))
