"""Values -> text: what a style makes of a plain value.

Rule 1: a value becomes pairs of a name and a text (the name is None where the style writes none), and these are joined.
Rule 2: what RFC 6570 (2.3) calls undefined is left out: None within an array or an object, and an array or an object
that has nothing defined in it. None as the whole value is written as the specification's table of styles has it.
Rule 3: a text that would become something else on the other side is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from dynclient._styles.table import STYLES, Style
from dynclient._styles.texts import scalar
from dynclient.exceptions import ArgumentError, InvalidDocument

Pair = tuple["str | None", str]

MAX_DEPTH = 64


def serialize(
    value: Any,
    *,
    name: str,
    in_: str,
    style: str,
    explode: bool,
    allow_reserved: bool = False,
    allow_empty: bool = False,
) -> str:
    """Write a parameter: for a path the text of its place, for a query or form ``a=1&a=2``, for a cookie ``a=1; b=2``.

    The text is ready to be sent, percent-encoded where its location asks for it. It is empty where there is nothing to
    send.

    Raises:
        ArgumentError: the value can't go that way.
        InvalidDocument: the location has no such style.
    """
    row = _row(in_, style)
    keep = row.reserved if allow_reserved else None
    try:
        if row.deep or isinstance(value, (list, dict)):
            pairs = _pairs(row, value, name, explode=explode, keep=keep)
            if not pairs and allow_empty:
                # OAS 3.1.1, allowEmptyValue: a zero-length string in place of parameters that would be omitted.
                pairs = [(row.writing.write(name, None), "")]
            text = _joined(row, pairs)
        else:
            text = row.first + _pair(row, _key(row, name), _text(row, value, keep))
    except ValueError as error:
        raise _refused(in_, name, error) from None
    if in_ == "path" and text in _NOT_A_SEGMENT:
        # RFC 3986, 5.2.4: dots are removed together with the segment before them, and an empty one changes the path.
        raise ArgumentError(f"path parameter {name!r} would be {_NOT_A_SEGMENT[text]} in the URL", argument=name)
    return text


def fields(value: Any, *, name: str, style: str = "form", explode: bool = True) -> list[tuple[str, str]]:
    """Write a property of a multipart/form-data body: pairs of a part's name and its text, nothing encoded.

    Raises:
        ArgumentError: the value can't go that way.
        InvalidDocument: there is no such style.
    """
    try:
        pairs = _pairs(_row("field", style), value, name, explode=explode, keep=None)
    except ValueError as error:
        raise _refused("form", name, error) from None
    return [(key or name, text) for key, text in pairs]


_NOT_A_SEGMENT = {"": "nothing", ".": "a dot segment", "..": "a dot segment"}


def _row(in_: str, style: str) -> Style:
    row = STYLES.get((in_, style))
    if row is None:
        raise InvalidDocument(f"there is no style {style!r} for a parameter in {in_}")
    return row


def _refused(in_: str, name: str, error: ValueError) -> ArgumentError:
    why = "holds text that is not Unicode" if isinstance(error, UnicodeError) else str(error)
    return ArgumentError(f"{in_} parameter {name!r} {why}", argument=name)


def _pairs(row: Style, value: Any, name: str, *, explode: bool, keep: str | None) -> list[Pair]:
    """Make the pairs of a value; empty where it is undefined."""
    if row.deep:
        return _deep_pairs(row, value, name, keep)
    key = _key(row, name)
    if not isinstance(value, (list, dict)):
        return [(key, _text(row, value, keep))]
    between = row.separator if explode else row.delimiter.text
    if keep is not None:
        # What the members are told apart by can't stay as it is within one of them.
        keep = keep.replace(between, "")
    guard = "" if explode else row.delimiter.guard
    if isinstance(value, list):
        texts = [_text(row, item, keep, guard) for item in value if item is not None]
        if explode:
            return [(key, text) for text in texts]
    else:
        defined = [(member, item) for member, item in value.items() if item is not None]
        members = [(_text(row, member, None, guard), _text(row, item, keep, guard)) for member, item in defined]
        if explode:
            return list(members)
        texts = [text for member in members for text in member]
    return [(key, between.join(texts))] if texts else []


def _key(row: Style, name: str) -> str | None:
    return _written(row.writing.write, name) if row.named else None


@lru_cache(maxsize=1024)
def _written(write: Callable[[str, str | None], str], name: str) -> str:
    """A parameter's name as it is written; it is the same at each call."""
    return write(name, None)


def _text(row: Style, value: Any, keep: str | None, guard: str = "") -> str:
    """Write one scalar, which may not hold the delimiter where that would be encoded just like it."""
    text = scalar(value)
    if guard and guard in text:
        raise ValueError("holds its style's delimiter within a value, which no server could tell apart")
    return row.writing.write(text, keep)


def _joined(row: Style, pairs: list[Pair]) -> str:
    if not pairs:
        return ""
    return row.first + row.separator.join([_pair(row, key, text) for key, text in pairs])


def _pair(row: Style, key: str | None, text: str) -> str:
    if key is None:
        return text
    if "=" in key:
        raise ValueError("has = in a name, where nothing can be encoded")
    return key if row.bare and not text else f"{key}={text}"


# -- deepObject --------------------------------------------------------------------------------------------------------


def _deep_pairs(row: Style, value: Any, name: str, keep: str | None) -> list[Pair]:
    # OAS 3.1.1, Style Values: deepObject is defined for objects with scalar properties. For what is nested further,
    # this is what servers agree on most: a[b][c]=1, an array's items by repeating a[b]=1&a[b]=2, and by their index
    # where they are objects or arrays themselves, or where the whole value is an array: a[0]=1. A scalar, where the
    # schema allows one beside an object, is a=1.
    if value is None:
        return []
    members = _deep_members(value, name, 1)
    return [(row.writing.write(key, None), row.writing.write(scalar(item), keep)) for key, item in members]


def _deep_members(value: Any, prefix: str, depth: int) -> Iterator[tuple[str, Any]]:
    if depth > MAX_DEPTH:
        raise ValueError(f"is nested deeper than {MAX_DEPTH}")
    if isinstance(value, dict):
        for key, item in value.items():
            if "[" in key or "]" in key:
                raise ValueError("has a property with a bracket in its name, which style deepObject can't hold")
            repeated = isinstance(item, list) and not any(isinstance(part, dict | list) for part in item)
            for part in item if repeated else [item]:
                yield from _deep_members(part, f"{prefix}[{key}]", depth + 1)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _deep_members(item, f"{prefix}[{index}]", depth + 1)
    elif value is not None:
        yield prefix, value
