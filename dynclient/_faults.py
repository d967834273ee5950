"""The data of errors: a location in a document, a violation of a schema, and problem details of a server."""

from __future__ import annotations

from typing import Any

from dynclient._records import Record
from dynclient.media_types import essence


class DocumentLocation(Record):
    """A location in a document: its file or URL, the JSON Pointer (RFC 6901), and the line, counted from 1, or None."""

    document: str
    pointer: str
    line: int | None = None

    def __str__(self) -> str:
        line = f", line {self.line}" if self.line is not None else ""
        return f"{self.document}{line}, #{self.pointer}"


class Fault(Record):
    """A violation of a schema.

    ``path`` is the location in the value (``$.machineDetection.mode``), ``message`` the description, ``keyword`` the
    violated keyword of the schema, and ``location`` where the document says so. ``value_type`` is the value's JSON
    type; ``value`` is the value as Python writes it, if it is short and neither its schema nor its name marks it as
    secret. ``uri`` is that of the keyword in the document as it was read, with its overlays.
    """

    path: str
    message: str
    keyword: str = ""
    location: DocumentLocation | None = None
    value_type: str = ""
    value: str = ""
    uri: str = ""

    def __str__(self) -> str:
        value, location = f" (it is {self.value})" * bool(self.value), f" ({self.location})" * bool(self.location)
        return f"{self.path}: {self.message}{value}{location}"


class Problem(Record):
    """The members of a problem details object (RFC 9457, 3.1); members of a wrong type are None."""

    type: str | None = None
    title: str | None = None
    status: int | None = None
    detail: str | None = None
    instance: str | None = None


def problem_of(data: Any, content_type: str) -> Problem | None:
    """Return decoded problem details; None if the media type is another one, or they are not an object."""
    if essence(content_type) not in {"application/problem+json", "application/problem+xml"} or not isinstance(
        data, dict
    ):
        return None
    # RFC 9457, 3.1: consumers ignore values that are not of the member's type.
    text = {name: value for name, value in data.items() if isinstance(value, str)}
    status = data.get("status")
    return Problem(
        type=text.get("type"),
        title=text.get("title"),
        status=status if isinstance(status, int) and not isinstance(status, bool) else None,
        detail=text.get("detail"),
        instance=text.get("instance"),
    )
