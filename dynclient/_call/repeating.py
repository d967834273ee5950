"""When a request is sent again, and after how long.

Rule 1: what is not done twice by repeating it may be repeated: GET, HEAD, OPTIONS, TRACE, PUT, DELETE (RFC 9110,
9.2.2), what carries an idempotency key, and what the caller or the document calls idempotent.
Rule 2: any method may be repeated when provably nothing was sent, after 429, which says that nothing was done, and
where the server says so (``x-should-retry: true``). Where it says no, nothing is.
Rule 3: a body is sent again only if it is still there: a stream is read once.
Rule 4: a server's Retry-After is kept to the second, or not at all: longer than the caller allows, the call fails now.
Rule 5: each repetition is paid (:mod:`dynclient._call.budget`).
"""

from __future__ import annotations

import math
import os
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from dynclient._call.budget import SUCCESS, THROTTLED, TRANSIENT, Budget
from dynclient._records import Record
from dynclient.exceptions import (
    ConnectError,
    ConnectionLost,
    DecodeError,
    DynclientError,
    PoolTimeout,
    TimeoutError,  # noqa: A004  # ours
    TransportError,
)
from dynclient.messages import Request, Response
from dynclient.options import Retry

_THROTTLED = frozenset({429, 503})
_TOO_MANY_REQUESTS = 429
_ERROR = 400
_WORDS = {"true": True, "false": False}


def _new_key() -> str:
    import uuid

    return str(uuid.uuid4())


class Chance(Record):
    """What a call knows of the world: a monotonic clock in seconds, numbers from 0 up to 1, and unique texts.

    For credentials also the time of day, in seconds since the epoch, and bytes that nobody can guess.
    """

    clock: Callable[[], float] = time.monotonic
    random: Callable[[], float] = random.SystemRandom().random
    key: Callable[[], str] = _new_key
    now: Callable[[], float] = time.time
    entropy: Callable[[int], bytes] = os.urandom


class Repeats:
    """The attempts of one call. ``sent`` counts all of its requests; ``suppressed``: the budget forbade another one."""

    __slots__ = ("_budget", "_chance", "_failed", "_paid", "_repeatable", "_retry", "sent", "suppressed")

    def __init__(self, retry: Retry, chance: Chance, budget: Budget, *, repeatable: bool) -> None:
        """Take the terms; ``repeatable``: doing it twice is doing it once."""
        self._retry = retry
        self._chance = chance
        self._budget = budget
        self._repeatable = repeatable
        self._failed = 0
        self._paid = 0
        self.sent = 0
        self.suppressed = False

    def after_error(
        self, error: TransportError | DecodeError, request: Request, deadline: float | None
    ) -> float | None:
        """Seconds to wait before sending again after a failure, or None to give up.

        A DecodeError here is a content coding that was cut short or damaged on its way.
        """
        nothing_sent = isinstance(error, (ConnectError, PoolTimeout)) and not error.outcome_unknown
        passing = nothing_sent or isinstance(error, (ConnectionLost, DecodeError)) or _read_timed_out(error)
        if not passing or not (nothing_sent or self._repeatable) or not self._may_repeat(request):
            return None
        return self._paid_for(self._jittered(self._retry.base), TRANSIENT, request, deadline)

    def after_response(self, response: Response, request: Request, deadline: float | None) -> float | None:
        """Seconds to wait before sending again after a response, or None to take it."""
        if response.status < _ERROR:
            self._budget.give_back(request.origin, self._paid or SUCCESS)
            return None
        if not self._is_wanted(response) or not self._may_repeat(request):
            return None
        asked = retry_after(response)
        cost = THROTTLED if response.status == _TOO_MANY_REQUESTS or asked is not None else TRANSIENT
        if asked is not None:
            return self._paid_for(asked, cost, request, deadline) if asked <= self._retry.max_retry_after else None
        base = self._retry.throttle_base if response.status in _THROTTLED else self._retry.base
        return self._paid_for(self._jittered(base), cost, request, deadline)

    def _is_wanted(self, response: Response) -> bool:
        word = _WORDS.get(response.headers.get("x-should-retry", "").strip().lower())
        if word is not None:
            return word
        status = response.status
        return status in self._retry.statuses and (self._repeatable or status == _TOO_MANY_REQUESTS)

    def _may_repeat(self, request: Request) -> bool:
        self._failed += 1
        return self._failed < self._retry.attempts and (request.body is None or isinstance(request.body, bytes))

    def _jittered(self, base: float) -> float:
        ceiling: float = min(base * 2 ** (self._failed - 1), self._retry.max_delay)
        return self._chance.random() * ceiling

    def _paid_for(self, wait: float, cost: int, request: Request, deadline: float | None) -> float | None:
        if deadline is not None and self._chance.clock() + wait >= deadline:
            return None
        if not self._budget.spend(request.origin, cost, self._retry.budget):
            self.suppressed = True
            return None
        self._paid = cost
        return wait


def retry_after(response: Response) -> float | None:
    """The seconds that a server asks to wait: ``retry-after-ms``, or Retry-After (RFC 9110, 10.2.3).

    That is a number, or a date against the response's own Date. What is neither counts as absent; a date that has
    passed is 0.
    """
    milliseconds = _number(response.headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return milliseconds / 1000
    text = (response.headers.get("retry-after") or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:12])
    moment = _date(text)
    if moment is None:
        return None
    now = _date(response.headers.get("date") or "") or datetime.now(UTC)
    return max(0.0, (moment - now).total_seconds())


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None


def _date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _read_timed_out(error: DynclientError) -> bool:
    return isinstance(error, TimeoutError) and error.phase == "read"
