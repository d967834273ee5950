"""The connection pool: a bounded number of connections for each origin, kept for the next request.

Rule 1: a connection is reused only if it has been idle for less time than servers commonly allow, and if nothing can be
read from it: an idle connection that is readable has ended, or has a response to no request.
Rule 2: places are given out in the order of the requests. A returned place goes to the first waiter, with its
connection. No other waiter is woken, and none can overtake.
Rule 3: slow work (checking and closing connections) is done outside the lock.
Rule 4: no place is lost by an interrupt (Ctrl-C). CPython raises it after a call or at a function's beginning, so a
place and its record of ownership change in adjacent statements that call nothing, or only C functions.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

from dynclient.exceptions import ArgumentError
from dynclient.transports.clock import Clock, DeadlineExceeded

# Node's servers close after 5 s of idleness: the shortest of the common ones.
IDLE_SECONDS = 4.0
IDLE_CONNECTIONS = 10
"""The number of idle connections per origin that stay open after a burst."""

Origin = tuple[str, str, int]


class Pooled(Protocol):
    """The interface of a pooled connection."""

    @property
    def is_connected(self) -> bool:
        """Whether it is open, with nothing to read from it."""

    def close(self) -> None:
        """Close it."""


class PoolClosed(Exception):
    """The pool has been closed."""


_TWO_LOOPS = "this AsyncClient is in use by another event loop, in another thread"


class Waiter:
    """A thread or task that waits for a place.

    ``granted`` is set when a place was handed over, with or without an idle ``connection``: use it, or pass it on.
    """

    granted = False
    connection: Pooled | None = None
    wake: Callable[[], None]
    """End the wait."""
    one_thread = False
    """Whether only the waiting thread may call ``wake``."""

    async def wait(self, seconds: float | None) -> None:
        """Wait until ``wake`` is called, for at most this many seconds."""
        raise NotImplementedError


class ThreadWaiter(Waiter):
    """A thread that waits."""

    def __init__(self) -> None:
        self._asleep = threading.Lock()
        self._asleep.acquire()
        self.wake = self._asleep.release

    async def wait(self, seconds: float | None) -> None:
        """Wait until ``wake`` is called, for at most this many seconds; this blocks."""
        self._asleep.acquire(timeout=-1 if seconds is None else min(seconds, threading.TIMEOUT_MAX))


class Lease:
    """The right to one place: ``is_held`` until it is given back; ``waiter`` is set during the wait."""

    is_held = False
    waiter: Waiter | None = None


T = TypeVar("T")
_Idle = dict[Origin, list[tuple[Pooled, float]]]


class Pool:
    """Places and idle connections, shared by threads, or by the tasks of one event loop after another."""

    def __init__(self, size: int, waiter: type[Waiter] = ThreadWaiter) -> None:
        """Make an empty pool of ``size`` connections to each origin, for which ``waiter`` waits."""
        self.size = size
        self._make_waiter = waiter
        self._reset()
        _POOLS.add(self)

    def _reset(self) -> None:
        # A body that is collected as garbage gives its place back at any point of this thread: during the pool's own
        # work, the place waits in `_returned`.
        self._lock = threading.RLock()
        self._busy = False
        self._returned: deque[tuple[Origin, Pooled | None]] = deque()
        self._idle: _Idle = {}
        self._used: dict[Origin, int] = {}
        self._waiting: dict[Origin, deque[Waiter]] = {}
        self._thread = 0
        self.closed = False

    async def take(self, origin: Origin, clock: Clock, lease: Lease) -> Pooled | None:
        """Take a place, and an idle connection if there is a usable one.

        After an error ``lease`` may still hold a place, or a waiter if it was interrupted: the caller gives up both.

        Raises:
            DeadlineExceeded: no place became free in time.
            PoolClosed: the pool has been closed.
            ArgumentError: the pool is used by two event loops at once.
        """
        try:
            idle, aged = self._alone(self._place, origin, lease)
            if lease.waiter is None:
                return self._usable(origin, idle, aged)
            await lease.waiter.wait(clock.left())
            return self._usable(origin, self._granted(lease))
        except BaseException:  # also an interrupt: the place is always given back
            self.leave_line(origin, lease)
            raise

    def _alone(self, work: Callable[..., T], *given: Any) -> T:
        """Run an action while nothing else changes the pool, including this thread."""
        with self._lock:
            self._busy = True
            try:
                return work(*given)
            finally:
                self._busy = False
                if self._returned:
                    self._settle()

    def _place(self, origin: Origin, lease: Lease) -> tuple[Pooled | None, Sequence[Pooled]]:
        """Take a free place, with an idle connection if there is one; else join the line of waiters.

        Returns the idle connection, and those that the caller has to close.
        """
        if self.closed:
            raise PoolClosed
        if self._make_waiter.one_thread:
            self._check_thread()
        used = self._used.get(origin, 0)
        if used >= self.size:
            lease.waiter = self._make_waiter()
            self._waiting.setdefault(origin, deque()).append(lease.waiter)
            return None, ()
        found = self._sorted_out(origin)
        self._used[origin] = used + 1
        lease.is_held = True
        return found

    def _check_thread(self) -> None:
        """Allow event loops one after the other, but not two at once, which can't wake each other's tasks."""
        here = threading.get_ident()
        if self._thread != here and self._used:
            raise ArgumentError(_TWO_LOOPS, hint="load() an AsyncClient for each event loop")
        self._thread = here

    def _granted(self, lease: Lease) -> Pooled | None:
        """Return the connection that a waiter was given, if any, when its wait is over."""
        waiter = lease.waiter
        if self.closed or waiter is None or not waiter.granted:
            raise PoolClosed if self.closed else DeadlineExceeded
        lease.waiter, lease.is_held = None, True
        return waiter.connection

    def leave_line(self, origin: Origin, lease: Lease) -> None:
        """Stop waiting, and give back a place that was granted meanwhile."""
        waiter = lease.waiter
        if waiter is None:
            return
        self._alone(self._forget, origin, waiter)
        lease.waiter, lease.is_held = None, waiter.granted
        if lease.is_held:
            self.give_back(origin, waiter.connection, lease)

    def _forget(self, origin: Origin, waiter: Waiter) -> None:
        waiting = self._waiting.get(origin, deque())
        if waiter in waiting:
            waiting.remove(waiter)
            if not waiting:
                del self._waiting[origin]

    def _usable(self, origin: Origin, connection: Pooled | None, aged: Sequence[Pooled] = ()) -> Pooled | None:
        """Return the connection if it is still usable, else another idle one that is, or None."""
        try:
            while True:
                for each in aged:
                    each.close()
                if connection is None or connection.is_connected:
                    return connection
                connection.close()
                connection, aged = self._alone(self._sorted_out, origin)
        except BaseException:  # also an interrupt: no other code has the connection
            if connection is not None:
                connection.close()
            raise

    def _sorted_out(self, origin: Origin) -> tuple[Pooled | None, Sequence[Pooled]]:
        """Remove the most recently used idle connection, and those of any origin that are too old."""
        aged = self._aged()
        idle = self._idle.get(origin)
        if not idle:
            return None, aged
        chosen, _ = idle.pop()
        if not idle:
            del self._idle[origin]
        return chosen, aged

    def give_back(self, origin: Origin, connection: Pooled | None, lease: Lease) -> None:
        """Give the lease's place back, and the connection if it can be used again."""
        returned = self._returned.append
        lease.is_held = False
        returned((origin, connection))
        self._settle()

    def _settle(self) -> None:
        """Pass on the returned places and connections."""
        refused = []
        with self._lock:
            while self._returned and not self._busy:
                self._busy = True
                try:
                    refused.append(self._free(*self._returned[0]))
                finally:
                    self._busy = False
        for connection in refused:
            if connection is not None:
                connection.close()

    def _free(self, origin: Origin, connection: Pooled | None) -> Pooled | None:
        """Give the first returned place and connection to a waiter; return a connection that has to be closed."""
        waiting = self._waiting.get(origin)
        if waiting:
            waiter = waiting[0]
            del self._returned[0], waiting[0]
            waiter.connection, waiter.granted = connection, True
            waiter.wake()
            if not waiting:
                del self._waiting[origin]
            return None
        used = self._used.get(origin, 1) - 1
        del self._returned[0]
        if used > 0:
            self._used[origin] = used
        else:
            self._used.pop(origin, None)
        if connection is None or self.closed:
            return connection
        idle = self._idle.setdefault(origin, [])
        idle.append((connection, time.monotonic()))
        return idle.pop(0)[0] if len(idle) > IDLE_CONNECTIONS else None

    def _aged(self) -> list[Pooled]:
        """Remove connections that have been idle too long, of all origins: an unused origin would keep its own."""
        oldest = time.monotonic() - IDLE_SECONDS
        for pairs in self._idle.values():
            # Idle connections are in the order in which they were given back.
            if not pairs or pairs[0][1] < oldest:
                break
        else:
            return []
        aged = [connection for pairs in self._idle.values() for connection, since in pairs if since < oldest]
        kept = {origin: [pair for pair in pairs if pair[1] >= oldest] for origin, pairs in self._idle.items()}
        self._idle = {origin: pairs for origin, pairs in kept.items() if pairs}
        return aged

    def close(self) -> None:
        """Close idle connections, and refuse further places."""
        idle, waiting = self._alone(self._emptied)
        for waiters in waiting.values():
            for waiter in waiters:
                waiter.wake()
        for connections in idle.values():
            for connection, _ in connections:
                connection.close()

    def _emptied(self) -> tuple[_Idle, dict[Origin, deque[Waiter]]]:
        idle, self._idle = self._idle, {}
        waiting, self._waiting = self._waiting, {}
        self.closed = True
        return idle, waiting

    def __del__(self) -> None:
        for connections in self._idle.values():
            for connection, _ in connections:
                connection.close()

    def after_fork(self) -> None:
        """Drop the parent process's sockets, and a lock that another thread may have held."""
        idle, closed = self._idle, self.closed
        self._reset()
        self.closed = closed
        for connections in idle.values():
            for connection, _ in connections:
                # Closing sends nothing to the server: close_notify is only sent explicitly.
                connection.close()


_POOLS: weakref.WeakSet[Pool] = weakref.WeakSet()


def _after_fork() -> None:
    for pool in tuple(_POOLS):
        pool.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
