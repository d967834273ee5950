"""Time: how long an exchange may still wait, and how long reading its response may take.

An exchange is in one phase at a time. Getting a connection (``pool``) and opening one (``connect``) have a budget for
the whole phase; writing and reading have one for each wait. The call's deadline bounds them all, so a server can't
extend it by sending single bytes.

Decoding and validating never wait, so nothing can interrupt them. They check the clock themselves, after a number of
steps (:func:`look`). The deadline covers them, and on an event loop they may take only a moment: longer work is
restarted in a worker thread.
"""

from __future__ import annotations

import math
import os
import random
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Literal, TypeVar

from dynclient._records import Record
from dynclient.exceptions import TimeoutError as CallTimeoutError
from dynclient.messages import Response
from dynclient.options import Timeout

T = TypeVar("T")

Phase = Literal["pool", "connect", "write", "read"]

_WHOLE_PHASES = frozenset({"pool", "connect"})

INLINE_SECONDS = 0.02
INLINE_BYTES = 512 * 1024
"""A body up to this size is read where it arrived: that takes about 10 ms, unless its schema is expensive."""


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
        """Return the seconds that the next wait may last, or None if it is unbounded.

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
        """Seconds until the call's deadline, or None if it has none."""
        return None if self._deadline is None else max(self._deadline - time.monotonic(), 0.0)

    @property
    def passed(self) -> bool:
        """Whether the call's own deadline has passed."""
        return self._deadline is not None and time.monotonic() >= self._deadline


# -- reading a response -----------------------------------------------------------------------------------------------

# The clock, the time when work on the event loop must stop, and the deadline.
_limits: ContextVar[tuple[Callable[[], float], float, float] | None] = ContextVar("dynclient work time", default=None)


class TooLong(Exception):
    """The work takes longer than is allowed on an event loop."""


def look() -> None:
    """Check the clock.

    Raises:
        TooLong: the work has to be done in a worker thread, which the caller arranges.
    """
    limits = _limits.get()
    if limits is not None:
        clock, end, deadline = limits
        now = clock()
        if now > deadline:
            raise DeadlineExceeded
        if now > end:
            raise TooLong


def within(
    read: Callable[[Response], T],
    response: Response,
    clock: Callable[[], float],
    deadline: float | None,
    seconds: float = math.inf,
) -> T:
    """Read a response before the deadline (a clock reading), and within this many seconds.

    Raises:
        TooLong: it takes more seconds.
        TimeoutError: the deadline passed.
    """
    token = _limits.set((clock, clock() + seconds, math.inf if deadline is None else deadline))
    try:
        return read(response)
    except DeadlineExceeded:
        raise CallTimeoutError(
            f"the call's time ended while the response, {response.status}, was decoded and validated",
            phase="total",
            request=response.request,
            elapsed=response.elapsed,
            hint="Timeout(total=...) gives a call more time; stream() reads a body piece by piece",
        ) from None
    finally:
        _limits.reset(token)


def _new_key() -> str:
    import uuid

    return str(uuid.uuid4())


class Environment(Record):
    """The sources of time and randomness.

    ``clock`` is a monotonic clock in seconds; deadlines are readings of it. ``random`` returns a number from 0 up to 1,
    ``key`` a text that is unique. ``now`` is the time of day in seconds since the epoch: tokens expire by it, also
    while a machine sleeps. ``entropy`` returns the requested number of random bytes.
    """

    clock: Callable[[], float] = time.monotonic
    random: Callable[[], float] = random.SystemRandom().random
    key: Callable[[], str] = _new_key
    now: Callable[[], float] = time.time
    entropy: Callable[[int], bytes] = os.urandom
