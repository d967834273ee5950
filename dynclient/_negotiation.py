"""Content negotiation: match a Content-Type with documented media ranges, write Accept, and read and write charsets.

Rule 1: of the documented ranges that match, the most specific one is used; of equals, the first in the document.
Rule 2: a key in the document that is not a media range matches nothing, is left out of Accept, and is not an error.
Rule 3: a server's Content-Type is read leniently, a caller's values strictly.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable
from functools import lru_cache

from dynclient.exceptions import DecodeError, EncodeError
from dynclient.http_grammar import is_token
from dynclient.media_types import JSON, ContentType, essence, find, parse


def match(content_type: str, ranges: Iterable[str]) -> str | None:
    """Find the most specific documented range that matches a Content-Type, as spelled in the document.

    From most to least specific: exact with parameters, exact, ``application/*+json``, ``application/*``, ``*/*``.
    """
    return _match(content_type, tuple(ranges))


@lru_cache(maxsize=256)
def _match(content_type: str, ranges: tuple[str, ...]) -> str | None:
    # OAS 3.1.1, Response Object, content: for responses that match multiple keys, only the most specific is applicable.
    actual = _received(content_type)
    if actual is None:
        return None
    best, best_rank = None, _NO_MATCH
    for text in ranges:
        documented = _documented(text)
        rank = _NO_MATCH if documented is None else _rank(actual, documented)
        if rank > best_rank:
            best, best_rank = text, rank
    return best


def accept(ranges: Iterable[str], *, streaming: bool = False) -> str:
    """Write an Accept value of all documented ranges, JSON first.

    With ``streaming``, sequences of items come before JSON, so that servers with both send a stream. Weights decrease
    from one range to the next, since some servers use only the order and others only the weights.
    """
    # RFC 9110, 12.5.1: without a weight, a range has the weight 1.
    known: dict[str, ContentType] = {}
    for text in ranges:
        documented = _documented(text)
        if documented is not None:
            known.setdefault(_written(documented), documented)
    ordered = sorted(known, key=lambda text: _preference(known[text]))
    if streaming:
        ordered.sort(key=lambda text: not find(known[text].essence).sequential)
    weighted = [text if n == 0 else f"{text};q=0.{max(10 - n, 1)}" for n, text in enumerate(ordered)]
    return ", ".join(weighted) or "*/*"


_NO_MATCH = (-1, 0)


def _rank(actual: ContentType, documented: ContentType) -> tuple[int, int]:
    """How specifically a documented range describes a media type; higher is more specific."""
    asked = [pair for pair in documented.parameters if pair[0] != "q"]
    missed = 0
    for name, value in asked:
        found = actual.get(name)
        if found != value and not (found and name == "charset" and found.lower() == value.lower()):
            # A charset says how bytes become text, not which schema applies. If another parameter is missing, the range
            # matches unless a better one is documented; if its value differs, the range does not match.
            if found is not None and name != "charset":
                return _NO_MATCH
            missed += 1
    level = _level(actual, documented)
    return (level, len(asked) - 2 * missed) if level >= 0 else _NO_MATCH


def _level(actual: ContentType, documented: ContentType) -> int:
    """How much of a media type a documented range specifies: 3 all, 2 the suffix, 1 the type, 0 nothing.

    -1 no match.
    """
    if documented.essence == actual.essence:
        return 3
    if documented.type not in {actual.type, "*"}:
        return -1
    if documented.subtype.startswith("*+"):
        return 2 if documented.suffix in {actual.suffix, actual.subtype} else -1
    if documented.subtype != "*":
        return -1
    return 0 if documented.type == "*" else 1


def _received(text: str) -> ContentType | None:
    """Read a server's Content-Type: malformed parameters are dropped, and of several types the last one is used."""
    # RFC 9110, 8.3: recipients often take the last syntactically valid member of a Content-Type that came twice.
    for candidate in (text, *reversed(text.split(","))):
        for part in (candidate, essence(candidate)):
            content_type = _documented(part)
            if content_type is not None:
                return content_type
    return None


def _documented(text: object) -> ContentType | None:
    try:
        return parse(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _preference(documented: ContentType) -> int:
    if "*" in documented.essence:
        return 4
    kind = find(documented.essence).name
    if kind == "json":
        return 0 if documented.essence == JSON else 1
    return 2 if kind == "xml" else 3


def _written(content_type: ContentType) -> str:
    """Write a media type, with parameters quoted where needed and without a documented weight."""
    parameters = [(name, value) for name, value in content_type.parameters if name != "q"]
    return content_type.essence + "".join(f"; {name}={quoted(value)}" for name, value in parameters)


def quoted(value: str) -> str:
    """Write a parameter's value: a token as it is, any other text as a quoted string (RFC 9110, 5.6.4)."""
    if is_token(value):
        return value
    return '"' + re.sub(r'(["\\])', r"\\\1", value) + '"'


# Charsets: text <-> bytes, strictly, never with replacement characters.

BOM = "\ufeff"

# Python also calls transformations of text "codecs" (rot13, zip, idna, unicode_escape): a server may not choose those.
_NOT_CHARSETS = frozenset(
    {"idna", "mbcs", "oem", "punycode", "raw-unicode-escape", "undefined", "unicode-escape", "utf-7"}
)
# UTF-32 comes first: its little-endian mark begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_ZEROS = ((b"\0\0", "utf-32-be"), (b"\0", "utf-16-be"))


def unicode_encoding(data: bytes) -> tuple[str, int]:
    """The encoding of Unicode text that begins with an ASCII character, and the length of its byte order mark.

    The empty string stands for UTF-8 or another charset based on ASCII. The first character of YAML (YAML 1.2.2, 5.2),
    JSON and XML (XML 1.0, appendix F) is ASCII, so the zero bytes around it show the encoding.
    """
    for mark, name in _MARKS:
        if data.startswith(mark):
            return name, len(mark)
    if data[1:4] == b"\0\0\0":
        return "utf-32-le", 0
    if data[1:2] == b"\0" and data[:1] != b"\0":
        return "utf-16-le", 0
    return next((name for zeros, name in _ZEROS if data.startswith(zeros)), ""), 0


def is_known(name: str) -> bool:
    """Whether a name is that of a charset that can be read and written."""
    try:
        info = codecs.lookup(name)
    except (LookupError, ValueError):
        return False
    # Python has no public name for this attribute.
    return bool(getattr(info, "_is_text_encoding", True)) and info.name not in _NOT_CHARSETS


def encode_text(text: str, name: str) -> bytes:
    """Write text in a charset.

    Raises:
        EncodeError: the charset is not known, or it can't encode a character (no charset can encode a lone surrogate).
    """
    if not is_known(name):
        raise EncodeError(f"the charset {name[:40]!r} is not known")
    try:
        return text.encode(name)
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        column = error.start - (text.rfind("\n", 0, error.start) + 1) + 1
        message = f"the text has U+{ord(text[error.start]):04X}, which can't be encoded in {name}"
        raise EncodeError(message, line=line, column=column) from None
    except UnicodeError:
        raise EncodeError(f"the text can't be encoded in {name}") from None


def decode_text(body: bytes, name: str) -> str:
    """Read text in a charset; a byte order mark at its beginning is removed.

    Raises:
        DecodeError: the charset is not known, or the bytes are not text in it.
    """
    if not is_known(name):
        raise DecodeError(f"the body's charset {name[:40]!r} is not known")
    try:
        text = body.decode(name)
    except UnicodeDecodeError as error:
        raise DecodeError(f"the body is not text in {name}: {error.reason}", offset=error.start) from None
    except UnicodeError:
        raise DecodeError(f"the body is not text in {name}") from None
    return text.removeprefix(BOM)
