"""From whatever a person calls a document to an API: source, document, reader.

The way by the compiled form of a document, once there is one, begins and ends in :func:`load` too.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dynclient._document import open_document
from dynclient._readers import read
from dynclient.model import API
from dynclient.options import Limits
from dynclient.transports import Transport


def load(
    source: Any, *, limits: Limits = Limits(), references: Iterable[str] = (), transport: Transport | None = None
) -> API:
    """Load a document as far as the list of its operations.

    ``source`` is a path, a URL, text, bytes, a file object or a mapping. ``references`` are the origins or URL prefixes
    that a ``$ref`` may lead to beside the document's own place.

    Raises:
        DocumentError: it can't be had, or can't be read.
    """
    return read(open_document(source, limits=limits, references=references, transport=transport))
