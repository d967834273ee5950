"""Two APIs: what they are as a whole, and then operation by operation."""

from __future__ import annotations

from datetime import UTC, date, datetime

from dynclient.changes.access import compare_schemes, compare_servers
from dynclient.changes.findings import Findings, Pair
from dynclient.changes.operations import added, compare_operation, partners, removed
from dynclient.changes.values import Change, Changes
from dynclient.model import API


def compare(old: API, new: API, *, today: date | None = None) -> Changes:
    """Tell what changed from one document to another, as a Python caller sees it; worked out when it is looked at.

    ``today`` is the day by which a sunset is past.
    """
    return Changes(lambda: _compare(Pair(old, new), today or datetime.now(UTC).date()))


def _compare(apis: Pair, today: date) -> list[Change]:
    pairs = partners(apis)
    kept = {row.key for row, _ in pairs}
    known = {row.key for _, row in pairs}
    findings = [_whole(apis)]
    findings += [compare_operation(apis, rows) for rows in pairs]
    findings += [removed(apis, row, today) for row in apis.old.rows if row.key not in kept]
    findings += [added(apis, row) for row in apis.new.rows if row.key not in known]
    return [change for found in findings for change in found.changes]


def _whole(apis: Pair) -> Findings:
    findings = Findings(apis)
    old, new = apis
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
    before, after = (dict.fromkeys(namespace for row in api.rows for namespace, _ in row.names_by_tag) for api in apis)
    for name in before:
        if name not in after:
            findings.add("namespace-removed", before=name)
    for name in after:
        if name not in before:
            findings.add("namespace-added", after=name)
    return findings
