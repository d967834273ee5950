"""The checked formats: one table for both engines.

Rule 1: the names are those of the OpenAPI format registry and of JSON Schema 2020-12, 7.3. Any other is an annotation
and not checked; nor are formats without a syntax (``password``, ``html``, ``commonmark``, ``binary``).
Rule 2: a format of texts does not apply to numbers, nor one of numbers to texts.
Rule 3: jsonschema-rs tests the formats of JSON Schema, except where documents are known to mean more than the RFCs:
``duration`` has fractions, ``time`` needs no offset, and ``regex`` is read by our own engine. It accepts ``202+-02-21``
as a date, so the digits of dates and times are also checked by a pattern.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from email.utils import format_datetime, parsedate_to_datetime
from functools import cache, partial
from typing import Any

from dynclient._deferred import expression
from dynclient._json_types import is_integer, is_number
from dynclient._records import Record
from dynclient.http_grammar import TOKEN


class TextFormat(Record):
    """A format of texts: the name of its values, and their test.

    ``schema`` has the keywords for the same test by jsonschema-rs; None if it can't do that.
    """

    title: str
    test: Callable[[str], bool]
    schema: dict[str, Any] | None = None


class NumberFormat(Record):
    """A format of numbers: their bounds, and whether they are whole."""

    title: str
    least: int | float
    most: int | float
    whole: bool = True


def _schema(name: str, form: str) -> dict[str, Any]:
    return {"format": name, "pattern": f"^(?:{form})$"} if form else {"format": name}


@cache
def _engine(name: str, form: str) -> Callable[[str], bool]:
    try:
        import jsonschema_rs
    except ImportError:
        from jsonschema import FormatChecker

        # Its `time` is that of draft 3, without an offset.
        checker, fits = (
            FormatChecker(FormatChecker.checkers.keys() - {"time"}),
            _form(form or _FORMS.get(name, "(?s:.*)")),
        )
        return lambda text: checker.conforms(text, name) and fits(text)
    return jsonschema_rs.Draft202012Validator(_schema(name, form), validate_formats=True).is_valid


def _passes(name: str, form: str, text: str) -> bool:
    """Whether a text has a format of jsonschema-rs, and also matches an expression."""
    try:
        return _engine(name, form)(text)
    except ValueError:
        # Half of a surrogate pair, which none of these formats allows.
        return False


def _form(source: str) -> Callable[[str], bool]:
    """The test of a format that a regular expression describes."""
    form = expression(source)
    return lambda text: form.fullmatch(text) is not None


# Dates and times

_DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK = r"[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?"
_OFFSET = "(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"
_TIME, _DATE_TIME = f"{_CLOCK}{_OFFSET}", f"{_DATE}[Tt]{_CLOCK}{_OFFSET}"
# RFC 3339, Appendix A; fractions of the last unit as in ISO 8601, which producers write.
_NUMBER = r"[0-9]+(?:[.,][0-9]+)?"
_DURATION = (
    rf"-?P(?=[0-9T])(?:[0-9]+W|(?:{_NUMBER}Y)?(?:{_NUMBER}M)?(?:{_NUMBER}D)?"
    rf"(?:T(?=[0-9])(?:{_NUMBER}H)?(?:{_NUMBER}M)?(?:{_NUMBER}S)?)?)"
)

# Formats that jsonschema leaves to packages that are not installed, as far as an expression can say them: RFC 3986,
# 1123, 5321, 6901, 9562. Its IPv6 addresses may have zones.
_CHARACTER = r"[A-Za-z0-9._~:/?@!$&'()*+,;=-]|%[0-9A-Fa-f]{2}"
_SCHEME, _LABEL = "[A-Za-z][A-Za-z0-9+.-]*:", "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_AUTHORITY = r"(?://(?:[^@/?#\[\]]*@)?\[[0-9A-Fa-f:.]+\](?=[:/?#]|$))?"
_URI = rf"{_AUTHORITY}(?:{_CHARACTER})*(?:#(?:{_CHARACTER})*)?"
_POINTER = "(?:/(?:[^~/]|~[01])*)*"
_FORMS = {
    "email": r"(?:[^\s@.\"]+(?:\.[^\s@.\"]+)*|\"[^\"]+\")@[^\s@]+",
    "hostname": rf"(?=.{{1,253}}$){_LABEL}(?:\.{_LABEL})*",
    "ipv6": "[^%]*",
    "json-pointer": _POINTER,
    "relative-json-pointer": f"(?:0|[1-9][0-9]*)(?:#|{_POINTER})",
    "uri": f"{_SCHEME}{_URI}",
    "uri-reference": f"(?:{_SCHEME}|(?![^/?#]*:)){_URI}",
    "uuid": "[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}",
}
# RFC 3987: letters of other scripts, too.
for _name, _source in {"iri": "uri", "iri-reference": "uri-reference"}.items():
    _FORMS[_name] = _FORMS[_source].replace("|%", r"|[^\x00-\x9f]|%")


def is_time(text: str) -> bool:
    """RFC 3339, 5.6: full-time, or partial-time: most authors of ``format: time`` mean a time without an offset."""
    return _passes("time", _TIME, text) or _passes("time", _TIME, f"{text}Z")


def is_http_date(text: str) -> bool:
    """RFC 9110, 5.6.7: IMF-fixdate."""
    with suppress(ValueError, TypeError):
        return format_datetime(parsedate_to_datetime(text), usegmt=True) == text
    return False


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
    """ECMA-262, 22.2.1. An unusually long one is refused, since reading it would take too long."""
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
    **{
        name: TextFormat(title, partial(_passes, name, form), _schema(name, form))
        for name, title in _NATIVE.items()
        for form in [{"date": _DATE, "date-time": _DATE_TIME}.get(name, "")]
    },
    "base64url": TextFormat("base64url", is_base64url),  # RFC 4648, 5; padding may be left out
    "byte": TextFormat("base64", is_base64_of_any_kind),
    "char": TextFormat("a single character", lambda text: len(text) == 1),
    "date-time-local": TextFormat(
        "a local date-time (2030-12-31T23:59:00)", lambda text: _passes("date-time", _DATE_TIME, f"{text}Z")
    ),
    "decimal": TextFormat("a decimal number", _form(_DECIMAL)),
    "decimal128": TextFormat("a decimal number", _form(rf"{_DECIMAL}|(?ai:nan|-?inf(?:inity)?)")),  # IEEE 754-2008
    "duration": TextFormat("a duration (P1DT12H)", _form(_DURATION)),
    "http-date": TextFormat("an HTTP date (Sun, 06 Nov 1994 08:49:37 GMT)", is_http_date),
    "int64": TextFormat("an integer", is_int64),
    "media-range": TextFormat("a media range", _form(_MEDIA_RANGE)),  # RFC 9110, 12.5.1
    "regex": TextFormat("a regular expression", is_regex),
    # RFC 8941, 3.3; within JSON the quotes of a string may be left out.
    "sf-boolean": TextFormat("?0 or ?1", _form(r"\?[01]")),
    "sf-decimal": TextFormat("a decimal number", _form(r"-?[0-9]{1,12}\.[0-9]{1,3}")),
    "sf-integer": TextFormat("an integer", _form("-?[0-9]{1,15}")),
    "sf-string": TextFormat("a string of RFC 8941", _form(f'"{_SF_TEXT}"|{_SF_TEXT}')),
    "sf-token": TextFormat("a token of RFC 8941", _form(r"[A-Za-z*][!#$%&'*+.^_`|~0-9A-Za-z:/-]*")),
    "time": TextFormat("a time (23:59:00Z, 23:59:00)", is_time),
    "time-local": TextFormat("a local time (23:59:00)", lambda text: _passes("time", _TIME, f"{text}Z")),
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
