"""Where the parts of a large JSON text are, so that each is decoded when it is first used.

Rule 1: one pass by msgspec validates the grammar of the whole text, and finds the values of its first levels without
making data of them. A walk over these levels finds their offsets. Since it goes from member to member, it sees
duplicate keys. If it does, or anything else is unexpected, the text is not divided: the exact reader reports the error.
Rule 2: a part is decoded by the same rules as a whole text (:mod:`json_text`), when it is used. Errors in it are
reported then, with their location; the other parts can be used.
Rule 3: a text is divided as the compiled form is: into the members of its sections, and of those in ``components``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Any

from dynclient._deferred import expression
from dynclient._document.compiled import NESTED
from dynclient._document.json_text import STRING
from dynclient._document.lazy import Bytes, LazyMapping, LazyTree, Table
from dynclient._document.text import is_utf8
from dynclient.options import Limits

SMALLEST = 1 << 20
"""Bytes of text below which to load msgspec takes longer than to decode the text as a whole."""

_SPACE = rb"[ \t\r\n]*"
_COMMA = rb"[ \t\r\n]*(?:,[ \t\r\n]*)?"
_KEY = expression(_COMMA + STRING + _SPACE + b":" + _SPACE, re.DOTALL)
_NEXT = expression(_COMMA)
_SCALAR = expression(STRING + rb'|[^\s,\[\]{}"]+', re.DOTALL)
_SCALARS = frozenset({str, int, float, bool, type(None)})
# OpenAPI 2.0 has no `components`. If this word is not in the beginning, one more level is looked at.
_OLD, _BEGINNING = b'"swagger"', 1_000


class _UnexpectedError(Exception):
    """The walk does not find what the parser has found."""


def divided(text: bytes, name: str, limits: Limits) -> LazyMapping | None:
    """Divide UTF-8 JSON text whose root is an object; None if it has to be decoded as a whole.

    ``name`` is what errors call the document.
    """
    if len(text) < SMALLEST:
        return None
    try:
        import msgspec
    except ImportError:
        return None
    try:
        found = _decoder(levels=2 if _OLD in text[:_BEGINNING] else 3).decode(text)
        table = _Walk(text).root(found)
    except (msgspec.MsgspecError, ValueError, RecursionError, _UnexpectedError):
        return None
    if not is_utf8(text):
        return None
    return LazyMapping(table, "", LazyTree(Bytes(text), name, limits=limits))


@cache
def _decoder(*, levels: int) -> Any:
    """Return a decoder of this many levels of objects; values below them, and in arrays, stay text."""
    from msgspec import Raw
    from msgspec.json import Decoder

    found: Any = Raw
    for _ in range(levels - 1):
        found = dict[str, found] | list[Raw] | str | int | float | bool | None
    return Decoder(dict[str, found])


class _Walk:
    """Goes through JSON text from member to member, beside what the parser has found there.

    Of duplicate keys the parser keeps the last value in the place of the first. Either that differs from the text in
    that place, or in the end the text has a member too many.

    Raises:
        _UnexpectedError: the text differs from what was found.
    """

    def __init__(self, text: bytes) -> None:
        self._text = text

    def root(self, found: dict[str, Any]) -> Table:
        """Return the table of the whole text."""
        entries, location = {}, self._bracket(b"{", 0)
        for key, value in found.items():
            entries[key], location = self._entry(self._end(_KEY, location), value, 2 if key == NESTED else 1)
        self._bracket(b"}", location)
        return entries

    def _entry(self, start: int, value: Any, levels: int) -> tuple[Any, int]:
        """Return the entry of a value, and where it ends; objects have tables, so many levels deep."""
        kind = type(value)
        if kind is dict and levels:
            entries, location = {}, self._bracket(b"{", start)
            for key, below in value.items():
                entries[key], location = self._entry(self._end(_KEY, location), below, levels - 1)
            return entries, self._bracket(b"}", location)
        if kind in _SCALARS:
            return [value], self._end(_SCALAR, start)
        if kind is dict:
            end = self._passed(start, value.values(), _KEY, b"{}")
        elif kind is list:
            end = self._passed(start, value, _NEXT, b"[]")
        else:
            end = self._same(start, value)
        return [start, end - start, None], end

    def _passed(self, start: int, values: Iterable[Any], before: re.Pattern[bytes], brackets: bytes) -> int:
        """Return where a container ends of whose members only the text was found."""
        text, match = self._text, before.match
        location = self._bracket(brackets[:1], start)
        for value in values:
            found = match(text, location)
            if found is None or not text.startswith(value, begin := found.end()):
                raise _UnexpectedError
            location = begin + len(value)
        return self._bracket(brackets[1:], location)

    def _same(self, start: int, value: Any) -> int:
        if not self._text.startswith(value, start):
            raise _UnexpectedError
        return start + len(value)

    def _bracket(self, bracket: bytes, location: int) -> int:
        return self._same(self._end(_NEXT, location), bracket)

    def _end(self, pattern: re.Pattern[bytes], location: int) -> int:
        found = pattern.match(self._text, location)
        if found is None:
            raise _UnexpectedError
        return found.end()
