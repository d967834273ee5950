"""JSON read by the standard library, with all that it lets pass by itself refused, and with the place of each fault."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any, NoReturn

from dynclient._expressions import expression
from dynclient.codecs import charsets
from dynclient.exceptions import DecodeError
from dynclient.options import Limits

_STRING = r'"(?:[^"\\]|\\.)*"?'
_BRACKETS = expression(_STRING + r"|[\[\]{}]", re.DOTALL)
_NUMBERS = expression(_STRING + r"|-?(?:NaN|Infinity)|-?[0-9][-+.0-9eE]*", re.DOTALL)
_NAMES = expression(_STRING + r"|[\[\]{},]", re.DOTALL)
_ESCAPES = expression(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[dD][89a-fA-F][0-9a-fA-F]{2}|\\.", re.DOTALL
)
_PAIR = 12


class _Refused(Exception):  # not an error of its own: the way out of the parser's hooks
    """A hook of the parser refuses what it was given."""


def load(body: bytes, limits: Limits) -> Any:
    """Read JSON in UTF-8, as :func:`dynclient.codecs.json.load` does."""
    return load_text(charsets.decode_text(body, "utf-8"), "utf-8", limits, skipped=3 * body.startswith(b"\xef\xbb\xbf"))


def load_text(text: str, charset: str, limits: Limits, *, skipped: int = 0) -> Any:
    """Read JSON from text that came in a charset, with so many bytes of a byte order mark before it."""
    reading = _Reading(text, charset, limits, skipped)
    reading.check_depth()
    return reading.value()


class _Reading:
    """One text being read, so that a fault's place can be told in bytes."""

    def __init__(self, text: str, charset: str, limits: Limits, skipped: int) -> None:
        self.text = text
        self.charset = charset
        self.limits = limits
        self.skipped = skipped

    def refuse(self, fault: str, position: int | None = None) -> NoReturn:
        offset = None
        if position is not None:
            offset = len(self.text[:position].encode(self.charset)) + self.skipped
        raise DecodeError(f"the body is not JSON: {fault}", offset=offset) from None

    def check_depth(self) -> None:
        """Count brackets before any parser recurses into them."""
        limit = self.limits.body_depth
        if self.text.count("[") + self.text.count("{") <= limit:
            return
        depth = 0
        for token in _BRACKETS.finditer(self.text):
            bracket = token.group()
            if bracket in "[{":
                depth += 1
                if depth > limit:
                    self.refuse(f"it nests deeper than {limit} levels", token.start())
            elif bracket in "]}":
                depth -= 1

    def value(self) -> Any:
        decoder = json.JSONDecoder(
            object_pairs_hook=self.members,
            parse_constant=self.constant,
            parse_float=self.float,
            parse_int=self.integer,
        )
        if not self.text.strip(" \t\r\n"):
            self.refuse("it is empty", 0)
        try:
            value = decoder.decode(self.text)
        except json.JSONDecodeError as error:
            self.refuse(error.msg[:1].lower() + error.msg[1:], error.pos)
        except RecursionError:
            self.refuse("it nests too deep")
        except _Refused as refused:
            self.refuse(str(refused))
        self.check_surrogates()
        return value

    def members(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        # RFC 8259, 4: names should be unique, and what a receiver makes of others can't be predicted.
        members = dict(pairs)
        if len(members) != len(pairs):
            seen: set[str] = set()
            name = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]  # set.add gives None: not seen
            raise _Refused(f"the name {name[:80]!r} comes twice in an object")
        return members

    def constant(self, word: str) -> NoReturn:
        self.refuse(f"{word} is no JSON number", self.find(lambda token: token == word))

    def float(self, digits: str) -> float:
        number = float(digits)
        if math.isinf(number):
            self.refuse("a number is too large", self.find(lambda token: token == digits))
        return number

    def integer(self, digits: str) -> int:
        if len(digits.lstrip("-")) > self.limits.integer_digits:
            limit = self.limits.integer_digits
            self.refuse(f"an integer has more than {limit} digits", self.find(lambda token: token == digits))
        try:
            return int(digits)
        except ValueError:  # Python's own limit, which is lower here
            self.refuse("an integer has more digits than this Python reads")

    def check_surrogates(self) -> None:
        """Refuse halves of surrogate pairs: they are no characters, and nothing could write them again."""
        if "\\u" not in self.text:
            return
        for escape in _ESCAPES.finditer(self.text):
            if escape.group()[:2] == "\\u" and len(escape.group()) not in {2, _PAIR}:
                self.refuse("a string holds half a surrogate pair", escape.start())

    def find(self, wanted: Any) -> int | None:
        return next((token.start() for token in self.tokens() if wanted(token.group())), None)

    def tokens(self) -> Iterator[re.Match[str]]:
        return _NUMBERS.finditer(self.text)
