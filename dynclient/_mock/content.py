"""The content of a response: its documented media types, the one that the client accepts, and a value for it.

Rule 1: an example of the document goes before a value generated from the schema.
Rule 2: a range such as ``image/*`` is replaced by a concrete media type before it is sent.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Any, cast

from dynclient import codecs, model
from dynclient._negotiation import match
from dynclient._records import Record
from dynclient._validation import validator
from dynclient.examples import media_example
from dynclient.exceptions import DynclientError
from dynclient.media_types import concrete, essence, parse
from dynclient.options import Limits

log = logging.getLogger("dynclient.testing")


class Preference(Record):
    """What a request asks of its response: a status code, an example by name, a generated value, a seed."""

    code: str | None = None
    example: str | None = None
    dynamic: bool = False
    seed: int = 0


NO_PREFERENCE = Preference()


class Offer(Record):
    """A documented media type, and the concrete content type that is sent for it."""

    media_type: model.MediaType
    content_type: str

    @property
    def codec(self) -> codecs.Codec:
        """The codec of the media type."""
        return codecs.find(self.content_type)

    def encode(self, value: Any) -> tuple[bytes, str]:
        """Encode a value; returns the bytes and their Content-Type.

        Raises:
            EncodeError: the codec can't encode the value.
        """
        if self.codec.name == "binary" and not isinstance(value, bytes):
            value = str(value).encode("utf-8")
        encoded = self.codec.encode(value, self.media_type, self.content_type)
        body = (
            encoded.body if isinstance(encoded.body, bytes) else b"".join(cast("Iterator[bytes]", encoded.body or ()))
        )
        return body, encoded.content_type

    def is_valid(self, value: Any) -> bool:
        """Whether a value is valid by the media type's schema, if it has one."""
        schema = self.media_type.schema
        return schema is None or not validator(schema, "response").faults(value)


def offers(response: model.Response) -> list[Offer]:
    """The media types of a response, in the document's order."""
    return [Offer(media_type, concrete(media_range)) for media_range, media_type in response.content.items()]


def negotiate(accept: str, offered: Sequence[Offer], status: int) -> Offer | None:
    """Choose the offer that an Accept header prefers; of equals, the document's first one.

    Returns None where the client accepts none of them. An error is sent all the same: in a media type of the same
    syntax as an accepted one, else in the document's first one.
    """
    weights = _weights(accept)
    if not weights:
        return offered[0]

    def weight(offer: Offer) -> float:
        found = match(offer.content_type, weights)
        return weights[found] if found is not None else 0.0

    best = max(offered, key=weight)
    if weight(best) > 0:
        return best
    if status < HTTPStatus.BAD_REQUEST:
        return None
    # RFC 9110, 15.5.7: a server may send what the client did not ask for; an error without its body helps nobody.
    subtypes = {parse(media_range).subtype for media_range in weights}
    alike = (offer for offer in offered if essence(offer.content_type).rpartition("+")[2] in subtypes)
    return next(alike, offered[0])


def _weights(accept: str) -> dict[str, float]:
    # RFC 9110, 12.5.1: each range has a weight q, 1 where none is given. Malformed ranges are ignored.
    weights: dict[str, float] = {}
    for member in accept.split(","):
        media_range, _, weight = member.strip().partition(";q=")
        try:
            parse(media_range)
            weights[media_range.strip()] = float(weight.partition(";")[0] or 1)
        except ValueError:
            continue
    return weights


def has_example(media_type: model.MediaType, name: str) -> bool:
    """Whether the document has an example of this name."""
    return any(entry.name == name for entry in _usable_examples(media_type))


def content_value(media_type: model.MediaType, preference: Preference = NO_PREFERENCE, *, status: int = 0) -> Any:
    """The value of a response's body: the document's example, else one generated from the schema.

    ``preference`` may name an example, or ask for a generated value. ``status`` is the response's status code.
    """
    value = None
    if preference.example is not None or not preference.dynamic:
        value = copy.deepcopy(_example_value(media_type, preference.example, status))
    if value is None:
        generated = media_type._replace(examples=())
        value = media_example(generated, "response", preference.seed, shown=not preference.dynamic)
    if status >= HTTPStatus.BAD_REQUEST and isinstance(value, dict) and isinstance(value.get("status"), int):
        # RFC 9457, 3.1.2: the member `status` is the status code of this response.
        changed = {**value, "status": status}
        return changed if Offer(media_type, "").is_valid(changed) else value
    return value


def _usable_examples(media_type: model.MediaType) -> list[model.Example]:
    return [entry for entry in media_type.examples if entry.has_value or entry.serialized is not None]


def _example_value(media_type: model.MediaType, name: str | None, status: int) -> Any:
    examples = _usable_examples(media_type)
    chosen = next((entry for entry in examples if entry.name == name), examples[0] if examples else None)
    if chosen is None:
        return None
    value = chosen.value
    if not chosen.has_value and chosen.serialized is not None:
        value = _decoded(chosen.serialized, media_type)
    _warn_of_invalid_example(media_type, value, status)
    return value


def _decoded(text: str, media_type: model.MediaType) -> Any:
    content_type = concrete(media_type.media_range)
    try:
        return codecs.find(content_type).decode(text.encode("utf-8"), media_type, content_type, Limits())
    except DynclientError:
        return text


_warned: set[tuple[str, str]] = set()


def _warn_of_invalid_example(media_type: model.MediaType, value: Any, status: int) -> None:
    """Log once that an example of the document is not valid by its own schema; it is sent all the same."""
    pointer, schema = media_type.pointer, media_type.schema
    if schema is None or (schema.uri, pointer) in _warned:
        return
    _warned.add((schema.uri, pointer))
    for fault in validator(schema, "response").faults(value):
        log.warning(
            "the document's example for %s at #%s breaks its schema: %s", status or "a response", pointer, fault
        )
