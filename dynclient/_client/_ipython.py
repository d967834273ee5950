"""IPython may look at a client's attributes while it completes.

Its completer evaluates no attribute of a class that has ``__getattr__``, since that could do anything. A client's makes
a method and does nothing else, so the classes are added to IPython's list of those that are safe.
"""

from __future__ import annotations

import sys


def allow_completion(*classes: type) -> None:
    """Tell IPython, where it runs, that attributes of these classes can be looked at without effect."""
    guarded = sys.modules.get("IPython.core.guarded_eval")
    if guarded is None:
        return
    for policy in getattr(guarded, "EVALUATION_POLICIES", {}).values():
        allowed = getattr(policy, "allowed_getattr", None)
        if isinstance(allowed, set):
            allowed.update(classes)
