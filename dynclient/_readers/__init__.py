"""Reading a document into the model: the only room that knows a version from another.

``read`` finds the version and stops at the list of operations; ``API.read`` makes an Operation of one row. Whoever only
lists operations that were listed before needs no reader: they are loaded when they are first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dynclient._deferred import deferred

if TYPE_CHECKING:
    from dynclient._readers.api import READERS, read
    from dynclient._readers.checking import check
    from dynclient._readers.fields import misspelt
    from dynclient._readers.listings import Listing, listed, noted

__all__ = ["READERS", "Listing", "check", "listed", "misspelt", "noted", "read"]

__getattr__ = deferred(
    __name__,
    {
        "checking": ("check",),
        "listings": ("Listing", "listed", "noted"),
        "fields": ("misspelt",),
        "api": ("READERS", "read"),
    },
)
