"""Schemas as entries of ``$defs``: written once for each document and direction, and shared by all bundles.

Rule 1: nothing is inlined. What a reference leads to becomes an entry, once, however often it is reached.
Rule 2: every reference leads to an entry. ``$id`` and ``$anchor`` have done their work by then, and are left out.
Rule 3: a schema nested deeper than engines bear goes on in an entry of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from threading import RLock
from typing import Any, Literal

from dynclient._records import Record
from dynclient._schemas.discriminators import Discriminator, discriminator
from dynclient._schemas.dispatch import dispatched
from dynclient._schemas.hiding import hidden_properties
from dynclient._schemas.places import follow, place_of, target
from dynclient._schemas.words import ASSERTIONS, Words, words
from dynclient.exceptions import InvalidDocument, UnsafeDocument
from dynclient.json_pointer import escape
from dynclient.model import Schema

Direction = Literal["request", "response"]

_CLOSING = frozenset({"additionalProperties", "items", "unevaluatedItems", "unevaluatedProperties"})
_INLINE = 24
"""Levels that are written within one entry; engines fail at some hundred."""


class Entry:
    """One schema, written.

    ``chosen`` tells that it is reached by the ``allOf`` of a schema that its discriminator picked already. ``links``
    are the nodes in it that refer to other entries, by number; ``dynamic`` those that do so dynamically, with the
    anchor's name.
    """

    __slots__ = ("chosen", "dynamic", "level", "links", "node", "schema", "written")

    def __init__(self, schema: Schema, level: int, *, chosen: bool) -> None:
        self.schema = schema
        self.level = level
        self.chosen = chosen
        self.written = False
        self.node: Any = None
        self.links: list[tuple[dict[str, Any], int]] = []
        self.dynamic: list[tuple[dict[str, Any], int, str]] = []


class Entries:
    """The entries of a document in one direction.

    ``places`` pairs pointers with URIs in the document, for entries and for what stands elsewhere than in its source;
    of what stands within ``made`` nothing is in the document but the whole. ``worked_out`` is for what else is worked
    out once for each entry.
    """

    def __init__(self, direction: Direction, depth: int) -> None:
        self.direction: Direction = direction
        self.depth = depth
        self.lock = RLock()
        self.entries: list[Entry] = []
        self.places: dict[str, str] = {}
        self.made: set[str] = set()
        self.worked_out: dict[str, Any] = {}
        self._numbers: dict[tuple[str, bool], int] = {}

    def number(self, schema: Schema, *, chosen: bool = False, level: int = 0) -> int:
        """The number of a schema's entry, new or known."""
        key = (schema.uri, chosen)
        if key not in self._numbers:
            self._numbers[key] = len(self.entries)
            self.entries.append(Entry(schema, level, chosen=chosen))
        return self._numbers[key]

    def reached(self, *starts: int) -> list[int]:
        """The numbers of some entries and of all that they lead to; each is written."""
        found = dict.fromkeys(starts)
        waiting = list(starts)
        while waiting:
            entry = self.entries[waiting.pop()]
            if not entry.written:
                self._write(entry)
            for number in [*(each[1] for each in entry.links), *(each[1] for each in entry.dynamic)]:
                if number not in found:
                    found[number] = None
                    waiting.append(number)
        return list(found)

    def _write(self, entry: Entry) -> None:
        number = self._numbers[entry.schema.uri, entry.chosen]
        at = f"/$defs/{number}"
        self.places[at] = entry.schema.uri
        spot = _Spot(at, entry.schema.uri, entry.level, 0, entry.schema.uri, frozenset())
        entry.links.clear()
        entry.dynamic.clear()
        entry.node = _Writer(self, entry).node(entry.schema, spot, chosen=entry.chosen)
        entry.written = True


class _Spot(Record):
    """Where a node is written: its pointer in the bundle, the URI that this pointer would stand for, its depth.

    ``owner`` is the entry's schema as long as only ``allOf`` lies between; ``hidden`` are the properties that are not
    required in this direction.
    """

    at: str
    uri: str
    level: int
    inline: int
    owner: str | None
    hidden: frozenset[str]

    def below(self, *keys: str | int, same_value: bool = False) -> _Spot:
        path = "".join(f"/{escape(str(key))}" for key in keys)
        owner, hidden = (self.owner, self.hidden) if same_value else (None, frozenset[str]())
        return _Spot(self.at + path, self.uri + path, self.level + 1, self.inline + 1, owner, hidden)


class _Writer:
    """Writes one entry."""

    def __init__(self, entries: Entries, entry: Entry) -> None:
        self.entries = entries
        self.entry = entry

    def link(self, schema: Schema, *, chosen: bool = False, level: int = 0) -> dict[str, Any]:
        """A node that refers to a schema's entry."""
        return self.refer({}, schema, chosen=chosen, level=level)

    def refer(self, node: dict[str, Any], schema: Schema, *, chosen: bool = False, level: int = 0) -> dict[str, Any]:
        """Let a node refer to a schema's entry."""
        number = self.entries.number(schema, chosen=chosen, level=level)
        node["$ref"] = f"#/$defs/{number}"
        self.entry.links.append((node, number))
        return node

    def node(self, schema: Schema, spot: _Spot, *, chosen: bool = False) -> Any:
        """Write one schema, down to where references begin."""
        if spot.level > self.entries.depth:
            where = place_of(schema.references, schema.uri)
            raise UnsafeDocument(f"schemas are nested more than {self.entries.depth} levels deep", place=where)
        if spot.inline and (spot.inline > _INLINE or self.is_resource(schema)):
            return self.link(schema, level=spot.level)
        if spot.uri != schema.uri:
            self.entries.places[spot.at] = schema.uri
            spot = spot._replace(uri=schema.uri)
        found = words(schema)
        self.check(schema, found)
        if isinstance(schema.value, bool):
            return {"not": {}} if found.never else True
        if found.or_null:
            self.entries.places[f"{spot.at}/anyOf/1"] = schema.uri
            inner = spot._replace(at=f"{spot.at}/anyOf/1")
            return {"anyOf": [{"type": "null"}, self.written(schema, found, inner, chosen=chosen)]}
        return self.written(schema, found, spot, chosen=chosen)

    def written(self, schema: Schema, found: Words, spot: _Spot, *, chosen: bool) -> dict[str, Any]:
        """Write a schema that is an object."""
        spot = spot._replace(hidden=hidden_properties(schema, found, self.entries.direction, spot.hidden))
        node: dict[str, Any] = {word: value for word, value in found.plain.items() if word in ASSERTIONS}
        if "required" in node:
            node["required"] = [name for name in dict.fromkeys(node["required"]) if name not in spot.hidden]
        self.add_references(node, schema, found, spot)
        self.add_below(node, found, spot)
        picks = None if chosen else discriminator(schema, found)
        if picks is not None:
            self.dispatch(node, picks, schema, spot)
        elif chosen and "discriminator" in found.plain:
            node.pop("oneOf", None)
            node.pop("anyOf", None)
        return node

    def dispatch(self, node: dict[str, Any], picks: Discriminator, schema: Schema, spot: _Spot) -> None:
        before = len(node.get("allOf", ()))
        dispatched(node, picks, schema, self.link)
        at = f"{spot.at}/allOf/{before}"
        self.entries.places[at] = f"{schema.uri}/discriminator"
        self.entries.made.add(at)

    def check(self, schema: Schema, found: Words) -> None:
        for word in found.malformed:
            where = place_of(schema.references, f"{schema.uri}/{escape(word)}")
            raise InvalidDocument(f"the value of {word!r} makes no sense", place=where)

    def is_resource(self, schema: Schema) -> bool:
        if not schema.dialect.identifiers or not isinstance(schema.value, Mapping):
            return False
        return isinstance(schema.value.get("$id"), str) or isinstance(schema.value.get("$dynamicAnchor"), str)

    def add_references(self, node: dict[str, Any], schema: Schema, found: Words, spot: _Spot) -> None:
        """Write ``$ref`` and ``$dynamicRef``."""
        if found.reference is not None:
            to = follow(target(schema, found.reference))
            chosen = self.is_chosen(to, spot.owner)
            self.refer(node, to, chosen=chosen)
        reference = node.pop("$dynamicRef", None)
        if reference is None:
            return
        to = target(schema, reference)
        name = reference.partition("#")[2]
        below: dict[str, Any] = {}
        # JSON Schema 2020-12, 8.2.3.2: dynamic only where the first target was made by `$dynamicAnchor`.
        if isinstance(to.value, Mapping) and to.value.get("$dynamicAnchor") == name:
            self.entry.dynamic.append((below, self.entries.number(to), name))
        else:
            self.refer(below, follow(to))
        node.setdefault("allOf", []).append(below)

    def add_below(self, node: dict[str, Any], found: Words, spot: _Spot) -> None:
        """Write the words whose values are schemas."""
        dynamic = node.pop("allOf", [])
        for word, schema in found.one.items():
            below = spot.below(word, same_value=word in {"then", "else"})
            node[word] = False if schema.value is False and word in _CLOSING else self.node(schema, below)
        for word, schemas in found.many.items():
            same = word == "allOf"
            node[word] = [
                self.member(schema, spot.below(word, index, same_value=True))
                if same
                else self.node(schema, spot.below(word, index))
                for index, schema in enumerate(schemas)
            ]
        for word, named in found.named.items():
            node[word] = {name: self.node(schema, spot.below(word, name)) for name, schema in named.items()}
        if dynamic:
            node["allOf"] = [*node.get("allOf", []), *dynamic]

    def member(self, schema: Schema, spot: _Spot) -> Any:
        """Write a member of ``allOf``."""
        to = follow(schema)
        if to.uri != schema.uri:
            return self.link(to, chosen=self.is_chosen(to, spot.owner))
        return self.node(schema, spot)

    def is_chosen(self, parent: Schema, owner: str | None) -> bool:
        """Whether a discriminator of the parent could have picked the schema that has it in its ``allOf``."""
        if owner is None or not isinstance(parent.value, Mapping) or "discriminator" not in parent.value:
            return False
        picks = discriminator(parent, words(parent))
        return picks is not None and any(heir.uri == owner for heir in picks.mapping.values())
