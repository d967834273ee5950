"""Values <-> bytes, by media type.

``CODECS`` maps media ranges to codecs and is open: put a :class:`Codec` under a media range, and it is used for it::

    dynclient.codecs.CODECS["application/cbor"] = Codec("cbor", encode, decode)

:func:`find` looks for the exact type first, then for its suffix (``application/*+json``, ``*/*+json``), then for
``type/*``, then for ``*/*``.
"""

from __future__ import annotations

from dynclient import _negotiation
from dynclient.codecs import binary, form, json, multipart, sequence, text, xml
from dynclient.codecs.codec import Codec, Encoded, Splitter
from dynclient.model import MediaType

CODECS: dict[str, Codec] = {
    "application/json": json.CODEC,
    "text/json": json.CODEC,
    "*/*+json": json.CODEC,
    "application/xml": xml.CODEC,
    "text/xml": xml.CODEC,
    "*/*+xml": xml.CODEC,
    "application/x-www-form-urlencoded": form.CODEC,
    "multipart/*": multipart.CODEC,
    "application/jsonl": sequence.LINES,
    "application/x-jsonl": sequence.LINES,
    "application/jsonlines": sequence.LINES,
    "application/ndjson": sequence.LINES,
    "application/x-ndjson": sequence.LINES,
    "application/json-seq": sequence.RECORDS,
    "*/*+json-seq": sequence.RECORDS,
    "text/event-stream": sequence.EVENTS,
    "application/yaml": text.CODEC,
    "application/x-yaml": text.CODEC,
    "application/javascript": text.CODEC,
    "application/graphql": text.CODEC,
    "application/sql": text.CODEC,
    "application/jwt": text.CODEC,
    "*/*+yaml": text.CODEC,
    "text/*": text.CODEC,
    "*/*": binary.CODEC,
}


def find(content_type: str, media_type: MediaType | None = None) -> Codec:  # noqa: ARG001  # for codecs of users to come
    """The codec of a content type; a malformed one is read and written as bytes."""
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
