"""A text that a regular expression matches.

An expression (ECMA-262, as JSON Schema has it) is read into a small tree, and the tree is walked to write a text.
What looks ahead or behind is passed over: who takes the text checks it. What can't be read has no text.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from random import Random

from dynclient._records import Record

_ASCII = "".join(map(chr, range(0x20, 0x7F)))
_DIGITS = "0123456789"
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_WORD = _LETTERS + _DIGITS + "_"
_UNIVERSE = _LETTERS + _DIGITS + "".join(c for c in _ASCII if not c.isalnum()) + "".join(map(chr, range(0xA1, 0x250)))
_CLASSES: Mapping[str, str] = {"d": _DIGITS, "w": _WORD, "s": " "}
_CONTROLS: Mapping[str, str] = {"n": "\n", "r": "\r", "t": "\t", "f": "\f", "v": "\v", "0": "\0"}
_MAX_LENGTH = 512
_MAX_DEPTH = 50
_MOST = 1000  # Repetitions: more than this is no example.


class Unreadable(ValueError):
    """The expression has something that is not known here."""


class Node(Record):
    """A part of an expression: one of ``characters``, or its ``parts`` by its ``kind``, ``low`` to ``high`` times."""

    kind: str
    parts: tuple[Node, ...] = ()
    characters: str = ""
    low: int = 1
    high: int | None = 1
    group: int | str = 0


def text(pattern: str, rng: Random, more: int = 0) -> str | None:
    """A text that a pattern matches, each repetition ``more`` times more than it must; None where none was found."""
    if len(pattern) > _MAX_LENGTH:
        return None
    try:
        tree = _Reader(pattern).read()
    except Unreadable:
        return None
    written = _Writer(rng, more).write(tree)
    return written if len(written) <= _MOST else None


class _Writer:
    def __init__(self, rng: Random, more: int) -> None:
        self._rng = rng
        self._more = more
        self._groups: dict[int | str, str] = {}
        self._left = _MOST

    def write(self, node: Node) -> str:
        return _WRITE[node.kind](self, node)

    def one(self, node: Node) -> str:
        self._left -= 1
        return self._rng.choice(node.characters)

    def sequence(self, node: Node) -> str:
        return "".join(self.write(part) for part in node.parts)

    def choice(self, node: Node) -> str:
        return self.write(self._rng.choice(node.parts))

    def group(self, node: Node) -> str:
        self._groups[node.group] = written = self.write(node.parts[0])
        return written

    def back(self, node: Node) -> str:
        return self._groups.get(node.group, "")

    def repeat(self, node: Node) -> str:
        times = node.low + self._more
        times = min(times, max(node.low, _MOST) if node.high is None else node.high)
        written = []
        for _ in range(times):
            if self._left <= 0:
                break
            written.append(self.write(node.parts[0]))
        return "".join(written)


_WRITE: Mapping[str, Callable[[_Writer, Node], str]] = {
    "one": _Writer.one,
    "sequence": _Writer.sequence,
    "choice": _Writer.choice,
    "group": _Writer.group,
    "back": _Writer.back,
    "repeat": _Writer.repeat,
}

_NOTHING = Node("sequence")


class _Reader:
    """Reads an expression from left to right; ``_at`` is where it is."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0
        self._depth = 0
        self._count = 0

    def read(self) -> Node:
        tree = self._choice()
        if self._at < len(self._pattern):
            raise Unreadable(self._pattern)
        return tree

    def _peek(self) -> str:
        return self._pattern[self._at : self._at + 1]

    def _take(self, expected: str = "") -> str:
        found = self._pattern[self._at : self._at + (len(expected) or 1)]
        if not found or (expected and found != expected):
            raise Unreadable(self._pattern)
        self._at += len(found)
        return found

    def _takes(self, wanted: str) -> bool:
        found = self._pattern.startswith(wanted, self._at)
        self._at += len(wanted) if found else 0
        return found

    def _until(self, end: str) -> str:
        stop = self._pattern.find(end, self._at)
        if stop < 0:
            raise Unreadable(self._pattern)
        found, self._at = self._pattern[self._at : stop], stop + len(end)
        return found

    def _choice(self) -> Node:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise Unreadable(self._pattern)
        branches = [self._sequence()]
        while self._takes("|"):
            branches.append(self._sequence())
        self._depth -= 1
        return branches[0] if len(branches) == 1 else Node("choice", tuple(branches))

    def _sequence(self) -> Node:
        parts = []
        while self._peek() and self._peek() not in "|)":
            parts.append(self._repeated(self._atom()))
        return Node("sequence", tuple(parts))

    def _repeated(self, node: Node) -> Node:
        bounds = self._quantifier()
        if bounds is None:
            return node
        if self._peek() in {"?", "+"}:  # lazy, possessive
            self._take()
        return Node("repeat", (node,), low=bounds[0], high=bounds[1])

    def _quantifier(self) -> tuple[int, int | None] | None:
        sign = self._peek()
        if sign in {"*", "+", "?"} and sign:
            self._take()
            return {"*": (0, None), "+": (1, None), "?": (0, 1)}[sign]
        if sign != "{":
            return None
        low, comma, high = self._pattern[self._at + 1 :].partition("}")[0].partition(",")
        if not low.isdigit() or not (high.isdigit() or not high) or len(low + high) > 8:  # noqa: PLR2004  # no sane count
            return None  # ECMA-262, annex B: then it is an ordinary brace.
        self._until("}")
        return int(low), int(high) if high else (None if comma else int(low))

    def _atom(self) -> Node:
        sign = self._take()
        if sign == "(":
            return self._group()
        if sign == "[":
            return _one(self._set())
        if sign == "\\":
            return self._escape()
        if sign in {"^", "$"}:
            return _NOTHING
        return _one(_LETTERS + _DIGITS) if sign == "." else _one(sign)

    def _group(self) -> Node:
        if self._takes("?"):
            return self._special_group()
        self._count += 1
        return self._captured(self._count)

    def _captured(self, group: int | str) -> Node:
        inner = self._choice()
        self._take(")")
        return Node("group", (inner,), group=group)

    def _special_group(self) -> Node:
        for mark in ("=", "!", "<=", "<!"):
            if self._takes(mark):
                self._choice()
                self._take(")")
                return _NOTHING
        if self._takes("<") or self._takes("P<"):
            self._count += 1
            return self._captured(self._until(">"))
        while self._peek().isalpha() or self._peek() == "-":  # flags
            self._take()
        if self._takes(")"):
            return _NOTHING
        self._take(":")
        inner = self._choice()
        self._take(")")
        return inner

    def _escape(self) -> Node:
        sign = self._peek()
        if sign in "bBAzZ" and sign:
            self._take()
            return _NOTHING
        if sign == "k":
            self._take("k")
            self._take("<")
            return Node("back", group=self._until(">"))
        if sign.isdigit() and sign != "0":
            return Node("back", group=int(self._take()))
        return _one(self._escaped())

    def _escaped(self) -> str:
        """The characters that an escape stands for, the backslash being read."""
        sign = self._take()
        if sign.lower() in _CLASSES:
            members = _CLASSES[sign.lower()]
            return members if sign.islower() else _others(members)
        if sign in {"p", "P"}:
            members = self._property()
            return members if sign == "p" else _others(members)
        if sign in {"x", "u"}:
            return self._code(sign)
        return _CONTROLS.get(sign, sign)

    def _code(self, sign: str) -> str:
        if sign == "u" and self._takes("{"):
            digits = self._until("}")
        else:
            width = 2 if sign == "x" else 4
            digits, self._at = self._pattern[self._at : self._at + width], self._at + width
        try:
            return chr(int(digits, 16))
        except (ValueError, OverflowError) as error:
            raise Unreadable(self._pattern) from error

    def _property(self) -> str:
        name = self._until("}")[1:] if self._peek() == "{" else self._take()
        name = {"Letter": "L", "Alphabetic": "L", "Number": "N", "Punctuation": "P"}.get(name, name)
        members = "".join(c for c in _UNIVERSE if unicodedata.category(c).startswith(name))
        if not members:
            raise Unreadable(self._pattern)
        return members

    def _set(self) -> str:
        negated = self._takes("^")
        members: list[str] = []
        while self._peek() != "]":
            first = self._member()
            ranged = self._peek() == "-" and self._pattern[self._at + 1 : self._at + 2] not in {"]", ""}
            if ranged and len(first) == 1:
                self._take()
                last = self._member()
                members.append(_range(first, last) if len(last) == 1 else first + "-" + last)
            else:
                members.append(first)
        self._take("]")
        found = "".join(members)
        return _others(found) if negated else found

    def _member(self) -> str:
        sign = self._take()
        return sign if sign != "\\" else ("\b" if self._takes("b") else self._escaped())


def _range(first: str, last: str) -> str:
    """The characters of a range, not more than are needed to choose from."""
    return "".join(map(chr, range(ord(first), min(ord(last), ord(first) + 0x400) + 1)))


def _others(members: str) -> str:
    return "".join(c for c in _UNIVERSE if c not in members)


def _one(members: str) -> Node:
    """One of some characters: of those that are printed, if there are any."""
    printed = "".join(c for c in members if c in _LETTERS or c in _DIGITS) or "".join(filter(str.isprintable, members))
    if not members:
        raise Unreadable("an empty set")
    return Node("one", characters=printed or members)
