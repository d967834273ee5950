"""Whose fault was it? Four branches under :class:`DynclientError` answer that.

* :class:`DocumentError`: the document's author. * :class:`RequestError`: the caller; nothing was sent.
* :class:`TransportError`: the way between. * :class:`ResponseError`: the server.

Rule 1: an error carries data, and its text is made from that data when it is read.
Rule 2: a text says what, where and the hint; at most 2,000 characters, control characters escaped, no secret.
Rule 3: an error pickles whole, by its arguments by name.
"""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any, NamedTuple

from dynclient.messages import Headers, Request, Response

_MAX_TEXT = 2000


class Place(NamedTuple):
    """Where a document says something: its file or URL, the line (from 1, or None) and the JSON pointer."""

    document: str
    pointer: str
    line: int | None = None

    def __str__(self) -> str:
        line = f", line {self.line}" if self.line is not None else ""
        return f"{self.document}{line}, #{self.pointer}"


class Fault(NamedTuple):
    """One way in which a value breaks its schema.

    ``path`` is the place in the value (``$.machineDetection.mode``), ``message`` the fault in words, ``keyword`` the
    schema's keyword that it breaks, ``place`` where the document says so. ``value_type`` names the JSON type of the
    value; the value itself is in no message, since it may be secret.
    """

    path: str
    message: str
    keyword: str = ""
    place: Place | None = None
    value_type: str = ""

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" + (f" ({self.place})" if self.place else "")


class DynclientError(Exception):
    """The root of every error that dynclient raises.

    ``operation_id`` is the operationId, or the Python name, of the operation that was called, if there was one.
    """

    def __init__(self, message: str = "", *, operation_id: str | None = None, hint: str = "") -> None:
        """Take the text's first part, and a hint for the usual mistake."""
        super().__init__(message)
        self.message = message
        self.operation_id = operation_id
        self.hint = hint

    def details(self) -> list[str]:
        """The lines that follow the message; a class adds what it knows."""
        return []

    def __str__(self) -> str:
        lines = [self.message, *self.details()]
        if self.operation_id and self.operation_id not in self.message:
            lines[0] = f"{self.operation_id}: {lines[0]}"
        if self.hint:
            lines.append(f"Hint: {self.hint}")
        text = escaped("\n".join(lines))
        return text if len(text) <= _MAX_TEXT else text[: _MAX_TEXT - 1] + "…"

    def __reduce__(self) -> tuple[Any, ...]:
        # An exception made with keywords does not unpickle by itself: it is called with its args alone.
        return _revive, (type(self), dict(self.__dict__))


def _revive(cls: type[DynclientError], state: dict[str, Any]) -> DynclientError:
    error = cls.__new__(cls)
    error.args = (state.get("message", ""),)
    error.__dict__.update(state)
    return error


def escaped(text: str) -> str:
    """Text that can't harm a terminal or a log: control characters but the newline are shown as escapes."""
    return "".join(c if c == "\n" or c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


# --- the document's author --------------------------------------------------------------------------------------------


class DocumentError(DynclientError):
    """The document is at fault. ``place`` says where."""

    def __init__(self, message: str = "", *, place: Place | None = None, **data: Any) -> None:
        """Take where in the document the fault is."""
        super().__init__(message, **data)
        self.place = place

    def details(self) -> list[str]:
        """Add the place in the document."""
        return [f"at {self.place}"] if self.place else []


class UnreadableDocument(DocumentError):
    """It is no JSON or YAML, or not in a charset that can be read, or it can't be had at all."""


class UnsupportedVersion(DocumentError):
    """It is no OpenAPI document, or one of a version that is not known."""


class InvalidDocument(DocumentError):
    """It breaks the OpenAPI Specification where dynclient can't do without."""


class UnresolvableReference(DocumentError):
    """A ``$ref`` leads nowhere, or in a circle."""


class UnsafeDocument(DocumentError):
    """It asks for what a document may not ask: files or hosts out of bounds, or more than the limits allow."""


# --- the caller; nothing was sent -------------------------------------------------------------------------------------


class RequestError(DynclientError):
    """The caller is at fault, and nothing was sent."""


class NoSuchOperation(RequestError, AttributeError, KeyError):
    """There is no operation of that name; ``name`` is what was asked for, ``matches`` are near names."""

    def __init__(self, message: str = "", *, name: str = "", matches: Sequence[str] = (), **data: Any) -> None:
        """Take the name that was asked for and those that are near it."""
        RequestError.__init__(self, message, **data)
        self.name = name
        self.matches = tuple(matches)

    __str__ = DynclientError.__str__


class ArgumentError(RequestError, TypeError):
    """An argument is missing, unknown, given twice, or of a type that can't go over the wire.

    ``argument`` is its name, ``matches`` are near names.
    """

    def __init__(self, message: str = "", *, argument: str = "", matches: Sequence[str] = (), **data: Any) -> None:
        """Take the argument's name and those that are near it."""
        super().__init__(message, **data)
        self.argument = argument
        self.matches = tuple(matches)


class RequestValidationError(RequestError, ValueError):
    """Arguments or body break the document. ``errors`` are all the faults."""

    def __init__(self, message: str = "", *, errors: Sequence[Fault] = (), **data: Any) -> None:
        """Take every fault that was found."""
        super().__init__(message, **data)
        self.errors = tuple(errors)

    def details(self) -> list[str]:
        """Add a line for each fault."""
        return [f"  {fault}" for fault in self.errors]


class EncodeError(RequestError, ValueError):
    """The body can't be written in its media type. ``line`` and ``column`` count from 1 where they are known."""

    def __init__(self, message: str = "", *, line: int | None = None, column: int | None = None, **data: Any) -> None:
        """Take the place in the text that was given."""
        super().__init__(message, **data)
        self.line = line
        self.column = column

    def details(self) -> list[str]:
        """Add the place in the body."""
        return [f"at line {self.line}, column {self.column} of the body"] if self.line is not None else []


class UnsupportedMediaType(RequestError):
    """The operation takes no body of that content type. ``offered`` are those that it takes."""

    def __init__(self, message: str = "", *, offered: Sequence[str] = (), **data: Any) -> None:
        """Take the media types that the operation offers."""
        super().__init__(message, **data)
        self.offered = tuple(offered)


class MissingCredential(RequestError):
    """The operation asks for a credential that was not given. ``schemes`` are those that would do."""

    def __init__(self, message: str = "", *, schemes: Sequence[str] = (), **data: Any) -> None:
        """Take the names of the security schemes that would do."""
        super().__init__(message, **data)
        self.schemes = tuple(schemes)


class CredentialScopeError(RequestError):
    """The credential would go to an origin that the caller has not vouched for."""


class ClientClosed(RequestError):
    """The client has been closed."""


# --- the way ----------------------------------------------------------------------------------------------------------


class TransportError(DynclientError):
    """The exchange failed on its way. ``outcome_unknown`` tells that the server may have acted on the request."""

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
        """Take the request that failed, and how often it was tried."""
        super().__init__(message, **data)
        self.request = request.with_no_secrets() if request is not None else None
        self.outcome_unknown = outcome_unknown
        self.attempts = attempts
        self.elapsed = elapsed

    def details(self) -> list[str]:
        """Add the request line, and whether the server may have acted."""
        lines = [f"{self.request.method} {self.request.shown_url}"] if self.request else []
        if self.outcome_unknown:
            lines.append("the request was sent, and nobody can know whether the server acted on it")
        return lines


class ConnectError(TransportError):
    """No connection could be made; nothing was sent."""


class PoolTimeout(TransportError):
    """No connection of the pool became free in time; nothing was sent."""


class TLSError(TransportError):
    """The server could not prove who it is; nothing was sent."""


class TimeoutError(TransportError, builtins.TimeoutError):  # noqa: A001  # one word for one thing; also Python's own
    """Time ran out. ``phase`` is ``connect``, ``write``, ``read`` or ``total``."""

    def __init__(self, message: str = "", *, phase: str = "read", **data: Any) -> None:
        """Take the phase of the exchange in which time ran out."""
        TransportError.__init__(self, message, **data)
        self.phase = phase

    __str__ = DynclientError.__str__


class ConnectionLost(TransportError):
    """The connection broke before the whole response was there."""


class ProtocolError(TransportError):
    """What came back is not HTTP as RFC 9112 has it."""


# --- the server -------------------------------------------------------------------------------------------------------


class Problem(NamedTuple):
    """The members of a problem details object (RFC 9457, 3.1); one of a wrong type is None."""

    type: str | None = None
    title: str | None = None
    status: int | None = None
    detail: str | None = None
    instance: str | None = None


class ResponseError(DynclientError):
    """The server answered, and not as the document says or not with success.

    ``request`` and ``response`` are the exchange, ``data`` is the decoded body, as far as it could be decoded.
    """

    def __init__(
        self,
        message: str = "",
        *,
        response: Response | None = None,
        request: Request | None = None,
        data: Any = None,
        **more: Any,
    ) -> None:
        """Take what arrived: nothing of it is lost."""
        super().__init__(message, **more)
        asked = request or (response.request if response else None)
        self.request = asked.with_no_secrets() if asked is not None else None
        self.response = response._replace(request=self.request) if response is not None else None
        self.data = data

    @property
    def status(self) -> int:
        """The response's status code."""
        return self.response.status if self.response is not None else 0

    @property
    def headers(self) -> Headers:
        """The response's headers."""
        return self.response.headers if self.response is not None else Headers()

    def details(self) -> list[str]:
        """Add the request line, the status and the first kilobyte of what arrived."""
        lines = []
        if self.request is not None:
            lines.append(f"{self.request.method} {self.request.shown_url} -> {self.status}")
        if self.response is not None and isinstance(self.response.body, bytes) and self.response.body:
            lines.append(f"{self.response.content_type or 'no Content-Type'}: {self._excerpt()}")
        return lines

    def _excerpt(self) -> str:
        body = self.response.body if self.response is not None else b""
        return escaped(body[:1024].decode("utf-8", "replace")).replace("\n", " ")


class ApiError(ResponseError):
    """The server answered with an error status that the document describes."""

    @property
    def problem(self) -> Problem | None:
        """The body as a problem details object, where its media type is one of those (RFC 9457)."""
        content_type = ((self.response.content_type or "") if self.response else "").partition(";")[0].strip().lower()
        if content_type not in {"application/problem+json", "application/problem+xml"}:
            return None
        if not isinstance(self.data, dict):
            return None
        # RFC 9457, 3.1: consumers ignore values that are not of the member's type.
        text = {name: value for name, value in self.data.items() if isinstance(value, str)}
        status = self.data.get("status")
        return Problem(
            type=text.get("type"),
            title=text.get("title"),
            status=status if isinstance(status, int) and not isinstance(status, bool) else None,
            detail=text.get("detail"),
            instance=text.get("instance"),
        )


class BadRequest(ApiError):
    """400."""


class Unauthorized(ApiError):
    """401."""


class Forbidden(ApiError):
    """403."""


class NotFound(ApiError):
    """404."""


class Conflict(ApiError):
    """409."""


class Gone(ApiError):
    """410."""


class UnprocessableContent(ApiError):
    """422."""


class RateLimited(ApiError):
    """429."""


class ServerError(ApiError):
    """Any status from 500 up."""


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
    """The class of error for a documented error status."""
    return API_ERRORS.get(status, ServerError if status >= 500 else ApiError)  # noqa: PLR2004  # RFC 9110, 15.6


class UndocumentedStatus(ResponseError):
    """The operation documents no such status. ``documented`` are those that it does."""

    def __init__(self, message: str = "", *, documented: Sequence[str] = (), **data: Any) -> None:
        """Take the statuses that the operation documents."""
        super().__init__(message, **data)
        self.documented = tuple(documented)


class UnexpectedMediaType(ResponseError):
    """The response's Content-Type is none that the operation documents. ``documented`` are those that it does."""

    def __init__(self, message: str = "", *, documented: Sequence[str] = (), **data: Any) -> None:
        """Take the media types that the operation documents."""
        super().__init__(message, **data)
        self.documented = tuple(documented)


class DecodeError(ResponseError):
    """The body is not what its Content-Type says. ``offset`` is the byte, from 0, where that shows."""

    def __init__(self, message: str = "", *, offset: int | None = None, **data: Any) -> None:
        """Take the byte at which decoding failed."""
        super().__init__(message, **data)
        self.offset = offset


class ResponseValidationError(ResponseError):
    """The decoded body, or a header, breaks its schema. ``errors`` are the faults, ``data`` is the decoded body."""

    def __init__(self, message: str = "", *, errors: Sequence[Fault] = (), **data: Any) -> None:
        """Take every fault that was found."""
        super().__init__(message, **data)
        self.errors = tuple(errors)

    def details(self) -> list[str]:
        """Add a line for each fault in place of the body, which may hold what should not be shown."""
        asked = [f"{self.request.method} {self.request.shown_url} -> {self.status}"] if self.request else []
        return [*asked, *(f"  {fault}" for fault in self.errors)]


class ResponseTooLarge(ResponseError):
    """The response goes beyond a limit. ``limit`` names it."""

    def __init__(self, message: str = "", *, limit: str = "", **data: Any) -> None:
        """Take the name of the limit."""
        super().__init__(message, **data)
        self.limit = limit


class RedirectError(ResponseError):
    """A redirect that is not followed, and that the document does not describe."""
