"""One call, as a generator: it yields Send, Read or Sleep, is sent a Response (or None), and returns the result."""

from __future__ import annotations

from dynclient._call.flow import Flow, Step, call
from dynclient._call.instrumentation import Hook, ReloadEvent
from dynclient._call.retry import Budget, is_repeatable, with_key

__all__ = ["Budget", "Flow", "Hook", "ReloadEvent", "Step", "call", "is_repeatable", "with_key"]
