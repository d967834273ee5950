"""How this room says what is wrong with a document before there is one."""

from __future__ import annotations

from typing import Any

from dynclient.exceptions import Place, UnreadableDocument, UnsafeDocument, escaped

_EXCERPT = 80
_KINDS: dict[type, str] = {
    dict: "a mapping",
    list: "an array",
    str: "a string",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    type(None): "null",
}


def unreadable(
    message: str, name: str, *, line: int | None = None, pointer: str = "", hint: str = ""
) -> UnreadableDocument:
    """The document is no JSON or YAML as a document has to be."""
    return UnreadableDocument(f"{name}: {message}", place=Place(name, pointer, line), hint=hint)


def unsafe(message: str, name: str, *, line: int | None = None, pointer: str = "", hint: str = "") -> UnsafeDocument:
    """The document asks for more than it may."""
    return UnsafeDocument(f"{name}: {message}", place=Place(name, pointer, line), hint=hint)


def excerpt(text: str) -> str:
    """The first 80 characters of what came, in quotes, so that a terminal bears it."""
    start = text[: _EXCERPT + 1].strip()
    shown = escaped(start[:_EXCERPT]).replace("\n", "\\n").replace('"', '\\"')
    return f'"{shown}"' + ("…" if len(text) > _EXCERPT else "")


def kind(value: Any) -> str:
    """What a value is, in words: ``an array``."""
    return _KINDS.get(type(value), type(value).__name__)
