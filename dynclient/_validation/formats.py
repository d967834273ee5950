"""The formats that are checked: one table for both engines.

Rule 1: the names are those of the OpenAPI format registry and of JSON Schema 2020-12, 7.3. Any other is a note to
people, and not checked; so is what has no form of its own (``password``, ``html``, ``commonmark``, ``binary``).
Rule 2: a format of texts says nothing of numbers, and the other way round.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from dynclient._deferred import function
from dynclient._records import Record
from dynclient._validation import format_times as times
from dynclient._validation.kinds import is_integer, is_number


class TextFormat(Record):
    """A format of texts: what its values are called, and how they are told.

    ``usual`` gives a pattern of what most of them look like, of words that every engine reads alike: what it matches as
    a whole passes the test, and need not be asked of it.
    """

    title: str
    test: Callable[[str], bool]
    usual: Callable[[], str] | None = None


class NumberFormat(Record):
    """A format of numbers: their bounds, and whether they are whole."""

    title: str
    least: int | float
    most: int | float
    whole: bool = True


def _bits(bits: int, *, signed: bool) -> NumberFormat:
    least, most = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    return NumberFormat(f"{'a signed' if signed else 'an unsigned'} {bits}-bit integer", least, most)


def _module(name: str) -> Any:
    return import_module(f"dynclient._validation.format_{name}")


def _address(test: str) -> Callable[[str], bool]:
    return function("dynclient._validation.format_addresses", test)


def _text(test: str) -> Callable[[str], bool]:
    return function("dynclient._validation.format_texts", test)


NUMBERS: dict[str, NumberFormat] = {
    "double-int": NumberFormat("an integer that a double can hold", -(2**53) + 1, 2**53 - 1),
    "float": NumberFormat("a single-precision number", -3.4028235677973366e38, 3.4028235677973366e38, whole=False),
    "int16": _bits(16, signed=True),
    "int32": _bits(32, signed=True),
    "int64": _bits(64, signed=True),
    "int8": _bits(8, signed=True),
    "sf-integer": NumberFormat("an integer of at most 15 digits", -(10**15) + 1, 10**15 - 1),
    "uint16": _bits(16, signed=False),
    "uint32": _bits(32, signed=False),
    "uint64": _bits(64, signed=False),
    "uint8": _bits(8, signed=False),
}

TEXTS: dict[str, TextFormat] = {
    "base64url": TextFormat("base64url", _text("is_base64url")),
    "byte": TextFormat("base64", _text("is_base64_of_any_kind")),
    "char": TextFormat("a single character", lambda text: len(text) == 1),
    "date": TextFormat("a date (2030-12-31)", times.is_date, lambda: times.USUAL_DATE),
    "date-time": TextFormat("a date-time (2030-12-31T23:59:00Z)", times.is_date_time, lambda: times.USUAL_DATE_TIME),
    "date-time-local": TextFormat("a local date-time (2030-12-31T23:59:00)", times.is_local_date_time),
    "decimal": TextFormat("a decimal number", _text("is_decimal")),
    "decimal128": TextFormat("a decimal number", _text("is_decimal128")),
    "duration": TextFormat("a duration (P1DT12H)", times.is_duration),
    "email": TextFormat("an email address", _address("is_email")),
    "hostname": TextFormat("a host name", _address("is_hostname")),
    "http-date": TextFormat("an HTTP date (Sun, 06 Nov 1994 08:49:37 GMT)", times.is_http_date),
    "idn-email": TextFormat("an email address", _address("is_idn_email")),
    "idn-hostname": TextFormat("a host name", _address("is_idn_hostname")),
    "int64": TextFormat("an integer", _text("is_int64")),
    "ipv4": TextFormat("an IPv4 address", _address("is_ipv4")),
    "ipv6": TextFormat("an IPv6 address", _address("is_ipv6")),
    "iri": TextFormat("an IRI", _address("is_iri")),
    "iri-reference": TextFormat("an IRI reference", _address("is_iri_reference")),
    "json-pointer": TextFormat("a JSON pointer", _text("is_json_pointer")),
    "media-range": TextFormat("a media range", _text("is_media_range")),
    "regex": TextFormat("a regular expression", _text("is_regex")),
    "relative-json-pointer": TextFormat("a relative JSON pointer", _text("is_relative_json_pointer")),
    "sf-boolean": TextFormat("?0 or ?1", lambda text: text in {"?0", "?1"}),
    "sf-decimal": TextFormat("a decimal number", _text("is_sf_decimal")),
    "sf-integer": TextFormat("an integer", _text("is_sf_integer")),
    "sf-string": TextFormat("a string of RFC 8941", _text("is_sf_string")),
    "sf-token": TextFormat("a token of RFC 8941", _text("is_sf_token")),
    "time": TextFormat("a time (23:59:00Z, 23:59:00)", times.is_full_or_local_time),
    "time-local": TextFormat("a local time (23:59:00)", times.is_local_time),
    "uri": TextFormat("a URI", _address("is_uri"), lambda: _module("addresses").USUAL_URI),
    "uri-reference": TextFormat("a URI reference", _address("is_uri_reference")),
    "uri-template": TextFormat("a URI template", _address("is_uri_template")),
    "uuid": TextFormat("a UUID", _text("is_uuid"), lambda: _module("texts").UUID),
}


def format_fault(name: str, value: Any) -> str | None:
    """What is wrong with a value by a format; None where nothing is, or the format says nothing of it."""
    if isinstance(value, str):
        text = TEXTS.get(name)
        return f"is not {text.title}" if text is not None and not text.test(value) else None
    number = NUMBERS.get(name)
    if number is None or not is_number(value):
        return None
    if (number.whole and not is_integer(value)) or not number.least <= value <= number.most:
        return f"is not {number.title}"
    return None
