"""The state of a comparison: the two APIs, the results for pairs of schemas so far, and the changes found.

Rule 1: the result for a pair of schemas depends on the schemas, on the side where they stand, and on whether the value
is XML; never on the path that led to them. So a pair is compared once.
Rule 2: a pair without a change in it or below it is not walked again, whichever operation leads there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol, TypeVar

from dynclient._records import Record
from dynclient._schemas import MISSING
from dynclient.changes.judge import Judge
from dynclient.changes.kinds import KINDS, Severity
from dynclient.changes.report import Change, Location, short_text
from dynclient.model import API, OperationRow, Schema

T = TypeVar("T")
Key = tuple[str, str, str, bool]
"""The URIs of two schemas, the side, and whether the value is XML."""


class PairResult(Record):
    """The result for one pair of schemas.

    ``changes`` holds the aspect, the rest of the path, and keywords of :meth:`Findings.add`; ``below`` the pairs of
    subschemas, each with the rest of its path and its key.
    """

    changes: tuple[tuple[str, str, dict[str, Any]], ...]
    below: tuple[tuple[Schema, Schema, str, Key], ...]


class SchemaResults:
    """The results for the pairs of schemas of two documents."""

    def __init__(self) -> None:
        self.pairs: dict[Key, PairResult] = {}
        self.judge = Judge()
        self.unchanged: set[Key] = set()
        self._changed: set[Key] = set()

    def walked(self, seen: Iterable[Key], left: Iterable[Key]) -> None:
        """Note which pairs of a finished walk lead to a change, and which do not.

        ``left`` are the pairs that the walk did not get to: they count as changed, since nobody looked.
        """
        met = set(seen)
        if met <= self._changed:
            return
        above: dict[Key, list[Key]] = {}
        for key in met:
            for *_, below in self.pairs[key].below:
                above.setdefault(below, []).append(key)
        waiting = [*left, *(key for key in met if self.pairs[key].changes)]
        changed = set(waiting)
        while waiting:
            for key in above.get(waiting.pop(), ()):
                if key not in changed:
                    changed.add(key)
                    waiting.append(key)
        self.unchanged |= met - changed
        self._changed |= changed


class APIPair(Record):
    """The two APIs that are compared, and the results for their schemas so far."""

    old: API
    new: API
    schemas: SchemaResults


class Findings:
    """The changes of one operation, or of the whole API."""

    def __init__(self, apis: APIPair, row: OperationRow | None = None) -> None:
        """Start without changes. ``row`` is the operation's row in the old document, or in the new one if it is new."""
        self.apis = apis
        self.changes: list[Change] = []
        self._added: set[tuple[Any, ...]] = set()
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
        severity: Severity | None = None,
        example: Any = MISSING,
    ) -> None:
        """Add a change. ``old`` and ``new`` locate it: a schema, or a pointer of the model.

        ``severity`` is one that was found out for this change, ``example`` a value that shows it.
        """
        found = KINDS[kind]
        text = found.text if example is MISSING else f"{found.text} (for example {short_text(example)})"
        places = (_location(self.apis.old, old), _location(self.apis.new, new))
        was, is_ = ("" if value is MISSING else short_text(value) for value in (before, after))
        rank = severity or found.severity
        change = Change(found.id, rank, self._operation, self._name, where, text, was, is_, *places)
        # A schema may be reached by several paths: a change in it is reported once.
        key = (kind, was, is_, *(place.uri if place else where for place in places))
        if key not in self._added:
            self._added.add(key)
            self.changes.append(change)

    def add_members(self, kind: str, before: Iterable[str], after: Iterable[str], where: str = "", **at: Any) -> None:
        """Add a change of the kind ``…-removed`` or ``…-added`` for each text that only one side has."""
        olds, news = dict.fromkeys(before), dict.fromkeys(after)
        for name in olds:
            if name not in news:
                self.add(f"{kind}-removed", where, before=name, **at)
        for name in news:
            if name not in olds:
                self.add(f"{kind}-added", where, after=name, **at)

    def shared(
        self, kind: Callable[[T, str], str], where: Callable[[T], str], old: Mapping[str, T], new: Mapping[str, T]
    ) -> Iterator[tuple[T, T]]:
        """Yield the two objects of each key that both sides have, and add a change for each other object.

        ``kind`` returns the kind of change from an object and "removed" or "added", ``where`` names the object.
        """
        for key, one in old.items():
            if key in new:
                yield one, new[key]
            else:
                self.add(kind(one, "removed"), where(one), old=getattr(one, "pointer", None))
        for key, one in new.items():
            if key not in old:
                self.add(kind(one, "added"), where(one), new=getattr(one, "pointer", None))


def take_pairs(left: list[T], right: list[T], fits: Callable[[T, T], bool]) -> list[tuple[T, T]]:
    """Remove the pairs that fit from both lists, and return them."""
    pairs = []
    for one in tuple(left):
        other = next((other for other in right if fits(one, other)), None)
        if other is not None:
            pairs.append((one, other))
            left.remove(one)
            right.remove(other)
    return pairs


class _Located(Protocol):
    @property
    def pointer(self) -> str: ...


def locations(old: _Located, new: _Located) -> dict[str, Any]:
    """Where an object of the model stands in both documents, as keywords of :meth:`Findings.add`."""
    return {"old": old.pointer or None, "new": new.pointer or None}


def _location(api: API, at: str | Schema | None) -> Location | None:
    if at is None:
        return None
    if isinstance(at, Schema):
        return Location(at.uri, at.references)
    # A pointer of the model lies within the root document, or else follows the URI of another one.
    return Location(at if "#" in at else f"{api.document_uri}#{at}", api.references)
