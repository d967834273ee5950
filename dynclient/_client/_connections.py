"""The transport of a client: made when it is first needed, shared by what was read before and after a reload."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dynclient.exceptions import ClientClosed


class Connections:
    """One transport for all sessions of a client."""

    __slots__ = ("_make", "_transport", "closed")

    def __init__(self, make: Callable[[], Any]) -> None:
        """Take what makes the transport."""
        self.closed = False
        self._make = make
        self._transport: Any = None

    @property
    def transport(self) -> Any:
        """The transport.

        Raises:
            ClientClosed: the client has been closed.
        """
        if self.closed:
            raise ClientClosed("the client is closed", hint="load() makes another one")
        if self._transport is None:
            self._transport = self._make()
        return self._transport

    def end(self) -> Any:
        """Refuse new calls, and give the transport away to be closed; None where none was made."""
        self.closed = True
        transport, self._transport = self._transport, None
        return transport
