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
from dynclient.changes.kinds import KINDS
from dynclient.changes.report import Change, Location, short_text
from dynclient.model import API, OperationRow, Schema

T = TypeVar("T")
Key = tuple[str, str, str, bool]
"""The URIs of two schemas, the side, and whether the value is XML."""


_MOST_EQUAL = 1_000
_MOST_EQUAL_IN_ALL = 50_000
"""Pairs of branches of which it is found out whether they are equal: for one union, and for two documents."""


class PairResult(Record):
    """The result for one pair of schemas.

    ``changes`` holds the aspect, the rest of the path, and keywords of :meth:`Findings.add`; ``below`` the pairs of
    subschemas, each with the rest of its path and its key.
    """

    changes: tuple[tuple[str, str, dict[str, Any]], ...]
    below: tuple[tuple[Schema, Schema, str, Key], ...]


class Equality:
    """Which branches of unions are equal, and how many more pairs of them may be looked at.

    Unions within unions would take the fourth power of their length, and the sixth, and so on.
    """

    def __init__(self) -> None:
        self.known: dict[Key, bool] = {}
        self.of_union = 0
        self._in_all = _MOST_EQUAL_IN_ALL

    def take(self) -> bool:
        """Whether one more pair may be looked at."""
        self.of_union -= 1
        self._in_all -= 1
        return self.of_union >= 0 and self._in_all >= 0


class SchemaResults:
    """The results for the pairs of schemas of two documents."""

    def __init__(self, equality: Equality | None = None) -> None:
        self.pairs: dict[Key, PairResult] = {}
        self.equality = equality if equality is not None else Equality()
        self._is_inner = equality is not None
        self.unchanged: set[Key] = set()
        self._changed: set[Key] = set()

    def begin_union(self) -> None:
        """The branches of a union are compared next, unless it is one within another."""
        if not self._is_inner:
            self.equality.of_union = _MOST_EQUAL

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
    ) -> None:
        """Add a change. ``old`` and ``new`` locate it: a schema, or a pointer of the model."""
        found = KINDS[kind]
        places = (_location(self.apis.old, old), _location(self.apis.new, new))
        was, is_ = ("" if value is MISSING else short_text(value) for value in (before, after))
        change = Change(found.id, found.severity, self._operation, self._name, where, found.text, was, is_, *places)
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
