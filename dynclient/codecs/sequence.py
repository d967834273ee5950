"""Sequential media types, read and written whole, as lists: JSON Lines, JSON text sequences, server-sent events.

Rule 1: a schema that is an array, or an ``itemSchema``, or nothing: a list. A schema that is a string: the text.
Rule 2: an iterator of items is written as a stream, an item at a time.
Rule 3: an event's ``data`` stays the string that it is (OAS 3.2, Special Considerations for Server-Sent Events):
``contentMediaType`` says what is in it, and who wants that reads it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from dynclient import _plain, _schemas
from dynclient.codecs import charsets, json, shapes, streams
from dynclient.codecs.codec import Codec, Encoded
from dynclient.exceptions import DecodeError, EncodeError
from dynclient.model import MediaType
from dynclient.options import Limits

_RECORD = b"\x1e"
_BLANK = b" \t\r\n"
_LINE_END = re.compile(r"\r\n|\r|\n")
_DIGITS = re.compile(r"[0-9]+")
_NUMBER_OR_WORD = re.compile(rb"[-0-9tfn]")

Write = Callable[[Any], bytes]
Read = Callable[[bytes, MediaType | None, Limits], list[Any]]


def _encode(write: Write, value: Any, media_type: MediaType, content_type: str) -> Encoded:  # noqa: ARG001  # every codec's arguments
    """Write a list, or an iterator as a stream; text and bytes are a sequence already.

    Raises:
        EncodeError: an item has no form there.
    """
    if isinstance(value, str):
        return Encoded(charsets.encode_text(value, "utf-8"), content_type)
    if isinstance(value, list):
        return Encoded(b"".join(map(write, value)), content_type)
    if isinstance(value, Iterator) and not hasattr(value, "read"):
        return Encoded(streams.Stream([lambda: _written(write, value)], None), content_type)
    if streams.is_content(value):
        return Encoded(streams.body(value), content_type)
    raise EncodeError(f"a {content_type} body is a list of its items, not a {type(value).__name__}")


def _written(write: Write, items: Iterator[Any]) -> Iterator[bytes]:
    for item in items:
        yield bytes(item) if isinstance(item, (bytes, bytearray, memoryview)) else write(_plain.plain(item))


def _decode(read: Read, body: bytes, media_type: MediaType | None, content_type: str, limits: Limits) -> Any:
    """Read a list, or the text where the schema is a string.

    Raises:
        DecodeError: an item is malformed or cut.
    """
    if media_type is not None and media_type.schema is not None and media_type.item_schema is None:
        shape = shapes.sole(media_type.schema)
        if "string" in shape.types and not shapes.is_array(shape):
            return charsets.decode_text(body, charsets.charset(content_type) or "utf-8")
    return read(body, media_type, limits)


def write_line(item: Any) -> bytes:
    """One line of JSON Lines: compact JSON holds no line break."""
    return charsets.encode_text(json.dump(item), "utf-8") + b"\n"


def read_lines(body: bytes, media_type: MediaType | None, limits: Limits) -> list[Any]:  # noqa: ARG001  # every reader's arguments
    """The values of JSON Lines; empty lines are skipped."""
    found = []
    offset = 0
    for line in body.split(b"\n"):
        if line.strip(_BLANK):
            found.append(_loaded(line, offset, limits))
        offset += len(line) + 1
    return found


def write_record(item: Any) -> bytes:
    """One JSON text of a sequence. RFC 7464, 2.2: after a record separator, and with a line feed at its end."""
    return _RECORD + write_line(item)


def read_records(body: bytes, media_type: MediaType | None, limits: Limits) -> list[Any]:  # noqa: ARG001  # every reader's arguments
    """The values of a JSON text sequence.

    RFC 7464, 2.4: a number or a word at the end that no blank follows may have been cut, and is taken for that.
    """
    before, *records = body.split(_RECORD)
    if before.strip(_BLANK):
        raise DecodeError("the body does not begin with a record separator", offset=0)
    found = []
    offset = len(before) + 1
    for record in records:
        if record.strip(_BLANK):
            if _NUMBER_OR_WORD.match(record.lstrip(_BLANK)) and not record.endswith((b" ", b"\t", b"\r", b"\n")):
                raise DecodeError("an item of the body may be cut: no line feed follows it", offset=offset)
            found.append(_loaded(record, offset, limits))
        offset += len(record) + 1
    return found


def _loaded(text: bytes, offset: int, limits: Limits) -> Any:
    try:
        return json.load(text, limits)
    except DecodeError as error:
        at = None if error.offset is None else error.offset + offset
        raise DecodeError(error.message.replace("the body", "an item of the body", 1), offset=at) from None


def write_event(item: Any) -> bytes:
    """One server-sent event (HTML, 9.2.5): a mapping of its fields, or its data alone."""
    event = item if isinstance(item, dict) else {"data": item}
    lines = []
    for name in ("event", "id", "retry"):
        value = event.get(name)
        if value is not None:
            lines.append(f"{name}: {_field(name, value)}")
    data = event.get("data")
    if data is not None:
        text = data if isinstance(data, str) else json.dump(data)
        lines += [f"data: {line}" for line in _LINE_END.split(text)]
    return charsets.encode_text("\n".join([*lines, "", ""]), "utf-8")


def _field(name: str, value: Any) -> str:
    text = value if isinstance(value, str) else json.dump(value)
    if _LINE_END.search(text) or "\0" in text:
        raise EncodeError(f"the {name} of an event can't hold a line break or NUL")
    return text


def read_events(body: bytes, media_type: MediaType | None, limits: Limits) -> list[Any]:  # noqa: ARG001  # every reader's arguments
    """The events of a stream, as mappings of the fields that each has.

    HTML, 9.2.6: an event without data is none, nor is one at the end that no blank line follows. The type of an event
    that names none is ``message``, which is told where the schema asks for a type.
    """
    typed = _requires_event(media_type)
    found: list[dict[str, Any]] = []
    event: dict[str, Any] = {}
    for line in _LINE_END.split(charsets.decode_text(body, "utf-8"))[:-1]:
        if line:
            _take(event, line)
            continue
        if "data" in event:
            found.append({"event": "message", **event} if typed else event)
        event = {}
    return found


def _take(event: dict[str, Any], line: str) -> None:
    name, _, value = line.partition(":")
    value = value.removeprefix(" ")
    if name == "data":
        event["data"] = f"{event['data']}\n{value}" if "data" in event else value
    elif name == "retry":
        if _DIGITS.fullmatch(value):
            event["retry"] = int(value[:20])
    elif name == "event" or (name == "id" and "\0" not in value):
        event[name] = value


def _requires_event(media_type: MediaType | None) -> bool:
    schema = media_type.item_schema if media_type is not None else None
    if schema is None and media_type is not None and media_type.schema is not None:
        schema = _schemas.shape(media_type.schema).items
    return schema is not None and "event" in _schemas.shape(schema).required


LINES = Codec("sequence", partial(_encode, write_line), partial(_decode, read_lines), files=True)
RECORDS = Codec("sequence", partial(_encode, write_record), partial(_decode, read_records), files=True)
EVENTS = Codec("sequence", partial(_encode, write_event), partial(_decode, read_events), files=True)
