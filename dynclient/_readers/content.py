"""Media types, what they hold, and their examples: the parts of a ``content`` map of OpenAPI 3.

Rule 1: a key of ``content`` is kept as the document spells it, junk too: it never matches, and so does no harm.
Rule 2: examples only tell people something. A broken one is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from dynclient._readers.nodes import Node
from dynclient._readers.sequences import with_items
from dynclient.exceptions import DocumentError
from dynclient.media_types import FORM, MULTIPART_FORM, essence
from dynclient.model import Encoding, Example, Header, MediaType

_MAX_NESTING = 32
_STYLE_WORDS = ("style", "explode", "allowReserved")
_FORM_STYLES = ("form", "spaceDelimited", "pipeDelimited", "deepObject")


def content(node: Node, *, encoded: bool = True) -> dict[str, MediaType]:
    """The ``content`` map of an object; ``encoded`` tells whether Encoding Objects count there."""
    found = {}
    for media_range, value in node.entries("content"):
        media_type = value.followed("a Media Type Object")
        found[media_range] = _media_type(media_range, media_type, encoded=encoded)
    return found


def _media_type(media_range: str, node: Node, *, encoded: bool) -> MediaType:
    known = node.since("3.2")
    read = MediaType(
        media_range=media_range,
        schema=node.schema_at("schema"),
        item_schema=node.schema_at("itemSchema") if known else None,
        examples=examples(node),
        pointer=node.pointer,
    )
    read = with_items(read)
    if not encoded:
        return read
    encoding, prefix, item = _encodings(node, media_range, 0)
    return read._replace(encoding=encoding, prefix_encoding=prefix, item_encoding=item)


def _encodings(
    node: Node, media_range: str, depth: int
) -> tuple[dict[str, Encoding], tuple[Encoding, ...], Encoding | None]:
    """``encoding``, ``prefixEncoding`` and ``itemEncoding`` of a media type, or of an encoding (OAS 3.2)."""
    if depth > _MAX_NESTING:
        return node.refuse(node.fault(f"`encoding` is nested deeper than {_MAX_NESTING}"), ({}, (), None))
    named = {name: _encoding(value, media_range, depth) for name, value in node.entries("encoding")}
    if not node.since("3.2"):
        return named, (), None
    prefix = tuple(_encoding(value, media_range, depth) for value in node.members("prefixEncoding"))
    item = node.at("itemEncoding")
    return named, prefix, None if item is None else _encoding(item, media_range, depth)


def _encoding(node: Node, media_range: str, depth: int) -> Encoding:
    node = node.object("an Encoding Object")
    content_type = node.text("contentType", "") or None
    read = Encoding(content_type=content_type, headers=headers(node), **_style(node, media_range))
    if not node.since("3.2"):
        return read
    named, prefix, item = _encodings(node, content_type or "", depth + 1)
    return read._replace(encoding=named, prefix_encoding=prefix, item_encoding=item)


def _style(node: Node, media_range: str) -> dict[str, Any]:
    """How a form field is written in the manner of a query parameter, where the document wants that."""
    # OAS 3.0.4, Encoding Object: style, explode and allowReserved are ignored unless the media type is
    # application/x-www-form-urlencoded. OAS 3.1.1: or multipart/form-data. Either way, only if one is there.
    name = essence(media_range)
    applies = name == FORM or (node.since("3.1") and name == MULTIPART_FORM)
    if not applies or not any(word in node.value for word in _STYLE_WORDS):
        return {}
    style = node.text("style", "form")
    if style not in _FORM_STYLES:
        return node.refuse(node.fault(f"`style` must be one of {', '.join(_FORM_STYLES)}, not {style!r}"), {})
    explode = node.flag("explode", default=style == "form")
    return {"style": style, "explode": explode, "allow_reserved": node.flag("allowReserved")}


def headers(node: Node) -> dict[str, Header]:
    """The ``headers`` of a response or of a part of a form."""
    # OAS 3.1.1, Response Object and Encoding Object: a header named Content-Type is ignored.
    return {
        name: header(name, value.followed("a Header Object"))
        for name, value in node.entries("headers")
        if name.lower() != "content-type"
    }


def header(name: str, node: Node) -> Header:
    """Read a Header Object."""
    # OAS 3.1.1, Header Object: as a parameter `in: header`; the style can only be `simple`.
    return Header(
        name=name,
        required=node.flag("required"),
        schema=node.schema_at("schema"),
        media_type=only(content(node, encoded=False)),
        explode=node.flag("explode"),
        description=node.note("description"),
        deprecated=node.flag("deprecated"),
        examples=examples(node),
        pointer=node.pointer,
    )


def only(media_types: dict[str, MediaType]) -> MediaType | None:
    """The one entry of a parameter's ``content``, or None where there is none."""
    return next(iter(media_types.values()), None)


def examples(node: Node) -> tuple[Example, ...]:
    """What stands under ``example`` and ``examples``; the single one has no name."""
    found = [Example("", node.value["example"])] if "example" in node.value else []
    return (*found, *_named_examples(node))


def _named_examples(node: Node) -> Iterator[Example]:
    named = node.value.get("examples")
    if isinstance(named, list):
        # An array is JSON Schema's way; it is met here too.
        yield from (Example(str(index), value) for index, value in enumerate(named))
    elif isinstance(named, Mapping):
        for name, value in node.entries("examples"):
            with suppress(DocumentError):
                yield _example(name, value.followed("an Example Object"))


def _example(name: str, node: Node) -> Example:
    # OAS 3.2.0, Example Object: `dataValue` is data, `serializedValue` is text as on the wire; `value` is either.
    data = next((word for word in ("dataValue", "value") if word in node.value), None)
    serialized = node.value.get("serializedValue")
    return Example(
        name=name,
        value=node.value[data] if data else None,
        serialized=serialized if isinstance(serialized, str) else None,
        summary=node.note("summary"),
        description=node.note("description"),
        has_value=data is not None,
        external=node.note("externalValue") or None,
    )
