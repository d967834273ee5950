"""The coverage of a document: which of its operations, statuses, media types and parameters were used.

Rule: a part of a message that the document does not describe is not counted here; the proxy reports it as a difference.
"""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from dynclient import model
from dynclient._incoming.requests import used_parameters
from dynclient._negotiation import match
from dynclient._response import match_status
from dynclient.exceptions import DocumentError
from dynclient.messages import Request, Response

KINDS = ("statuses", "media types", "parameters")


@dataclass(frozen=True, slots=True)
class OperationCoverage:
    """One operation: the number of calls, and for each of KINDS the documented and the used parts."""

    operation_id: str
    key: str
    calls: int
    there: dict[str, tuple[str, ...]]
    used: dict[str, frozenset[str]]

    def missing(self, kind: str) -> list[str]:
        """The documented parts that were not used."""
        return [name for name in self.there[kind] if name not in self.used[kind]]


class CoverageReport:
    """The operations of a document, and which parts of each were used."""

    def __init__(self, title: str, version: str, operations: Iterable[OperationCoverage] = ()) -> None:
        self.title = title
        self.version = version
        self._operations = tuple(operations)

    def __iter__(self) -> Iterator[OperationCoverage]:
        return iter(self._operations)

    def totals(self) -> dict[str, tuple[int, int]]:
        """For operations and each of KINDS: the numbers of used and of all parts."""
        every = list(self)
        found = {"operations": (sum(bool(one.calls) for one in every), len(every))}
        for kind in KINDS:
            there = sum(len(one.there[kind]) for one in every)
            found[kind] = (there - sum(len(one.missing(kind)) for one in every), there)
        return found

    def as_data(self) -> dict[str, Any]:
        """The coverage as plain data."""
        operations = [
            {
                "operation": one.operation_id,
                "path": one.key,
                "calls": one.calls,
                **{kind: {name: name in one.used[kind] for name in one.there[kind]} for kind in KINDS},
            }
            for one in self
        ]
        totals = {kind: {"used": used, "there": there} for kind, (used, there) in self.totals().items()}
        return {"title": self.title, "version": self.version, "totals": totals, "operations": operations}

    def merged(self, other: CoverageReport) -> CoverageReport:
        """Merge this report with that of another process for the same document."""
        others = {one.key: one for one in other}
        return CoverageReport(self.title, self.version, (_sum(one, others.get(one.key)) for one in self))


def _sum(one: OperationCoverage, other: OperationCoverage | None) -> OperationCoverage:
    if other is None:
        return one
    used = {kind: one.used[kind] | other.used[kind] for kind in KINDS}
    return replace(one, calls=one.calls + other.calls, used=used)


class Coverage(CoverageReport):
    """Counts the used parts of a document. Threads may share it."""

    def __init__(self, api: model.API) -> None:
        super().__init__(api.title, api.version)
        self.api = api
        self._lock = threading.Lock()
        self._calls: Counter[str] = Counter()
        self._used: dict[tuple[str, str], set[str]] = defaultdict(set)

    def record(self, operation: model.Operation, request: Request, response: Response) -> None:
        """Count an exchange."""
        key = operation.row.key
        used = _used_parts(operation, request, response)
        with self._lock:
            self._calls[key] += 1
            for kind, names in used.items():
                self._used[key, kind].update(names)

    def __iter__(self) -> Iterator[OperationCoverage]:
        for row in self.api.rows:
            try:
                operation = self.api.read(row)
            except DocumentError:
                continue
            used = {kind: frozenset(self._used.get((row.key, kind), ())) for kind in KINDS}
            yield OperationCoverage(operation.id, row.key, self._calls[row.key], _parts(operation), used)


def _parts(operation: model.Operation) -> dict[str, tuple[str, ...]]:
    """The documented parts of an operation, by kind."""
    bodies = [f"request {key}" for key in (operation.body.content if operation.body is not None else ())]
    bodies += [f"{status} {key}" for status, one in operation.responses.items() for key in one.content]
    parameters = tuple(f"{one.in_} {one.name}" for one in operation.parameters)
    return {"statuses": tuple(operation.responses), "media types": tuple(bodies), "parameters": parameters}


def _used_parts(operation: model.Operation, request: Request, response: Response) -> dict[str, list[str]]:
    """The documented parts of an operation that an exchange used, by kind."""
    statuses, bodies = [], []
    content_type = request.headers.get("content-type", "")
    if operation.body is not None and content_type and request.body:
        found = match(content_type, operation.body.content)
        bodies += [f"request {found}"] if found else []
    documented = match_status(operation, response.status)
    if documented is not None:
        statuses.append(documented.status)
        found = match(response.content_type, documented.content) if response.content_type else None
        bodies += [f"{documented.status} {found}"] if found else []
    return {"statuses": statuses, "media types": bodies, "parameters": used_parameters(operation, request)}
