"""The faults of a document: parts that can't be read, invalid schemas, and examples that break their schemas.

Rule 1: the readers' faults come first. Then every schema that an operation or the document names is prepared for
validation, and its examples and defaults are validated.
Rule 2: fields that OpenAPI does not know are warnings: calls can be made all the same.
Rule 3: preparing a schema stops at its first fault, so the schemas below a faulty one are prepared one by one.
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


class DocumentFault(Record):
    """A fault or a warning, and its place in the document."""

    message: str
    place: Place | None
    warning: bool = False

    @classmethod
    def of(cls, error: DocumentError, *, warning: bool = False) -> DocumentFault:
        """The fault that an error reports."""
        message = " ".join(error.message.split())
        # Some messages begin with the document's name, which the place has, too.
        text = message.removeprefix(f"{error.place.document}: ") if error.place is not None else message
        return cls(text, error.place, warning)

    def __str__(self) -> str:
        """The line of a compiler: file, line, JSON pointer, message."""
        message = f"warning: {self.message}" if self.warning else self.message
        if self.place is None:
            return message
        line = f":{self.place.line}" if self.place.line is not None else ""
        return f"{self.place.document}{line}: #{self.place.pointer}: {message}"

    def as_data(self) -> dict[str, Any]:
        """The fault as plain data."""
        place = self.place or Place("", "")
        severity = "warning" if self.warning else "fault"
        return {
            "document": place.document,
            "line": place.line,
            "pointer": place.pointer,
            "severity": severity,
            "message": self.message,
        }


def find_faults(api: API) -> list[DocumentFault]:
    """The faults and warnings of a document, each once, in the order of its lines."""
    seen = _broken(api)
    if not seen:
        seen = dict.fromkeys([*map(DocumentFault.of, api.faults), *_Search(api).all()])
        # Other files have been read by now.
        seen |= _broken(api)
    return sorted(seen, key=lambda found: (found.place.document, found.place.line or 0) if found.place else ("", 0))


def _broken(api: API) -> dict[DocumentFault, None]:
    """The faults of the text itself, such as invalid numbers; if there are any, nothing else is reported."""
    return dict.fromkeys(map(DocumentFault.of, api.references.broken())) if isinstance(api.references, Document) else {}


class _Search:
    """One walk through a document."""

    def __init__(self, api: API) -> None:
        self._api = api
        self._checked: set[tuple[str, str]] = set()

    def all(self) -> Iterator[DocumentFault]:
        """The faults, in the order of the walk."""
        yield from self._root()
        if not isinstance(self._api.references, Document):
            return
        checked = check(self._api.references)
        yield from map(DocumentFault.of, checked.faults)
        yield from (DocumentFault.of(error, warning=True) for error in misspelt(self._api.references))
        for operation in checked.operations:
            yield from self._operation(operation)
        for schema in self._schemas():
            yield from self._schema(schema, "response")

    def _root(self) -> Iterator[DocumentFault]:
        """The faults of the Info Object."""
        # OAS 3.2, Info Object: title and version are REQUIRED.
        for name, value in (("title", self._api.title), ("version", self._api.version)):
            if not value:
                place = self._resolved(f"{self._api.document_uri}#/info") or self._resolved(
                    f"{self._api.document_uri}#"
                )
                yield DocumentFault(f"info has no {name}", place)

    def _schemas(self) -> Iterator[Schema]:
        try:
            yield from self._api.schemas.values()
        except DocumentError:
            return

    def _operation(self, operation: Operation) -> Iterator[DocumentFault]:
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

    def _parameter(self, parameter: Parameter | Header, direction: Direction) -> Iterator[DocumentFault]:
        if parameter.media_type is not None:
            yield from self._media_type(parameter.media_type, direction)
        yield from self._described(parameter.schema, parameter.examples, parameter.pointer, direction)

    def _media_type(self, media_type: MediaType, direction: Direction) -> Iterator[DocumentFault]:
        if media_type.item_schema is not None:
            yield from self._schema(media_type.item_schema, direction)
        yield from self._described(media_type.schema, media_type.examples, media_type.pointer, direction)

    def _described(
        self, schema: Schema | None, examples: tuple[Example, ...], pointer: str, direction: Direction
    ) -> Iterator[DocumentFault]:
        """A schema, and the examples beside it."""
        if schema is None:
            return
        yield from self._schema(schema, direction)
        if (pointer, direction) in self._checked:
            return
        self._checked.add((pointer, direction))
        # The faults of the schema itself have been reported.
        with suppress(DocumentError):
            for example in examples:
                if example.has_value:
                    yield from self._example(schema, example.value, direction, self._place(pointer, example.name))

    def _schema(
        self, schema: Schema, direction: Direction, depth: int = 0, *, is_prepared: bool = False
    ) -> Iterator[DocumentFault]:
        """The faults of a schema, and of the schemas below it."""
        try:
            schema = follow(schema)
        except DocumentError as error:
            yield DocumentFault.of(error)
            return
        if (schema.uri, direction) in self._checked or depth > _DEEPEST:
            return
        self._checked.add((schema.uri, direction))
        try:
            if not is_prepared:
                for unchecked in validator(schema, direction).unchecked:
                    yield DocumentFault.of(unchecked, warning=isinstance(unchecked, UnsafeDocument))
            yield from self._own_examples(schema, direction, depth)
        except DocumentError as error:
            yield DocumentFault.of(error)
            yield from self._below(schema, direction, depth)

    def _own_examples(self, schema: Schema, direction: Direction, depth: int) -> Iterator[DocumentFault]:
        """The faults of a schema's examples and default, and of those below it."""
        seen = shape(schema)
        given: list[tuple[str, Any]] = [("example", value) for value in seen.examples]
        if seen.default is not MISSING:
            given.append(("default", seen.default))
        for word, value in given:
            place = _place_of(schema, f"/{word}" if word in _keys(schema) else f"/{word}s")
            yield from self._example(schema, value, direction, place)
        # The schemas below have been prepared together with this one, so they are valid.
        for child in _children(schema):
            yield from self._schema(child, direction, depth + 1, is_prepared=True)

    def _below(self, schema: Schema, direction: Direction, depth: int) -> Iterator[DocumentFault]:
        try:
            children = list(_children(schema))
        except DocumentError as error:
            yield DocumentFault.of(error)
            return
        for child in children:
            yield from self._schema(child, direction, depth + 1)

    def _example(
        self, schema: Schema, value: Any, direction: Direction, place: Place | None
    ) -> Iterator[DocumentFault]:
        # Documents can't hold binary values, and XML is often given as text.
        if is_binary(schema) or (isinstance(value, str) and value.lstrip().startswith("<")):
            return
        for fault in validator(schema, direction).faults(value, places=False):
            yield DocumentFault(f"the {_kind(place)} breaks its schema: {fault.path} {fault.message}", place)

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
    """The direct subschemas of a schema."""
    seen = shape(schema)
    yield from seen.properties.values()
    yield from seen.pattern_properties.values()
    yield from (found for found in (seen.items, seen.additional) if isinstance(found, Schema))
    yield from (*seen.prefix_items, *seen.one_of, *seen.any_of)
