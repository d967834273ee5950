"""The clock and the randomness of a call. Tests pass their own."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable

from dynclient._records import Record


def _new_key() -> str:
    import uuid

    return str(uuid.uuid4())


class Environment(Record):
    """Functions of time and chance.

    ``clock`` is a monotonic clock in seconds; deadlines are readings of it. ``random`` returns a number from 0 up to 1,
    ``key`` a text that is unique. ``now`` is the time of day in seconds since the epoch: tokens expire by it, also
    while a machine sleeps. ``entropy`` returns as many random bytes as it is asked for.
    """

    clock: Callable[[], float] = time.monotonic
    random: Callable[[], float] = random.SystemRandom().random
    key: Callable[[], str] = _new_key
    now: Callable[[], float] = time.time
    entropy: Callable[[int], bytes] = os.urandom
