"""From a document's bytes to plain data, be it JSON or YAML.

Rule 1: every document, the root and those that it refers to, is read by :func:`data` and so by the same rules.
Rule 2: text that begins as JSON is read as JSON. Only if it is none, and nothing says that it should be, it is read
as YAML, which may begin with a brace too.
Rule 3: of large JSON text only the first levels are read at once (:mod:`offsets`): the tree looks the same, and what is
wrong with a part is told when somebody comes to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from dynclient._document.text import excerpt, kind, unreadable, utf8
from dynclient.exceptions import DocumentError
from dynclient.options import Limits

_EXPECTED = "expected an OpenAPI document, a mapping in JSON or YAML"
_SPACE = b" \t\r\n"


def is_json(data: bytes) -> bool:
    """Tell whether UTF-8 text begins as a JSON object or array does."""
    return data.lstrip(_SPACE)[:1] in (b"{", b"[")


def read(data: bytes, name: str, limits: Limits, *, json_only: bool = False, root: bool = False) -> Any:
    """Read the bytes of a document. With ``root``, it has to be a mapping.

    Raises:
        UnreadableDocument: it is no JSON and no YAML, or not what a document is.
        UnsafeDocument: it is beyond the limits.
    """
    text = utf8(data, name)
    start = text[:1024].lstrip(_SPACE)
    if not start and not text.strip():
        raise unreadable(f"{_EXPECTED}, but it is empty", name)
    if start.startswith(b"<"):
        what = "HTML" if b"<html" in start.lower() or b"<!doctype html" in start.lower() else "XML or HTML"
        raise unreadable(f"{_EXPECTED}, but {what} came: {_shown(text)}", name, hint=_PAGE)
    tree = _parsed(text, name, limits, json_only=json_only)
    if root and not isinstance(tree, Mapping):
        raise unreadable(f"{_EXPECTED}, but {kind(tree)} came: {_shown(text)}", name)
    return tree


_PAGE = "a login page, or the page of a code host, is not the document; take the address of the raw file"


def _parsed(text: bytes, name: str, limits: Limits, *, json_only: bool) -> Any:
    # What reads one kind of text is loaded for it alone.
    if not is_json(text):
        return _yaml(text, name, limits)
    from dynclient._document.offsets import divided

    parts = divided(text, name, limits)
    return _whole(text, name, limits, json_only=json_only) if parts is None else parts


def _whole(text: bytes, name: str, limits: Limits, *, json_only: bool) -> Any:
    from dynclient._document import json_text

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


class Lines(Protocol):
    """Finds lines in one text."""

    def line(self, keys: list[str]) -> int | None:
        """Return the line, from 1, of the value that the keys lead to, or of the last key that exists."""


def lines(text: bytes, limits: Limits) -> Lines:
    """Return what finds lines in UTF-8 text, JSON or YAML."""
    if is_json(text):
        from dynclient._document.json_text import JSONLines

        return JSONLines(text)
    from dynclient._document.yaml_text import YAMLLines

    return YAMLLines(text, limits)
