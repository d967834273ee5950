"""Load documents: read a path, URL, text, bytes or mapping to a plain tree, and resolve ``$ref``.

Modules are loaded at their first use, since a cached list of operations needs few of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dynclient._deferred import deferred

if TYPE_CHECKING:
    from dynclient._document.cache import Cache, cache_of, cached_listing
    from dynclient._document.overlays import Overlays, read_overlays
    from dynclient._document.references import Document, open_document
    from dynclient._document.source import is_url, local_path

__all__ = [
    "Cache", "Document", "Overlays", "cache_of", "cached_listing", "is_url", "local_path", "open_document",
    "read_overlays",
]  # fmt: skip

__getattr__ = deferred(
    __name__,
    {
        "cache": ("Cache", "cache_of", "cached_listing"),
        "overlays": ("Overlays", "read_overlays"),
        "references": ("Document", "open_document"),
        "source": ("is_url", "local_path"),
    },
)
