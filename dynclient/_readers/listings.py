"""The list of a document's operations as JSON, for the compiled form, and back: column by column.

Rule 1: the list only says where the operations are; they are read from the document.
Rule 2: a list that can't be decoded counts as missing: the operations are found in the document.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from dynclient._document.cache import cached_listing
from dynclient._document.compiled import DamagedError, decoded, encoded
from dynclient._records import Record
from dynclient._rows import OperationRow

if TYPE_CHECKING:  # listing operations needs only the rows of the model
    from dynclient.model import API


class Listing(Record):
    """A cached list: the operations in the document's order, and the namespace of each tag."""

    rows: Sequence[OperationRow]
    namespaces: dict[str, str]


def listed(word: str) -> Listing | None:
    """Return the list of a local file's operations from the cache; None if it is not cached.

    The document is neither read nor opened, so that a shell completes names quickly.
    """
    # Every source that is not a path contains one of these characters.
    if ":" in word or "\n" in word or word[:1] in {"{", "[", "<", "%"}:
        return None
    return listing(cached_listing(word))


def noted(api: API) -> bytes | None:
    """Encode a list; None if the document has broken paths, which have to be reported at each load."""
    if api.faults:
        return None
    return encoded([{tag.name: tag.namespace for tag in api.tags}, *zip(*api.rows, strict=True)])


def listing(text: bytes | None) -> Listing | None:
    """Decode a list; None if it is not a list."""
    if text is None:
        return None
    try:
        namespaces, *columns = decoded(text)
        _check_texts(namespaces, namespaces.values())
        return Listing(_rows(*columns) if columns else (), namespaces)
    except (TypeError, ValueError, KeyError, AttributeError, DamagedError):
        return None


def _rows(  # noqa: PLR0917  # the columns, in the order of a row
    keys: Any,
    methods: Any,
    paths: Any,
    ids: Any,
    names: Any,
    names_by_tag: Any,
    summaries: Any,
    tags: Any,
    deprecated: Any,
    pointers: Any,
    path_pointers: Any,
) -> tuple[OperationRow, ...]:
    """Make rows of columns, by a fast way: a thousand rows take two milliseconds."""
    pairs = [tuple([(namespace, name) for namespace, name in each]) for each in names_by_tag]
    _check_texts(keys, methods, paths, [one for one in ids if one is not None], names, summaries)
    _check_texts(*tags, *(texts for each in pairs for texts in each), pointers, path_pointers)
    if not {*deprecated} <= {True, False}:
        raise TypeError
    columns = (keys, methods, paths, ids, names, pairs, summaries, map(tuple, tags), deprecated)
    return tuple(map(partial(tuple.__new__, OperationRow), zip(*columns, pointers, path_pointers, strict=True)))


def _check_texts(*columns: Any) -> None:
    """Raise TypeError unless all values are texts."""
    for texts in columns:
        "".join(texts)
