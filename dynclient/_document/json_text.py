"""Parse JSON text to plain data: exact integers, no duplicate keys, no NaN, and a bounded depth.

Rule 1: almost all text is valid and is decoded in one go (:func:`strict`). The rest of this module is for invalid text.
Python's own decoder calls a function for each object with all its members, and so shows duplicate keys.
Rule 2: before a parser that recurses sees the text, :func:`depth_of` has measured how deep it nests.
"""

from __future__ import annotations

import json
import math
import re
from array import array
from bisect import bisect
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import cache
from itertools import accumulate
from operator import itemgetter
from typing import Any, NoReturn, TypedDict

from dynclient._deferred import expression
from dynclient._document.text import checked, excerpt, unreadable
from dynclient._document.trees import too_deep, too_many_nodes
from dynclient.exceptions import UnreadableDocument
from dynclient.json_pointer import join, split, walk
from dynclient.options import Limits

STRING = rb'"[^"\\]*(?:\\.[^"\\]*)*"'
"""A string as JSON writes it, as the source of a regular expression."""
_ESCAPE = expression(rb"\\.", re.DOTALL)
_PIECE = 1 << 18
_NOT_STRUCTURE = bytes(set(range(256)) - set(b'{}[]"'))
_NOT_BEFORE_A_VALUE = bytes(set(range(256)) - set(b'{[,"'))
_NOT_BEFORE_A_MEMBER = bytes(set(range(256)) - set(b"{[,"))
_NOT_BEFORE_A_NODE = bytes(set(range(256)) - set(b'{[,:"'))
_STEPS = bytes.maketrans(b"{[]}", b"\x01\x01\xff\xff")


def strict(data: bytes, depth: int) -> Any:
    """Decode UTF-8 JSON that nests no deeper than ``depth``.

    Raises:
        ValueError: it is not JSON, nests deeper, or has a duplicate key or a number that is not finite.
        RecursionError: the caller's own stack was nearly full.
    """
    if data.count(b"{") + data.count(b"[") > depth < depth_of(data):
        raise ValueError
    return _DECODER.decode(data.decode("utf-8"))


def decoder(
    refuse_number: Callable[[str], Any],
    refuse_name: Callable[[str], Any],
    parse_int: Callable[[str], int] = int,
    parse_float: Callable[[str], float] = float,
) -> json.JSONDecoder:
    """Make a decoder that calls these functions for input that Python accepts although JSON does not allow it.

    That is the text of a non-finite number, and a duplicate name in an object.
    """

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            seen: set[str] = set()
            refuse_name(next(name for name, _ in pairs if name in seen or seen.add(name)))  # type: ignore[func-returns-value]  # set.add returns None: not seen
        return found

    def finite(digits: str) -> float:
        number = parse_float(digits)
        if not math.isfinite(number):
            refuse_number(digits)
        return number

    return json.JSONDecoder(object_pairs_hook=members, parse_float=finite, parse_constant=finite, parse_int=parse_int)


def _fail(_: str) -> NoReturn:
    raise ValueError


_DECODER = decoder(_fail, _fail)


def depth_of(data: bytes) -> int:
    """Return the nesting depth of JSON text, without parsing it."""
    depth = deepest = 0
    for outside in _outside_strings(data, _NOT_STRUCTURE):
        steps = list(accumulate(array("b", outside.translate(_STEPS)), initial=depth))
        depth, deepest = steps[-1], max([deepest, *steps])
    return deepest


def values_of(data: bytes) -> int:
    """Return the number of values in JSON text, without parsing it: each follows a bracket or a comma."""
    return 1 + sum(map(len, _outside_strings(data, _NOT_BEFORE_A_VALUE)))


def check_nodes(data: bytes, name: str, limits: Limits) -> None:
    """Count the keys and values of JSON text before they take memory.

    Raises:
        UnsafeDocument: there are more than the limit.
    """
    most = limits.document_nodes
    # A value takes two bytes at least, with the comma or bracket before it.
    if most is None or len(data) <= 2 * most:
        return
    # Each key and value precedes a comma or a brace; these may also occur in strings.
    pieces = (data[start : start + _PIECE] for start in range(0, len(data), _PIECE))
    if 2 * sum(len(piece.translate(None, _NOT_BEFORE_A_MEMBER)) for piece in pieces) < most:
        return
    if 1 + sum(map(len, _outside_strings(data, _NOT_BEFORE_A_NODE))) > most:
        raise too_many_nodes(name, limits)


def _outside_strings(data: bytes, without: bytes) -> Iterator[bytes]:
    """Yield the text outside of strings, piece by piece, without some characters; quotation marks are kept."""
    start = 0
    in_string = False
    while start < len(data):
        # In pieces, since large copies would fragment the process's memory.
        end = start + _PIECE
        while data[end - 1 : end] == b"\\":
            end += 1
        piece, start = data[start:end], end
        if b"\\" in piece:
            piece = _ESCAPE.sub(b"", piece)
        # Between two quotation marks is text: every second part is outside of all strings.
        parts = piece.translate(None, without).split(b'"')
        yield b"".join(parts[in_string::2])
        in_string ^= not len(parts) % 2


_TOKEN = expression(STRING + rb"?|[{}\[\],]", re.DOTALL)


class NotJSON(UnreadableDocument):
    """The text is not JSON at all; it may still be YAML."""


def read(data: bytes, name: str, limits: Limits) -> Any:
    """Parse UTF-8 JSON text.

    Raises:
        NotJSON: it is not JSON.
        UnreadableDocument: it is JSON with a duplicate key, or a number that is not finite.
        UnsafeDocument: it nests too deep.
    """
    with suppress(ValueError, RecursionError):
        return strict(data, limits.document_depth)
    if depth_of(data) > limits.document_depth:
        raise too_deep(name, limits)
    try:
        tree = _standard(data, name)
    except RecursionError:
        # The caller's own stack was nearly full.
        raise too_deep(name, limits) from None
    duplicate = _duplicate(data, name)
    if duplicate is not None:
        raise duplicate
    return tree


def _standard(data: bytes, name: str) -> Any:
    text = checked(data, name)

    def refuse(word: str) -> None:
        line = next((n for n, row in enumerate(text.split("\n"), 1) if word in row), None)
        raise unreadable(f"has {word}, which JSON does not allow as a number", name, line=line)

    try:
        return decoder(refuse, bool).decode(text)  # duplicates are found below, with their lines
    except json.JSONDecodeError as error:
        # Some of these messages end with that word already.
        reason = error.msg.removesuffix(" at")
        message = f"is not JSON: {reason} at line {error.lineno}, column {error.colno}, before "
        where = text[error.pos : error.pos + 100] or "the end"
        raise NotJSON(
            f"{name}: {message}{excerpt(where)}", location=unreadable("", name, line=error.lineno).location
        ) from None
    except ValueError as error:
        # CPython refuses integers of more than 4,300 digits.
        raise unreadable(f"has a number that can't be read ({error})", name) from None


def _duplicate(data: bytes, name: str) -> UnreadableDocument | None:
    """Find the first duplicate key of an object; the text is valid JSON."""

    def line(offset: int) -> int:
        return data.count(b"\n", 0, offset) + 1

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
            if key in frames[-1]:
                message = f"duplicate key {key!r} (first on line {line(frames[-1][key])})"
                return unreadable(message, name, line=line(token.start()), pointer=join("", *keys))
            frames[-1][key] = token.start()
    return None


_COLON = expression(rb"[ \t\r\n]*:")


def exactly(part: bytes, pointer: str, lines: int, name: str, limits: Limits) -> Any:
    """Decode a part of a document as :func:`read` does, with its pointer, and ``lines`` lines before it.

    Raises:
        DocumentError: the part is invalid.
    """
    keys = split(pointer)
    opened = "".join(f"{{{json.dumps(key)}:" for key in keys).encode()
    alone = b"\n" * lines + opened + part + b"}" * len(keys)
    return walk(read(alone, name, limits), keys)[0]


def peek(text: bytes, start: int, end: int, names: Sequence[str], words: frozenset[str]) -> dict[str, Any]:
    """Decode an object of objects of objects whose first value begins at ``start``, and whose last one ends at ``end``.

    Of the innermost objects only the members that ``words`` names are decoded. It is empty if that is not possible.
    """
    try:
        import msgspec
    except ImportError:
        return {}
    try:
        opening = start
        while not _OPENING.fullmatch(text, opening, start):
            opening = text.rindex(b"{", 0, opening)
        # A view, since large copies take longer than the decoding.
        values = _peeking(words).decode(memoryview(text)[opening : text.index(b"}", end) + 1]).values()
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return {}
    return dict(zip(names, values, strict=True)) if len(values) == len(names) else {}


@cache
def _peeking(words: frozenset[str]) -> Any:
    import msgspec

    known = TypedDict("known", dict.fromkeys(words, Any), total=False)  # type: ignore[misc]  # the caller's words
    others = list[msgspec.Raw] | str | int | float | bool | None
    return msgspec.json.Decoder(dict[str, dict[str, known | others] | others])


_SPACE = expression(rb"[ \t\r\n]*")
_KEY = expression(rb"(" + STRING + rb")\s*:\s*", re.DOTALL)
_OPENING = expression(rb"\{\s*" + STRING + rb"\s*:\s*", re.DOTALL)
# Python's own scanner, which is written in C, with hooks that keep nothing.
_SKIP = json.JSONDecoder(object_pairs_hook=len, parse_int=len, parse_float=len, parse_constant=len, strict=False)


class JSONLines:
    """Finds lines in JSON text. A container is scanned when it is first looked into."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        # One character for each byte, so that offsets are the same; only strings contain other characters than ASCII.
        self._text = data.decode("latin-1")
        self._entries: dict[int, dict[str, tuple[int, int]]] = {}
        # Offsets whose lines are known, in order: many lines are found by counting the text about once.
        self._known: list[tuple[int, int]] = [(0, 1)]

    def line(self, keys: list[str]) -> int | None:
        """Return the line of a member's name, or of an element."""
        shown = start = _after_space(self._data, 0)
        for key in keys:
            if start not in self._entries:
                self._entries[start] = self._scan(start)
            found = self._entries[start].get(key)
            if found is None:
                break
            shown, start = found
        return self._line_at(shown)

    def _line_at(self, location: int) -> int:
        # The list is replaced, not changed: another thread may be reading it.
        known = self._known
        index = bisect(known, location, key=itemgetter(0))
        before, line = known[index - 1]
        if before != location:
            line += self._data.count(b"\n", before, location)
            self._known = [*known[:index], (location, line), *known[index:]]
        return line

    def _scan(self, start: int) -> dict[str, tuple[int, int]]:
        """Return the offsets of a container's entries: by key, where the key and where the value begins."""
        data = self._data
        entries: dict[str, tuple[int, int]] = {}
        opening = data[start : start + 1]
        location = _after_space(data, start + 1)
        while opening in (b"{", b"[") and data[location : location + 1] not in (b"}", b"]", b""):
            key, value = str(len(entries)), location
            if opening == b"{":
                name = _KEY.match(data, location)
                if name is None:
                    break
                key, value = json.loads(name.group(1)), name.end()
            entries[key] = location, value
            location = _after_space(data, self._end(value))
            if data[location : location + 1] == b",":
                location = _after_space(data, location + 1)
        return entries

    def _end(self, start: int) -> int:
        try:
            return _SKIP.raw_decode(self._text, start)[1]
        except (ValueError, RecursionError):
            return len(self._data)


def _after_space(data: bytes, start: int) -> int:
    space = _SPACE.match(data, start)
    return space.end() if space else start
