"""``text/*``, and the media types that are text by another name: a value is its characters."""

from __future__ import annotations

from typing import Any

from dynclient import _styles
from dynclient.codecs import charsets, streams
from dynclient.codecs.codec import Codec, Encoded
from dynclient.exceptions import EncodeError
from dynclient.model import MediaType
from dynclient.options import Limits

_EXACT_INTEGERS = 2**53


def scalar(value: Any) -> str:
    """A scalar's text: a string as it is, a number, boolean or null as JSON writes it.

    Raises:
        EncodeError: the value is no scalar, or not finite.
    """
    if isinstance(value, str):
        return value
    if value is None:
        return "null"
    try:
        written = _styles.scalar(value)
    except ValueError as error:
        raise EncodeError(f"the text {error}") from None
    # Digits alone would be read as an integer, which can hold more of them than the float meant.
    return repr(value) if isinstance(value, float) and abs(value) >= _EXACT_INTEGERS else written


def encode(value: Any, media_type: MediaType, content_type: str) -> Encoded:  # noqa: ARG001  # every codec's arguments
    """Write a scalar as text; bytes, paths and file objects go as they are.

    RFC 6657, 4: text beyond ASCII needs its charset said, so that it is added where the content type has none.
    """
    if streams.is_content(value):
        return Encoded(streams.body(value), content_type)
    text = scalar(value)
    name = charsets.charset(content_type)
    body = charsets.encode_text(text, name or "utf-8")
    if name is None and not text.isascii() and content_type.lower().startswith("text/"):
        content_type += "; charset=utf-8"
    return Encoded(body, content_type)


def decode(body: bytes, media_type: MediaType | None, content_type: str, limits: Limits) -> Any:  # noqa: ARG001  # every codec's arguments
    """Read text, UTF-8 unless the content type says otherwise, and type it by the schema: ``3`` may be an int."""
    from dynclient import _schemas

    text = charsets.decode_text(body, charsets.charset(content_type) or "utf-8")
    if media_type is None or media_type.schema is None:
        return text
    return _schemas.typed(media_type.schema, text)


CODEC = Codec("text", encode, decode, files=True)
