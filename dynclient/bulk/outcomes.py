"""The state of a run: counts, and the results of its rows, from its journal."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

from dynclient._records import Record
from dynclient.bulk.journal import OUTCOMES, SENT, Journal
from dynclient.bulk.rows import key_text, read_rows, to_parquet
from dynclient.exceptions import ArgumentError, DynclientError

_ROWS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Summary:
    """The number of rows of a run by outcome; ``pending`` are those that ``resume()`` will send.

    ``damaged`` names logs that can't be trusted: rows of their partitions without an outcome count as sent.
    """

    total: int
    done: int = 0
    refused: int = 0
    failed: int = 0
    invalid: int = 0
    unknown: int = 0
    pending: int = 0
    damaged: tuple[str, ...] = ()

    @classmethod
    def of(cls, total: int, counts: Mapping[str, int], damaged: Iterable[str] = ()) -> Summary:
        """Complete the counts of outcomes."""
        found = {name: counts.get(name, 0) for name in OUTCOMES}
        return cls(total, **found, pending=max(0, total - sum(found.values())), damaged=tuple(damaged))

    @property
    def is_complete(self) -> bool:
        """Whether all rows are done."""
        return self.done == self.total

    def __str__(self) -> str:
        counts = [(name, getattr(self, name)) for name in (*OUTCOMES, "pending")]
        shown = ", ".join(f"{count:,} {name}" for name, count in counts if count) or "nothing to do"
        rows = "row" if self.total == 1 else "rows"
        return "\n".join([f"{self.total:,} {rows}: {shown}", *(f"damaged: {each}" for each in self.damaged)])


@dataclass(frozen=True, slots=True)
class BulkResult:
    """The outcome of a row.

    ``row`` counts from 1; ``ms`` and ``attempts`` are those of the call, ``time`` is in seconds since the epoch.
    """

    row: int
    key: str
    outcome: str
    status: int | None = None
    attempts: int = 0
    ms: float | None = None
    time: float | None = None
    data: Any = None
    problem: Mapping[str, Any] | None = None


class Results:
    """The results of a run, or those with one outcome: each iteration reads them from the journal."""

    def __init__(self, run: RecordedRun, outcome: str | None = None) -> None:
        self._run, self._outcome = run, outcome

    def __iter__(self) -> Iterator[BulkResult]:
        return self._run._read(self._outcome)  # noqa: SLF001  # a part of it

    def __repr__(self) -> str:
        return f"<{self._outcome or 'all'} results of {os.path.basename(self._run.path)}>"

    def _repr_html_(self) -> str:
        from dynclient.bulk.report import results_html

        return results_html(repr(self)[1:-1], self, _ROWS_SHOWN)


class Partition(Record):
    """A partition that has logs: their attempts and sizes, the number of rows by outcome, and the damaged places."""

    logs: list[tuple[int, int]]
    counts: Counter[str]
    damaged: list[str]


class RecordedRun:
    """A run, read from its journal."""

    def __init__(self, path: str, facts: Mapping[str, Any]) -> None:
        """``path`` is the folder of the journal, ``facts`` the contents of its ``run.json``."""
        self.path, self._facts = path, facts
        self.id: str = facts["id"]
        self.operation: str = facts["operation"]
        self.total: int = facts["rows"]
        self._journal = Journal(path, self.id, lease=facts["lease"], durability=facts["durability"])
        self._known: dict[str, Partition] = {}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.path}: {str(self.summary).splitlines()[0]}>"

    def _repr_html_(self) -> str:
        return self.results()._repr_html_()

    @property
    def summary(self) -> Summary:
        """Counts of all rows."""
        counts: Counter[str] = Counter()
        damaged: list[str] = []
        for partition in self._partitions().values():
            damaged += partition.damaged
            counts.update(partition.counts)
        return Summary.of(self.total, counts, damaged)

    def results(self) -> Results:
        """The results of all rows that have an outcome, in the order of the table."""
        return Results(self)

    def rows(self, outcome: str) -> Results:
        """The results of the rows with one outcome: ``done``, ``refused``, ``failed``, ``invalid`` or ``unknown``.

        Raises:
            ArgumentError: it is another value.
        """
        return Results(self, checked_outcome(outcome))

    def _read(self, outcome: str | None) -> Iterator[BulkResult]:
        for name, partition in self._partitions().items():
            if outcome is None or partition.counts[outcome]:
                yield from (each for each in self._lines(name) if outcome in {None, each.outcome})

    def to_parquet(self, path: str | os.PathLike[str], outcome: str | None = None) -> None:
        """Write the results, or those with one outcome, as a Parquet file; ``data`` and ``problem`` are JSON.

        Raises:
            BulkError: duckdb is not installed, or the file can't be written.
        """
        to_parquet(map(asdict, self.results() if outcome is None else self.rows(outcome)), os.fspath(path))

    def _lines(self, name: str) -> Iterator[BulkResult]:
        """The results of a partition."""
        state = self._journal.state(name)
        lines: dict[tuple[int, int], Mapping[str, Any]] = {}
        for attempt in self._journal.attempts_of(name):
            lines.update({(attempt, line["row"]): line for line in self._journal.lines(name, attempt)})
        rows = self._rows_of(name)
        keys = self._keys(name) if any(state.of(row) == SENT for row in rows) else {}
        for row in rows:
            if (outcome := state.outcome(row)) is None:
                continue
            line = lines.get((state.attempts.get(row, 0), row), {})
            given = {field: line[field] for field in ("attempts", "ms", "data", "problem") if field in line}
            key = str(line.get("key") or keys.get(row, row + 1))
            _, status, _, when = state.rows[row] if state.of(row) != SENT else (0, None, 0, None)
            yield BulkResult(row + 1, key, outcome, status or None, time=when, **given)

    def _rows_of(self, name: str) -> range:
        size = self._facts["partition_size"]
        return range(int(name) * size, min((int(name) + 1) * size, self.total))

    def _keys(self, name: str) -> dict[int, str]:
        """The keys of a partition's rows, from the table; empty if the table no longer exists."""
        wanted = self._rows_of(name)
        found = {}
        with suppress(DynclientError):
            for row in islice(read_rows(self._facts["table"], wanted.start), len(wanted)):
                found[row.number] = key_text(row, self._facts["key"])
        return found

    def _partitions(self) -> dict[str, Partition]:
        """Every partition that has a log. Its logs are read again only if they have grown."""
        found: dict[str, Partition] = {}
        for name, logs in self._journal.attempts().items():
            if name.isdecimal() and (size := len(self._rows_of(name))):
                known = self._known.get(name)
                if known is None or known.logs != logs:
                    state = self._journal.state(name, [attempt for attempt, _ in logs])
                    known = Partition(logs, state.counts(size), state.damaged)
                    if state.has_ended:
                        self._known[name] = known
                found[name] = known
        return found


def checked_outcome(outcome: str) -> str:
    """Return an outcome if it is valid.

    Raises:
        ArgumentError: it is not valid.
    """
    if outcome not in OUTCOMES:
        raise ArgumentError(f"there is no outcome {outcome!r}; there are {', '.join(OUTCOMES)}", argument="outcome")
    return outcome
