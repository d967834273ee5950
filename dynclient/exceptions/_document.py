"""The document's author is at fault."""

from __future__ import annotations

from typing import Any

from dynclient.exceptions._root import DynclientError, Place


class DocumentError(DynclientError):
    """The document is at fault. ``place`` says where."""

    def __init__(self, message: str = "", *, place: Place | None = None, **data: Any) -> None:
        """Take where in the document the fault is."""
        super().__init__(message, **data)
        self.place = place

    def details(self) -> list[str]:
        """Add the place in the document."""
        return [f"at {self.place}"] if self.place else []


class UnreadableDocument(DocumentError):
    """It is no JSON or YAML, or not in a charset that can be read, or it can't be had at all."""


class UnsupportedVersion(DocumentError):
    """It is no OpenAPI document, or one of a version that is not known."""


class InvalidDocument(DocumentError):
    """It breaks the OpenAPI Specification where dynclient can't do without."""


class UnresolvableReference(DocumentError):
    """A ``$ref`` leads nowhere, or in a circle."""


class UnsafeDocument(DocumentError):
    """It asks for what a document may not ask: files or hosts out of bounds, or more than the limits allow."""
