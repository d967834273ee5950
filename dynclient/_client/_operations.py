"""``client.operations``: which operations there are, and how each can be found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from dynclient._client._session import Session
from dynclient._identifiers import near
from dynclient.exceptions import NoSuchOperation
from dynclient.model import OperationRow


class Index:
    """The rows of an API by each of their names; made when a client first looks something up."""

    __slots__ = ("by_any", "by_name", "by_namespace")

    def __init__(self, rows: tuple[OperationRow, ...]) -> None:
        """Take the rows in the document's order: where two would share an alias, the first one has it."""
        self.by_name = {row.name: row for row in rows}
        self.by_namespace: dict[str, dict[str, OperationRow]] = {}
        self.by_any: dict[str, OperationRow] = dict(self.by_name)
        for row in rows:
            for namespace, name in row.names_by_tag:
                self.by_namespace.setdefault(namespace, {})[name] = row
                self.by_any.setdefault(f"{namespace}.{name}", row)
            self.by_any.setdefault(row.key, row)
        for row in rows:
            if row.operation_id is not None:
                self.by_any.setdefault(row.operation_id, row)

    def find(self, name: str) -> OperationRow:
        """Find an operation by any of its names.

        Raises:
            NoSuchOperation: with the names that are near.
        """
        row = self.by_any.get(name)
        if row is None:
            raise no_such_operation(
                name, [*self.by_name, *(row.operation_id for row in self.by_name.values() if row.operation_id)]
            )
        return row


def no_such_operation(name: str, candidates: list[str], what: str = "operation") -> NoSuchOperation:
    """The error for a name that is none, with the near matches in its hint."""
    matches = near(name, candidates)
    hint = f"did you mean {' or '.join(matches)}?" if matches else ""
    return NoSuchOperation(f"no {what} {name}", name=name, matches=matches, hint=hint)


class Operations(Mapping[str, Any]):
    """The operations of a client by their flat Python names, in the document's order.

    ``operations[...]`` also takes an operationId, a name within a namespace (``calls.create_call``) and
    ``"POST /accounts/{accountId}/calls"``. Printed, it is a table.
    """

    __slots__ = ("_index", "_make", "_session")

    def __init__(self, session: Session, index: Index, make: Callable[[OperationRow], Any]) -> None:
        """Take what makes an operation's method of its row."""
        self._session = session
        self._index = index
        self._make = make

    def __getitem__(self, name: str) -> Any:
        return self._make(self._index.find(name))

    def __iter__(self) -> Iterator[str]:
        return iter(self._index.by_name)

    def __len__(self) -> int:
        return len(self._index.by_name)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name in self._index.by_any

    def __repr__(self) -> str:
        from dynclient.inspection import table

        return table(self._session.api, self._session.fault)

    def _ipython_key_completions_(self) -> list[str]:
        return list(self._index.by_any)
