"""A pool whose places tasks wait for."""

from __future__ import annotations

import anyio

from dynclient.transports.clock import Clock
from dynclient.transports.pool import Origin, Pool, Pooled, Turn


class _TaskTurn(Turn):
    """A task that waits."""

    def __init__(self) -> None:
        self._woken = anyio.Event()

    async def wait(self, seconds: float | None) -> None:
        with anyio.move_on_after(seconds):
            await self._woken.wait()

    def wake(self) -> None:
        self._woken.set()


class TaskPool(Pool):
    """Places and idle connections, shared by the tasks of an event loop; of another one when that has ended."""

    async def taken(self, origin: Origin, clock: Clock) -> Pooled | None:
        """Take a place, and an idle connection where a good one is there.

        Raises:
            Expired: no place became free in time, as the clock says.
            PoolClosed: the pool has been closed.
        """
        turn, idle, aged = self._alone(self._place, origin, _TaskTurn)
        if turn is None:
            return self._good(origin, idle, aged)
        try:
            await turn.wait(clock.left())
        except BaseException:
            self._pass_on(origin, turn)
            raise
        return self._granted(origin, turn)
