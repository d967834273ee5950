"""What changed between two documents of an API, and what of it breaks a Python caller.

:func:`compare` takes two APIs and returns :class:`Changes`. Kinds and their severities are the table ``KINDS``.
"""

from __future__ import annotations

from dynclient.changes.comparison import compare
from dynclient.changes.kinds import ASPECTS, KINDS, SEVERITIES, SIDES, Aspect, Kind, Severity
from dynclient.changes.reports import REPORTS
from dynclient.changes.values import Change, Changes, Spot

__all__ = [
    "ASPECTS",
    "KINDS",
    "REPORTS",
    "SEVERITIES",
    "SIDES",
    "Aspect",
    "Change",
    "Changes",
    "Kind",
    "Severity",
    "Spot",
    "compare",
]
