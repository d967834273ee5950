"""JSON text to plain data: exact integers, no duplicate keys, no NaN, no surprise from nesting.

Rule 1: almost all text is good, and is read in one go (:mod:`strict`). What follows here is for text that is not.
Rule 2: before a parser that recurses sees the text, :func:`outline` has measured how deep it nests.
Rule 3: the parser keeps the last of two equal keys without a word. So the members in the text are counted against
those of the tree; only where the numbers differ is the text searched.
"""

from __future__ import annotations

import json
import math
import re
from contextlib import suppress
from typing import Any

from dynclient._document.charsets import checked
from dynclient._document.faults import excerpt, unreadable
from dynclient._document.strict import STRING, outline, strict
from dynclient._document.trees import members, too_deep
from dynclient._expressions import expression
from dynclient.exceptions import UnreadableDocument
from dynclient.json_pointer import join
from dynclient.options import Limits

_TOKEN = expression(STRING + rb"|[{}\[\],]", re.DOTALL)


class NotJSON(UnreadableDocument):
    """The text is no JSON at all; it may still be YAML."""


def read(data: bytes, name: str, limits: Limits) -> Any:
    """Parse UTF-8 JSON text.

    Raises:
        NotJSON: it is no JSON.
        UnreadableDocument: it is JSON that no document may be: a key twice, or a number that is none.
        UnsafeDocument: it nests too deep.
    """
    with suppress(ValueError, RecursionError):
        return strict(data, limits.document_depth)
    depth, count = outline(data)
    if depth > limits.document_depth:
        raise too_deep(name, limits)
    try:
        tree = _standard(data, name)
    except RecursionError:
        # The caller's own stack was nearly full.
        raise too_deep(name, limits) from None
    if members(tree) != count:
        raise _duplicate(data, name)
    return tree


def _standard(data: bytes, name: str) -> Any:
    text = checked(data, name)

    def refuse(word: str) -> None:
        line = next((n for n, row in enumerate(text.split("\n"), 1) if word in row), None)
        raise unreadable(f"holds {word}, which is no number in JSON", name, line=line)

    def finite(digits: str) -> float:
        number = float(digits)
        return number if math.isfinite(number) else refuse(digits)  # type: ignore[func-returns-value,return-value]  # it raises

    try:
        return json.loads(text, parse_constant=refuse, parse_float=finite)
    except json.JSONDecodeError as error:
        # Some of these messages end with that word already.
        told = error.msg.removesuffix(" at")
        message = f"is no JSON: {told} at line {error.lineno}, column {error.colno}, before "
        where = text[error.pos : error.pos + 100] or "the end"
        raise NotJSON(
            f"{name}: {message}{excerpt(where)}", place=unreadable("", name, line=error.lineno).place
        ) from None
    except ValueError as error:
        # CPython refuses integers of more than 4,300 digits.
        raise unreadable(f"holds a number that can't be read ({error})", name) from None


def _duplicate(data: bytes, name: str) -> UnreadableDocument:
    """Find the first key that an object has twice; the text is known to be JSON."""
    frames: list[dict[str, int] | int] = []
    keys: list[str | int] = []
    for token in _TOKEN.finditer(data):
        word = token.group()
        if word in (b"{", b"["):
            frames.append({} if word == b"{" else 0)
            keys.append("" if word == b"{" else 0)
        elif word in (b"}", b"]"):
            frames.pop()
            keys.pop()
        elif word == b",":
            if isinstance(keys[-1], int):
                keys[-1] += 1
        elif frames and isinstance(frames[-1], dict) and _COLON.match(data, token.end()):
            key = json.loads(word)
            keys[-1] = key
            line = data.count(b"\n", 0, token.start()) + 1
            if key in frames[-1]:
                first = frames[-1][key]
                message = f"the key {key!r} is there twice (first on line {first})"
                return unreadable(message, name, line=line, pointer=join("", *keys))
            frames[-1][key] = line
    return unreadable("a key is there twice", name)


_COLON = expression(rb"[ \t\r\n]*:")
