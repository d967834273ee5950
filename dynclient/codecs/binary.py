"""``application/octet-stream`` and every media type that no other codec knows: bytes, as they are."""

from __future__ import annotations

from typing import Any

from dynclient.codecs import charsets, streams, text
from dynclient.codecs.codec import Codec, Encoded
from dynclient.exceptions import DecodeError, EncodeError
from dynclient.model import MediaType
from dynclient.options import Limits


def encode(value: Any, media_type: MediaType, content_type: str) -> Encoded:  # noqa: ARG001  # every codec's arguments
    """Send bytes, paths, file objects and iterators of bytes as they are, and a scalar as its text.

    Raises:
        EncodeError: the value is a mapping or a sequence: this media type says nothing of how to write those.
    """
    if streams.is_content(value):
        return Encoded(streams.body(value), content_type)
    if isinstance(value, (dict, list, tuple)):
        raise EncodeError(
            f"a {type(value).__name__} can't be written as {content_type}",
            hint="give bytes, a path, a file object, or text that is in this media type already",
        )
    return Encoded(charsets.encode_text(text.scalar(value), charsets.charset(content_type) or "utf-8"), content_type)


def decode(body: bytes, media_type: MediaType | None, content_type: str, limits: Limits) -> Any:
    """Give the bytes; or text, where the schema says that the body is a string and nothing says that it is binary."""
    if media_type is None or media_type.schema is None or _is_media(content_type):
        return body
    from dynclient import _schemas

    if _schemas.is_binary(media_type.schema) or "string" not in _schemas.shape(media_type.schema).types:
        return body
    try:
        return text.decode(body, media_type, content_type, limits)
    except DecodeError:
        return body


def _is_media(content_type: str) -> bool:
    """Tell whether a type is binary whatever a schema says."""
    lower = content_type.strip().lower()
    return lower.startswith(("image/", "audio/", "video/", "font/", "application/octet-stream"))


CODEC = Codec("binary", encode, decode, files=True)
