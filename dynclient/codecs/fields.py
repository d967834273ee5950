"""The fields of forms and the parts of multipart bodies: how they are written, by the Encoding Object and the schema.

Rule 1: the content type is the caller's (``(filename, content, content type)``), else ``contentType`` of the Encoding
Object, else the default for the schema's type.
Rule 2: an array is one field for each item, unless the Encoding Object gives it a JSON media type, which then applies
to the whole property.
Rule 3: a null is left out.
"""

from __future__ import annotations

import mimetypes
import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal, TypeVar

from dynclient import _negotiation, _schemas, _styles
from dynclient._records import Record
from dynclient._schemas import shapes
from dynclient.codecs.codec import is_content
from dynclient.exceptions import EncodeError
from dynclient.media_types import JSON, OCTETS, TEXT, find, is_concrete, parse
from dynclient.model import Encoding, MediaType, Schema

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


def content_type(encoding: Encoding, schema: Schema | None, value: Any) -> str:
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


def items(value: Any, schema: Schema | None, *, single: bool) -> list[tuple[Any, Schema | None]]:
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


def read(found: list[T], schema: Schema | None, convert: Callable[[T, Schema | None], Any], *, single: bool) -> Any:
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

    def names(self, names: Iterable[str]) -> set[str]:
        """The names of a body that belong to the property."""
        exploded = self.kind == "object" and self.encoding.explode and self.encoding.style != "deepObject"
        own = self.properties if exploded else frozenset()
        return {each for each in names if each == self.name or each.startswith(f"{self.name}[") or each in own}

    def read(self, text: str) -> Any:
        """The value, from a whole form; ``_styles.ABSENT`` if it is not there."""
        value = _styles.deserialize(
            text,
            name=self.name,
            in_="form",
            style=self.encoding.style or "form",
            explode=self.encoding.explode,
            kind=self.kind,
            properties=self.properties,
        )
        return value if value is _styles.ABSENT or self.schema is None else _schemas.typed(self.schema, value)


def styled(media_type: MediaType) -> Iterator[StyledField]:
    """The properties of a body that are written in a style."""
    for name, encoding in media_type.encoding.items():
        if encoding.style is not None:
            schema, properties = property_schema(media_type, name), frozenset[str]()
            kind: Any = "primitive"
            if schema is not None:
                shape = shapes.sole(schema)
                kind = "array" if shapes.is_array(shape) else "object" if shapes.is_object(shape) else "primitive"
                properties = frozenset(shape.properties)
            yield StyledField(name, encoding, schema, kind, properties)
