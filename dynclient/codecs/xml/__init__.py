"""XML (``application/xml``, ``text/xml`` and the suffix ``+xml``), by the XML Object of OpenAPI.

Values are the same plain values as in JSON. If the schema is a string without its own ``xml`` object, the value is the
document's text. Text that begins with ``<``, bytes and elements of ElementTree or lxml are documents already, which are
checked for well-formedness and sent unchanged.
"""

from __future__ import annotations

from typing import Any

from dynclient._negotiation import encode_text
from dynclient.codecs.codec import Codec, Encoded
from dynclient.exceptions import DecodeError, EncodeError
from dynclient.media_types import charset_of
from dynclient.model import MediaType, Schema
from dynclient.options import Limits


def encode(value: Any, media_type: MediaType, content_type: str) -> Encoded:
    """Write a value as a document: in UTF-8 with a declaration, or in the content type's own charset.

    Raises:
        EncodeError: the value can't be written in XML, or is a document that is not well-formed.
    """
    from dynclient import _schemas
    from dynclient.codecs.xml import mapping, syntax

    schema = media_type.schema
    # A document although the schema describes a node, which then can't be a string.
    is_document = syntax.is_document(value) and schema is not None and "string" not in _schemas.shape(schema).types
    if syntax.is_element(value) or schema is None or is_text(schema) or is_document:
        if not (syntax.is_element(value) or isinstance(value, (str, bytes, bytearray))):
            raise EncodeError(f"a {type(value).__name__} is not an XML document, and no schema says how to write one")
        return Encoded(syntax.document_body(value, content_type), content_type)
    text = syntax.render(mapping.encoded(value, schema))
    charset = charset_of(content_type) or "UTF-8"
    return Encoded(encode_text(f'<?xml version="1.0" encoding="{charset}"?>\n{text}', charset), content_type)


def decode(body: bytes, media_type: MediaType | None, content_type: str, limits: Limits) -> Any:
    """Read a document: a plain value, or its text if the schema is a string or does not describe it.

    Raises:
        DecodeError: it is not well-formed, has a DOCTYPE, is nested too deeply, or has another root than documented.
    """
    from dynclient.codecs.xml import mapping, syntax

    text = syntax.text_of(body, content_type)
    if not text.strip():
        raise DecodeError("the body is empty where XML is documented", offset=0)
    if media_type is None or media_type.schema is None or is_text(media_type.schema):
        syntax.check(text, limits)
        return text
    return mapping.decoded(syntax.parse(text, limits), media_type.schema)


def value_of(document: Any, media_type: MediaType, content_type: str, limits: Limits) -> Any:
    """The plain value of a caller's document (text, bytes or an element), for validation.

    Raises:
        EncodeError: it is not well-formed, or has a DOCTYPE.
    """
    from dynclient.codecs.xml import syntax

    encoded = syntax.document_body(document, content_type)
    try:
        return decode(encoded, media_type, content_type, limits)
    except DecodeError as error:
        raise EncodeError(error.message) from None


def is_text(schema: Schema) -> bool:
    """Whether a schema's value is a document's text: a string without an ``xml`` object, an enum or a const."""
    from dynclient import _schemas

    shape = _schemas.shape(schema)
    if shape.xml is not None or shape.fixed is not None:
        return False
    if shape.types:
        return shape.types <= {"string", "null"}
    return not (shape.properties or shape.required or shape.items or shape.prefix_items or shape.one_of or shape.any_of)


CODEC = Codec("xml", encode, decode)
