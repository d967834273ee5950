"""The file of accepted changes: each entry has a reason, and may have a day on which it expires.

    - kind: parameter-removed
      operation: listThings          # the operationId, or else "GET /things"; or the Python name
      reason: nobody sends it, by the logs of June
      until: 2027-01-31              # optional; the last day

Rule 1: an entry is for one kind of change of one operation, or at one JSON Pointer (``pointer``) of either document. An
entry with neither is for changes of the whole API.
Rule 2: an entry that has expired, or that no change matches, is reported, so that the file is kept up to date.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from dynclient._document.data import read
from dynclient._records import Record
from dynclient.changes import KINDS, Change, Changes
from dynclient.exceptions import ArgumentError
from dynclient.options import Limits

_KEYS = ("kind", "operation", "pointer", "reason", "until")


class AcceptedChange(Record):
    """An entry of the file; ``label`` names it in messages."""

    label: str
    kind: str
    reason: str
    operation: str = ""
    pointer: str = ""
    until: date | None = None

    def matches(self, change: Change) -> bool:
        """Whether the entry is for a change."""
        if self.kind != change.id or (self.pointer and self.pointer not in _pointers(change)):
            return False
        if not self.operation:
            return bool(self.pointer) or not change.operation
        return self.operation in {change.operation, change.name}


def _pointers(change: Change) -> set[str]:
    return {place.pointer for place in (change.old, change.new) if place is not None}


def read_accepted(file: str) -> list[AcceptedChange]:
    """Read a file of accepted changes.

    Raises:
        ArgumentError: the file can't be read, or an entry has an unknown or wrong key, or no reason.
        DocumentError: the file is neither YAML nor JSON.
    """
    try:
        tree = read(Path(file).read_bytes(), file, Limits())
    except OSError as error:
        raise ArgumentError(f"{file} can't be read: {error.strerror}", argument="accept") from None
    if not isinstance(tree, list):
        raise ArgumentError(f"{file} must be a list of entries with the keys {', '.join(_KEYS)}", argument="accept")
    return [_entry(entry, f"{file}: entry {number}") for number, entry in enumerate(tree, 1)]


def _entry(entry: Any, label: str) -> AcceptedChange:
    def wrong(text: str) -> ArgumentError:
        return ArgumentError(f"{label} {text}", argument="accept")

    if not isinstance(entry, Mapping):
        raise wrong(f"must be a mapping with the keys {', '.join(_KEYS)}")
    for key, value in entry.items():
        if key not in _KEYS:
            raise wrong(f"has the unknown key {key}; the keys are {', '.join(_KEYS)}")
        if not isinstance(value, str) or not value.strip():
            raise wrong(f"must have a string as {key}")
    for key in ("kind", "reason"):
        if key not in entry:
            raise wrong(f"has no {key}")
    if entry["kind"] not in KINDS:
        raise wrong(f"has the unknown kind {entry['kind']}")
    try:
        until = date.fromisoformat(entry["until"]) if "until" in entry else None
    except ValueError:
        raise wrong(f"must have a date such as 2027-01-31 as until, not {entry['until']}") from None
    pointer = entry.get("pointer", "").removeprefix("#")
    return AcceptedChange(label, entry["kind"], entry["reason"], entry.get("operation", ""), pointer, until)


def accept(changes: Changes, entries: list[AcceptedChange], today: date) -> tuple[Changes, list[str]]:
    """Mark the accepted changes, and report entries that have expired or that match no change."""
    unused, messages = list(entries), list[str]()
    found: list[Change] = []
    for change in changes:
        fits = [entry for entry in entries if entry.matches(change)]
        unused = [entry for entry in unused if entry not in fits]
        valid = next((entry for entry in fits if entry.until is None or entry.until >= today), None)
        found.append(change if valid is None else change._replace(accepted=valid.reason))
        messages += [f"{it.label} has expired on {it.until}: {change}" for it in fits if valid is None]
    messages += [f"{it.label} ({it.kind}) matches no change; remove it" for it in unused]
    return Changes(lambda: found), messages
