"""One call, as a generator: it yields Send, Read or Sleep, is sent a Response (or None), and returns the result."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dynclient._call.budget import Budget
from dynclient._call.flow import Flow, Step, Terms, call, stream
from dynclient._call.idempotency import repeatable
from dynclient._call.observing import EVENTS, Hook, ReloadEvent
from dynclient._call.repeating import Chance
from dynclient._deferred import deferred

if TYPE_CHECKING:
    from dynclient._call.reconnecting import reconnect

__all__ = [
    "EVENTS",
    "Budget",
    "Chance",
    "Flow",
    "Hook",
    "ReloadEvent",
    "Step",
    "Terms",
    "call",
    "reconnect",
    "repeatable",
    "stream",
]

__getattr__ = deferred(__name__, {"reconnecting": ("reconnect",)})
