"""The kinds of changes and their severities, from the table ``kinds.csv``. The ids are stable.

A row that begins with ``*-`` is an aspect of schemas, and a kind for each side, with the severity for values that are
sent or received. ``always`` marks the aspects that matter to callers even if all values remain valid.

Rule 1: a change is breaking if a caller that was correct by the old document fails, or receives values that the old
document did not allow: either its code with the new document, or a process that still holds the old document.
Rule 2: a request breaks callers when it allows less than before, a response when it allows more.
Rule 3: a change that can't be decided, or that only needs a review by a person, is a warning. Everything else is info.
Rule 4: the severity of an aspect is that of its keyword alone. If it is proved that all values stay valid, the change
is info, or not reported; if a value shows the contrary, a warning becomes breaking.
Rule 5: a schema is compared in the same aspects in every place; the id of the kind begins with that side.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any, Literal, get_args

from dynclient._records import Record

Severity = Literal["breaking", "warning", "info"]
"""Whether callers break, may break, or are not affected."""

Rank = Literal["breaking", "warning", "info", "accepted"]
Side = Literal["parameter", "request", "response", "response-header"]

SEVERITIES: tuple[Severity, ...] = get_args(Severity)
"""The severities, the worst first."""

RANKS: tuple[Rank, ...] = get_args(Rank)
"""The severities, followed by accepted changes of any severity."""

SIDES: tuple[Side, ...] = get_args(Side)
"""Where a schema may be used. Values of parameters and requests are sent, the others are received."""

RECEIVED: frozenset[Side] = frozenset({"response", "response-header"})


class Kind(Record):
    """A kind of change. ``text`` describes it: the predicate after the name of the thing that changed."""

    id: str
    severity: Severity
    text: str


class Aspect(Record):
    """An aspect in which a schema may change, with its severity for sent and for received values."""

    name: str
    sent: Severity
    received: Severity
    text: str


with Path(__file__).with_name("kinds.csv").open(encoding="utf-8", newline="") as _file:
    _ROWS: list[dict[str, Any]] = [*csv.DictReader(_file)]
_OF_SCHEMAS = [{**row, "kind": row["kind"].removeprefix("*-")} for row in _ROWS if row["kind"].startswith("*-")]

ASPECTS = tuple(Aspect(row["kind"], row["sent"], row["received"], row["description"]) for row in _OF_SCHEMAS)
"""Every kind of change of a schema, with its severity if the value is sent and if it is received."""

NOT_OF_VALUES = frozenset(row["kind"] for row in _OF_SCHEMAS if row["always"])
"""Aspects that matter to callers even if all values stay valid."""

KINDS: dict[str, Kind] = {
    kind.id: kind
    for kind in (
        *(Kind(row["kind"], row["sent"], row["description"]) for row in _ROWS if not row["kind"].startswith("*-")),
        *(
            Kind(f"{side}-{aspect.name}", aspect.received if side in RECEIVED else aspect.sent, aspect.text)
            for side in SIDES
            for aspect in ASPECTS
        ),
    )
}
"""Every kind of change by its id."""
