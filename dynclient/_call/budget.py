"""What a client may still spend on repeating, for each origin.

A server in trouble is made worse by clients that repeat. So each repetition is paid, and only answers give tokens back:
while all is well nobody notices, and when an origin answers nothing but errors its clients soon send each call once.
"""

from __future__ import annotations

import os
import threading
import weakref

Origin = tuple[str, str, int]

TRANSIENT = 14
THROTTLED = 5
SUCCESS = 1


class Budget:
    """The tokens that were spent, by origin. Threads and the clients of one document share it."""

    def __init__(self) -> None:
        """Begin with nothing spent."""
        self._renew()
        _BUDGETS.add(self)

    def _renew(self) -> None:
        self._lock = threading.Lock()
        self._spent: dict[Origin, int] = {}

    def spend(self, origin: Origin, cost: int, limit: int) -> bool:
        """Take tokens, and tell whether there were enough of them."""
        with self._lock:
            spent = self._spent.get(origin, 0) + cost
            if spent > limit:
                return False
            self._spent[origin] = spent
        return True

    def give_back(self, origin: Origin, tokens: int) -> None:
        """Give tokens back."""
        # Nothing was spent, in nearly every call: a look needs no lock.
        if origin not in self._spent:
            return
        with self._lock:
            left = self._spent.get(origin, 0) - tokens
            if left > 0:
                self._spent[origin] = left
            else:
                self._spent.pop(origin, None)


_BUDGETS: weakref.WeakSet[Budget] = weakref.WeakSet()


def _after_fork() -> None:
    for budget in tuple(_BUDGETS):
        budget._renew()  # noqa: SLF001  # of this module


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
