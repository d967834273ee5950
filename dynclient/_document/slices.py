"""Parts of a document that are decoded when they are first asked for.

Rule 1: to whoever walks a document, :class:`Parts` is a dict like any other; only its values come late.
Rule 2: every slice has a checksum, and where it does not hold, the part is had from the document itself. Where that is
gone, an error says so: nothing is ever guessed.
Rule 3: bytes are read, not mapped: a file that is cut while it is in use gives a short read, where memory that was
mapped from it would end the process.
"""

from __future__ import annotations

import json
import os
import sys
import weakref
import zlib
from collections.abc import Callable, ItemsView, Iterable, Iterator, Mapping, ValuesView
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol

from dynclient._document.pointers import MISSING, escaped, split, walk
from dynclient._document.strict import strict
from dynclient._records import Record

if TYPE_CHECKING:  # a warm load needs none
    from dynclient.exceptions import DocumentError

_UNREAD = object()
_SLICE = 3
_TABLE = 4
_SHORT = 1 << 20
_DEEPEST = 2
"""Tables stand at the root, in its sections, and in the sections of ``components``: no pointer is longer."""


class DamagedError(Exception):
    """What was read is not what was written."""


class Bytes:
    """A compiled form in memory, or in a file that stays open as long as this lives."""

    def __init__(self, data: bytes | int) -> None:
        """Take the bytes, or the descriptor of a file."""
        self._data = data
        self._lock = Lock()
        if isinstance(data, int):
            weakref.finalize(self, os.close, data)
            self.size = os.fstat(data).st_size
        else:
            self.size = len(data)

    def read(self, offset: int, length: int) -> bytes:
        """The bytes at an offset; fewer where the file ends."""
        if not isinstance(self._data, int):
            return self._data[offset : offset + length]
        if hasattr(os, "pread"):
            return os.pread(self._data, length, offset)
        with self._lock:
            os.lseek(self._data, offset, os.SEEK_SET)
            return os.read(self._data, length)

    def slice(self, place: Any) -> bytes:
        """The bytes of a slice, given its offset, length and checksum.

        Raises:
            DamagedError: they are not there, or not what was written.
        """
        if type(place) is not list or len(place) < _SLICE or not all(type(n) is int and n >= 0 for n in place):
            raise DamagedError
        offset, length, checksum = place[:_SLICE]
        if offset + length > self.size:
            raise DamagedError
        try:
            data = self.read(offset, length)
        except (OSError, OverflowError) as error:
            raise DamagedError from error
        if len(data) != length or zlib.crc32(data) != checksum:
            raise DamagedError
        return data

    def decoded(self, place: Any) -> Any:
        """The data of a slice.

        Raises:
            DamagedError: it is none.
        """
        return decoded(self.slice(place))


def decoded(data: bytes) -> Any:
    """JSON as data, by the fast decoder where it is installed, and saves more time than it takes to load.

    Raises:
        DamagedError: it is no JSON.
    """
    try:
        if len(data) < _SHORT and "msgspec" not in sys.modules:
            return json.loads(data)
        try:
            import msgspec
        except ImportError:
            return json.loads(data)
        try:
            return msgspec.json.decode(data)
        except (msgspec.MsgspecError, ValueError):
            # It takes no lone surrogates, which JSON may have.
            return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise DamagedError from error


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

    def glimpse(self, pointer: str, words: Iterable[str]) -> dict[str, Any] | None:
        """What :meth:`Parts.glimpse` gives."""


class Tree:
    """The tree of one file in a compiled form; ``again`` has it from the file itself, or raises a DocumentError.

    ``depth`` is how deep it may nest, where nobody has looked at its slices before.
    """

    cut = None

    def __init__(self, data: Bytes, again: Callable[[], Any], depth: int | None = None) -> None:
        """Take the bytes with all slices."""
        self._bytes = data
        self._again = again
        self._depth = depth
        self._whole: Any = _UNREAD
        self._lock = Lock()

    def value(self, entry: Any, pointer: str) -> Any:
        """What stands at a pointer, by its entry in a table: ``[value]``, a slice, or the slice of another table.

        Raises:
            DocumentError: it is damaged, and the document it was made from is not there any more.
        """
        try:
            return self._value(entry, pointer)
        except DamagedError:
            return self._recovered(pointer)

    def glimpse(self, pointer: str, words: Iterable[str]) -> None:  # another tree has them
        """Nothing: slices are decoded as a whole."""

    def _value(self, entry: Any, pointer: str) -> Any:
        if type(entry) is list and len(entry) == 1:
            return entry[0]
        if type(entry) is list and len(entry) == _SLICE and self._depth is not None:
            try:
                return strict(self._bytes.slice(entry), self._depth - pointer.count("/"))
            except (ValueError, RecursionError) as error:
                raise DamagedError from error
        node = self._bytes.decoded(entry)
        if len(entry) < _TABLE:
            return node
        if type(node) is not dict or pointer.count("/") > _DEEPEST:
            raise DamagedError
        lengths = sum(each[1] for each in node.values() if type(each) is list and len(each) >= _SLICE)
        if lengths > self._bytes.size:
            raise DamagedError
        return Parts(node, pointer, self)

    def _recovered(self, pointer: str) -> Any:
        with self._lock:
            if self._whole is _UNREAD:
                self._whole = self._again()
        found, _ = walk(self._whole, split(pointer))
        if found is MISSING:
            from dynclient._document.faults import unreadable

            raise unreadable("its compiled form is not that of the document", "<compiled>", pointer=pointer)
        return found


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
        return self._tree.glimpse(self._pointer, words)

    def __getitem__(self, key: str) -> Any:
        value = super().__getitem__(key)
        if value is _UNREAD:
            value = self._tree.value(self._table[key], f"{self._pointer}/{escaped(key)}")
            # Of two threads that read the same part, the first one's is everybody's.
            first = super().__getitem__(key)
            if first is not _UNREAD:
                return first
            super().__setitem__(key, value)
        return value

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

    def _read_all(self) -> None:
        for key in self:
            self[key]


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
