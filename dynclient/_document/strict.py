"""JSON that nobody has looked at: as data, or as a bare no, which :mod:`json_text` explains.

Python's own decoder does it in one go. It tells a function of ours of each object, with all its members, and so of keys
that are there twice, which is quicker than to count them in the text and in what a faster decoder has made of it.
"""

from __future__ import annotations

import json
import math
import re
from array import array
from itertools import accumulate
from typing import Any

from dynclient._expressions import expression

STRING = rb'"[^"\\]*(?:\\.[^"\\]*)*"'
"""A string as JSON writes it, as the source of a regular expression."""
_ESCAPE = expression(rb"\\.", re.DOTALL)
_PIECE = 1 << 18
_NOT_STRUCTURE = bytes(set(range(256)) - set(b'{}[]":'))
_STEPS = bytes.maketrans(b"{[]}", b"\x01\x01\xff\xff")


def strict(data: bytes, depth: int) -> Any:
    """UTF-8 JSON as data: without a key that is there twice, or a number that is none, and no deeper than that.

    Raises:
        ValueError: it is something else.
        RecursionError: the caller's own stack was nearly full.
    """
    if data.count(b"{") + data.count(b"[") > depth < outline(data)[0]:
        raise ValueError
    return _DECODER.decode(data.decode("utf-8"))


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError
    return members


def _number(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError
    return number


_DECODER = json.JSONDecoder(object_pairs_hook=_members, parse_float=_number, parse_constant=_number)


def outline(data: bytes) -> tuple[int, int]:
    """How deep JSON text nests, and how many members its objects have together, without parsing it."""
    depth = deepest = count = start = 0
    in_string = False
    while start < len(data):
        # In pieces, since large copies would leave large holes in the memory that the process holds.
        end = start + _PIECE
        while data[end - 1 : end] == b"\\":
            end += 1
        piece, start = data[start:end], end
        if b"\\" in piece:
            piece = _ESCAPE.sub(b"", piece)
        # Between two quotation marks is text: every second part is outside of all strings.
        parts = piece.translate(None, _NOT_STRUCTURE).split(b'"')
        outside = b"".join(parts[in_string::2])
        in_string ^= not len(parts) % 2
        count += outside.count(b":")
        steps = list(accumulate(array("b", outside.translate(_STEPS, b":")), initial=depth))
        depth, deepest = steps[-1], max([deepest, *steps])
    return deepest, count
