"""Two schemas: what each of the two says of a value, aspect by aspect, down through all that they contain.

Rule 1: shapes are compared, so how a schema is written (``$ref``, ``allOf``, another version) is no change.
Rule 2: a pair of schemas is looked at once; so circles end.
Rule 3: a union of one schema is that schema, and ``null`` in a union is a type.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from dynclient._schemas import Shape, shape
from dynclient.changes.assertions import ASSERTIONS
from dynclient.changes.findings import Findings
from dynclient.changes.kinds import Side
from dynclient.changes.objects import properties
from dynclient.changes.unions import Sides, heirs, members, union
from dynclient.model import Schema

_BUDGET = 20_000
_SAME_BUDGET = 200


class Here(NamedTuple):
    """Two schemas that hold for the same value, and where that is."""

    old: Schema
    new: Schema
    path: str


class Comparison:
    """One walk over two schemas. ``add`` is told the aspect, the path, and what Findings.add takes."""

    def __init__(self, add: Callable[..., None], side: Side, *, xml: bool = False, budget: int = _BUDGET) -> None:
        """Take who is told. ``xml``: the value is written in XML."""
        self._add = add
        self.side = side
        self._xml = xml
        self._budget = budget
        self._seen: set[tuple[str, str]] = set()
        self._waiting: list[Here] = []

    def run(self, old: Schema, new: Schema, path: str = "$") -> None:
        """Compare two schemas and all below.

        Raises:
            DocumentError: one of them is broken.
        """
        self._waiting.append(Here(old, new, path))
        while self._waiting and self._budget > 0:
            here = self._waiting.pop()
            key = (here.old.uri, here.new.uri)
            if key not in self._seen:
                self._seen.add(key)
                self._budget -= 1
                self._one(here)

    def _one(self, here: Here) -> None:
        sides = members(shape(here.old), shape(here.new))

        def add(aspect: str, path: str = here.path, **what: Any) -> None:
            self._add(aspect, path, **{"old": here.old, "new": here.new, **what})

        if sides.union:
            self._below(union(sides, add, self._same), here.path)
        if not sides.plain:
            self._nulls(sides, add)
            return
        old, new = sides.old, sides.new
        for check in ASSERTIONS:
            for aspect, before, after in check(old, new):
                add(aspect, before=before, after=after)
        if self._xml and old.xml != new.xml:
            add("xml-changed")
        below = [*_items(old, new, add), *properties(old, new, self.side, add), *heirs(old, new, add)]
        self._below(below, here.path)

    def _nulls(self, sides: Sides, add: Callable[..., None]) -> None:
        if sides.old_null != sides.new_null:
            add("null-allowed" if sides.new_null else "null-forbidden")

    def _below(self, pairs: list[tuple[Schema, Schema, str]], path: str) -> None:
        # Backwards, so that they come from the stack in the document's order.
        self._waiting += [Here(old, new, f"{path}{step}") for old, new, step in reversed(pairs)]

    def _same(self, old: Schema, new: Schema) -> bool:
        """Whether two branches of unions say the same."""
        told: list[str] = []
        inner = Comparison(lambda aspect, *_, **__: told.append(aspect), self.side, budget=_SAME_BUDGET)
        inner._seen |= self._seen
        inner.run(old, new)
        return not told


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
        Comparison(add, side, xml=xml).run(old, new)
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
