"""The caller is at fault, and nothing was sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dynclient.exceptions._root import DynclientError, Fault


class RequestError(DynclientError):
    """The caller is at fault, and nothing was sent."""


class NoSuchOperation(RequestError, AttributeError, KeyError):
    """There is no operation of that name; ``name`` is what was asked for, ``matches`` are near names."""

    def __init__(self, message: str = "", *, name: str = "", matches: Sequence[str] = (), **data: Any) -> None:
        """Take the name that was asked for and those that are near it."""
        RequestError.__init__(self, message, **data)
        self.name = name
        self.matches = tuple(matches)

    __str__ = DynclientError.__str__


class ArgumentError(RequestError, TypeError):
    """An argument is missing, unknown, given twice, or of a type that can't go over the wire.

    ``argument`` is its name, ``matches`` are near names; ``errors`` are all the faults of the request where it is of
    the wrong type.
    """

    def __init__(
        self,
        message: str = "",
        *,
        argument: str = "",
        matches: Sequence[str] = (),
        errors: Sequence[Fault] = (),
        **data: Any,
    ) -> None:
        """Take the argument's name and those that are near it."""
        super().__init__(message, **data)
        self.argument = argument
        self.matches = tuple(matches)
        self.errors = tuple(errors)

    def details(self) -> list[str]:
        """Add a line for each fault."""
        return [f"  {fault}" for fault in self.errors]


class RequestValidationError(RequestError, ValueError):
    """Arguments or body break the document. ``errors`` are all the faults."""

    def __init__(self, message: str = "", *, errors: Sequence[Fault] = (), **data: Any) -> None:
        """Take every fault that was found."""
        super().__init__(message, **data)
        self.errors = tuple(errors)

    def details(self) -> list[str]:
        """Add a line for each fault."""
        return [f"  {fault}" for fault in self.errors]


class EncodeError(RequestError, ValueError):
    """The body can't be written in its media type. ``line`` and ``column`` count from 1 where they are known."""

    def __init__(self, message: str = "", *, line: int | None = None, column: int | None = None, **data: Any) -> None:
        """Take the place in the text that was given."""
        super().__init__(message, **data)
        self.line = line
        self.column = column

    def details(self) -> list[str]:
        """Add the place in the body."""
        return [f"at line {self.line}, column {self.column} of the body"] if self.line is not None else []


class UnsupportedMediaType(RequestError):
    """The operation takes no body of that content type. ``offered`` are those that it takes."""

    def __init__(self, message: str = "", *, offered: Sequence[str] = (), **data: Any) -> None:
        """Take the media types that the operation offers."""
        super().__init__(message, **data)
        self.offered = tuple(offered)


class MissingCredential(RequestError):
    """The operation asks for a credential that was not given. ``schemes`` are those that would do."""

    def __init__(self, message: str = "", *, schemes: Sequence[str] = (), **data: Any) -> None:
        """Take the names of the security schemes that would do."""
        super().__init__(message, **data)
        self.schemes = tuple(schemes)


class CredentialScopeError(RequestError):
    """The credential would go to an origin that the caller has not vouched for."""


class BlockedAddress(RequestError):
    """A host is at an address that is not public, and the client blocks those (``block_private=True``).

    ``host`` is its name, ``addresses`` are those that are not public.
    """

    def __init__(self, message: str = "", *, host: str = "", addresses: Sequence[str] = (), **data: Any) -> None:
        """Take the host's name and its addresses."""
        super().__init__(message, **data)
        self.host = host
        self.addresses = tuple(addresses)


class ClientClosed(RequestError):
    """The client has been closed."""
