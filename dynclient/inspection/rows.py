"""The list of an API's operations, for a notebook as HTML; as text, it is in :mod:`dynclient._tables`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from html import escape

from dynclient._tables import HEAD, LOST, Row, as_text, groups, row_of
from dynclient.exceptions import DocumentError
from dynclient.inspection.arguments import arguments
from dynclient.inspection.signature import returns
from dynclient.model import API, OperationRow


def rows(api: API, fault: Callable[[OperationRow], DocumentError | None] | None = None) -> tuple[Row, ...]:
    """The operations of an API, one row each. ``fault`` tells what is broken in one; without it, none is read."""
    return tuple(row_of(row, _told(fault(row)) if fault is not None else "") for row in api.rows)


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


def _told(fault: DocumentError | None) -> str:
    return str(fault) if fault is not None else ""
