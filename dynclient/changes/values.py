"""What a comparison returns: frozen changes, each with its kind, its operation, and its place in both documents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, overload

from dynclient._records import Record
from dynclient.changes.kinds import SEVERITIES, Severity
from dynclient.exceptions import escaped
from dynclient.model import References

_LONGEST = 60


class Spot(Record):
    """A place in a document: its absolute URI, and what knows lines."""

    uri: str
    references: References | None = None

    @property
    def document(self) -> str:
        """The document, as a person calls it."""
        return self._place[0]

    @property
    def pointer(self) -> str:
        """The JSON pointer in that document."""
        return self._place[1]

    @property
    def line(self) -> int | None:
        """The line, from 1; None where it is not known. Found when it is asked for."""
        return self._place[2]

    @property
    def _place(self) -> tuple[str, str, int | None]:
        if self.references is None:
            document, _, pointer = self.uri.partition("#")
            return document, pointer, None
        return self.references.place(self.uri)

    def __str__(self) -> str:
        document, pointer, line = self._place
        return f"{document}, line {line}, {pointer}" if line is not None else f"{document}, {pointer}"


class Change(Record):
    """One change. ``operation`` is the operationId or ``METHOD path``, ``name`` the Python name; empty: the whole API.

    ``where`` says what in the operation it is; ``before`` and ``after`` are what stood there, as short text. ``old``
    and ``new`` are its places, None in a document that has none.
    """

    id: str
    severity: Severity
    operation: str
    name: str
    where: str
    text: str
    before: str = ""
    after: str = ""
    old: Spot | None = None
    new: Spot | None = None

    @property
    def message(self) -> str:
        """The change in one line."""
        values = f": {self.before} -> {self.after}" if self.before and self.after else ""
        values = values or (f": {self.before or self.after}" if self.before or self.after else "")
        return escaped(" ".join(f"{self.where} {self.text}".split())) + values

    def __str__(self) -> str:
        return f"{self.severity}  {escaped(self.name or self.operation) or 'API'}: {self.message}  [{self.id}]"


class Changes(Sequence[Change]):
    """Changes, the worst first, each severity in the old document's order. Printed, they are a table.

    They may be worked out when they are first looked at: who only reloads pays nothing for them.
    """

    __slots__ = ("_found", "_make")

    def __init__(self, make: Callable[[], Sequence[Change]] = tuple) -> None:
        """Take what works them out."""
        self._make: Callable[[], Sequence[Change]] | None = make
        self._found: tuple[Change, ...] = ()

    @property
    def _all(self) -> tuple[Change, ...]:
        make = self._make
        if make is not None:
            self._found = tuple(sorted(make(), key=lambda change: SEVERITIES.index(change.severity)))
            self._make = None
        return self._found

    @property
    def breaking(self) -> tuple[Change, ...]:
        """The changes that break callers."""
        return self.of("breaking")

    @property
    def warnings(self) -> tuple[Change, ...]:
        """The changes that ask for attention."""
        return self.of("warning")

    def of(self, severity: Severity) -> tuple[Change, ...]:
        """The changes of one severity."""
        return tuple(change for change in self._all if change.severity == severity)

    def reach(self, severity: Severity) -> bool:
        """Whether one is as bad as this, or worse."""
        return any(SEVERITIES.index(change.severity) <= SEVERITIES.index(severity) for change in self._all)

    @property
    def by_operation(self) -> dict[str, tuple[Change, ...]]:
        """The changes of each operation, by its id; those of the whole API under the empty text."""
        found: dict[str, tuple[Change, ...]] = {}
        for change in self._all:
            found[change.operation] = (*found.get(change.operation, ()), change)
        return found

    @overload
    def __getitem__(self, index: int) -> Change: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Change, ...]: ...
    def __getitem__(self, index: int | slice) -> Change | tuple[Change, ...]:
        return self._all[index]

    def __len__(self) -> int:
        return len(self._all)

    def __eq__(self, other: object) -> bool:
        return self._all == other._all if isinstance(other, Changes) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._all)

    def __repr__(self) -> str:
        from dynclient.changes.reports import as_text

        return as_text(self)

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (tuple(change._replace(old=None, new=None) for change in self._all),)


def _restored(found: tuple[Change, ...]) -> Changes:
    return Changes(lambda: found)


def shown(value: Any) -> str:
    """A value of a document as short, harmless text."""
    if value is None or isinstance(value, (bool, dict, list)):
        import json

        text = json.dumps(value, ensure_ascii=False, default=str)
    elif isinstance(value, (frozenset, set)):
        text = ", ".join(sorted(map(str, value)))
    elif isinstance(value, tuple):
        text = ", ".join(map(str, value))
    else:
        text = str(value)
    line = escaped(" ".join(text.split()))
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
