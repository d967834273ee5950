"""The line on which something stands in a document: looked for only when an error tells it, then remembered."""

from __future__ import annotations

import json
import re
from bisect import bisect
from operator import itemgetter
from typing import Any, Protocol

from dynclient._document import yaml_text
from dynclient._document.data import is_json
from dynclient._document.strict import STRING
from dynclient._expressions import expression
from dynclient.options import Limits

_SPACE = expression(rb"[ \t\r\n]*")
_SCALAR = expression(STRING + rb"|[^,\]}\s]+", re.DOTALL)
_KEY = expression(rb"(" + STRING + rb")\s*:\s*", re.DOTALL)
# Python's own scanner, which is written in C, told to keep nothing of what it passes.
_SKIP = json.JSONDecoder(object_pairs_hook=len, parse_int=len, parse_float=len, parse_constant=len, strict=False)


class Lines(Protocol):
    """Finds lines in one text."""

    def line(self, keys: list[str]) -> int | None:
        """The line, from 1, of what the keys lead to; that of the last key that was found."""


def lines(data: bytes, limits: Limits) -> Lines:
    """What finds lines in UTF-8 text, JSON or YAML."""
    return JSONLines(data) if is_json(data) else YAMLLines(data, limits)


class JSONLines:
    """Scans JSON text. What a container holds, and where, is noted when someone first goes through it."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        # A character for each byte, so that places are the same; what is no ASCII stands within strings.
        self._text = data.decode("latin-1")
        self._entries: dict[int, dict[str, tuple[int, int]]] = {}
        # Places whose lines were told, in order: who asks for many lines has the text counted about once.
        self._told: list[tuple[int, int]] = [(0, 1)]

    def line(self, keys: list[str]) -> int | None:
        """The line of a member's name, or of an element."""
        shown = start = _after_space(self._data, 0)
        for key in keys:
            if start not in self._entries:
                self._entries[start] = self._scan(start)
            found = self._entries[start].get(key)
            if found is None:
                break
            shown, start = found
        return self._line_at(shown)

    def _line_at(self, place: int) -> int:
        # Threads see one list or the next one.
        told = self._told
        index = bisect(told, place, key=itemgetter(0))
        before, line = told[index - 1]
        if before != place:
            line += self._data.count(b"\n", before, place)
            self._told = [*told[:index], (place, line), *told[index:]]
        return line

    def _scan(self, start: int) -> dict[str, tuple[int, int]]:
        """Where the entries of a container stand: by key, where the key and where the value begins."""
        data = self._data
        entries: dict[str, tuple[int, int]] = {}
        opening = data[start : start + 1]
        place = _after_space(data, start + 1)
        while opening in (b"{", b"[") and data[place : place + 1] not in (b"}", b"]", b""):
            key, value = str(len(entries)), place
            if opening == b"{":
                name = _KEY.match(data, place)
                if name is None:
                    break
                key, value = json.loads(name.group(1)), name.end()
            entries[key] = place, value
            place = _after_space(data, self._end(value))
            if data[place : place + 1] == b",":
                place = _after_space(data, place + 1)
        return entries

    def _end(self, start: int) -> int:
        if self._data[start : start + 1] not in (b"{", b"["):
            scalar = _SCALAR.match(self._data, start)
            return scalar.end() if scalar else len(self._data)
        try:
            return _SKIP.raw_decode(self._text, start)[1]
        except (ValueError, RecursionError):
            return len(self._data)


def _after_space(data: bytes, start: int) -> int:
    space = _SPACE.match(data, start)
    return space.end() if space else start


class YAMLLines:
    """Follows the composed nodes of YAML text, which know their lines."""

    def __init__(self, data: bytes, limits: Limits) -> None:
        self._root = yaml_text.compose(data, "", limits)

    def line(self, keys: list[str]) -> int | None:
        """The line of a key, or of an element."""
        node: Any = self._root
        if node is None:
            return None
        shown = node
        for key in keys:
            found = _entry(node, key)
            if found is None:
                break
            shown, node = found
        return int(shown.start_mark.line) + 1


def _entry(node: Any, key: str) -> tuple[Any, Any] | None:
    """The node of a key, or of an element, and that of its value; members that `<<` brings come last."""
    if node.id == "sequence":
        child = node.value[int(key)] if key.isdigit() and int(key) < len(node.value) else None
        return None if child is None else (child, child)
    if node.id != "mapping":
        return None
    merged: list[Any] = []
    for name, child in node.value:
        if name.value == key:
            return name, child
        if name.value == "<<":
            merged += child.value if child.id == "sequence" else [child]
    return next((found for source in merged if (found := _entry(source, key))), None)
