"""Why a request is not answered with success, and the body that says so.

Rule 1: the status is HTTP's; the body is what the operation documents for that status, else problem details.
Rule 2: a documented body is built from its example or its schema; the message is put in where a text fits and the
body stays valid, and nowhere else.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from dynclient import codecs, model
from dynclient._schemas import shape
from dynclient._validation import validator
from dynclient.exceptions import EncodeError, Fault
from dynclient.messages import Headers, Response
from dynclient.testing.bodies import Offer, offers, preferred_for_error, ready_value

PROBLEM = "application/problem+json"

# Where an error's body says what is wrong, in the words that documents use, best first.
MESSAGE_NAMES = ("detail", "description", "message", "error_description", "error", "reason", "title", "msg", "text")


class Refusal(Exception):
    """A request that the document does not allow, by HTTP's status for that."""

    def __init__(
        self, status: int, detail: str, *, faults: Sequence[Fault] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        """Take what is wrong in one sentence, every fault, and the headers that go with the status."""
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.faults = tuple(faults)
        self.headers = dict(headers or {})

    @property
    def message(self) -> str:
        """The sentence and all the faults, in one line."""
        return "; ".join([self.detail, *(str(fault) for fault in self.faults)])


def documented(operation: model.Operation, status: int) -> model.Response | None:
    """The response that an operation documents for a status: by code, by range, or as ``default``."""
    # OAS 3.1.1, Responses Object: an explicit code goes before its range.
    responses = operation.responses
    return responses.get(str(status)) or responses.get(f"{status // 100}XX") or responses.get("default")


def refuse(refusal: Refusal, operation: model.Operation | None, accept: str) -> Response:
    """Make the response of a refusal."""
    headers = tuple(refusal.headers.items())
    response = documented(operation, _status(refusal, operation)) if operation is not None else None
    if response is None:
        return _problem(refusal, headers)
    status = _status(refusal, operation)
    offered = offers(response)
    if not offered:
        return Response(status, Headers(headers), b"")
    offer = preferred_for_error(accept, offered)
    try:
        encoded = offer.codec.encode(_body(refusal, offer, status), offer.media_type, offer.content_type)
    except EncodeError:
        return _problem(refusal, headers)
    body = encoded.body if isinstance(encoded.body, bytes) else b""
    return Response(status, Headers((*headers, ("Content-Type", encoded.content_type))), body)


def _status(refusal: Refusal, operation: model.Operation | None) -> int:
    """An invalid request is 400, or 422 for an operation that documents that alone."""
    responses = operation.responses if operation is not None else {}
    invalid = refusal.status == HTTPStatus.BAD_REQUEST and "400" not in responses and "422" in responses
    return HTTPStatus.UNPROCESSABLE_ENTITY.value if invalid else refusal.status


def _problem(refusal: Refusal, headers: Sequence[tuple[str, str]]) -> Response:
    """Problem details (RFC 9457): what is said where the document says nothing."""
    value: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(refusal.status).phrase,
        "status": refusal.status,
        "detail": refusal.detail,
    }
    if refusal.faults:
        value["errors"] = [
            {"path": fault.path, "message": fault.message, **({"place": str(fault.place)} if fault.place else {})}
            for fault in refusal.faults
        ]
    encoded = codecs.find(PROBLEM).encode(value, model.MediaType(PROBLEM), PROBLEM)
    body = encoded.body if isinstance(encoded.body, bytes) else b""
    return Response(refusal.status, Headers((*headers, ("Content-Type", PROBLEM))), body)


def _body(refusal: Refusal, offer: Offer, status: int) -> Any:
    schema = offer.media_type.schema

    def valid(changed: Any) -> bool:
        return schema is None or not validator(schema, "response").faults(changed)

    value = ready_value(offer.media_type, status=status)
    told = (_with(value, path, refusal.message) for path in _texts(value, schema))
    return next((changed for changed in told if valid(changed)), value)


def _texts(value: Any, schema: model.Schema | None) -> list[tuple[str | int, ...]]:
    """The paths of the texts that may say what is wrong, best first; some of them may still be missing."""
    if isinstance(value, str):
        return [()]
    named = [path for path in _leaves(value, ()) if path[-1] in MESSAGE_NAMES]
    if isinstance(value, dict) and schema is not None:
        properties = shape(schema).properties
        named += [(name,) for name in MESSAGE_NAMES if name in properties and name not in value]
    return sorted(named, key=lambda path: (len(path), MESSAGE_NAMES.index(str(path[-1]))))


def _leaves(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in members:
        if isinstance(member, str):
            yield (*path, key)
        else:
            yield from _leaves(member, (*path, key))


def _with(value: Any, path: Sequence[str | int], text: str) -> Any:
    if not path:
        return text
    changed = copy.deepcopy(value)
    inner = changed
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = text
    return changed
