"""JSON (RFC 8259), and every media type with the suffix ``+json``.

Rule 1: reading is strict. A name that occurs twice in an object, NaN, a number too large for a float, a lone surrogate,
bytes that are not UTF-8, text after the value, nesting beyond the limit: each is an error.
Rule 2: integers are exact.
Rule 3: msgspec reads if it can be imported. Where it would differ, and for every error message, the standard library's
``json`` is used, with checks for invalid JSON that it accepts. The standard library also writes: it is as fast for a
few hundred bytes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, NoReturn

from dynclient._deferred import expression
from dynclient._json_types import decimal_text, is_decimal, written
from dynclient._negotiation import decode_text, encode_text
from dynclient.codecs.codec import Codec, Encoded, too_many
from dynclient.exceptions import DecodeError, EncodeError
from dynclient.media_types import charset_of
from dynclient.model import MediaType
from dynclient.options import Limits

_MEMBER = expression(rb'"[ \t\r\n]*:')
_SPACE = b" \t\r\n"
# Python's own limit for the digits of an integer; msgspec reads as many.
_MSGSPEC_DIGITS = 4300
# Importing msgspec takes longer than it saves for the first few small bodies.
_SMALL = 16_384
_FIRST = iter(range(8))
_CONTAINERS = frozenset({dict, list})
_UTF_8 = frozenset({"utf-8", "utf8"})
# The first bytes of a text decide whether it counts as compact or as written with spaces.
_SAMPLE = 200

_STRING = r'"(?:[^"\\]|\\.)*"?'
_BRACKETS = expression(_STRING + r"|[\[\]{}]", re.DOTALL)
_NUMBERS = expression(_STRING + r"|-?(?:NaN|Infinity)|-?[0-9][-+.0-9eE]*", re.DOTALL)
_ESCAPES = expression(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[dD][89a-fA-F][0-9a-fA-F]{2}|\\.", re.DOTALL
)
_PAIR = 12

# RFC 8259, 2: whitespace is not significant. Only characters that JSON requires to be escaped are escaped.
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class ExactLimits(Limits):
    """Limits of reading, where floats are ``Written``, with the digits of their text."""


def dump(value: Any) -> str:
    """Write a plain value as compact JSON text.

    Raises:
        EncodeError: the value contains NaN, an infinity, a cycle, or a type that JSON does not have.
    """
    try:
        return _ENCODER.encode(value)
    except ValueError as error:
        fault = "contains itself" if "ircular" in str(error) else "has a number that is NaN or infinite"
        if "digits" in str(error):  # sys.set_int_max_str_digits
            fault = "has an integer of too many digits"
        raise EncodeError(f"the body {fault}, which JSON can't write") from None
    except TypeError:
        return _with_decimals(value)
    except RecursionError:
        raise EncodeError("the body is nested too deeply to be written as JSON") from None


def _with_decimals(value: Any) -> str:
    """Write a value that has Decimals, with all of their digits; RFC 8259, 6: a number may have any number of them."""
    if isinstance(value, dict):
        members = (f"{_ENCODER.encode(str(name))}:{_with_decimals(member)}" for name, member in value.items())
        return "{" + ",".join(members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_with_decimals, value)) + "]"
    if is_decimal(value):
        return decimal_text(value)
    try:
        return _ENCODER.encode(value)
    except TypeError as error:
        raise EncodeError(f"the body can't be written as JSON: {error}") from None


def load(body: bytes, limits: Limits) -> Any:
    """Read JSON in UTF-8 as a plain value.

    Raises:
        DecodeError: it is not JSON, or exceeds a limit; ``offset`` is the byte of the error.
    """
    if limits.body_values is not None and len(body) > limits.body_values:
        check_values(body, limits.body_values)
    engine = None if len(body) < _SMALL and next(_FIRST, None) is not None else _msgspec()
    if engine is not None and limits.integer_digits >= _MSGSPEC_DIGITS and not isinstance(limits, ExactLimits):
        try:
            value = engine.decode(body)
            if _has_every_member(value, body, limits.body_depth, engine):
                return value
        except (ValueError, RecursionError):  # all errors of msgspec are ValueErrors
            pass
    text = decode_text(body, "utf-8")
    return _Reader(text, "utf-8", limits, skipped=3 * body.startswith(b"\xef\xbb\xbf")).value()


def encode(value: Any, media_type: MediaType, content_type: str) -> Encoded:  # noqa: ARG001  # the signature of every codec
    """Write a body as JSON: in UTF-8, unless the content type names another charset."""
    return Encoded(encode_text(dump(value), charset_of(content_type) or "utf-8"), content_type)


def decode(body: bytes, media_type: MediaType | None, content_type: str, limits: Limits) -> Any:  # noqa: ARG001  # the signature of every codec
    """Read a JSON body. RFC 8259, 8.1: in UTF-8; a byte order mark and a charset parameter are accepted."""
    charset = charset_of(content_type)
    if charset is not None and charset.lower() not in _UTF_8:
        text = decode_text(body, charset)
        if limits.body_values is not None and len(text) > limits.body_values:
            check_values(text.encode("utf-8", "surrogatepass"), limits.body_values)
        return _Reader(text, charset, limits).value()
    return load(body, limits)


def check_values(text: bytes, most: int) -> None:
    """Count the values of JSON text before they take memory.

    Raises:
        DecodeError: there are more than ``most``.
    """
    # Commas and brackets may also occur in strings.
    if sum(map(text.count, (b",", b"[", b"{"))) >= most:
        from dynclient._document.json_text import values_of

        if values_of(text) > most:
            raise too_many(most)


# -- msgspec -----------------------------------------------------------------------------------------------------------


@cache
def _msgspec() -> Any:
    """The module ``msgspec.json``, or None."""
    try:
        from msgspec import json as engine
    except ImportError:
        return None
    return engine


def _levels(value: Any) -> Iterator[list[Any]]:
    """The values at each level of nesting, outermost first."""
    level = [value]
    while level:
        yield level
        if _CONTAINERS.isdisjoint(map(type, level)):
            return
        level = [
            item
            for each in level
            if type(each) in _CONTAINERS
            for item in (each.values() if type(each) is dict else each)
        ]


def _has_every_member(value: Any, body: bytes, depth: int, engine: Any) -> bool:
    """Whether no name occurs twice in an object of the text, and it is not nested deeper than the limit.

    msgspec keeps the last of equal names. So no name occurs twice if writing the value again gives the same text, as
    for compact texts. Otherwise members are counted: the text has at most as many as it has quotation marks followed by
    a colon, inside strings or not. So equal counts prove it, too.
    """
    compact = b'": ' not in body[:_SAMPLE]
    if compact and body.count(b"{") + body.count(b"[") <= depth and engine.encode(value) == body:
        return True
    members = 0
    for nesting, level in enumerate(_levels(value)):
        objects = [each for each in level if type(each) is dict]
        if nesting >= depth and (objects or list in map(type, level)):
            return False
        members += sum(map(len, objects))
    return (
        (compact and engine.encode(value) == body)
        or members == body.translate(None, _SPACE).count(b'":')
        or members == len(_MEMBER.findall(body))
    )


# -- the standard library ----------------------------------------------------------------------------------------------


class _Reader:
    """Reads one text. ``skipped`` is the length of its byte order mark in bytes, for the offset of a fault."""

    def __init__(self, text: str, charset: str, limits: Limits, skipped: int = 0) -> None:
        self.text = text
        self.charset = charset
        self.limits = limits
        self.skipped = skipped

    def value(self) -> Any:
        self._check_depth()
        from dynclient._document.json_text import decoder

        if not self.text.strip(" \t\r\n"):
            self._refuse("it is empty", 0)
        try:
            parse_float = written if isinstance(self.limits, ExactLimits) else float
            value = decoder(self._refuse_number, self._refuse_name, self._integer, parse_float).decode(self.text)
        except json.JSONDecodeError as error:
            self._refuse(error.msg[:1].lower() + error.msg[1:].removesuffix(" at"), error.pos)
        except RecursionError:
            self._refuse("it is nested too deeply")
        self._check_surrogates()
        return value

    def _refuse(self, fault: str, position: int | None = None) -> NoReturn:
        offset = None
        if position is not None:
            offset = len(self.text[:position].encode(self.charset)) + self.skipped
        raise DecodeError(f"the body is not JSON: {fault}", offset=offset) from None

    def _check_depth(self) -> None:
        """Count brackets before the parser recurses into them."""
        limit = self.limits.body_depth
        if self.text.count("[") + self.text.count("{") <= limit:
            return
        depth = 0
        for token in _BRACKETS.finditer(self.text):
            bracket = token.group()
            if bracket in "[{":
                depth += 1
                if depth > limit:
                    self._refuse(f"it is nested deeper than {limit} levels", token.start())
            elif bracket in "]}":
                depth -= 1

    def _refuse_name(self, name: str) -> NoReturn:
        # RFC 8259, 4: names should be unique; receivers differ in how they read others.
        self._refuse(f"the name {name[:80]!r} occurs twice in an object")

    def _refuse_number(self, word: str) -> NoReturn:
        self._refuse(
            "a number is too large" if word[-1].isdigit() else f"{word} is not a JSON number", self._find(word)
        )

    def _integer(self, digits: str) -> int:
        limit = self.limits.integer_digits
        if len(digits.lstrip("-")) > limit:
            self._refuse(f"an integer has more than {limit} digits", self._find(digits))
        try:
            return int(digits)
        except ValueError:  # Python's own limit, which is lower here
            self._refuse("an integer has more digits than this Python reads")

    def _check_surrogates(self) -> None:
        """Refuse halves of surrogate pairs: they are not characters, and could not be written again."""
        if "\\u" not in self.text:
            return
        for escape in _ESCAPES.finditer(self.text):
            if escape.group()[:2] == "\\u" and len(escape.group()) not in {2, _PAIR}:
                self._refuse("a string has half of a surrogate pair", escape.start())

    def _find(self, number: str) -> int | None:
        """The position of a number outside strings."""
        return next((token.start() for token in _NUMBERS.finditer(self.text) if token.group() == number), None)


CODEC = Codec("json", encode, decode)
