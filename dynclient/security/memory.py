"""What a client has learned of its credentials: tokens, digest sessions, metadata. Threads and tasks share it.

Rule 1: no lock is held while anything is waited for: the lock here is held for a few lines of Python.
Rule 2: of those who want one token at a time, one fetches it and the others wait (:class:`Flight`). They wait in steps
of their own call, so that an event loop goes on, and a call that is cancelled leaves nobody behind.
Rule 3: a child process begins with the tokens of its parent, and with none of its locks and flights.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from dynclient.exceptions import DynclientError

if TYPE_CHECKING:
    from dynclient.security.digest import Session


class Flight:
    """One fetching of a token. ``error`` is how it failed, if it did; ``is_personal``: a person has to log in."""

    __slots__ = ("error", "is_done", "is_personal")

    def __init__(self) -> None:
        """Begin."""
        self.error: DynclientError | None = None
        self.is_done = False
        self.is_personal = False


class Memory:
    """Tokens, metadata and digest sessions of a client, each under its key."""

    __slots__ = ("_flights", "_lock", "_process", "metadata", "sessions", "tokens")

    def __init__(self) -> None:
        """Begin with nothing."""
        self.tokens: dict[Hashable, Any] = {}
        self.metadata: dict[str, Mapping[str, Any]] = {}
        self.sessions: dict[Hashable, Session] = {}
        self._begin()

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._flights: dict[Hashable, Flight] = {}
        self._process = os.getpid()

    def join(self, key: Hashable) -> tuple[Flight, bool]:
        """Join the flight for a token, or begin one: the flight, and whether the caller is the one who fetches."""
        if self._process != os.getpid():
            self._begin()
        with self._lock:
            flight = self._flights.get(key)
            if flight is not None:
                return flight, False
            flight = self._flights[key] = Flight()
            return flight, True

    def leave(self, key: Hashable, flight: Flight, error: DynclientError | None) -> None:
        """End a flight that one began."""
        with self._lock:
            if self._flights.get(key) is flight:
                del self._flights[key]
        flight.error = error
        flight.is_done = True

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self.tokens)} tokens>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("credentials are not pickled")
