"""Schema Objects: the only package that interprets them.

A schema of any version is translated to JSON Schema 2020-12, one node at a time (``keywords``). Other packages use two
views: :func:`shape`, a description of the values, and :func:`bundle`, a self-contained schema for validation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dynclient._deferred import deferred
from dynclient._schemas.bundles import SchemaBundle, bundle
from dynclient._schemas.discriminators import Discriminator
from dynclient._schemas.keywords import cache, child, component_name, follow, location_at, members
from dynclient._schemas.shapes import (
    Shape,
    XMLHints,
    applied,
    bases,
    branches,
    is_binary,
    is_structured,
    joined,
    shape,
)
from dynclient.json_pointer import MISSING

if TYPE_CHECKING:
    from dynclient._schemas.events import DONE, EventForm, event_form, says_done
    from dynclient._schemas.text_values import ValueWalk, from_text, read, read_json, settled, typed

__all__ = [
    "DONE", "MISSING", "Discriminator", "EventForm", "SchemaBundle", "Shape", "ValueWalk", "XMLHints", "applied",
    "bases", "branches", "bundle", "cache", "child", "component_name", "event_form", "follow", "from_text", "is_binary",
    "is_structured", "joined", "location_at", "members", "read", "read_json", "says_done", "settled", "shape", "typed",
]  # fmt: skip

__getattr__ = deferred(
    __name__,
    {
        "events": ("DONE", "EventForm", "event_form", "says_done"),
        "text_values": ("ValueWalk", "from_text", "read", "read_json", "settled", "typed"),
    },
)
