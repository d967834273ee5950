"""The list of an API's operations: search by words, and an HTML table for notebooks.

Search, rule 1: each word of a query has to occur somewhere in an operation. Rule 2: the score of a word depends on
where it occurs (:data:`WEIGHTS`), and on whether it is the whole text there, a word of it, or a part of a word. Rule 3:
operations with all words in their names come first, then those of the best score, then shorter names.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from html import escape

from dynclient._escaping import escaped
from dynclient._expressions import expression
from dynclient._schemas import shape
from dynclient._tables import HEAD, LOST, Row, groups
from dynclient.exceptions import DocumentError
from dynclient.inspection.arguments import body_schema
from dynclient.inspection.signatures import successes
from dynclient.model import API, Operation, OperationRow, RequestBody, Response

# The score of a word by where it occurs. The last three need the operation to be read.
WEIGHTS: Mapping[str, int] = {
    "name": 100,
    "tag": 40,
    "path": 30,
    "summary": 20,
    "parameter": 8,
    "description": 3,
    "result": 2,
}
_JOINT = expression(r"[\s_-]+")
_WHOLE, _WORD, _PART = 4, 2, 1
_LONGEST = 80


def search(
    rows: Iterable[OperationRow], query: str, read: Callable[[OperationRow], Operation]
) -> tuple[OperationRow, ...]:
    """Find the operations with all words of a query in their names, paths, summaries, parameters or descriptions.

    ``read`` reads an operation; one that is broken is searched by its row alone. The best come first.
    """
    words = query.lower().split()
    if not words:
        return tuple(rows)
    scored = [(score(row, words, read), row) for row in rows]
    ranked = sorted((found for found in scored if found[0]), key=lambda found: _rank(found[1], words, found[0]))
    return tuple(row for _, row in ranked)


def _rank(row: OperationRow, words: list[str], points: int) -> tuple[bool, int, int]:
    """Sort key: names with all words first, then by score, and of equal ones those with fewer other words."""
    name = row.name.lower()
    return not all(_match(word, name) for word in words), -points, len(re.split(r"[\W_]+", name))


def score(row: OperationRow, words: list[str], read: Callable[[OperationRow], Operation]) -> int:
    """Score an operation: 0 if a word does not occur in it, 1 without any words."""
    texts = list(_row_texts(row))
    with suppress(DocumentError):
        texts += _operation_texts(read(row))
    scores = [max(WEIGHTS[kind] * _match(word, text.lower()) for kind, text in texts) for word in words]
    return sum(scores) + 1 if all(scores) else 0


def _row_texts(row: OperationRow) -> Iterator[tuple[str, str]]:
    for name in (row.name, row.operation_id or "", *(pair[1] for pair in row.names_by_tag)):
        yield "name", name
    yield "path", row.key
    yield "summary", row.summary
    yield from (("tag", tag) for tag in row.tags)


def _operation_texts(operation: Operation) -> Iterator[tuple[str, str]]:
    yield "description", operation.description
    for parameter in operation.parameters:
        yield from (("parameter", parameter.name), ("description", parameter.description))
    # The properties of a body are arguments of a call too.
    for name, description in _properties(operation.body):
        yield from (("parameter", name), ("description", description))
    for response in successes(operation):
        yield "result", response.description
        for name, description in _properties(response):
            yield from (("result", name), ("result", description))


def _properties(body: RequestBody | Response | None) -> Iterator[tuple[str, str]]:
    schema = body_schema(body) if body is not None else None
    for name, child in shape(schema).properties.items() if schema is not None else ():
        yield name, shape(child).description or ""


def _match(word: str, text: str) -> int:
    if word not in text:
        # "hangup" matches "hang-up" and "hang up", "createcall" matches "create_call".
        return _PART if word in _JOINT.sub("", text) else 0
    if word == text:
        return _WHOLE
    return _WORD if word in re.split(r"[\W_]+", text) else _PART


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
    """List the namespaces of an API with how many operations each has, and the first line of what its tag says."""
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
