"""A multipart body -> parts -> values: a strict reader, since what is not strict can be read in two ways.

RFC 2046, 5.1.1: a delimiter is CRLF, two hyphens and the boundary; what is before the first and after the last one is
no part. A body that ends before its last delimiter is cut, and an error.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import quote_plus, unquote

from dynclient import _schemas, _styles
from dynclient._expressions import expression
from dynclient._records import Record
from dynclient.codecs import charsets, parts, shapes
from dynclient.exceptions import DecodeError
from dynclient.http_grammar import TOKEN
from dynclient.media_types import TEXT, parse
from dynclient.messages import Headers
from dynclient.model import Encoding, MediaType, Schema
from dynclient.options import Limits

_NOTHING = Encoding()
_MOST_PARTS = 100_000
_DELIMITERS = ",|"
_HEADER = expression(rf"({TOKEN}):[ \t]*(.*?)[ \t]*", re.DOTALL)
_FOLD = expression(rb"\r\n[ \t]+")
_PARAMETER = expression(rf';[ \t]*({TOKEN})[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s;]*))', re.DOTALL)
_ESCAPE = expression(r"\\([\\\"])")


class Part(Record):
    """A part as it came. ``name`` is that of its Content-Disposition, or None."""

    headers: Headers
    content: bytes
    name: str | None
    filename: str | None


def decode(body: bytes, media_type: MediaType | None, content_type: str, limits: Limits) -> Any:
    """Read a body; nested ones count as levels of depth."""
    if limits.body_depth < 1:
        raise DecodeError("the body nests too deep")
    found = list(split(body, _boundary(content_type), limits))
    inner = replace(limits, body_depth=limits.body_depth - 1)
    shape = shapes.sole(media_type.schema) if media_type is not None and media_type.schema is not None else None
    form = content_type.strip().lower().startswith("multipart/form-data")
    array = media_type is not None and (media_type.item_schema is not None or (shape and shapes.is_array(shape)))
    if not array and (form or (shape is not None and found and all(part.name is not None for part in found))):
        return _mapping(found, media_type, shape, inner)
    return [_item(part, index, media_type, shape, inner) for index, part in enumerate(found)]


def _boundary(content_type: str) -> bytes:
    try:
        mark = parse(content_type).get("boundary")
    except ValueError:
        mark = None
    if not mark:
        raise DecodeError("the body's Content-Type names no boundary")
    return mark.encode("utf-8")


def split(body: bytes, mark: bytes, limits: Limits) -> Iterator[Part]:
    """The parts between the delimiters.

    Raises:
        DecodeError: the first or the last delimiter is missing, or a part's headers are malformed.
    """
    delimiter = re.compile(rb"(?:^|\r\n)--" + re.escape(mark) + rb"(--)?[ \t]*(?=\r\n|\Z)")
    position: int | None = None
    for count, found in enumerate(delimiter.finditer(body)):
        if position is not None:
            yield _part(body[position : found.start()], position, limits)
        if found[1]:
            return
        position = found.end() + 2
        if count > _MOST_PARTS:
            raise DecodeError(f"the body has more than {_MOST_PARTS} parts")
    raise DecodeError("the body is cut: its last delimiter is missing", offset=len(body))


def _part(raw: bytes, offset: int, limits: Limits) -> Part:
    if raw.startswith(b"\r\n"):
        head, content = b"", raw[2:]
    else:
        head, blank, content = raw.partition(b"\r\n\r\n")
        if not blank:
            if not raw.endswith(b"\r\n"):
                raise DecodeError("a part of the body has no blank line after its headers", offset=offset)
            head, content = raw[:-2], b""
    if len(head) > limits.header_line_bytes:
        raise DecodeError("the headers of a part are too long", offset=offset)
    headers = Headers(list(_headers(head, offset, limits)))
    disposition = _parameters(headers.get("content-disposition", ""))
    return Part(headers, content, disposition.get("name"), disposition.get("filename"))


def _headers(head: bytes, offset: int, limits: Limits) -> Iterator[tuple[str, str]]:
    lines = [line for line in _FOLD.sub(b" ", head).split(b"\r\n") if line]
    if len(lines) > limits.header_lines:
        raise DecodeError("a part has too many headers", offset=offset)
    for line in lines:
        found = _HEADER.fullmatch(charsets.decode_text(line, "utf-8"))
        if found is None:
            raise DecodeError("a header of a part is malformed", offset=offset)
        yield found[1], found[2]


def _parameters(disposition: str) -> dict[str, str]:
    """The parameters of a Content-Disposition: percent-encoded as HTML has it, escaped as RFC 2183 has it."""
    found: dict[str, str] = {}
    for name, quoted, bare in _PARAMETER.findall(disposition):
        text = _ESCAPE.sub(r"\1", quoted) if quoted else bare
        found.setdefault(name.lower(), re.sub("%(?:22|0D|0A)", lambda hit: unquote(hit.group()), text))
    return found


def _mapping(
    found: list[Part], media_type: MediaType | None, shape: _schemas.Shape | None, limits: Limits
) -> dict[str, Any]:
    by_name: dict[str, list[Part]] = {}
    for part in found:
        if part.name is None:
            # RFC 7578, 4.2: each part MUST contain a Content-Disposition with the parameter "name".
            raise DecodeError("a part of the form has no name")
        by_name.setdefault(part.name, []).append(part)
    result = _styled(by_name, media_type, shape) if media_type is not None else {}
    for name, several in by_name.items():
        encoding = media_type.encoding.get(name, _NOTHING) if media_type is not None else _NOTHING
        schema = shapes.property_schema(shape, name) if shape is not None else None
        inner = shapes.sole(schema) if schema is not None else None
        if inner is not None and shapes.is_array(inner) and not (len(several) == 1 and _is_whole(several[0], inner)):
            values = [_value(part, encoding, shapes.item_schema(inner, i), limits) for i, part in enumerate(several)]
            result[name] = values
        else:
            values = [_value(part, encoding, schema, limits) for part in several]
            result[name] = values[0] if len(values) == 1 else values
    return result


def _is_whole(part: Part, shape: _schemas.Shape) -> bool:
    """Tell whether one part is a whole array, not its only item: it is JSON and begins as an array that items don't."""
    content_type = part.headers.get("content-type", "")
    if "json" not in content_type.lower() or not part.content.lstrip().startswith(b"["):
        return content_type.lower().startswith("multipart/")
    return shape.items is None or not shapes.is_array(shapes.sole(shape.items))


def _styled(by_name: dict[str, list[Part]], media_type: MediaType, shape: _schemas.Shape | None) -> dict[str, Any]:
    """Take the properties that were written in a style, of whose parts a form is made again."""
    result: dict[str, Any] = {}
    for name, encoding in media_type.encoding.items():
        if encoding.style is None:
            continue
        schema = shapes.property_schema(shape, name) if shape is not None else None
        inner = shapes.sole(schema) if schema is not None else None
        kind: Any = "primitive"
        if inner is not None:
            kind = "array" if shapes.is_array(inner) else "object" if shapes.is_object(inner) else "primitive"
        own = set(inner.properties) if inner is not None and kind == "object" and encoding.explode else set()
        names = [key for key in by_name if key == name or key.startswith(f"{name}[") or key in own]
        if any(part.filename is not None for key in names for part in by_name[key]):
            continue
        pairs = [(key, charsets.decode_text(part.content, "utf-8")) for key in names for part in by_name.pop(key)]
        # Delimiters stay as they are, so that what is one value is told from what is several.
        text = "&".join(f"{quote_plus(key)}={quote_plus(value, safe=_DELIMITERS)}" for key, value in pairs)
        value = _styles.deserialize(
            text, name=name, in_="form", style=encoding.style, explode=encoding.explode, kind=kind, properties=own
        )
        if value is not _styles.ABSENT:
            result[name] = _schemas.typed(schema, value) if schema is not None else value
    return result


def _item(part: Part, index: int, media_type: MediaType | None, shape: _schemas.Shape | None, limits: Limits) -> Any:
    encoding = _NOTHING
    if media_type is not None:
        prefix = media_type.prefix_encoding
        encoding = prefix[index] if index < len(prefix) else media_type.item_encoding or _NOTHING
    item_schema = media_type.item_schema if media_type is not None else None
    return _value(part, encoding, shapes.item_schema(shape, index) if shape is not None else item_schema, limits)


def _value(part: Part, encoding: Encoding, schema: Schema | None, limits: Limits) -> Any:
    """The value of one part, by its own content type, or else by the default for its schema."""
    from dynclient import codecs

    content = _untransferred(part, schema)
    content_type = part.headers.get("content-type")
    if parts.is_encoded(schema) and part.filename is None:
        return charsets.decode_text(content, "utf-8")
    if content_type is None:
        if part.filename is not None or parts.is_binary(schema):
            return content
        content_type = TEXT
    if part.filename is not None and codecs.find(content_type).name != "json":
        return content
    if parts.is_binary(schema) and not content_type.lower().startswith(("application/json", "multipart/")):
        return content
    return codecs.find(content_type).decode(
        content, parts.media_type(encoding, schema, content_type), content_type, limits
    )


def _base64(content: bytes) -> bytes:
    try:
        return base64.b64decode(b"".join(content.split()), validate=True)
    except binascii.Error:
        raise DecodeError("a part says that it is in base64, and is not") from None


def _quoted_printable(content: bytes) -> bytes:
    import quopri

    return quopri.decodestring(content)


TRANSFER_ENCODINGS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    "7bit": bytes,
    "8bit": bytes,
    "binary": bytes,
    "base64": _base64,
    "quoted-printable": _quoted_printable,
}


def _untransferred(part: Part, schema: Schema | None) -> bytes:
    """The content, decoded from the transfer encoding of its headers, unless that is the schema's own."""
    name = part.headers.get("content-transfer-encoding", "").strip().lower()
    if name and name == parts.transfer_encoding(schema):
        return part.content
    if name not in TRANSFER_ENCODINGS:
        raise DecodeError(f"a part's Content-Transfer-Encoding {name[:40]!r} is not known")
    return TRANSFER_ENCODINGS[name](part.content)
