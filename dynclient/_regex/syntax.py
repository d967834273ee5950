r"""ECMA-262 regular expressions, read into a tree, and the sets of characters in them.

Rule 1: patterns mean what ECMA-262 says with the flag ``u``: characters are code points, ``\d`` is ASCII, ``\s`` is
not, and ``$`` is the end of the text, not a newline before it.
Rule 2: unless ``strict`` (as for the format ``regex``), this is read too: the syntax that ECMA-262 allows without that
flag (Annex B), and syntax of other languages that has only one meaning: ``(?i)``, ``\A``, ``\z``, ``(?P<name>``,
``\p{Print}``, ``[[:alpha:]]``, ``[a-z&&[^x]]``.
Rule 3: a set of characters consists of ranges, and of tests if the ranges would be many (Unicode's categories).
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Collection
from functools import lru_cache
from pathlib import Path
from typing import Any

from dynclient._records import Record

Test = Callable[[str], bool]
_LAST = 0x10FFFF
_ASCII = 128
_FEW = 256


class CharacterSet:
    """A set of characters. ``single`` is the character, if the set was written as a single one."""

    __slots__ = ("ranges", "single", "tests")

    def __init__(
        self, ranges: Collection[tuple[int, int]] = (), tests: Collection[Test] = (), *, single: str | None = None
    ) -> None:
        """``ranges`` are of code points, ``tests`` of characters; a character that fits any of them is in the set."""
        self.ranges = tuple(ranges)
        self.tests = tuple(tests)
        self.single = single

    @classmethod
    def of(cls, character: str, *, ignore_case: bool = False) -> CharacterSet:
        """One character; with ``ignore_case`` also its other cases."""
        cases = {character, character.lower(), character.upper()} if ignore_case else {character}
        return cls([(ord(case), ord(case)) for case in sorted(cases) if len(case) == 1], single=character)

    @classmethod
    def span(cls, low: str, high: str, *, ignore_case: bool = False) -> CharacterSet:
        """The characters from one to another."""
        plain = cls([(ord(low), ord(high))])
        if not ignore_case:
            return plain
        if ord(high) - ord(low) < _FEW:
            return cls.union([cls.of(chr(code), ignore_case=True) for code in range(ord(low), ord(high) + 1)])

        def either(character: str) -> bool:
            return any(low <= case <= high for case in (character.lower(), character.upper()) if len(case) == 1)

        return cls(plain.ranges, [either])

    @classmethod
    def union(cls, parts: Collection[CharacterSet]) -> CharacterSet:
        """The union of the sets."""
        return cls([each for part in parts for each in part.ranges], [each for part in parts for each in part.tests])

    def inverted(self) -> CharacterSet:
        """All other characters."""
        if self.tests:
            return CharacterSet(tests=[lambda character: character not in self])
        found: list[tuple[int, int]] = []
        following = 0
        for low, high in sorted(self.ranges):
            if low > following:
                found.append((following, low - 1))
            following = max(following, high + 1)
        return CharacterSet([*found, (following, _LAST)] if following <= _LAST else found)

    def __contains__(self, character: str) -> bool:
        code = ord(character)
        return any(low <= code <= high for low, high in self.ranges) or any(test(character) for test in self.tests)

    @property
    def is_ascii(self) -> bool:
        """Whether the set has all or none of the non-ASCII characters, and no tests."""
        return not self.tests and all(low <= _ASCII and (high < _ASCII or high == _LAST) for low, high in self.ranges)

    def text(self) -> str:
        """The set as a class in the syntax of Python's ``re`` and Rust's ``regex``; only for a set without tests."""
        spans = (_escaped(low) if low == high else f"{_escaped(low)}-{_escaped(high)}" for low, high in self.ranges)
        return f"[{''.join(spans)}]" if self.ranges else r"[^\x00-\U0010ffff]"


def _escaped(code: int) -> str:
    character = chr(code)
    if character.isascii() and character.isalnum():
        return character
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"  # noqa: PLR2004


ANY = CharacterSet([(0, _LAST)])
DIGIT = CharacterSet([(48, 57)])
WORD = CharacterSet([(48, 57), (65, 90), (95, 95), (97, 122)])
# ECMA-262, 12.2 and 12.3: WhiteSpace and LineTerminator.
SPACE = CharacterSet(
    [
        (9, 13), (32, 32), (160, 160), (0x1680, 0x1680), (0x2000, 0x200A), (0x2028, 0x2029), (0x202F, 0x202F),
        (0x205F, 0x205F), (0x3000, 0x3000), (0xFEFF, 0xFEFF),
    ]
)  # fmt: skip
DOT = CharacterSet([(10, 10), (13, 13), (0x2028, 0x2029)]).inverted()
SHORTHANDS = {
    "d": DIGIT,
    "D": DIGIT.inverted(),
    "s": SPACE,
    "S": SPACE.inverted(),
    "w": WORD,
    "W": WORD.inverted(),
}
CONTROLS = {"f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}

_TABLES = json.loads(Path(__file__).with_name("properties.json").read_text("utf-8"))
_CATEGORIES: dict[str, str] = _TABLES["categories"]
"""Unicode's general categories by their long names; the short ones stand for themselves."""

POSIX = {name: CharacterSet(ranges) for name, ranges in _TABLES["posix"].items()}
r"""The sets that POSIX calls by a name (``[:print:]``, in Java ``\p{Print}``), in ASCII."""

_SHORT = frozenset({*_CATEGORIES.values()})
# Python has no table of scripts, but the names of characters begin with theirs.
_SCRIPTS: dict[str, str] = _TABLES["scripts"]
_SCRIPTS |= {name.lower(): name for name in _SCRIPTS.values() if name != "CJK"}
_PROPERTIES = {
    "any": ANY,
    "ascii": CharacterSet([(0, 127)]),
    **dict.fromkeys(("alphabetic", "alpha"), CharacterSet(tests=[str.isalpha])),
    **dict.fromkeys(("uppercase", "upper"), CharacterSet(tests=[str.isupper])),
    **dict.fromkeys(("lowercase", "lower"), CharacterSet(tests=[str.islower])),
    **dict.fromkeys(("white_space", "space"), SPACE),
}


@lru_cache(maxsize=256)
def property_set(name: str) -> CharacterSet | None:
    r"""The set of ``\p{name}`` (ECMA-262, table 67 and following), or None if it is unknown."""
    key, _, value = name.rpartition("=")
    plain = value.lower()
    if key in {"Script", "sc", "Script_Extensions", "scx"}:
        return _script(plain)
    if key not in {"", "General_Category", "gc"}:
        return None
    category = _CATEGORIES.get(plain, value)
    if category in _SHORT:
        allowed = ("Lu", "Ll", "Lt") if category == "LC" else category
        return CharacterSet(tests=[lambda character: unicodedata.category(character).startswith(allowed)])
    return _PROPERTIES[plain] if plain in _PROPERTIES else _script(plain.removeprefix("is"))


def _script(name: str) -> CharacterSet | None:
    word = _SCRIPTS.get(name)
    if word is None:
        return None
    return CharacterSet(tests=[lambda character: unicodedata.name(character, "").startswith(word)])


_DEPTH = 60
_HEX_DIGITS = {"x": 2, "u": 4}
_IDENTITY = frozenset("^$\\.*+?()[]{}|/-")
_REPEAT = re.compile(r"([*+?])|\{([0-9]{1,9})(?:(,)([0-9]{1,9})?)?\}", re.ASCII)
_BOUNDS: dict[str | None, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}
_FLAGS = re.compile(r"\?([ims]*)(?:-([ims]+))?([:)])", re.ASCII)
_POSIX = re.compile(r"\[:(\^?)([a-z]+):\]")
_CODE_POINT = re.compile(r"\{([0-9A-Fa-f]{1,6})\}")
_GROUPS = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]?|\((?!\?)|\(\?P?<([A-Za-z_$][\w$]*)>", re.DOTALL)
_GROUP_NAME = re.compile(r"<([A-Za-z_$][A-Za-z0-9_$]*)>", re.ASCII)
_LOOKS = {"?=": (True, False), "?!": (True, True), "?<=": (False, False), "?<!": (False, True)}


class PatternError(Exception):
    """A pattern is not valid; or, with ``unbounded``, it is valid but its matching time can't be bounded."""

    def __init__(self, message: str, *, unbounded: bool = False) -> None:
        super().__init__(message)
        self.unbounded = unbounded


class One(Record):
    """One character of a set."""

    set: CharacterSet


class Sequence(Record):
    """Expressions in sequence."""

    parts: tuple[Any, ...]


class Choice(Record):
    """Alternatives."""

    parts: tuple[Any, ...]


class Repeat(Record):
    """A repetition; ``most`` is None if there is no bound."""

    part: Any
    least: int
    most: int | None
    greedy: bool = True


class Group(Record):
    """A group that a later part may refer to by its number."""

    part: Any
    number: int


class Look(Record):
    """A lookaround: an expression that must, or must not, follow or precede."""

    part: Any
    ahead: bool
    negative: bool


class Edge(Record):
    """A place between characters: ``start``, ``end``, ``word`` or ``inner``; with ``line``, those of a line."""

    kind: str
    line: bool = False


class Back(Record):
    """A back-reference: the text that a group has matched."""

    number: int


def read(source: str, *, strict: bool = False) -> Any:
    """Read a pattern.

    Raises:
        PatternError: it is not a regular expression, or is nested too deep.
    """
    reader = _Reader(source, strict=strict)
    tree = reader.choice(0)
    if reader.at < len(source):
        raise PatternError("has one ')' too many")
    for number in reader.references:
        if number > reader.groups:
            raise PatternError(f"refers to group {number}, which does not exist")
    return tree


class _Reader:
    def __init__(self, source: str, *, strict: bool) -> None:
        self.source = source
        self.strict = strict
        self.at = 0
        self.groups = 0
        # Collected first: a reference may precede its group.
        starts = [found for found in _GROUPS.finditer(source) if found[0].startswith("(")]
        self.names = {found[1]: number for number, found in enumerate(starts, 1) if found[1]}
        self.references: list[int] = []
        self.flags: frozenset[str] = frozenset()

    def peek(self, text: str) -> bool:
        return self.source.startswith(text, self.at)

    def take(self, text: str) -> bool:
        if self.peek(text):
            self.at += len(text)
            return True
        return False

    def next(self) -> str:
        if self.at >= len(self.source):
            raise PatternError("ends too early")
        self.at += 1
        return self.source[self.at - 1]

    def choice(self, depth: int) -> Any:
        if depth > _DEPTH:
            raise PatternError("is nested too deep", unbounded=True)
        before = self.flags
        parts = [self.sequence(depth)]
        while self.take("|"):
            parts.append(self.sequence(depth))
        self.flags = before
        return parts[0] if len(parts) == 1 else Choice(tuple(parts))

    def sequence(self, depth: int) -> Any:
        parts: list[Any] = []
        while self.at < len(self.source) and not self.peek("|") and not self.peek(")"):
            part = self.atom(depth)
            if part is not None:
                parts.append(self.repeated(part))
        return parts[0] if len(parts) == 1 else Sequence(tuple(parts))

    def atom(self, depth: int) -> Any:
        character = self.next()
        if character == "(":
            return self.group(depth)
        if character == "[":
            return One(self.character_class())
        if character == "\\":
            return self.escape()
        if character == ".":
            return One(ANY if "s" in self.flags else DOT)
        if character in "^$":
            return Edge("start" if character == "^" else "end", "m" in self.flags)
        if character in "*+?":
            raise PatternError(f"has {character!r} with nothing to repeat")
        if self.strict and character in "{}]":
            raise PatternError(f"has a {character!r} that is not escaped")
        return One(CharacterSet.of(character, ignore_case="i" in self.flags))

    def repeated(self, part: Any) -> Any:
        found = _REPEAT.match(self.source, self.at)
        if found is None:
            return part
        self.at = found.end()
        mark, low, comma, high = found.groups()
        least, most = _BOUNDS.get(mark) or (int(low), int(high) if high else None if comma else int(low))
        if most is not None and least > most:
            raise PatternError("has bounds of a repetition in the wrong order")
        if isinstance(part, Edge) or (isinstance(part, Look) and self.strict):
            raise PatternError("repeats something that has no length")
        greedy = not self.take("?")
        if self.source[self.at : self.at + 1] in _BOUNDS:
            raise PatternError("repeats a repetition")
        return Repeat(part, least, most, greedy)

    def group(self, depth: int) -> Any:
        for start, (ahead, negative) in _LOOKS.items():
            if self.take(start):
                return Look(self.closed(depth), ahead, negative)
        found = _FLAGS.match(self.source, self.at)
        if found is not None:
            self.at = found.end()
            return self.flagged(depth, found)
        if self.peek("?"):
            self.at += 2 if not self.strict and self.peek("?P<") else 1
            name = _GROUP_NAME.match(self.source, self.at)
            if name is None:
                raise PatternError("has a kind of group that ECMA-262 does not have")
            self.at = name.end()
        self.groups += 1
        number = self.groups
        return Group(self.closed(depth), number)

    def flagged(self, depth: int, found: re.Match[str]) -> Any:
        """``(?:...)``, ``(?i:...)``, and ``(?i)``, which applies to the rest of the enclosing group."""
        before = self.flags
        self.flags = (before | set(found[1])) - set(found[2] or "")
        if found[3] == ")":
            if self.strict or not (found[1] or found[2]):
                raise PatternError("has a kind of group that ECMA-262 does not have")
            return None
        part = self.closed(depth)
        self.flags = before
        return Sequence((part,))

    def closed(self, depth: int) -> Any:
        part = self.choice(depth + 1)
        if not self.take(")"):
            raise PatternError("lacks a ')'")
        return part

    def escape(self) -> Any:
        character = self.next()
        if character in "bB":
            return Edge("word" if character == "b" else "inner")
        if character in "AzZ" and not self.strict:
            return Edge("start" if character == "A" else "end")
        if character == "k" and (name := _GROUP_NAME.match(self.source, self.at)) and self.names:
            self.at = name.end()
            if name[1] not in self.names:
                raise PatternError(f"refers to group {name[1]!r}, which does not exist")
            return Back(self.names[name[1]])
        if character in "123456789":
            while self.at < len(self.source) and self.source[self.at] in "0123456789" and len(character) < 2:  # noqa: PLR2004
                character += self.next()
            self.references.append(int(character))
            return Back(int(character))
        return One(self.escaped(character))

    def escaped(self, character: str, *, in_class: bool = False) -> CharacterSet:
        """The set of an escape, by the characters after the backslash."""
        if character in SHORTHANDS:
            return SHORTHANDS[character]
        if character in "pP" and self.take("{"):
            return self.property(negative=character == "P")
        if in_class and character == "b":
            return CharacterSet.of("\b")
        return CharacterSet.of(self.code(character, in_class=in_class), ignore_case="i" in self.flags)

    def property(self, *, negative: bool) -> CharacterSet:
        end = self.source.find("}", self.at)
        name = self.source[self.at : end] if end >= 0 else ""
        self.at = end + 1
        found = property_set(name) or (None if self.strict else POSIX.get(name.lower()))
        if found is None:
            raise PatternError(f"uses the property {name!r}, which is unknown")
        return found.inverted() if negative else found

    def code(self, character: str, *, in_class: bool = False) -> str:
        """The character that an escape stands for."""
        if character in CONTROLS:
            return CONTROLS[character]
        if character == "0" and not self.source[self.at : self.at + 1].isdigit():
            return "\0"
        if character == "c" and re.match(r"[A-Za-z]", self.source[self.at : self.at + 1]):
            return chr(ord(self.next()) % 32)
        if character == "u" and (found := _CODE_POINT.match(self.source, self.at)):
            self.at = found.end()
            if int(found[1], 16) > 0x10FFFF:  # noqa: PLR2004 - the last code point
                raise PatternError("has a code point beyond U+10FFFF")
            return chr(int(found[1], 16))
        if character in _HEX_DIGITS and (code := self.hexadecimal(_HEX_DIGITS[character])) is not None:
            return self.paired(code) if character == "u" else chr(code)
        if self.strict and character not in _IDENTITY and not (in_class and character == "-"):
            raise PatternError(f"escapes {character!r}, which needs no escape")
        return character

    def hexadecimal(self, length: int) -> int | None:
        text = self.source[self.at : self.at + length]
        if not re.fullmatch(rf"[0-9A-Fa-f]{{{length}}}", text):
            return None
        self.at += length
        return int(text, 16)

    def paired(self, code: int) -> str:
        """Two escapes of surrogates form one character."""
        if 0xD800 <= code < 0xDC00 and self.peek("\\u"):  # noqa: PLR2004 - RFC 2781, 2.2
            before = self.at
            self.at += 2
            low = self.hexadecimal(4)
            if low is not None and 0xDC00 <= low < 0xE000:  # noqa: PLR2004 - RFC 2781, 2.2
                return chr(0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00))
            self.at = before
        return chr(code)

    def character_class(self) -> CharacterSet:
        negative = self.take("^")
        ignore_case = "i" in self.flags
        parts: list[CharacterSet] = []
        kept: list[CharacterSet] = []
        while not self.take("]"):
            if not self.strict and self.take("&&["):
                # ECMA-262, 22.2.1, ClassIntersection (flag v), which Java has too.
                kept.append(self.character_class())
                continue
            low = self.class_atom()
            if self.peek("-") and not self.peek("-]"):
                self.at += 1
                high = self.class_atom()
                if low.single is None or high.single is None:
                    if self.strict:
                        raise PatternError("has a range whose end is not a single character")
                    parts += [low, CharacterSet.of("-"), high]
                elif low.single > high.single:
                    raise PatternError("has a range in the wrong order")
                else:
                    parts.append(CharacterSet.span(low.single, high.single, ignore_case=ignore_case))
            else:
                parts.append(low)
        found = CharacterSet.union(parts)
        if kept:
            kept.append(found)
            found = CharacterSet(tests=[lambda character: all(character in part for part in kept)])
        return found.inverted() if negative else found

    def class_atom(self) -> CharacterSet:
        character = self.next()
        if character == "\\":
            return self.escaped(self.next(), in_class=True)
        if character == "[" and not self.strict and (found := _POSIX.match(self.source, self.at - 1)):
            posix = POSIX.get(found[2])
            if posix is not None:
                self.at = found.end()
                return posix.inverted() if found[1] else posix
        return CharacterSet.of(character, ignore_case="i" in self.flags)
