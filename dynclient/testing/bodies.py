"""What a response may be made of: its media types, which of them the client takes, and a value for it.

Rule 1: an example of the document goes before a value made from the schema.
Rule 2: a range such as ``image/*`` is made concrete before it is sent.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from dynclient import codecs, model
from dynclient._negotiation import match, parse
from dynclient._records import Record
from dynclient._validation import validator
from dynclient.examples import media_example
from dynclient.exceptions import DynclientError, Fault
from dynclient.options import Limits
from dynclient.testing.manner import NO_WISH, Wish

log = logging.getLogger("dynclient.testing")

# A concrete type for each range that a document may give; what is not here takes octets.
CONCRETE = {
    "*/*": "application/json",
    "application/*": "application/json",
    "text/*": "text/plain",
    "image/*": "image/png",
    "audio/*": "audio/wav",
    "video/*": "video/mp4",
}


class Offer(Record):
    """A documented media type, and the concrete content type that is sent for it."""

    media_type: model.MediaType
    content_type: str

    @property
    def codec(self) -> codecs.Codec:
        """What writes the media type."""
        return codecs.find(self.content_type, self.media_type)


def offers(response: model.Response) -> list[Offer]:
    """The media types of a response, in the document's order."""
    return [Offer(media_type, _concrete(media_range)) for media_range, media_type in response.content.items()]


def _concrete(media_range: str) -> str:
    essence = media_range.partition(";")[0].strip().lower()
    if "*" not in essence:
        return media_range
    type_, _, subtype = essence.partition("/")
    if subtype.startswith("*+"):
        return f"{type_}/{subtype[2:]}"
    return CONCRETE.get(essence, "application/octet-stream")


def preferred(accept: str, offered: Sequence[Offer]) -> Offer | None:
    """The offer that a client likes best, by its Accept header; None where it takes none of them.

    Of offers that it likes equally, the document's first one.
    """
    weights = _weights(accept)
    if not weights:
        return offered[0] if offered else None
    best: Offer | None = None
    best_weight = 0.0
    for offer in offered:
        found = match(offer.content_type, weights)
        weight = weights[found] if found is not None else 0.0
        if weight > best_weight:
            best, best_weight = offer, weight
    return best


def preferred_for_error(accept: str, offered: Sequence[Offer]) -> Offer:
    """The offer for an error: one that the client takes, else one of the same syntax, else the first.

    RFC 9110, 15.5.7: a server may send what the client did not ask for; an error without its body helps nobody.
    """
    found = preferred(accept, offered)
    if found is not None:
        return found
    wanted = {parse(media_range).subtype for media_range in _weights(accept)}
    alike = (offer for offer in offered if offer.content_type.partition(";")[0].rpartition("+")[2].strip() in wanted)
    return next(alike, offered[0])


def _weights(accept: str) -> dict[str, float]:
    # RFC 9110, 12.5.1: each range has a weight q, 1 where it has none; what can't be read says nothing.
    weights: dict[str, float] = {}
    for member in accept.split(","):
        media_range, _, weight = member.strip().partition(";q=")
        try:
            parse(media_range)
            weights[media_range.strip()] = float(weight.partition(";")[0] or 1)
        except ValueError:
            continue
    return weights


_warned: set[tuple[str, str]] = set()


def is_named(media_type: model.MediaType, name: str) -> bool:
    """Whether the document has an example of this name."""
    return any(entry.name == name for entry in _given(media_type))


def ready_value(media_type: model.MediaType, wish: Wish = NO_WISH, *, status: int = 0) -> Any:
    """A value for a response's body: the document's example, else one by the schema; by the schema alone if wished."""
    value = None
    if wish.example is not None or not wish.dynamic:
        value = copy.deepcopy(_documented_value(media_type, wish.example, status))
    if value is None:
        value = media_example(media_type._replace(examples=()), "response", wish.seed, shown=not wish.dynamic)
    if status >= HTTPStatus.BAD_REQUEST and isinstance(value, dict) and isinstance(value.get("status"), int):
        # RFC 9457, 3.1.2: the member `status` is the status code of this response.
        numbered = {**value, "status": status}
        return value if media_type.schema is not None and _faults(media_type.schema, numbered) else numbered
    return value


def _given(media_type: model.MediaType) -> list[model.Example]:
    return [entry for entry in media_type.examples if entry.has_value or entry.serialized is not None]


def _faults(schema: model.Schema, value: Any) -> list[Fault]:
    return validator(schema, "response").faults(value)


def _documented_value(media_type: model.MediaType, name: str | None, status: int) -> Any:
    given = _given(media_type)
    chosen = next((entry for entry in given if entry.name == name), given[0] if given else None)
    if chosen is None:
        return None
    value = chosen.value
    if not chosen.has_value and chosen.serialized is not None:
        value = _decoded(chosen.serialized, media_type)
    _warn_once(media_type, value, status)
    return value


def _decoded(text: str, media_type: model.MediaType) -> Any:
    content_type = _concrete(media_type.media_range)
    try:
        return codecs.find(content_type, media_type).decode(text.encode("utf-8"), media_type, content_type, Limits())
    except DynclientError:
        return text


def _warn_once(media_type: model.MediaType, value: Any, status: int) -> None:
    """Say once that an example of the document breaks its own schema; it is sent all the same."""
    pointer = media_type.pointer
    if media_type.schema is None or (media_type.schema.uri, pointer) in _warned:
        return
    _warned.add((media_type.schema.uri, pointer))
    what = status or "a response"
    for fault in _faults(media_type.schema, value):
        log.warning("the document's example for %s at #%s breaks its schema: %s", what, pointer, fault)
