"""Connections that wait to be used again: a bounded number for each origin.

Rule 1: a connection is used again only if it has been idle for less than servers commonly allow, and if nothing is
there to be read from it: bytes on an idle connection are its end, or an answer that nobody asked for.
Rule 2: who waits for a place has it in turn. A place that is given back is handed to who has waited longest, with its
connection; nobody else is woken, and who comes later can't be first.
Rule 3: what takes time, looking at a connection and closing it, is not done while others have to wait for it.
Rule 4: no place is lost where somebody interrupts a program (Ctrl-C). Python raises that after a call or at a
function's beginning, so that a place and the note of who has it change in statements that follow each other and call
nothing, or at last something written in C.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

from dynclient.transports.clock import Clock, Expired

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


class Turn:
    """Who waits for a place.

    ``granted`` tells that one was handed to it, with an idle ``connection`` or without: to be used, or passed on.
    """

    granted = False
    connection: Pooled | None = None
    wake: Callable[[], None]
    """End its wait."""


class Holder:
    """Who takes a place: it ``holds_place`` from then on until it gives it back, or has a ``turn`` while it waits."""

    holds_place = False
    turn: Any = None


class ThreadTurn(Turn):
    """A thread that waits."""

    def __init__(self) -> None:
        """Nobody has woken it yet."""
        self._asleep = threading.Lock()
        self._asleep.acquire()
        self.wake = self._asleep.release

    def wait(self, seconds: float | None) -> None:
        """Wait until it is woken, or for so long."""
        self._asleep.acquire(timeout=-1 if seconds is None else min(seconds, threading.TIMEOUT_MAX))


T = TypeVar("T")
_Idle = dict[Origin, list[tuple[Pooled, float]]]


class Pool:
    """Places and idle connections, shared by threads."""

    def __init__(self, size: int) -> None:
        """Take how many connections an origin may have."""
        self._size = size
        self._reset()
        _POOLS.add(self)

    def _reset(self) -> None:
        # A body that is collected as garbage gives its place back in whatever this thread is about to do: within the
        # pool's own work, it waits in `_returned` until that is done.
        self._lock = threading.RLock()
        self._busy = False
        self._returned: deque[tuple[Origin, Pooled | None]] = deque()
        self._idle: _Idle = {}
        self._used: dict[Origin, int] = {}
        self._waiting: dict[Origin, deque[Turn]] = {}
        self.closed = False

    def take(self, origin: Origin, clock: Clock, holder: Holder) -> Pooled | None:
        """Take a place, and an idle connection where a good one is there.

        Whatever is raised, ``holder`` may hold a place, or have a turn where it was interrupted: it gives up both.

        Raises:
            Expired: no place became free in time, as the clock says.
            PoolClosed: the pool has been closed.
        """
        try:
            idle, aged = self._alone(self._place, origin, ThreadTurn, holder)
            if holder.turn is None:
                return self._good(origin, idle, aged)
            holder.turn.wait(clock.left())
            return self._good(origin, self._granted(holder))
        except BaseException:  # also an interrupt: whatever ends this, the place is given back
            self.leave_line(origin, holder)
            raise

    def _alone(self, work: Callable[..., T], *given: Any) -> T:
        """Do something while nobody else touches what is held, be it in this thread."""
        with self._lock:
            self._busy = True
            try:
                return work(*given)
            finally:
                self._busy = False
                if self._returned:
                    self._settle()

    def _place(
        self, origin: Origin, make: Callable[[], Turn], holder: Holder
    ) -> tuple[Pooled | None, Sequence[Pooled]]:
        """Take a free place, with an idle connection; where there is no place, stand in line for one.

        Which connections are to be closed is told too.
        """
        if self.closed:
            raise PoolClosed
        used = self._used.get(origin, 0)
        if used >= self._size:
            holder.turn = make()
            self._waiting.setdefault(origin, deque()).append(holder.turn)
            return None, ()
        found = self._sorted_out(origin)
        self._used[origin] = used + 1
        holder.holds_place = True
        return found

    def _granted(self, holder: Holder) -> Pooled | None:
        """What a turn has brought, when its wait is over."""
        turn = holder.turn
        if self.closed or not turn.granted:
            raise PoolClosed if self.closed else Expired
        holder.turn, holder.holds_place = None, True
        connection: Pooled | None = turn.connection
        return connection

    def leave_line(self, origin: Origin, holder: Holder) -> None:
        """Give up a turn, if there is one, and what it may have been handed meanwhile."""
        turn = holder.turn
        if turn is None:
            return
        self._alone(self._forget, origin, turn)
        holder.turn, holder.holds_place = None, turn.granted
        if holder.holds_place:
            self.give_back(origin, turn.connection, holder)

    def _forget(self, origin: Origin, turn: Turn) -> None:
        waiting = self._waiting.get(origin, deque())
        if turn in waiting:
            waiting.remove(turn)
            if not waiting:
                del self._waiting[origin]

    def _good(self, origin: Origin, connection: Pooled | None, aged: Sequence[Pooled] = ()) -> Pooled | None:
        """The connection, if it is still good, or another idle one that is; for who has a place."""
        try:
            while True:
                for each in aged:
                    each.close()
                if connection is None or connection.is_connected:
                    return connection
                connection.close()
                connection, aged = self._alone(self._sorted_out, origin)
        except BaseException:  # also an interrupt: nobody else knows of the connection
            if connection is not None:
                connection.close()
            raise

    def _sorted_out(self, origin: Origin) -> tuple[Pooled | None, Sequence[Pooled]]:
        """Take out the idle connection that was used last, and those that are too old, of any origin."""
        aged = self._aged()
        idle = self._idle.get(origin)
        if not idle:
            return None, aged
        chosen, _ = idle.pop()
        if not idle:
            del self._idle[origin]
        return chosen, aged

    def give_back(self, origin: Origin, connection: Pooled | None, holder: Holder) -> None:
        """Give the holder's place back, and the connection where it can be used again."""
        returned = self._returned.append
        holder.holds_place = False
        returned((origin, connection))
        self._settle()

    def _settle(self) -> None:
        """Hand on what was given back."""
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
        """Let somebody else have what was given back first: place and connection; return one that nobody may have."""
        waiting = self._waiting.get(origin)
        if waiting:
            turn = waiting[0]
            del self._returned[0], waiting[0]
            turn.connection, turn.granted = connection, True
            turn.wake()
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
        self._idle.setdefault(origin, []).append((connection, time.monotonic()))
        return None

    def _aged(self) -> list[Pooled]:
        """Take out what has been idle too long, of any origin: one that is never asked again would keep its own."""
        oldest = time.monotonic() - IDLE_SECONDS
        for pairs in self._idle.values():
            # They are in the order in which they were given back.
            if not pairs or pairs[0][1] < oldest:
                break
        else:
            return []
        aged = [connection for pairs in self._idle.values() for connection, since in pairs if since < oldest]
        kept = {origin: [pair for pair in pairs if pair[1] >= oldest] for origin, pairs in self._idle.items()}
        self._idle = {origin: pairs for origin, pairs in kept.items() if pairs}
        return aged

    def close(self) -> None:
        """Close what is idle, and refuse further places."""
        idle, waiting = self._alone(self._emptied)
        for turns in waiting.values():
            for turn in turns:
                turn.wake()
        for connections in idle.values():
            for connection, _ in connections:
                connection.close()

    def _emptied(self) -> tuple[_Idle, dict[Origin, deque[Turn]]]:
        idle, self._idle = self._idle, {}
        waiting, self._waiting = self._waiting, {}
        self.closed = True
        return idle, waiting

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


_POOLS: weakref.WeakSet[Pool] = weakref.WeakSet()


def _after_fork() -> None:
    for pool in tuple(_POOLS):
        pool.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
