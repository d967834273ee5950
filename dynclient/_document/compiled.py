"""The compiled form of a document: its parts as JSON, with an index. It is only data: reading it runs no code.

On disk: a head that names the format; the text of the parts, and tables of them in JSON (see :mod:`lazy`); the index in
JSON; a tail that leads to the index. The index has notes on the whole form (``about``), for each file its name and the
place of its table, and the place of the list of operations. The parts are either encoded from a tree that was read, or
are the file's own text, which was not validated: a part of it is validated when it is decoded.

Rule 1: a truncated file has no tail, and a damaged one a wrong checksum: both count as no compiled form.
Rule 2: the index only gives positions. The values there are validated.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping
from typing import Any

from dynclient._document.lazy import Bytes, DamagedError, LazyMapping, Table, decoded
from dynclient._records import Record

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
