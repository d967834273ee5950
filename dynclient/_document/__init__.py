"""Documents: from a path, a URL, text, bytes or a mapping to a plain tree, and from a ``$ref`` to what it leads to."""

from __future__ import annotations

from dynclient._document.pointers import at, join
from dynclient._document.references import Document, open_document

__all__ = ["Document", "at", "join", "open_document"]
