"""The server answered, and not as the document says, or not with success."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from dynclient._escaping import escaped
from dynclient._records import Record
from dynclient._secrets import masked
from dynclient.exceptions._root import DynclientError, Fault
from dynclient.media_types import essence
from dynclient.messages import SECRET_BODY, Headers, Request, Response


class Problem(Record):
    """The members of a problem details object (RFC 9457, 3.1); one of a wrong type is None."""

    type: str | None = None
    title: str | None = None
    status: int | None = None
    detail: str | None = None
    instance: str | None = None


class ResponseError(DynclientError):
    """The server answered, and not as the document says or not with success.

    ``request`` and ``response`` are the exchange, ``data`` is the decoded body, as far as it could be decoded.
    ``attempts`` counts the requests that were sent. ``retry_after`` are the seconds that the server asks to wait, where
    it does; ``retry_suppressed`` tells that the call was not repeated since the client's budget for that was spent.
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
        """Take what arrived: nothing of it is lost."""
        super().__init__(message, **more)
        asked = request or (response.request if response else None)
        self.request = replace(asked.with_no_secrets(), body=None) if asked is not None else None
        self.response = replace(response, request=asked).with_no_secrets() if response is not None else None
        if self.response is not None and asked is not None and SECRET_BODY in asked.secrets:
            # An answer to a request for a token may hold one, also where it is broken or too large.
            self.response = replace(self.response, body=b"")
        # A server may repeat what it was sent, credentials too.
        self.data = masked(data, asked.secret_values()) if asked is not None and data is not None else data

    @property
    def status(self) -> int:
        """The response's status code."""
        return self.response.status if self.response is not None else 0

    @property
    def attempts(self) -> int:
        """How many requests the call has sent."""
        return self.response.attempts if self.response is not None else 1

    @property
    def headers(self) -> Headers:
        """The response's headers."""
        return self.response.headers if self.response is not None else Headers()

    def details(self) -> list[str]:
        """Add the request line, the status and the first kilobyte of what arrived."""
        lines = []
        if self.request is not None:
            lines.append(f"{self.request.method} {self.request.logged_url} -> {self.status}")
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
        content_type = (self.response.content_type or "") if self.response else ""
        if essence(content_type) not in {"application/problem+json", "application/problem+xml"}:
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
        asked = [f"{self.request.method} {self.request.logged_url} -> {self.status}"] if self.request else []
        return [*asked, *(f"  {fault}" for fault in self.errors)]


class ResponseTooLarge(ResponseError):
    """The response goes beyond a limit. ``limit`` names it."""

    def __init__(self, message: str = "", *, limit: str = "", **data: Any) -> None:
        """Take the name of the limit."""
        super().__init__(message, **data)
        self.limit = limit


class RedirectError(ResponseError):
    """A redirect that is not followed, and that the document does not describe."""


class AuthorizationError(ResponseError):
    """The authorization server gave no token, or nobody logged in.

    ``error`` is the server's code (``invalid_client``, ``invalid_grant``, ``access_denied``, …; RFC 6749, 5.2), or "".
    Neither the request's body nor the response's is kept: both may hold secrets.
    """

    def __init__(self, message: str = "", *, error: str = "", response: Response | None = None, **data: Any) -> None:
        """Take the server's error code."""
        bare = replace(response, body=b"") if response is not None else None
        super().__init__(message, response=bare, **data)
        self.error = error
