"""A pool whose places tasks wait for."""

from __future__ import annotations

import anyio

from dynclient.transports.clock import Clock
from dynclient.transports.pool import Holder, Origin, Pool, Pooled, Turn


class _TaskTurn(Turn):
    """A task that waits."""

    def __init__(self) -> None:
        self._woken = anyio.Event()
        self.wake = self._woken.set

    async def wait(self, seconds: float | None) -> None:
        with anyio.move_on_after(seconds):
            await self._woken.wait()


class TaskPool(Pool):
    """Places and idle connections, shared by the tasks of an event loop; of another one when that has ended."""

    async def taken(self, origin: Origin, clock: Clock, holder: Holder) -> Pooled | None:
        """Take a place, and an idle connection where a good one is there.

        Whatever is raised, ``holder`` may hold a place: it gives it back.

        Raises:
            Expired: no place became free in time, as the clock says.
            PoolClosed: the pool has been closed.
        """
        try:
            idle, aged = self._alone(self._place, origin, _TaskTurn, holder)
            if holder.turn is None:
                return self._good(origin, idle, aged)
            await holder.turn.wait(clock.left())
            return self._good(origin, self._granted(holder))
        except BaseException:  # also an interrupt: whatever ends this, the place is given back
            self.leave_line(origin, holder)
            raise
