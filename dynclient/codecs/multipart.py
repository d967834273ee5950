"""``multipart/*``: a value in parts, each with its own content type (RFC 2046, RFC 7578).

Rule 1: a mapping is written as named parts, a list as ordered ones.
Rule 2: a value can't end its header or its part: names are escaped, content types are checked, and no part may contain
the boundary of the content type. A random boundary occurs in a content with a probability of one in 2**128.
Rule 3: a body is bytes if all its parts are; else it is a stream, with a length if each part has one. Files are not
read into memory.
Rule 4: reading is strict, since a lenient reader could be ambiguous. RFC 2046, 5.1.1: a delimiter is CRLF, two hyphens
and the boundary; text before the first one and after the last one is not a part. A body without its last delimiter is
cut off, which is an error.
"""

from __future__ import annotations

import base64
import binascii
import quopri
import re
import secrets
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import quote_plus, unquote

from dynclient import _schemas, _styles
from dynclient._deferred import expression
from dynclient._negotiation import decode_text
from dynclient._records import Record
from dynclient._schemas import shapes
from dynclient.codecs import form
from dynclient.codecs.codec import Codec, Content, Encoded, StreamBody, content_of, is_content, raw_body
from dynclient.exceptions import ArgumentError, DecodeError, EncodeError
from dynclient.http_grammar import TOKEN
from dynclient.json_pointer import MISSING
from dynclient.media_types import JSON, MULTIPART_FORM, TEXT, essence, find, parse
from dynclient.messages import Headers
from dynclient.model import Encoding, Header, MediaType, Schema
from dynclient.options import Limits
from dynclient.transports.clock import look

_MOST_PARTS = 100_000
_PARTS_PER_LOOK = 100
_DELIMITERS = ",|"
_NO_FILES = (bool, int, float, dict, list)
_READ_HEADERS = frozenset({"content-disposition", "content-transfer-encoding", "content-type"})
# RFC 2046, 5.1.1: boundary.
_BOUNDARY = expression(r"[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]")
# HTML, multipart/form-data encoding algorithm: characters that would end a name or its line are percent-encoded.
_IN_NAME = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})
_CONTROL = expression(r"[\x00-\x08\x0a-\x1f\x7f]")
_NAME = expression(TOKEN)
_FOLD = expression(rb"\r\n[ \t]+")
_PARAMETER = expression(rf';[ \t]*({TOKEN})[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s;]*))', re.DOTALL)
_ESCAPE = expression(r"\\([\\\"])")

# -- writing -----------------------------------------------------------------------------------------------------------


class _WrittenPart(Record):
    """A part to write: its header lines, and its content with the length in bytes if known."""

    headers: tuple[tuple[str, str], ...]
    content: Content
    length: int | None


def encode(value: Any, media_type: MediaType, content_type: str) -> Encoded:
    """Write a mapping or a list as parts; bytes and streams are sent unchanged.

    Raises:
        EncodeError: a part can't be written, or the content type's own boundary occurs in one.
    """
    try:
        parsed = parse(content_type)
    except ValueError:
        raise EncodeError(f"{content_type[:80]!r} is not a content type") from None
    if is_content(value):
        return Encoded(raw_body(value), content_type)
    if isinstance(value, dict):
        parts = list(_named(value, media_type))
    elif isinstance(value, list):
        parts = list(_ordered(value, media_type, parsed.essence))
    else:
        raise EncodeError(
            f"a {parsed.essence} body must be a mapping or a list of its parts, not a {type(value).__name__}"
        )
    boundary = parsed.get("boundary")
    if boundary is None:
        boundary = secrets.token_hex(16)
        content_type = f"{content_type.rstrip().rstrip(';')}; boundary={boundary}"
    elif not _BOUNDARY.fullmatch(boundary) or any(
        isinstance(part.content, bytes) and b"--" + boundary.encode() in part.content for part in parts
    ):
        raise EncodeError("the boundary is malformed, or occurs in a part")
    return Encoded(_body(parts, boundary), content_type)


def _body(parts: list[_WrittenPart], boundary: str) -> bytes | StreamBody:
    contents: list[Content] = []
    length: int | None = 0
    for part in parts:
        head = "".join(f"{name}: {value}\r\n" for name, value in part.headers)
        before = f"--{boundary}\r\n{head}\r\n".encode()
        contents += [before, part.content, b"\r\n"]
        length = None if length is None or part.length is None else length + len(before) + part.length + 2
    end = f"--{boundary}--\r\n".encode()
    contents.append(end)
    whole = [content for content in contents if isinstance(content, bytes)]
    if len(whole) == len(contents):
        return b"".join(whole)
    return StreamBody(contents, None if length is None else length + len(end))


def _named(value: dict[str, Any], media_type: MediaType) -> Iterator[_WrittenPart]:
    """A part for each property, and for each item of a property that is a list."""
    for name, each in value.items():
        encoding = media_type.encoding.get(name, form.NO_ENCODING)
        schema = form.property_schema(media_type, name)
        has_files = isinstance(each, list) and any(form.file_of(item) is not None for item in each)
        if encoding.style is not None and form.file_of(each) is None and not has_files:
            yield from _styled_parts(name, each, encoding)
            continue
        is_file = schema is not None and not encoding.content_type and _schemas.is_binary(schema)
        single = (is_file or form.is_single(encoding)) and not has_files
        for item, item_schema in form.field_values(each, schema, single=single):
            if isinstance(item, _NO_FILES) and (is_file or (item_schema and _schemas.is_binary(item_schema))):
                taken = "bytes, text, a path, a file object, or (file name, bytes)"
                raise EncodeError(f"part {name!r} is a file, not a {type(item).__name__}: pass {taken}")
            if item is not None:
                yield _named_part(name, item, encoding, item_schema)


def _styled_parts(name: str, value: Any, encoding: Encoding) -> Iterator[_WrittenPart]:
    """OAS 3.2, Encoding Object: the style determines names and texts, without percent-encoding."""
    try:
        pairs = _styles.fields(value, name=name, style=encoding.style or "form", explode=encoding.explode)
    except ArgumentError as error:
        raise EncodeError(error.message) from None
    for key, text in pairs:
        content = text.encode("utf-8", "strict")
        yield _WrittenPart((("Content-Disposition", f'form-data; name="{_escaped(key)}"'),), content, len(content))


def _named_part(name: str, value: Any, encoding: Encoding, schema: Schema | None) -> _WrittenPart:
    file = form.file_of(value)
    filename = file.name if file is not None else None
    # RFC 7578, 4.2: a file has a name, even if it is not a file on disk. A caller's None means no name.
    if filename is None and not isinstance(value, tuple) and (file is not None or form.is_binary(schema)):
        filename = None if isinstance(value, (dict, list, bool, int, float)) else name
    disposition = f'form-data; name="{_escaped(name)}"'
    if filename is not None:
        disposition += f'; filename="{_escaped(filename)}"'
    plain_text = file is None and not encoding.content_type
    return _part(value, encoding, schema, disposition=disposition, untyped=plain_text)


def _ordered(values: list[Any], media_type: MediaType, name: str) -> Iterator[_WrittenPart]:
    """A part for each item, by its position (OAS 3.2, Encoding By Position)."""
    for index, value in enumerate(values):
        schema, encoding = _by_position(media_type, index)
        file = form.file_of(value)
        disposition = f'attachment; filename="{_escaped(file.name)}"' if file is not None and file.name else None
        if name == MULTIPART_FORM and not any(each.lower() == "content-disposition" for each in encoding.headers):
            # RFC 7578, 4.2: each part has a name, and items of a list have none.
            raise EncodeError("a multipart/form-data body is a mapping: its parts have names")
        yield _part(value, encoding, schema, disposition=disposition, untyped=False)


def _by_position(media_type: MediaType | None, index: int) -> tuple[Schema | None, Encoding]:
    """The schema and the encoding of an ordered part."""
    if media_type is None:
        return None, form.NO_ENCODING
    prefix = media_type.prefix_encoding
    encoding = prefix[index] if index < len(prefix) else media_type.item_encoding or form.NO_ENCODING
    if media_type.schema is None:
        return media_type.item_schema, encoding
    return shapes.item_schema(shapes.sole(media_type.schema), index), encoding


def _part(
    value: Any, encoding: Encoding, schema: Schema | None, *, disposition: str | None, untyped: bool
) -> _WrittenPart:
    """One part. ``untyped`` leaves out the content type of plain text, which is the default."""
    content_type = form.field_type(encoding, schema, value)
    headers = _fixed(encoding.headers, [("Content-Disposition", disposition)] if disposition else [])
    file = form.file_of(value)
    if file is not None and not isinstance(file.content, str):
        content, length = content_of(file.content)
    else:
        text = file.content if file is not None else value
        content, length, content_type = _encoded(text, encoding, schema, content_type)
        transfer = form.transfer_encoding(schema) if file is None and isinstance(value, str) else None
        if transfer and not any(name.lower() == "content-transfer-encoding" for name, _ in headers):
            headers.append(("Content-Transfer-Encoding", transfer))
    # RFC 7578, 4.4: text/plain is the default, and browsers send forms in UTF-8 without a charset parameter.
    if not (untyped and essence(content_type) == TEXT):
        headers.append(("Content-Type", content_type))
    return _WrittenPart(tuple(headers), content, length)


def _encoded(
    value: Any, encoding: Encoding, schema: Schema | None, content_type: str
) -> tuple[Content, int | None, str]:
    """A value that is not a file, written by the codec of its content type."""
    from dynclient import codecs

    media_type = form.as_media_type(encoding, schema, content_type)
    encoded = codecs.find(content_type).encode(value, media_type, content_type)
    body = encoded.body
    if isinstance(body, bytes):
        return body, len(body), encoded.content_type
    if isinstance(body, StreamBody):
        return lambda: body, body.length, encoded.content_type
    raise EncodeError("a part can't be an asynchronous stream")


def _fixed(headers: Any, before: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The header lines of a part: values fixed by the document replace earlier ones."""
    found = {name.lower(): (name, value) for name, value in before}
    for name, header in headers.items():
        value = _only_value(header)
        if name.lower() != "content-type" and value is not None:
            found[name.lower()] = (name, _line(value))
    return list(found.values())


def _only_value(header: Header) -> str | None:
    schema = header.schema or (header.media_type.schema if header.media_type is not None else None)
    if schema is None:
        return None
    shape = _schemas.shape(schema)
    only = shape.enum[0] if shape.enum is not None and len(shape.enum) == 1 else shape.const
    value = shape.default if only is _schemas.MISSING else only
    if value is _schemas.MISSING or isinstance(value, (dict, list)) or value is None:
        return None
    return _styles.scalar(value)


def _line(text: str) -> str:
    if _CONTROL.search(text):
        raise EncodeError("a part's header has a control character, which can't be written")
    return text


def _escaped(name: str) -> str:
    escaped = name.translate(_IN_NAME)
    try:
        escaped.encode("utf-8")
    except UnicodeEncodeError:
        raise EncodeError("the name of a part has a lone surrogate, which can't be written") from None
    return _line(escaped)


# -- reading -----------------------------------------------------------------------------------------------------------


class _ReadPart(Record):
    """A part as received. ``name`` and ``filename`` are those of its Content-Disposition, or None."""

    headers: Headers
    content: bytes
    name: str | None
    filename: str | None


def decode(body: bytes, media_type: MediaType | None, content_type: str, limits: Limits) -> Any:
    """Read parts: a mapping if they have names, else a list. A nested multipart body counts as one level of depth.

    Raises:
        DecodeError: there is no boundary, a part is cut off or malformed, or there are too many.
    """
    if limits.body_depth < 1:
        raise DecodeError("the body is nested too deeply")
    parts = list(_split(body, _boundary(content_type), limits))
    inner = replace(limits, body_depth=limits.body_depth - 1)
    shape = shapes.sole(media_type.schema) if media_type is not None and media_type.schema is not None else None
    form = essence(content_type) == MULTIPART_FORM
    array = media_type is not None and (media_type.item_schema is not None or (shape and shapes.is_array(shape)))
    if not array and (form or (shape is not None and parts and all(part.name is not None for part in parts))):
        return _mapping(parts, media_type or MediaType(content_type), inner)
    return [_value(part, *_by_position(media_type, index), inner) for index, part in enumerate(parts)]


def _boundary(content_type: str) -> bytes:
    try:
        mark = parse(content_type).get("boundary")
    except ValueError:
        mark = None
    if not mark:
        raise DecodeError("the body's Content-Type has no boundary")
    return mark.encode("utf-8")


def _split(body: bytes, mark: bytes, limits: Limits) -> Iterator[_ReadPart]:
    """The parts between the delimiters.

    Raises:
        DecodeError: the first or the last delimiter is missing, or a part's headers are malformed.
    """
    delimiter = re.compile(rb"(?:^|\r\n)--" + re.escape(mark) + rb"(--)?[ \t]*(?=\r\n|\Z)")
    position: int | None = None
    for count, found in enumerate(delimiter.finditer(body)):
        if not count % _PARTS_PER_LOOK:
            look()
        if position is not None:
            yield _read_part(body[position : found.start()], position, limits)
        if found[1]:
            return
        position = found.end() + 2
        if count > _MOST_PARTS:
            raise DecodeError(f"the body has more than {_MOST_PARTS} parts")
    raise DecodeError("the body is cut off: its last delimiter is missing", offset=len(body))


def _read_part(raw: bytes, offset: int, limits: Limits) -> _ReadPart:
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
    lines = [line for line in _FOLD.sub(b" ", head).split(b"\r\n") if line]
    if len(lines) > limits.header_lines:
        raise DecodeError("a part has too many headers", offset=offset)
    fields_ = [decode_text(line, "utf-8").partition(":") for line in lines]
    if not all(colon and _NAME.fullmatch(name) for name, colon, _ in fields_):
        raise DecodeError("a header of a part is malformed", offset=offset)
    # The other headers are dropped, since they could take more memory than the body.
    headers = Headers([(name, value.strip(" \t")) for name, _, value in fields_ if name.lower() in _READ_HEADERS])
    disposition = _parameters(headers.get("content-disposition", ""))
    return _ReadPart(headers, content, disposition.get("name"), disposition.get("filename"))


def _parameters(disposition: str) -> dict[str, str]:
    """The parameters of a Content-Disposition: percent-encoded as in HTML, or escaped as in RFC 2183."""
    found: dict[str, str] = {}
    for name, quoted, bare in _PARAMETER.findall(disposition):
        text = _ESCAPE.sub(r"\1", quoted) if quoted else bare
        found.setdefault(name.lower(), re.sub("%(?:22|0D|0A)", lambda hit: unquote(hit.group()), text))
    return found


def _mapping(parts: list[_ReadPart], media_type: MediaType, limits: Limits) -> dict[str, Any]:
    by_name: dict[str, list[_ReadPart]] = {}
    for part in parts:
        if part.name is None:
            # RFC 7578, 4.2: each part MUST contain a Content-Disposition with the parameter "name".
            raise DecodeError("a part of the form has no name")
        by_name.setdefault(part.name, []).append(part)
    result = _styled_values(by_name, media_type)
    for name, several in by_name.items():
        encoding = media_type.encoding.get(name, form.NO_ENCODING)
        schema = form.property_schema(media_type, name)
        whole = schema is not None and len(several) == 1 and _is_whole(several[0], shapes.sole(schema))
        value_of = partial(_value, encoding=encoding, limits=limits)
        result[name] = form.read_values(several, schema, value_of, single=whole)
    return result


def _is_whole(part: _ReadPart, shape: _schemas.Shape) -> bool:
    """Whether a single part is a whole array, not its only item: a multipart body, or a JSON array of other values."""
    kind = find(part.headers.get("content-type", "")).name
    if kind != "json" or not part.content.lstrip().startswith(b"["):
        return kind == "multipart"
    return shape.items is None or not shapes.is_array(shapes.sole(shape.items))


def _styled_values(by_name: dict[str, list[_ReadPart]], media_type: MediaType) -> dict[str, Any]:
    """The properties that are written in a style; their parts are taken out, and read as the fields of a form."""
    result: dict[str, Any] = {}
    order = {name: position for position, name in enumerate(by_name)}
    for field, unordered in form.styled(media_type, order):
        names = sorted(by_name.keys() & unordered, key=order.__getitem__)
        if any(part.filename is not None for name in names for part in by_name[name]):
            continue
        pairs = [(name, decode_text(part.content, "utf-8")) for name in names for part in by_name.pop(name)]
        # Delimiters are kept, so that one value and several remain distinct.
        value = field.read("&".join(f"{quote_plus(key)}={quote_plus(text, safe=_DELIMITERS)}" for key, text in pairs))
        if value is not MISSING:
            result[field.name] = value
    return result


def _value(part: _ReadPart, schema: Schema | None, encoding: Encoding, limits: Limits) -> Any:
    """The value of one part, by its own content type, or else by the default for its schema."""
    from dynclient import codecs

    look()
    content = _transferred(part, schema)
    content_type = part.headers.get("content-type")
    if form.is_encoded(schema) and part.filename is None:
        return decode_text(content, "utf-8")
    if content_type is None:
        if part.filename is not None or form.is_binary(schema):
            return content
        content_type = TEXT
    codec = codecs.find(content_type)
    if part.filename is not None and codec.name != "json":
        return content
    if form.is_binary(schema) and essence(content_type) != JSON and codec.name != "multipart":
        return content
    return codec.decode(content, form.as_media_type(encoding, schema, content_type), content_type, limits)


def _transferred(part: _ReadPart, schema: Schema | None) -> bytes:
    """The content, decoded by the transfer encoding of its headers, unless that is the schema's own."""
    name = part.headers.get("content-transfer-encoding", "").strip().lower()
    if name in {"", "7bit", "8bit", "binary", form.transfer_encoding(schema)}:
        return part.content
    if name == "quoted-printable":
        return quopri.decodestring(part.content)
    if name != "base64":
        raise DecodeError(f"a part's Content-Transfer-Encoding {name[:40]!r} is not known")
    try:
        return base64.b64decode(b"".join(part.content.split()), validate=True)
    except binascii.Error:
        raise DecodeError("a part has the Content-Transfer-Encoding base64, but is not base64") from None


CODEC = Codec("multipart", encode, decode, files=True)
