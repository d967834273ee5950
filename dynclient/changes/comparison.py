"""Comparison of two APIs: the APIs as a whole, then each operation with its bodies, responses and access.

Operations are paired by method and path, and the rest by operationId.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from dynclient._document import Document
from dynclient._readers.checking import incoming
from dynclient.changes.access import compare_schemes, compare_security, compare_servers
from dynclient.changes.findings import APIPair, Findings, SchemaResults, locations
from dynclient.changes.kinds import Severity, Side
from dynclient.changes.parameters import compare_arguments, compare_parameters, matched
from dynclient.changes.report import Change, Changes
from dynclient.changes.schemas import compare_schemas
from dynclient.exceptions import DocumentError
from dynclient.media_types import find
from dynclient.model import API, Encoding, Header, MediaType, Operation, OperationRow, RequestBody, Response

Rows = tuple[OperationRow, OperationRow]
Content = Mapping[str, MediaType]
Incoming = Mapping[str, Callable[[], Operation]]
"""What reads the operations of webhooks and callbacks."""

NO_SEVERITIES: Mapping[str, Severity] = {}
_EXPRESSION = re.compile(r"\{[^{}]*\}")
_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)")


def compare(
    old: API, new: API, *, today: date | None = None, severities: Mapping[str, Severity] = NO_SEVERITIES
) -> Changes:
    """Compare two documents from the view of a Python caller. The comparison runs when the result is first used.

    ``today`` decides whether a sunset has passed; it defaults to the current day in UTC. ``severities`` are those of
    kinds, by their ids, in place of what the comparison finds.
    """

    def found() -> list[Change]:
        changes = _compare(APIPair(old, new, SchemaResults()), today or datetime.now(UTC).date())
        return [change._replace(severity=severities.get(change.id, change.severity)) for change in changes]

    return Changes(found)


def _compare(apis: APIPair, today: date) -> list[Change]:
    pairs = _partners(apis)
    kept = {row.key for row, _ in pairs}
    known = {row.key for _, row in pairs}
    findings = [_compare_whole(apis)]
    findings += [_compare_operation(apis, rows) for rows in pairs]
    findings += [_removed(apis, row, today) for row in apis.old.rows if row.key not in kept]
    for row in apis.new.rows:
        if row.key not in known:
            findings.append(Findings(apis, row))
            findings[-1].add("operation-added", after=row.key, new=row.pointer)
    return [change for found in findings for change in found.changes]


def _compare_whole(apis: APIPair) -> Findings:
    findings = Findings(apis)
    old, new, _ = apis
    if old.version != new.version:
        findings.add("api-version-changed", before=old.version, after=new.version, old="/info", new="/info")
    compare_servers(findings, old.servers, new.servers)
    compare_schemes(findings, old.security_schemes, new.security_schemes)
    for name, schema in old.schemas.items():
        if name not in new.schemas:
            findings.add("component-removed", before=name, old=schema)
    for name, schema in new.schemas.items():
        if name not in old.schemas:
            findings.add("component-added", after=name, new=schema)
    before, after = ([namespace for row in api.rows for namespace, _ in row.names_by_tag] for api in (old, new))
    findings.add_members("namespace", before, after)
    try:
        called = [incoming(api.references) if isinstance(api.references, Document) else {} for api in (old, new)]
    except DocumentError as error:  # a compiled file was written over
        findings.add("operation-not-compared", "webhooks and callbacks", after=error)
    else:
        _compare_incoming(findings, *called)
    return findings


def _compare_incoming(findings: Findings, old: Incoming, new: Incoming) -> None:
    before, after = ([key for key in found if key.startswith("webhook ")] for found in (old, new))
    findings.add_members("webhook", before, after)
    for key in old:
        try:
            if key in new:
                _compare_called(findings, key, old[key](), new[key]())
        except DocumentError as error:
            findings.add("operation-not-compared", key, after=error)


def _compare_called(findings: Findings, key: str, old: Operation, new: Operation) -> None:
    """Compare two operations that the server calls: their requests are received, and the responses to them sent."""
    before, after = (operation.body.content if operation.body is not None else {} for operation in (old, new))
    _compare_contents(findings, "response", f"{key} body", before, after)
    _compare_responses(findings, old, new, "request", f"{key} ")
    if old.path != new.path:
        findings.add("callback-url-changed", key, before=old.path, after=new.path, **locations(old.row, new.row))


def _partners(apis: APIPair) -> list[Rows]:
    """Pair operations by method and path, whatever the path's parameters are called; the rest by operationId."""
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


def _removed(apis: APIPair, row: OperationRow, today: date) -> Findings:
    findings = Findings(apis, row)
    operation = _read(apis.old, row)
    sunset = _day(operation.extensions.get("x-sunset")) if isinstance(operation, Operation) else None
    announced = row.deprecated and sunset is not None and sunset <= today
    kind = "operation-removed-after-sunset" if announced else "operation-removed"
    findings.add(kind, before=row.key, old=row.pointer)
    return findings


def _compare_operation(apis: APIPair, rows: Rows) -> Findings:
    findings = Findings(apis, rows[0])
    _compare_rows(findings, *rows)
    old, new = _read(apis.old, rows[0]), _read(apis.new, rows[1])
    at = locations(*rows)
    if isinstance(old, Operation) and isinstance(new, Operation):
        _compare_parts(findings, old, new)
    elif isinstance(old, Operation):
        findings.add("operation-broken", after=new, **at)
    elif isinstance(new, Operation):
        findings.add("operation-mended", **at)
    else:
        findings.add("operation-not-compared", **at)
    return findings


def _read(api: API, row: OperationRow) -> Operation | str:
    """An operation, or the error of reading it."""
    try:
        return api.read(row)
    except DocumentError as error:
        return str(error)


def _compare_rows(findings: Findings, old: OperationRow, new: OperationRow) -> None:
    at = locations(old, new)
    if _place(old) != _place(new):
        findings.add("operation-moved", before=old.key, after=new.key, **at)
    if old.name != new.name:
        findings.add("operation-renamed", before=old.name, after=new.name, **at)
    elif old.operation_id != new.operation_id and old.operation_id is not None:
        findings.add("operation-id-changed", before=old.operation_id, after=new.operation_id or "none", **at)
    before, after = ([".".join(pair) for pair in row.names_by_tag] for row in (old, new))
    for name in before:
        if name not in after:
            findings.add("operation-namespace-changed", before=name, **at)
    for name in after:
        if name not in before:
            findings.add("operation-namespace-added", after=name, **at)
    if old.deprecated != new.deprecated:
        findings.add("operation-deprecated" if new.deprecated else "operation-undeprecated", **at)


def _compare_parts(findings: Findings, old: Operation, new: Operation) -> None:
    at = locations(old.row, new.row)
    apis = findings.apis
    try:
        _compare_sunsets(findings, old, new)
        found = matched(old, new, apis.schemas.judge)
        compare_parameters(findings, found)
        compare_arguments(findings, old, new, found)
        _compare_request_bodies(findings, old.body, new.body)
        _compare_responses(findings, old, new)
        compare_security(findings, old, new)
        # Servers of the API are compared once.
        if old.servers != apis.old.servers or new.servers != apis.new.servers:
            compare_servers(findings, old.servers, new.servers)
    except DocumentError as error:
        findings.add("operation-not-compared", after=str(error), **at)
    findings.add_members("callback", old.callbacks, new.callbacks, **at)


def _compare_sunsets(findings: Findings, old: Operation, new: Operation) -> None:
    before, after = old.extensions.get("x-sunset"), new.extensions.get("x-sunset")
    at = locations(old.row, new.row)
    if before == after:
        return
    if before is None:
        findings.add("sunset-set", after=after, **at)
    elif after is None:
        findings.add("sunset-removed", before=before, **at)
    else:
        first, second = _day(before), _day(after)
        word = "changed" if first is None or second is None else "earlier" if second < first else "later"
        findings.add(f"sunset-{word}", before=before, after=after, **at)


def _day(sunset: Any) -> date | None:
    """The day of ``x-sunset``, which is a date, or a date and time of RFC 3339; None for any other text."""
    found = _DATE.match(str(sunset))
    try:
        return date(*map(int, found.groups())) if found else None
    except ValueError:
        return None


def _compare_request_bodies(findings: Findings, old: RequestBody | None, new: RequestBody | None) -> None:
    if old is not None and new is not None:
        if old.required != new.required:
            kind = "request-body-became-required" if new.required else "request-body-became-optional"
            findings.add(kind, **locations(old, new))
        _compare_contents(findings, "request", "body", old.content, new.content)
    elif new is not None:
        findings.add("required-request-body-added" if new.required else "optional-request-body-added", new=new.pointer)
    elif old is not None:
        findings.add("request-body-removed", old=old.pointer)


def _compare_responses(
    findings: Findings, old: Operation, new: Operation, side: Side = "response", where: str = ""
) -> None:
    def kind(response: Response, word: str) -> str:
        return f"{'success' if response.status.startswith(('1', '2', '3')) else 'error'}-response-{word}"

    for pair in findings.shared(kind, lambda it: f"{where}response {it.status}", old.responses, new.responses):
        _compare_response(findings, side, f"{where}response {pair[0].status}", *pair)


def _compare_response(findings: Findings, side: Side, where: str, old: Response, new: Response) -> None:
    at = locations(old, new)
    if bool(old.content) != bool(new.content):
        findings.add("response-content-added" if new.content else "response-content-removed", where, **at)
    else:
        _compare_contents(findings, side, where, old.content, new.content)
    if side == "response":
        _compare_headers(findings, where, old, new)
    before, after = (sorted(link.name for link in one.links) for one in (old, new))
    findings.add_members("link", before, after, where, **at)


def _compare_contents(findings: Findings, side: Side, where: str, old: Content, new: Content) -> None:
    before, after = ({_normalized(name): found for name, found in content.items()} for content in (old, new))

    def label(media_type: MediaType) -> str:
        return f"{where} ({media_type.media_range})"

    for one, other in findings.shared(lambda _, word: f"{side}-media-type-{word}", label, before, after):
        _compare_media_types(findings, side, label(one), one, other)


def _normalized(media_range: str) -> str:
    """A media range without a charset of UTF-8, which is what texts are in anyway."""
    name, *parameters = "".join(media_range.lower().split()).split(";")
    return ";".join([name, *(it for it in parameters if it not in ("charset=utf-8", 'charset="utf-8"'))])


def _compare_media_types(findings: Findings, side: Side, label: str, old: MediaType, new: MediaType) -> None:
    xml = find(old.media_range).name == "xml"
    compare_schemas(findings, side, label, old.schema, new.schema, xml=xml)
    if old.item_schema is not None or new.item_schema is not None:
        compare_schemas(findings, side, f"{label} items", old.item_schema, new.item_schema, xml=xml)
    for name in dict.fromkeys((*old.encoding, *new.encoding)) if side == "request" else ():
        before, after = (_encoding(found.encoding.get(name)) for found in (old, new))
        if before != after:
            at = locations(old, new)
            findings.add("request-encoding-changed", f"{label} {name}", before=before, after=after, **at)


def _encoding(found: Encoding | None) -> str:
    if found is None:
        return "none"
    style = f"{found.style}{', exploded' if found.explode else ''}" if found.style else ""
    return " ".join(filter(None, (found.content_type, style, *sorted(found.headers)))) or "none"


def _compare_headers(findings: Findings, where: str, old: Response, new: Response) -> None:
    # RFC 9110, 5.1: names of header fields are case-insensitive.
    before, after = ({name.lower(): header for name, header in one.headers.items()} for one in (old, new))

    def kind(header: Header, word: str) -> str:
        return f"{'required-' if header.required and word == 'removed' else ''}response-header-{word}"

    def label(header: Header) -> str:
        return f"{where} header {header.name}"

    for one, other in findings.shared(kind, label, before, after):
        _compare_header(findings, label(one), one, other)


def _compare_header(findings: Findings, label: str, old: Header, new: Header) -> None:
    at = locations(old, new)
    if old.required != new.required:
        kind = "response-header-became-required" if new.required else "response-header-became-optional"
        findings.add(kind, label, **at)
    if old.deprecated != new.deprecated:
        findings.add("response-header-deprecated" if new.deprecated else "response-header-undeprecated", label, **at)
    before, after = (found.media_type.schema if found.media_type else found.schema for found in (old, new))
    compare_schemas(findings, "response-header", label, before, after)
