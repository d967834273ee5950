"""All errors. Four classes under :class:`DynclientError` say whose fault an error is.

* :class:`DocumentError`: the document.
* :class:`RequestError`: the caller; nothing was sent.
* :class:`TransportError`: the network.
* :class:`ResponseError`: the server.

A fifth, :class:`WebhookError`, is for requests that are received: their sender.

Rule 1: an error carries data, and its text is made from the data when it is read.
Rule 2: a text says what is wrong, where, and how to fix it. It has at most 2,000 characters, control characters are
escaped, and it contains no secret.
Rule 3: an error can be pickled with all of its data.
"""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from dynclient._escaping import escaped as escaped  # noqa: PLC0414  # others take it from here
from dynclient._escaping import one_line
from dynclient._faults import DocumentLocation as DocumentLocation  # noqa: PLC0414  # others take them from here
from dynclient._faults import Fault as Fault  # noqa: PLC0414  # others take them from here
from dynclient._faults import Problem as Problem  # noqa: PLC0414  # others take them from here
from dynclient._faults import problem_of
from dynclient._secrets import SECRET_BODY, Mask, masked
from dynclient.http_grammar import SUCCESS
from dynclient.messages import Headers, Request, Response

_MAX_TEXT = 2000


class DynclientError(Exception):
    """The base class of all errors that dynclient raises.

    ``message`` is the first part of the text, and ``hint`` says how to fix a common mistake. ``operation_id`` is the
    operationId or the Python name of the called operation, if there is one. ``page_number`` is the page of a list that
    could not be read, counted from 1, and ``resume`` the text to continue the list there; None elsewhere.
    """

    page_number: int | None = None
    resume: str | None = None

    def __init__(self, message: str = "", *, operation_id: str | None = None, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.operation_id = operation_id
        self.hint = hint

    def details(self) -> list[str]:
        """The lines of the text after the message. Subclasses add their data."""
        return []

    def __str__(self) -> str:
        matches = "" if "did you mean" in self.hint else " or ".join(getattr(self, "matches", ()))
        lines = [f"{self.message}; did you mean {matches}?" if matches else self.message, *self.details()]
        if self.operation_id and not self.message.startswith((self.operation_id + " ", self.operation_id + ":")):
            lines[0] = f"{self.operation_id}: {lines[0]}"
        if self.page_number is not None:
            lines.append(f"at page {self.page_number}; paginate(..., resume=error.resume) continues there")
        text, hint = "\n".join(map(one_line, lines)), f"\nHint: {one_line(self.hint)}" if self.hint else ""
        # The hint says what to do: the text before it is cut instead.
        most = max(_MAX_TEXT - len(hint), _MAX_TEXT // 2)
        text = (text if len(text) <= most else text[: most - 1] + "…") + hint
        return text if len(text) <= _MAX_TEXT else text[: _MAX_TEXT - 1] + "…"

    def __reduce__(self) -> tuple[Any, ...]:
        # Without this, unpickling would call the class with positional arguments only.
        return _revive, (type(self), dict(self.__dict__))


def _revive(cls: Any, state: dict[str, Any], is_undocumented: bool = False) -> DynclientError:  # noqa: FBT001, FBT002  # as pickle calls it
    cls = _undocumented(cls) if is_undocumented else cls
    error: DynclientError = cls.__new__(cls)
    error.args = (state.get("message", ""),)
    error.__dict__.update(state)
    return error


# The document.


class DocumentError(DynclientError):
    """The document is wrong, or can't be read. ``location`` is where."""

    def __init__(self, message: str = "", *, location: DocumentLocation | None = None, **data: Any) -> None:
        super().__init__(message, **data)
        self.location = location

    def details(self) -> list[str]:
        """Add the location in the document; a message about the whole document names it itself."""
        return [f"at {at}"] if (at := self.location) and (at[1:] != ("", None) or at[0] not in self.message) else []


class UnreadableDocument(DocumentError):
    """The document is neither JSON nor YAML, has an unknown charset, or can't be fetched."""


class UnsupportedVersion(DocumentError):
    """The document is not an OpenAPI document, or has an unsupported version (OAS 3.2, Versions and Deprecation)."""


class InvalidDocument(DocumentError):
    """The document violates the OpenAPI Specification in a part that dynclient needs."""


class UnresolvableReference(DocumentError):
    """A ``$ref`` (OAS 3.2, Reference Object) has no target, or refers to itself."""


class UnsafeDocument(DocumentError):
    """The document refers to files or hosts that are not allowed, or exceeds a limit."""


# The caller.


class RequestError(DynclientError):
    """The call is wrong, and nothing was sent."""


class NoSuchOperation(RequestError, AttributeError, KeyError):
    """There is no operation with this name. ``name`` is the requested one, ``matches`` are similar names."""

    def __init__(self, message: str = "", *, name: str = "", matches: Sequence[str] = (), **data: Any) -> None:
        RequestError.__init__(self, message, **data)
        self.name = name
        self.matches = tuple(matches)

    __str__ = DynclientError.__str__


class _FaultyRequest(RequestError):
    def __init__(self, message: str = "", *, errors: Sequence[Fault] = (), **data: Any) -> None:
        super().__init__(message, **data)
        self.errors = tuple(errors)

    def details(self) -> list[str]:
        """Add a line for each fault."""
        return [f"  {fault}" for fault in self.errors]


class ArgumentError(_FaultyRequest, TypeError):
    """An argument is missing, unknown, given twice, or of a type that can't be sent.

    ``argument`` is its name, ``matches`` are similar names. ``errors`` are all faults of the request if an argument has
    the wrong type.
    """

    def __init__(self, message: str = "", *, argument: str = "", matches: Sequence[str] = (), **data: Any) -> None:
        super().__init__(message, **data)
        self.argument = argument
        self.matches = tuple(matches)


class RequestValidationError(_FaultyRequest, ValueError):
    """The arguments or the body violate the document; nothing was sent. ``errors`` is a tuple of all Faults."""


class EncodeError(RequestError, ValueError):
    """The body can't be encoded in its media type. ``line`` and ``column`` count from 1; None if they are unknown."""

    def __init__(self, message: str = "", *, line: int | None = None, column: int | None = None, **data: Any) -> None:
        super().__init__(message, **data)
        self.line = line
        self.column = column

    def details(self) -> list[str]:
        """Add the location in the body."""
        return [f"at line {self.line}, column {self.column} of the body"] if self.line is not None else []


class UnsupportedMediaType(RequestError):
    """The operation accepts no body of this content type (OAS 3.2, Request Body Object), but of those ``offered``."""

    def __init__(self, message: str = "", *, offered: Sequence[str] = (), **data: Any) -> None:
        super().__init__(message, **data)
        self.offered = tuple(offered)


class MissingCredential(RequestError):
    """A required credential was not given (OAS 3.2, Security Requirement Object). ``schemes`` names the schemes."""

    def __init__(self, message: str = "", *, schemes: Sequence[str] = (), **data: Any) -> None:
        super().__init__(message, **data)
        self.schemes = tuple(schemes)


class CredentialScopeError(RequestError):
    """The credential would go to an origin (RFC 6454, 4) that the caller has not trusted; nothing was sent."""


class BlockedAddress(RequestError):
    """A host has an address that is not public, and the client blocks such addresses (``block_private=True``).

    ``host`` is its name, ``addresses`` are the addresses that are not public.
    """

    def __init__(self, message: str = "", *, host: str = "", addresses: Sequence[str] = (), **data: Any) -> None:
        super().__init__(message, **data)
        self.host = host
        self.addresses = tuple(addresses)


class PaginationUnclear(RequestError):
    """The document does not say clearly how a list is paginated. ``pagination`` has the known facts, with evidence."""

    def __init__(self, message: str = "", *, pagination: Any = None, **data: Any) -> None:
        super().__init__(message, **data)
        self.pagination = pagination

    def details(self) -> list[str]:
        """Add the evidence."""
        return [f"  {each}" for each in self.pagination.evidence] if self.pagination is not None else []


class LinkError(RequestError):
    """A link of a response (OAS 3.2, Link Object), or its Location, can't be followed; nothing was sent."""


class ExpressionError(LinkError, ValueError):
    """A runtime expression (OAS 3.2, Runtime Expressions) of a link or callback has no value; the text says why."""


class ClientClosed(RequestError):
    """The client has been closed."""


# The network.


class TransportError(DynclientError):
    """The network failed: no usable response arrived.

    ``request`` is the request without body and secrets. ``outcome_unknown`` means that the server may have acted on it.
    ``attempts`` counts the requests that were sent, ``elapsed`` is the time in seconds. ``retry_suppressed`` means that
    the call was not retried because the client's retry budget was spent.
    """

    retry_suppressed: bool = False

    def __init__(
        self,
        message: str = "",
        *,
        request: Request | None = None,
        outcome_unknown: bool = False,
        attempts: int = 1,
        elapsed: float = 0.0,
        **data: Any,
    ) -> None:
        super().__init__(message, **data)
        self.request = replace(request.with_no_secrets(), body=None) if request is not None else None
        # Quoted parts of a response may repeat secrets.
        self.message = masked(message, request.secret_values()) if request is not None else message
        self.outcome_unknown = outcome_unknown
        self.attempts = attempts
        self.elapsed = elapsed

    def details(self) -> list[str]:
        """Add the request line, and whether the server may have acted."""
        lines = [f"{self.request.method} {self.request.logged_url}"] if self.request else []
        if self.outcome_unknown:
            lines.append("the request was sent; it is unknown whether the server acted on it")
        return lines


class ConnectError(TransportError):
    """No connection could be made; nothing was sent."""


class PoolTimeout(TransportError):
    """No connection of the pool became free within ``Timeout.pool`` seconds; nothing was sent."""


class TLSError(TransportError):
    """The server's identity could not be verified (RFC 9110, 4.3.4); nothing was sent."""


class TimeoutError(TransportError, builtins.TimeoutError):  # noqa: A001  # a subclass of the built-in one
    """A timeout or the deadline passed. ``phase`` is ``connect``, ``write``, ``read`` or ``total``."""

    def __init__(self, message: str = "", *, phase: str = "read", **data: Any) -> None:
        TransportError.__init__(self, message, **data)
        self.phase = phase

    __str__ = DynclientError.__str__


class PaceTimeout(TimeoutError):
    """The rate allows the request only after the call's deadline; it was not sent. ``wait`` is the time in seconds."""

    def __init__(self, message: str = "", *, wait: float = 0.0, **data: Any) -> None:
        super().__init__(message, phase="total", **data)
        self.wait = wait


class ConnectionLost(TransportError):
    """The connection was lost before the whole response arrived.

    ``reused`` means that it had served another request before, and broke before a byte of this response came: servers
    close connections that are idle.
    """

    reused: bool = False


class ProtocolError(TransportError):
    """The response violates HTTP/1.1 (RFC 9112)."""


# The server.


class ResponseError(DynclientError):
    """The response is an error, or does not match the document.

    ``request`` and ``response`` are the exchange without secrets, ``data`` is the decoded body, if it could be decoded.
    ``attempts`` counts the requests that were sent. ``retry_after`` is the number of seconds that the server asks to
    wait, or None. ``retry_suppressed`` means that the call was not retried because the client's retry budget was spent.
    """

    retry_after: float | None = None
    retry_suppressed: bool = False

    def __init__(
        self,
        message: str = "",
        *,
        response: Response | None = None,
        request: Request | None = None,
        data: Any = None,
        **more: Any,
    ) -> None:
        super().__init__(message, **more)
        asked = request or (response.request if response else None)
        self.request = replace(asked.with_no_secrets(), body=None) if asked is not None else None
        self.response = replace(response, request=asked).with_no_secrets() if response is not None else None
        if self.response is not None and asked is not None and SECRET_BODY in asked.secrets:
            # A response to a token request may contain a token, even if it is malformed or too large.
            self.response = replace(self.response, body=b"")
        # A server may repeat what it received, including credentials.
        mask = Mask(asked.secret_values() if asked is not None else ())
        is_body = response is not None and data is response.body
        self.data = self.response.body if is_body and self.response is not None else mask.apply(data)
        self.message, self.hint = mask.apply(self.message), mask.apply(self.hint)

    @property
    def status(self) -> int:
        """The status code of the response; 0 without a response."""
        return self.response.status if self.response is not None else 0

    @property
    def done(self) -> bool:
        """Whether the status is a success: the work is done, although the response does not match the document."""
        return self.status in SUCCESS

    @property
    def attempts(self) -> int:
        """The number of requests that were sent."""
        return self.response.attempts if self.response is not None else 1

    @property
    def headers(self) -> Headers:
        """The headers of the response."""
        return self.response.headers if self.response is not None else Headers()

    def details(self) -> list[str]:
        """Add the request line, the status and the first kilobyte of the body."""
        lines = []
        if self.request is not None:
            lines.append(f"{self.request.method} {self.request.logged_url} -> {self.status}")
        if self.response is not None and isinstance(self.response.body, bytes) and self.response.body:
            lines.append(f"{self.response.content_type or 'no Content-Type'}: {self._excerpt()}")
        return lines

    def _excerpt(self) -> str:
        body = self.response.body if self.response is not None else b""
        return escaped(body[:1024].decode("utf-8", "replace")).replace("\n", " ")


class WaitFailed(DynclientError):
    """A job failed, or can't be polled. ``state`` is the last State, ``result`` the last data."""

    def __init__(self, message: str = "", *, state: Any = None, result: Any = None, **data: Any) -> None:
        super().__init__(message, **data)
        self.state = state
        self.result = result


class WaitTimeout(DynclientError, builtins.TimeoutError):
    """A job has not ended in time. ``state`` is the last State; ``dynclient.resume`` takes ``resume``."""

    def __init__(self, message: str = "", *, state: Any = None, resume: str | None = None, **data: Any) -> None:
        DynclientError.__init__(self, message, **data)
        self.state = state
        self.resume = resume

    __str__ = DynclientError.__str__


class PaginationError(ResponseError):
    """A list can't continue: the server repeats a page, or names one that can't be requested. No item is lost.

    ``page_number`` is the page that was not read, and ``resume`` continues with it.
    """


class ApiError(ResponseError):
    """The response has an error status (RFC 9110, 15.5 and 15.6). The subclass follows the status, documented or not.

    ``documented`` says whether the operation documents the status; if not, it is an :class:`UndocumentedStatus` too.
    """

    documented: bool = True

    @property
    def problem(self) -> Problem | None:
        """The body as a problem details object (RFC 9457); None if it has another media type."""
        return problem_of(self.data, (self.response.content_type or "") if self.response is not None else "")


class BadRequest(ApiError):
    """The status 400 Bad Request (RFC 9110, 15.5.1)."""


class Unauthorized(ApiError):
    """The status 401 Unauthorized: the credential is missing or not accepted (RFC 9110, 15.5.2)."""


class Forbidden(ApiError):
    """The status 403 Forbidden (RFC 9110, 15.5.4)."""


class NotFound(ApiError):
    """The status 404 Not Found (RFC 9110, 15.5.5)."""


class Conflict(ApiError):
    """The status 409 Conflict (RFC 9110, 15.5.10)."""


class Gone(ApiError):
    """The status 410 Gone (RFC 9110, 15.5.11)."""


class UnprocessableContent(ApiError):
    """The status 422 Unprocessable Content (RFC 9110, 15.5.21)."""


class RateLimited(ApiError):
    """The status 429 Too Many Requests (RFC 6585, 4). ``retry_after`` is in seconds, or None."""


class ServerError(ApiError):
    """A status of 500 or more (RFC 9110, 15.6)."""


API_ERRORS: dict[int, type[ApiError]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Gone,
    422: UnprocessableContent,
    429: RateLimited,
}


def api_error(status: int) -> type[ApiError]:
    """The error class for a documented error status."""
    return API_ERRORS.get(status, ServerError if status >= 500 else ApiError)  # noqa: PLR2004  # RFC 9110, 15.6


class UndocumentedStatus(ResponseError):
    """The status is not one of the documented ``statuses`` (OAS 3.2, Responses Object); also an ApiError for errors."""

    documented: bool = False

    def __init__(self, message: str = "", *, statuses: Sequence[str] = (), **data: Any) -> None:
        super().__init__(message, **data)
        self.statuses = tuple(statuses)


def undocumented(status: int) -> type[UndocumentedStatus]:
    """The error class for a status that is not documented: for an error status, also a subclass of its ApiError."""
    kind: Any = api_error(status)
    return _undocumented(kind) if status >= 400 else UndocumentedStatus  # noqa: PLR2004  # RFC 9110, 15.5


@lru_cache
def _undocumented(kind: Any) -> type[UndocumentedStatus]:
    def reduced(error: UndocumentedStatus) -> tuple[Any, ...]:
        # The class has no importable name, which pickling would need.
        return _revive, (kind, dict(error.__dict__), True)

    names = {"__module__": __name__, "__doc__": kind.__doc__, "documented": False, "__reduce__": reduced}
    return type(kind.__name__, (kind, UndocumentedStatus), names)


class UnexpectedMediaType(ResponseError):
    """The Content-Type is not among the documented ``media_types`` of the response (OAS 3.2, Response Object)."""

    def __init__(self, message: str = "", *, media_types: Sequence[str] = (), **data: Any) -> None:
        super().__init__(message, **data)
        self.media_types = tuple(media_types)


class DecodeError(ResponseError):
    """The body does not match its Content-Type (RFC 9110, 8.3). ``offset`` is that of the error in bytes, or None."""

    def __init__(self, message: str = "", *, offset: int | None = None, **data: Any) -> None:
        super().__init__(message, **data)
        self.offset = offset


class ResponseValidationError(ResponseError):
    """The decoded body or a header violates its schema. ``errors`` are all faults, ``data`` is the decoded body."""

    def __init__(self, message: str = "", *, errors: Sequence[Fault] = (), **data: Any) -> None:
        super().__init__(message, **data)
        self.errors = tuple(errors)

    def details(self) -> list[str]:
        """Add a line for each fault instead of the body, which may contain secrets."""
        asked = [f"{self.request.method} {self.request.logged_url} -> {self.status}"] if self.request else []
        return [*asked, *(f"  {fault}" for fault in self.errors)]


class ResponseTooLarge(ResponseError):
    """The response exceeds a limit of :class:`~dynclient.options.Limits`. ``limit`` is its name."""

    def __init__(self, message: str = "", *, limit: str = "", **data: Any) -> None:
        super().__init__(message, **data)
        self.limit = limit


class RedirectError(ResponseError):
    """The response is a redirect (RFC 9110, 15.4) that is neither followed nor documented."""


class AuthorizationError(ResponseError):
    """The authorization server issued no token, or nobody logged in.

    ``error`` is the server's code (``invalid_client``, ``invalid_grant``, ``access_denied``, …; RFC 6749, 5.2), or "".
    The bodies of the request and of the response are not kept, since both may contain secrets.
    """

    def __init__(self, message: str = "", *, error: str = "", response: Response | None = None, **data: Any) -> None:
        bare = replace(response, body=b"") if response is not None else None
        super().__init__(message, response=bare, **data)
        self.error = error


# The sender of a webhook or callback.


class WebhookError(DynclientError):
    """A received request was refused. ``status`` is the status to answer with: 413 says that it is too large.

    ``errors`` are the faults of its headers and body, ``event`` the name of the webhook or callback, if it is known.
    """

    status: int = 400

    def __init__(
        self, message: str = "", *, errors: Sequence[Fault] = (), event: str | None = None, **data: Any
    ) -> None:
        self.status = data.pop("status", self.status)
        super().__init__(message, **data)
        self.errors = list(errors)
        self.event = event

    def details(self) -> list[str]:
        """Add the faults."""
        return [f"  {each}" for each in self.errors]


class SignatureError(WebhookError):
    """The signature is missing or wrong, or its time is too far from now. The sender sees only the status 401."""

    status = 401


class ReplayedWebhook(SignatureError):
    """The same webhook message, with a valid signature, was received before. The sender sees only the status 401."""


class UnknownWebhook(WebhookError):
    """The request matches none of the document's webhooks or callbacks, or more than one."""


class InvalidWebhook(WebhookError):
    """The request can't be decoded, or violates the document (OAS 3.2, Operation Object)."""
