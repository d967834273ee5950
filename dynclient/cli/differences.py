"""``dynclient diff``: what changed from one document to another, and the file of changes that are accepted.

Each entry of the file of ``--accept`` has a reason, and may have a day on which it expires.

    - kind: parameter-removed
      operation: listThings          # the operationId, or else "GET /things"; or the Python name
      reason: nobody sends it, by the logs of June
      until: 2027-01-31              # optional; the last day

Rule 1: an entry is for one kind of change of one operation, or at one JSON Pointer (``pointer``) of either document. An
entry with neither is for changes of the whole API.
Rule 2: an entry that has expired, or that no change matches, is reported, so that the file is kept up to date.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, cast

import click

from dynclient._document.data import read
from dynclient._identifiers import did_you_mean
from dynclient._records import Record
from dynclient._settings import project_here
from dynclient._tables import columns, is_coloured
from dynclient.changes import KINDS, REPORTS, SEVERITIES, Change, Changes, Severity, compare
from dynclient.changes.report import as_text
from dynclient.cli.commands import Command
from dynclient.cli.documents import api_of, document_argument, format_option
from dynclient.cli.output import page
from dynclient.cli.process import inform
from dynclient.exceptions import ArgumentError
from dynclient.options import Limits

_REACHED = 3


@click.command(cls=Command)
@document_argument("old")
@document_argument("new")
@format_option(*REPORTS, text="The output format.")
@click.option(
    "--fail-on", type=click.Choice(SEVERITIES), help="Exit with status 3 for changes of this severity or worse."
)
@click.option("--severity", multiple=True, metavar="KIND=SEVERITY", help="Set the severity of a kind of change.")
@click.option("--accept", type=click.Path(), help="A file of accepted changes, which do not count for --fail-on.")
def diff(old: str, new: str, output: str, fail_on: str | None, severity: tuple[str, ...], accept: str | None) -> int:
    """Report the changes from the document OLD to NEW that matter to a Python caller.

    Each is a path, a URL, a short name, or a path at a git revision: main:openapi.yaml.

    A breaking change makes correct callers of OLD fail, or return them values that they could not get before; a warning
    needs attention.
    """
    project = project_here()
    severities = dict(_severities(project.table.get("severities", {}).items() if project is not None else ()))
    severities |= _severities(tuple(map(str.strip, each.partition("=")[::2])) for each in severity)
    changes = compare(api_of(old), api_of(new), severities=severities)
    if accept is not None:
        changes, messages = _accepted(changes, _read_accepted(accept), datetime.now(UTC).date())
        for message in messages:
            inform(message)
    if output == "text" and sys.stdout.isatty():
        page(as_text(changes, width=columns(sys.stdout), coloured=is_coloured(sys.stdout)) + "\n")
    elif text := REPORTS[output](changes):
        click.echo(text)
    return _REACHED if fail_on is not None and changes.reach(cast("Severity", fail_on)) else 0


def _severities(pairs: Iterable[tuple[str, ...]]) -> Iterator[tuple[str, Severity]]:
    for kind, rank in pairs:
        if kind not in KINDS:
            hint = did_you_mean(kind, KINDS, "docs/changes.md lists the kinds")
            raise click.UsageError(f"--severity: there is no kind of change {kind}\nHint: {hint}")
        if rank not in SEVERITIES:
            text = f"--severity: {kind} must be one of {', '.join(SEVERITIES)}, not {rank or 'nothing'}"
            raise click.UsageError(text)
        yield kind, rank


_KEYS = ("kind", "operation", "pointer", "reason", "until")


class _AcceptedChange(Record):
    """An entry of the file; ``label`` names it in messages."""

    label: str
    kind: str
    reason: str
    operation: str = ""
    pointer: str = ""
    until: date | None = None

    def matches(self, change: Change) -> bool:
        """Whether the entry is for a change."""
        places = [place.pointer for place in (change.old, change.new) if place is not None]
        if self.kind != change.id or (self.pointer and self.pointer not in places):
            return False
        if not self.operation:
            return bool(self.pointer) or not change.operation
        return self.operation in {change.operation, change.name}


def _read_accepted(file: str) -> list[_AcceptedChange]:
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


def _entry(entry: Any, label: str) -> _AcceptedChange:
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
    return _AcceptedChange(label, entry["kind"], entry["reason"], entry.get("operation", ""), pointer, until)


def _accepted(changes: Changes, entries: list[_AcceptedChange], today: date) -> tuple[Changes, list[str]]:
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
