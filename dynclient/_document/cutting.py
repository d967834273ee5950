"""Large JSON text cut into parts, each of which is decoded when it is first asked for.

Rule 1: one pass over the whole text holds it to JSON's grammar, and finds the values of its first two or three levels
without making data of them. A walk over the same levels finds where they stand: since it goes from member to member of
the text, it sees a key that is there twice. Where it does, and where anything else is not as expected, the text is not
cut: the exact reader tells what is wrong.
Rule 2: a part is decoded by the same rules as a whole text (:mod:`json_text`), once it is asked for. What is wrong in
it is told then, with its place in the document; the others can be used.
Rule 3: it is cut as the compiled form is: a root's members, those of its sections, those of the sections in
``components``.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cache
from typing import Any, TypedDict

from dynclient._document.charsets import is_utf8
from dynclient._document.parts import Parts, Section
from dynclient._document.strict import STRING, strict
from dynclient._expressions import expression
from dynclient.json_pointer import split, walk
from dynclient.options import Limits

SMALLEST = 1 << 18
"""Bytes of text below which a whole parse takes no time that anybody would notice."""
_SMALL = 1 << 20
"""Bytes of text that are read as a whole while msgspec is loaded."""
NESTED = "components"
"""The one member of a root whose members are sections themselves."""
_SPACE = rb"[ \t\r\n]*"
_KEY = expression(_SPACE + b",?" + _SPACE + STRING + _SPACE + b":" + _SPACE, re.DOTALL)
_NEXT = expression(_SPACE + b",?" + _SPACE)
_SCALAR = expression(STRING + rb'|[^\s,\[\]{}"]+', re.DOTALL)
_SCALARS = frozenset({str, int, float, bool, type(None)})


# OpenAPI 2.0 has no `components`. Where these words do not stand in the beginning, a level more is looked at.
_OLD, _SHORT = b'"swagger"', 1_000


class _UnexpectedError(Exception):
    """The walk does not find what the parser has found."""


def cut(text: bytes, name: str, limits: Limits) -> Parts | None:
    """Cut UTF-8 JSON text, whose root is an object; None where it has to be read as a whole.

    ``name`` is what a person calls the document, in errors.
    """
    if len(text) < SMALLEST or (len(text) < _SMALL and "msgspec" not in sys.modules):
        return None
    try:
        import msgspec
    except ImportError:
        return None
    try:
        root = _Walk(text).section(0, _decoder(levels=2 if _OLD in text[:_SHORT] else 3).decode(text), 1)
    except (msgspec.MsgspecError, ValueError, RecursionError, _UnexpectedError):
        return None
    return Parts(root.members, "", Text(text, name, limits, root)) if is_utf8(text) else None


@cache
def _decoder(*, levels: int) -> Any:
    """What finds the values of so many levels, and makes data of nothing below them or in arrays."""
    from msgspec import Raw
    from msgspec.json import Decoder

    found: Any = Raw
    for _ in range(levels - 1):
        found = dict[str, found] | list[Raw] | str | int | float | bool | None
    return Decoder(dict[str, found])


class _Walk:
    """Goes through JSON text from member to member, beside what a parser has found there.

    Of equal keys the parser keeps the last value in the place of the first. Either that is another text than what
    stands in that place, or in the end the text has a member too many.

    Raises:
        _UnexpectedError: what was found is not what is there.
    """

    def __init__(self, text: bytes) -> None:
        self._text = text

    def section(self, start: int, found: Mapping[str, Any], levels: int) -> Section:
        """The places of an object's members; the objects among them are sections too, ``levels`` deep."""
        members: dict[str, Any] = {}
        place = self._after(b"{", start)
        for key, value in found.items():
            begin = self._match(_KEY, place)
            if type(value) is dict and levels:
                members[key] = section = self.section(begin, value, levels - (key != NESTED))
                place = section.end
            elif type(value) is dict:
                place = self._passed(begin, value)
                members[key] = (begin, place)
            elif type(value) is list:
                place = self._elements(begin, value)
                members[key] = (begin, place)
            elif type(value) in _SCALARS:
                place = self._match(_SCALAR, begin)
                members[key] = [value]
            else:
                place = self._same(begin, value)
                members[key] = (begin, place)
        return Section(start, self._after(b"}", place), members)

    def _passed(self, start: int, found: Mapping[str, Any]) -> int:
        """Where an object ends of whose members only the text was found."""
        text, key_at = self._text, _KEY.match
        place = self._after(b"{", start)
        for value in found.values():
            name = key_at(text, place)
            if name is None or not text.startswith(value, begin := name.end()):
                raise _UnexpectedError
            place = begin + len(value)
        return self._after(b"}", place)

    def _elements(self, start: int, found: Iterable[Any]) -> int:
        place = self._after(b"[", start)
        for value in found:
            place = self._same(self._match(_NEXT, place), value)
        return self._after(b"]", place)

    def _same(self, start: int, value: Any) -> int:
        if not self._text.startswith(value, start):
            raise _UnexpectedError
        return start + len(value)

    def _after(self, bracket: bytes, place: int) -> int:
        return self._same(self._match(_NEXT, place), bracket)

    def _match(self, what: re.Pattern[bytes], place: int) -> int:
        found = what.match(self._text, place)
        if found is None:
            raise _UnexpectedError
        return found.end()


class Text:
    """What decodes the parts of a text that was cut."""

    def __init__(self, text: bytes, name: str, limits: Limits, root: Section) -> None:
        """Take UTF-8 text, and the places in it."""
        self._text = text
        self._root = root
        self._name = name
        self._limits = limits

    @property
    def cut(self) -> tuple[bytes, Section]:
        """The text, and its root."""
        return self._text, self._root

    def value(self, entry: Any, pointer: str) -> Any:
        """What stands at a pointer, by its entry in a Section.

        Raises:
            UnreadableDocument: it has a key twice, or a number that is none.
            UnsafeDocument: it nests too deep.
        """
        if isinstance(entry, Section):
            return Parts(entry.members, pointer, self)
        if len(entry) == 1:
            return entry[0]
        try:
            return strict(self._text[slice(*entry)], self._limits.document_depth - pointer.count("/"))
        except (ValueError, RecursionError):
            return self._exactly(entry, pointer)

    def _exactly(self, entry: tuple[int, int], pointer: str) -> Any:
        start, end = entry
        return exactly(self._text[start:end], pointer, self._text.count(b"\n", 0, start), self._name, self._limits)

    def glimpse(self, pointer: str, table: Mapping[str, Any], words: Iterable[str]) -> dict[str, Any] | None:  # noqa: ARG002  # they stand in one piece
        """Of the members of a section at the root, their members, and of these what the words name; as they stand.

        What is left out is not looked at. None where that can't be had.
        """
        section = self._root.members.get(pointer[1:])
        if not isinstance(section, Section):
            return None
        text = memoryview(self._text)[section.start : section.end]
        return next(glimpses([text], words, section=True), None)


def exactly(part: bytes, pointer: str, lines: int, name: str, limits: Limits) -> Any:
    """Read a part by the exact reader, as a document that has nothing but this part, after so many lines.

    Raises:
        DocumentError: what is wrong with it.
    """
    from dynclient._document.json_text import read

    keys = split(pointer)
    opened = "".join(f"{{{json.dumps(key)}:" for key in keys).encode()
    alone = b"\n" * lines + opened + part + b"}" * len(keys)
    return walk(read(alone, name, limits), keys)[0]


def glimpses(texts: Iterable[bytes | memoryview], words: Iterable[str], *, section: bool = False) -> Iterator[Any]:
    """Of the members of each text, what the words name; with ``section``, of the members of its members.

    It ends before what can't be decoded.
    """
    try:
        import msgspec
    except ImportError:
        return
    decoder = _glimpses(frozenset(words), section=section)
    with suppress(msgspec.MsgspecError, ValueError, RecursionError):
        for text in texts:
            yield decoder.decode(text)


@cache
def _glimpses(words: frozenset[str], *, section: bool) -> Any:
    import msgspec

    scalar = str | int | float | bool | None
    known = TypedDict("known", dict.fromkeys(words, Any), total=False)  # type: ignore[misc]  # they are the caller's
    member: Any = dict[str, known | list[msgspec.Raw] | scalar] | list[msgspec.Raw] | scalar
    return msgspec.json.Decoder(dict[str, member] if section else member)
