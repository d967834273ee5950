"""The coverage of a document: which of its operations, statuses, media types and parameters were used.

Rule: a part of a message that the document does not describe is not counted here; the proxy reports it as a difference.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from dynclient import model
from dynclient._mock.checks import used_parameters
from dynclient._negotiation import match
from dynclient._response import match_status
from dynclient.exceptions import DocumentError
from dynclient.messages import Request, Response

KINDS = ("statuses", "media types", "parameters")


@dataclass(frozen=True, slots=True)
class OperationCoverage:
    """One operation: how often it was called, and for each of KINDS the documented and the used parts."""

    operation_id: str
    key: str
    calls: int
    there: dict[str, tuple[str, ...]]
    used: dict[str, frozenset[str]]

    def missing(self, kind: str) -> list[str]:
        """The documented parts that were not used."""
        return [name for name in self.there[kind] if name not in self.used[kind]]


class Coverage:
    """Counts the used parts of a document. Threads may share it."""

    def __init__(self, api: model.API) -> None:
        self.api = api
        self._lock = threading.Lock()
        self._calls: dict[str, int] = {}
        self._used: dict[str, dict[str, set[str]]] = {}

    def record(self, operation: model.Operation, request: Request, response: Response) -> None:
        """Count an exchange."""
        key = operation.row.key
        with self._lock:
            self._calls[key] = self._calls.get(key, 0) + 1
            used = self._used.setdefault(key, {kind: set() for kind in KINDS})
            for kind, names in zip(KINDS, _used(operation, request, response), strict=True):
                used[kind].update(names)

    def __iter__(self) -> Iterator[OperationCoverage]:
        for row in self.api.rows:
            try:
                operation = self.api.read(row)
            except DocumentError:
                continue
            used = self._used.get(row.key, {})
            yield OperationCoverage(
                operation.id,
                row.key,
                self._calls.get(row.key, 0),
                dict(zip(KINDS, _there(operation), strict=True)),
                {kind: frozenset(used.get(kind, ())) for kind in KINDS},
            )

    def totals(self) -> dict[str, tuple[int, int]]:
        """For operations and each of KINDS: how many were used, of how many."""
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
        return {"title": self.api.title, "version": self.api.version, "totals": totals, "operations": operations}


def _there(operation: model.Operation) -> tuple[tuple[str, ...], ...]:
    bodies = [f"request {key}" for key in (operation.body.content if operation.body is not None else ())]
    answers = (f"{status} {key}" for status, one in operation.responses.items() for key in one.content)
    names = tuple(f"{one.in_} {one.name}" for one in operation.parameters)
    return tuple(operation.responses), (*bodies, *answers), names


def _used(operation: model.Operation, request: Request, response: Response) -> tuple[Iterable[str], ...]:
    types: list[str] = []
    content_type = request.headers.get("content-type", "")
    if operation.body is not None and content_type and request.body:
        types += [f"request {found}" for found in [match(content_type, operation.body.content)] if found]
    answer = match_status(operation, response.status)
    if answer is None:
        return (), types, used_parameters(operation, request)
    found = match(response.content_type, answer.content) if response.content_type else None
    types += [f"{answer.status} {found}"] if found else []
    return (answer.status,), types, used_parameters(operation, request)
