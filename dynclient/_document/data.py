"""A document's bytes -> plain data, for JSON and YAML.

Rule 1: every document, the root and those that it refers to, is read by :func:`read`, and so by the same rules.
Rule 2: text that begins as JSON is read as JSON. If it is not JSON, and neither its name nor its server calls it that,
it is read as YAML, which may begin with a brace too.
Rule 3: of large JSON text only the first levels are decoded at once (:mod:`offsets`). The tree looks the same, and
errors in a part are reported when it is used.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from dynclient._document.text import described, excerpt, unreadable, utf8
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


_PAGE = "a login page, or a code host's page, is not the document; use the URL of the raw file"


def _parsed(text: bytes, name: str, limits: Limits, *, json_only: bool) -> Any:
    if not is_json(text):
        return _yaml(text, name, limits)
    from dynclient._document import json_text, offsets

    json_text.check_nodes(text, name, limits)
    parts = offsets.divided(text, name, limits)
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
    """Return what finds lines in UTF-8 text, JSON or YAML."""
    if is_json(text):
        from dynclient._document.json_text import JSONLines

        return JSONLines(text)
    from dynclient._document.yaml_text import YAMLLines

    return YAMLLines(text, limits)
