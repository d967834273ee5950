"""Formats of texts that are neither times nor addresses."""

from __future__ import annotations

import re

from dynclient._expressions import expression
from dynclient.http_grammar import TOKEN

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
UUID = r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}"
"""What all UUIDs look like."""
_IS_UUID = expression(UUID)


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


_LONGEST_REGEX = 10_000


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
