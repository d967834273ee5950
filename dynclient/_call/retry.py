"""When a request is sent again, and after how long.

Rule 1: a request may be repeated if a second one has no additional effect: GET, HEAD, OPTIONS, TRACE, QUERY, PUT,
DELETE (RFC 9110, 9.2.2), a request with an idempotency key, and one that the caller or the document calls idempotent.
Rule 2: a request of any method may be repeated if provably nothing was sent, after 429, which means that nothing was
done, and if the server says so (``x-should-retry: true``). If the server says no, nothing is repeated.
Rule 3: a body is sent again only if it is bytes, or read from paths: a stream is read once.
Rule 4: a server's Retry-After is obeyed exactly, or not at all: if it is longer than the caller allows, the call fails
at once.
Rule 5: each retry costs tokens of a :class:`Budget`, which protects servers in trouble. A server that closes idle
connections is not in trouble: the first retry after such a connection broke is free and immediate. After a connection
broke, the next request opens a new one, since other idle ones may be dead too.

An idempotency key is made once for each call and is the same in each of its attempts. The header that carries it is
named by the caller (``Retry(idempotency_key=...)``), by the operation's own header parameter, or by its
``x-idempotency``: ``true``, the header's name, or a mapping with ``header``. A value that the caller has set is kept.
"""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from dynclient._validation import validator
from dynclient.exceptions import (
    ConnectError,
    ConnectionLost,
    DecodeError,
    DynclientError,
    PoolTimeout,
    TimeoutError,  # noqa: A004  # ours
    TransportError,
)
from dynclient.http_grammar import IDEMPOTENCY_KEYS, IDEMPOTENT
from dynclient.messages import Request, Response, can_be_repeated
from dynclient.model import Operation
from dynclient.options import Limits, Retry
from dynclient.transports.clock import Environment

Origin = tuple[str, str, int]

TRANSIENT = 14
THROTTLED = 5
SUCCESS = 1
"""Tokens: the cost of a retry after an error, of one that the server requested, and the refund of a success."""

_KEY_HEADER = "Idempotency-Key"
_THROTTLED = frozenset({429, 503})
_TOO_MANY_REQUESTS = 429
_ERROR = 400
_WORDS = {"true": True, "false": False}


class Shared:
    """State that threads share, and that a child process resets."""

    def __init__(self) -> None:
        """Start empty."""
        self._reset()

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._process = os.getpid()

    def _own_lock(self) -> threading.Lock:
        """The lock. A child process gets a new one, since the old one may have been held when it was forked."""
        if self._process != os.getpid():
            self._reset()
        return self._lock


class Budget(Shared):
    """The retry tokens that a client has spent, by origin. It is shared by threads, and by the clients of one document.

    A retry costs tokens, and responses refund them: normally this has no effect, but if an origin sends only errors,
    its calls are soon no longer retried.
    """

    def _reset(self) -> None:
        super()._reset()
        self._spent: dict[Origin, int] = {}

    def spend(self, origin: Origin, cost: int, limit: int) -> bool:
        """Spend tokens; False if fewer are left of the limit."""
        with self._own_lock():
            spent = self._spent.get(origin, 0) + cost
            if spent > limit:
                return False
            self._spent[origin] = spent
        return True

    def give_back(self, origin: Origin, tokens: int) -> None:
        """Give tokens back, up to those that were spent."""
        # In nearly every call nothing was spent: reading needs no lock.
        if origin not in self._spent:
            return
        with self._own_lock():
            left = self._spent.get(origin, 0) - tokens
            if left > 0:
                self._spent[origin] = left
            else:
                self._spent.pop(origin, None)


class RetryPolicy:
    """The attempts of one call.

    ``repeatable``: a second request has no additional effect. ``fresh``: the next one takes a new connection. ``sent``
    counts all requests of the call; ``suppressed`` says that the budget forbade another one.
    """

    __slots__ = ("_environment", "_failed", "_paid", "_retry", "budget", "fresh", "repeatable", "sent", "suppressed")

    def __init__(self, retry: Retry, environment: Environment, budget: Budget) -> None:
        """Begin a call."""
        self.budget = budget
        self.repeatable = self.fresh = False
        self.sent = 0
        self.suppressed = False
        self._retry = retry
        self._environment = environment
        self._failed = 0
        self._paid = 0

    def wait_after(
        self, outcome: Response | TransportError | DecodeError, request: Request, deadline: float | None
    ) -> float | None:
        """Seconds to wait before sending the request again; None if the response, or the error, is final.

        A DecodeError here is a content coding that was cut off or damaged in transit.
        """
        if not isinstance(outcome, Response):
            return self._after_error(outcome, request, deadline)
        if outcome.status < _ERROR:
            self.budget.give_back(request.origin, self._paid or SUCCESS)
            return None
        if not self._is_worth_repeating(outcome) or not self._may_repeat(request):
            return None
        asked = retry_after(outcome)
        cost = THROTTLED if outcome.status == _TOO_MANY_REQUESTS or asked is not None else TRANSIENT
        if asked is not None:
            return self._paid_for(asked, cost, request, deadline) if asked <= self._retry.max_retry_after else None
        base = self._retry.throttle_base if outcome.status in _THROTTLED else self._retry.base
        return self._paid_for(self._jittered(base), cost, request, deadline)

    def _after_error(
        self, error: TransportError | DecodeError, request: Request, deadline: float | None
    ) -> float | None:
        nothing_sent = isinstance(error, (ConnectError, PoolTimeout)) and not error.outcome_unknown
        passing = nothing_sent or isinstance(error, (ConnectionLost, DecodeError)) or _read_timed_out(error)
        if not passing or not (nothing_sent or self.repeatable) or not self._may_repeat(request):
            return None
        self.fresh = isinstance(error, ConnectionLost)
        if isinstance(error, ConnectionLost) and error.reused:
            return self._paid_for(0.0, 0, request, deadline)
        return self._paid_for(self._jittered(self._retry.base), TRANSIENT, request, deadline)

    def _is_worth_repeating(self, response: Response) -> bool:
        word = _WORDS.get(response.headers.get("x-should-retry", "").strip().lower())
        if word is not None:
            return word
        status = response.status
        return status in self._retry.statuses and (self.repeatable or status == _TOO_MANY_REQUESTS)

    def _may_repeat(self, request: Request) -> bool:
        self._failed += 1
        return self._failed < self._retry.attempts and can_be_repeated(request.body)

    def _jittered(self, base: float) -> float:
        ceiling: float = min(base * 2 ** (self._failed - 1), self._retry.max_delay)
        return self._environment.random() * ceiling

    def _paid_for(self, wait: float, cost: int, request: Request, deadline: float | None) -> float | None:
        if deadline is not None and self._environment.clock() + wait >= deadline:
            return None
        if cost and not self.budget.spend(request.origin, cost, self._retry.budget):
            self.suppressed = True
            return None
        self._paid = cost
        return wait


def retry_after(response: Response) -> float | None:
    """The seconds that a server asks to wait: ``retry-after-ms``, or Retry-After (RFC 9110, 10.2.3).

    The value is a number, or a date relative to the response's own Date. Any other value counts as absent; a date in
    the past counts as 0.
    """
    milliseconds = _number(response.headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return milliseconds / 1000
    text = (response.headers.get("retry-after") or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:12])
    moment = date_of(text)
    if moment is None:
        return None
    now = date_of(response.headers.get("date") or "") or datetime.now(UTC)
    return max(0.0, (moment - now).total_seconds())


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None


def date_of(text: str) -> datetime | None:
    """Read a date of HTTP (RFC 9110, 5.6.7); None if the text is not one."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _read_timed_out(error: DynclientError) -> bool:
    return isinstance(error, TimeoutError) and error.phase == "read"


def is_repeatable(request: Request) -> bool:
    """Whether a request can be sent again as it is: it is idempotent, and its body is still available."""
    return request.method in IDEMPOTENT and can_be_repeated(request.body)


def with_key(
    request: Request, operation: Operation, retry: Retry, make: Callable[[], str], limits: Limits
) -> tuple[Request, bool]:
    """The request with its idempotency key, if any, and whether it can be repeated."""
    if request.method in IDEMPOTENT or any(request.headers.get(name) for name in IDEMPOTENCY_KEYS):
        return request, True
    key = make() if retry.idempotency_key or _documents(operation) else ""
    header = (retry.idempotency_key or _documented(operation, key, limits)) if key else None
    if header is None:
        return request, retry.idempotent or operation.extensions.get("x-idempotent") is True
    if not request.headers.get(header):
        request = replace(request, headers=request.headers.replace(header, key))
    return request, True


def _documents(operation: Operation) -> bool:
    """Whether the document mentions idempotency keys."""
    parameters = operation.parameters
    return "x-idempotency" in operation.extensions or any(each.name.lower() in IDEMPOTENCY_KEYS for each in parameters)


def _documented(operation: Operation, key: str, limits: Limits) -> str | None:
    """The header that the document names, if it accepts a key like ours."""
    for parameter in operation.parameters:
        if parameter.in_ == "header" and parameter.name.lower() in IDEMPOTENCY_KEYS:
            schema = parameter.schema
            if schema is None or not validator(schema, "request", limits=limits).faults(key):
                return parameter.name
    return _extension(operation.extensions.get("x-idempotency"))


def _extension(word: Any) -> str | None:
    if isinstance(word, dict):
        word = word.get("header", True)
    if word is True:
        return _KEY_HEADER
    return word if isinstance(word, str) and word else None
