"""The compiled form of a document, whose parts are decoded at their first use.

It is only data: reading it runs no code. The file consists of a head that names the format, the text of the parts with
their tables in JSON, the index in JSON, and a tail that points to the index. The index has notes on the whole form
(``about``), for each file its name and the place of its table, and the place of the list of operations. The parts are
either encoded from a tree that was read, or are the file's own text, which was not validated: a part of it is validated
when it is decoded.

A table describes an object: it has the name of each member, and an entry that says where the value is. An entry is

* ``[value]``: a short value;
* ``[offset, length, CRC-32]``: the value's JSON text. The checksum is None for text that is held in memory;
* ``[offset, length, CRC-32, 1]``: the table, in JSON, of an object whose members are decoded one by one;
* a dict: the same table of text that is held in memory.

Rule 1: a truncated file has no tail, and a damaged one a wrong checksum: both count as no compiled form.
Rule 2: the index only has positions; the values there are validated.
Rule 3: a part with a wrong checksum is read from the document itself; if that is gone, it is an error.
Rule 4: bytes are read, not memory-mapped: if the file is truncated while it is in use, a read returns too little,
whereas access to mapped memory would end the process.
"""

from __future__ import annotations

import json
import os
import struct
import weakref
import zlib
from collections.abc import Callable, Iterator, Mapping
from threading import Lock
from typing import TYPE_CHECKING, Any

from dynclient._escaping import one_line
from dynclient._records import Record
from dynclient.json_pointer import MISSING, escape, split, walk

if TYPE_CHECKING:
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

    def peek(self, words: frozenset[str]) -> Mapping[str, Any]:
        """Return all members, but of the members of their members only those that ``words`` names.

        Errors in the parts left out are not reported, nor are duplicate keys; arrays may lack their elements. The
        result is empty if this saves nothing.
        """
        return self.tree.peek(self.table, words)


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
        # Overlapping parts could produce far more data than the form's length.
        try:
            total = sum(entry[1] for entry in table.values() if len(entry) >= _SLICE)
        except (TypeError, LookupError) as error:
            raise DamagedError from error
        if total > self.bytes.size:
            raise DamagedError
        return LazyMapping(table, pointer, self)

    def peek(self, table: Table, words: frozenset[str]) -> Mapping[str, Any]:
        """Decode part of the members of a table, as :meth:`LazyMapping.peek` says."""
        entries = list(table.values())
        if self._limits is None or any(type(entry) is not list or len(entry) != _SLICE for entry in entries):
            return {}
        from dynclient._document.json_text import peek

        try:
            if self.bytes.held is None:
                list(map(self.bytes.slice, entries))
            (start, _, _), (last, length, _) = entries[0], entries[-1]
            return peek(
                self.bytes.held or self.bytes.read(0, self.bytes.size), start, last + length, list(table), words
            )
        except (DamagedError, LookupError, TypeError):
            return {}

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


NAME = b"\x89dynclient "
"""The first bytes of a compiled form of any version."""
HEAD = NAME + b"5\r\n\x1a\n"
NESTED = "components"
"""The member of a root whose members are divided too."""

_TAIL = struct.Struct(">QQI")
_MARK = b"dync"
_INLINE = 200
"""Values with fewer bytes of JSON are in the table itself."""


class CompiledFile(Record):
    """One file in a compiled form.

    ``validated``: its parts were validated before they were written; ``about`` has further notes.
    """

    uri: str
    name: str
    fingerprint: str
    declares: bool
    validated: bool
    entry: Any
    about: Mapping[str, Any]


class Compiled:
    """A compiled form, opened. The first of its ``files`` is the root."""

    def __init__(self, data: Bytes) -> None:
        """Read the index.

        Raises:
            DamagedError: there is no valid index.
        """
        self.bytes = data
        end = data.size - _TAIL.size - len(_MARK)
        head, tail = data.read(0, len(HEAD)), data.read(max(end, 0), _TAIL.size + len(_MARK))
        if end < len(HEAD) or head != HEAD or not tail.endswith(_MARK):
            raise DamagedError
        self.end, length, checksum = _TAIL.unpack(tail[: _TAIL.size])
        self.index = decoded(data.slice([self.end, length, checksum]))
        try:
            self.about: dict[str, Any] = dict(self.index["about"])
            self.files = [_file(file) for file in self.index["files"]]
            self._listing = self.index["listing"]
        except (KeyError, TypeError, ValueError) as error:
            raise DamagedError from error
        if not self.files:
            raise DamagedError

    @property
    def listing(self) -> bytes | None:
        """The list of operations that a reader has noted; None if there is none, or if it is damaged."""
        try:
            return None if self._listing is None else self.bytes.slice(self._listing)
        except DamagedError:
            return None

    def noted(self, listing: bytes | None = None, **about: Any) -> list[bytes]:
        """Return the bytes of this form with other notes; a new listing replaces the old one."""
        index = {**self.index, "about": {**self.about, **about}}
        if listing is None:
            slices = self.bytes.read(0, self.end)
            return [slices, *_ending(len(slices), index)]
        is_last = self.listing is not None and sum(self._listing[:2]) == self.end
        slices = self.bytes.read(0, self._listing[0] if is_last else self.end)
        index["listing"] = [len(slices), len(listing), zlib.crc32(listing)]
        return [slices, listing, *_ending(len(slices) + len(listing), index)]


def _file(file: Mapping[str, Any]) -> CompiledFile:
    texts = [file[key] for key in ("uri", "name", "fingerprint")]
    if not all(isinstance(text, str) for text in texts):
        raise TypeError
    uri, name, fingerprint = texts
    declares, validated = bool(file["declares"]), bool(file["validated"])
    return CompiledFile(uri, name, fingerprint, declares, validated, file["entry"], dict(file["about"]))


def opened(data: Bytes) -> Compiled | None:
    """Open a compiled form; None if it is not one, is damaged, or is of another version."""
    try:
        return Compiled(data)
    except (DamagedError, OSError, struct.error):
        return None


class Writer:
    """Makes a compiled form of files that were read."""

    def __init__(self, *, as_text: bool = False) -> None:
        """With ``as_text``, text that was divided is written as it is; else its parts are decoded and encoded."""
        self._as_text = as_text
        self._chunks: list[bytes] = [HEAD]
        self._size = len(HEAD)
        self._files: list[dict[str, Any]] = []

    def add(self, uri: str, name: str, fingerprint: str, tree: Any, *, declares: bool, **about: Any) -> None:
        """Add a file; the first one is the root."""
        text = tree.tree.bytes.held if self._as_text and isinstance(tree, LazyMapping) and tree.tree.is_text else None
        if text is not None:
            entry = self._shifted(tree.table, text)
        elif isinstance(tree, Mapping):
            entry = self._table({key: self._divided(value, 2 if key == NESTED else 1) for key, value in tree.items()})
        else:
            entry = self._divided(tree, 0)
        values = {"uri": uri, "name": name, "fingerprint": fingerprint, "declares": declares}
        self._files.append({**values, "validated": text is None, "entry": entry, "about": about})

    def finished(self, listing: bytes | None, **about: Any) -> list[bytes]:
        """Return all bytes, in chunks."""
        location = None if listing is None else self.put(listing)
        index = {"about": about, "files": self._files, "listing": location}
        return [*self._chunks, *_ending(self._size, index)]

    def _divided(self, value: Any, levels: int) -> Any:
        if levels and isinstance(value, Mapping):
            return self._table({key: self._divided(below, levels - 1) for key, below in value.items()})
        data = encoded(value)
        return [value] if len(data) < _INLINE else self.put(data)

    def _shifted(self, table: Table, text: bytes) -> list[int]:
        """Write text as it is, and its tables with the offsets that the parts have in this form."""
        base, view = self._size, memoryview(text)
        self._chunks.append(text)
        self._size += len(text)

        def shifted(entry: Any) -> Any:
            if type(entry) is dict:
                return self._table({key: shifted(below) for key, below in entry.items()})
            if len(entry) == 1:
                return entry
            start, length, _ = entry
            return [base + start, length, zlib.crc32(view[start : start + length])]

        return self._table({key: shifted(entry) for key, entry in table.items()})

    def _table(self, entries: Table) -> list[int]:
        return [*self.put(encoded(entries)), 1]

    def put(self, data: bytes) -> list[int]:
        """Write bytes; returns the entry that leads to them."""
        entry = [self._size, len(data), zlib.crc32(data)]
        self._chunks.append(data)
        self._size += len(data)
        return entry


def _ending(size: int, index: Any) -> list[bytes]:
    data = encoded(index)
    return [data, _TAIL.pack(size, len(data), zlib.crc32(data)), _MARK]


def encoded(value: Any) -> bytes:
    """Encode plain data as JSON."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False, default=dict).encode("ascii")
