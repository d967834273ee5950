"""``application/x-www-form-urlencoded``, by the Encoding Object.

Rule 1: a property with ``style``, ``explode`` or ``allowReserved`` is written as a query parameter of that style would
be. Any other is text of its content type: a scalar as it is, an object as JSON, an array as a field for each item.
Rule 2: reading is the way back; what the schema does not name is text, or a list of texts where it comes twice.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote_plus, unquote_plus

from dynclient import _schemas, _styles
from dynclient.codecs import charsets, parts, shapes
from dynclient.codecs.codec import Codec, Encoded
from dynclient.exceptions import ArgumentError, DecodeError, EncodeError
from dynclient.media_types import OCTETS
from dynclient.model import Encoding, MediaType, Schema
from dynclient.options import Limits

_NOTHING = Encoding()
# URL Standard, 5.2: the application/x-www-form-urlencoded percent-encode set leaves these as they are.
_KEPT = "*-._"


def encode(value: Any, media_type: MediaType, content_type: str) -> Encoded:
    """Write a mapping as a form; text is a form already.

    Raises:
        EncodeError: a value has no form there.
    """
    if isinstance(value, str):
        return Encoded(charsets.encode_text(value, charsets.charset(content_type) or "utf-8"), content_type)
    if not isinstance(value, dict):
        raise EncodeError(f"a form is a mapping of its fields, not a {type(value).__name__}")
    name = charsets.charset(content_type) or "utf-8"
    fields = [_field(key, each, media_type, name) for key, each in value.items()]
    return Encoded("&".join(filter(None, fields)).encode("ascii"), content_type)


def _field(name: str, value: Any, media_type: MediaType, charset: str) -> str:
    encoding = media_type.encoding.get(name, _NOTHING)
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
    schema = _property(media_type, name)
    if isinstance(value, list) and not parts.is_one(encoding):
        shape = shapes.sole(schema) if schema is not None else None
        items = [(each, shapes.item_schema(shape, index) if shape else None) for index, each in enumerate(value)]
    else:
        items = [(value, schema)]
    texts = [_text(each, encoding, item) for each, item in items if each is not None]
    return "&".join(f"{_quoted(name, charset)}={_quoted(text, charset)}" for text in texts)


def _text(value: Any, encoding: Encoding, schema: Schema | None) -> str:
    """One value as the text of its content type; binary values are text in base64 already."""
    if isinstance(value, str) and schema is not None and parts.default_type(schema, value) == OCTETS:
        return value
    from dynclient import codecs

    content_type = parts.content_type(encoding, schema, value)
    encoded = codecs.find(content_type).encode(value, parts.media_type(encoding, schema, content_type), content_type)
    if not isinstance(encoded.body, bytes):
        raise EncodeError("a field of a form can't be a stream")
    return charsets.decode_text(encoded.body, charsets.charset(encoded.content_type) or "utf-8")


def _quoted(text: str, charset: str) -> str:
    return quote_plus(charsets.encode_text(text, charset), safe=_KEPT).replace("~", "%7E")


def _property(media_type: MediaType, name: str) -> Schema | None:
    if media_type.schema is None:
        return None
    shape = shapes.sole(media_type.schema)
    found = shapes.property_schema(shape, name)
    if found is None:
        branches = (shapes.sole(each) for each in (*shape.one_of, *shape.any_of))
        found = next((each.properties[name] for each in branches if name in each.properties), None)
    return found


def decode(body: bytes, media_type: MediaType | None, content_type: str, limits: Limits) -> Any:
    """Read a form: a mapping, typed by the schema.

    Raises:
        DecodeError: it is not text in its charset, or a field is not what its content type says.
    """
    charset = charsets.charset(content_type) or "utf-8"
    text = charsets.decode_text(body, "utf-8")
    pairs = [_pair(field, charset) for field in text.split("&") if field]
    if media_type is None:
        return _several(pairs)
    found: dict[str, Any] = {}
    taken: set[str] = set()
    for name, encoding in media_type.encoding.items():
        if encoding.style is not None:
            value, names = _styled(name, encoding, media_type, text, pairs)
            taken |= names
            if value is not _styles.ABSENT:
                found[name] = value
    by_name: dict[str, list[str]] = {}
    for name, value in pairs:
        if name not in taken:
            by_name.setdefault(name, []).append(value)
    for name, values in by_name.items():
        found[name] = _values(values, media_type, name, limits)
    return found


def _pair(field: str, charset: str) -> tuple[str, str]:
    name, _, value = field.partition("=")
    try:
        return unquote_plus(name, charset, "strict"), unquote_plus(value, charset, "strict")
    except (UnicodeError, LookupError):
        raise DecodeError(f"a field of the form is not text in {charset[:40]!r}") from None


def _styled(
    name: str, encoding: Encoding, media_type: MediaType, text: str, pairs: list[tuple[str, str]]
) -> tuple[Any, set[str]]:
    """A property that was written in a style, and the names of the fields that it took."""
    schema = _property(media_type, name)
    shape = shapes.sole(schema) if schema is not None else None
    kind: Any = "primitive"
    if shape is not None:
        kind = "array" if shapes.is_array(shape) else "object" if shapes.is_object(shape) else "primitive"
    own = set(shape.properties) if shape is not None else set()
    value = _styles.deserialize(
        text,
        name=name,
        in_="form",
        style=encoding.style or "form",
        explode=encoding.explode,
        kind=kind,
        properties=own,
    )
    if value is not _styles.ABSENT and schema is not None:
        value = _schemas.typed(schema, value)
    spread = own if kind == "object" and encoding.explode and encoding.style == "form" else set()
    return value, {key for key, _ in pairs if key == name or key.startswith(f"{name}[") or key in spread}


def _values(values: list[str], media_type: MediaType, name: str, limits: Limits) -> Any:
    """The value of the fields that share a name."""
    schema = _property(media_type, name)
    encoding = media_type.encoding.get(name, _NOTHING)
    if schema is None:
        return values[0] if len(values) == 1 else values
    shape = shapes.sole(schema)
    if shapes.is_array(shape) and not parts.is_one(encoding):
        return [_value(each, encoding, shapes.item_schema(shape, index), limits) for index, each in enumerate(values)]
    read = [_value(each, encoding, schema, limits) for each in values]
    return read[0] if len(read) == 1 else read


def _value(text: str, encoding: Encoding, schema: Schema | None, limits: Limits) -> Any:
    from dynclient import codecs

    if schema is None:
        return text
    shape = shapes.sole(schema)
    types = shape.types - {"null"}
    structured = parts.default_type(schema, {} if shapes.is_object(shape) or shapes.is_array(shape) else "")
    concrete = [each for each in parts.ranges(encoding) if "*" not in each]
    content_type = concrete[0] if len(concrete) == 1 else structured
    codec = codecs.find(content_type)
    if codec.files and types <= {"string"}:
        return text
    if codec.files:
        return _schemas.typed(schema, text)
    return codec.decode(
        text.encode("utf-8", "surrogatepass"), parts.media_type(encoding, schema, content_type), content_type, limits
    )


def _several(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    by_name: dict[str, list[str]] = {}
    for name, value in pairs:
        by_name.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in by_name.items()}


CODEC = Codec("form", encode, decode)
