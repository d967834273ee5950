"""A run as a page: results as a table, and a report with plots, which asks for nothing from elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterable
from html import escape
from itertools import islice
from typing import Any

_LONGEST = 200


def _cell(value: Any) -> str:
    if value is None:
        return "<td></td>"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return f"<td>{escape(text if len(text) <= _LONGEST else text[:_LONGEST] + '…')}</td>"


def results_html(title: str, results: Iterable[Any], most: int) -> str:
    """The first results as a table of HTML."""
    found = list(islice(results, most + 1))
    names = ("row", "key", "outcome", "status", "attempts", "ms", "data", "problem")
    head = "".join(f"<th>{name}</th>" for name in names)
    rows = "".join(f"<tr>{''.join(_cell(getattr(each, name)) for name in names)}</tr>" for each in found[:most])
    more = f"<p>the first {most} of them</p>" if len(found) > most else ""
    return f"<p>{escape(title)}</p><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{more}"
