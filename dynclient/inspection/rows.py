"""The list of operations as a table: for a terminal as text, for a notebook as HTML."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from html import escape
from inspect import Signature
from typing import NamedTuple

from dynclient.exceptions import DocumentError, escaped
from dynclient.inspection.arguments import arguments
from dynclient.inspection.signature import returns
from dynclient.model import API, Operation, OperationRow

_HEAD = ("name", "method", "path", "summary")
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
    """The operations of an API as text in columns, as a terminal shows them."""
    return as_text(rows(api, fault))


def html_table(api: API, fault: Callable[[OperationRow], DocumentError | None] | None = None) -> str:
    """The operations of an API as an HTML table, as a notebook shows them."""
    return as_html(rows(api, fault))


def describe(operation: Operation, name: str, signature: Signature) -> str:
    """One operation in two lines: its signature, and what it sends."""
    summary = f"  {_cell(operation.row.summary)}" if operation.row.summary else ""
    return f"{name}{signature}\n{operation.method} {escaped(operation.path)}{summary}"


def as_text(table: Iterable[Row]) -> str:
    """The table as text in columns, a line each."""
    cells = (_HEAD, *((row.name, row.method, row.path, row.marks) for row in table))
    lines = [[_cell(cell) for cell in line] for line in cells]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEAD) - 1)]
    return "\n".join(
        "  ".join([*(cell.ljust(width) for cell, width in zip(line, widths, strict=False)), line[-1]]).rstrip()
        for line in lines
    )


def as_html(table: Iterable[Row]) -> str:
    """The table as HTML, each text escaped."""
    head = "".join(f"<th>{title}</th>" for title in _HEAD)
    body = "".join(
        f"<tr><td><code>{escape(row.name)}</code></td><td>{escape(row.method)}</td>"
        f"<td><code>{escape(row.path)}</code></td><td>{escape(row.marks)}</td></tr>"
        for row in table
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


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
    )


def _cell(text: str) -> str:
    """One line of harmless text that is not too wide."""
    line = escaped(" ".join(text.split()))
    return line if len(line) <= _WIDEST else line[: _WIDEST - 1] + "…"
