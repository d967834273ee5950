"""Values -> parts -> a multipart body.

Rule 1: what a value says can't end a header or a part: names are escaped, content types are checked, and no part may
hold the boundary.
Rule 2: a body of which every part is at hand is bytes; else it is a stream, with its length where each part has one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from dynclient import _schemas, _styles
from dynclient._expressions import expression
from dynclient._records import Record
from dynclient.codecs import parts, shapes, streams
from dynclient.codecs.codec import Encoded
from dynclient.exceptions import ArgumentError, EncodeError
from dynclient.media_types import MULTIPART_FORM, TEXT, ContentType, essence, parse
from dynclient.model import Encoding, Header, MediaType, Schema

_NOTHING = Encoding()
_MOST_TRIES = 8
# RFC 2046, 5.1.1: boundary.
_BOUNDARY = expression(r"[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]")
# HTML, multipart/form-data encoding algorithm: what would end a name or its line is percent-encoded.
_IN_NAME = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})
_CONTROL = expression(r"[\x00-\x08\x0a-\x1f\x7f]")


class Part(Record):
    """A part: its header lines, and its content with the length where that is known."""

    headers: tuple[tuple[str, str], ...]
    content: streams.Part
    length: int | None


def encode(value: Any, media_type: MediaType, content_type: str, boundary: Callable[[], str]) -> Encoded:
    """Write a body; see :func:`dynclient.codecs.multipart.decode` for the way back."""
    parsed = _parsed(content_type)
    if streams.is_content(value):
        return Encoded(streams.body(value), content_type)
    made = list(_parts(value, media_type, parsed.essence, boundary))
    given = parsed.get("boundary")
    mark = given if given is not None else _unused(made, boundary)
    if not _BOUNDARY.fullmatch(mark) or _is_in(mark, made):
        raise EncodeError("the boundary given is malformed, or stands in a part")
    if given is None:
        quoted = mark if re.fullmatch(r"[0-9A-Za-z'+_\-.]+", mark) else f'"{mark}"'
        content_type = f"{content_type.rstrip().rstrip(';')}; boundary={quoted}"
    return Encoded(_body(made, mark), content_type)


def _parsed(content_type: str) -> ContentType:
    try:
        return parse(content_type)
    except ValueError:
        raise EncodeError(f"{content_type[:80]!r} is no content type") from None


def _body(made: list[Part], mark: str) -> bytes | streams.Stream:
    pieces: list[streams.Part] = []
    length: int | None = 0
    for part in made:
        head = "".join(f"{name}: {value}\r\n" for name, value in part.headers)
        before = f"--{mark}\r\n{head}\r\n".encode()
        pieces += [before, part.content, b"\r\n"]
        length = None if length is None or part.length is None else length + len(before) + part.length + 2
    end = f"--{mark}--\r\n".encode()
    pieces.append(end)
    whole = [piece for piece in pieces if isinstance(piece, bytes)]
    if len(whole) == len(pieces):
        return b"".join(whole)
    return streams.Stream(pieces, None if length is None else length + len(end))


def _unused(made: list[Part], boundary: Callable[[], str]) -> str:
    tried = (boundary() for _ in range(_MOST_TRIES))
    found = next((mark for mark in tried if not _is_in(mark, made)), None)
    if found is None:
        raise EncodeError("every boundary stands in a part")
    return found


def _is_in(mark: str, made: list[Part]) -> bool:
    sought = b"--" + mark.encode("utf-8", "replace")
    return any(isinstance(part.content, bytes) and sought in part.content for part in made)


def _parts(value: Any, media_type: MediaType, essence: str, boundary: Callable[[], str]) -> Iterator[Part]:
    if isinstance(value, dict):
        return _named(value, media_type, boundary)
    if isinstance(value, list):
        return _ordered(value, media_type, essence, boundary)
    raise EncodeError(f"a {essence} body is a mapping or a list of its parts, not a {type(value).__name__}")


def _named(value: dict[str, Any], media_type: MediaType, boundary: Callable[[], str]) -> Iterator[Part]:
    """A part for each property, and for each item of a property that is a list."""
    shape = shapes.sole(media_type.schema) if media_type.schema is not None else None
    for name, each in value.items():
        encoding = media_type.encoding.get(name, _NOTHING)
        schema = shapes.property_schema(shape, name) if shape is not None else None
        if encoding.style is not None and parts.file_of(each) is None and not _holds_files(each):
            yield from _styled(name, each, encoding)
        elif isinstance(each, list) and not (parts.is_one(encoding) and not _holds_files(each)):
            inner = shapes.sole(schema) if schema is not None else None
            for index, item in enumerate(each):
                item_schema = shapes.item_schema(inner, index) if inner is not None else None
                yield from _named_part(name, item, encoding, item_schema, boundary)
        else:
            yield from _named_part(name, each, encoding, schema, boundary)


def _holds_files(value: Any) -> bool:
    return isinstance(value, list) and any(parts.file_of(item) is not None for item in value)


def _styled(name: str, value: Any, encoding: Encoding) -> Iterator[Part]:
    """OAS 3.2, Encoding Object: the style makes names and texts, and percent-encoding is not applied."""
    try:
        fields = _styles.fields(value, name=name, style=encoding.style or "form", explode=encoding.explode)
    except ArgumentError as error:
        raise EncodeError(error.message) from None
    for key, text in fields:
        content = text.encode("utf-8", "strict")
        yield Part((("Content-Disposition", f'form-data; name="{_escaped(key)}"'),), content, len(content))


def _named_part(
    name: str, value: Any, encoding: Encoding, schema: Schema | None, boundary: Callable[[], str]
) -> Iterator[Part]:
    if value is None:
        return
    file = parts.file_of(value)
    filename = file.name if file is not None else None
    # RFC 7578, 4.2: a file has a name, even if it is not that of any file. None, said by the caller, is no name.
    if filename is None and not isinstance(value, tuple) and (file is not None or parts.is_binary(schema)):
        filename = None if isinstance(value, (dict, list, bool, int, float)) else name
    disposition = f'form-data; name="{_escaped(name)}"'
    if filename is not None:
        disposition += f'; filename="{_escaped(filename)}"'
    plain_text = file is None and not encoding.content_type
    yield _part(value, encoding, schema, boundary, disposition=disposition, untyped=plain_text)


def _ordered(values: list[Any], media_type: MediaType, essence: str, boundary: Callable[[], str]) -> Iterator[Part]:
    """A part for each item, by its place (OAS 3.2, Encoding By Position)."""
    shape = shapes.sole(media_type.schema) if media_type.schema is not None else None
    for index, value in enumerate(values):
        prefix = media_type.prefix_encoding
        encoding = prefix[index] if index < len(prefix) else media_type.item_encoding or _NOTHING
        schema = shapes.item_schema(shape, index) if shape is not None else media_type.item_schema
        file = parts.file_of(value)
        disposition = f'attachment; filename="{_escaped(file.name)}"' if file is not None and file.name else None
        if essence == MULTIPART_FORM and not any(name.lower() == "content-disposition" for name in encoding.headers):
            # RFC 7578, 4.2: each part has a name, and a list has none to give.
            raise EncodeError("a multipart/form-data body is a mapping: its parts have names")
        yield _part(value, encoding, schema, boundary, disposition=disposition, untyped=False)


def _part(
    value: Any,
    encoding: Encoding,
    schema: Schema | None,
    boundary: Callable[[], str],
    *,
    disposition: str | None,
    untyped: bool,
) -> Part:
    """One part. ``untyped`` leaves out the content type of plain text, which is the default."""
    content_type = parts.content_type(encoding, schema, value)
    headers = [("Content-Disposition", disposition)] if disposition else []
    headers = _fixed(encoding.headers, headers)
    file = parts.file_of(value)
    content: streams.Part
    if file is not None and not isinstance(file.content, str):
        content, length = streams.piece(file.content)
    else:
        content, length, content_type = _encoded(
            file.content if file is not None else value, encoding, schema, content_type, boundary
        )
        transfer = parts.transfer_encoding(schema) if file is None and isinstance(value, str) else None
        if transfer and not any(name.lower() == "content-transfer-encoding" for name, _ in headers):
            headers.append(("Content-Transfer-Encoding", transfer))
    # RFC 7578, 4.4: text/plain is the default, and a browser's form is UTF-8 without saying so.
    if not (untyped and essence(content_type) == TEXT):
        headers.append(("Content-Type", content_type))
    return Part(tuple(headers), content, length)


def _encoded(
    value: Any, encoding: Encoding, schema: Schema | None, content_type: str, boundary: Callable[[], str]
) -> tuple[streams.Part, int | None, str]:
    """What is no file, written by the codec of its content type."""
    from dynclient import codecs

    media_type = parts.media_type(encoding, schema, content_type)
    codec = codecs.find(content_type)
    if codec.name == "multipart":
        encoded = encode(value, media_type, content_type, boundary)
    else:
        encoded = codec.encode(value, media_type, content_type)
    if isinstance(encoded.body, bytes):
        return encoded.body, len(encoded.body), encoded.content_type
    body = encoded.body
    if isinstance(body, streams.Stream):
        return lambda: body, body.length, encoded.content_type
    raise EncodeError("a part can't be an asynchronous stream")


def _fixed(headers: Any, before: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The header lines of a part: those that the document leaves only one value for, over those that are ours."""
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
        raise EncodeError("a part's header can't hold a control character")
    return text


def _escaped(name: str) -> str:
    escaped = name.translate(_IN_NAME)
    try:
        escaped.encode("utf-8")
    except UnicodeEncodeError:
        raise EncodeError("the name of a part is no text that could be written") from None
    return _line(escaped)
