"""Text and bytes: media types whose value is the body itself.

``text/*`` and other media types of text have a string, decoded by the charset; the schema may type it. Media types
without another codec have bytes.
"""

from __future__ import annotations

from typing import Any

from dynclient import _styles
from dynclient._charsets import decode_text, encode_text
from dynclient.codecs.codec import Codec, Encoded, is_content, raw_body
from dynclient.exceptions import DecodeError, EncodeError
from dynclient.media_types import charset_of, find
from dynclient.model import MediaType
from dynclient.options import Limits

_EXACT_INTEGERS = 2**53


def scalar(value: Any) -> str:
    """Write a scalar as text: a string as it is, a number, boolean or null as in JSON.

    Raises:
        EncodeError: the value is not a scalar, or not finite.
    """
    if isinstance(value, str):
        return value
    if value is None:
        return "null"
    try:
        text = _styles.scalar(value)
    except ValueError as error:
        raise EncodeError(f"the value {error}") from None
    # Digits alone would be read as an integer, with more digits than the float has.
    return repr(value) if isinstance(value, float) and abs(value) >= _EXACT_INTEGERS else text


def encode_as_text(value: Any, media_type: MediaType, content_type: str) -> Encoded:  # noqa: ARG001  # every codec's arguments
    """Write a scalar as text; bytes, paths and file objects are sent as they are.

    RFC 6657, 4: text beyond ASCII needs a charset parameter, so it is added if the content type has none.
    """
    if is_content(value):
        return Encoded(raw_body(value), content_type)
    if isinstance(value, (dict, list)):
        raise _no_codec(value, content_type)
    text = scalar(value)
    charset = charset_of(content_type)
    body = encode_text(text, charset or "utf-8")
    if charset is None and not text.isascii() and content_type.lower().startswith("text/"):
        content_type += "; charset=utf-8"
    return Encoded(body, content_type)


def decode_as_text(body: bytes, media_type: MediaType | None, content_type: str, limits: Limits) -> Any:  # noqa: ARG001  # every codec's arguments
    """Read text, in UTF-8 unless the content type names another charset; by its schema ``3`` may be an int."""
    from dynclient import _schemas

    text = decode_text(body, charset_of(content_type) or "utf-8")
    if media_type is None or media_type.schema is None or _schemas.is_structured(media_type.schema):
        return text
    return _schemas.typed(media_type.schema, text)


def _no_codec(value: Any, content_type: str) -> EncodeError:
    return EncodeError(
        f"a {type(value).__name__} can't be written as {content_type}: there is no codec for this media type",
        hint="pass text, bytes, a path or a file object with what is in this media type already, or register a codec "
        "(dynclient.codecs.register)",
    )


def encode_as_bytes(value: Any, media_type: MediaType, content_type: str) -> Encoded:  # noqa: ARG001  # every codec's arguments
    """Send bytes, paths, file objects and iterators of bytes as they are, and a scalar as its text.

    Raises:
        EncodeError: the value is a mapping or a sequence, for which this media type has no form.
    """
    if is_content(value):
        return Encoded(raw_body(value), content_type)
    if isinstance(value, (dict, list, tuple)):
        raise _no_codec(value, content_type)
    return Encoded(encode_text(scalar(value), charset_of(content_type) or "utf-8"), content_type)


def decode_as_bytes(body: bytes, media_type: MediaType | None, content_type: str, limits: Limits) -> Any:
    """Return the bytes; or text, if the schema is a string and neither it nor the media type is binary."""
    if media_type is None or media_type.schema is None or find(content_type).opaque:
        return body
    from dynclient import _schemas

    if _schemas.is_binary(media_type.schema) or "string" not in _schemas.shape(media_type.schema).types:
        return body
    try:
        return decode_as_text(body, media_type, content_type, limits)
    except DecodeError:
        return body


TEXT = Codec("text", encode_as_text, decode_as_text, files=True)
BINARY = Codec("binary", encode_as_bytes, decode_as_bytes, files=True)
