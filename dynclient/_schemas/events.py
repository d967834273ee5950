"""Schemas of server-sent events: which part of an event they describe, and whether its data is JSON.

Rule 1: a schema that describes the fields of an event (``data``, ``event``, ``id``, ``retry``) describes the event (OAS
3.2, ``itemSchema``). Any other describes an event's data, which is then JSON: before 3.2 this was the only way, and
vendors use it.
Rule 2: the data of an event is JSON if its schema is not a string, or has a ``contentMediaType`` of JSON. A branch of
``oneOf`` or ``anyOf`` counts only for the types of events that it allows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from dynclient._records import Record
from dynclient._schemas.keywords import cache, keywords, target
from dynclient._schemas.shapes import Shape, branches, is_structured, shape
from dynclient.exceptions import DocumentError
from dynclient.media_types import find
from dynclient.model import MediaType, Schema

_FIELDS = frozenset({"data", "event", "id", "retry"})
_TELLING = frozenset({"data", "event"})
_MOST_SEARCHED = 200  # the number of schemas in which DONE is searched
DONE = "[DONE]"
"""The data of the last event of a stream of JSON; vendors send it, but no document describes it."""


class EventForm(Record):
    """The form of the events of a media type. ``is_data``: an item is only the data, read as JSON.

    ``events`` are the shapes that describe an event, and ``ends`` says whether ``[DONE]`` ends the stream.
    """

    is_data: bool = False
    events: tuple[Shape, ...] = ()
    ends: bool = False

    def is_json(self, event: Mapping[str, Any]) -> bool:
        """Whether the data of an event are JSON."""
        return self.is_data or any(map(_is_json, self._data_schemas(event)))

    def content_schema(self, event: Mapping[str, Any]) -> Schema | None:
        """The schema of the JSON in an event's data text, if there is one."""
        for schema in self._data_schemas(event):
            if "string" in shape(schema).types:
                return keywords(shape(schema).schema).one.get("contentSchema")
        return None

    def is_text(self, event: Mapping[str, Any]) -> bool:
        """Whether the schema describes the data of an event as text, which may hold JSON."""
        return any("string" in shape(schema).types for schema in self._data_schemas(event))

    def _data_schemas(self, event: Mapping[str, Any]) -> list[Schema]:
        """The schemas of the data of an event, those of branches first."""
        kind = event.get("event", "message")
        return [
            each.properties["data"] for each in reversed(self.events) if "data" in each.properties and _has(each, kind)
        ]


PLAIN_EVENTS = EventForm()


def event_form(media_type: MediaType | None) -> EventForm:
    """Return the form of the events of a media type; computed once for a schema."""
    schema = _item(media_type) if media_type is not None else None
    if schema is None:
        return PLAIN_EVENTS
    known = cache(schema.references, "events")
    if schema.uri not in known:
        try:
            known[schema.uri] = _form(schema)
        except DocumentError:
            known[schema.uri] = PLAIN_EVENTS
    found: EventForm = known[schema.uri]
    return found


def _item(media_type: MediaType) -> Schema | None:
    try:
        return media_type.item_schema or (shape(media_type.schema).items if media_type.schema is not None else None)
    except DocumentError:
        return None


def _form(schema: Schema) -> EventForm:
    shapes = branches(schema)
    described = [each for each in shapes if each.properties or each.required]
    events = [each for each in described if _describes_event(each)]
    types = frozenset[str]().union(*(each.types for each in shapes))
    if (described and not events) or (not described and types and not types & {"object", "string"}):
        return EventForm(is_data=True, ends=True)
    datas = [each.properties["data"] for each in events if "data" in each.properties]
    fixed = [value for each in datas for value in shape(each).fixed or ()]
    return EventForm(events=tuple(shapes), ends=any(map(_is_json, datas)) and DONE not in fixed)


def says_done(texts: Iterable[Any], schemas: Iterable[Schema]) -> bool:
    """Whether descriptions or examples of the document mention ``[DONE]``, in values and in referenced schemas."""
    waiting = list(schemas)
    seen: set[str] = set()
    if any(DONE in text for text, _ in _texts(list(texts))):
        return True
    while waiting and len(seen) < _MOST_SEARCHED:
        here = waiting.pop(0)
        if here.uri in seen:
            continue
        seen.add(here.uri)
        for text, is_reference in _texts(here.value):
            if is_reference:
                with suppress(DocumentError):
                    waiting.append(target(here, text))
            elif DONE in text:
                return True
    return False


def _texts(value: Any) -> Iterator[tuple[str, bool]]:
    """The texts in a value of the document, and whether each is a reference."""
    waiting = [(value, False)]
    while waiting:
        here, is_reference = waiting.pop()
        if isinstance(here, str):
            yield here, is_reference
        elif isinstance(here, Mapping):
            waiting += [(member, name == "$ref") for name, member in here.items()]
        elif isinstance(here, (list, tuple)):
            waiting += [(member, False) for member in here]


def _describes_event(seen: Shape) -> bool:
    names = seen.properties.keys() | seen.required
    return names <= _FIELDS and bool(names & _TELLING)


def _has(seen: Shape, kind: str) -> bool:
    """Whether a shape allows events of a type."""
    fixed = shape(seen.properties["event"]).fixed if "event" in seen.properties else None
    return not fixed or kind in fixed


def _is_json(schema: Schema) -> bool:
    seen = shape(schema)
    if seen.content_media_type is not None:
        return find(seen.content_media_type).name == "json"
    return is_structured(schema) or bool(seen.types and "string" not in seen.types)
