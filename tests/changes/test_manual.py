"""The manual's tables of kinds are those of the code. ``DYNCLIENT_GOLDEN=write`` rewrites them."""

from __future__ import annotations

import os
from pathlib import Path

from dynclient.changes import ASPECTS, KINDS, SIDES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "changes.md"
MARK = "which checks them -->\n"


def tables() -> str:
    of_schemas = {f"{side}-{aspect.name}" for side in SIDES for aspect in ASPECTS}
    lines = ["", "| id | severity | description |", "|---|---|---|"]
    lines += [
        f"| `{kind.id}` | {kind.severity} | {kind.text} |" for kind in KINDS.values() if kind.id not in of_schemas
    ]
    sides = ", ".join(f"`{side}-`" for side in SIDES)
    lines += ["", f"The id of a change in a schema begins with one of {sides}: where the schema is used.", ""]
    lines += ["| id | sent (parameter, request) | received (response, header) | description |", "|---|---|---|---|"]
    lines += [f"| `…-{it.name}` | {it.sent} | {it.received} | {it.text} |" for it in ASPECTS]
    return "\n".join(lines) + "\n"


def test_the_manual_lists_every_kind():
    text = PAGE.read_text(encoding="utf-8")
    head, mark, found = text.partition(MARK)
    if os.environ.get("DYNCLIENT_GOLDEN") == "write":
        PAGE.write_text(head + mark + tables(), encoding="utf-8")
        return
    assert found == tables()
