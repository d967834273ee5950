"""Overlays: a list of actions (Overlay Specification 1.0 and 1.1) that change a document before it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dynclient._deferred import deferred

if TYPE_CHECKING:
    from dynclient._overlays.application import ActionResult, Applied, Origin, apply
    from dynclient._overlays.overlay import Action, Overlay, read_overlay

__all__ = ["Action", "ActionResult", "Applied", "Origin", "Overlay", "apply", "read_overlay"]

__getattr__ = deferred(
    __name__,
    {
        "application": ("ActionResult", "Applied", "Origin", "apply"),
        "overlay": ("Action", "Overlay", "read_overlay"),
    },
)
