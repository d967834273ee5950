"""When a request is sent again, and after how long.

Rule 1: what is not done twice by repeating it may be repeated: GET, HEAD, OPTIONS, TRACE, PUT, DELETE (RFC 9110,
9.2.2).
Rule 2: any method may be repeated when provably nothing was sent, and after 429, which says that nothing was done.
Rule 3: a body is sent again only if it is still there: a stream is read once.
Rule 4: a server's Retry-After is kept to the second, or not at all: longer than the caller allows, the call fails now.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from dynclient.exceptions import (
    ConnectError,
    ConnectionLost,
    DecodeError,
    DynclientError,
    PoolTimeout,
    TimeoutError,  # noqa: A004  # ours
    TransportError,
)
from dynclient.messages import Request, Response, Send
from dynclient.options import Retry

IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
_THROTTLED = frozenset({429, 503})
_TOO_MANY_REQUESTS = 429


class Chance(NamedTuple):
    """What a call knows of the world: a monotonic clock in seconds, and numbers from 0 up to 1."""

    clock: Callable[[], float] = time.monotonic
    random: Callable[[], float] = random.SystemRandom().random


def wait_after_error(
    error: TransportError | DecodeError, send: Send, attempt: int, retry: Retry, chance: Chance
) -> float | None:
    """Seconds to wait before sending again after a failure, or None to give up.

    A DecodeError here is a content coding that was cut short or damaged on its way.
    """
    nothing_sent = isinstance(error, (ConnectError, PoolTimeout)) and not error.outcome_unknown
    passing = nothing_sent or isinstance(error, (ConnectionLost, DecodeError)) or _read_timed_out(error)
    allowed = passing and (nothing_sent or send.request.method in IDEMPOTENT)
    if not allowed or attempt >= retry.attempts or not _can_repeat(send.request):
        return None
    return _in_time(_jittered(retry.base, attempt, retry, chance), send, chance)


def wait_after_response(response: Response, send: Send, attempt: int, retry: Retry, chance: Chance) -> float | None:
    """Seconds to wait before sending again after a response, or None to take it."""
    status = response.status
    allowed = status in retry.statuses and (send.request.method in IDEMPOTENT or status == _TOO_MANY_REQUESTS)
    if not allowed or attempt >= retry.attempts or not _can_repeat(send.request):
        return None
    asked = retry_after(response)
    if asked is not None:
        return _in_time(asked, send, chance) if asked <= retry.max_retry_after else None
    base = retry.throttle_base if status in _THROTTLED else retry.base
    return _in_time(_jittered(base, attempt, retry, chance), send, chance)


def retry_after(response: Response) -> float | None:
    """The seconds that a server asks to wait (RFC 9110, 10.2.3): a number, or a date against its own Date.

    What is neither counts as absent; a date that has passed is 0.
    """
    text = (response.headers.get("retry-after") or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:12])
    moment = _date(text)
    if moment is None:
        return None
    now = _date(response.headers.get("date") or "") or datetime.now(timezone.utc)
    return max(0.0, (moment - now).total_seconds())


def _date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=timezone.utc)


def _read_timed_out(error: DynclientError) -> bool:
    return isinstance(error, TimeoutError) and error.phase == "read"


def _can_repeat(request: Request) -> bool:
    return request.body is None or isinstance(request.body, bytes)


def _jittered(base: float, attempt: int, retry: Retry, chance: Chance) -> float:
    ceiling: float = min(base * 2 ** (attempt - 1), retry.max_delay)
    return chance.random() * ceiling


def _in_time(wait: float, send: Send, chance: Chance) -> float | None:
    return wait if send.deadline is None or chance.clock() + wait < send.deadline else None
