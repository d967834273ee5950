"""Sets of characters, as ECMA-262 has them.

A set is made of ranges of code points, and of tests for what has no short list of ranges (Unicode's categories).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from functools import lru_cache

Test = Callable[[str], bool]
_LAST = 0x10FFFF
_ASCII = 128
_FEW = 256


class CharacterSet:
    """A set of characters. ``single`` is its only one, if it was written as one."""

    __slots__ = ("ranges", "single", "tests")

    def __init__(
        self, ranges: Sequence[tuple[int, int]] = (), tests: Sequence[Test] = (), *, single: str | None = None
    ) -> None:
        """Take ranges of code points, and tests of characters; a character of either is in the set."""
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
    def union(cls, parts: Sequence[CharacterSet]) -> CharacterSet:
        """The characters of all."""
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
        """Whether the set has of what is not ASCII all or nothing, and no tests."""
        return not self.tests and all(low <= _ASCII and (high < _ASCII or high == _LAST) for low, high in self.ranges)

    def text(self) -> str:
        """The set as a class of Python's ``re``, which Rust's ``regex`` reads alike; only for a set without tests."""
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

_CATEGORIES = {
    "letter": "L",
    "cased_letter": "LC",
    "uppercase_letter": "Lu",
    "lowercase_letter": "Ll",
    "titlecase_letter": "Lt",
    "modifier_letter": "Lm",
    "other_letter": "Lo",
    "mark": "M",
    "combining_mark": "M",
    "nonspacing_mark": "Mn",
    "spacing_mark": "Mc",
    "enclosing_mark": "Me",
    "number": "N",
    "decimal_number": "Nd",
    "digit": "Nd",
    "letter_number": "Nl",
    "other_number": "No",
    "punctuation": "P",
    "punct": "P",
    "connector_punctuation": "Pc",
    "dash_punctuation": "Pd",
    "open_punctuation": "Ps",
    "close_punctuation": "Pe",
    "initial_punctuation": "Pi",
    "final_punctuation": "Pf",
    "other_punctuation": "Po",
    "symbol": "S",
    "math_symbol": "Sm",
    "currency_symbol": "Sc",
    "modifier_symbol": "Sk",
    "other_symbol": "So",
    "separator": "Z",
    "space_separator": "Zs",
    "line_separator": "Zl",
    "paragraph_separator": "Zp",
    "other": "C",
    "control": "Cc",
    "format": "Cf",
    "surrogate": "Cs",
    "private_use": "Co",
    "unassigned": "Cn",
}
"""Unicode's general categories by their long names; the short ones stand for themselves."""

_POSIX_RANGES = {
    "alnum": [(48, 57), (65, 90), (97, 122)],
    "alpha": [(65, 90), (97, 122)],
    "ascii": [(0, 127)],
    "blank": [(9, 9), (32, 32)],
    "cntrl": [(0, 31), (127, 127)],
    "digit": [(48, 57)],
    "graph": [(33, 126)],
    "lower": [(97, 122)],
    "print": [(32, 126)],
    "punct": [(33, 47), (58, 64), (91, 96), (123, 126)],
    "space": [(9, 13), (32, 32)],
    "upper": [(65, 90)],
    "word": [(48, 57), (65, 90), (95, 95), (97, 122)],
    "xdigit": [(48, 57), (65, 70), (97, 102)],
}
POSIX = {name: CharacterSet(ranges) for name, ranges in _POSIX_RANGES.items()}
r"""The sets that POSIX calls by a name (``[:print:]``, in Java ``\p{Print}``), in ASCII."""

_SHORT = frozenset({*_CATEGORIES.values()})
# Python has no table of scripts, but the names of characters begin with theirs.
_SCRIPTS = {
    "arab": "ARABIC", "armn": "ARMENIAN", "beng": "BENGALI", "cyrl": "CYRILLIC", "deva": "DEVANAGARI",
    "geor": "GEORGIAN", "grek": "GREEK", "hang": "HANGUL", "hani": "CJK", "han": "CJK", "hebr": "HEBREW",
    "hira": "HIRAGANA", "kana": "KATAKANA", "latn": "LATIN", "thai": "THAI",
}  # fmt: skip
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
    r"""The set of ``\p{name}`` (ECMA-262, table 67 and following), or None where it is not known."""
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
