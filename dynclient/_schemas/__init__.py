"""The one room that understands Schema Objects.

A schema of any version is translated into JSON Schema 2020-12, a node at a time (``words``). From that come the two
views that the other rooms use: :func:`shape`, what a schema says of a value, and ``bundle``, a self-contained schema
to validate by.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dynclient._deferred import deferred
from dynclient._schemas.bundles import Bundle, bundle
from dynclient._schemas.discriminators import Discriminator
from dynclient._schemas.places import cache, child, component_name, follow
from dynclient._schemas.shapes import MISSING, Shape, XMLHints, is_binary, shape

if TYPE_CHECKING:
    from dynclient._schemas.texts import typed

__all__ = [
    "MISSING",
    "Bundle",
    "Discriminator",
    "Shape",
    "XMLHints",
    "bundle",
    "cache",
    "child",
    "component_name",
    "follow",
    "is_binary",
    "shape",
    "typed",
]

__getattr__ = deferred(__name__, {"texts": ("typed",)})
