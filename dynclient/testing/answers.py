"""What a request that is right is answered with.

Rule 1: the lowest documented 2xx, or the code that the client wishes (``Prefer: code=404``, RFC 7240).
Rule 2: the media type by Accept; the value by ``dynclient.testing.bodies``.
Rule 3: headers that frame the message are the server's own; the document's others are all sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any, cast

from dynclient import codecs, model
from dynclient._plain import plain
from dynclient._records import Record
from dynclient._styles import serialize
from dynclient.examples import example
from dynclient.exceptions import DynclientError, EncodeError
from dynclient.http_grammar import BODILESS, CONNECTION_FIELDS
from dynclient.messages import Headers, Response
from dynclient.testing.bodies import Offer, is_named, offers, preferred, preferred_for_error, ready_value
from dynclient.testing.manner import Wish
from dynclient.testing.refusals import Refusal

# A documented value of these is not sent: the server writes its own.
OWN_HEADERS = CONNECTION_FIELDS | {"content-type", "content-encoding", "date", "server"}


class Answer(Record):
    """A response before it is encoded.

    ``offer`` is None where it has no body; ``headers`` are values, by lower-case name, for headers that are documented.
    """

    status: int
    response: model.Response
    offer: Offer | None = None
    value: Any = None
    headers: Mapping[str, str] = {}


def choose(operation: model.Operation, accept: str, wish: Wish) -> Answer:
    """Choose status, media type and value.

    Raises:
        Refusal: 406 where the client takes none of the media types; 404 where it wishes what is not documented.
    """
    status, response = documented_answer(operation, wish.code)
    offered = offers(response)
    if not offered or status in BODILESS:
        return Answer(status, response)
    is_error = status >= HTTPStatus.BAD_REQUEST
    offer = preferred_for_error(accept, offered) if is_error else preferred(accept, offered)
    if offer is None:
        raise Refusal(406, f"the answer may be {', '.join(one.content_type for one in offered)}")
    if wish.example is not None and not is_named(offer.media_type, wish.example):
        raise Refusal(404, f"{operation.id} documents no example {wish.example[:80]!r} for {status}")
    value = ready_value(offer.media_type, wish, status=status)
    return Answer(status, response, offer, value)


def documented_answer(operation: model.Operation, code: str | None) -> tuple[int, model.Response]:
    """The status, and what the operation documents for it: the lowest 2xx, or that of a code.

    Raises:
        Refusal: 404 for a code that is not documented.
    """
    responses = operation.responses
    if code is not None:
        found = responses.get(code) or responses.get(f"{code[:1]}XX") or responses.get("default")
        if found is None:
            raise Refusal(404, f"{operation.id} documents no {code}")
        return int(code), found
    for status in [*sorted(status for status in responses if status[:1] == "2"), "default", *sorted(responses)]:
        if status in responses:
            return _number(status), responses[status]
    return 200, model.Response("200")


def _number(status: str) -> int:
    return int(status) if status.isdecimal() else int(status[0]) * 100 if status[0].isdecimal() else 200


def encode(answer: Answer, wish: Wish) -> Response:
    """Make the response.

    Raises:
        Refusal: 500 where the document's value can't be written in the media type.
    """
    headers = list(_headers(answer, wish))
    if answer.offer is None:
        return Response(answer.status, Headers(headers), b"")
    media_type, content_type = answer.offer
    value = answer.value
    codec = answer.offer.codec
    if codec.name == "binary" and not isinstance(value, bytes):
        value = str(value).encode("utf-8")
    try:
        encoded = codec.encode(value, media_type, content_type)
    except EncodeError as error:
        raise Refusal(500, f"the answer can't be written as {content_type}: {error.message}") from error
    body = encoded.body if isinstance(encoded.body, bytes) else b"".join(cast("Iterator[bytes]", encoded.body or ()))
    return Response(answer.status, Headers((*headers, ("Content-Type", encoded.content_type))), body)


def _headers(answer: Answer, wish: Wish) -> Iterator[tuple[str, str]]:
    for name, header in answer.response.headers.items():
        if name.lower() in OWN_HEADERS:
            continue
        try:
            yield name, answer.headers.get(name.lower()) or _header(header, wish)
        except DynclientError:
            if header.required:
                raise


def _header(header: model.Header, wish: Wish) -> str:
    if header.media_type is not None:
        media_type = header.media_type
        value = ready_value(media_type, wish)
        encoded = codecs.find(media_type.media_range, media_type).encode(value, media_type, media_type.media_range)
        return encoded.body.decode("utf-8") if isinstance(encoded.body, bytes) else ""
    values = [] if wish.dynamic else [entry.value for entry in header.examples if entry.has_value]
    if not values:
        shown = not wish.dynamic
        values = ["" if header.schema is None else example(header.schema, "response", wish.seed, shown=shown)]
    return serialize(plain(values[0]), name=header.name, in_="header", style="simple", explode=header.explode)
