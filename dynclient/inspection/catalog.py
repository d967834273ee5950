"""The list of an API's operations and namespaces, as rows and as HTML tables for notebooks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from html import escape

from dynclient._escaping import escaped
from dynclient._tables import HEAD, LOST, Row, groups
from dynclient.exceptions import DocumentError
from dynclient.model import API, OperationRow

_LONGEST = 80


_CLASS = "dynclient-operations"
# Overrides the styles of notebooks, which are more specific: they align text in tables to the right, shade every other
# row and keep a cell in one line. The red is legible on white and on black.
_STYLE = (
    f"table.{_CLASS} {{border-collapse: collapse; margin: 0.5em 0; table-layout: auto !important}}"
    f"table.{_CLASS} th, table.{_CLASS} td"
    " {text-align: left !important; vertical-align: baseline !important; padding: 0.15em 1.2em 0.15em 0 !important;"
    " border: 0; max-width: none !important; white-space: normal !important; overflow-wrap: break-word}"
    f"table.{_CLASS} td code {{white-space: normal; overflow-wrap: anywhere}}"
    f"table.{_CLASS} thead th {{border-bottom: 1px solid !important}}"
    f"table.{_CLASS} tbody th {{padding-top: 0.8em !important}}"
    f"table.{_CLASS} .deprecated td {{opacity: 0.7}}"
    f"table.{_CLASS} .broken td, table.{_CLASS} .broken code {{color: #d9363e !important}}"
)


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
    body = []
    for tag, members in groups(table).items():
        if tag:
            body.append(f'<tr><th colspan="{len(HEAD)}">{escape(tag)}</th></tr>')
        body += [_html_row(row) for row in members]
    return _html_table(HEAD, body) + "".join(
        [
            *(f"<p><strong>{LOST}</strong>: {escape(fault)}</p>" for fault in faults),
            f"<p>{escape(note)}</p>" if note else "",
        ]
    )


def _html_table(head: Iterable[str], rows_: Iterable[str]) -> str:
    titles = "".join(f"<th>{title}</th>" for title in head)
    table = f'<table class="{_CLASS}"><thead><tr>{titles}</tr></thead><tbody>{"".join(rows_)}</tbody></table>'
    return f"<style>{_STYLE}</style>{table}"


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
    lines = (
        f"<tr><td><code>{escape(name)}</code></td><td>{count}</td><td>{escape(text)}</td></tr>"
        for name, count, text in namespaces(api)
    )
    return f"{_html_table(NAMESPACE_HEAD, lines)}<p>{escape(note)}</p>"


def _html_row(row: Row) -> str:
    operation = row.operation
    name = f"<code>{escape(operation.name)}</code>"
    kind = ' class="broken"' if row.broken else ' class="deprecated"' if operation.deprecated else ""
    return (
        f"<tr{kind}><td>{f'<s>{name}</s>' if operation.deprecated else name}</td><td>{escape(operation.method)}</td>"
        f'<td><code>{escape(operation.path)}</code></td><td title="{escape(row.broken)}">{escape(row.marks)}</td></tr>'
    )
