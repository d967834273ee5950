"""JSON (RFC 8259), and every media type with the suffix ``+json``.

Rule 1: nothing is guessed and nothing is lost. A name that comes twice, NaN, a number too large for a float, a lone
surrogate, bytes that are not UTF-8, anything after the value: each is an error, as is a body that nests too deep.
Rule 2: integers are exact.
Rule 3: the fast engine decides only what it is sure of; all else, and every error's text, comes from the exact one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from dynclient._expressions import expression
from dynclient._records import Record
from dynclient.codecs import charsets, json_exact
from dynclient.codecs.codec import Codec, Encoded
from dynclient.exceptions import EncodeError
from dynclient.model import MediaType
from dynclient.options import Limits

_MEMBER = expression(rb'"[ \t\r\n]*:')
_SPACE = b" \t\r\n"
_FAST_DIGITS = 4300
# Loading the fast engine takes longer than it saves on the first few small bodies.
_SMALL = 16_384
_FIRST = iter(range(8))
_CONTAINERS = frozenset({dict, list})
_SURE = _CONTAINERS | {str, int, bool, type(None)}
_UTF_8 = frozenset({"utf-8", "utf8"})
# In so many bytes it shows whether a text was written with spaces.
_SAMPLE = 200

# RFC 8259, 2: no space is significant. Text stays text: no escapes but those that JSON needs.
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def dump(value: Any) -> str:
    """Write a plain value as compact JSON text.

    Raises:
        EncodeError: the value holds NaN, an infinity, a circle, or what JSON has no form for.
    """
    try:
        return _ENCODER.encode(value)
    except ValueError as error:
        fault = "a circle" if "ircular" in str(error) else "a number that is not finite, which JSON can't hold"
        raise EncodeError(f"the body holds {fault}") from None
    except TypeError as error:
        raise EncodeError(f"the body can't be written as JSON: {error}") from None
    except RecursionError:
        raise EncodeError("the body nests too deep to be written as JSON") from None


def load(body: bytes, limits: Limits) -> Any:
    """Read JSON in UTF-8: a plain value.

    Raises:
        DecodeError: it is not JSON, or goes beyond a limit; ``offset`` is the byte where that shows.
    """
    early = len(body) < _SMALL and next(_FIRST, None) is not None
    engine = None if early else _fast_engine()
    if engine is None or limits.integer_digits < _FAST_DIGITS:
        return json_exact.load(body, limits)
    try:
        value = engine.decode(body)
        whole = _is_whole(value, body, limits.body_depth, engine)
    except (ValueError, RecursionError):  # all of msgspec's errors are ValueErrors
        whole = False
    return value if whole else json_exact.load(body, limits)


def encode(value: Any, media_type: MediaType, content_type: str) -> Encoded:  # noqa: ARG001  # every codec's arguments
    """Write a body as JSON: UTF-8, unless the content type names another charset."""
    name = charsets.charset(content_type)
    body = _fast_text(value) if name is None or name.lower() in _UTF_8 else None
    return Encoded(charsets.encode_text(dump(value), name or "utf-8") if body is None else body, content_type)


def decode(body: bytes, media_type: MediaType | None, content_type: str, limits: Limits) -> Any:  # noqa: ARG001  # every codec's arguments
    """Read a JSON body. RFC 8259, 8.1: UTF-8, and a byte order mark may be ignored; a declared charset is honoured."""
    name = charsets.charset(content_type)
    if name is not None and name.lower() not in _UTF_8:
        return json_exact.load_text(charsets.decode_text(body, name), name, limits)
    return load(body, limits)


def _fast_text(value: Any) -> bytes | None:
    """A plain value as the exact engine would write it; None where that has to be asked."""
    engine = None if next(_FIRST, None) is not None else _fast_engine()
    if engine is None:
        return None
    try:
        text: bytes = engine.encode(value)
    except (ValueError, TypeError, RecursionError):
        return None
    # What was written has no circle. The engine writes more than JSON has, floats in its own way, and NaN as null.
    level = [value]
    while level:
        kinds = set(map(type, level))
        if not kinds <= _SURE:
            return None
        if kinds.isdisjoint(_CONTAINERS):
            break
        level = [child for each in level if type(each) in _CONTAINERS for child in _children(each)]
    return text


def _children(container: Any) -> Iterable[Any]:
    return container.values() if type(container) is dict else container


def _is_whole(value: Any, body: bytes, depth: int, engine: _Fast) -> bool:
    """Tell whether a decoded value has every member of its text, and is no deeper than allowed.

    No name came twice if the value, written again, is the text: as it is where that is compact. Else members are
    counted: without its spaces, the text has at most as many as it has quotation marks with a colon after them, in
    strings or out of them; so that equal counts prove it too.
    """
    compact = b'": ' not in body[:_SAMPLE]
    if compact and body.count(b"{") + body.count(b"[") <= depth and engine.encode(value) == body:
        return True
    members = 0
    level = [value] if isinstance(value, (dict, list)) else []
    for _ in range(depth):
        below: list[Any] = []
        for container in level:
            if type(container) is dict:
                members += len(container)
            children = _children(container)
            # The engine makes no subclasses; most containers hold no other ones, which is told at once.
            if not _CONTAINERS.isdisjoint(map(type, children)):
                below += [child for child in children if type(child) in _CONTAINERS]
        if not below:
            return (
                (compact and engine.encode(value) == body)
                or members == body.translate(None, _SPACE).count(b'":')
                or members == len(_MEMBER.findall(body))
            )
        level = below
    return False


class _Fast(Record):
    """What the fast engine does."""

    decode: Callable[[bytes], Any]
    encode: Callable[[Any], bytes]


@cache
def _fast_engine() -> _Fast | None:
    try:
        import msgspec
    except ImportError:
        return None
    return _Fast(msgspec.json.Decoder().decode, msgspec.json.Encoder().encode)


CODEC = Codec("json", encode, decode)
