"""Values <-> bytes, by media type.

``CODECS`` maps media ranges to codecs and is open: put a :class:`Codec` under a media range, and it is used for it::

    dynclient.codecs.CODECS["application/cbor"] = Codec("cbor", encode, decode)

:func:`find` looks for the exact type first, then for its suffix (``application/*+json``, ``*/*+json``), then for
``type/*``, then for ``*/*``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dynclient import _negotiation
from dynclient._deferred import function
from dynclient.codecs import json
from dynclient.codecs.codec import Codec, Encoded, Splitter
from dynclient.model import MediaType


def _later(module: str, constant: str = "CODEC", *, files: bool = False, splits: bool = False) -> Codec:
    """The codec that a module of this room defines; the module is loaded when it first has a body."""

    def of(member: str) -> Callable[..., Any]:
        return function(f"{__name__}.{module}", f"{constant}.{member}")

    return Codec(module, of("encode"), of("decode"), files, of("split") if splits else None)


_BINARY = _later("binary", files=True)
_FORM = _later("form")
_MULTIPART = _later("multipart", files=True)
_TEXT = _later("text", files=True)
_XML = _later("xml")
_LINES, _RECORDS, _EVENTS = (
    _later("sequence", constant, files=True, splits=True) for constant in ("LINES", "RECORDS", "EVENTS")
)

CODECS: dict[str, Codec] = {
    "application/json": json.CODEC,
    "text/json": json.CODEC,
    "*/*+json": json.CODEC,
    "application/xml": _XML,
    "text/xml": _XML,
    "*/*+xml": _XML,
    "application/x-www-form-urlencoded": _FORM,
    "multipart/*": _MULTIPART,
    "application/jsonl": _LINES,
    "application/x-jsonl": _LINES,
    "application/jsonlines": _LINES,
    "application/ndjson": _LINES,
    "application/x-ndjson": _LINES,
    "application/json-seq": _RECORDS,
    "*/*+json-seq": _RECORDS,
    "text/event-stream": _EVENTS,
    "application/yaml": _TEXT,
    "application/x-yaml": _TEXT,
    "application/javascript": _TEXT,
    "application/graphql": _TEXT,
    "application/sql": _TEXT,
    "application/jwt": _TEXT,
    "*/*+yaml": _TEXT,
    "text/*": _TEXT,
    "*/*": _BINARY,
}


def find(content_type: str, media_type: MediaType | None = None) -> Codec:  # noqa: ARG001  # for codecs of users to come
    """The codec of a content type; a malformed one is read and written as bytes."""
    named = CODECS.get(content_type)
    if named is not None:
        return named
    try:
        # What a server's parameters say is no matter here, be they malformed.
        parsed = _negotiation.parse(content_type.partition(";")[0])
    except ValueError:
        return CODECS["*/*"]
    exact = CODECS.get(parsed.essence)
    if exact is not None:
        return exact
    ranges: list[str] = []
    if parsed.suffix:
        ranges += [f"{parsed.type}/*+{parsed.suffix}", f"*/*+{parsed.suffix}"]
    return next((CODECS[key] for key in (*ranges, f"{parsed.type}/*") if key in CODECS), CODECS["*/*"])


__all__ = ["CODECS", "Codec", "Encoded", "Splitter", "find"]
