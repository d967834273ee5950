"""Forms: their fields, by the Encoding Object and the schema, and ``application/x-www-form-urlencoded``.

Rule 1: the content type of a field is the caller's (``(filename, content, content type)``), else ``contentType`` of the
Encoding Object, else the default for the schema's type.
Rule 2: an array is one field for each item, unless the Encoding Object gives it a JSON media type, which then applies
to the whole property.
Rule 3: a null is left out.
Rule 4: a property with ``style``, ``explode`` or ``allowReserved`` is written like a query parameter of that style. Any
other is text of its content type: a scalar unchanged, an object as JSON.
Rule 5: reading is the reverse; a field that is not in the schema is a string, or a list of strings if it occurs twice.
"""

from __future__ import annotations

import mimetypes
import os
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, Literal, TypeVar
from urllib.parse import quote_plus, unquote_plus

from dynclient import _negotiation, _schemas, _styles
from dynclient._negotiation import decode_text, encode_text
from dynclient._records import Record
from dynclient._schemas import shapes
from dynclient.codecs.codec import Codec, Encoded, is_content, too_many
from dynclient.exceptions import ArgumentError, DecodeError, EncodeError
from dynclient.json_pointer import MISSING
from dynclient.media_types import JSON, OCTETS, TEXT, charset_of, find, is_concrete, parse
from dynclient.model import Encoding, MediaType, Schema
from dynclient.options import Limits
from dynclient.transports.clock import look

NO_ENCODING = Encoding()
T = TypeVar("T")

# OAS 3.2, Encoding Object, contentType: the default for each type. Without a type it is application/octet-stream.
_DEFAULTS = {"string": TEXT, "number": TEXT, "integer": TEXT, "boolean": TEXT, "object": JSON, "array": JSON}
# RFC 2045, 6.1: the transfer encodings that a schema's contentEncoding may name.
_TRANSFER_ENCODINGS = frozenset({"base64", "quoted-printable"})


class File(Record):
    """A file of a form: its content, and its name and content type if known."""

    name: str | None
    content: Any
    content_type: str | None = None


def file_of(value: Any) -> File | None:
    """A value as a file, if it is bytes, a path, a file object, an iterator, or a tuple that begins with a name."""
    if isinstance(value, tuple):
        name, content, *rest = value
        return File(name, content, rest[0] if rest else None)
    if not is_content(value):
        return None
    path = os.fspath(value) if isinstance(value, os.PathLike) else getattr(value, "name", None)
    known = isinstance(path, str) and not path.startswith("<")
    return File((str(path).replace("\\", "/").rpartition("/")[2] or None) if known else None, value)


def is_binary(schema: Schema | None) -> bool:
    """Whether a field of this schema is raw bytes: the schema says so, or it has no type."""
    if schema is None:
        return False
    return _schemas.is_binary(schema) or (
        shapes.is_any(shape := shapes.sole(schema)) and not (shape.one_of or shape.any_of or shape.enum)
    )


def is_encoded(schema: Schema | None) -> bool:
    """Whether a schema's strings are encoded bytes, which stay text in a field."""
    if schema is None:
        return False
    shape = shapes.sole(schema)
    return bool(shape.content_encoding) or (shape.format == "byte" and "string" in shape.types)


def transfer_encoding(schema: Schema | None) -> str | None:
    """The encoding of bytes in a schema's strings, if a Content-Transfer-Encoding header can name it.

    OAS 3.2, Encoding multipart Media Types: ``contentEncoding`` equals that header; 3.0.4: so does ``byte``.
    """
    if schema is None or not is_encoded(schema):
        return None
    name = (shapes.sole(schema).content_encoding or "base64").lower()
    return name if name in _TRANSFER_ENCODINGS else None


def default_type(schema: Schema | None, value: Any) -> str:
    """The content type of a value by its schema alone."""
    if isinstance(value, (dict, list)):
        return JSON
    if schema is None:
        return TEXT
    if is_binary(schema) or is_encoded(schema):
        return OCTETS
    types = shapes.sole(schema).types - {"null"}
    return _DEFAULTS[next(iter(types))] if len(types) == 1 else TEXT


def field_type(encoding: Encoding, schema: Schema | None, value: Any) -> str:
    """The content type of a field.

    Raises:
        EncodeError: the caller's content type is malformed.
    """
    file = file_of(value)
    if file is not None and file.content_type:
        try:
            parse(file.content_type)
        except ValueError:
            raise EncodeError(f"{file.content_type[:80]!r} is not a content type") from None
        return file.content_type
    allowed = content_types(encoding)
    concrete = list(filter(is_concrete, allowed))
    if file is None:
        default = default_type(schema, value)
        if not allowed:
            return default
        return next((each for each in concrete if _negotiation.match(default, [each])), (concrete or [default])[0])
    guessed = mimetypes.guess_type(file.name)[0] if file.name else None
    if guessed and (not allowed or _negotiation.match(guessed, allowed)):
        return guessed
    return next(iter(concrete), OCTETS)


def content_types(encoding: Encoding) -> list[str]:
    """The media types and ranges that an Encoding Object allows."""
    return [each.strip() for each in (encoding.content_type or "").split(",") if each.strip()]


def is_single(encoding: Encoding) -> bool:
    """Whether an array is a single field because of its content type, not one for each item."""
    allowed = content_types(encoding)
    return len(allowed) == 1 and find(allowed[0]).name in {"json", "multipart"}


def field_values(value: Any, schema: Schema | None, *, single: bool) -> list[tuple[Any, Schema | None]]:
    """The values to write for a property, each with its schema: the items of a list, unless it is a single field."""
    if single or not isinstance(value, list):
        return [(value, schema)]
    shape = shapes.sole(schema) if schema is not None else None
    return [(each, shapes.item_schema(shape, index) if shape else None) for index, each in enumerate(value)]


def as_media_type(encoding: Encoding, schema: Schema | None, name: str) -> MediaType:
    """A field as a separate body, for the codec of its content type."""
    return MediaType(
        name,
        schema=schema,
        encoding=encoding.encoding,
        prefix_encoding=encoding.prefix_encoding,
        item_encoding=encoding.item_encoding,
    )


def property_schema(media_type: MediaType, name: str) -> Schema | None:
    """The schema of a property of the body; a property of one branch of ``oneOf`` or ``anyOf`` counts too."""
    if media_type.schema is None:
        return None
    shape = shapes.sole(media_type.schema)
    found = shapes.property_schema(shape, name)
    if found is None:
        branches = (shapes.sole(each) for each in (*shape.one_of, *shape.any_of))
        found = next((each.properties[name] for each in branches if name in each.properties), None)
    return found


def read_values(
    found: list[T], schema: Schema | None, convert: Callable[[T, Schema | None], Any], *, single: bool
) -> Any:
    """The value of a property that occurs one or more times: an array by its items, unless it is a single field."""
    shape = shapes.sole(schema) if schema is not None else None
    if shape is not None and shapes.is_array(shape) and not single:
        return [convert(each, shapes.item_schema(shape, index)) for index, each in enumerate(found)]
    values = [convert(each, schema) for each in found]
    return values[0] if len(values) == 1 else values


class StyledField(Record):
    """A property that is written in a style, like a query parameter (OAS 3.2, Encoding Object, style)."""

    name: str
    encoding: Encoding
    schema: Schema | None
    kind: Literal["primitive", "array", "object"]
    properties: frozenset[str]

    @property
    def is_exploded(self) -> bool:
        """Whether the names in a body are those of an object's properties."""
        return self.kind == "object" and self.encoding.explode and self.encoding.style != "deepObject"

    @property
    def is_open(self) -> bool:
        """Whether every name in a body may be that of a property."""
        return self.is_exploded and not self.properties

    def read(self, text: str) -> Any:
        """The value, from the fields of a form; ``MISSING`` if it is not there."""
        value = _styles.deserialize(
            text,
            name=self.name,
            in_="form",
            style=self.encoding.style or "form",
            explode=self.encoding.explode,
            kind=self.kind,
            properties=self.properties,
        )
        return value if value is MISSING or self.schema is None else _schemas.typed(self.schema, value)


def styled(media_type: MediaType, names: Iterable[str]) -> Iterator[tuple[StyledField, list[str]]]:
    """The properties of a body that are written in a style, each with the names in the body that belong to it."""
    by_base: dict[str, list[str]] = {}
    for name in names:
        by_base.setdefault(name.partition("[")[0], []).append(name)
    for name, encoding in media_type.encoding.items():
        if encoding.style is not None:
            schema, properties = property_schema(media_type, name), frozenset[str]()
            kind: Any = "primitive"
            if schema is not None:
                shape = shapes.sole(schema)
                kind = "array" if shapes.is_array(shape) else "object" if shapes.is_object(shape) else "primitive"
                properties = frozenset(shape.properties)
            look()
            field = StyledField(name, encoding, schema, kind, properties)
            own = properties if field.is_exploded else frozenset()
            near = {each for one in (name, *own) for each in by_base.get(one.partition("[")[0], ())}
            yield field, [each for each in near if each == name or each.startswith(f"{name}[") or each in own]


# -- URL-encoded forms -------------------------------------------------------------------------------------------------

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
    encoding = media_type.encoding.get(name, NO_ENCODING)
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
    schema = property_schema(media_type, name)
    items = field_values(value, schema, single=is_single(encoding))
    texts = [_text(each, encoding, item) for each, item in items if each is not None]
    return "&".join(f"{_quoted(name, charset)}={_quoted(text, charset)}" for text in texts)


def _text(value: Any, encoding: Encoding, schema: Schema | None) -> str:
    """One value as the text of its content type; binary values are base64 already."""
    if isinstance(value, str) and schema is not None and default_type(schema, value) == OCTETS:
        return value
    from dynclient import codecs

    name = field_type(encoding, schema, value)
    encoded = codecs.find(name).encode(value, as_media_type(encoding, schema, name), name)
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
    fields = list(filter(None, text.split("&")))
    pairs = [_pair(field, charset) for field in fields]
    found: dict[str, Any] = {}
    by_name: dict[str, list[int]] = {}
    for position, (name, _) in enumerate(pairs):
        by_name.setdefault(name, []).append(position)
    taken: set[str] = set()
    for field, names in styled(media_type, by_name):
        taken.update(names)
        own = sorted(position for name in names for position in by_name[name])
        value = field.read("&".join(fields if field.is_open else [fields[position] for position in own]))
        if value is not MISSING:
            found[field.name] = value
    for name in [name for name in by_name if name not in taken]:
        look()
        values = [pairs[position][1] for position in by_name[name]]
        encoding = media_type.encoding.get(name, NO_ENCODING)
        value_of = partial(_value, encoding=encoding, limits=limits)
        schema = property_schema(media_type, name)
        found[name] = read_values(values, schema, value_of, single=is_single(encoding))
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
    default = default_type(schema, {} if shapes.is_object(shape) or shapes.is_array(shape) else "")
    concrete = list(filter(is_concrete, content_types(encoding)))
    name = concrete[0] if len(concrete) == 1 else default
    codec = codecs.find(name)
    if codec.files:
        return text if shape.types <= {"string", "null"} else _schemas.typed(schema, text)
    return codec.decode(text.encode("utf-8", "surrogatepass"), as_media_type(encoding, schema, name), name, limits)


CODEC = Codec("form", encode, decode)
