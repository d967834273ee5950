"""One call, as a generator: it yields the steps Send, Read and Sleep, and returns the result."""

from __future__ import annotations

from dynclient._call.flow import Flow, Step, call
from dynclient._call.instrumentation import Hook, ReloadEvent
from dynclient._call.retry import Budget, is_repeatable, with_key

__all__ = ["Budget", "Flow", "Hook", "ReloadEvent", "Step", "call", "is_repeatable", "with_key"]
