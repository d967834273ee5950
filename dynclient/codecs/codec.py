"""What a codec is: one value with two functions.

Rule 1: a codec turns values into bytes and back; it never validates.
Rule 2: whatever goes wrong while encoding is an EncodeError, and while decoding a DecodeError: no other exception.
Rule 3: a codec knows no operation and no response; its caller adds those to the error.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from dynclient.messages import Body
from dynclient.model import MediaType
from dynclient.options import Limits


class Encoded(NamedTuple):
    """A body as it goes over the wire, and its complete Content-Type, with boundary or charset where one is needed."""

    body: Body
    content_type: str


Encode = Callable[[Any, MediaType, str], Encoded]
"""``(value, media type, content type) -> Encoded``. The value is plain; the content type is concrete, no range."""

Decode = Callable[[bytes, MediaType | None, str, Limits], Any]
"""``(body, media type or None, content type, limits) -> value``. The content type is the header's value as it came."""


class Codec(NamedTuple):
    """Writes and reads the bodies of a media range.

    ``files`` tells that it takes bytes, paths and file objects as they are.
    """

    name: str
    encode: Encode
    decode: Decode
    files: bool = False
