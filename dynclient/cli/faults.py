"""Every fault of a document, as far as it can be told: what can't be read, what makes no sense, what breaks itself.

Rule 1: what the readers find is told first, then every schema that an operation or the document names is made ready to
validate by, then every example and default is held to its schema.
Rule 2: members that OpenAPI does not know are warnings: a call can be made all the same.
Rule 3: making a schema ready stops at its first fault: one that is faulty is gone into, to find the others below it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Literal

from dynclient._document import Document
from dynclient._readers import check, misspelt
from dynclient._records import Record
from dynclient._schemas import MISSING, follow, is_binary, shape
from dynclient._validation import validator
from dynclient.exceptions import DocumentError, Place, UnsafeDocument
from dynclient.json_pointer import escape
from dynclient.model import API, Example, Header, MediaType, Operation, Parameter, Schema

Direction = Literal["request", "response"]
_DEEPEST = 64


class Found(Record):
    """A fault, and where it is; or what may be one, which is a warning."""

    message: str
    place: Place | None
    warning: bool = False

    def __str__(self) -> str:
        """As compilers write it: file, line, what is there, and what is wrong with it."""
        message = f"warning: {self.message}" if self.warning else self.message
        if self.place is None:
            return message
        line = f":{self.place.line}" if self.place.line is not None else ""
        return f"{self.place.document}{line}: #{self.place.pointer}: {message}"

    def as_data(self) -> dict[str, Any]:
        """The same as a mapping."""
        place = self.place or Place("", "")
        severity = "warning" if self.warning else "fault"
        return {
            "document": place.document,
            "line": place.line,
            "pointer": place.pointer,
            "severity": severity,
            "message": self.message,
        }


def of(error: DocumentError, *, warning: bool = False) -> Found:
    """An error as a fault."""
    message = " ".join(error.message.split())
    # Who reads a document's text says of which one; that is told before the message, too.
    told = message.removeprefix(f"{error.place.document}: ") if error.place is not None else message
    return Found(told, error.place, warning)


def faults(api: API) -> list[Found]:
    """The faults of a document and what may be some, each once, in the order of its lines."""
    seen = _broken(api)
    if not seen:
        seen = dict.fromkeys([*map(of, api.faults), *_Search(api).all()])
        # Other files have been read by now.
        seen |= _broken(api)
    return sorted(seen, key=lambda found: (found.place.document, found.place.line or 0) if found.place else ("", 0))


def _broken(api: API) -> dict[Found, None]:
    """What keeps parts of the text from being read; of such a document nothing else is told."""
    return dict.fromkeys(map(of, api.references.broken())) if isinstance(api.references, Document) else {}


class _Search:
    """Goes through a document once."""

    def __init__(self, api: API) -> None:
        self._api = api
        self._checked: set[tuple[str, str]] = set()

    def all(self) -> Iterator[Found]:
        """The faults, in the order in which they are met."""
        yield from self._root()
        if not isinstance(self._api.references, Document):
            return
        checked = check(self._api.references)
        yield from map(of, checked.faults)
        yield from (of(error, warning=True) for error in misspelt(self._api.references))
        for operation in checked.operations:
            yield from self._operation(operation)
        for schema in self._schemas():
            yield from self._schema(schema, "response")

    def _root(self) -> Iterator[Found]:
        """What every document has to have."""
        # OAS 3.2, Info Object: title and version are REQUIRED.
        for name, value in (("title", self._api.title), ("version", self._api.version)):
            if not value:
                place = self._resolved(f"{self._api.document_uri}#/info") or self._resolved(
                    f"{self._api.document_uri}#"
                )
                yield Found(f"info has no {name}", place)

    def _schemas(self) -> Iterator[Schema]:
        try:
            yield from self._api.schemas.values()
        except DocumentError:
            return

    def _operation(self, operation: Operation) -> Iterator[Found]:
        for parameter in operation.parameters:
            yield from self._parameter(parameter, "request")
        if operation.body is not None:
            for media_type in operation.body.content.values():
                yield from self._media_type(media_type, "request")
        for response in operation.responses.values():
            for header in response.headers.values():
                yield from self._parameter(header, "response")
            for media_type in response.content.values():
                yield from self._media_type(media_type, "response")

    def _parameter(self, parameter: Parameter | Header, direction: Direction) -> Iterator[Found]:
        if parameter.media_type is not None:
            yield from self._media_type(parameter.media_type, direction)
        yield from self._described(parameter.schema, parameter.examples, parameter.pointer, direction)

    def _media_type(self, media_type: MediaType, direction: Direction) -> Iterator[Found]:
        if media_type.item_schema is not None:
            yield from self._schema(media_type.item_schema, direction)
        yield from self._described(media_type.schema, media_type.examples, media_type.pointer, direction)

    def _described(
        self, schema: Schema | None, examples: tuple[Example, ...], pointer: str, direction: Direction
    ) -> Iterator[Found]:
        """A schema, and the examples beside it."""
        if schema is None:
            return
        yield from self._schema(schema, direction)
        if (pointer, direction) in self._checked:
            return
        self._checked.add((pointer, direction))
        # What is wrong with the schema itself has been told.
        with suppress(DocumentError):
            for example in examples:
                if example.has_value:
                    yield from self._example(schema, example.value, direction, self._place(pointer, example.name))

    def _schema(
        self, schema: Schema, direction: Direction, depth: int = 0, *, is_sound: bool = False
    ) -> Iterator[Found]:
        """What is wrong with a schema; where something is, what is wrong below it too."""
        try:
            schema = follow(schema)
        except DocumentError as error:
            yield of(error)
            return
        if (schema.uri, direction) in self._checked or depth > _DEEPEST:
            return
        self._checked.add((schema.uri, direction))
        try:
            if not is_sound:
                for unchecked in validator(schema, direction).unchecked:
                    yield of(unchecked, warning=isinstance(unchecked, UnsafeDocument))
            yield from self._own_examples(schema, direction, depth)
        except DocumentError as error:
            yield of(error)
            yield from self._below(schema, direction, depth)

    def _own_examples(self, schema: Schema, direction: Direction, depth: int) -> Iterator[Found]:
        """The examples and the default that a schema gives, and those of what stands below it."""
        seen = shape(schema)
        given: list[tuple[str, Any]] = [("example", value) for value in seen.examples]
        if seen.default is not MISSING:
            given.append(("default", seen.default))
        for word, value in given:
            place = _place_of(schema, f"/{word}" if word in _keys(schema) else f"/{word}s")
            yield from self._example(schema, value, direction, place)
        # What a schema leads to has been made ready with it, so nothing there makes no sense.
        for child in _children(schema):
            yield from self._schema(child, direction, depth + 1, is_sound=True)

    def _below(self, schema: Schema, direction: Direction, depth: int) -> Iterator[Found]:
        try:
            children = list(_children(schema))
        except DocumentError as error:
            yield of(error)
            return
        for child in children:
            yield from self._schema(child, direction, depth + 1)

    def _example(self, schema: Schema, value: Any, direction: Direction, place: Place | None) -> Iterator[Found]:
        # A binary value can't be written in a document, and XML is often given as text.
        if is_binary(schema) or (isinstance(value, str) and value.lstrip().startswith("<")):
            return
        for fault in validator(schema, direction).faults(value, places=False):
            yield Found(f"the {_kind(place)} breaks its schema: {fault.path} {fault.message}", place)

    def _place(self, pointer: str, name: str) -> Place | None:
        uri = pointer if "#" in pointer else f"{self._api.document_uri}#{pointer}"
        for below in (f"/examples/{escape(name)}", "/example", ""):
            place = self._resolved(uri + below)
            if place is not None:
                return place
        return None

    def _resolved(self, uri: str) -> Place | None:
        references = self._api.references
        if references is None:
            return None
        try:
            references.resolve(uri, self._api.document_uri)
            return Place(*references.place(uri))
        except DocumentError:
            return None


def _kind(place: Place | None) -> str:
    return "default" if place is not None and place.pointer.endswith("/default") else "example"


def _keys(schema: Schema) -> Any:
    return schema.value if isinstance(schema.value, dict) else {}


def _place_of(schema: Schema, below: str) -> Place | None:
    try:
        return Place(*schema.references.place(schema.uri + below))
    except DocumentError:
        return None


def _children(schema: Schema) -> Iterator[Schema]:
    """The schemas that stand in a schema, or that it is made of."""
    seen = shape(schema)
    yield from seen.properties.values()
    yield from seen.pattern_properties.values()
    yield from (found for found in (seen.items, seen.additional) if isinstance(found, Schema))
    yield from (*seen.prefix_items, *seen.one_of, *seen.any_of)
