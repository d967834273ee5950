"""Compare two documents of an API: the changes, and which of them break a Python caller.

:func:`compare` takes two APIs and returns :class:`Changes`. The table ``KINDS`` has the kinds with their severities.
"""

from __future__ import annotations

from dynclient.changes.comparison import compare
from dynclient.changes.kinds import ASPECTS, KINDS, SEVERITIES, SIDES, Aspect, Kind, Severity
from dynclient.changes.report import REPORTS, Change, Changes, Location

__all__ = [
    "ASPECTS", "KINDS", "REPORTS", "SEVERITIES", "SIDES", "Aspect", "Change", "Changes", "Kind", "Location",
    "Severity", "compare",
]  # fmt: skip
