"""The checked formats: one table for both engines.

Rule 1: the names are those of the OpenAPI format registry and of JSON Schema 2020-12, 7.3. Any other is an annotation
and not checked; nor are formats without a syntax (``password``, ``html``, ``commonmark``, ``binary``).
Rule 2: a format of texts does not apply to numbers, nor one of numbers to texts.

Rule 3: jsonschema-rs tests the formats of JSON Schema, except where documents are known to mean more than the RFCs:
``duration`` has fractions, ``time`` needs no offset, and ``regex`` is read by our own engine.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

from dynclient._deferred import expression
from dynclient._records import Record
from dynclient._validation.json_types import is_integer, is_number
from dynclient.http_grammar import TOKEN


class TextFormat(Record):
    """A format of texts: the name of its values, and their test. ``is_native``: jsonschema-rs has the test."""

    title: str
    test: Callable[[str], bool]
    is_native: bool = False


class NumberFormat(Record):
    """A format of numbers: their bounds, and whether they are whole."""

    title: str
    least: int | float
    most: int | float
    whole: bool = True


@cache
def _native_test(name: str) -> Callable[[str], bool]:
    try:
        import jsonschema_rs
    except ImportError:
        from jsonschema import FormatChecker

        return lambda text: FormatChecker().conforms(text, name)
    return jsonschema_rs.Draft202012Validator({"format": name}, validate_formats=True).is_valid


def _passes(name: str, text: str) -> bool:
    try:
        return _native_test(name)(text)
    except ValueError:
        # Half of a surrogate pair, which none of these formats allows.
        return False


def _form(source: str) -> Callable[[str], bool]:
    """The test of a format that one expression describes."""
    form = expression(source)
    return lambda text: form.fullmatch(text) is not None


# Times: RFC 3339, HTTP dates

_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()  # noqa: SIM905 - reads better
_DAY = r"(?P<day>0[1-9]|[12][0-9]|3[01])"
_DATE = rf"(?P<year>[0-9]{{4}})-(?P<month>0[1-9]|1[0-2])-{_DAY}"
_CLOCK = r"(?P<hour>[01][0-9]|2[0-3]):(?P<minute>[0-5][0-9]):(?P<second>[0-5][0-9]|60)(?:\.[0-9]+)?"
_OFFSET = r"(?:[Zz]|(?P<offset>[+-](?:[01][0-9]|2[0-3]):[0-5][0-9]))"
_HTTP_DATE = (
    rf"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), {_DAY} (?P<month>{'|'.join(_MONTHS)}) (?P<year>[0-9]{{4}}) {_CLOCK} GMT"
)
# RFC 3339, Appendix A; fractions of the last unit as in ISO 8601, which producers write.
_NUMBER = r"[0-9]+(?:[.,][0-9]+)?"
_DURATION = (
    rf"-?P(?=[0-9T])(?:[0-9]+W|(?:{_NUMBER}Y)?(?:{_NUMBER}M)?(?:{_NUMBER}D)?"
    rf"(?:T(?=[0-9])(?:{_NUMBER}H)?(?:{_NUMBER}M)?(?:{_NUMBER}S)?)?)"
)


def _time(source: str) -> Callable[[str], bool]:
    """The test of a format of dates or times: its form, that the month has the day, and the second is in the day."""
    form = expression(source)

    def test(text: str) -> bool:
        found = form.fullmatch(text)
        return found is not None and _has_day(found.groupdict()) and _has_second(found.groupdict())

    return test


def _has_day(parts: dict[str, str]) -> bool:
    if "day" not in parts:
        return True
    from calendar import monthrange

    month = _MONTHS.index(parts["month"]) + 1 if parts["month"] in _MONTHS else int(parts["month"])
    return int(parts["day"]) <= monthrange(int(parts["year"]), month)[1]


def _has_second(parts: dict[str, str]) -> bool:
    """Return whether a second exists: a leap second is the last of a day in UTC (RFC 3339, 5.7)."""
    if parts.get("second") != "60":
        return True
    offset = parts.get("offset") or "+00:00"
    ahead = int(f"{offset[0]}1") * (int(offset[1:3]) * 60 + int(offset[4:]))
    return (int(parts["hour"]) * 60 + int(parts["minute"]) - ahead) % 1440 == 1439  # noqa: PLR2004 - minutes of a day


# Other texts

_BASE64 = expression(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_BASE64URL = r"(?:[A-Za-z0-9_-]{4})*(?:[A-Za-z0-9_-]{2}(?:==)?|[A-Za-z0-9_-]{3}=?)?"
_DECIMAL = r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_INTEGER = expression(r"-?[0-9]{1,20}")
_MEDIA_RANGE = rf"{TOKEN}/{TOKEN}(?:[ \t]*;[ \t]*{TOKEN}=(?:{TOKEN}|\"(?:[^\"\\]|\\.)*\"))*"
_SF_TEXT = r'(?:[ !#-\[\]-~]|\\["\\])*'
_SPACE = expression(r"[ \t\r\n]+")
_LONGEST_REGEX = 10_000

is_base64url = _form(_BASE64URL)


def is_base64_of_any_kind(text: str) -> bool:
    """RFC 4648, 4 or 5: ``byte`` does not say which of them, and documents use it for either.

    Line breaks are allowed, as in MIME.
    """
    return _BASE64.fullmatch(_SPACE.sub("", text)) is not None or is_base64url(text)


def is_int64(text: str) -> bool:
    """An integer of 64 bits, as text: how JSON carries what a double can't hold."""
    return _INTEGER.fullmatch(text) is not None and -(2**63) <= int(text) < 2**63


def is_regex(text: str) -> bool:
    """ECMA-262, 22.2.1; one that is longer than anybody writes is refused, since reading it would take long."""
    if len(text) > _LONGEST_REGEX:
        return False
    from dynclient import _regex

    try:
        _regex.read(text, strict=True)
    except _regex.PatternError:
        return False
    return True


# The tables

NUMBERS: dict[str, NumberFormat] = {
    "double-int": NumberFormat("an integer that a double can hold", -(2**53) + 1, 2**53 - 1),
    "float": NumberFormat("a single-precision number", -3.4028235677973366e38, 3.4028235677973366e38, whole=False),
    "sf-integer": NumberFormat("an integer of at most 15 digits", -(10**15) + 1, 10**15 - 1),
}
for _bits in (8, 16, 32, 64):
    NUMBERS[f"int{_bits}"] = NumberFormat(f"a signed {_bits}-bit integer", -(2 ** (_bits - 1)), 2 ** (_bits - 1) - 1)
    NUMBERS[f"uint{_bits}"] = NumberFormat(f"an unsigned {_bits}-bit integer", 0, 2**_bits - 1)

_NATIVE = {
    "date": "a date (2030-12-31)",
    "date-time": "a date-time (2030-12-31T23:59:00Z)",
    "email": "an email address",
    "hostname": "a host name",
    "idn-email": "an email address",
    "idn-hostname": "a host name",
    "ipv4": "an IPv4 address",
    "ipv6": "an IPv6 address",
    "iri": "an IRI",
    "iri-reference": "an IRI reference",
    "json-pointer": "a JSON pointer",
    "relative-json-pointer": "a relative JSON pointer",
    "uri": "a URI",
    "uri-reference": "a URI reference",
    "uri-template": "a URI template",
    "uuid": "a UUID",
}
TEXTS: dict[str, TextFormat] = {
    **{name: TextFormat(title, partial(_passes, name), is_native=True) for name, title in _NATIVE.items()},
    "base64url": TextFormat("base64url", is_base64url),  # RFC 4648, 5; padding may be left out
    "byte": TextFormat("base64", is_base64_of_any_kind),
    "char": TextFormat("a single character", lambda text: len(text) == 1),
    "date-time-local": TextFormat("a local date-time (2030-12-31T23:59:00)", _time(f"{_DATE}[Tt]{_CLOCK}")),
    "decimal": TextFormat("a decimal number", _form(_DECIMAL)),
    "decimal128": TextFormat("a decimal number", _form(rf"{_DECIMAL}|(?ai:nan|-?inf(?:inity)?)")),  # IEEE 754-2008
    "duration": TextFormat("a duration (P1DT12H)", _form(_DURATION)),
    "http-date": TextFormat("an HTTP date (Sun, 06 Nov 1994 08:49:37 GMT)", _time(_HTTP_DATE)),  # RFC 9110, 5.6.7
    "int64": TextFormat("an integer", is_int64),
    "media-range": TextFormat("a media range", _form(_MEDIA_RANGE)),  # RFC 9110, 12.5.1
    "regex": TextFormat("a regular expression", is_regex),
    # RFC 8941, 3.3; within JSON the quotes of a string may be left out.
    "sf-boolean": TextFormat("?0 or ?1", _form(r"\?[01]")),
    "sf-decimal": TextFormat("a decimal number", _form(r"-?[0-9]{1,12}\.[0-9]{1,3}")),
    "sf-integer": TextFormat("an integer", _form("-?[0-9]{1,15}")),
    "sf-string": TextFormat("a string of RFC 8941", _form(f'"{_SF_TEXT}"|{_SF_TEXT}')),
    "sf-token": TextFormat("a token of RFC 8941", _form(r"[A-Za-z*][!#$%&'*+.^_`|~0-9A-Za-z:/-]*")),
    # JSON Schema has full-time alone; but most authors of `format: time` mean a time of day without an offset, and
    # their servers send that.
    "time": TextFormat("a time (23:59:00Z, 23:59:00)", _time(f"{_CLOCK}{_OFFSET}?")),
    "time-local": TextFormat("a local time (23:59:00)", _time(_CLOCK)),
}


def format_fault(name: str, value: Any) -> str | None:
    """The fault of a value by a format; None if there is none, or if the format does not say."""
    if isinstance(value, str):
        text = TEXTS.get(name)
        if text is None or text.test(value):
            return None
        if name in {"date-time", "time"} and text.test(f"{value}Z"):
            # RFC 3339, 5.6: an offset is required.
            return "has no time zone: datetime.now().astimezone() has one, and so has 2030-12-31T23:59:00Z"
        return f"is not {text.title}"
    number = NUMBERS.get(name)
    if number is None or not is_number(value):
        return None
    if (number.whole and not is_integer(value)) or not number.least <= value <= number.most:
        return f"is not {number.title}"
    return None
