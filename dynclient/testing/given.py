"""Answers that a test gives, held to the document as the mock's own are."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from dynclient import model
from dynclient._plain import plain
from dynclient._validation import validator
from dynclient.exceptions import DynclientError
from dynclient.http_grammar import BODILESS
from dynclient.messages import Headers, Response
from dynclient.testing.answers import Answer, documented_answer, encode
from dynclient.testing.bodies import Offer, offers, preferred, preferred_for_error, ready_value
from dynclient.testing.manner import NO_WISH
from dynclient.testing.refusals import Refusal, refuse

NOTHING: Any = ...
"""No value is given: the document's own is taken."""


class UnlawfulAnswer(AssertionError):
    """What a test gives as an answer is none that the document allows."""


def given_response(
    operation: model.Operation,
    value: Any = NOTHING,
    *,
    status: int | None = None,
    headers: Mapping[str, str] | None = None,
    content_type: str | None = None,
    accept: str = "",
) -> Response:
    """Write a given value as the operation documents it.

    Raises:
        UnlawfulAnswer: the document has no such answer.
    """
    try:
        number, documented = documented_answer(operation, None if status is None else str(status))
    except Refusal as refusal:
        # A server may fail as no document says; anything else has to be documented.
        if status is not None and status >= HTTPStatus.INTERNAL_SERVER_ERROR and value is NOTHING:
            return _with(refuse(Refusal(status, "given by a test"), None, accept), headers)
        raise UnlawfulAnswer(refusal.detail) from None
    answer = _answer(operation, number, documented, value, content_type or accept)
    try:
        return _with(encode(answer, NO_WISH), headers)
    except Refusal as refusal:
        raise UnlawfulAnswer(f"{operation.id}: {refusal.detail}") from refusal


def _with(response: Response, headers: Mapping[str, str] | None) -> Response:
    changed = response.headers
    for name, value in (headers or {}).items():
        changed = changed.replace(name, value)
    return response._replace(headers=Headers(changed.pairs()))


def _answer(operation: model.Operation, status: int, documented: model.Response, value: Any, accept: str) -> Answer:
    offered = offers(documented)
    if not offered or status in BODILESS:
        if value is not NOTHING and value is not None:
            raise UnlawfulAnswer(f"{operation.id} documents no body for {status}")
        return Answer(status, documented)
    is_error = status >= HTTPStatus.BAD_REQUEST
    offer = preferred_for_error(accept, offered) if is_error else preferred(accept, offered)
    if offer is None:
        raise UnlawfulAnswer(f"{operation.id} {status} may be {', '.join(one.content_type for one in offered)}")
    if value is NOTHING:
        return Answer(status, documented, offer, ready_value(offer.media_type, status=status))
    return Answer(status, documented, offer, _lawful(operation, status, offer, value))


def _lawful(operation: model.Operation, status: int, offer: Offer, value: Any) -> Any:
    try:
        made = plain(value, files=offer.codec.files or offer.codec.name == "binary")
    except DynclientError as error:
        raise UnlawfulAnswer(f"{operation.id} {status}: {error.message}") from error
    schema = offer.media_type.schema
    if schema is None or offer.codec.name == "binary":
        return made
    faults = validator(schema, "response").faults(made, files=offer.codec.files)
    if faults:
        told = "\n".join(f"  {fault}" for fault in faults)
        raise UnlawfulAnswer(f"what is given for {operation.id} {status} breaks the document:\n{told}")
    return made
