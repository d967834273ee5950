"""The slices of a compiled form, and the tree of a file that they make.

Rule 1: every slice has a checksum, and where it does not hold, the part is had from the document itself. Where that is
gone, an error says so: nothing is ever guessed.
Rule 2: bytes are read, not mapped: a file that is cut while it is in use gives a short read, where memory that was
mapped from it would end the process.
"""

from __future__ import annotations

import os
import weakref
import zlib
from collections.abc import Callable, Iterable, Mapping
from threading import Lock
from typing import TYPE_CHECKING, Any

from dynclient._document.decoding import DamagedError, decoded, decoded_lines
from dynclient._document.parts import LateParts, Parts
from dynclient._document.strict import strict
from dynclient.json_pointer import MISSING, split, walk

if TYPE_CHECKING:  # whoever asks for a listing alone has no limits but the usual ones
    from dynclient.options import Limits

_UNREAD = object()
_SLICE = 3
_TABLE = 4
_LONG = 4_096
"""Bytes of a table that is not decoded before it has to be."""
_DEEPEST = 2
"""Tables stand at the root, in its sections, and in the sections of ``components``: no pointer is longer."""


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


class Tree:
    """The tree of one file in a compiled form; ``again`` has it from the file itself, or raises a DocumentError.

    Where nobody has looked at its slices before, they are held to ``limits``; ``name`` is what a person calls the
    file, in errors, and ``start`` where its text begins.
    """

    cut = None

    def __init__(
        self, data: Bytes, again: Callable[[], Any], name: str = "", limits: Limits | None = None, start: int = 0
    ) -> None:
        """Take the bytes with all slices."""
        self._bytes = data
        self._again = again
        self._name = name
        self._limits = limits
        self._start = start
        self._whole: Any = _UNREAD
        self._lock = Lock()

    def value(self, entry: Any, pointer: str) -> Any:
        """What stands at a pointer, by its entry in a table: ``[value]``, a slice, or the slice of another table.

        Raises:
            DocumentError: it is damaged, and the document it was made from is not there any more; or nobody has looked
                at it before, and it can't be read.
        """
        try:
            return self._value(entry, pointer)
        except DamagedError:
            return self._recovered(pointer)

    def glimpse(self, pointer: str, table: Mapping[str, Any], words: Iterable[str]) -> dict[str, Any] | None:  # noqa: ARG002  # it is a text's
        """Of the members of a table, their members, and of these what the words name, as where the text was cut.

        None where that can't be had, or where the slices were looked at, and so are decoded as a whole.
        """
        if self._limits is None:
            return None
        from dynclient._document.cutting import glimpses

        slices = {key: entry for key, entry in table.items() if type(entry) is list and len(entry) == _SLICE}
        short = {key: entry[0] for key, entry in table.items() if type(entry) is list and len(entry) == 1}
        try:
            found = list(glimpses(map(self._bytes.slice, slices.values()), words))
        except DamagedError:
            return None
        is_all = len(found) == len(slices) and len(slices) + len(short) == len(table)
        return {**short, **dict(zip(slices, found, strict=True))} if is_all else None

    def _value(self, entry: Any, pointer: str) -> Any:
        if type(entry) is list and len(entry) == 1:
            return entry[0]
        data = self._bytes.slice(entry)
        if len(entry) < _TABLE:
            return decoded(data) if self._limits is None else self._unchecked(data, entry[0], pointer, self._limits)
        if pointer.count("/") > _DEEPEST:
            raise DamagedError
        return Parts(self._entries(data), pointer, self) if len(data) < _LONG else LateParts(data, pointer, self)

    def _unchecked(self, data: bytes, offset: int, pointer: str, limits: Limits) -> Any:
        """A part that stands as it was written: what is wrong with it is wrong with the document."""
        try:
            return strict(data, limits.document_depth - pointer.count("/"))
        except (ValueError, RecursionError):
            from dynclient._document.cutting import exactly

            lines = self._bytes.read(self._start, max(offset - self._start, 0)).count(b"\n")
            return exactly(data, pointer, lines, self._name, limits)

    def table(self, text: bytes, pointer: str) -> dict[str, Any]:
        """The entries of a table, by their names.

        Raises:
            DocumentError: it is damaged, and the document it was made from is not there any more.
        """
        try:
            return self._entries(text)
        except DamagedError:
            found = self._recovered(pointer)
            # A part that is no object is another document's.
            return {key: [value] for key, value in (found if isinstance(found, dict) else {}).items()}

    def _entries(self, text: bytes) -> dict[str, Any]:
        if not text.startswith(b"\n"):
            raise DamagedError
        try:
            entries = dict(decoded_lines(text[1:]))
            lengths = sum(each[1] for each in entries.values() if type(each) is list and len(each) >= _SLICE)
        except (TypeError, ValueError) as error:
            raise DamagedError from error
        if lengths > self._bytes.size or not all(type(key) is str for key in entries):
            raise DamagedError
        return entries

    def _recovered(self, pointer: str) -> Any:
        with self._lock:
            if self._whole is _UNREAD:
                self._whole = self._again()
        found, _ = walk(self._whole, split(pointer))
        if found is MISSING:
            from dynclient._document.faults import unreadable

            raise unreadable("its compiled form is not that of the document", "<compiled>", pointer=pointer)
        return found
