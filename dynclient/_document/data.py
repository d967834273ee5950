"""Read a document's bytes as plain data, for JSON and YAML.

Rule 1: every document, the root and those that it refers to, is read by :func:`read`, and so by the same rules.
Rule 2: text that begins as JSON is read as JSON. If it is not JSON, and neither its name nor its Content-Type says so,
it is read as YAML, which may begin with a brace too.
Rule 3: of large JSON text only the first levels are decoded at once. One pass by msgspec validates the grammar of the
whole text, and finds the values of its first levels without making data of them. A walk over these levels finds their
offsets. The walk goes from member to member, so it sees duplicate keys. If it finds any, or anything else that is
unexpected, the text is not divided, and the exact reader reports the error.
Rule 4: a part is decoded by the same rules as a whole text (:mod:`json_text`), when it is used. Errors in it are
reported then, with their location; the other parts can be used. A text is divided as the compiled form is: into the
members of its sections, and of those in ``components``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Protocol

from dynclient._deferred import expression
from dynclient._document import json_text
from dynclient._document.compiled import NESTED, Bytes, LazyMapping, LazyTree, Table
from dynclient._document.json_text import STRING
from dynclient._document.text import described, excerpt, is_utf8, unreadable, utf8
from dynclient.exceptions import DocumentError
from dynclient.options import Limits

_EXPECTED = "expected an OpenAPI document, an object in JSON or YAML"
_SPACE = b" \t\r\n"


def is_json(data: bytes) -> bool:
    """Return whether UTF-8 text begins as a JSON object or array does."""
    return data.lstrip(_SPACE)[:1] in (b"{", b"[")


def read(data: bytes, name: str, limits: Limits, *, json_only: bool = False, root: bool = False) -> Any:
    """Read the bytes of a document. With ``root``, it has to be an object; with ``json_only``, JSON.

    Raises:
        UnreadableDocument: it is neither JSON nor YAML, or not an object.
        UnsafeDocument: it exceeds the limits.
    """
    text = utf8(data, name)
    start = text[:1024].lstrip(_SPACE)
    if not start and not text.strip():
        raise unreadable(f"{_EXPECTED}, but it is empty", name)
    if start.startswith(b"<"):
        what = "HTML" if b"<html" in start.lower() or b"<!doctype html" in start.lower() else "XML or HTML"
        raise unreadable(f"{_EXPECTED}, got {what}: {_shown(text)}", name, hint=_PAGE)
    tree = _parsed(text, name, limits, json_only=json_only)
    if root and not isinstance(tree, Mapping):
        raise unreadable(f"{_EXPECTED}, got {described(tree)}: {_shown(text)}", name)
    return tree


_PAGE = "this may be a login page or a code host's page; use the URL of the raw file"


def _parsed(text: bytes, name: str, limits: Limits, *, json_only: bool) -> Any:
    if not is_json(text):
        return _yaml(text, name, limits)
    json_text.check_nodes(text, name, limits)
    parts = divided(text, name, limits)
    if parts is not None:
        return parts
    try:
        return json_text.read(text, name, limits)
    except json_text.NotJSON as error:
        if json_only:
            raise
        try:
            return _yaml(text, name, limits)
        except DocumentError:
            raise error from None


def _yaml(text: bytes, name: str, limits: Limits) -> Any:
    from dynclient._document.yaml_text import read as read_yaml

    return read_yaml(text, name, limits)


def _shown(text: bytes) -> str:
    return excerpt(text[:400].decode("utf-8", "replace").strip())


class LineFinder(Protocol):
    """Finds lines in one text."""

    def line(self, keys: list[str]) -> int | None:
        """Return the line, from 1, of the value that the keys lead to, or of the last key that exists."""


def lines(text: bytes, limits: Limits) -> LineFinder:
    """Return the LineFinder of UTF-8 text, JSON or YAML."""
    if is_json(text):
        from dynclient._document.json_text import JSONLines

        return JSONLines(text)
    from dynclient._document.yaml_text import YAMLLines

    return YAMLLines(text, limits)


SMALLEST = 1 << 20
"""For shorter texts, loading msgspec takes longer than decoding the whole text."""

_BLANKS = rb"[ \t\r\n]*"
_COMMA = rb"[ \t\r\n]*(?:,[ \t\r\n]*)?"
_KEY = expression(_COMMA + STRING + _BLANKS + b":" + _BLANKS, re.DOTALL)
_NEXT = expression(_COMMA)
_SCALAR = expression(STRING + rb'|[^\s,\[\]{}"]+', re.DOTALL)
_SCALARS = frozenset({str, int, float, bool, type(None)})
# OpenAPI 2.0 has no `components`. Unless the text begins with this word, one more level is decoded.
_OLD, _BEGINNING = b'"swagger"', 1_000


class _UnexpectedError(Exception):
    """The walk and the parser disagree."""


def divided(text: bytes, name: str, limits: Limits) -> LazyMapping | None:
    """Divide UTF-8 JSON text whose root is an object; None if it has to be decoded as a whole.

    ``name`` is the name of the document in errors.
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
    """Walks through JSON text from member to member, in parallel with the parser's result.

    Of duplicate keys the parser keeps the last value in the place of the first. Either that differs from the text in
    that place, or in the end the text has a member too many.

    Raises:
        _UnexpectedError: the text differs from the parser's result.
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
        """Return the entry of a value, and where it ends; objects down to this level have tables."""
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
