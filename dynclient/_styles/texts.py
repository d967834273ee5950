"""Scalars as text, and how each location writes text: percent-encoded, as a form, or as it is.

A writer raises ValueError, whose text says in words what can't go, and never shows the value.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any
from urllib.parse import unquote, unquote_plus

from dynclient._expressions import expression
from dynclient._records import Record

_TRIPLE = expression(r"(%[0-9A-Fa-f]{2})")
# RFC 3986, 2.3: never encoded, so that most texts need no second look.
_UNRESERVED = expression(r"[A-Za-z0-9_.~-]*")
_EXACT_INTEGERS = 2**53
_LONGEST_PLAIN = 1e21
_SHORTEST_PLAIN = 1e-6


def scalar(value: Any) -> str:
    """Write a scalar as JSON does, without the quotes of a string.

    Raises:
        ValueError: it is no scalar, or no text can hold it.
    """
    if isinstance(value, str):
        return value
    if value is True or value is False:
        return "true" if value else "false"
    if value is None:
        return ""
    if isinstance(value, int):
        return _integer(value)
    if isinstance(value, float):
        return _float(value)
    kind = "an object" if isinstance(value, dict) else "an array" if isinstance(value, list) else "what is not plain"
    raise ValueError(f"can't hold {kind} within a value: its style has no form for that")


def _integer(value: int) -> str:
    try:
        return int.__repr__(value)
    except ValueError:
        raise ValueError("has more digits than Python writes") from None


def _float(value: float) -> str:
    # ECMA-262, Number::toString: the shortest digits that read back, plain from 1e-6 up to 1e21.
    if value != value or value in {float("inf"), float("-inf")}:  # noqa: PLR0124 - only NaN differs from itself
        raise ValueError("can't hold NaN or an infinity")
    if value.is_integer() and abs(value) < _EXACT_INTEGERS:
        return str(int(value))
    text = float.__repr__(value)
    if "e" not in text:
        return text
    if _SHORTEST_PLAIN <= abs(value) < _LONGEST_PLAIN:
        from decimal import Decimal

        return format(Decimal(text), "f")
    mantissa, _, exponent = text.partition("e")
    return f"{mantissa}e{exponent[0]}{exponent[1:].lstrip('0')}"


class Writing(Record):
    """How one location writes a text, and reads it again.

    ``write`` takes the text and the reserved characters that stay as they are, or None where nothing is reserved: then
    each character but the unreserved ones is encoded.
    """

    write: Callable[[str, str | None], str]
    read: Callable[[str], str]


def _is_unreserved(text: str) -> bool:
    # Letters and digits are most texts.
    return (text.isalnum() and text.isascii()) or _UNRESERVED.fullmatch(text) is not None


def _percent(text: str, keep: str | None) -> str:
    return text if _is_unreserved(text) else _encoded(text, keep or "")


def _encoded(text: str, keep: str) -> str:
    """Percent-encode all but what is unreserved, and what is kept (RFC 3986, 2.1 and 2.3)."""
    if not text.isascii():
        text = text.encode("utf-8").decode("latin-1")
    return text.translate(_triples(keep))


@cache
def _triples(keep: str) -> dict[int, str]:
    """Byte -> its triple, of those that have to be encoded; few sets of characters are ever kept."""
    return {byte: f"%{byte:02X}" for byte in range(256) if chr(byte) not in keep and not _is_unreserved(chr(byte))}


def _with_triples(text: str, keep: str | None) -> str:
    if _is_unreserved(text):
        return text
    # OAS 3.1.1, allowReserved: percent-encoded triples pass through unchanged, any other % does not.
    if keep is None:
        return _encoded(text, "")
    return "".join(part if _TRIPLE.fullmatch(part) else _encoded(part, keep) for part in _TRIPLE.split(text))


def _form(text: str, keep: str | None) -> str:
    # OAS 3.2, URL Percent-Encoding: in a form, ~ is encoded too; WHATWG URL, 5: a space is +.
    return _with_triples(text, keep).replace("%20", "+").replace("~", "%7E")


def _header(text: str, _: str | None) -> str:
    # RFC 9110, 5.5: CR, LF and NUL are dangerous, and other control characters but the tab are of no use.
    if re.search(r"[\x00-\x08\x0a-\x1f\x7f]", text):
        raise ValueError("holds a control character (a line break, perhaps), which would break the header")
    if any(ord(character) > 255 for character in text):  # noqa: PLR2004 - the end of latin-1
        raise ValueError("holds a character that a header can't: only those of latin-1 go, escape the others")
    return text


def _cookie(text: str, _: str | None) -> str:
    # OAS 3.2, Style Values, cookie: no escaping is applied. RFC 6265, 4.1.1: what a cookie's value may hold.
    if not text.isascii() or re.search(r"[\x00-\x1f\x7f;]", text):
        raise ValueError("holds what a cookie can't (a semicolon, a control character or non-ASCII): escape it first")
    return text


def _as_is(text: str, _: str | None = None) -> str:
    return text


PERCENT = Writing(_percent, unquote)
QUERY = Writing(_with_triples, unquote_plus)
FORM = Writing(_form, unquote_plus)
HEADER = Writing(_header, str.strip)
COOKIE = Writing(_with_triples, unquote)
RAW_COOKIE = Writing(_cookie, _as_is)
RAW = Writing(_as_is, _as_is)
