"""The list of a document's operations as plain data, for the compiled form, and back.

Rule: the list only says where to look. Whoever reads an operation looks there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from dynclient._rows import OperationRow

if TYPE_CHECKING:  # who asks for what was kept needs nothing of the model but its rows
    from dynclient.model import API


class Kept(NamedTuple):
    """A list that was kept: the rows, and the namespace of each tag."""

    rows: tuple[OperationRow, ...]
    namespaces: dict[str, str]


def noted(api: API) -> Any:
    """A list as data; None where something was wrong with the document: it is found anew each time."""
    if api.faults:
        return None
    return {"rows": api.rows, "namespaces": {tag.name: tag.namespace for tag in api.tags}}


def kept(data: Any) -> Kept | None:
    """A list from data; None where it is none."""
    try:
        rows = tuple(map(_row, data["rows"]))
        namespaces = data["namespaces"]
        if not all(isinstance(text, str) for pair in namespaces.items() for text in pair):
            return None
        return Kept(rows, namespaces)
    except (TypeError, ValueError, KeyError, AttributeError):
        return None


def _row(values: list[Any]) -> OperationRow:
    key, method, path, operation_id, name, names_by_tag, summary, tags, deprecated, pointer, path_pointer = values
    texts = (key, method, path, name, summary, pointer, path_pointer, *tags)
    if operation_id is not None and type(operation_id) is not str:
        raise TypeError
    pairs = tuple([(namespace, inner) for namespace, inner in names_by_tag])
    if {str}.union(map(type, texts), *[map(type, pair) for pair in pairs]) != {str}:
        raise TypeError
    if key != f"{method} {path}":
        raise ValueError
    return OperationRow(
        key, method, path, operation_id, name, pairs, summary, tuple(tags), deprecated is True, pointer, path_pointer
    )
