"""One call, as a generator: it yields Send or Sleep, is sent a Response (or None), and returns the result."""

from __future__ import annotations

from dynclient._call.flow import Flow, Step, call
from dynclient._call.repeating import Chance

__all__ = ["Chance", "Flow", "Step", "call"]
