"""``application/x-www-form-urlencoded``, by the Encoding Object.

Rule 1: a property with ``style``, ``explode`` or ``allowReserved`` is written like a query parameter of that style. Any
other is text of its content type: a scalar unchanged, an object as JSON, an array as one field for each item.
Rule 2: reading is the reverse; a field that is not in the schema is a string, or a list of strings if it occurs twice.
"""

from __future__ import annotations

from functools import partial
from typing import Any
from urllib.parse import quote_plus, unquote_plus

from dynclient import _schemas, _styles
from dynclient._charsets import decode_text, encode_text
from dynclient._schemas import shapes
from dynclient.codecs import fields
from dynclient.codecs.codec import Codec, Encoded, too_many
from dynclient.exceptions import ArgumentError, DecodeError, EncodeError
from dynclient.media_types import OCTETS, charset_of, is_concrete
from dynclient.model import Encoding, MediaType, Schema
from dynclient.options import Limits
from dynclient.transports.clock import look

# URL Standard, 5.2: the application/x-www-form-urlencoded percent-encode set leaves these as they are.
_KEPT = "*-._"


def encode(value: Any, media_type: MediaType, content_type: str) -> Encoded:
    """Write a mapping as a form; text is sent as a form unchanged.

    Raises:
        EncodeError: a value can't be written in a form.
    """
    charset = charset_of(content_type) or "utf-8"
    if isinstance(value, str):
        return Encoded(encode_text(value, charset), content_type)
    if not isinstance(value, dict):
        raise EncodeError(f"a form must be a mapping of its fields, not a {type(value).__name__}")
    written = [_written(name, each, media_type, charset) for name, each in value.items()]
    return Encoded("&".join(filter(None, written)).encode("ascii"), content_type)


def _written(name: str, value: Any, media_type: MediaType, charset: str) -> str:
    """One property: no field, one, or one for each item."""
    encoding = media_type.encoding.get(name, fields.NO_ENCODING)
    if encoding.style is not None:
        try:
            return _styles.serialize(
                value,
                name=name,
                in_="form",
                style=encoding.style,
                explode=encoding.explode,
                allow_reserved=encoding.allow_reserved,
            )
        except ArgumentError as error:
            raise EncodeError(error.message) from None
    schema = fields.property_schema(media_type, name)
    items = fields.items(value, schema, single=fields.is_single(encoding))
    texts = [_text(each, encoding, item) for each, item in items if each is not None]
    return "&".join(f"{_quoted(name, charset)}={_quoted(text, charset)}" for text in texts)


def _text(value: Any, encoding: Encoding, schema: Schema | None) -> str:
    """One value as the text of its content type; binary values are base64 already."""
    if isinstance(value, str) and schema is not None and fields.default_type(schema, value) == OCTETS:
        return value
    from dynclient import codecs

    name = fields.content_type(encoding, schema, value)
    encoded = codecs.find(name).encode(value, fields.as_media_type(encoding, schema, name), name)
    if not isinstance(encoded.body, bytes):
        raise EncodeError("a field of a form can't be a stream")
    return decode_text(encoded.body, charset_of(encoded.content_type) or "utf-8")


def _quoted(text: str, charset: str) -> str:
    return quote_plus(encode_text(text, charset), safe=_KEPT).replace("~", "%7E")


def decode(body: bytes, media_type: MediaType | None, content_type: str, limits: Limits) -> Any:
    """Read a form: a mapping, typed by the schema.

    Raises:
        DecodeError: it is not text in its charset, or a field does not fit its content type.
    """
    media_type = media_type or MediaType(content_type)
    charset = charset_of(content_type) or "utf-8"
    text = decode_text(body, "utf-8")
    if limits.body_values is not None and text.count("&") >= limits.body_values:
        raise too_many(limits.body_values)
    pairs = [_pair(field, charset) for field in text.split("&") if field]
    found: dict[str, Any] = {}
    taken: set[str] = set()
    for field in fields.styled(media_type):
        taken |= field.names(name for name, _ in pairs)
        value = field.read(text)
        if value is not _styles.ABSENT:
            found[field.name] = value
    by_name: dict[str, list[str]] = {}
    for name, value in pairs:
        if name not in taken:
            by_name.setdefault(name, []).append(value)
    for name, values in by_name.items():
        look()
        encoding = media_type.encoding.get(name, fields.NO_ENCODING)
        value_of = partial(_value, encoding=encoding, limits=limits)
        schema = fields.property_schema(media_type, name)
        found[name] = fields.read(values, schema, value_of, single=fields.is_single(encoding))
    return found


def _pair(field: str, charset: str) -> tuple[str, str]:
    look()
    name, _, value = field.partition("=")
    try:
        return unquote_plus(name, charset, "strict"), unquote_plus(value, charset, "strict")
    except (UnicodeError, LookupError):
        raise DecodeError(f"a field of the form is not text in {charset[:40]!r}") from None


def _value(text: str, schema: Schema | None, encoding: Encoding, limits: Limits) -> Any:
    if schema is None:
        return text
    from dynclient import codecs

    shape = shapes.sole(schema)
    default = fields.default_type(schema, {} if shapes.is_object(shape) or shapes.is_array(shape) else "")
    concrete = list(filter(is_concrete, fields.content_types(encoding)))
    name = concrete[0] if len(concrete) == 1 else default
    codec = codecs.find(name)
    if codec.files:
        return text if shape.types <= {"string", "null"} else _schemas.typed(schema, text)
    return codec.decode(
        text.encode("utf-8", "surrogatepass"), fields.as_media_type(encoding, schema, name), name, limits
    )


CODEC = Codec("form", encode, decode)
