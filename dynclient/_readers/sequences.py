"""Sequential media types in versions that have no ``itemSchema``.

Rule: ``schema`` is that of the whole, an array. Authors of older documents, who could say nothing of an item, put the
item's schema there; an object can't be the whole of a sequence, so there it is taken for the item's.
"""

from __future__ import annotations

from dynclient._schemas import shape
from dynclient.exceptions import DocumentError
from dynclient.media_types import find
from dynclient.model import MediaType


def with_items(media_type: MediaType) -> MediaType:
    """The media type, its schema that of its items where it can't be another's."""
    kind = find(media_type.media_range)
    # The schema of a stream of events describes what their data hold, more often than the events themselves.
    if not kind.sequential or kind.codec == "events" or media_type.schema is None or media_type.item_schema is not None:
        return media_type
    try:
        is_object = shape(media_type.schema).types == {"object"}
    except DocumentError:
        return media_type
    return media_type._replace(schema=None, item_schema=media_type.schema) if is_object else media_type
