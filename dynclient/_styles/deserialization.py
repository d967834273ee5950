"""Text -> values: the way back, for response headers and for the mock server.

Rule 1: leaves stay text; a schema makes numbers of them (``_schemas``).
Rule 2: what came is split first and decoded after, so that an encoded delimiter stays in its value.
Rule 3: nothing that arrives raises. What is not there is :data:`ABSENT`; what is malformed is read as far as it goes.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any, Final, Literal

from dynclient._styles.serialization import MAX_DEPTH
from dynclient._styles.table import STYLES, Style
from dynclient.exceptions import InvalidDocument

Kind = Literal["primitive", "array", "object"]


class _Absent:
    """The type of :data:`ABSENT`."""

    def __repr__(self) -> str:
        return "ABSENT"

    def __bool__(self) -> bool:
        return False


ABSENT: Final = _Absent()
"""The parameter is not there: neither a value nor None."""


def deserialize(
    text: str | None, *, name: str, in_: str, style: str, explode: bool, kind: Kind, properties: Collection[str] = ()
) -> Any:
    """Read a parameter: text, a list of texts, a dict of texts, or :data:`ABSENT`.

    For a query, a form or cookies ``text`` is the whole of it; None is read as nothing at all. ``properties`` are the
    names of an exploded object's properties, which stand among other parameters; without them every pair is taken.

    Raises:
        InvalidDocument: the location has no such style.
    """
    row = STYLES.get((in_, style))
    if row is None:
        raise InvalidDocument(f"there is no style {style!r} for a parameter in {in_}")
    if text is None:
        return ABSENT
    if row.deep:
        return _deep(row, text, name, kind)
    if row.named:
        return _named(row, text, name, explode=explode, kind=kind, properties=properties)
    return _unnamed(row, text.removeprefix(row.first), explode=explode, kind=kind)


def _named(row: Style, text: str, name: str, *, explode: bool, kind: Kind, properties: Collection[str]) -> Any:
    """Read from among pairs of name and value."""
    found = _raw_pairs(row, text)
    if explode and kind == "object":
        members = {key: row.writing.read(value) for key, value in found if not properties or key in properties}
        return members or ABSENT
    values = [value for key, value in found if key == name]
    if not values:
        return ABSENT
    if explode and kind == "array":
        return [row.writing.read(value) for value in values]
    return _READERS[kind](row, values[0], explode=False)


def _unnamed(row: Style, text: str, *, explode: bool, kind: Kind) -> Any:
    if not text and kind != "primitive":
        return [] if kind == "array" else {}
    return _READERS[kind](row, text, explode=explode)


def _primitive(row: Style, text: str, *, explode: bool) -> Any:
    del explode  # one value has nothing to explode
    return row.writing.read(text)


def _array(row: Style, text: str, *, explode: bool) -> Any:
    parts = text.split(row.separator) if explode else row.delimiter.cut.split(text)
    return [row.writing.read(part) for part in parts]


def _object(row: Style, text: str, *, explode: bool) -> Any:
    if explode:
        members = [part.partition("=")[::2] for part in text.split(row.separator)]
    else:
        parts = row.delimiter.cut.split(text)
        members = list(zip(parts[::2], [*parts[1::2], ""], strict=False))
    return {row.writing.read(key): row.writing.read(value) for key, value in members}


_READERS = {"primitive": _primitive, "array": _array, "object": _object}


def _raw_pairs(row: Style, text: str) -> list[tuple[str, str]]:
    """Split into names, decoded, and values, still as they came."""
    parts = (
        text.removeprefix("?").split(row.separator.strip()) if row.separator == "&" else text.split(row.separator[0])
    )
    pairs = [part.strip(" \t").partition("=") for part in parts]
    return [(row.writing.read(key), value) for key, equals, value in pairs if key or equals]


def _deep(row: Style, text: str, name: str, kind: Kind) -> Any:
    tree: dict[str, Any] = {}
    for key, value in _raw_pairs(row, text):
        if key == name and kind == "primitive" and not tree:
            return row.writing.read(value)
        steps = _steps(key, name)
        if steps:
            _put(tree, steps, row.writing.read(value))
    return _with_lists(tree) if tree else ABSENT


def _steps(key: str, name: str) -> list[str]:
    """The path that a key names: ``a[b][c]`` -> b, c; empty where it is another parameter's."""
    rest = key.removeprefix(name) if key.startswith(f"{name}[") else ""
    if not rest or not re.fullmatch(r"(?:\[[^\[\]]*\])+", rest) or rest.count("[") > MAX_DEPTH:
        return []
    return rest[1:-1].split("][")


def _put(tree: dict[str, Any], steps: list[str], value: str) -> None:
    for step in steps[:-1]:
        inner = tree.setdefault(step, {})
        if not isinstance(inner, dict):
            return  # a[b]=1 and a[b][c]=2 contradict each other: the first stands
        tree = inner
    last = steps[-1]
    if last == "":
        last = str(len(tree))
    before = tree.get(last)
    if before is None:
        tree[last] = value
    elif isinstance(before, list):
        before.append(value)
    elif isinstance(before, str):
        tree[last] = [before, value]


def _with_lists(value: Any) -> Any:
    """Make lists of what has the keys 0, 1, 2, …; a single ``a[b]=1`` stays text, which a schema may make an array."""
    if not isinstance(value, dict):
        return value
    members = {key: _with_lists(item) for key, item in value.items()}
    if all(key == str(index) for index, key in enumerate(members)):
        return list(members.values())
    return members
