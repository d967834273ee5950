"""A document's bytes as UTF-8 text, and the errors about them."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from functools import partial
from typing import Any, TypeVar

from dynclient._negotiation import unicode_encoding
from dynclient.exceptions import DocumentError, DocumentLocation, UnreadableDocument, UnsafeDocument, escaped

E = TypeVar("E", bound=DocumentError)
_PIECE = 1 << 14
_EXCERPT = 80
_TYPES: dict[type, str] = {
    list: "an array",
    str: "a string",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    type(None): "null",
}


def utf8(data: bytes, name: str) -> bytes:
    """Return a document's text as UTF-8 without a byte order mark; the same bytes if nothing changes.

    Raises:
        UnreadableDocument: the text has no Unicode encoding.
    """
    charset, mark = unicode_encoding(data)
    data = data[mark:] if mark else data
    if charset in {"", "utf-8"}:
        return data
    try:
        return data.decode(charset).encode("utf-8")
    except UnicodeError as error:
        raise unreadable(f"is not {charset.upper()} ({_reason(error)})", name) from None


def checked(data: bytes, name: str) -> str:
    """Decode UTF-8.

    Raises:
        UnreadableDocument: the bytes are not UTF-8.
    """
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        hint = "save it as UTF-8; other charsets need a byte order mark"
        raise unreadable(f"is not UTF-8 ({_reason(error)})", name, line=line, hint=hint) from None


def is_utf8(data: bytes) -> bool:
    """Return whether bytes are UTF-8, without making a string of them."""
    start, end = 0, 0 if data.isascii() else len(data)
    while start < end:
        piece = data[start : start + _PIECE]
        if piece.isascii():
            start += _PIECE
            continue
        try:
            # A character may begin in one piece and end in the next one.
            start += codecs.utf_8_decode(piece, "strict", start + _PIECE >= end)[1]
        except UnicodeDecodeError:
            return False
    return True


def _reason(error: UnicodeError) -> str:
    return f"byte {error.start}: {error.reason}" if isinstance(error, UnicodeDecodeError) else str(error)


def _error(kind: type[E], message: str, name: str, *, line: int | None = None, pointer: str = "", hint: str = "") -> E:
    """Make an error of a document; ``name`` is its name in errors."""
    return kind(f"{name}: {message}", location=DocumentLocation(name, pointer, line), hint=hint)


class DamagedDocument(UnreadableDocument):
    """A compiled form is damaged, and its document can no longer be read."""


unreadable = partial(_error, UnreadableDocument)
"""Makes the error of a document that is not valid JSON or YAML."""
damaged = partial(_error, DamagedDocument)
"""Makes the error of a compiled form with missing or changed bytes."""
unsafe = partial(_error, UnsafeDocument)
"""Makes the error of a document that exceeds a limit."""


def excerpt(text: str) -> str:
    """Quote the first 80 characters of a text, safe for a terminal."""
    start = text[: _EXCERPT + 1].strip()
    shown = escaped(start[:_EXCERPT]).replace("\n", "\\n").replace('"', '\\"')
    return f'"{shown}"' + ("…" if len(text) > _EXCERPT else "")


def described(value: Any) -> str:
    """Name a value's JSON type: ``an array``."""
    return "an object" if isinstance(value, Mapping) else _TYPES.get(type(value), type(value).__name__)
