"""``client.operations``: which operations there are, and how each can be found."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from dynclient._client._index import Index
from dynclient._client._session import Session
from dynclient.model import OperationRow

if TYPE_CHECKING:  # inspection is loaded when something is shown
    from dynclient._tables import Row


# To tell whether an operation is broken it is read and made ready, which takes milliseconds for each.
_LOOKED_INTO = 500


class Operations(Mapping[str, Any]):
    """The operations of a client by their flat Python names, in the document's order.

    ``operations[...]`` also takes an operationId, a name within a namespace (``calls.create_call``) and
    ``"POST /accounts/{accountId}/calls"``. Printed, it is a table.
    """

    __slots__ = ("_index", "_make", "_part", "_session")

    def __init__(
        self, session: Session, index: Index, make: Callable[[OperationRow], Any], *, part: bool = False
    ) -> None:
        """Take what makes an operation's method of its row. ``part``: these are not all that the document has."""
        self._part = part
        self._session = session
        self._index = index
        self._make = make

    def __getitem__(self, name: str) -> Any:
        return self._make(self._index.find(name))

    def __iter__(self) -> Iterator[str]:
        return iter(self._index.names.by_name)

    def __len__(self) -> int:
        return len(self._index.names.by_name)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._index.get(name) is not None

    def search(self, words: str) -> Operations:
        """The operations in whose names, paths, summaries, parameters or descriptions all words are; the best first."""
        from dynclient.inspection import search

        found = search(self._index.names.by_name.values(), words, self._session.operation)
        return Operations(self._session, Index(tuple(found)), self._make, part=True)

    def __repr__(self) -> str:
        # Colours and a terminal's width are for a person at the prompt; a log or a pipe gets plain text.
        return self._in_terminal() if hasattr(sys, "ps1") else self._as_text()

    def _repr_html_(self) -> str:
        from dynclient.inspection import as_html

        return as_html(*self._table(), note=self._note())

    def _repr_mimebundle_(self, **_formats: Any) -> dict[str, str]:
        return {"text/plain": self._in_terminal(), "text/html": self._repr_html_()}

    def _in_terminal(self) -> str:
        from dynclient._tables import for_stream

        return for_stream(*self._table(), sys.stdout, note=self._note())

    def _as_text(self) -> str:
        from dynclient._tables import as_text

        return as_text(*self._table(), note=self._note())

    def _note(self) -> str:
        unknown = len(self) - _LOOKED_INTO
        told = "what is broken is marked in the first"
        return f"{told} {_LOOKED_INTO:,} only; `dynclient ls --check` marks it in all" if unknown > 0 else ""

    def _table(self) -> tuple[tuple[Row, ...], tuple[str, ...]]:
        """A row each, and what could not be listed."""
        from dynclient.inspection import lost, rows

        api = self._session.api
        every = tuple(self._index.names.by_name.values())
        found = rows(api._replace(rows=every[:_LOOKED_INTO]), self._session.fault)
        found += rows(api._replace(rows=every[_LOOKED_INTO:]))
        # What was searched for is shown by its worth, not by its tag.
        return (tuple(row._replace(tags=()) for row in found), ()) if self._part else (found, lost(api))

    def _ipython_key_completions_(self) -> list[str]:
        return list(self._index.names.by_any)
