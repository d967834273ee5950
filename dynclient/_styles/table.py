"""The table of styles: how a parameter is written, by its location and its style.

A row of :data:`STYLES` is an expression of RFC 6570 (3.2.1) as data, with OpenAPI's delimiters added. With ``explode``
the items of an array and the pairs of an object are joined by ``separator``; without it, by ``delimiter``. Each
location has an :class:`Escaping`: percent-encoding, form encoding, or none.

To add a style, add a row for each location that has it, and its name to the reader of parameters (``_readers``).
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
# RFC 3986, 2.3: these are never encoded. Most texts have no others.
_UNRESERVED = expression(r"[A-Za-z0-9_.~-]*")
_EXACT_INTEGERS = 2**53
_LONGEST_PLAIN = 1e21
_SHORTEST_PLAIN = 1e-6


def scalar(value: Any) -> str:
    """Write a scalar as JSON does, but a string without quotes, and None as the empty string.

    Raises:
        ValueError: it is not a scalar, not finite, or an integer too long to write.
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
    kind = "an object" if isinstance(value, dict) else "an array" if isinstance(value, list) else type(value).__name__
    raise ValueError(f"has {kind} within its value, and its style can only write scalars there")


def _integer(value: int) -> str:
    try:
        return int.__repr__(value)
    except ValueError:
        raise ValueError("has more digits than Python converts to text") from None


def _float(value: float) -> str:
    # ECMA-262, Number::toString: the shortest digits that read back, plain from 1e-6 up to 1e21.
    if value != value or value in {float("inf"), float("-inf")}:  # noqa: PLR0124 - only NaN differs from itself
        raise ValueError("is NaN or infinite")
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


class Escaping(Record):
    """How one location encodes a text, and decodes it again.

    ``write`` takes the text and the reserved characters to keep, or None to encode everything but unreserved ones. It
    raises ValueError for a text that the location can't hold; the message never shows the value.
    """

    write: Callable[[str, str | None], str]
    read: Callable[[str], str]


def _is_unreserved(text: str) -> bool:
    # Letters and digits are most texts.
    return (text.isalnum() and text.isascii()) or _UNRESERVED.fullmatch(text) is not None


def _percent(text: str, keep: str | None) -> str:
    return text if _is_unreserved(text) else _encoded(text, keep or "")


def _encoded(text: str, keep: str) -> str:
    """Percent-encode everything but unreserved characters and those to keep (RFC 3986, 2.1 and 2.3)."""
    if not text.isascii():
        text = text.encode("utf-8").decode("latin-1")
    return text.translate(_triples(keep))


@cache
def _triples(keep: str) -> dict[int, str]:
    """Byte -> its percent-encoded triple, for bytes to encode. Cached: few sets of characters to keep are in use."""
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
        raise ValueError("has a control character, such as a line break, which would break the header")
    if any(ord(character) > 255 for character in text):  # noqa: PLR2004 - the end of latin-1
        raise ValueError("has a character outside latin-1, which a header can't have: escape it first")
    return text


def _cookie(text: str, _: str | None) -> str:
    # OAS 3.2, Style Values, cookie: no escaping is applied. RFC 6265, 4.1.1: what a cookie's value may hold.
    if not text.isascii() or re.search(r"[\x00-\x1f\x7f;]", text):
        raise ValueError(
            "has a semicolon, a control character or non-ASCII, which a cookie can't have: escape it first"
        )
    return text


def _as_is(text: str, _: str | None = None) -> str:
    return text


PERCENT = Escaping(_percent, unquote)
QUERY = Escaping(_with_triples, unquote_plus)
FORM = Escaping(_form, unquote_plus)
HEADER = Escaping(_header, str.strip)
COOKIE = Escaping(_with_triples, unquote)
RAW_COOKIE = Escaping(_cookie, _as_is)
RAW = Escaping(_as_is, _as_is)


class Delimiter(Record):
    """The delimiter between items without ``explode``: as written, and the pattern that splits at it when reading.

    ``guard`` is a character that no item may have, since it would be encoded exactly like the delimiter.
    """

    text: str
    cut: re.Pattern[str]
    guard: str = ""


COMMA = Delimiter(",", expression(","))
# OAS 3.2, appendix E: these have to be percent-encoded even as delimiters, so a value can't have them.
SPACE = Delimiter("%20", expression(r"%20|[+ ]"), " ")
PIPE = Delimiter("%7C", expression(r"%7[Cc]|\|"), "|")
TAB = Delimiter("%09", expression(r"%09|\t"), "\t")
# In a header nothing is encoded.
PLAIN_SPACE = Delimiter(" ", expression(" "), " ")
PLAIN_PIPE = Delimiter("|", expression(r"\|"), "|")
PLAIN_TAB = Delimiter("\t", expression("\t"), "\t")


class Style(Record):
    """One row of the table: how parameters of a location and a style are written.

    ``first`` is written before everything. ``named`` writes the parameter's name before its value; ``bare`` leaves out
    the ``=`` where the value is empty. ``reserved`` are the characters that ``allowReserved`` keeps. ``deep`` is true
    of deepObject alone.
    """

    escaping: Escaping
    separator: str
    first: str = ""
    named: bool = False
    bare: bool = False
    delimiter: Delimiter = COMMA
    reserved: str = ""
    deep: bool = False


# RFC 3986, 3.3 and 3.4: what may stand in a path segment and in a query. Of those, a query that is a form keeps neither
# & nor + (WHATWG URL, 5), and # [ ] are not allowed in it at all.
_IN_PATH = "@:!$&'()*+"
_IN_QUERY = ":/?@!$'()*,;="
# RFC 6265, 4.1.1: a cookie's value has no comma and no semicolon.
_IN_COOKIE = ":/?#[]@!$&'()*+="

_PATH_SIMPLE = Style(PERCENT, ",", reserved=_IN_PATH + ",;=")
_LABEL = Style(PERCENT, ".", first=".", reserved=_IN_PATH)
_MATRIX = Style(PERCENT, ";", first=";", named=True, bare=True, reserved=_IN_PATH)
_QUERY = Style(QUERY, "&", named=True, reserved=_IN_QUERY)
_FORM = Style(FORM, "&", named=True, reserved=_IN_QUERY)
_HEADER = Style(HEADER, ",")
_COOKIE = Style(COOKIE, "; ", named=True, reserved=_IN_COOKIE)
_FIELD = Style(RAW, "&", named=True)

# OAS 2.0, Parameter Object, collectionFormat: ssv, pipes and tsv are for any location.
STYLES: dict[tuple[str, str], Style] = {
    ("path", "matrix"): _MATRIX,
    ("path", "label"): _LABEL,
    ("path", "simple"): _PATH_SIMPLE,
    ("path", "spaceDelimited"): _PATH_SIMPLE._replace(delimiter=SPACE),
    ("path", "pipeDelimited"): _PATH_SIMPLE._replace(delimiter=PIPE),
    ("path", "tabDelimited"): _PATH_SIMPLE._replace(delimiter=TAB),
    ("query", "form"): _QUERY,
    ("query", "spaceDelimited"): _QUERY._replace(delimiter=SPACE),
    ("query", "pipeDelimited"): _QUERY._replace(delimiter=PIPE),
    ("query", "tabDelimited"): _QUERY._replace(delimiter=TAB),
    ("query", "deepObject"): _QUERY._replace(deep=True),
    ("form", "form"): _FORM,
    ("form", "spaceDelimited"): _FORM._replace(delimiter=SPACE),
    ("form", "pipeDelimited"): _FORM._replace(delimiter=PIPE),
    ("form", "tabDelimited"): _FORM._replace(delimiter=TAB),
    ("form", "deepObject"): _FORM._replace(deep=True),
    ("header", "simple"): _HEADER,
    ("header", "spaceDelimited"): _HEADER._replace(delimiter=PLAIN_SPACE),
    ("header", "pipeDelimited"): _HEADER._replace(delimiter=PLAIN_PIPE),
    ("header", "tabDelimited"): _HEADER._replace(delimiter=PLAIN_TAB),
    # OAS 3.2, Serialization and Examples: for cookies, neither & nor ? are ever correct.
    ("cookie", "form"): _COOKIE,
    ("cookie", "cookie"): _COOKIE._replace(escaping=RAW_COOKIE),
    # OAS 3.2, Encoding Object: in multipart/form-data a name and a value are written as they are.
    ("field", "form"): _FIELD,
    ("field", "spaceDelimited"): _FIELD._replace(delimiter=PLAIN_SPACE),
    ("field", "pipeDelimited"): _FIELD._replace(delimiter=PLAIN_PIPE),
    ("field", "tabDelimited"): _FIELD._replace(delimiter=PLAIN_TAB),
    ("field", "deepObject"): _FIELD._replace(deep=True),
}
