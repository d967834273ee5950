"""A pool whose places tasks wait for, in turn: a task that goes on at once would else take each place that it freed."""

from __future__ import annotations

from collections import deque

import anyio

from dynclient.transports.clock import Clock, Expired
from dynclient.transports.pool import Origin, Pool, PoolClosed, Pooled


class _Turn:
    """A task that waits. ``granted`` tells that a place was handed to it, which it has to use or to pass on."""

    def __init__(self) -> None:
        self.woken = anyio.Event()
        self.granted = False


class TaskPool(Pool):
    """Places and idle connections, shared by the tasks of an event loop; of another one when that has ended."""

    def _reset(self) -> None:
        super()._reset()
        self._waiting: dict[Origin, deque[_Turn]] = {}

    async def taken(self, origin: Origin, clock: Clock) -> Pooled | None:
        """Take a place, and an idle connection where a good one is there.

        Raises:
            Expired: no place became free in time, as the clock says.
            PoolClosed: the pool has been closed.
        """
        turn = None
        with self._lock:
            if self.closed:
                raise PoolClosed
            if self._full(origin):
                turn = _Turn()
                self._waiting.setdefault(origin, deque()).append(turn)
            else:
                self._used[origin] = self._used.get(origin, 0) + 1
        if turn is not None:
            await self._own_turn(origin, turn, clock)
        with self._lock:
            chosen, stale = self._chosen(origin)
        for connection in stale:
            connection.close()
        return chosen

    async def _own_turn(self, origin: Origin, turn: _Turn, clock: Clock) -> None:
        try:
            with anyio.move_on_after(clock.left()):
                await turn.woken.wait()
        except BaseException:
            self._pass_on(origin, turn)
            raise
        if self.closed or not turn.granted:
            self._pass_on(origin, turn)
            raise PoolClosed if self.closed else Expired

    def _pass_on(self, origin: Origin, turn: _Turn) -> None:
        with self._lock:
            if turn.granted:
                self._free(origin)
                return
            waiting = self._waiting.get(origin, deque())
            if turn in waiting:
                waiting.remove(turn)
            if not waiting:
                self._waiting.pop(origin, None)

    def _free(self, origin: Origin) -> None:
        waiting = self._waiting.get(origin)
        if not waiting:
            super()._free(origin)
            return
        turn = waiting.popleft()
        if not waiting:
            del self._waiting[origin]
        turn.granted = True
        turn.woken.set()

    def _wake_all(self) -> None:
        waiting, self._waiting = self._waiting, {}
        for turns in waiting.values():
            for turn in turns:
                turn.woken.set()
