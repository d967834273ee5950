"""Documents: from a path, a URL, text, bytes or a mapping to a plain tree, and from a ``$ref`` to what it leads to."""

from __future__ import annotations

from dynclient._document.cache import Cache, cache_of
from dynclient._document.pointers import at, join
from dynclient._document.references import Document, open_document
from dynclient._document.source import local_path

__all__ = ["Cache", "Document", "at", "cache_of", "join", "local_path", "open_document"]
