"""The list of a document's operations as plain data, for the compiled form, and back.

Rule: the list only says where to look. Whoever reads an operation looks there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dynclient._records import Record
from dynclient._rows import OperationRow

if TYPE_CHECKING:  # who asks for what was kept needs nothing of the model but its rows
    from dynclient.model import API


class Kept(Record):
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
        namespaces = data["namespaces"]
        if not all(isinstance(text, str) for pair in namespaces.items() for text in pair):
            return None
        return Kept(_rows(data["rows"]), namespaces)
    except (TypeError, ValueError, KeyError, AttributeError):
        return None


def _rows(data: list[Any]) -> tuple[OperationRow, ...]:
    """Rows, made and looked at column by column: a thousand in a millisecond or two."""
    if type(data) is not list:
        raise TypeError
    if not data:
        return ()
    keys, methods, paths, ids, names, by_tag, summaries, tags, deprecated, *pointers = zip(*data, strict=True)
    pairs = [tuple([(namespace, inner) for namespace, inner in each]) for each in by_tag]
    named = [text for each in pairs for pair in each for text in pair]
    for texts in (methods, paths, names, summaries, *pointers, named, *tags, [one for one in ids if one is not None]):
        # That takes text alone.
        "".join(texts)
    if list(keys) != [f"{method} {path}" for method, path in zip(methods, paths, strict=True)]:
        raise ValueError
    told = [one is True for one in deprecated]
    pointer, path_pointer = pointers
    made = map(
        OperationRow, keys, methods, paths, ids, names, pairs, summaries, map(tuple, tags), told, pointer, path_pointer
    )
    return tuple(made)
