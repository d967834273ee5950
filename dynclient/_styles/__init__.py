"""Parameters, headers and form fields: plain values <-> text, by location and style.

Rule 1: one table (:data:`STYLES`) serves both ways, and nothing here asks for a version of OpenAPI.
Rule 2: what goes out can't change the message it goes into: no path, header or cookie is broken by a value.
Rule 3: ``in: querystring`` and parameters with ``content`` are none of this room's business: a codec writes them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dynclient._deferred import deferred
from dynclient._styles.serialization import fields, serialize
from dynclient._styles.table import STYLES, Style
from dynclient._styles.texts import scalar

if TYPE_CHECKING:
    from dynclient._styles.deserialization import ABSENT, deserialize

__all__ = ["ABSENT", "STYLES", "Style", "deserialize", "fields", "scalar", "serialize"]

__getattr__ = deferred(__name__, {"deserialization": ("ABSENT", "deserialize")})
