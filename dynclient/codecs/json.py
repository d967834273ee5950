"""JSON (RFC 8259), and every media type with the suffix ``+json``.

Rule 1: nothing is guessed and nothing is lost. A name that comes twice, NaN, a number too large for a float, a lone
surrogate, bytes that are not UTF-8, anything after the value: each is an error, as is a body that nests too deep.
Rule 2: integers are exact.
Rule 3: the fast engine decides only what it is sure of; all else, and every error's text, comes from the exact one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from typing import Any

from dynclient._expressions import expression
from dynclient.codecs import charsets, json_exact
from dynclient.codecs.codec import Codec, Encoded
from dynclient.exceptions import EncodeError
from dynclient.model import MediaType
from dynclient.options import Limits

_MEMBER = expression(rb'"[ \t\r\n]*:')
_SPACE = b" \t\r\n"
_FAST_DIGITS = 4300
# Loading the fast decoder takes longer than it saves on the first few small bodies.
_SMALL = 16_384
_FIRST = iter(range(8))
_CONTAINERS = frozenset({dict, list})

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
    decoder = None if early else _fast_decoder()
    if decoder is None or limits.integer_digits < _FAST_DIGITS:
        return json_exact.load(body, limits)
    try:
        value = decoder.decode(body)
    except (ValueError, RecursionError):  # all of msgspec's errors are ValueErrors
        return json_exact.load(body, limits)
    return value if _is_whole(value, body, limits.body_depth) else json_exact.load(body, limits)


def encode(value: Any, media_type: MediaType, content_type: str) -> Encoded:  # noqa: ARG001  # every codec's arguments
    """Write a body as JSON: UTF-8, unless the content type names another charset."""
    return Encoded(charsets.encode_text(dump(value), charsets.charset(content_type) or "utf-8"), content_type)


def decode(body: bytes, media_type: MediaType | None, content_type: str, limits: Limits) -> Any:  # noqa: ARG001  # every codec's arguments
    """Read a JSON body. RFC 8259, 8.1: UTF-8, and a byte order mark may be ignored; a declared charset is honoured."""
    name = charsets.charset(content_type)
    if name is not None and name.lower() not in {"utf-8", "utf8"}:
        return json_exact.load_text(charsets.decode_text(body, name), name, limits)
    return load(body, limits)


def _is_whole(value: Any, body: bytes, depth: int) -> bool:
    """Tell whether a decoded value has every member of its text, and is no deeper than allowed.

    Without its spaces, the text has at most as many members as it has quotation marks with a colon after them, in
    strings or out of them; so that equal counts prove that no name came twice.
    """
    members = 0
    level = [value] if isinstance(value, (dict, list)) else []
    for _ in range(depth):
        below: list[Any] = []
        for container in level:
            children: Iterable[Any] = container
            if type(container) is dict:
                members += len(container)
                children = container.values()
            # The engine makes no subclasses; most containers hold no other ones, which is told at once.
            if not _CONTAINERS.isdisjoint(map(type, children)):
                below += [child for child in children if type(child) in _CONTAINERS]
        if not below:
            return members == body.translate(None, _SPACE).count(b'":') or members == len(_MEMBER.findall(body))
        level = below
    return False


@cache
def _fast_decoder() -> Any:
    try:
        import msgspec
    except ImportError:
        return None
    return msgspec.json.Decoder()


CODEC = Codec("json", encode, decode)
