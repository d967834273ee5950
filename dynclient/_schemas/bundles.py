"""One self-contained schema to validate by, with all that it reaches.

Rule 1: nothing is inlined. What a reference leads to becomes an entry of ``$defs``, once, however often it is reached.
Rule 2: every reference leads to such an entry. ``$id`` and ``$anchor`` have done their work by then, and are left out.
Rule 3: only ``$dynamicRef`` depends on which resource a schema belongs to. Where one is reached, each resource (a
schema with ``$id``, or a whole document) stays one, under a URI of the bundle's own, and references are absolute.
Rule 4: no URI of the document is in a bundle, so none can be fetched or taken over.
Rule 5: a schema nested deeper than engines bear goes on in an entry of its own.

Drafts 4 to 2019-09 are translated to 2020-12; ``$schema`` of anything else is read as 2020-12.

A property that is ``readOnly`` is not required in a request, and one that is ``writeOnly`` not in a response. If it is
there all the same, it is allowed, and held to its schema: who sends back what was got does no wrong
(OAS 3.0.4, Schema Object: it SHOULD NOT be sent; "required" takes effect on the other direction only).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from dynclient._schemas.discriminators import Discriminator, discriminator
from dynclient._schemas.dispatch import dispatched
from dynclient._schemas.hiding import hidden_properties
from dynclient._schemas.places import escaped, follow, place_of, target
from dynclient._schemas.resources import anchored, resource_of
from dynclient._schemas.words import ASSERTIONS, Words, words
from dynclient.exceptions import InvalidDocument, UnsafeDocument
from dynclient.model import Schema
from dynclient.options import Limits

Direction = Literal["request", "response"]
DRAFT = "https://json-schema.org/draft/2020-12/schema"

_CLOSING = frozenset({"additionalProperties", "items", "unevaluatedItems", "unevaluatedProperties"})
_INLINE = 24
"""Levels that are written within one entry; engines fail at some hundred."""


class Bundle(NamedTuple):
    """A self-contained schema, and where its parts come from.

    ``places`` pairs a JSON pointer in the bundle with the URI in the document, for each entry and for what stands
    elsewhere than in its source. Of what stands within ``made`` nothing is in the document but the whole.
    """

    schema: dict[str, Any]
    places: Mapping[str, str]
    made: frozenset[str] = frozenset()

    def origin(self, pointer: str) -> str:
        """The URI in the document of what stands at a JSON pointer in the bundle."""
        head, rest = pointer, ""
        while head not in self.places:
            head, _, key = head.rpartition("/")
            rest = f"/{key}{rest}"
        return self.places[head] + ("" if head in self.made else rest)


def bundle(schema: Schema, direction: Direction, *, depth: int = Limits().schema_depth) -> Bundle:
    """Gather a schema and what it reaches into one, in the words of JSON Schema 2020-12.

    Raises:
        InvalidDocument: a word's value makes no sense.
        UnresolvableReference: a ``$ref`` leads nowhere, or in a circle.
        UnsafeDocument: schemas are nested deeper than ``depth``.
    """
    return _Bundler(direction, depth).bundle(schema)


class _Entry(NamedTuple):
    """What becomes an entry of ``$defs``.

    ``chosen`` tells that the schema is reached by the ``allOf`` of one that its discriminator picked already.
    """

    schema: Schema
    chosen: bool
    level: int


class _Spot(NamedTuple):
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
        path = "".join(f"/{escaped(str(key))}" for key in keys)
        owner, hidden = (self.owner, self.hidden) if same_value else (None, frozenset[str]())
        return _Spot(self.at + path, self.uri + path, self.level + 1, self.inline + 1, owner, hidden)


class _Bundler:
    def __init__(self, direction: Direction, depth: int) -> None:
        self.direction = direction
        self.depth = depth
        self.entries: list[_Entry] = []
        self.nodes: list[Any] = []
        self.numbers: dict[tuple[str, bool], int] = {}
        self.links: list[tuple[dict[str, Any], int]] = []
        self.dynamic: list[tuple[dict[str, Any], int, str]] = []
        self.places: dict[str, str] = {}
        self.made: set[str] = set()

    def bundle(self, schema: Schema) -> Bundle:
        self.number(follow(schema))
        self.write()
        resources = self.add_anchored() if self.dynamic else {}
        for number, entry in enumerate(self.entries):
            if resources and not entry.chosen and isinstance(entry.schema.value, Mapping):
                anchor = entry.schema.value.get("$dynamicAnchor")
                if isinstance(anchor, str):
                    self.nodes[number]["$dynamicAnchor"] = anchor
        return self.assembled(resources)

    def number(self, schema: Schema, *, chosen: bool = False, level: int = 0) -> int:
        """The number of a schema's entry, new or known."""
        key = (schema.uri, chosen)
        if key not in self.numbers:
            self.numbers[key] = len(self.entries)
            self.entries.append(_Entry(schema, chosen, level))
        return self.numbers[key]

    def link(self, schema: Schema, *, chosen: bool = False, level: int = 0) -> dict[str, Any]:
        """A node that refers to a schema's entry."""
        node: dict[str, Any] = {"$ref": ""}
        self.links.append((node, self.number(schema, chosen=chosen, level=level)))
        return node

    def write(self) -> None:
        """Write the entries that are not written, and those that this adds."""
        while len(self.nodes) < len(self.entries):
            number = len(self.nodes)
            schema, chosen, level = self.entries[number]
            at = f"/$defs/{number}"
            self.places[at] = schema.uri
            spot = _Spot(at, schema.uri, level, 0, schema.uri, frozenset())
            self.nodes.append(self.node(schema, spot, chosen=chosen))

    def node(self, schema: Schema, spot: _Spot, *, chosen: bool = False) -> Any:
        """Write one schema, down to where references begin."""
        if spot.level > self.depth:
            where = place_of(schema.references, schema.uri)
            raise UnsafeDocument(f"schemas are nested more than {self.depth} levels deep", place=where)
        if spot.inline and (spot.inline > _INLINE or self.is_resource(schema)):
            return self.link(schema, level=spot.level)
        if spot.uri != schema.uri:
            self.places[spot.at] = schema.uri
            spot = spot._replace(uri=schema.uri)
        found = words(schema)
        self.check(schema, found)
        if isinstance(schema.value, bool):
            return {"not": {}} if found.never else True
        spot = spot._replace(hidden=hidden_properties(schema, found, self.direction, spot.hidden))
        node = {word: value for word, value in found.plain.items() if word in ASSERTIONS}
        if "required" in node:
            node["required"] = [name for name in node["required"] if name not in spot.hidden]
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
        self.places[at] = f"{schema.uri}/discriminator"
        self.made.add(at)

    def check(self, schema: Schema, found: Words) -> None:
        for word in found.malformed:
            where = place_of(schema.references, f"{schema.uri}/{escaped(word)}")
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
            self.links.append((node, self.number(to, chosen=chosen)))
            node["$ref"] = ""
        reference = node.pop("$dynamicRef", None)
        if reference is None:
            return
        to = target(schema, reference)
        name = reference.partition("#")[2]
        below: dict[str, Any] = {}
        # JSON Schema 2020-12, 8.2.3.2: dynamic only where the first target was made by `$dynamicAnchor`.
        if isinstance(to.value, Mapping) and to.value.get("$dynamicAnchor") == name:
            self.dynamic.append((below, self.number(to), name))
        else:
            self.links.append((below, self.number(follow(to))))
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

    def add_anchored(self) -> dict[str, int]:
        """Add what ``$dynamicRef`` may lead to in each resource; return the resources, numbered."""
        resources: dict[str, int] = {}
        done = 0
        while done < len(self.entries):
            home = resource_of(self.entries[done].schema)
            done += 1
            if home.uri not in resources:
                resources[home.uri] = len(resources)
                for schema in anchored(home):
                    self.number(schema)
                self.write()
        return resources

    def assembled(self, resources: Mapping[str, int]) -> Bundle:
        """Put the entries in their resources, and let the references lead there."""
        homes = [resources[resource_of(entry.schema).uri] if resources else 0 for entry in self.entries]
        ids = [f"dynclient:/{number}" if resources else "" for number in range(max(homes) + 1)]
        for node, number in self.links:
            node["$ref"] = f"{ids[homes[number]]}#/$defs/{number}"
        for node, number, name in self.dynamic:
            node["$dynamicRef"] = f"{ids[homes[number]]}#{name}"
        defs: list[dict[str, Any]] = [{} for _ in ids]
        for number, node in enumerate(self.nodes):
            defs[homes[number]][str(number)] = node
        root: dict[str, Any] = {"$schema": DRAFT, "$ref": f"{ids[0]}#/$defs/0", "$defs": defs[0]}
        if not resources:
            return Bundle(root, self.places, frozenset(self.made))
        root["$id"] = ids[0]

        def moved(pointer: str) -> str:
            home = homes[int(pointer.split("/")[2])]
            return f"/$defs/resource{home}{pointer}" if home else pointer

        places = {moved(pointer): uri for pointer, uri in self.places.items()}
        for home in range(1, len(ids)):
            root["$defs"][f"resource{home}"] = {"$id": ids[home], "$defs": defs[home]}
        return Bundle(root, places, frozenset(map(moved, self.made)))
