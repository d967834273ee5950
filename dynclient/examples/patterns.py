"""A text that a regular expression matches, written by walking the pattern's tree.

Lookarounds are ignored, since the caller validates the text. There is no text for a pattern that can't be read.
"""

from __future__ import annotations

from functools import lru_cache
from random import Random
from typing import Any

from dynclient import _regex
from dynclient._regex.syntax import Back, CharacterSet, Choice, Group, One, Repeat, Sequence

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_PUNCTUATION = "".join(character for character in map(chr, range(0x20, 0x7F)) if not character.isalnum())
_UNIVERSE = _LETTERS + "0123456789" + _PUNCTUATION + "".join(map(chr, range(0xA1, 0x250)))
_LONGEST_PATTERN = 512
_LONGEST_TEXT = 1_000
_MOST_OF_A_RANGE = 0x400


def text(pattern: str, rng: Random, more: int = 0) -> str | None:
    """Write a text that a pattern matches, with ``more`` repetitions than the minimum if its bounds allow that.

    Returns None if the pattern can't be read, or its shortest texts are too long for an example.
    """
    if len(pattern) > _LONGEST_PATTERN:
        return None
    try:
        written = _Writer(rng, more).write(_tree(pattern))
    except (_regex.PatternError, NoCharacter):
        return None
    return written if len(written) <= _LONGEST_TEXT else None


class NoCharacter(Exception):
    """A character class is empty."""


@lru_cache(maxsize=256)
def _tree(pattern: str) -> Any:
    return _regex.read(pattern)


class _Writer:
    def __init__(self, rng: Random, more: int) -> None:
        self._rng = rng
        self._more = more
        self._groups: dict[int, str] = {}
        self._left = _LONGEST_TEXT

    def write(self, tree: Any) -> str:
        if isinstance(tree, One):
            self._left -= 1
            return self._rng.choice(_members(tree.set))
        if isinstance(tree, Sequence):
            return "".join(self.write(part) for part in tree.parts)
        if isinstance(tree, Choice):
            return self.write(self._rng.choice(tree.parts))
        if isinstance(tree, Group):
            self._groups[tree.number] = written = self.write(tree.part)
            return written
        if isinstance(tree, Back):
            return self._groups.get(tree.number, "")
        return self._repeated(tree) if isinstance(tree, Repeat) else ""

    def _repeated(self, tree: Repeat) -> str:
        times = tree.least + self._more
        if tree.most is not None:
            times = min(times, tree.most)
        written: list[str] = []
        # One character too many is enough to show that the text is too long.
        while len(written) < times and self._left >= 0:
            written.append(self.write(tree.part))
            self._left -= 1
        return "".join(written)


@lru_cache(maxsize=1024)
def _members(characters: CharacterSet) -> str:
    """Some characters of a set to choose from: letters and digits if it has any, else what can be printed."""
    members = "".join(character for character in _UNIVERSE if character in characters)
    if not members:
        spans = ((low, min(high, low + _MOST_OF_A_RANGE)) for low, high in characters.ranges)
        members = "".join(chr(code) for low, high in spans for code in range(low, high + 1))
    if not members:
        raise NoCharacter
    printable = "".join(filter(str.isprintable, members))
    return "".join(character for character in printable if character.isascii() and character.isalnum()) or (
        printable or members
    )
