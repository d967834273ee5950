"""Successful responses, and failures on purpose.

Rule 1: the status is the lowest documented 2xx, or the one that the request prefers (``Prefer: code=404``, RFC 7240).
Rule 2: the media type is negotiated by Accept; ``content`` makes the value.
Rule 3: headers that frame the message are the server's own; all others that the document has are sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from random import Random
from typing import Any

from dynclient import model
from dynclient._mock.content import Offer, Preference, content_value, has_example, negotiate, offers
from dynclient._mock.errors import HTTPError, error_response
from dynclient._plain_values import plain_value
from dynclient._records import Record
from dynclient._response import match_status
from dynclient._styles import serialize
from dynclient.examples import example
from dynclient.exceptions import DynclientError, EncodeError
from dynclient.http_grammar import BODILESS, CONNECTION_FIELDS
from dynclient.messages import Headers, Response

# Beside those of the connection.
SERVER_HEADERS = CONNECTION_FIELDS | {"content-type", "content-encoding", "date", "server"}
CHAOS_STATUSES = (429, 500, 502, 503, 504)


class Draft(Record):
    """A response before it is encoded.

    ``offer`` is None where it has no body; ``headers`` has values, by lower-case name, for documented headers.
    """

    status: int
    response: model.Response
    offer: Offer | None = None
    value: Any = None
    headers: Mapping[str, str] = {}


def choose(operation: model.Operation, accept: str, preference: Preference) -> Draft:
    """Choose status, media type and value.

    Raises:
        HTTPError: 406 where the client accepts none of the media types; 404 where the document has no such status or
            example.
    """
    draft = choose_content(operation, accept, preference.code)
    if draft.offer is None:
        return draft
    media_type = draft.offer.media_type
    if preference.example is not None and not has_example(media_type, preference.example):
        raise HTTPError(404, f"{operation.id} documents no example {preference.example[:80]!r} for {draft.status}")
    return draft._replace(value=content_value(media_type, preference, status=draft.status))


def choose_content(operation: model.Operation, accept: str, code: str | None) -> Draft:
    """Choose status and media type; ``code`` is a status, None for the lowest documented 2xx.

    Raises:
        HTTPError: 406 where the client accepts none of the media types; 404 where the status is not documented.
    """
    status, response = _documented_response(operation, code)
    offered = offers(response)
    if not offered or status in BODILESS:
        return Draft(status, response)
    offer = negotiate(accept, offered, status)
    if offer is None:
        raise HTTPError(406, f"the response may be {', '.join(one.content_type for one in offered)}")
    return Draft(status, response, offer)


def _documented_response(operation: model.Operation, code: str | None) -> tuple[int, model.Response]:
    if code is not None:
        found = match_status(operation, int(code))
        if found is None:
            raise HTTPError(404, f"{operation.id} documents no {code}")
        return int(code), found
    responses = operation.responses
    for status in [*sorted(status for status in responses if status[:1] == "2"), "default", *sorted(responses)]:
        if status in responses:
            return _concrete_status(status), responses[status]
    return 200, model.Response("200")


def _concrete_status(status: str) -> int:
    return int(status) if status.isdecimal() else int(status[0]) * 100 if status[0].isdecimal() else 200


def encode(draft: Draft, preference: Preference) -> Response:
    """Make the response.

    Raises:
        HTTPError: 500 where the document's value can't be written in the media type.
    """
    headers = list(_headers(draft, preference))
    if draft.offer is None:
        return Response(draft.status, Headers(headers), b"")
    try:
        body, content_type = draft.offer.encode(draft.value)
    except EncodeError as error:
        message = f"the response can't be written as {draft.offer.content_type}: {error.message}"
        raise HTTPError(500, message) from error
    return Response(draft.status, Headers((*headers, ("Content-Type", content_type))), body)


def _headers(draft: Draft, preference: Preference) -> Iterator[tuple[str, str]]:
    for name, header in draft.response.headers.items():
        if name.lower() in SERVER_HEADERS:
            continue
        try:
            yield name, draft.headers.get(name.lower()) or _header(header, preference)
        except DynclientError:
            if header.required:
                raise


def _header(header: model.Header, preference: Preference) -> str:
    if header.media_type is not None:
        media_type = header.media_type
        return Offer(media_type, media_type.media_range).encode(content_value(media_type, preference))[0].decode()
    values = [] if preference.dynamic else [entry.value for entry in header.examples if entry.has_value]
    if not values:
        shown = not preference.dynamic
        values = ["" if header.schema is None else example(header.schema, "response", preference.seed, shown=shown)]
    return serialize(plain_value(values[0]), name=header.name, in_="header", style="simple", explode=header.explode)


class Chaos:
    """Makes a part of the requests fail, as the operation documents it. The same seed gives the same failures."""

    def __init__(self, rate: float, seed: int) -> None:
        """Take the part of requests that fail, from 0 to 1."""
        if not 0 <= rate <= 1:
            raise ValueError(f"chaos is a rate from 0 to 1, not {rate!r}")
        self._rate = rate
        self._random = Random(seed)  # noqa: S311  # it has to be the same in every run

    def failure(self, operation: model.Operation, accept: str) -> Response | None:
        """The failure of a request, with a status that the operation documents if there is one; None for most."""
        if not self._rate or self._random.random() >= self._rate:
            return None
        documented = [status for status in CHAOS_STATUSES if str(status) in operation.responses]
        status = self._random.choice(documented or [503])
        # RFC 9110, 10.2.3: 503 and 429 may say when to retry.
        headers = {"Retry-After": "0"} if status in {429, 503} else {}
        return error_response(HTTPError(status, "a failure on purpose (chaos)", headers=headers), operation, accept)
