"""The list of a document's operations where the cache has it: the document is neither read nor opened.

For a shell, that lists and completes in the time that others take to be loaded.
"""

from __future__ import annotations

from dynclient._document import kept_listing
from dynclient._readers.listings import Kept, kept


def listed(word: str) -> Kept | None:
    """The list of a local file's operations; None where it is not known yet, and the document has to be loaded."""
    # What a caller may give for a document and is no path has one of these in it.
    if ":" in word or "\n" in word or word[:1] in {"{", "[", "<", "%"}:
        return None
    return kept(kept_listing(word))
