"""Readers convert a document to the model, so that no other package depends on the version of OpenAPI.

``read`` finds the version and the list of operations; ``API.read`` reads the operation of one row. The readers are
loaded at their first use, since a cached list needs none of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dynclient._deferred import deferred

if TYPE_CHECKING:
    from dynclient._readers.api import READERS, read
    from dynclient._readers.checking import check, misspelt
    from dynclient._readers.listings import Listing, listed, noted

__all__ = ["READERS", "Listing", "check", "listed", "misspelt", "noted", "read"]

__getattr__ = deferred(
    __name__,
    {
        "checking": ("check", "misspelt"),
        "listings": ("Listing", "listed", "noted"),
        "api": ("READERS", "read"),
    },
)
