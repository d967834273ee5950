"""The compiled form of a document: slices of JSON, and an index of them. Data only: reading it can run nothing.

A head names the format. Slices follow: of each section of a file (``paths``, ``components/schemas``, …) its members,
each on its own, and a table with the places of them. Or instead of them stands the text that they are cut from: then
nobody has checked them, and who decodes one does. At the end stand the index, which says what the files are and
where their tables are, and a tail that leads to it.
A place is ``[offset, length, CRC-32]``; a fourth number marks a table: a line for each member, with its name and a
place or, in brackets, a short value.

Rule 1: what is cut short has no tail, and what is damaged has a wrong checksum: it is as if it were not there.
Rule 2: the index only says where to find things. What is found there decides.
"""

from __future__ import annotations

import json
import struct
import sys
import zlib
from collections.abc import Mapping
from typing import Any

from dynclient._document.decoding import DamagedError
from dynclient._document.parts import Parts, Section
from dynclient._document.slices import Bytes
from dynclient._records import Record

NAME = b"\x89dynclient "
"""What a form of any version begins with."""
HEAD = NAME + b"4\r\n\x1a\n"
_TAIL = struct.Struct(">QQI")
_MARK = b"dync"
_INLINE = 200
_FEW = 500
_NESTED = "components"
"""The one member of a root whose members are sections themselves."""


class Described(Record):
    """One file in a compiled form. ``about`` is what else its writer noted; ``entry`` leads to its tree.

    ``checked`` tells whether its slices were read before they were written.
    """

    uri: str
    name: str
    fingerprint: str
    declares: bool
    checked: bool
    entry: Any
    about: Mapping[str, Any]


class Compiled:
    """A compiled form, opened. The first of its ``files`` is the root; ``listing`` is the reader's."""

    def __init__(self, data: Bytes) -> None:
        """Read the index.

        Raises:
            DamagedError: there is none.
        """
        self.bytes = data
        end = data.size - _TAIL.size - len(_MARK)
        head, tail = data.read(0, len(HEAD)), data.read(max(end, 0), _TAIL.size + len(_MARK))
        if end < len(HEAD) or head != HEAD or not tail.endswith(_MARK):
            raise DamagedError
        self.end, length, checksum = _TAIL.unpack(tail[: _TAIL.size])
        self.index = data.decoded([self.end, length, checksum])
        try:
            self.about: dict[str, Any] = dict(self.index["about"])
            self.files = [_described(file) for file in self.index["files"]]
            self._listing = self.index["listing"]
        except (KeyError, TypeError, ValueError) as error:
            raise DamagedError from error
        if not self.files:
            raise DamagedError

    @property
    def listing(self) -> bytes | None:
        """What the reader noted of the operations; None where that is nothing, or can't be read."""
        try:
            return None if self._listing is None else self.bytes.slice(self._listing)
        except DamagedError:
            return None

    def noted(self, listing: bytes | None = None, **about: Any) -> list[bytes]:
        """The same form, with something else noted about it; a new listing takes the place of the one before."""
        index = {**self.index, "about": {**self.about, **about}}
        if listing is None:
            slices = self.bytes.read(0, self.end)
            return [slices, *_ending(len(slices), index)]
        is_last = self.listing is not None and sum(self._listing[:2]) == self.end
        slices = self.bytes.read(0, self._listing[0] if is_last else self.end)
        index["listing"] = [len(slices), len(listing), zlib.crc32(listing)]
        return [slices, listing, *_ending(len(slices) + len(listing), index)]


def _described(file: Mapping[str, Any]) -> Described:
    texts = [file[key] for key in ("uri", "name", "fingerprint")]
    if not all(isinstance(text, str) for text in texts):
        raise TypeError
    uri, name, fingerprint = texts
    declares, checked = bool(file["declares"]), bool(file["checked"])
    return Described(uri, name, fingerprint, declares, checked, file["entry"], dict(file["about"]))


def opened(data: Bytes) -> Compiled | None:
    """Open a compiled form; None where it is none, is damaged, or of another version."""
    try:
        return Compiled(data)
    except (DamagedError, OSError, struct.error):
        return None


class Writer:
    """Makes a compiled form of files that were read.

    Of text that was cut the parts are read and written anew, or, with ``as_cut``, the text is written as it is.
    ``short`` tells that the files are: see :func:`encoded`.
    """

    def __init__(self, *, as_cut: bool = False, short: bool = False) -> None:
        self._as_cut = as_cut
        self._short = short
        self.chunks: list[bytes] = [HEAD]
        self.size = len(HEAD)
        self._files: list[dict[str, Any]] = []

    def add(self, uri: str, name: str, fingerprint: str, tree: Any, *, declares: bool, **about: Any) -> None:
        """Add a file; the first one is the root."""
        cut = tree.decoder.cut if self._as_cut and isinstance(tree, Parts) else None
        checked, entry = (True, self._tree(tree)) if cut is None else (False, self._cut(*cut))
        values = {"uri": uri, "name": name, "fingerprint": fingerprint, "declares": declares, "checked": checked}
        self._files.append({**values, "entry": entry, "about": about})

    def finished(self, listing: bytes | None, **about: Any) -> list[bytes]:
        """All bytes, in pieces."""
        place = None if listing is None else self._put(listing)
        index = {"about": about, "files": self._files, "listing": place}
        return [*self.chunks, *_ending(self.size, index, short=self._short)]

    def _tree(self, root: Any) -> Any:
        if not isinstance(root, dict):
            return self._leaf(root)
        return self._table(
            {
                key: self._sections(value) if key == _NESTED else self._section(value)
                for key, value in _members(root).items()
            }
        )

    def _sections(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return self._leaf(value)
        return self._table({key: self._section(below) for key, below in _members(value).items()})

    def _section(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return self._leaf(value)
        return self._table({key: self._leaf(below) for key, below in _members(value).items()})

    def _cut(self, text: bytes, root: Section) -> Any:
        """The text in one piece, and tables of the places in it."""
        base, view = self.size, memoryview(text)
        self.chunks.append(text)
        self.size += len(text)

        def table(section: Section) -> Any:
            entries = {}
            for key, member in section.members.items():
                if type(member) is tuple:
                    start, end = member
                    entries[key] = [base + start, end - start, zlib.crc32(view[start:end])]
                else:
                    entries[key] = table(member) if isinstance(member, Section) else self._leaf(member[0])
            return self._table(entries)

        return table(root)

    def _table(self, entries: dict[str, Any]) -> Any:
        return [*self._put(b"\n" + encoded_lines([*entries.items()])), 1]

    def _leaf(self, value: Any) -> Any:
        data = encoded(value, short=self._short)
        return [value] if len(data) < _INLINE else self._put(data)

    def _put(self, data: bytes) -> list[int]:
        place = [self.size, len(data), zlib.crc32(data)]
        self.chunks.append(data)
        self.size += len(data)
        return place


def _members(value: dict[str, Any]) -> dict[str, Any]:
    return value.copy() if isinstance(value, Parts) else value


def _ending(size: int, index: Any, *, short: bool = True) -> list[bytes]:
    data = encoded(index, short=short)
    return [data, _TAIL.pack(size, len(data), zlib.crc32(data)), _MARK]


def encoded(value: Any, *, short: bool = False) -> bytes:
    """Plain data as JSON, exactly: where the fast encoder can't, the standard one can.

    What is ``short`` is written in less time than the fast one takes to load.
    """
    if short and "msgspec" not in sys.modules:
        return _standard(value)
    try:
        import msgspec
    except ImportError:
        return _standard(value)
    try:
        return msgspec.json.encode(value)
    except (msgspec.MsgspecError, ValueError, TypeError, OverflowError, RecursionError):
        return _standard(value)


def encoded_lines(values: list[Any]) -> bytes:
    """The same of each of some values, with a line end after each: there is none within."""
    if len(values) < _FEW and "msgspec" not in sys.modules:
        return _standard_lines(values)
    try:
        import msgspec
    except ImportError:
        return _standard_lines(values)
    try:
        return msgspec.json.Encoder().encode_lines(values)
    except (msgspec.MsgspecError, ValueError, TypeError, OverflowError, RecursionError):
        return _standard_lines(values)


def _standard_lines(values: list[Any]) -> bytes:
    return b"".join(b"%b\n" % _standard(value) for value in values)


def _standard(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode("ascii")
