"""``multipart/*``: a value in parts, each with a content type of its own (RFC 2046, RFC 7578).

A mapping becomes named parts, a list ordered ones. Where a part is a stream, so is the body: no file is held in memory.
The boundary is the one that the content type gives, or one from :data:`random_boundary`.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import partial
from typing import Any

from dynclient.codecs.codec import Codec, Encoded
from dynclient.model import MediaType
from dynclient.options import Limits


def random_boundary() -> str:
    """A boundary that no content holds, but by a chance of one in 2**128."""
    return secrets.token_hex(16)


def codec(boundary: Callable[[], str] = random_boundary) -> Codec:
    """The codec, with what makes its boundaries."""
    return Codec("multipart", partial(_encode, boundary), decode, files=True)


def _encode(boundary: Callable[[], str], value: Any, media_type: MediaType, content_type: str) -> Encoded:
    """Write a mapping or a list as parts.

    Raises:
        EncodeError: a part can't be written, or holds the boundary that was asked for.
    """
    from dynclient.codecs.multipart import writing

    return writing.encode(value, media_type, content_type, boundary)


def decode(body: bytes, media_type: MediaType | None, content_type: str, limits: Limits) -> Any:
    """Read parts: a mapping where they have names, else a list.

    Raises:
        DecodeError: there is no boundary, a part is cut or malformed, or there are too many.
    """
    from dynclient.codecs.multipart import reading

    return reading.decode(body, media_type, content_type, limits)


CODEC = codec()
