"""Sequential media types as lists: JSON Lines, JSON text sequences, server-sent events.

Rule 1: a schema that is an array, or an ``itemSchema``, or nothing: a list. A schema that is a string: the text.
Rule 2: an iterator of items is written as a stream, an item at a time, and a stream is read so (:mod:`.splitting`).
Rule 3: an event's ``data`` stays the string that it is (OAS 3.2, Special Considerations for Server-Sent Events):
``contentMediaType`` says what is in it, and who wants that reads it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from dynclient import _schemas
from dynclient._plain_values import plain_value
from dynclient.codecs import charsets, json, shapes, splitting, streams
from dynclient.codecs.codec import Codec, Encoded, Split
from dynclient.exceptions import EncodeError
from dynclient.model import MediaType
from dynclient.options import Limits

Write = Callable[[Any], bytes]


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
        return Encoded(streams.Stream([lambda: (_item(write, item) for item in value)], None), content_type)
    if isinstance(value, AsyncIterator):
        return Encoded(_Written(write, value), content_type)
    if streams.is_content(value):
        return Encoded(streams.body(value), content_type)
    raise EncodeError(f"a {content_type} body is a list of its items, not a {type(value).__name__}")


def _item(write: Write, item: Any) -> bytes:
    return bytes(item) if isinstance(item, (bytes, bytearray, memoryview)) else write(plain_value(item))


class _Written(AsyncIterator[bytes]):
    """The items of an asynchronous iterator, written one by one."""

    def __init__(self, write: Write, items: AsyncIterator[Any]) -> None:
        self._write = write
        self._items = items

    async def __anext__(self) -> bytes:
        return _item(self._write, await anext(self._items))


def _decode(split: Split, body: bytes, media_type: MediaType | None, content_type: str, limits: Limits) -> Any:
    """Read a list, or the text where the schema is a string.

    Raises:
        DecodeError: an item is malformed or cut.
    """
    if media_type is not None and media_type.schema is not None and media_type.item_schema is None:
        shape = shapes.sole(media_type.schema)
        if "string" in shape.types and not shapes.is_array(shape):
            return charsets.decode_text(body, charsets.charset(content_type) or "utf-8")
    splitter = split(media_type, replace(limits, response_bytes=None))
    return [*splitter.feed(body), *splitter.finish()]


def write_line(item: Any) -> bytes:
    """One line of JSON Lines: compact JSON holds no line break."""
    return charsets.encode_text(json.dump(item), "utf-8") + b"\n"


def write_record(item: Any) -> bytes:
    """One JSON text of a sequence. RFC 7464, 2.2: after a record separator, and with a line feed at its end."""
    return splitting.RECORD + write_line(item)


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
        lines += [f"data: {line}" for line in splitting.LINE_END.split(text)]
    return charsets.encode_text("\n".join([*lines, "", ""]), "utf-8")


def _field(name: str, value: Any) -> str:
    text = value if isinstance(value, str) else json.dump(value)
    if splitting.LINE_END.search(text) or "\0" in text:
        raise EncodeError(f"the {name} of an event can't hold a line break or NUL")
    return text


def split_lines(media_type: MediaType | None, limits: Limits) -> splitting.JSONLines:  # noqa: ARG001  # every split's arguments
    """What reads JSON Lines."""
    return splitting.JSONLines(limits)


def split_records(media_type: MediaType | None, limits: Limits) -> splitting.JSONRecords:  # noqa: ARG001  # every split's arguments
    """What reads a JSON text sequence."""
    return splitting.JSONRecords(limits)


def split_events(media_type: MediaType | None, limits: Limits) -> splitting.Events:
    """What reads server-sent events; the type of one that names none is told where the schema asks for a type."""
    return splitting.Events(limits, typed=_requires_event(media_type))


def _requires_event(media_type: MediaType | None) -> bool:
    schema = media_type.item_schema if media_type is not None else None
    if schema is None and media_type is not None and media_type.schema is not None:
        schema = _schemas.shape(media_type.schema).items
    return schema is not None and "event" in _schemas.shape(schema).required


def _codec(write: Write, split: Split) -> Codec:
    return Codec("sequence", partial(_encode, write), partial(_decode, split), files=True, split=split)


LINES = _codec(write_line, split_lines)
RECORDS = _codec(write_record, split_records)
EVENTS = _codec(write_event, split_events)
