"""Connections that wait to be used again: a bounded number for each origin.

A connection is used again only if it has been idle for less than servers commonly allow, and if nothing is there to be
read from it: bytes on an idle connection are its end, or an answer that nobody asked for.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from typing import Protocol

from dynclient.transports.clock import Clock

# Node's servers close after 5 s of idleness: the shortest of the common ones.
IDLE_SECONDS = 4.0

Origin = tuple[str, str, int]


class Pooled(Protocol):
    """What a pool asks of a connection."""

    @property
    def is_connected(self) -> bool:
        """Whether it is open, with nothing to be read from it."""

    def close(self) -> None:
        """Close it."""


class PoolClosed(Exception):
    """The pool has been closed."""


class Pool:
    """Places and idle connections, shared by threads."""

    def __init__(self, size: int) -> None:
        """Take how many connections an origin may have."""
        self._size = size
        self._reset()
        _POOLS.add(self)

    def _reset(self) -> None:
        # A body that is collected as garbage gives its place back, in whatever this thread is about to do.
        self._lock = threading.RLock()
        # One for each origin, so that a place that becomes free wakes one who waits for it, and nobody else.
        self._freed: dict[Origin, threading.Condition] = {}
        self._idle: dict[Origin, list[tuple[Pooled, float]]] = {}
        self._used: dict[Origin, int] = {}
        self.closed = False

    def take(self, origin: Origin, clock: Clock) -> Pooled | None:
        """Take a place, and an idle connection where a good one is there.

        Raises:
            Expired: no place became free in time, as the clock says.
            PoolClosed: the pool has been closed.
        """
        with self._lock:
            if self.closed or self._full(origin):
                self._await_place(origin, clock)
            self._used[origin] = self._used.get(origin, 0) + 1
            chosen, stale = self._chosen(origin)
        for connection in stale:
            connection.close()
        return chosen

    def _full(self, origin: Origin) -> bool:
        return self._used.get(origin, 0) >= self._size

    def _chosen(self, origin: Origin) -> tuple[Pooled | None, list[Pooled]]:
        """Choose an idle connection for who has a place; tell which are no good any more, of any origin."""
        chosen, rest, stale = _sorted_out(self._idle.pop(origin, []))
        if rest:
            self._idle[origin] = rest
        return chosen, stale + self._aged()

    def _await_place(self, origin: Origin, clock: Clock) -> None:
        freed = self._freed.setdefault(origin, threading.Condition(self._lock))
        try:
            while not self.closed and self._full(origin):
                # Where no time is left, the clock says so.
                freed.wait(clock.left())
        except BaseException:
            # Who gives up may have been the one that was woken: the next one has to be.
            freed.notify()
            raise
        if self.closed:
            raise PoolClosed

    def give_back(self, origin: Origin, connection: Pooled | None) -> None:
        """Give the place back, and the connection where it can be used again."""
        with self._lock:
            if connection is not None and not self.closed:
                self._idle.setdefault(origin, []).append((connection, time.monotonic()))
                connection = None
            self._free(origin)
        if connection is not None:
            connection.close()

    def _free(self, origin: Origin) -> None:
        """Let somebody else have the place."""
        used = self._used.get(origin, 1) - 1
        if used > 0:
            self._used[origin] = used
        else:
            self._used.pop(origin, None)
        if origin in self._freed:
            self._freed[origin].notify()

    def _aged(self) -> list[Pooled]:
        """Take out what has been idle too long, of any origin: one that is never asked again would keep its own."""
        oldest = time.monotonic() - IDLE_SECONDS
        aged = [pair for connections in self._idle.values() for pair in connections if pair[1] < oldest]
        if aged:
            kept = {origin: [pair for pair in pairs if pair[1] >= oldest] for origin, pairs in self._idle.items()}
            self._idle = {origin: pairs for origin, pairs in kept.items() if pairs}
        return [connection for connection, _ in aged]

    def close(self) -> None:
        """Close what is idle, and refuse further places."""
        with self._lock:
            idle, self._idle = self._idle, {}
            self.closed = True
            self._wake_all()
        for connections in idle.values():
            for connection, _ in connections:
                connection.close()

    def _wake_all(self) -> None:
        for freed in self._freed.values():
            freed.notify_all()

    def __del__(self) -> None:
        for connections in self._idle.values():
            for connection, _ in connections:
                connection.close()

    def after_fork(self) -> None:
        """Let go of what belongs to the parent process: its sockets, and a lock that another thread may have held."""
        idle, closed = self._idle, self.closed
        self._reset()
        self.closed = closed
        for connections in idle.values():
            for connection, _ in connections:
                # Closing says nothing to the server: TLS's farewell is only sent when it is asked for.
                connection.close()


def _sorted_out(
    candidates: list[tuple[Pooled, float]],
) -> tuple[Pooled | None, list[tuple[Pooled, float]], list[Pooled]]:
    """Choose the connection that was used last; tell which stay, and which are no good any more."""
    oldest = time.monotonic() - IDLE_SECONDS
    stale = [connection for connection, since in candidates if since < oldest]
    fresh = [candidate for candidate in candidates if candidate[1] >= oldest]
    while fresh:
        connection, _ = fresh.pop()
        if connection.is_connected:
            return connection, fresh, stale
        stale.append(connection)
    return None, [], stale


_POOLS: weakref.WeakSet[Pool] = weakref.WeakSet()


def _after_fork() -> None:
    for pool in tuple(_POOLS):
        pool.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
