"""How one field of a form, or one part of a multipart body, is written: its content type, and whether it is one part.

Rule 1: what the caller says goes first (``(filename, content, content type)``), then ``contentType`` of the Encoding
Object, then the default for the schema's type.
Rule 2: an array is a field for each item. Only where the Encoding Object names a JSON media type for it is it one JSON
value, since there the type is that of the property.
Rule 3: a null is left out.
"""

from __future__ import annotations

import mimetypes
import os
from typing import Any

from dynclient import _negotiation, _schemas
from dynclient._records import Record
from dynclient.codecs import shapes, streams
from dynclient.exceptions import EncodeError
from dynclient.media_types import JSON, OCTETS, TEXT, find, parse
from dynclient.model import Encoding, MediaType, Schema

# OAS 3.2, Encoding Object, contentType: the default for a type; for an absent type it is application/octet-stream.
DEFAULTS: dict[str, str] = {
    "string": TEXT,
    "number": TEXT,
    "integer": TEXT,
    "boolean": TEXT,
    "object": JSON,
    "array": JSON,
}
_CONTAINERS: tuple[type, ...] = (dict, list)
# RFC 2045, 6.1: the encodings of a part that a schema's contentEncoding may name.
_TRANSFER_ENCODINGS = frozenset({"base64", "quoted-printable"})


class File(Record):
    """A file of a form: its name and content type, where they are known, and what gives its bytes."""

    name: str | None
    content: Any
    content_type: str | None = None


def file_of(value: Any) -> File | None:
    """A value as a file: bytes, path, file object, iterator of bytes, or a tuple that begins with a name."""
    if isinstance(value, tuple):
        name, content, *rest = value
        return File(name, content, rest[0] if rest else None)
    if not streams.is_content(value):
        return None
    return File(_name_of(value), value)


def _name_of(content: Any) -> str | None:
    name = os.fspath(content) if isinstance(content, os.PathLike) else getattr(content, "name", None)
    if not isinstance(name, str) or name.startswith("<"):
        return None
    return name.replace("\\", "/").rpartition("/")[2] or None


def is_binary(schema: Schema | None) -> bool:
    """Tell whether a part of this schema is raw bytes: said so, or said nothing of its type."""
    if schema is None:
        return False
    return _schemas.is_binary(schema) or (
        shapes.is_any(shape := shapes.sole(schema)) and not (shape.one_of or shape.any_of or shape.enum)
    )


def default_type(schema: Schema | None, value: Any) -> str:
    """The content type of a value by its schema alone."""
    if isinstance(value, _CONTAINERS):
        return JSON
    if schema is None:
        return TEXT
    shape = shapes.sole(schema)
    if is_binary(schema) or is_encoded(schema):
        return OCTETS
    types = shape.types - {"null"}
    return DEFAULTS[next(iter(types))] if len(types) == 1 else TEXT


def is_encoded(schema: Schema | None) -> bool:
    """Tell whether a schema's strings hold bytes as text, so that they stay text in a part."""
    if schema is None:
        return False
    shape = shapes.sole(schema)
    return bool(shape.content_encoding) or (shape.format == "byte" and "string" in shape.types)


def transfer_encoding(schema: Schema | None) -> str | None:
    """The encoding in which a schema's strings hold bytes, where a part's header can name it.

    OAS 3.2, Encoding multipart Media Types: ``contentEncoding`` is the same as that header; 3.0.4: so is ``byte``.
    """
    if schema is None:
        return None
    shape = shapes.sole(schema)
    named = shape.content_encoding or ("base64" if shape.format == "byte" and "string" in shape.types else "")
    return named.lower() if named.lower() in _TRANSFER_ENCODINGS else None


def content_type(encoding: Encoding, schema: Schema | None, value: Any) -> str:
    """The content type of a field.

    Raises:
        EncodeError: the one that the caller gave is malformed.
    """
    file = file_of(value)
    if file is not None and file.content_type:
        return _checked(file.content_type)
    allowed = ranges(encoding)
    if file is None:
        default = default_type(schema, value)
        if not allowed:
            return default
        concrete = [each for each in allowed if "*" not in each]
        return next((each for each in concrete if _negotiation.match(default, [each])), (concrete or [default])[0])
    guessed = mimetypes.guess_type(file.name)[0] if file.name else None
    if guessed and (not allowed or _negotiation.match(guessed, allowed)):
        return guessed
    return next((each for each in allowed if "*" not in each), OCTETS)


def ranges(encoding: Encoding) -> list[str]:
    """The media types and ranges that an Encoding Object allows."""
    return [each.strip() for each in (encoding.content_type or "").split(",") if each.strip()]


def is_one(encoding: Encoding) -> bool:
    """Tell whether an array is one field by its content type, not one for each item."""
    allowed = ranges(encoding)
    if len(allowed) != 1:
        return False
    return find(allowed[0]).name in {"json", "multipart"}


def media_type(encoding: Encoding, schema: Schema | None, name: str) -> MediaType:
    """A field as a body of its own, for the codec of its content type."""
    return MediaType(
        name,
        schema=schema,
        encoding=encoding.encoding,
        prefix_encoding=encoding.prefix_encoding,
        item_encoding=encoding.item_encoding,
    )


def _checked(given: str) -> str:
    try:
        parse(given)
    except ValueError:
        raise EncodeError(f"{given[:80]!r} is no content type") from None
    return given
