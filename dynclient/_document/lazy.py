"""Parts of a document that are decoded at their first use.

A table describes an object: it has the name of each member, and an entry that says where the value is. An entry is

* ``[value]``: a short value;
* ``[offset, length, CRC-32]``: the value's JSON text. The checksum is None for text that is held in memory;
* ``[offset, length, CRC-32, 1]``: the table, in JSON, of an object whose members are decoded one by one;
* a dict: the same table of text that is held in memory.

Rule 1: a part with a wrong checksum is read from the document itself, or is an error if that is gone.
Rule 2: bytes are read, not mapped: if the file is truncated while it is in use, a read is short, where access to mapped
memory would end the process.
"""

from __future__ import annotations

import json
import os
import weakref
import zlib
from collections.abc import Callable, Iterator, Mapping
from threading import Lock
from typing import TYPE_CHECKING, Any

from dynclient._escaping import one_line
from dynclient.json_pointer import MISSING, escape, split, walk

if TYPE_CHECKING:  # a warm load needs neither
    from dynclient.exceptions import DocumentError
    from dynclient.options import Limits

Table = dict[str, Any]
"""The entries of an object's members, by name."""

_UNREAD = object()
_SLICE, _TABLE = 3, 4
_DEEPEST = 2
"""Tables are at the root, in its sections, and in the sections of ``components``: no pointer of one is longer."""


class DamagedError(Exception):
    """Bytes are missing or were changed."""


def decoded(data: bytes) -> Any:
    """Decode JSON that dynclient has written.

    Raises:
        DamagedError: it is not JSON.
    """
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise DamagedError from error


class Bytes:
    """Bytes in memory, or in a file that stays open as long as this object lives."""

    def __init__(self, data: bytes | int) -> None:
        """``data`` is the bytes, or the descriptor of a file."""
        self._data = data
        self._lock = Lock()
        if isinstance(data, int):
            weakref.finalize(self, os.close, data)
            self.size = os.fstat(data).st_size
        else:
            self.size = len(data)

    @property
    def held(self) -> bytes | None:
        """The bytes if they are in memory."""
        return None if isinstance(self._data, int) else self._data

    def read(self, offset: int, length: int) -> bytes:
        """Return the bytes at an offset; fewer where the file ends."""
        if not isinstance(self._data, int):
            return self._data[offset : offset + length]
        if hasattr(os, "pread"):
            return os.pread(self._data, length, offset)
        with self._lock:
            os.lseek(self._data, offset, os.SEEK_SET)
            return os.read(self._data, length)

    def slice(self, entry: Any) -> bytes:
        """Return the bytes that an entry leads to.

        Raises:
            DamagedError: they are missing, or not those that were written.
        """
        if type(entry) is not list or len(entry) < _SLICE:
            raise DamagedError
        offset, length, checksum = entry[:_SLICE]
        if type(offset) is not int or type(length) is not int or min(offset, length) < 0 or offset + length > self.size:
            raise DamagedError
        try:
            data = self.read(offset, length)
        except (OSError, OverflowError) as error:
            raise DamagedError from error
        if len(data) != length or (checksum is not None and zlib.crc32(data) != checksum):
            raise DamagedError
        return data


class LazyMapping(Mapping[str, Any]):
    """A mapping whose names are known and whose values are decoded one by one, each once."""

    __slots__ = ("__weakref__", "_pointer", "_values", "table", "tree")

    def __init__(self, table: Table, pointer: str, tree: LazyTree) -> None:
        """``pointer`` is the JSON pointer of the object that the table describes."""
        self.tree = tree
        self.table = table
        self._pointer = pointer
        self._values: dict[str, Any] = {}

    def __getitem__(self, key: str) -> Any:
        value = self._values.get(key, _UNREAD)
        if value is _UNREAD:
            value = self.tree.value(self.table[key], f"{self._pointer}/{escape(key)}")
            # If two threads have decoded the same part, both return the first one's value.
            value = self._values.setdefault(key, value)
        return value

    def __contains__(self, key: object) -> bool:
        return key in self.table

    def __iter__(self) -> Iterator[str]:
        return iter(self.table)

    def __len__(self) -> int:
        return len(self.table)

    def __repr__(self) -> str:
        return one_line(f"<{len(self)} members at #{self._pointer}>")

    def __reduce__(self) -> tuple[type, tuple[dict[str, Any]]]:
        return dict, (dict(self),)

    def peek(self, key: str, words: frozenset[str]) -> Any:
        """Return a value of which only part may be decoded: of its members, those that ``words`` names.

        Errors in what is left out are not reported, nor are duplicate keys; arrays may lack their elements. Where this
        saves nothing, the whole value is returned.

        Raises:
            DocumentError: the value can't be decoded.
        """
        found = self._values.get(key, _UNREAD)
        if found is _UNREAD:
            found = self.tree.peek(self.table[key], words)
        return self[key] if found is MISSING else found


class LazyTree:
    """Decodes the parts of one file's tree."""

    def __init__(
        self,
        data: Bytes,
        name: str,
        *,
        limits: Limits | None = None,
        start: int = 0,
        recover: Callable[[], Any] | None = None,
    ) -> None:
        """``name`` is the name of the file in errors.

        ``limits`` is None if the parts were validated before they were written; if not, each is validated when it is
        decoded, and ``start`` is the offset of the file's text. ``recover`` reads the tree from the document itself, or
        raises a DocumentError; it is None for text in memory.
        """
        self.bytes = data
        self.is_text = recover is None
        self._name = name
        self._limits = limits
        self._start = start
        self._recover = recover
        self._whole: Any = _UNREAD

    def value(self, entry: Any, pointer: str) -> Any:
        """Return the value of an entry; ``pointer`` is its JSON pointer in the file.

        Raises:
            DocumentError: the text of the part is invalid; or it is damaged, and the document is gone.
        """
        if type(entry) is dict and self.is_text:
            return LazyMapping(entry, pointer, self)
        if type(entry) is list and len(entry) == 1:
            return entry[0]
        try:
            data = self.bytes.slice(entry)
            if len(entry) == _TABLE:
                return self._members(data, pointer)
            return decoded(data) if self._limits is None else self._validated(data, entry[0], pointer, self._limits)
        except DamagedError:
            return self._recovered(pointer)

    def _members(self, data: bytes, pointer: str) -> LazyMapping:
        table = decoded(data)
        if type(table) is not dict or pointer.count("/") > _DEEPEST:
            raise DamagedError
        # Parts that overlap could make far more data than the form is long.
        try:
            total = sum(entry[1] for entry in table.values() if len(entry) >= _SLICE)
        except (TypeError, LookupError) as error:
            raise DamagedError from error
        if total > self.bytes.size:
            raise DamagedError
        return LazyMapping(table, pointer, self)

    def peek(self, entry: Any, words: frozenset[str]) -> Any:
        """Decode part of an object, as :meth:`LazyMapping.peek` says; MISSING where that saves nothing."""
        if self._limits is None or len(entry) != _SLICE:
            return MISSING
        from dynclient._document.json_text import peek

        try:
            return peek(self.bytes.slice(entry), words)
        except DamagedError:
            return MISSING

    def _validated(self, data: bytes, offset: int, pointer: str, limits: Limits) -> Any:
        from dynclient._document.json_text import exactly, strict

        try:
            return strict(data, limits.document_depth - pointer.count("/"))
        except (ValueError, RecursionError):
            lines = self.bytes.read(self._start, max(offset - self._start, 0)).count(b"\n")
            return exactly(data, pointer, lines, self._name, limits)

    def _recovered(self, pointer: str) -> Any:
        from dynclient._document.text import unreadable

        if self._whole is _UNREAD and self._recover is not None:
            self._whole = self._recover()
        found, _ = walk(self._whole, split(pointer))
        if found is MISSING:
            raise unreadable("its compiled form does not belong to the document", "<compiled>", pointer=pointer)
        return found


def broken(parts: LazyMapping) -> Iterator[DocumentError]:
    """Decode all parts; yields the error of each that can't be decoded."""
    from dynclient.exceptions import DocumentError

    for key in parts:
        try:
            value = parts[key]
        except DocumentError as error:
            yield error
            continue
        if isinstance(value, LazyMapping):
            yield from broken(value)
