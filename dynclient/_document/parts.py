"""Parts of a document that are decoded when they are first asked for.

Rule 1: to whoever walks a document, :class:`Parts` is a dict like any other; only its values come late.
Rule 2: of a long table the names come late too: one of them is found as text is searched. Who asks for all of them, or
for one that a search does not find, has the whole table decoded.
"""

from __future__ import annotations

from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol

from dynclient._document.decoding import DamagedError, decoded, spelled
from dynclient._records import Record
from dynclient.json_pointer import MISSING, escape

if TYPE_CHECKING:  # a warm load needs none
    from dynclient.exceptions import DocumentError

_UNREAD: Any = object()
_HOLDING = Lock()


class Section(Record):
    """An object of a text: where it begins and ends, and its members.

    Each of them is a Section, the ``(start, end)`` of a part, or the ``[value]`` of a scalar.
    """

    start: int
    end: int
    members: dict[str, Any]


class Decoder(Protocol):
    """What decodes the parts of a tree."""

    @property
    def cut(self) -> tuple[bytes, Section] | None:
        """The text that the parts are cut from, and its root; None where they come from elsewhere."""

    def value(self, entry: Any, pointer: str) -> Any:
        """What stands at a pointer, by its entry in a table."""

    def glimpse(self, pointer: str, table: Mapping[str, Any], words: Iterable[str]) -> dict[str, Any] | None:
        """What :meth:`Parts.glimpse` gives, of the parts of a table."""


class Tables(Decoder, Protocol):
    """What decodes tables of a tree too."""

    def table(self, text: bytes, pointer: str) -> dict[str, Any]:
        """The entries of the table at a pointer, by their names."""


class Parts(dict[str, Any]):
    """A mapping whose values are decoded one by one. It is not to be changed."""

    __slots__ = ("_pointer", "_table", "_tree")

    def __init__(self, table: dict[str, Any], pointer: str, tree: Decoder) -> None:
        super().__init__(dict.fromkeys(table, _UNREAD))
        self._table = table
        self._pointer = pointer
        self._tree = tree

    @property
    def decoder(self) -> Decoder:
        """What decodes these parts."""
        return self._tree

    def glimpse(self, words: Iterable[str]) -> dict[str, Any] | None:
        """Of each member its members, and of those no more than what the words name; None where it can't be had.

        What is left out, or there twice, is not told: only who asks for a part itself learns what is wrong with it.
        Arrays are there, but not what they hold.
        """
        len(self)  # then the whole table is there
        return self._tree.glimpse(self._pointer, self._table, words)

    def __getitem__(self, key: str) -> Any:
        value = super().__getitem__(key)
        if value is _UNREAD:
            return self._first(key, self._tree.value(self._table[key], self._below(key)))
        return value

    def _first(self, key: str, value: Any) -> Any:
        """Hold what was read; of two threads that read the same part, the first one's is everybody's."""
        with _HOLDING:
            first = dict.get(self, key, _UNREAD)
            if first is _UNREAD:
                dict.__setitem__(self, key, value)
            return value if first is _UNREAD else first

    def __iter__(self) -> Iterator[str]:
        # With a method of its own `dict(parts)` and `{**parts}` ask for each value, and do not copy what is unread.
        return super().__iter__()

    def get(self, key: str, default: Any = None) -> Any:
        """The value of a key."""
        return self[key] if key in self else default  # noqa: SIM401  # that is this method

    def items(self) -> ItemsView[str, Any]:  # type: ignore[override]  # typeshed's own view can't be named
        """All pairs, each decoded."""
        self._read_all()
        return super().items()

    def values(self) -> ValuesView[Any]:  # type: ignore[override]  # as above
        """All values, each decoded."""
        self._read_all()
        return super().values()

    def copy(self) -> dict[str, Any]:
        """A dict with all values."""
        return dict(self.items())

    def __eq__(self, other: object) -> bool:
        return self.copy() == (other.copy() if isinstance(other, Parts) else other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None

    def __or__(self, other: Mapping[str, Any]) -> dict[str, Any]:  # type: ignore[override]  # typeshed has more of them
        return {**self, **other}

    def __ror__(self, other: Mapping[str, Any]) -> dict[str, Any]:  # type: ignore[override]  # as above
        return {**other, **self}

    def __repr__(self) -> str:
        return f"<{len(self)} parts at #{self._pointer}>"

    def __reduce__(self) -> tuple[type, tuple[dict[str, Any]]]:
        return dict, (self.copy(),)

    def _below(self, key: str) -> str:
        return f"{self._pointer}/{escape(key)}"

    def _read_all(self) -> None:
        for key in self:
            self[key]


class LateParts(Parts):
    """Parts of a long table, whose names come late too."""

    __slots__ = ("_entries", "_lock", "_read", "_tables", "_text")

    def __init__(self, text: bytes, pointer: str, tree: Tables) -> None:
        """Take the table: a line for each part, with a line end before all of them."""
        super().__init__({}, pointer, tree)
        # What looks into a dict without asking it must not take this one for empty.
        dict.__setitem__(self, _UNREAD, None)
        self._tables = tree
        self._text = text
        self._lock = Lock()
        self._entries: dict[str, Any] = {}
        self._read: dict[str, Any] = {}

    def __getitem__(self, key: str) -> Any:
        entry = self._entry(key)
        if entry is MISSING:
            return super().__getitem__(key)
        found = self._read.get(key, _UNREAD)
        return found if found is not _UNREAD else self._first(key, self._tree.value(entry, self._below(key)))

    def __contains__(self, key: object) -> bool:
        return self._entry(key) is not MISSING or super().__contains__(key)

    def _entry(self, key: object) -> Any:
        """The entry of a part as long as there are no names; MISSING: there are, by now."""
        text = self._text
        if not text:
            return MISSING
        if key in self._entries:
            return self._entries[key]
        for needle in spelled("\n[{},", key) if isinstance(key, str) else ():
            if (at := text.find(needle)) >= 0:
                try:
                    name, entry = decoded(text[at + 1 : text.find(b"\n", at + 1)])
                except (DamagedError, TypeError, ValueError):
                    break
                self._entries[name] = entry
                return entry
        self._name_all()
        return MISSING

    def _first(self, key: str, value: Any) -> Any:
        with self._lock:
            return self._read.setdefault(key, value) if self._text else super()._first(key, value)

    def _name_all(self) -> None:
        with self._lock:
            if self._text:
                self._table = self._tables.table(self._text, self._pointer)
                dict.update(self, dict.fromkeys(self._table, _UNREAD))
                dict.update(self, self._read)
                dict.pop(self, _UNREAD)
                # Last, since who sees that there is no text takes all names to be there.
                self._text = b""

    def __bool__(self) -> bool:
        return bool(self._text) or len(self) > 0

    def __len__(self) -> int:
        self._name_all()
        return super().__len__()

    def __iter__(self) -> Iterator[str]:
        self._name_all()
        return super().__iter__()

    def __reversed__(self) -> Iterator[str]:
        self._name_all()
        return super().__reversed__()

    def keys(self) -> KeysView[str]:  # type: ignore[override]  # typeshed's own view can't be named
        """All names."""
        self._name_all()
        return super().keys()


def broken(parts: Parts) -> Iterator[DocumentError]:
    """What is wrong with the parts of a tree, one error for each that can't be decoded."""
    for key in parts:
        value, error = _tried(parts, key)
        if error is not None:
            yield error
        elif isinstance(value, Parts):
            yield from broken(value)


def _tried(parts: Parts, key: str) -> tuple[Any, DocumentError | None]:
    from dynclient.exceptions import DocumentError

    try:
        return parts[key], None
    except DocumentError as error:
        return None, error
