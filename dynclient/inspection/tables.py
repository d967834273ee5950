"""An API's operations and namespaces as tables: of text for pipes and terminals, of HTML for notebooks.

Rule 1: names and paths are never cut, since people copy them and programs search for them. If a terminal is too narrow,
the summary is cut.
Rule 2: each text of a document is shown in one line, without control characters, and escaped in HTML.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import IO, TYPE_CHECKING, Any

from dynclient._escaping import escaped
from dynclient._records import Record

if TYPE_CHECKING:  # a list from the cache needs neither
    from dynclient.exceptions import DocumentError
    from dynclient.model import API, OperationRow

LOST = "broken"
GAP = 2
_GAP = " " * GAP
_WIDEST = 60
_NARROWEST = 8
_ANYWHERE = 80

Cells = tuple[str, str, str, str]
HEAD: Cells = ("name", "method", "path", "summary")
Paint = Callable[[str, str], str]
# Styles of text: the numbers of ECMA-48's SGR.
_BOLD: Cells = ("1", "1", "1", "1")
_TAG, _BROKEN, _DEPRECATED = "1;35", "31", "9"
_METHODS = {"GET": "32", "POST": "33", "PUT": "34", "PATCH": "36", "DELETE": "31"}


class Row(Record):
    """One line of the table: an operation, and what is broken in it, if anything."""

    operation: OperationRow
    broken: str = ""

    @property
    def marks(self) -> str:
        """The summary, preceded by marks such as [deprecated]."""
        marks = (["broken"] if self.broken else []) + (["deprecated"] if self.operation.deprecated else [])
        return f"[{', '.join(marks)}] {self.operation.summary}".rstrip() if marks else self.operation.summary

    @property
    def cells(self) -> Cells:
        """The texts of the line."""
        row = self.operation
        name, method, path, summary = map(_one_line, (row.name, row.method, row.path, self.marks))
        return name, method, path, summary

    @property
    def styles(self) -> Cells:
        """How the cells are painted."""
        summary = _BROKEN if self.broken else ""
        name = summary or (_DEPRECATED if self.operation.deprecated else "")
        return name, _METHODS.get(self.operation.method, ""), "", summary


def groups(table: Iterable[Row]) -> dict[str, list[Row]]:
    """Group rows by their first tag, in the order in which tags come; rows without a tag are under ``""``."""
    found: dict[str, list[Row]] = {}
    for row in table:
        found.setdefault(row.operation.tags[0] if row.operation.tags else "", []).append(row)
    return found


def is_coloured(stream: IO[str]) -> bool:
    """Return whether text in a stream has colours: it is a terminal, or the environment forces them."""
    # https://no-color.org: when present and not an empty string, whatever its value. https://force-color.org has the
    # same rule.
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR") or os.environ.get("CLICOLOR_FORCE", "0") != "0":
        return True
    return stream.isatty() and os.environ.get("CLICOLOR") != "0" and os.environ.get("TERM") != "dumb"


def columns(stream: IO[str]) -> int | None:
    """Return the width of a terminal, in columns; None if the stream is not a terminal."""
    if not stream.isatty():
        return None
    setting = os.environ.get("COLUMNS", "")
    if setting.isdecimal() and int(setting):
        return int(setting)
    try:
        return os.get_terminal_size(stream.fileno()).columns or _ANYWHERE
    except (OSError, ValueError, AttributeError):
        return _ANYWHERE


def for_stream(table: Iterable[Row], faults: Iterable[str], stream: IO[str], *, note: str = "") -> str:
    """Return the table as it suits a stream."""
    return as_text(table, faults, width=columns(stream), coloured=is_coloured(stream), note=note)


def as_text(
    table: Iterable[Row],
    faults: Iterable[str] = (),
    *,
    width: int | None = None,
    coloured: bool = False,
    note: str = "",
) -> str:
    """Return the table as text in columns, a line for each operation; below a tag's line they are indented.

    If ``width`` is too small for that, an operation takes two lines. ``note`` is added at the end.
    """
    grouped = {tag: [(row.cells, row.styles) for row in rows] for tag, rows in groups(table).items()}
    indent = _GAP if any(grouped) else ""
    every = [HEAD, *(cells for lines in grouped.values() for cells, _ in lines)]
    widths = [min(max(map(text_width, column)), _WIDEST) for column in zip(*every, strict=True)][:-1]
    widths[0] += len(indent)
    space = None if width is None else width - sum(widths) - len(widths) * len(_GAP)
    stacked = space is not None and space < _NARROWEST

    def paint(text: str, style: str) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if coloured and style and text else text

    lines = [] if stacked else [_in_columns(HEAD, widths, space, _BOLD, "", paint)]
    for tag, members in grouped.items():
        lines += [paint(_one_line(tag), _TAG)] if tag else []
        for cells, styles in members:
            if stacked:
                lines += _stacked(cells, width or 0, styles, indent, paint)
            else:
                lines.append(_in_columns(cells, widths, space, styles, indent, paint))
    below = [paint(f"{LOST}: {escaped(fault)}", _BROKEN) for fault in faults]
    return "\n".join([*lines, *below, *([note] if note else [])])


def aligned(lines: Sequence[Sequence[str]]) -> str:
    """Lines of cells as text in columns, each as wide as its widest cell."""
    widths = [max(map(text_width, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        _GAP.join(cell + " " * (width - text_width(cell)) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _in_columns(
    cells: Cells, widths: Sequence[int], space: int | None, styles: Cells, indent: str, paint: Paint
) -> str:
    name, method, path, summary = cells
    pads = [" " * max(column - text_width(cell), 0) for column, cell in zip(widths, cells, strict=False)]
    pads[0] = pads[0][len(indent) :]
    summary = summary if space is None else cut(summary, space)
    whole = paint(name, styles[0]) + pads[0], paint(method, styles[1]) + pads[1], path + pads[2]
    return f"{indent}{_GAP.join(whole)}{_GAP}{paint(summary, styles[3])}".rstrip()


def _stacked(cells: Cells, width: int, styles: Cells, indent: str, paint: Paint) -> list[str]:
    name, method, path, summary = cells
    shown = cut(summary, width - len(indent) - text_width(name) - len(_GAP))
    first = f"{indent}{paint(name, styles[0])}" + (_GAP + paint(shown, styles[3]) if shown else "")
    return [first, f"{indent}{_GAP}{paint(method, styles[1])} {path}"]


def _one_line(text: str) -> str:
    return escaped(" ".join(text.split()))


def cut(text: str, space: int) -> str:
    """Cut a text to ``space`` columns; returns an empty text if that is too few."""
    if text_width(text) <= space:
        return text
    if space < _NARROWEST:
        return ""
    while text_width(text) >= space:
        text = text[: min(len(text) - 1, space - 1)]
    return text.rstrip() + "…"


def text_width(text: str) -> int:
    """Return the columns of a terminal that a text takes: East Asian wide letters two, combining ones none."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(2 if east_asian_width(letter) in "WF" else 0 if combining(letter) else 1 for letter in text)


_LONGEST = 80


def rows(api: API, fault: Callable[[OperationRow], DocumentError | None] | None = None) -> tuple[Row, ...]:
    """List the operations of an API, one row each.

    ``fault`` returns the error of an operation, or None; without it, no operation is read.
    """
    return tuple(Row(row, str((fault and fault(row)) or "")) for row in api.rows)


def lost(api: API) -> tuple[str, ...]:
    """The errors of parts whose operations could not be listed, one line each, with their locations."""
    return tuple(" ".join(str(fault).split()) for fault in api.faults)


def as_html(table: Iterable[Row], faults: Iterable[str] = (), *, note: str = "") -> str:
    """Print a table as HTML with all texts escaped, and a note below. Colours follow the page, light or dark."""
    return _html("operations", head=HEAD, groups=groups(table), faults=list(faults), note=note)


def _html(macro: str, **values: Any) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(loader=PackageLoader(__package__), autoescape=True, undefined=StrictUndefined)
    return str(getattr(environment.get_template("tables.html").module, macro)(**values))


NAMESPACE_HEAD = ("namespace", "operations", "description")


def namespaces(api: API) -> list[tuple[str, str, str]]:
    """List the namespaces of an API, with the number of operations and the first line of the tag's description."""
    counts = Counter(namespace for row in api.rows for namespace in dict(row.names_by_tag))
    texts: dict[str, str] = {}
    for tag in api.tags:
        said = (tag.summary or tag.description).strip().partition("\n")[0]
        texts[tag.namespace] = texts.get(tag.namespace) or escaped(said)[:_LONGEST]
    found = [
        (name, f"{counts[name]:,}", texts.get(name, "")) for name in dict.fromkeys((*texts, *counts)) if counts[name]
    ]
    bare = sum(not row.names_by_tag for row in api.rows)
    return [*found, *([("", f"{bare:,}", "without a namespace")] if bare else [])]


def namespaces_as_html(api: API, *, note: str) -> str:
    """Print the namespaces as an HTML table, all texts escaped, with a note below."""
    return _html("namespaces", head=NAMESPACE_HEAD, rows=namespaces(api), note=note)
