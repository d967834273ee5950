"""One operation in two documents, and which operation of the new document it is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from typing import Any

from dynclient.changes.access import compare_security, compare_servers
from dynclient.changes.arguments import compare_arguments
from dynclient.changes.contents import compare_bodies, compare_responses
from dynclient.changes.findings import Findings, Pair
from dynclient.changes.parameters import compare_parameters, matched
from dynclient.exceptions import DocumentError
from dynclient.model import API, Operation, OperationRow

Rows = tuple[OperationRow, OperationRow]

_EXPRESSION = re.compile(r"\{[^{}]*\}")
_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)")


def partners(apis: Pair) -> list[Rows]:
    """Pair the operations of two documents: by method and path, whatever its parameters are called; else by id."""
    found: list[Rows] = []
    left = list(apis.old.rows)
    right = {_place(row): row for row in reversed(apis.new.rows)}
    for row in tuple(left):
        partner = right.pop(_place(row), None)
        if partner is not None:
            found.append((row, partner))
            left.remove(row)
    by_id = {row.operation_id: row for row in right.values() if row.operation_id is not None}
    found += [(row, by_id[row.operation_id]) for row in left if row.operation_id in by_id]
    order = {row.key: index for index, row in enumerate(apis.old.rows)}
    return sorted(found, key=lambda rows: order[rows[0].key])


def _place(row: OperationRow) -> tuple[str, str]:
    return row.method, _EXPRESSION.sub("{}", row.path)


def compare_operation(apis: Pair, rows: Rows) -> Findings:
    """Tell what changed in one operation."""
    findings = Findings(apis, rows[0])
    _rows(findings, rows)
    operations = [_read(api, row) for api, row in zip(apis, rows, strict=True)]
    old, new = operations
    at = {"old": rows[0].pointer, "new": rows[1].pointer}
    if isinstance(old, Operation) and isinstance(new, Operation):
        _operations(findings, old, new)
    elif isinstance(old, Operation):
        findings.add("operation-broken", after=new, **at)
    elif isinstance(new, Operation):
        findings.add("operation-mended", **at)
    else:
        findings.add("operation-not-compared", **at)
    return findings


def _read(api: API, row: OperationRow) -> Operation | str:
    """An operation, or what is wrong with it."""
    try:
        return api.read(row)
    except DocumentError as error:
        return str(error)


def _rows(findings: Findings, rows: Rows) -> None:
    old, new = rows
    at = {"old": old.pointer, "new": new.pointer}
    if _place(old) != _place(new):
        findings.add("operation-moved", before=old.key, after=new.key, **at)
    if old.name != new.name:
        findings.add("operation-renamed", before=old.name, after=new.name, **at)
    elif old.operation_id != new.operation_id and old.operation_id is not None:
        findings.add("operation-id-changed", before=old.operation_id, after=new.operation_id or "none", **at)
    before, after = ([".".join(pair) for pair in row.names_by_tag] for row in rows)
    for name in before:
        if name not in after:
            findings.add("operation-namespace-changed", before=name, **at)
    for name in after:
        if name not in before:
            findings.add("operation-namespace-added", after=name, **at)
    if old.deprecated != new.deprecated:
        findings.add("operation-deprecated" if new.deprecated else "operation-undeprecated", **at)


def _operations(findings: Findings, old: Operation, new: Operation) -> None:
    at = {"old": old.row.pointer, "new": new.row.pointer}
    try:
        _sunset(findings, old, new)
        found = matched(old, new)
        compare_parameters(findings, found)
        compare_arguments(findings, old, new, found)
        compare_bodies(findings, old.body, new.body)
        compare_responses(findings, old, new)
        compare_security(findings, old, new)
        _servers(findings, old, new)
    except DocumentError as error:
        findings.add("operation-not-compared", after=str(error), **at)
    _names(findings, "callback", old.callbacks, new.callbacks, at)


def _servers(findings: Findings, old: Operation, new: Operation) -> None:
    """An operation's own servers; those of the API are compared once."""
    if old.servers != findings.apis.old.servers or new.servers != findings.apis.new.servers:
        compare_servers(findings, old.servers, new.servers)


def _names(findings: Findings, what: str, old: Iterable[str], new: Iterable[str], at: dict[str, str]) -> None:
    before, after = list(old), list(new)
    for name in before:
        if name not in after:
            findings.add(f"{what}-removed", before=name, **at)
    for name in after:
        if name not in before:
            findings.add(f"{what}-added", after=name, **at)


def _sunset(findings: Findings, old: Operation, new: Operation) -> None:
    before, after = old.extensions.get("x-sunset"), new.extensions.get("x-sunset")
    at = {"old": old.row.pointer, "new": new.row.pointer}
    if before == after:
        return
    if before is None:
        findings.add("sunset-set", after=after, **at)
    elif after is None:
        findings.add("sunset-removed", before=before, **at)
    else:
        first, second = day(before), day(after)
        word = "changed" if first is None or second is None else "earlier" if second < first else "later"
        findings.add(f"sunset-{word}", before=before, after=after, **at)


def day(sunset: Any) -> date | None:
    """The day that ``x-sunset`` names, or None: a date, or a date and time of RFC 3339."""
    found = _DATE.match(str(sunset))
    try:
        return date(*map(int, found.groups())) if found else None
    except ValueError:
        return None


def removed(apis: Pair, row: OperationRow, today: date) -> Findings:
    """Tell that an operation is gone: as announced, or not."""
    findings = Findings(apis, row)
    operation = _read(apis.old, row)
    sunset = day(operation.extensions.get("x-sunset")) if isinstance(operation, Operation) else None
    announced = row.deprecated and sunset is not None and sunset <= today
    kind = "operation-removed-after-sunset" if announced else "operation-removed"
    findings.add(kind, before=row.key, old=row.pointer)
    return findings


def added(apis: Pair, row: OperationRow) -> Findings:
    """Tell that an operation is new."""
    findings = Findings(apis, row)
    findings.add("operation-added", after=row.key, new=row.pointer)
    return findings
