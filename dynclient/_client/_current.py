"""What a client's document is just now, and how it becomes another one.

Rule 1: an edition is swapped as a whole, by one assignment: who asks sees the old one or the new one.
Rule 2: what was made from an edition goes on with it, and with the connections, which all editions share.
Rule 3: nothing is swapped unless the new document can be read, and the client's credentials fit it.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING, Any

from dynclient._client._caller import Caller
from dynclient._client._index import Index
from dynclient._client._origin import Origin
from dynclient._client._session import Session
from dynclient._records import Record

if TYPE_CHECKING:
    from dynclient.changes import Changes


class Edition(Record):
    """A document as it was read once."""

    session: Session
    operations: Index


class Current:
    """The edition that a client, and whatever ``with_options`` made of it, take their operations from."""

    def __init__(self, session: Session, origin: Origin) -> None:
        """Take the first edition's session."""
        self.edition = Edition(session, Index(session.api.rows))
        self.origin = origin
        self.stop_watching: Callable[[], None] | None = None
        self._lock = Lock()

    def caller(self, made: Caller) -> Caller:
        """A caller for the edition that is current: the same one, unless there is a new edition."""
        session = self.edition.session
        return made if made.session is session else type(made)(session, made.settings)

    def reload(self, check: Callable[[Session], object]) -> Changes:
        """Read the document again, and go on with it if it is another one that passes the check.

        Raises:
            DocumentError: it can't be had, or can't be read; the old one stays.
            TransportError: the way to its server failed; the old one stays.
            ArgumentError: it came from memory, or the client's credentials do not fit it.
        """
        from dynclient.changes import Changes, compare

        with self._lock:
            old = self.edition.session
            api = self.origin.again(old.api)
            if api is None:
                return Changes()
            session = old.renewed(api)
            check(session)
            self.edition = Edition(session, Index(api.rows))
        return compare(old.api, api)

    def end(self) -> Any:
        """Stop watching, refuse new calls, and give the transport away to be closed."""
        if self.stop_watching is not None:
            self.stop_watching()
        return self.edition.session.connections.end()
