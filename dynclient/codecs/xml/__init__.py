"""XML (``application/xml``, ``text/xml`` and the suffix ``+xml``), by the XML Object of OpenAPI.

Values are the same plain ones as in JSON. Where the schema is a string without an ``xml`` object of its own, the value
is the document's text. Text that begins with ``<``, bytes or an ElementTree element go as they are wherever a document
is meant, once they are well-formed.
"""

from __future__ import annotations

from typing import Any

from dynclient.codecs import charsets
from dynclient.codecs.codec import Codec, Encoded
from dynclient.exceptions import DecodeError, EncodeError
from dynclient.model import MediaType, Schema
from dynclient.options import Limits


def encode(value: Any, media_type: MediaType, content_type: str) -> Encoded:
    """Write a value as a document: UTF-8 with a declaration, or in the content type's own charset.

    Raises:
        EncodeError: the value has no form in XML, or is a document that is not well-formed.
    """
    from dynclient.codecs.xml import documents, encoding, writing

    schema = media_type.schema
    if documents.is_element(value) or schema is None or is_text(schema) or _is_document(value, schema):
        if not (documents.is_element(value) or isinstance(value, (str, bytes, bytearray))):
            raise EncodeError(f"a {type(value).__name__} is no XML document, and no schema says how to write one")
        return Encoded(documents.body(value, content_type), content_type)
    text = writing.render(encoding.element(value, schema))
    name = charsets.charset(content_type) or "UTF-8"
    return Encoded(charsets.encode_text(writing.declaration(name) + text, name), content_type)


def decode(body: bytes, media_type: MediaType | None, content_type: str, limits: Limits) -> Any:
    """Read a document: a plain value, or its text where the schema is a string or says nothing.

    Raises:
        DecodeError: it is not well-formed, has a DOCTYPE, nests too deep, or has another root than documented.
    """
    from dynclient.codecs.xml import decoding, tree

    text = tree.text_of(body, content_type)
    if not text.strip():
        raise DecodeError("the body is empty where XML is documented", offset=0)
    root = tree.parse(text, limits)
    if media_type is None or media_type.schema is None or is_text(media_type.schema):
        return text
    return decoding.value(root, media_type.schema)


def value_of(document: Any, media_type: MediaType, content_type: str, limits: Limits) -> Any:
    """The plain value of a document that a caller gives as text, bytes or element: what it can be validated as.

    Raises:
        EncodeError: it is not well-formed, or may not be sent.
    """
    from dynclient.codecs.xml import documents

    encoded = documents.body(document, content_type)
    try:
        return decode(encoded, media_type, content_type, limits)
    except DecodeError as error:
        raise EncodeError(error.message) from None


def is_text(schema: Schema) -> bool:
    """Tell whether a schema's value is a document's text: a string that no ``xml`` object and no enum makes a node."""
    from dynclient import _schemas

    shape = _schemas.shape(schema)
    if shape.xml is not None or shape.enum is not None or shape.const is not _schemas.MISSING:
        return False
    if shape.types:
        return shape.types <= {"string", "null"}
    return not (shape.properties or shape.required or shape.items or shape.prefix_items or shape.one_of or shape.any_of)


def _is_document(value: Any, schema: Schema) -> bool:
    """Tell whether a value goes as it is though its schema is that of a node: not where that node may be a string."""
    from dynclient import _schemas
    from dynclient.codecs.xml import documents

    return documents.is_document(value) and "string" not in _schemas.shape(schema).types


CODEC = Codec("xml", encode, decode)
