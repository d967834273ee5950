"""The list of an API's operations, for a notebook as HTML; as text, it is in :mod:`dynclient._tables`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from html import escape

from dynclient._tables import HEAD, LOST, Row, as_text, groups, row_of
from dynclient.exceptions import DocumentError
from dynclient.inspection.arguments import arguments
from dynclient.inspection.signatures import returns
from dynclient.model import API, OperationRow

_CLASS = "dynclient-operations"
# Notebooks set text in tables to the right, and number lines by background; the red can be read on white and on black.
_STYLE = (
    f"table.{_CLASS} {{border-collapse: collapse; margin: 0.5em 0}}"
    f"table.{_CLASS} th, table.{_CLASS} td"
    " {text-align: left; vertical-align: baseline; padding: 0.15em 1.2em 0.15em 0; border: 0}"
    f"table.{_CLASS} thead th {{border-bottom: 1px solid}}"
    f"table.{_CLASS} tbody th {{padding-top: 0.8em}}"
    f"table.{_CLASS} .deprecated td {{opacity: 0.7}}"
    f"table.{_CLASS} .broken td, table.{_CLASS} .broken code {{color: #d9363e}}"
)


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


def as_html(table: Iterable[Row], faults: Iterable[str] = (), *, note: str = "") -> str:
    """The table as HTML, each text escaped, and a note below. Its colours are those around it, light or dark."""
    head = "".join(f"<th>{title}</th>" for title in HEAD)
    body = []
    for tag, members in groups(table).items():
        if tag:
            body.append(f'<tr><th colspan="{len(HEAD)}">{escape(tag)}</th></tr>')
        body += [_html_row(row) for row in members]
    below = "".join(f"<p><strong>{LOST}</strong>: {escape(fault)}</p>" for fault in faults)
    below += f"<p>{escape(note)}</p>" if note else ""
    whole = f'<table class="{_CLASS}"><thead><tr>{head}</tr></thead><tbody>{"".join(body)}</tbody></table>'
    return f"<style>{_STYLE}</style>{whole}{below}"


def _html_row(row: Row) -> str:
    name = f"<code>{escape(row.name)}</code>"
    kind = ' class="broken"' if row.broken else ' class="deprecated"' if row.deprecated else ""
    return (
        f"<tr{kind}><td>{f'<s>{name}</s>' if row.deprecated else name}</td><td>{escape(row.method)}</td>"
        f'<td><code>{escape(row.path)}</code></td><td title="{escape(row.broken)}">{escape(row.marks)}</td></tr>'
    )


def _told(fault: DocumentError | None) -> str:
    return str(fault) if fault is not None else ""
