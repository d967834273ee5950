"""Encode values as bytes and decode them, by media type.

:mod:`dynclient.media_types` says which codec a media type has. :func:`register` adds one::

    dynclient.codecs.register("application/cbor", Codec("cbor", encode, decode))
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dynclient import media_types
from dynclient._deferred import function
from dynclient.codecs import json
from dynclient.codecs.codec import BINARY, TEXT, Codec, Encoded, Splitter


def _later(module: str, constant: str = "CODEC", *, files: bool = False, splits: bool = False) -> Codec:
    """A codec of this package whose module is imported at its first use."""

    def of(member: str) -> Callable[..., Any]:
        return function(f"{__name__}.{module}", f"{constant}.{member}")

    return Codec(module, of("encode"), of("decode"), files, of("split") if splits else None)


CODECS: dict[str, Codec] = {
    "json": json.CODEC,
    "xml": _later("xml"),
    "yaml": _later("yaml"),
    "form": _later("form"),
    "multipart": _later("multipart", files=True),
    "json-lines": _later("sequence", "LINES", files=True, splits=True),
    "json-records": _later("sequence", "RECORDS", files=True, splits=True),
    "events": _later("sequence", "EVENTS", files=True, splits=True),
    "text": TEXT,
    "binary": BINARY,
}
"""Codecs by the names in ``MediaKind.codec``."""


def find(content_type: str) -> Codec:
    """The codec of a content type; for a malformed one, that of bytes."""
    return CODECS[media_types.find(content_type).codec]


def register(media_range: str, codec: Codec, *, value: type = object, structured: bool = False) -> None:
    """Use a codec for a media type or range, such as ``application/cbor``, ``application/*+cbor`` or ``model/*``.

    It replaces the range's codec. ``value`` is the type of decoded values for type hints, if no schema is more
    specific; ``object`` means any. ``structured``: it may be an object, whose properties become keyword arguments. A
    codec that can split is used for streams of items.

    Raises:
        ValueError: the media range is malformed.
    """
    key = media_types.essence(media_range)
    sequential = codec.split is not None
    kind = media_types.MediaKind(codec.name, key, value, sequential, structured=structured, is_text=False)
    media_types.add(media_range, kind)
    CODECS[key] = codec


__all__ = ["CODECS", "Codec", "Encoded", "Splitter", "find", "register"]
