"""Error responses of the mock.

Rule 1: the status is HTTP's. The body is what the operation documents for that status, else problem details (RFC 9457).
Rule 2: a documented body is made from its example or its schema. The message is put into it where a text belongs and
the body stays valid, and nowhere else.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from dynclient import model
from dynclient._mock.content import Offer, content_value, negotiate, offers
from dynclient._response import match_status
from dynclient._schemas import shape
from dynclient.exceptions import EncodeError, Fault
from dynclient.messages import Headers, Response

PROBLEM = Offer(model.MediaType("application/problem+json"), "application/problem+json")

# The members of an error's body that documents use for the message, best first.
MESSAGE_NAMES = ("detail", "description", "message", "error_description", "error", "reason", "title", "msg", "text")


class HTTPError(Exception):
    """A request that is answered with an error: its status, one sentence, every fault, and headers."""

    def __init__(
        self, status: int, detail: str, *, faults: Sequence[Fault] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.faults = tuple(faults)
        self.headers = dict(headers or {})

    @property
    def message(self) -> str:
        """The sentence and all the faults, in one line."""
        return "; ".join([self.detail, *(str(fault) for fault in self.faults)])


def error_response(error: HTTPError, operation: model.Operation | None = None, accept: str = "") -> Response:
    """Write an error as ``operation`` documents it, in a media type of the Accept header; else as problem details."""
    if operation is None:
        return _problem(error)
    status = _status(error, operation)
    documented = match_status(operation, status)
    if documented is None:
        return _problem(error)
    headers = tuple(error.headers.items())
    offered = offers(documented)
    if not offered:
        return Response(status, Headers(headers), b"")
    offer = negotiate(accept, offered, status) or offered[0]
    try:
        body, content_type = offer.encode(_with_message(offer, status, error.message))
    except EncodeError:
        return _problem(error)
    return Response(status, Headers((*headers, ("Content-Type", content_type))), body)


def _status(error: HTTPError, operation: model.Operation) -> int:
    """An invalid request is 400, or 422 where the operation documents only that."""
    invalid = error.status == HTTPStatus.BAD_REQUEST
    only_422 = "400" not in operation.responses and "422" in operation.responses
    return HTTPStatus.UNPROCESSABLE_ENTITY.value if invalid and only_422 else error.status


def _problem(error: HTTPError) -> Response:
    value: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(error.status).phrase,
        "status": error.status,
        "detail": error.detail,
    }
    if error.faults:
        value["errors"] = [
            {"path": fault.path, "message": fault.message, **({"place": str(fault.place)} if fault.place else {})}
            for fault in error.faults
        ]
    body, content_type = PROBLEM.encode(value)
    return Response(error.status, Headers((*error.headers.items(), ("Content-Type", content_type))), body)


def _with_message(offer: Offer, status: int, message: str) -> Any:
    """The documented value, with the message at the best path where it stays valid."""
    value = content_value(offer.media_type, status=status)
    changed = (_put(value, path, message) for path in _message_paths(value, offer.media_type.schema))
    return next(filter(offer.is_valid, changed), value)


def _message_paths(value: Any, schema: model.Schema | None) -> list[tuple[str | int, ...]]:
    """The paths that may hold a message, best first; documented ones may still be missing from the value."""
    if isinstance(value, str):
        return [()]
    named = [path for path in _text_paths(value, ()) if path[-1] in MESSAGE_NAMES]
    if isinstance(value, dict) and schema is not None:
        properties = shape(schema).properties
        named += [(name,) for name in MESSAGE_NAMES if name in properties and name not in value]
    return sorted(named, key=lambda path: (len(path), MESSAGE_NAMES.index(str(path[-1]))))


def _text_paths(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in members:
        if isinstance(member, str):
            yield (*path, key)
        else:
            yield from _text_paths(member, (*path, key))


def _put(value: Any, path: Sequence[str | int], text: str) -> Any:
    if not path:
        return text
    changed = inner = copy.deepcopy(value)
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = text
    return changed
