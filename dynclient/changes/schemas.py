"""Two schemas: what each of the two says of a value, aspect by aspect, down through all that they contain.

Rule 1: shapes are compared, so how a schema is written (``$ref``, ``allOf``, another version) is no change.
Rule 2: a pair of schemas is looked at once; so circles end.
Rule 3: a union of one schema is that schema, and ``null`` in a union is a type.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from dynclient._records import Record
from dynclient._schemas import Shape, shape
from dynclient.changes.assertions import ASSERTIONS
from dynclient.changes.findings import Findings
from dynclient.changes.kinds import Side
from dynclient.changes.known import Key, Known, Told
from dynclient.changes.objects import properties
from dynclient.changes.unions import heirs, members, union
from dynclient.model import Schema

_BUDGET = 20_000
_SAME_BUDGET = 200


class Here(Record):
    """Two schemas that hold for the same value, where that is, and what they are known by."""

    old: Schema
    new: Schema
    path: str
    key: Key


class Comparison:
    """One walk over two schemas. ``add`` is told the aspect, the path, and what Findings.add takes."""

    def __init__(
        self,
        add: Callable[..., None],
        side: Side,
        *,
        xml: bool = False,
        budget: int = _BUDGET,
        known: Known | None = None,
    ) -> None:
        """Take who is told, and what is ``known`` of the documents. ``xml``: the value is written in XML."""
        self._add = add
        self.side = side
        self._xml = xml
        self._budget = budget
        self._known = known if known is not None else Known()
        self._seen: set[Key] = set()
        self._waiting: list[Here] = []

    def run(self, old: Schema, new: Schema, path: str = "$") -> None:
        """Compare two schemas and all below.

        Raises:
            DocumentError: one of them is broken.
        """
        self._waiting.append(Here(old, new, path, self._key(old, new)))
        while self._waiting and self._budget > 0:
            here = self._waiting.pop()
            if here.key not in self._seen and not self._known.unchanged(here.key):
                told = self._told(here)
                self._seen.add(here.key)
                self._budget -= 1
                self._tell(here, told)
        self._known.walked(self._seen, (here.key for here in self._waiting))

    def _key(self, old: Schema, new: Schema) -> Key:
        return old.uri, new.uri, self.side, self._xml

    def _tell(self, here: Here, told: Told) -> None:
        for aspect, step, what in told.changes:
            self._add(aspect, here.path + step, **{"old": here.old, "new": here.new, **what})
        # Backwards, so that they come from the stack in the document's order.
        self._waiting += [Here(old, new, here.path + step, key) for old, new, step, key in reversed(told.below)]

    def _told(self, here: Here) -> Told:
        known = self._known.told.get(here.key)
        if known is None:
            known = self._known.told[here.key] = self._one(here.old, here.new)
        return known

    def _one(self, before: Schema, after: Schema) -> Told:
        sides = members(shape(before), shape(after))
        changes: list[tuple[str, str, dict[str, Any]]] = []
        below: list[tuple[Schema, Schema, str]] = []

        def add(aspect: str, step: str = "", **what: Any) -> None:
            changes.append((aspect, step, what))

        if sides.union:
            below += union(sides, add, self._same)
        if sides.plain:
            old, new = sides.old, sides.new
            for check in ASSERTIONS:
                for aspect, said, says in check(old, new):
                    add(aspect, before=said, after=says)
            if self._xml and old.xml != new.xml:
                add("xml-changed")
            below += [*_items(old, new, add), *properties(old, new, self.side, add), *heirs(old, new, add)]
        elif sides.old_null != sides.new_null:
            add("null-allowed" if sides.new_null else "null-forbidden")
        return Told(tuple(changes), tuple((one, other, step, self._key(one, other)) for one, other, step in below))

    def _same(self, old: Schema, new: Schema) -> bool:
        """Whether two branches of unions say the same; while that is being found out, they are taken to."""
        same, key = self._known.same, self._key(old, new)
        if key not in same:
            same[key] = True
            told: list[str] = []
            # What is found here holds only if the guess does: it is kept apart from what is known.
            inner = Comparison(
                lambda aspect, *_, **__: told.append(aspect), self.side, xml=self._xml, budget=_SAME_BUDGET
            )
            inner._known.same = same
            inner.run(old, new)
            same[key] = not told
        return same[key]


def compare_schemas(
    findings: Findings, side: Side, label: str, old: Schema | None, new: Schema | None, *, xml: bool = False
) -> None:
    """Compare what two documents say of one value. ``label`` names it in the operation.

    Raises:
        DocumentError: a schema is broken.
    """

    def add(aspect: str, path: str = "$", **what: Any) -> None:
        findings.add(f"{side}-{aspect}", label if path == "$" else f"{label} {path}", **what)

    if old is not None and new is not None:
        Comparison(add, side, xml=xml, known=findings.apis.known).run(old, new)
    elif new is not None and _asserts(new):
        add("schema-added", new=new)
    elif old is not None and _asserts(old):
        add("schema-removed", old=old)


def _asserts(schema: Schema) -> bool:
    return schema.value not in ({}, True)


def _items(old: Shape, new: Shape, add: Callable[..., None]) -> Iterator[tuple[Schema, Schema, str]]:
    if len(old.prefix_items) != len(new.prefix_items):
        add("prefix-items-changed", before=len(old.prefix_items), after=len(new.prefix_items))
    for index, (one, other) in enumerate(zip(old.prefix_items, new.prefix_items, strict=False)):
        yield one, other, f"[{index}]"
    old_items = old.items if old.items is not None and _asserts(old.items) else None
    new_items = new.items if new.items is not None and _asserts(new.items) else None
    if old_items is not None and new_items is not None:
        yield old_items, new_items, "[]"
    elif new_items is not None:
        add("items-added")
    elif old_items is not None:
        add("items-removed")
