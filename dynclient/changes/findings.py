"""Where changes are gathered while two APIs are compared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dynclient._schemas import MISSING
from dynclient.changes.kinds import KINDS
from dynclient.changes.known import Known
from dynclient.changes.values import Change, Spot, shown
from dynclient.model import API, OperationRow, Schema


class Pair:
    """The two APIs that are compared, and what is known of their schemas by now."""

    __slots__ = ("known", "new", "old")

    def __init__(self, old: API, new: API) -> None:
        self.old = old
        self.new = new
        self.known = Known()

    def __iter__(self) -> Iterator[API]:
        return iter((self.old, self.new))


class Findings:
    """The changes of one operation, or of the whole API."""

    def __init__(self, apis: Pair, row: OperationRow | None = None) -> None:
        """Take the APIs, and the operation by its row in the old document, or else in the new one."""
        self.apis = apis
        self.changes: list[Change] = []
        self._told: set[tuple[Any, ...]] = set()
        self._operation = (row.operation_id or row.key) if row is not None else ""
        self._name = row.name if row is not None else ""

    def add(
        self,
        kind: str,
        where: str = "",
        *,
        before: Any = MISSING,
        after: Any = MISSING,
        old: str | Schema | None = None,
        new: str | Schema | None = None,
    ) -> None:
        """Note a change. ``old`` and ``new`` are a schema, or a pointer as the model has it."""
        found = KINDS[kind]
        spots = (_spot(self.apis.old, old), _spot(self.apis.new, new))
        said, says = ("" if value is MISSING else shown(value) for value in (before, after))
        change = Change(found.id, found.severity, self._operation, self._name, where, found.text, said, says, *spots)
        # One schema may be reached in several ways: what changed in it is told once.
        key = (kind, change.before, change.after, *(spot.uri if spot else where for spot in spots))
        if key not in self._told:
            self._told.add(key)
            self.changes.append(change)


def _spot(api: API, at: str | Schema | None) -> Spot | None:
    if at is None:
        return None
    if isinstance(at, Schema):
        return Spot(at.uri, at.references)
    # The model's pointers are within the root document, or else follow the URI of another one.
    uri = at if "#" in at else f"{api.document_uri}#{at}"
    return Spot(uri, api.references)
