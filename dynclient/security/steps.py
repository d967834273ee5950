"""What a credential asks of the call that it is for.

A credential that has to be fetched is a generator, as the call is: it yields Send, Sleep or Run, and is sent what they
bring. The call's own rules hold for what it sends: its deadline, its retries, its limits.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, Protocol, TypeVar

from dynclient.messages import Request, Run, Send, Sleep
from dynclient.options import Limits, Timeout

T = TypeVar("T")

Steps = Generator[Send | Sleep | Run, Any, T]


class World(Protocol):
    """What is known of the world: a monotonic clock, the time of day (both in seconds), and random bytes."""

    @property
    def clock(self) -> Callable[[], float]:
        """A monotonic clock."""

    @property
    def now(self) -> Callable[[], float]:
        """Seconds since the epoch: what tokens expire by, also while a machine sleeps."""

    @property
    def entropy(self) -> Callable[[int], bytes]:
        """So many bytes that nobody can guess."""


class Way:
    """The time and the limits of one call. Its deadline moves only where a person has to be waited for."""

    __slots__ = ("_timeout", "deadline", "limits", "world")

    def __init__(self, world: World, timeout: Timeout, limits: Limits, deadline: float | None) -> None:
        """Take the call's terms; ``deadline`` is a reading of the clock, or None."""
        self.world = world
        self.limits = limits
        self.deadline = deadline
        self._timeout = timeout

    def send(self, request: Request) -> Send:
        """The step that sends a request within the call's time."""
        return Send(request, self._timeout, self.limits, self.deadline)

    def wait_for_a_person(self, seconds: float) -> None:
        """Give the call that much time from now."""
        self.deadline = self.world.clock() + seconds

    def begin_anew(self) -> None:
        """Count the call's time from now."""
        total = self._timeout.total
        self.deadline = self.world.clock() + total if total is not None else None
