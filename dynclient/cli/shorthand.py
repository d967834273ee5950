"""Bodies in shorthand, as words of a command line: ``title: A bug, labels[]: bug, assignee{login: me}``.

The grammar is restish's shorthand without patches and queries: JSON is shorthand; quotes, commas at line ends and outer
braces may be omitted; ``a.b`` is a member of a member, ``a[0]`` an item of an array, and ``a[]`` the next one;
``@FILE`` is the content of a file; ``//`` begins a comment.

Rule 1: text in quotes is text. The caller, who knows the schema, decides the type of text without quotes.
Rule 2: an index beyond the end fills the array with null, up to a limit; two values that contradict are an error.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from dynclient._records import Record

Steps = tuple[str | int, ...]
"""The path to a value: names of members, and indices of items; -1 is the next one."""

NEXT = -1
LARGEST_INDEX = 1000
_DEEPEST = 64
_BLANK = re.compile(r"[ \t]*")
_SEPARATOR = re.compile(r"(?:[\s,]|//[^\n]*)*")
_NAME = re.compile(r"(?:\\.|[^\\.:\[\]{},\"\n])+")
_INDEX = re.compile(r"\[(\d{0,9})\]")
_PATH_FIRST = re.compile(r"(?:\[\d*\])+\s*[.:{]")
_ENDS = {"": ",\n", "}": ",\n}", "]": ",\n]"}


class ShorthandError(ValueError):
    """A text that is not shorthand; the message says where."""


class Bare(Record):
    """A value without quotes: ``text`` is the text itself, or the name of a file."""

    text: str
    is_file: bool = False


def read(text: str, meaning: Callable[[Steps, Bare], Any]) -> Any:
    """Read a body; ``meaning`` returns the value of a text without quotes, at its path.

    Raises:
        ShorthandError: the text is malformed, or contradicts itself.
    """
    return _Reader(text, meaning).whole()


def coerced(text: str) -> Any:
    """The value of a text without quotes where no schema says more: null, true, false, a number, or the text."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if value is None or isinstance(value, bool | int | float) else text


def put(made: Any, steps: Steps, value: Any) -> None:
    """Set a value below an object or array, which is extended.

    Raises:
        ShorthandError: an index is too large, or a value of another type is in the way.
    """
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        empty: Any = value if following is None else [] if isinstance(following, int) else {}
        if isinstance(step, int):
            if not isinstance(made, list):
                raise ShorthandError("an index needs an array")
            index = len(made) if step == NEXT else step
            if index > LARGEST_INDEX:
                raise ShorthandError(f"the index {index} is larger than {LARGEST_INDEX}")
            made.extend([None] * (index + 1 - len(made)))
            if following is None or made[index] is None:
                made[index] = empty
            made = made[index]
        else:
            if not isinstance(made, dict):
                raise ShorthandError(f"{step} needs an object")
            made = made.setdefault(step, empty) if following is not None else made.update({step: value})


class _Reader:
    def __init__(self, text: str, meaning: Callable[[Steps, Bare], Any]) -> None:
        self._text = text
        self._meaning = meaning
        self._at = 0
        self._depth = 0

    def whole(self) -> Any:
        self._skip(_SEPARATOR)
        begins_path = _PATH_FIRST.match(self._text, self._at) is not None
        if self._text[self._at : self._at + 1] in {"{", "[", '"', "@"} and not begins_path:
            value = self._value((), "")
        else:
            value = self._members((), "").get("", {})
        self._skip(_SEPARATOR)
        if self._at < len(self._text):
            self._fail("unexpected text")
        return value

    def _members(self, path: Steps, end: str) -> dict[str, Any]:
        """The members up to the end, as the single member of an object: paths may build an object or an array."""
        root: dict[str, Any] = {}
        while True:
            self._skip(_SEPARATOR)
            if self._text[self._at : self._at + 1] in {end, ""}:
                if end and self._at >= len(self._text):
                    self._fail(f"{end} is missing")
                return root
            steps = tuple(self._steps())
            self._skip(_BLANK)
            sign = self._text[self._at : self._at + 1]
            if sign == ":":
                self._at += 1
            elif sign != "{":
                self._fail("a name must be followed by : and its value")
            value = self._value((*path, *steps), end)
            if value is not ...:
                put(root, ("", *steps), value)

    def _steps(self) -> Iterator[str | int]:
        """The path before a value."""
        while True:
            if self._text.startswith('"', self._at):
                yield self._quoted()
            elif found := _NAME.match(self._text, self._at):
                self._at = found.end()
                yield re.sub(r"\\(.)", r"\1", found[0]).strip()
            elif not self._text.startswith("[", self._at):
                self._fail("a name is expected")
            while found := _INDEX.match(self._text, self._at):
                self._at = found.end()
                yield int(found[1]) if found[1] else NEXT
            if not self._text.startswith(".", self._at):
                return
            self._at += 1

    def _value(self, path: Steps, end: str) -> Any:
        self._skip(_BLANK)
        sign = self._text[self._at : self._at + 1]
        if sign == '"':
            return self._quoted()
        if sign in {"{", "["}:
            self._depth += 1
            if self._depth > _DEEPEST:
                self._fail(f"more than {_DEEPEST} levels")
            self._at += 1
            value: Any = self._members(path, "}").get("", {}) if sign == "{" else self._items(path)
            self._at += 1
            self._depth -= 1
            return value
        start = self._at
        while self._at < len(self._text) and self._text[self._at] not in _ENDS[end]:
            self._at += 1
        text = self._text[start : self._at].strip()
        if text == "undefined":
            return ...
        return self._meaning(path, Bare(text[1:], is_file=True) if text.startswith("@") else Bare(text))

    def _items(self, path: Steps) -> list[Any]:
        found: list[Any] = []
        while True:
            self._skip(_SEPARATOR)
            if self._at >= len(self._text):
                self._fail("] is missing")
            if self._text[self._at] == "]":
                return found
            value = self._value((*path, len(found)), "]")
            found += [value] if value is not ... else []

    def _quoted(self) -> str:
        try:
            value, self._at = json.JSONDecoder().raw_decode(self._text, self._at)
        except ValueError:
            self._fail("the quotes are not closed")
        return str(value)

    def _skip(self, pattern: re.Pattern[str]) -> None:
        found = pattern.match(self._text, self._at)
        self._at = found.end() if found is not None else self._at

    def _fail(self, fault: str) -> NoReturn:
        rest = " ".join(self._text[self._at : self._at + 20].split())
        where = f"before {rest!r}" if rest else "at the end"
        raise ShorthandError(f"{where}: {fault}")
