"""The formats that are checked: one table for both engines.

Rule 1: the names are those of the OpenAPI format registry and of JSON Schema 2020-12, 7.3. Any other is an annotation
and not checked; neither is one that has no form of its own (``password``, ``html``, ``commonmark``, ``binary``).
Rule 2: a format of texts does not apply to numbers, nor one of numbers to texts.

Hosts, email addresses and URIs are checked in a module of their own, which few documents need.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from dynclient._deferred import function
from dynclient._expressions import expression
from dynclient._records import Record
from dynclient._validation.json_types import is_integer, is_number
from dynclient.http_grammar import TOKEN


class TextFormat(Record):
    """A format of texts: the name of its values, and their test.

    ``usual`` is a pattern of most of its values, which every engine reads alike: a text that it matches as a whole
    passes the test, which then need not be called.
    """

    title: str
    test: Callable[[str], bool]
    usual: str | None = None


class NumberFormat(Record):
    """A format of numbers: their bounds, and whether they are whole."""

    title: str
    least: int | float
    most: int | float
    whole: bool = True


def _bits(bits: int, *, signed: bool) -> NumberFormat:
    least, most = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    return NumberFormat(f"{'a signed' if signed else 'an unsigned'} {bits}-bit integer", least, most)


def _address(test: str) -> Callable[[str], bool]:
    return function("dynclient._validation.addresses", test)


# Times: RFC 3339, ISO 8601 durations, HTTP dates

_DATE = r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})"
_CLOCK = r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})(?:\.[0-9]+)?"
_OFFSET = r"(?:[Zz]|(?P<sign>[+-])(?P<hours>[0-9]{2}):(?P<minutes>[0-9]{2}))"
_IS_DATE = expression(_DATE)
_IS_TIME = expression(_CLOCK + _OFFSET)
_IS_LOCAL_TIME = expression(_CLOCK)
_IS_DATE_TIME = expression(f"{_DATE}[Tt ]{_CLOCK}{_OFFSET}")
_IS_LOCAL_DATE_TIME = expression(f"{_DATE}[Tt ]{_CLOCK}")
# RFC 3339, Appendix A; fractions of the last unit as ISO 8601 has them, which is what producers write.
_NUMBER = r"[0-9]+(?:[.,][0-9]+)?"
_DURATION = expression(
    rf"-?P(?=[0-9T])(?:[0-9]+W|(?:{_NUMBER}Y)?(?:{_NUMBER}M)?(?:{_NUMBER}D)?"
    rf"(?:T(?=[0-9])(?:{_NUMBER}H)?(?:{_NUMBER}M)?(?:{_NUMBER}S)?)?)"
)
_USUAL_DATE = r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])"
_USUAL_DATE_TIME = (
    _USUAL_DATE + r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
)
_IS_USUAL_DATE_TIME = expression(_USUAL_DATE_TIME)
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()  # noqa: SIM905 - reads better
_HTTP_DATE = expression(
    rf"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (?P<day>[0-9]{{2}}) (?P<month>{'|'.join(_MONTHS)}) (?P<year>[0-9]{{4}}) "
    rf"{_CLOCK} GMT"
)


def is_date(text: str) -> bool:
    """RFC 3339, 5.6: full-date."""
    found = _IS_DATE.fullmatch(text)
    return found is not None and _has_day(int(found["year"]), int(found["month"]), int(found["day"]))


def is_time(text: str) -> bool:
    """RFC 3339, 5.6: full-time."""
    found = _IS_TIME.fullmatch(text)
    return found is not None and _is_clock(found) and _is_offset(found)


def is_full_or_local_time(text: str) -> bool:
    """RFC 3339, 5.6: full-time, or partial-time.

    JSON Schema has full-time alone; but most who write ``format: time`` mean a time of day, which has no offset, and
    that is what their servers send.
    """
    return is_time(text) or is_local_time(text)


def is_local_time(text: str) -> bool:
    """RFC 3339, 5.6: partial-time."""
    found = _IS_LOCAL_TIME.fullmatch(text)
    return found is not None and _is_clock(found)


def is_date_time(text: str) -> bool:
    """RFC 3339, 5.6: date-time."""
    if _IS_USUAL_DATE_TIME.fullmatch(text):
        return True
    found = _IS_DATE_TIME.fullmatch(text)
    if found is None or text[10] == " ":
        return False
    has_day = _has_day(int(found["year"]), int(found["month"]), int(found["day"]))
    return has_day and _is_clock(found) and _is_offset(found)


def is_local_date_time(text: str) -> bool:
    """RFC 3339, 5.6: full-date and partial-time."""
    found = _IS_LOCAL_DATE_TIME.fullmatch(text)
    if found is None or text[10] == " ":
        return False
    return _has_day(int(found["year"]), int(found["month"]), int(found["day"])) and _is_clock(found)


def is_duration(text: str) -> bool:
    """RFC 3339, Appendix A."""
    return text.isascii() and _DURATION.fullmatch(text) is not None


def is_http_date(text: str) -> bool:
    """RFC 9110, 5.6.7: IMF-fixdate."""
    found = _HTTP_DATE.fullmatch(text)
    if found is None:
        return False
    month = _MONTHS.index(found["month"]) + 1
    return _has_day(int(found["year"]), month, int(found["day"])) and _is_clock(found)


def _has_day(year: int, month: int, day: int) -> bool:
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return 1 <= month <= 12 and 1 <= day <= _DAYS[month - 1] - (month == 2 and not leap)  # noqa: PLR2004


def _is_offset(found: re.Match[str]) -> bool:
    return found["sign"] is None or (int(found["hours"]) < 24 and int(found["minutes"]) < 60)  # noqa: PLR2004


def _is_clock(found: re.Match[str]) -> bool:
    hour, minute, second = int(found["hour"]), int(found["minute"]), int(found["second"])
    if hour > 23 or minute > 59:  # noqa: PLR2004
        return False
    if second < 60:  # noqa: PLR2004
        return True
    # RFC 3339, 5.7: a leap second is the last of a day in UTC.
    groups = found.groupdict()
    if groups.get("sign"):
        offset = int(groups["hours"]) * 60 + int(groups["minutes"])
        minutes = hour * 60 + minute - (offset if groups["sign"] == "+" else -offset)
    else:
        minutes = hour * 60 + minute
    return second == 60 and minutes % 1440 == 1439  # noqa: PLR2004


# Other texts

_BASE64 = expression(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_BASE64URL = expression(r"[A-Za-z0-9_-]*={0,2}")
_DECIMAL = expression(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_INTEGER = expression(r"-?[0-9]{1,20}")
_JSON_POINTER = expression(r"(?:/(?:[^~/]|~[01])*)*", re.DOTALL)
_RELATIVE_POINTER = expression(r"(?:0|[1-9][0-9]*)(?:#|(?:/(?:[^~/]|~[01])*)*)", re.DOTALL)
_MEDIA_RANGE = expression(rf"{TOKEN}/{TOKEN}(?:[ \t]*;[ \t]*{TOKEN}=(?:{TOKEN}|\"(?:[^\"\\]|\\.)*\"))*")
_SF_DECIMAL = expression(r"-?[0-9]{1,12}\.[0-9]{1,3}")
_SF_INTEGER = expression(r"-?[0-9]{1,15}")
_SF_STRING = expression(r'"(?:[ !#-\[\]-~]|\\["\\])*"')
_SF_TOKEN = expression(r"[A-Za-z*][!#$%&'*+.^_`|~0-9A-Za-z:/-]*")
_SPACE = expression(r"[ \t\r\n]+")
_UUID = r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}"
"""What all _UUIDs look like."""
_IS_UUID = expression(_UUID)
_LONGEST_REGEX = 10_000


def is_base64(text: str) -> bool:
    """RFC 4648, 4; line breaks may stand within, as MIME has them."""
    return _BASE64.fullmatch(text) is not None or _BASE64.fullmatch(_SPACE.sub("", text)) is not None


def is_base64_of_any_kind(text: str) -> bool:
    """RFC 4648, 4 or 5: ``byte`` came without saying which of them, and documents use it for either."""
    return is_base64(text) or is_base64url(text)


def is_base64url(text: str) -> bool:
    """RFC 4648, 5; padding may be left out."""
    length = len(text.rstrip("="))
    return _BASE64URL.fullmatch(text) is not None and length % 4 != 1 and (length == len(text) or len(text) % 4 == 0)


def is_decimal(text: str) -> bool:
    """A decimal number, as XML Schema and JSON write it."""
    return _DECIMAL.fullmatch(text) is not None


def is_decimal128(text: str) -> bool:
    """IEEE 754-2008 decimal128, as text."""
    return is_decimal(text) or text.lower() in {"nan", "inf", "-inf", "infinity", "-infinity"}


def is_int64(text: str) -> bool:
    """An integer of 64 bits, as text: how JSON carries what a double can't hold."""
    return _INTEGER.fullmatch(text) is not None and -(2**63) <= int(text) < 2**63


def is_json_pointer(text: str) -> bool:
    """RFC 6901, 3."""
    return _JSON_POINTER.fullmatch(text) is not None


def is_relative_json_pointer(text: str) -> bool:
    """draft-bhutton-relative-json-pointer-00."""
    return text.isascii() and _RELATIVE_POINTER.fullmatch(text) is not None


def is_media_range(text: str) -> bool:
    """RFC 9110, 12.5.1."""
    return _MEDIA_RANGE.fullmatch(text) is not None


def is_regex(text: str) -> bool:
    """ECMA-262, 22.2.1; one that is longer than anybody writes is none, since reading it would take its time."""
    if len(text) > _LONGEST_REGEX:
        return False
    from dynclient import _regex

    try:
        _regex.read(text, strict=True)
    except _regex.PatternError:
        return False
    return True


def is_sf_decimal(text: str) -> bool:
    """RFC 8941, 3.3.2."""
    return _SF_DECIMAL.fullmatch(text) is not None


def is_sf_integer(text: str) -> bool:
    """RFC 8941, 3.3.1."""
    return _SF_INTEGER.fullmatch(text) is not None


def is_sf_string(text: str) -> bool:
    """RFC 8941, 3.3.3; within JSON the quotes may be left out."""
    return _SF_STRING.fullmatch(text) is not None or _SF_STRING.fullmatch(f'"{text}"') is not None


def is_sf_token(text: str) -> bool:
    """RFC 8941, 3.3.4."""
    return _SF_TOKEN.fullmatch(text) is not None


def is_uuid(text: str) -> bool:
    """RFC 9562, 4."""
    return _IS_UUID.fullmatch(text) is not None


# The tables

_USUAL_URI = (
    r"[A-Za-z][A-Za-z0-9+.-]*://[A-Za-z0-9.-]+(?::[0-9]+)?(?:/[A-Za-z0-9._~!$&'()*+,;=:@/-]*)?"
    r"(?:\?[A-Za-z0-9._~!$&'()*+,;=:@/?-]*)?(?:#[A-Za-z0-9._~!$&'()*+,;=:@/?-]*)?"
)

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
    "base64url": TextFormat("base64url", is_base64url),
    "byte": TextFormat("base64", is_base64_of_any_kind),
    "char": TextFormat("a single character", lambda text: len(text) == 1),
    "date": TextFormat("a date (2030-12-31)", is_date, _USUAL_DATE),
    "date-time": TextFormat("a date-time (2030-12-31T23:59:00Z)", is_date_time, _USUAL_DATE_TIME),
    "date-time-local": TextFormat("a local date-time (2030-12-31T23:59:00)", is_local_date_time),
    "decimal": TextFormat("a decimal number", is_decimal),
    "decimal128": TextFormat("a decimal number", is_decimal128),
    "duration": TextFormat("a duration (P1DT12H)", is_duration),
    "email": TextFormat("an email address", _address("is_email")),
    "hostname": TextFormat("a host name", _address("is_hostname")),
    "http-date": TextFormat("an HTTP date (Sun, 06 Nov 1994 08:49:37 GMT)", is_http_date),
    "idn-email": TextFormat("an email address", _address("is_idn_email")),
    "idn-hostname": TextFormat("a host name", _address("is_idn_hostname")),
    "int64": TextFormat("an integer", is_int64),
    "ipv4": TextFormat("an IPv4 address", _address("is_ipv4")),
    "ipv6": TextFormat("an IPv6 address", _address("is_ipv6")),
    "iri": TextFormat("an IRI", _address("is_iri")),
    "iri-reference": TextFormat("an IRI reference", _address("is_iri_reference")),
    "json-pointer": TextFormat("a JSON pointer", is_json_pointer),
    "media-range": TextFormat("a media range", is_media_range),
    "regex": TextFormat("a regular expression", is_regex),
    "relative-json-pointer": TextFormat("a relative JSON pointer", is_relative_json_pointer),
    "sf-boolean": TextFormat("?0 or ?1", lambda text: text in {"?0", "?1"}),
    "sf-decimal": TextFormat("a decimal number", is_sf_decimal),
    "sf-integer": TextFormat("an integer", is_sf_integer),
    "sf-string": TextFormat("a string of RFC 8941", is_sf_string),
    "sf-token": TextFormat("a token of RFC 8941", is_sf_token),
    "time": TextFormat("a time (23:59:00Z, 23:59:00)", is_full_or_local_time),
    "time-local": TextFormat("a local time (23:59:00)", is_local_time),
    "uri": TextFormat("a URI", _address("is_uri"), _USUAL_URI),
    "uri-reference": TextFormat("a URI reference", _address("is_uri_reference")),
    "uri-template": TextFormat("a URI template", _address("is_uri_template")),
    "uuid": TextFormat("a UUID", is_uuid, _UUID),
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
