"""Decide when a request may be sent, by the caller's rate limits, and by the quotas and pauses of servers.

Rule 1: every request takes a place, retries and redirects included. Places are given in the order of the requests, so
that no thread starves.
Rule 2: a place that would come after the call's deadline is not taken; the call fails at once.
Rule 3: a 429 or 503 with Retry-After pauses its origin for all calls with a rate.
Rule 4: what a server says about its quota (``auto``) can only add waits. It applies for an hour at most.
Rule 5: limits of operations and tags come first, so that an origin's places are not taken long before they are used.
"""

from __future__ import annotations

import math
import re
from collections.abc import Generator, Iterable
from functools import partial
from typing import Any

from dynclient._call.retry import Shared, date_of, retry_after
from dynclient._deferred import expression
from dynclient._records import Record
from dynclient.exceptions import PaceTimeout
from dynclient.messages import Headers, Request, Response, RunBlocking, Sleep
from dynclient.options import Rate, RateLimiter
from dynclient.transports.clock import Environment

_PAUSING = frozenset({429, 503})
_LONGEST = 3600.0
_MANY = 1000
_ROUNDING = 1.5
_EPOCH, _EPOCH_MILLISECONDS = 1e9, 1e11
"""Larger numbers are dates: seconds or milliseconds since 1970."""

# draft-ietf-httpapi-ratelimit-headers: the latest version has items with parameters, earlier ones have a dictionary.
_LEFT = expression(r"(?:^|[;,\s])(?:r|remaining)=([0-9]{1,15})")
_RESET = expression(r"(?:^|[;,\s])(?:t|reset)=([0-9]{1,15})")
_QUOTA = expression(r"(?:^|[;,\s])q=([0-9]{1,15})")
_WINDOW = expression(r"(?:^|[;,\s])w=([0-9]{1,15})")
_NUMBER = expression(r"\s*(-?[0-9]{1,15}(?:\.[0-9]{1,15})?)")
_PREFIXES = ("ratelimit-", "x-ratelimit-", "x-rate-limit-")
_RESOURCES = ("x-ratelimit-resource", "x-ratelimit-bucket")


def gcra(arrival: float, n: int, now: float, interval: float, burst: int) -> tuple[float, float]:
    """The generic cell rate algorithm: the seconds to wait for ``n`` places, and the next arrival to remember.

    ``arrival`` is the time of the last place given so far if they had equal intervals, or ``now`` if there are none.
    """
    following = max(arrival, now) + n * interval
    return max(0.0, following - burst * interval - now), following


class Limiter(Shared):
    """A Rate within this process: a RateLimiter whose ``now`` may be of any clock."""

    def __init__(self, rate: Rate) -> None:
        """Start with no place taken."""
        super().__init__()
        self._interval, self._burst = rate.interval, rate.burst

    def _reset(self) -> None:
        super()._reset()
        self._arrivals: dict[str, float] = {}

    def reserve(self, key: str, n: int, now: float, longest: float = math.inf) -> float:
        """Take ``n`` places, and return the seconds until they may be used; none are taken if that is too long."""
        with self._own_lock():
            arrival = self._arrivals.get(key, now)
            wait, following = gcra(arrival, n, now, self._interval, self._burst)
            if wait < longest:
                self._arrivals[key] = following
                if len(self._arrivals) > _MANY:
                    self._arrivals = {key: arrival for key, arrival in self._arrivals.items() if arrival > now}
        return wait


class Quota(Record):
    """A server's quota: ``left`` requests until ``end``, and then ``following`` for ``window`` seconds."""

    left: float
    end: float
    following: float
    window: float


class Pacing(Shared):
    """The places, pauses and quotas of all clients of one ``load()``."""

    def _reset(self) -> None:
        super()._reset()
        self._limiters: dict[Rate, Limiter] = {}
        self._pauses: dict[str, float] = {}
        self._quotas: dict[tuple[str, str], Quota] = {}
        # Some servers have several quotas, and say which one a response is about.
        self._resources: dict[tuple[str, str], str] = {}
        self._unanswered: dict[str, int] = {}

    def of(self, rate: Rate | RateLimiter, own: Iterable[str], operation: str) -> Pace:
        """The pace of an operation; ``own`` are the names of its limits in ``Rate.by``."""
        if not isinstance(rate, Rate):
            return Pace(self, (("", rate, type(rate).__name__),), operation, is_auto=False)
        limits: list[tuple[str, Any]] = [(name, rate.by[name]) for name in own]
        limits += [("", rate)] if rate.interval else []
        limiters = [(name, self._limiters.setdefault(one, Limiter(one)), one.limit) for name, one in limits]
        return Pace(self, tuple(limiters), operation, rate.auto)

    def wait(self, origin: str, operation: str, now: float, *, is_auto: bool, takes: bool) -> float:
        """The seconds until the server allows a request; take one from a quota that has some left."""
        wait = max(0.0, self._pauses.get(origin, now) - now)
        if wait or not is_auto:
            return wait
        with self._own_lock():
            key = origin, self._resources.get((origin, operation), "")
            quota = self._quotas.get(key)
            if quota is not None and now >= quota.end:
                quota = quota._replace(left=quota.following, end=now + quota.window)
            if quota is not None and quota.left < 1:
                self._quotas[key] = quota
                return quota.end - now
            if takes:
                self._unanswered[origin] = self._unanswered.get(origin, 0) + 1
                if quota is not None:
                    self._quotas[key] = quota._replace(left=quota.left - 1)
        return 0.0

    def answered(self, origin: str, pace: Pace, response: Response | None, environment: Environment) -> None:
        """Record the quota in a response; None is a request without a response."""
        now = environment.clock()
        with self._own_lock():
            for known in (self._pauses, self._quotas, self._resources, self._unanswered):
                if len(known) > _MANY:
                    known.clear()
            if response is not None and response.status in _PAUSING:
                asked = min(retry_after(response) or 0.0, _LONGEST)
                self._pauses[origin] = max(self._pauses.get(origin, 0.0), now + asked)
            if not pace.is_auto:
                return
            unanswered = self._unanswered[origin] = max(0, self._unanswered.get(origin, 0) - 1)
            quota = told(response.headers, now, environment.now()) if response is not None else None
            if response is None or quota is None:
                return
            resource = next(filter(None, map(response.headers.get, _RESOURCES)), "")[:100]
            self._resources[origin, pace.operation] = resource
            last = self._quotas.get((origin, resource))
            is_same_window = last is not None and abs(last.end - quota.end) < _ROUNDING
            # Responses may arrive out of order, and the server has not counted requests in flight.
            left = min(last.left, quota.left) if last is not None and is_same_window else quota.left - unanswered
            self._quotas[origin, resource] = quota._replace(left=left)


class Pace(Record):
    """Decides when the requests of a call may be sent: its limiters, with names and texts, and the server's quota."""

    pacing: Pacing
    limiters: tuple[tuple[str, RateLimiter, str], ...]
    operation: str
    is_auto: bool

    def place(
        self, request: Request, environment: Environment, deadline: float | None
    ) -> Generator[Sleep | RunBlocking, Any, PaceTimeout | None]:
        """Wait until a request may be sent; returns the error if that is after the deadline."""
        origin = origin_text(request)
        takes = False
        while True:
            wait = self.pacing.wait(origin, self.operation, environment.clock(), is_auto=self.is_auto, takes=takes)
            if wait:
                if not _is_before(wait, environment, deadline):
                    return _late(request, wait, f"{origin} asks for a pause")
                yield Sleep(wait)
                takes = False
            elif takes:
                return None
            else:
                for name, limiter, text in self.limiters:
                    wait = yield from _reserved(limiter, f"{origin} {name}".rstrip(), environment, deadline)
                    if not _is_before(wait, environment, deadline):
                        return _late(request, wait, f"the rate {text} of {name or origin} leaves no place")
                    if wait > 0:
                        yield Sleep(wait)
                takes = True

    def answered(self, request: Request, response: Response | None, environment: Environment) -> None:
        """Record the quota in the response to a request; None if there was none."""
        self.pacing.answered(origin_text(request), self, response, environment)


def _reserved(
    limiter: RateLimiter, key: str, environment: Environment, deadline: float | None
) -> Generator[RunBlocking, Any, float]:
    if isinstance(limiter, Limiter):
        now = environment.clock()
        return limiter.reserve(key, 1, now, math.inf if deadline is None else deadline - now)
    return float((yield RunBlocking(partial(limiter.reserve, key, 1, environment.now()))))


def _is_before(wait: float, environment: Environment, deadline: float | None) -> bool:
    return deadline is None or environment.clock() + wait < deadline


def _late(request: Request, wait: float, why: str) -> PaceTimeout:
    hint = "with_options(timeout=...) waits longer, with_options(rate=...) sets another rate"
    return PaceTimeout(
        f"{why} before the deadline: the request could be sent in {wait:.3g} s", wait=wait, request=request, hint=hint
    )


def origin_text(request: Request) -> str:
    """The key of a request's origin, such as ``https://api.example.com:443``."""
    scheme, host, port = request.origin
    return f"{scheme}://{host}:{port}"


def told(headers: Headers, now: float, time_of_day: float) -> Quota | None:
    """The quota in a response's headers; None if they have none. ``end`` is a reading of the clock of ``now``.

    These are RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers), and the older headers
    ``[X-]RateLimit-Remaining``, ``-Limit`` and ``-Reset`` (seconds, or seconds or milliseconds since 1970) or
    ``-Reset-After``.
    """
    policy = headers.get("ratelimit-policy", "")
    following, window = _found(_QUOTA, policy), _found(_WINDOW, policy)
    fields = headers.get("ratelimit", "")
    left, reset = _found(_LEFT, fields), _found(_RESET, fields)
    if "remaining=" not in fields and fields.count(",") and left is not None:
        # Of several policies, the one with the fewest requests left counts.
        item = min((one for one in fields.split(",") if _LEFT.search(one)), key=lambda one: _found(_LEFT, one) or 0.0)
        left, reset = _found(_LEFT, item), _found(_RESET, item)
    for prefix in _PREFIXES:
        if left is not None:
            break
        left = _number(headers, f"{prefix}remaining")
        reset = _number(headers, f"{prefix}reset-after")
        if reset is None:
            reset = _seconds(_number(headers, f"{prefix}reset"), headers, time_of_day)
        following = following or _number(headers, f"{prefix}limit")
    if left is None:
        return None
    seconds = min(max(reset if reset is not None else window or 1.0, 0.0), _LONGEST)
    return Quota(max(left, 0.0), now + seconds, max(following or 1.0, 1.0), min(max(window or 1.0, 1.0), _LONGEST))


def _found(pattern: re.Pattern[str], text: str) -> float | None:
    found = pattern.search(text)
    return float(found[1]) if found is not None else None


def _number(headers: Headers, name: str) -> float | None:
    found = _NUMBER.match(headers.get(name, ""))
    return float(found[1]) if found is not None else None


def _seconds(reset: float | None, headers: Headers, time_of_day: float) -> float | None:
    """The seconds until a time; servers write them as a number, or as a date by their own clock."""
    if reset is None or reset < _EPOCH:
        return reset
    moment = reset / 1000 if reset > _EPOCH_MILLISECONDS else reset
    date = date_of(headers.get("date", ""))
    return moment - (date.timestamp() if date is not None else time_of_day)
