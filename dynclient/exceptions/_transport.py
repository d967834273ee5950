"""The exchange failed on its way."""

from __future__ import annotations

import builtins
from dataclasses import replace
from typing import Any

from dynclient.exceptions._root import DynclientError
from dynclient.messages import Request


class TransportError(DynclientError):
    """The exchange failed on its way. ``outcome_unknown`` tells that the server may have acted on the request.

    ``retry_suppressed`` tells that it was not repeated since the client's budget for that was spent.
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
        """Take the request that failed, and how often it was tried."""
        super().__init__(message, **data)
        self.request = replace(request.with_no_secrets(), body=None) if request is not None else None
        self.outcome_unknown = outcome_unknown
        self.attempts = attempts
        self.elapsed = elapsed

    def details(self) -> list[str]:
        """Add the request line, and whether the server may have acted."""
        lines = [f"{self.request.method} {self.request.logged_url}"] if self.request else []
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
