"""The root of all errors, and the two values that errors carry: where a document says something, and a fault."""

from __future__ import annotations

from typing import Any

from dynclient._escaping import escaped
from dynclient._records import Record

_MAX_TEXT = 2000


class Place(Record):
    """Where a document says something: its file or URL, the line (from 1, or None) and the JSON pointer."""

    document: str
    pointer: str
    line: int | None = None

    def __str__(self) -> str:
        line = f", line {self.line}" if self.line is not None else ""
        return f"{self.document}{line}, #{self.pointer}"


class Fault(Record):
    """One way in which a value breaks its schema.

    ``path`` is the place in the value (``$.machineDetection.mode``), ``message`` the fault in words, ``keyword`` the
    schema's keyword that it breaks, ``place`` where the document says so. ``value_type`` names the JSON type of the
    value; the value itself is in no message, since it may be secret.
    """

    path: str
    message: str
    keyword: str = ""
    place: Place | None = None
    value_type: str = ""

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" + (f" ({self.place})" if self.place else "")


class DynclientError(Exception):
    """The root of every error that dynclient raises.

    ``operation_id`` is the operationId, or the Python name, of the operation that was called, if there was one.
    """

    def __init__(self, message: str = "", *, operation_id: str | None = None, hint: str = "") -> None:
        """Take the text's first part, and a hint for the usual mistake."""
        super().__init__(message)
        self.message = message
        self.operation_id = operation_id
        self.hint = hint

    def details(self) -> list[str]:
        """The lines that follow the message; a class adds what it knows."""
        return []

    def __str__(self) -> str:
        lines = [self.message, *self.details()]
        if self.operation_id and not self.message.startswith((self.operation_id + " ", self.operation_id + ":")):
            lines[0] = f"{self.operation_id}: {lines[0]}"
        if self.hint:
            lines.append(f"Hint: {self.hint}")
        text = escaped("\n".join(lines))
        return text if len(text) <= _MAX_TEXT else text[: _MAX_TEXT - 1] + "…"

    def __reduce__(self) -> tuple[Any, ...]:
        # An exception made with keywords does not unpickle by itself: it is called with its args alone.
        return _revive, (type(self), dict(self.__dict__))


def _revive(cls: type[DynclientError], state: dict[str, Any]) -> DynclientError:
    error = cls.__new__(cls)
    error.args = (state.get("message", ""),)
    error.__dict__.update(state)
    return error
