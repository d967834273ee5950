"""Where the document says what a bundle says."""

from __future__ import annotations

from contextlib import suppress

from dynclient._schemas import Bundle
from dynclient.exceptions import DocumentError, Place
from dynclient.model import References


def place_in(bundle: Bundle, references: References, pointer: str) -> Place | None:
    """The place in the document of what stands at a pointer in a bundle, or of the nearest thing around it."""
    uri = bundle.origin(pointer)
    while uri:
        with suppress(DocumentError):
            return Place(*references.place(uri))
        uri = uri.rpartition("/")[0] if "/" in uri.partition("#")[2] else ""
    return None
