"""Content negotiation: match a Content-Type with documented media ranges, and write the Accept header.

Rule 1: of the documented ranges that match, the most specific one is used; of equals, the first in the document.
Rule 2: a key in the document that is not a media range matches nothing, is left out of Accept, and is not an error.
Rule 3: a server's Content-Type is read leniently, a caller's values strictly.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from dynclient.exceptions import ArgumentError
from dynclient.http_grammar import is_token
from dynclient.media_types import JSON, ContentType, essence, find, parse


def match(content_type: str, ranges: Iterable[str]) -> str | None:
    """Find the most specific documented range that matches a Content-Type, as spelled in the document.

    Exact with parameters wins over exact, over ``application/*+json``, over ``application/*``, over ``*/*``.
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


def accept(ranges: Iterable[str], preferred: str | None = None, *, streaming: bool = False) -> str:
    """Write an Accept value: only the caller's, or else all documented ranges, JSON first.

    With ``streaming``, sequences of items come before JSON, so that servers with both send a stream. Weights decrease
    from one range to the next, since some servers use only the order and others only the weights.
    """
    # RFC 9110, 12.5.1: without a weight, a range has the weight 1.
    if preferred is not None:
        if not preferred.isascii() or not preferred.isprintable():
            raise ArgumentError("accept= must be printable ASCII", argument="accept")
        return preferred
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
            # A charset says how bytes become text, never which schema applies. A missing other parameter matches if
            # nothing better is documented; a different one does not.
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
