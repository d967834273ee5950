"""How long an exchange may still wait.

An exchange is in one phase at a time. Getting a connection (``pool``) and opening one (``connect``) have a budget for
the whole phase; writing and reading have one for each wait. The call's deadline bounds them all, so that a server
gains no time by sending single bytes.
"""

from __future__ import annotations

import time
from typing import Literal

from dynclient.options import Timeout

Phase = Literal["pool", "connect", "write", "read"]

_WHOLE_PHASES = frozenset({"pool", "connect"})


class DeadlineExceeded(Exception):
    """No time is left: for the current wait, for the phase, or for the whole call."""


class Clock:
    """The time of one exchange; all values are seconds of ``time.monotonic()``."""

    __slots__ = ("_deadline", "_limit", "_phase_end", "_timeout", "phase", "started")

    def __init__(self, timeout: Timeout, deadline: float | None) -> None:
        """Start. Without a deadline from the call, ``timeout.total`` counts from now."""
        self.started = time.monotonic()
        if deadline is None and timeout.total is not None:
            deadline = self.started + timeout.total
        self._timeout = timeout
        self._deadline = deadline
        self.enter("pool")

    @property
    def elapsed(self) -> float:
        """Seconds since the exchange began."""
        return time.monotonic() - self.started

    def enter(self, phase: Phase) -> None:
        """Begin a phase."""
        self.phase: Phase = phase
        limit: float | None = getattr(self._timeout, phase)
        self._limit = limit
        self._phase_end = time.monotonic() + limit if limit is not None and phase in _WHOLE_PHASES else None

    def left(self) -> float | None:
        """Return the seconds that the next wait may last, or None where nothing bounds it.

        Raises:
            DeadlineExceeded: no time is left.
        """
        now = time.monotonic()
        left = self._limit if self._phase_end is None else self._phase_end - now
        if self._deadline is not None:
            whole = self._deadline - now
            left = whole if left is None or whole < left else left
        if left is not None and left <= 0:
            raise DeadlineExceeded
        return left

    @property
    def remaining(self) -> float | None:
        """Seconds that the whole call has left, or None where it has no deadline."""
        return None if self._deadline is None else max(self._deadline - time.monotonic(), 0.0)

    @property
    def passed(self) -> bool:
        """Whether the call's own deadline has passed."""
        return self._deadline is not None and time.monotonic() >= self._deadline
