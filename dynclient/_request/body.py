"""The body of a request: choose a media type, validate, encode.

Rule 1: ``content_type`` chooses the media type; else the value's kind does, by ``media_types.PREFERENCES``.
Rule 2: the plain value is validated, before encoding. XML given as text or as an element is parsed once for validation,
and sent unchanged.
"""

from __future__ import annotations

import mimetypes
import os
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from dynclient import codecs
from dynclient._escaping import logger
from dynclient._negotiation import match
from dynclient._plain_values import plain_value
from dynclient._records import Record
from dynclient._schemas import is_binary, settled
from dynclient._validation import body_faults
from dynclient.exceptions import DecodeError, EncodeError, Fault, UnsupportedMediaType
from dynclient.media_types import (
    JSON,
    MULTIPART_FORM,
    OCTETS,
    PREFERENCES,
    TEXT,
    XML,
    concrete,
    essence,
    find,
    is_concrete,
)
from dynclient.model import MediaType, Operation
from dynclient.options import Limits, ValidationEngine, ValidationMode

log = logger()

# Types that are never files, for a quick test.
_PLAIN = frozenset({str, int, float, bool, type(None), dict, list})
# The media type of a kind of value, if the document allows any.
_KINDS = frozenset(name for names in PREFERENCES.values() for name in names)
_WRITTEN = {"text": TEXT, "markup": XML, "bytes": OCTETS, "files": MULTIPART_FORM}


class Choice(Record):
    """A documented media type, the concrete content type to send, and its codec."""

    media_type: MediaType
    content_type: str
    codec: codecs.Codec


def choose(operation: Operation, value: Any, content_type: str | None, mode: ValidationMode) -> Choice:
    """Choose the media type of a body. With validation ``warn`` or ``off``, it may be one that the document lacks.

    Raises:
        UnsupportedMediaType: the operation accepts no body of that content type.
    """
    content = operation.body.content if operation.body is not None else {}
    if content_type is not None:
        media_range = match(content_type, content)
        if media_range is not None:
            return _choice(content[media_range], content_type, value)
        message = f"it accepts no body of type {content_type}"
        if mode == "strict":
            raise _unsupported(operation, message)
        if mode == "warn":
            log.warning("%s: sent although %s", operation.id, message)
        return _choice(MediaType(content_type), content_type, value)
    if not content:
        raise _unsupported(operation, "it accepts no body")
    if len(content) == 1 and is_concrete(next(iter(content))):
        # The only choice for any kind of value.
        (media_type,) = content.values()
        return _choice(media_type, media_type.media_range, value)
    kind = kind_of(value)
    media_type = _preferred(list(content.values()), kind)
    return _choice(media_type, _concrete(media_type.media_range, kind, value), value)


def _choice(media_type: MediaType, content_type: str, value: Any) -> Choice:
    """Bytes for a binary schema are sent unchanged, even as JSON; any other value by the codec of the content type."""
    schema = media_type.schema
    is_raw = schema is not None and _is_file(value) and is_binary(schema)
    return Choice(media_type, content_type, codecs.find(OCTETS if is_raw else content_type))


def rooted(value: Any) -> Any:
    """The root element of an ElementTree; any other value unchanged."""
    return value.getroot() if _is_of_tree(value, "ElementTree") else value


def _is_of_tree(value: Any, name: str) -> bool:
    """Whether a value is an Element, or an ElementTree. If their module is not loaded, it can't be."""
    trees = sys.modules.get("xml.etree.ElementTree")
    return trees is not None and isinstance(value, getattr(trees, name))


def kind_of(value: Any) -> str:
    """The kind of a value, a key of :data:`PREFERENCES`."""
    if _is_of_tree(value, "Element"):
        return "markup"
    if isinstance(value, str):
        return "markup" if value.lstrip("\ufeff \t\r\n").startswith("<") else "text"
    if _is_file(value):
        return "bytes"
    if isinstance(value, (bool, int, float)) or value is None:
        return "scalar"
    if isinstance(value, Mapping):
        return "files" if any(_holds_file(member) for member in value.values()) else "object"
    if isinstance(value, (Sequence, set, frozenset)):
        return "array"
    return "bytes" if hasattr(value, "__next__") or hasattr(value, "__anext__") else "object"


def _is_file(value: Any) -> bool:
    if type(value) in _PLAIN:
        return False
    return isinstance(value, (bytes, bytearray, memoryview, os.PathLike)) or hasattr(value, "read")


def _holds_file(value: Any) -> bool:
    members = value if isinstance(value, (list, tuple)) else (value,)
    return any(_is_file(member) for member in members)


def _preferred(offered: list[MediaType], kind: str) -> MediaType:
    if len(offered) == 1:
        return offered[0]
    by_kind: dict[str, MediaType] = {}
    for media_type in _fitting(offered, kind):
        name = find(media_type.media_range).name
        by_kind.setdefault(name if name in _KINDS else "other", media_type)
    return next((by_kind[name] for name in PREFERENCES[kind] if name in by_kind), offered[0])


def _fitting(offered: list[MediaType], kind: str) -> list[MediaType]:
    """The media types that fit the value: some JSON types have only arrays as values, others never.

    RFC 6902, 3: a JSON Patch document is an array. RFC 7396, 1: a merge patch that is an object changes members.
    """
    if kind not in {"object", "array"}:
        return offered
    wanted = list if kind == "array" else dict
    rows = [(media_type, find(media_type.media_range)) for media_type in offered]
    found = [media_type for media_type, row in rows if row.name != "json" or row.value in {wanted, object}]
    # A list goes to the type for lists.
    return sorted(found, key=lambda media_type: wanted is not list or find(media_type.media_range).value is not list)


def _concrete(media_range: str, kind: str, value: Any) -> str:
    """A content type for a header: a range with ``*`` is made concrete by the kind of value."""
    if is_concrete(media_range):
        return media_range
    named = (
        mimetypes.guess_type(str(getattr(value, "name", value)))[0]
        if kind == "bytes" and not isinstance(value, bytes)
        else None
    )
    type_, _, _ = essence(media_range).partition("/")
    return concrete(media_range, (named, _WRITTEN.get(kind, JSON), MULTIPART_FORM, f"{type_}/octet-stream"))


def _unsupported(operation: Operation, message: str) -> UnsupportedMediaType:
    offered = list(operation.body.content) if operation.body is not None else []
    known = f"the document has {', '.join(offered)}; " if offered else ""
    hint = f'{known}with validate=Validation(requests="warn") any content type is sent'
    return UnsupportedMediaType(message, offered=offered, operation_id=operation.id, hint=hint)


def faults(choice: Choice, value: Any, limits: Limits, engine: ValidationEngine = "auto") -> list[Fault]:
    """All faults of a plain body.

    XML given as text or as an element is parsed for it; :func:`encode` refuses XML that is not well-formed.
    """
    codec, media_type = choice.codec, choice.media_type
    # A stream is read while it is sent, so it can't be validated first.
    if (
        codec.name == "binary"
        or isinstance(value, AsyncIterator)
        or (codec.name == "sequence" and isinstance(value, Iterator))
        or (codec.name == "yaml" and _is_file(value) and not isinstance(value, bytes))
    ):
        return []
    if (
        codec.name == "xml"
        and (isinstance(value, (str, bytes)) or _is_of_tree(value, "Element"))
        and media_type.schema is not None
    ):
        from dynclient.codecs import xml

        if not xml.is_text(media_type.schema):
            try:
                value = xml.value_of(value, media_type, choice.content_type, limits)
            except EncodeError as error:
                return [Fault("$", error.message, "xml")] if error.line is None else []
        elif not isinstance(value, str):
            return []
    elif codec.name == "yaml" and isinstance(value, (str, bytes)):
        try:
            value = codec.decode(value.encode("utf-8") if isinstance(value, str) else value, media_type, "", limits)
        except DecodeError as error:
            return [Fault("$", error.message, "yaml")]
    return body_faults(media_type, value, "request", limits, engine, content_type=choice.content_type)


def encode(choice: Choice, value: Any, mode: ValidationMode) -> codecs.Encoded:
    """The bytes of a body, and its complete Content-Type.

    Raises:
        EncodeError: the media type can't represent the value. Text that is not well-formed XML passes when validation
            is ``warn`` (with a warning) or ``off``.
    """
    try:
        return choice.codec.encode(value, choice.media_type, choice.content_type)
    except EncodeError as error:
        if mode == "strict" or not isinstance(value, str):
            raise
        if mode == "warn":
            log.warning("sent unchanged: %s", error)
        return codecs.Encoded(value.encode("utf-8"), choice.content_type)


def to_plain(choice: Choice, value: Any) -> Any:
    """The plain value of a Python object, with files kept if the media type accepts them."""
    codec = choice.codec
    if (
        isinstance(value, AsyncIterator)
        or codec.name == "binary"
        or (codec.name in {"text", "xml"} and (isinstance(value, bytes) or _is_of_tree(value, "Element")))
        or (codec.name == "yaml" and _is_file(value))
    ):
        return value
    schema, item_schema = choice.media_type.schema, choice.media_type.item_schema
    # The whole body of a sequence may be a file; its items are JSON.
    files = codec.files and not (codec.name == "sequence" and isinstance(value, list))
    if schema is None and item_schema is not None and isinstance(value, list):
        of_item = partial(settled, item_schema, files=files)
        return [plain_value(item, files=files, settle=of_item) for item in value]
    settle = partial(settled, schema, files=files) if schema is not None else None
    return plain_value(value, files=files, settle=settle)
