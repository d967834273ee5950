"""One self-contained schema to validate by, with all that it reaches.

Rule 1: a bundle is a choice of entries, which all bundles of a document share; only ``$dynamicRef`` asks for more.
Rule 2: where a ``$dynamicRef`` leads depends on the resources that were gone through. Where one is reached, each
resource (a schema with ``$id``, or a whole document) stays one, under a URI of the bundle's own, and references are
absolute.
Rule 3: no URI of the document is in a bundle, so none can be fetched or taken over.

Drafts 4 to 2019-09 are translated to 2020-12; ``$schema`` of anything else is read as 2020-12.

A property that is ``readOnly`` is not required in a request, and one that is ``writeOnly`` not in a response. If it is
there all the same, it is allowed, and held to its schema: who sends back what was got does no wrong
(OAS 3.0.4, Schema Object: it SHOULD NOT be sent; "required" takes effect on the other direction only).
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from dynclient._records import Record
from dynclient._schemas.entries import Direction, Entries
from dynclient._schemas.places import cache, follow
from dynclient._schemas.resources import anchored, resource_of
from dynclient.model import Schema
from dynclient.options import Limits

DRAFT = "https://json-schema.org/draft/2020-12/schema"


class Bundle(Record):
    """A self-contained schema, and where its parts come from.

    ``places`` pairs a JSON pointer in the bundle with the URI in the document, for each entry and for what stands
    elsewhere than in its source. Of what stands within ``made`` nothing is in the document but the whole.
    ``worked_out`` is for what others work out once for each entry: the bundles of a document share it.
    """

    schema: dict[str, Any]
    places: Mapping[str, str]
    made: AbstractSet[str]
    worked_out: dict[str, Any]

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
    schema = follow(schema)
    known = cache(schema.references, "entries")
    shared: Entries = known.setdefault((direction, depth), Entries(direction, depth))
    with shared.lock:
        start = shared.number(schema)
        numbers = shared.reached(start)
    found = [shared.entries[number] for number in numbers]
    if any(entry.dynamic for entry in found):
        return _dynamic(schema, Entries(direction, depth))
    defs = {str(number): entry.node for number, entry in zip(numbers, found, strict=True)}
    root = {"$schema": DRAFT, "$ref": f"#/$defs/{start}", "$defs": defs}
    return Bundle(root, shared.places, shared.made, shared.worked_out)


def _dynamic(schema: Schema, own: Entries) -> Bundle:
    """A bundle in which resources stay resources. Its entries are its own, since their references are."""
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
        if isinstance(anchor, str) and not entry.chosen:
            entry.node["$dynamicAnchor"] = anchor
        for node, number in entry.links:
            node["$ref"] = f"dynclient:/{homes[number]}#/$defs/{number}"
        for node, number, name in entry.dynamic:
            node["$dynamicRef"] = f"dynclient:/{homes[number]}#{name}"
    return _assembled(own, homes)


def _assembled(own: Entries, homes: list[int]) -> Bundle:
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

    places = {moved(pointer): uri for pointer, uri in own.places.items()}
    return Bundle(root, places, frozenset(map(moved, own.made)), {})
