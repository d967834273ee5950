"""Stubs: the calls that a test expects, and the responses that it sets, validated like the mock's own.

:class:`dynclient.testing.MockTransport` uses them; :func:`expect_operation` hands them to pytest-httpserver::

    expect_operation(httpserver, voice.create_call).respond_with_example()
    expect_operation(httpserver, voice.get_call_state, "9900000", "c-1").respond_with({...}, status=200)

Rule 1: arguments that an expectation does not name may have any value. A whole body is compared as a whole; single
properties are compared one by one.
Rule 2: ``ANY``, and any other object that defines ``==``, is compared with it; a function is called with the value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any
from unittest.mock import ANY
from urllib.parse import unquote, urlsplit

from dynclient import model
from dynclient._incoming.requests import HTTPError, RequestValues, bare
from dynclient._mock.responses import Offer, choose_content, content_value, encode, error_response
from dynclient._plain_values import plain_value
from dynclient._request import Binder, Bound
from dynclient._validation import body_faults
from dynclient.exceptions import ArgumentError, DynclientError
from dynclient.inspection.arguments import arguments
from dynclient.messages import Headers, Request, Response
from dynclient.options import Limits

__all__ = ["ANY", "Call", "InvalidAnswer", "MissingCall", "UnexpectedCall", "expect_operation"]

NOTHING: Any = ...
"""No value: the document's example is used."""

_LONGEST_VALUE = 200


class UnexpectedCall(AssertionError):
    """A call does not match any expected call of its operation."""


class MissingCall(AssertionError):
    """An expected call was not made."""


class InvalidAnswer(AssertionError):
    """The document does not allow the response of a test."""


@dataclass(frozen=True, slots=True)
class Call:
    """A received call: its arguments by Python name, its body, and the request."""

    operation_id: str
    arguments: Mapping[str, Any]
    body: Any
    request: Request

    @staticmethod
    def of(operation: model.Operation, values: RequestValues, request: Request) -> Call:
        """The call that a request made."""
        names = _parameter_names(operation)
        found = {names[key]: value for key, value in values.parameters.items() if key in names}
        return Call(operation.id, found, values.body, request)


class Expectation:
    """An expected call of an operation, by its arguments, which are all optional."""

    def __init__(self, operation: model.Operation, args: Sequence[Any], keywords: Mapping[str, Any]) -> None:
        """Bind the arguments.

        Raises:
            ArgumentError: the operation has no such argument.
        """
        found = arguments(operation)
        self._names = _parameter_names(operation)
        self._bound: Bound = Binder(found, operation.id).bind(args, keywords)
        # A whole body is the very object that was passed.
        self._by_properties = not any(value is self._bound.body for value in (*args, *keywords.values()))

    def __str__(self) -> str:
        named = [f"{self._names.get(key, key[1])}={_shown(value)}" for key, value in self._bound.parameters.items()]
        body = [] if self._bound.body is ... else [f"body={_shown(self._bound.body)}"]
        return f"({', '.join([*named, *body]) or 'any arguments'})"

    def differences(self, values: RequestValues) -> list[str]:
        """The differences of a request from the expected call, a line each."""
        lines: list[str] = []
        for key, expected in self._bound.parameters.items():
            lines += _differences(self._names.get(key, key[1]), expected, values.parameters.get(key, ...))
        body = self._bound.body
        if body is ...:
            return lines
        if not (self._by_properties and isinstance(body, Mapping)):
            return lines + list(_differences("body", body, values.body))
        came = values.body if isinstance(values.body, Mapping) else {}
        for name, expected in body.items():
            lines += _differences(name, expected, came.get(name, ...))
        return lines


@dataclass(slots=True)
class Stub:
    """An expected call, and its response. ``times`` is how often the response is given; by default always."""

    expectation: Expectation
    respond: Callable[[Call], Response]
    times: int | None
    used: int = 0

    @property
    def left(self) -> int | None:
        """The number of further calls; None for any number."""
        return None if self.times is None else self.times - self.used

    def __str__(self) -> str:
        return f"{self.expectation}, {self.used} of {self.times or 1} times"


def _parameter_names(operation: model.Operation) -> dict[tuple[str, str], str]:
    return {(one.in_, one.wire): one.name for one in arguments(operation) if one.kind == "parameter"}


def _differences(path: str, expected: Any, came: Any) -> Iterator[str]:
    if isinstance(expected, Mapping) and isinstance(came, Mapping):
        for name in [*expected, *(name for name in came if name not in expected)]:
            yield from _differences(f"{path}.{name}", expected.get(name, ...), came.get(name, ...))
    elif isinstance(expected, list) and isinstance(came, list) and len(expected) == len(came):
        for index, (one, other) in enumerate(zip(expected, came, strict=True)):
            yield from _differences(f"{path}[{index}]", one, other)
    elif not _matches(expected, came):
        yield f"{path}: expected {_shown(expected)}, got {_shown(came)}"


def _matches(expected: Any, came: Any) -> bool:
    if expected is ... or came is ...:
        return expected is came
    if callable(expected) and not isinstance(expected, type):
        return bool(expected(came))
    if expected == came:
        return True
    try:
        return bool(plain_value(expected) == came)
    except ArgumentError:
        return False


def _shown(value: Any) -> str:
    if value is ...:
        return "nothing"
    if callable(value):
        return f"a value that {getattr(value, '__name__', 'a function')} accepts"
    text = repr(value)
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"


def stub_response(
    operation: model.Operation,
    value: Any = NOTHING,
    *,
    status: int | None = None,
    headers: Mapping[str, str] | None = None,
    content_type: str | None = None,
    accept: str = "",
) -> Response:
    """Encode a test's value for the documented response; ``content_type`` takes precedence over ``accept``.

    Raises:
        InvalidAnswer: the document has no such response.
    """
    try:
        draft = choose_content(operation, content_type or accept, None if status is None else str(status))
    except HTTPError as error:
        # Any server may fail, so a status of 500 or more need not be documented; all others must be.
        may_fail = value is NOTHING and error.status == HTTPStatus.NOT_FOUND
        if may_fail and status is not None and status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return _with_headers(error_response(HTTPError(status, "given by a test")), headers)
        raise InvalidAnswer(error.detail) from None
    if draft.offer is None and value is not NOTHING and value is not None:
        raise InvalidAnswer(f"{operation.id} documents no body for {draft.status}")
    if draft.offer is not None and value is NOTHING:
        draft = draft._replace(value=content_value(draft.offer.media_type, status=draft.status))
    elif draft.offer is not None:
        draft = draft._replace(value=_valid(operation, draft.status, draft.offer, value))
    try:
        return _with_headers(encode(draft), headers)
    except HTTPError as error:
        raise InvalidAnswer(f"{operation.id}: {error.detail}") from error


def _with_headers(response: Response, headers: Mapping[str, str] | None) -> Response:
    changed = response.headers
    for name, value in (headers or {}).items():
        changed = changed.replace(name, value)
    return replace(response, headers=Headers(changed.pairs()))


def _valid(operation: model.Operation, status: int, offer: Offer, value: Any) -> Any:
    """The plain form of a test's value, after validation."""
    try:
        made = plain_value(value, files=offer.codec.files or offer.codec.name == "binary")
    except DynclientError as error:
        raise InvalidAnswer(f"{operation.id} {status}: {error.message}") from error
    if offer.codec.name == "binary":
        return made
    faults = body_faults(offer.media_type, made, "response", Limits(), "auto")
    if faults:
        lines = "\n".join(f"  {fault}" for fault in faults)
        raise InvalidAnswer(f"the response given for {operation.id} {status} does not match the document:\n{lines}")
    return made


class ExpectedOperation:
    """A request that pytest-httpserver expects; its methods set the response."""

    def __init__(self, handler: Any, operation: Any) -> None:
        """Take pytest-httpserver's handler, and the operation."""
        self.handler = handler
        self._operation = operation

    def respond_with_example(self, status: int | None = None) -> None:
        """Respond with the document's example for its lowest 2xx, or for another documented status.

        Raises:
            InvalidAnswer: the document has no such response.
        """
        self.respond_with(NOTHING, status=status)

    def respond_with(self, value: Any, *, status: int | None = None, headers: Mapping[str, str] | None = None) -> None:
        """Respond with a value, which is validated against the document.

        Raises:
            InvalidAnswer: the document has no such response.
        """
        response: Response = stub_response(self._operation, value, status=status, headers=headers)
        self.handler.respond_with_data(response.body, response.status, dict(response.headers.pairs()))


def expect_operation(httpserver: Any, method: Any, *args: Any, **keywords: Any) -> ExpectedOperation:
    """Let a pytest-httpserver expect a client's operation: with these arguments, or with any if none are passed.

    Raises:
        RequestError: the document does not allow the arguments.
    """
    operation = method.operation
    if args or keywords:
        request = method.prepare(*args, **keywords)
        parts = urlsplit(request.url)
        wanted: dict[str, Any] = {"query_string": parts.query} if parts.query else {}
        if isinstance(request.body, bytes):
            wanted["data"] = request.body
        handler = httpserver.expect_request(unquote(parts.path), method=operation.method, **wanted)
    else:
        template = re.split(r"\{[^{}]+\}", bare(operation.path))
        pattern = re.compile(".*" + "[^/]+".join(re.escape(part) for part in template))
        handler = httpserver.expect_request(pattern, method=operation.method)
    return ExpectedOperation(handler, operation)
