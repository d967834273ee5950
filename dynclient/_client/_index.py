"""Where a client finds its operations by their names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from dynclient._identifiers import near
from dynclient._records import Record
from dynclient.exceptions import NoSuchOperation
from dynclient.model import OperationRow

WITH_HTTP_INFO = "_with_http_info"


class Named(Record):
    """An operation, and the name under which it was asked for."""

    row: OperationRow
    name: str
    with_http_info: bool = False


class Way(Protocol):
    """What operations are looked up in; each method gives None where it finds nothing."""

    def named(self, name: str) -> OperationRow | None:
        """The operation of a flat name."""

    def member(self, namespace: str, name: str) -> OperationRow | None:
        """The operation of a name in a namespace."""

    def any_in(self, namespace: str) -> OperationRow | None:
        """One of the operations in a namespace."""

    def aliased(self, alias: str) -> OperationRow | None:
        """The operation of a flat name, a name with its namespace, a method and path, or an operationId."""


class Names:
    """The rows of an API by each of their names. Where two would share an alias, the document's first one has it."""

    __slots__ = ("by_any", "by_name", "by_namespace")

    def __init__(self, rows: Sequence[OperationRow]) -> None:
        """Take the rows in the document's order."""
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

    def named(self, name: str) -> OperationRow | None:
        return self.by_name.get(name)

    def member(self, namespace: str, name: str) -> OperationRow | None:
        return self.by_namespace.get(namespace, {}).get(name)

    def any_in(self, namespace: str) -> OperationRow | None:
        return next(iter(self.by_namespace.get(namespace, {}).values()), None)

    def aliased(self, alias: str) -> OperationRow | None:
        return self.by_any.get(alias)


class Index:
    """Looks up operations in the ways that there are.

    What was found is remembered, since a call looks up its operation each time.
    """

    __slots__ = ("_found", "_names", "_rows")

    def __init__(self, rows: Sequence[OperationRow]) -> None:
        """Take the rows in the document's order."""
        self._rows = rows
        self._names: Names | None = None
        self._found: dict[tuple[str, ...], Any] = {}

    @property
    def names(self) -> Names:
        """All names."""
        if self._names is None:
            self._names = Names(self._rows)
        return self._names

    def attribute(self, name: str) -> Named | str | None:
        """What a client has under a name: an operation, or a namespace, of which this is the name."""

        def look(way: Way) -> Named | str | None:
            if (found := _variant(way.named, name)) is not None:
                return found
            return name if way.any_in(name) is not None else None

        found: Named | str | None = self._look(("attribute", name), look)
        return found

    def member(self, namespace: str, name: str) -> Named | None:
        """What a namespace has under a name."""
        key = ("member", namespace, name)
        found: Named | None = self._look(key, lambda way: _variant(lambda one: way.member(namespace, one), name))
        return found

    def find(self, name: str) -> OperationRow:
        """Find an operation by any of its names.

        Raises:
            NoSuchOperation: with the names that are near.
        """
        if not isinstance(name, str):
            raise NoSuchOperation(f"no operation {name!r}: an operation is found by its name", name=repr(name))
        row = self.get(name)
        if row is None:
            rows = self.names.by_name
            ids = [row.operation_id for row in rows.values() if row.operation_id]
            keys = [row.key for row in rows.values()] if "/" in name else []
            raise no_such_operation(name, near(name, [*rows, *ids, *keys]))
        return row

    def get(self, name: str) -> OperationRow | None:
        """The same; None where there is none."""
        found: OperationRow | None = self._look(("alias", name), lambda way: way.aliased(name))
        return found

    def _look(self, key: tuple[str, ...], look: Callable[[Way], Any]) -> Any:
        """What somebody looks for, who calls it ``key``; None where it can't be found in any way."""
        found = self._found.get(key)
        if found is None:
            found = look(self.names)
        if found is not None:
            self._found[key] = found
        return found


def _variant(find: Callable[[str], OperationRow | None], name: str) -> Named | None:
    """The operation of a name, or of the name with ``_with_http_info``; None where there is none."""
    row = find(name)
    if row is not None:
        return Named(row, name)
    stem = name.removesuffix(WITH_HTTP_INFO)
    row = find(stem) if stem != name else None
    return Named(row, stem, with_http_info=True) if row is not None else None


def attributes_near(name: str, operations: Iterable[str], others: Iterable[str] = ()) -> list[str]:
    """The operations, with ``_with_http_info`` where the name ends so, and the other names that may have been meant."""
    stem = name.removesuffix(WITH_HTTP_INFO)
    if stem != name:
        return [match + WITH_HTTP_INFO for match in near(stem, operations)]
    return near(name, [*operations, *others])


def no_such_operation(name: str, matches: list[str], namespace: str = "") -> NoSuchOperation:
    """The error for a name that is none, which says what may have been meant."""
    meant = f"; did you mean {' or '.join(matches)}?" if matches else ""
    shown = f"{namespace}.{name}" if namespace else name
    return NoSuchOperation(f"no operation {shown}{meant}", name=name, matches=matches)
