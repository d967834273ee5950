"""The list of a document's operations as text, for the compiled form, and back.

A line of JSON tells the namespace of each tag, and each line that follows an operation, its flat name first. So one of
them is found as text is searched, and it alone is decoded; the others are when somebody wants to see them.

Rule 1: the list only says where to look. Whoever reads an operation looks there.
Rule 2: a search may miss what is there, as JSON can be written in more than one way. Before it is said that there is
no operation of a name, the whole list is asked.
Rule 3: a list that is none is as if it were not there: the operations are found in the document.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, overload

from dynclient._document.decoding import DamagedError, decoded, decoded_lines, spelled
from dynclient._records import Record
from dynclient._rows import OperationRow
from dynclient.json_pointer import escape

if TYPE_CHECKING:  # who asks for what was kept needs nothing of the model but its rows
    from dynclient.model import API

_WRONG = (TypeError, ValueError, KeyError, AttributeError, DamagedError)


class Kept(Record):
    """A list that was kept: the rows, and the namespace of each tag."""

    rows: Sequence[OperationRow]
    namespaces: dict[str, str]


def noted(api: API) -> bytes | None:
    """A list as text; None where something was wrong with the document: it is found anew each time."""
    from dynclient._document.compiled import encoded_lines

    if api.faults:
        return None
    namespaces = {tag.name: tag.namespace for tag in api.tags}
    return encoded_lines([namespaces, *map(_noted, api.rows)])


def _noted(row: OperationRow) -> list[Any]:
    _, method, path, operation_id, name, by_tag, summary, tags, deprecated, pointer, item = row
    # Almost all operations stand where their method and path say.
    usual = pointer == f"{item}/{method.lower()}" and item == f"/paths/{escape(path)}"
    places = None if usual else (pointer, item)
    return [name, dict(by_tag), method, path, operation_id, summary, tags, deprecated, places]


def _places(method: str, path: str) -> tuple[str, str]:
    item = f"/paths/{escape(path)}"
    return f"{item}/{method.lower()}", item


def kept(text: bytes | None, again: Callable[[], tuple[OperationRow, ...]] | None = None) -> Kept | None:
    """A list from its text; None where it is none.

    ``again`` finds the operations in the document. Without it the whole text is looked at now, else when it is used.
    """
    if text is None:
        return None
    try:
        namespaces = decoded(text.partition(b"\n")[0])
        if not all(isinstance(text, str) for pair in namespaces.items() for text in pair):
            return None
        return Kept(_rows(_after_first(text)) if again is None else Listed(text, again), namespaces)
    except _WRONG:
        return None


def _after_first(text: bytes) -> bytes:
    return text.partition(b"\n")[2]


def _rows(lines: bytes) -> tuple[OperationRow, ...]:
    """Rows, made and looked at column by column: a thousand in three milliseconds."""
    data = decoded_lines(lines)
    if not data:
        return ()
    names, by_tag, methods, paths, ids, summaries, tags, deprecated, places = zip(*data, strict=True)
    inner = [each.values() for each in by_tag]
    for texts in (names, methods, paths, summaries, [one for one in ids if one is not None], *inner, *tags):
        # That takes text alone.
        "".join(texts)
    keys = [f"{method} {path}" for method, path in zip(methods, paths, strict=True)]
    pairs = [tuple(each.items()) for each in by_tag]
    told = [one is True for one in deprecated]
    pointers = zip(*map(_pointers, methods, paths, places), strict=True)
    columns = (keys, methods, paths, ids, names, pairs, summaries, map(tuple, tags), told, *pointers)
    return tuple(map(OperationRow._make, zip(*columns, strict=True)))


def _pointers(method: str, path: str, places: Any) -> tuple[str, str]:
    if places is None:
        return _places(method, path)
    operation, item = places
    if not (isinstance(operation, str) and isinstance(item, str)):
        raise TypeError
    return operation, item


class Listed(Sequence[OperationRow]):
    """The operations of a list, in the document's order, each decoded when it is asked for."""

    __slots__ = ("_again", "_text", "_whole")

    def __init__(self, text: bytes, again: Callable[[], tuple[OperationRow, ...]]) -> None:
        """Take the list, and what finds the operations in the document."""
        self._text = text
        self._again = again
        self._whole: tuple[OperationRow, ...] | None = None

    def named(self, name: str) -> OperationRow | None:
        """The operation of a flat name; None where a search does not find it."""
        return self._found("\n[{},", name, fits=lambda row: row.name == name)

    def member(self, namespace: str, name: str) -> OperationRow | None:
        """The operation of a name in a namespace; likewise."""
        return self._found("{}:{}", namespace, name, fits=lambda row: (namespace, name) in row.names_by_tag)

    def any_in(self, namespace: str) -> OperationRow | None:
        """The first operation in a namespace; likewise."""
        return self._found("{}:", namespace, fits=lambda row: namespace in dict(row.names_by_tag))

    def keyed(self, key: str) -> OperationRow | None:
        """The operation of a method and path, as ``"GET /calls"``; likewise."""
        method, _, path = key.partition(" ")
        return self._found("{},{},", method, path, fits=lambda row: row.key == key)

    def aliased(self, alias: str) -> OperationRow | None:
        """The operation of any of these names; likewise."""
        namespace, _, name = alias.rpartition(".")
        return (
            (self.named(alias) if alias.isidentifier() else None)
            or (self.member(namespace, name) if name.isidentifier() and namespace.isidentifier() else None)
            or (self.keyed(alias) if " " in alias else None)
            or self._found(",{},", alias, fits=lambda row: row.operation_id == alias)
        )

    def _found(self, pattern: str, *texts: str, fits: Callable[[OperationRow], bool]) -> OperationRow | None:
        text = self._text
        for needle in spelled(pattern, *texts):
            end = text.find(b"\n")
            while end >= 0 and (at := text.find(needle, end)) >= 0:
                start, end = text.rfind(b"\n", 0, at + 1) + 1, text.find(b"\n", at + 1)
                try:
                    (row,) = _rows(text[start:end] if end >= 0 else text[start:])
                except _WRONG:
                    self._hold(self._again())
                    return None
                if fits(row):
                    return row
        return None

    def _hold(self, rows: tuple[OperationRow, ...]) -> tuple[OperationRow, ...]:
        """Go on with rows, and without the text. Of two threads, the first one's rows are everybody's."""
        if self._whole is None:
            self._whole = rows
        self._text = b""
        return self._whole

    def _all(self) -> tuple[OperationRow, ...]:
        rows, text = self._whole, self._text
        if rows is not None:
            return rows
        try:
            return self._hold(_rows(_after_first(text)))
        except _WRONG:
            return self._hold(self._again())

    @overload
    def __getitem__(self, index: int) -> OperationRow: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[OperationRow]: ...
    def __getitem__(self, index: int | slice) -> OperationRow | Sequence[OperationRow]:
        return self._all()[index]

    def __len__(self) -> int:
        return len(self._all())

    def __iter__(self) -> Iterator[OperationRow]:
        return iter(self._all())

    def __eq__(self, other: object) -> bool:
        return self._all() == (other._all() if isinstance(other, Listed) else other)

    def __hash__(self) -> int:
        return hash(self._all())

    def __reduce__(self) -> tuple[type, tuple[tuple[OperationRow, ...]]]:
        return tuple, (self._all(),)

    def __repr__(self) -> str:
        return repr(self._all())
