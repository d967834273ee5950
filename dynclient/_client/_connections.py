"""The transport of a client: made when it is first needed, shared by what was read before and after a reload."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dynclient.exceptions import ClientClosed

_ONLY = "transport"


class Connections:
    """One transport for all sessions of a client."""

    __slots__ = ("_made", "_make", "closed")

    def __init__(self, make: Callable[[], Any]) -> None:
        """Take what makes the transport."""
        self.closed = False
        self._make = make
        self._made: dict[str, Any] = {}

    @property
    def transport(self) -> Any:
        """The transport.

        Raises:
            ClientClosed: the client has been closed.
        """
        if self.closed:
            raise ClientClosed("the client is closed", hint="load() makes another one")
        transport = self._made.get(_ONLY)
        if transport is None:
            # Threads may race to make it: the first one that is stored is everybody's, and the others were never used.
            # No lock, which a child process might inherit as it was held.
            transport = self._made.setdefault(_ONLY, self._make())
            if self.closed:
                self._made.clear()
                raise ClientClosed("the client is closed", hint="load() makes another one")
        return transport

    def end(self) -> Any:
        """Refuse new calls, and give the transport away to be closed; None where none was made."""
        self.closed = True
        return self._made.pop(_ONLY, None)
