"""The list of operations as a table: for a terminal as text, for a notebook as HTML."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from html import escape
from typing import NamedTuple

from dynclient.exceptions import DocumentError, escaped
from dynclient.inspection.arguments import arguments
from dynclient.inspection.signature import returns
from dynclient.model import API, OperationRow

HEAD = ("name", "method", "path", "summary")
LOST = "broken"
_WIDEST = 60


class Row(NamedTuple):
    """One line of the table. ``names`` are all the names by which the operation is called; ``broken`` says why not."""

    name: str
    names: tuple[str, ...]
    made_of: str
    method: str
    path: str
    summary: str
    deprecated: bool = False
    broken: str = ""
    tags: tuple[str, ...] = ()

    @property
    def marks(self) -> str:
        """The summary, after what a caller should know first."""
        marks = (["broken"] if self.broken else []) + (["deprecated"] if self.deprecated else [])
        return f"[{', '.join(marks)}] {self.summary}".rstrip() if marks else self.summary


def rows(api: API, fault: Callable[[OperationRow], DocumentError | None] | None = None) -> tuple[Row, ...]:
    """The operations of an API, one row each. ``fault`` tells what is broken in one; without it, none is read."""
    return tuple(_row(row, fault(row) if fault is not None else None) for row in api.rows)


def broken(api: API, row: OperationRow) -> DocumentError | None:
    """Read an operation, and tell what is wrong with it, or None."""
    try:
        operation = api.read(row)
        arguments(operation)
        returns(operation)
    except DocumentError as error:
        return error
    return None


def table(api: API, fault: Callable[[OperationRow], DocumentError | None] | None = None) -> str:
    """The operations of an API as text in columns, grouped by tag, and what could not even be listed."""
    return as_text(rows(api, fault), lost(api))


def html_table(api: API, fault: Callable[[OperationRow], DocumentError | None] | None = None) -> str:
    """The operations of an API as an HTML table, as a notebook shows them."""
    return as_html(rows(api, fault), lost(api))


def lost(api: API) -> tuple[str, ...]:
    """What is so broken that its operations could not be listed: a line each, with its place."""
    return tuple(" ".join(str(fault).split()) for fault in api.faults)


def groups(table: Iterable[Row]) -> dict[str, list[Row]]:
    """The rows by their first tag, in the order in which tags come; under ``""`` those that have none."""
    found: dict[str, list[Row]] = {}
    for row in table:
        found.setdefault(row.tags[0] if row.tags else "", []).append(row)
    return found


def as_text(table: Iterable[Row], faults: Iterable[str] = ()) -> str:
    """The table as text in columns, a line each; below a tag's line, its operations are indented."""
    grouped = groups(table)
    indent = "  " if any(grouped) else ""
    cells = {
        tag: [(_cell(row.name, indent), _cell(row.method), _cell(row.path), _cell(row.marks)) for row in members]
        for tag, members in grouped.items()
    }
    every = [HEAD, *(line for lines in cells.values() for line in lines)]
    widths = [max(map(len, column)) for column in zip(*every, strict=True)][:-1]
    lines = [_line(HEAD, widths)]
    for tag, members in cells.items():
        lines += [_cell(tag)] if tag else []
        lines += [_line(line, widths) for line in members]
    return "\n".join([*lines, *(f"{LOST}: {escaped(fault)}" for fault in faults)])


def as_html(table: Iterable[Row], faults: Iterable[str] = ()) -> str:
    """The table as HTML, each text escaped."""
    head = "".join(f"<th>{title}</th>" for title in HEAD)
    body = []
    for tag, members in groups(table).items():
        if tag:
            body.append(f'<tr><th colspan="{len(HEAD)}" style="text-align: left">{escape(tag)}</th></tr>')
        body += [_html_row(row) for row in members]
    below = "".join(f"<p><strong>{LOST}</strong>: {escape(fault)}</p>" for fault in faults)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>{below}"


def _html_row(row: Row) -> str:
    name = f"<code>{escape(row.name)}</code>"
    return (
        f"<tr><td>{f'<s>{name}</s>' if row.deprecated else name}</td><td>{escape(row.method)}</td>"
        f'<td><code>{escape(row.path)}</code></td><td title="{escape(row.broken)}">{escape(row.marks)}</td></tr>'
    )


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=False))
    return "  ".join([*padded, cells[-1]]).rstrip()


def _row(row: OperationRow, fault: DocumentError | None) -> Row:
    return Row(
        name=row.name,
        names=(row.name, *(".".join(pair) for pair in row.names_by_tag)),
        made_of=row.operation_id or row.key,
        method=row.method,
        path=row.path,
        summary=row.summary,
        deprecated=row.deprecated,
        broken=str(fault) if fault is not None else "",
        tags=row.tags,
    )


def _cell(text: str, indent: str = "") -> str:
    """One line of harmless text that is not too wide."""
    line = escaped(indent + " ".join(text.split()))
    return line if len(line) <= _WIDEST else line[: _WIDEST - 1] + "…"
