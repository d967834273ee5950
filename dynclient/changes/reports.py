"""Changes as text for a terminal, JSON for programs, Markdown for people, and annotations for GitHub.

Rule 1: what comes from a document can't leave its place: no control character, no table's or command's sign.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from dynclient.changes.kinds import SEVERITIES
from dynclient.changes.values import Change, Changes, Spot
from dynclient.exceptions import escaped

_HEAD = ("severity", "operation", "change", "kind")


def as_text(changes: Changes) -> str:
    """A table in columns, and a line that counts; for nobody but a reader."""
    if not changes:
        return "no changes"
    lines = [_HEAD, *((change.severity, _name(change), change.message, change.id) for change in changes)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEAD) - 1)]
    rows = ["  ".join([*map(str.ljust, line, widths), line[-1]]) for line in lines]
    return "\n".join([*rows, _count(changes)])


def _name(change: Change) -> str:
    return escaped(change.name or change.operation) or "-"


def _count(changes: Changes) -> str:
    counts = [f"{len(changes.of(severity))} {severity}" for severity in SEVERITIES if changes.of(severity)]
    return f"{len(changes)} change{'s' if len(changes) != 1 else ''}: {', '.join(counts)}"


def as_json(changes: Changes) -> str:
    """A list of objects."""
    return json.dumps([_data(change) for change in changes], indent=2, ensure_ascii=False)


def _data(change: Change) -> dict[str, Any]:
    return {
        "id": change.id,
        "severity": change.severity,
        "operation": change.operation,
        "name": change.name,
        "where": change.where,
        "message": change.message,
        "before": change.before,
        "after": change.after,
        "old": _place(change.old),
        "new": _place(change.new),
    }


def _place(spot: Spot | None) -> dict[str, Any] | None:
    return None if spot is None else {"document": spot.document, "pointer": spot.pointer, "line": spot.line}


def as_markdown(changes: Changes) -> str:
    """A heading and a table for each severity that there is."""
    if not changes:
        return "No changes."
    parts: list[str] = []
    for severity in SEVERITIES:
        found = changes.of(severity)
        if found:
            parts += [f"## {severity.capitalize()} ({len(found)})", ""]
            parts += ["| Operation | Change | Kind | Line |", "|---|---|---|---|"]
            parts += [_row(change) for change in found]
            parts.append("")
    return "\n".join(parts).rstrip()


_MARKDOWN = {sign: f"\\{sign}" for sign in "\\`*_[]<>|#~$!&"}


def _row(change: Change) -> str:
    spot = change.new or change.old
    line = str(spot.line or "") if spot is not None else ""
    cells = (_cell(_name(change)), _cell(change.message), f"`{change.id}`", line)
    return f"| {' | '.join(cells)} |"


def _cell(text: str) -> str:
    return "".join(_MARKDOWN.get(sign, sign) for sign in " ".join(text.split()))


_COMMANDS = {"breaking": "error", "warning": "warning", "info": "notice"}
_DATA = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY = {**_DATA, ":": "%3A", ",": "%2C"}


def as_github(changes: Changes) -> str:
    """Workflow commands: annotations at the lines of the new document, or else of the old one."""
    return "\n".join(_command(change) for change in changes)


def _command(change: Change) -> str:
    spot = change.new or change.old
    properties = {"title": f"{change.id} ({change.severity})"}
    if spot is not None:
        properties["file"] = spot.document
        if spot.line is not None:
            properties["line"] = str(spot.line)
    told = ",".join(f"{key}={_replaced(value, _PROPERTY)}" for key, value in properties.items())
    text = f"{_name(change)}: {change.message}" if change.operation else change.message
    return f"::{_COMMANDS[change.severity]} {told}::{_replaced(text, _DATA)}"


def _replaced(text: str, table: dict[str, str]) -> str:
    return "".join(table.get(sign, sign) for sign in text)


REPORTS: dict[str, Callable[[Changes], str]] = {
    "text": as_text,
    "json": as_json,
    "markdown": as_markdown,
    "github": as_github,
}
