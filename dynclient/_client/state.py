"""The state that the clients of one loaded document share: the document, the transport, fetched tokens, retry tokens.

Rule 1: an operation is read, and its plan made, when it is first used; then it is kept. Threads may race to make one:
the first that is stored is used by all.
Rule 2: ``reload`` swaps the document as a whole, by one assignment: a caller sees the old one or the new one. Objects
made from the old one keep working, on the same connections.
Rule 3: a new document is taken only if it can be read and the client's credentials fit it.
Rule 4: the thread that watches a document's files ends with what it works for, closed or forgotten, and never keeps the
process alive. A file that is still being written is left alone: it is read once its stamp stays the same. An exception
of a reload or of a hook does not end the watch; it is logged.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Event, Lock, Thread, current_thread
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from dynclient._call import Budget, ReloadEvent
from dynclient._client.source import DocumentSource
from dynclient._deferred import cached_property
from dynclient._document import Document
from dynclient._escaping import logger
from dynclient._identifiers import near
from dynclient._request import Plan
from dynclient.exceptions import ClientClosed, DocumentError, DynclientError, NoSuchOperation
from dynclient.model import API, Incoming, Operation, OperationRow
from dynclient.options import Limits
from dynclient.security import CredentialCache

if TYPE_CHECKING:
    from dynclient._call.pace import Pacing
    from dynclient._routing import Router
    from dynclient.changes import Changes
    from dynclient.drift import Recorder
    from dynclient.inspection.search import SearchIndex


_R = TypeVar("_R")

WITH_HTTP_INFO = "_with_http_info"


Named = tuple[OperationRow, str, bool]
"""An operation, the name that it was looked up with, and whether that name ended with ``_with_http_info``."""


class OperationNames:
    """The operations of a document by each of their names. The first one in the document wins a shared alias.

    ``by_any`` also has operationIds, ``METHOD path``, and names with their namespace; an operationId goes first.
    """

    __slots__ = ("by_any", "by_name", "by_namespace")

    def __init__(self, rows: Iterable[OperationRow]) -> None:
        """Take the rows in the document's order."""
        rows = tuple(rows)
        self.by_name = {row.name: row for row in rows}
        self.by_namespace: dict[str, dict[str, OperationRow]] = {}
        ids = {row.operation_id: row for row in reversed(rows) if row.operation_id is not None}
        self.by_any: dict[str, OperationRow] = {**self.by_name, **ids}
        for row in rows:
            self.by_any.setdefault(row.key, row)
        for row in rows:
            for namespace, name in row.names_by_tag:
                self.by_namespace.setdefault(namespace, {})[name] = row
                self.by_any.setdefault(f"{namespace}.{name}", row)

    def find(self, name: str) -> OperationRow:
        """Find an operation by any of its names.

        Raises:
            NoSuchOperation: with similar names.
        """
        if not isinstance(name, str):
            raise NoSuchOperation(f"no operation {name!r}: an operation is found by its name", name=repr(name))
        row = self.by_any.get(name)
        if row is None:
            rows = self.by_name
            ids = [row.operation_id for row in rows.values() if row.operation_id]
            keys = [row.key for row in rows.values()] if "/" in name else []
            raise no_such_operation(name, near(name, [*rows, *ids, *keys]))
        return row


@contextmanager
def naming(row: OperationRow) -> Iterator[None]:
    """Add the operation to an error in the document."""
    try:
        yield
    except DocumentError as error:
        error.operation_id = error.operation_id or row.operation_id or row.key
        raise


class LoadedDocument:
    """One version of a document, as it was read: the API, the names and the plans of its operations."""

    def __init__(self, api: API, limits: Limits) -> None:
        """Take the API, of which nothing but the list of operations is read yet."""
        self.api = api
        self._limits = limits
        # The names before a reload, and the current names of the operations with their methods and paths.
        self.renamed: dict[str, str] = {}
        self._operations: dict[str, Operation] = {}
        self._plans: dict[str, Plan] = {}
        self._found: dict[tuple[str, str], Any] = {}

    @cached_property
    def names(self) -> OperationNames:
        """The operations by name."""
        return OperationNames(self.api.rows)

    @cached_property
    def search_index(self) -> SearchIndex:
        """The words of all operations, to search by; made at the first search, which reads each operation once."""
        from dynclient.inspection.search import SearchIndex

        return SearchIndex(self.api)

    @cached_property
    def recorder(self) -> Recorder:
        """The counter of the faults of responses with ``validate="record"``."""
        from dynclient.drift import Recorder

        return Recorder(self.api)

    def operation(self, row: OperationRow) -> Operation:
        """Read an operation.

        Raises:
            DocumentError: the document is broken there.
        """
        operation = self._operations.get(row.key)
        if operation is None:
            with naming(row):
                operation = self._operations.setdefault(row.key, self.api.read(row))
        return operation

    def plan(self, row: OperationRow) -> Plan:
        """The plan of an operation's requests.

        Raises:
            DocumentError: the document is broken there.
        """
        plan = self._plans.get(row.key)
        if plan is None:
            with naming(row):
                plan = self._plans.setdefault(row.key, Plan(self.operation(row), self._limits))
        return plan

    def once(self, what: str, row: OperationRow, find: Callable[[], _R]) -> _R:
        """Return a fact about an operation, computed at its first use.

        Raises:
            DocumentError: the document is broken there.
        """
        key = what, row.key
        if key not in self._found:
            with naming(row):
                self._found.setdefault(key, find())
        return self._found[key]  # type: ignore[no-any-return]  # the result of `find`

    @cached_property
    def webhooks(self) -> tuple[Incoming, ...]:
        """The webhooks.

        Raises:
            DocumentError: one of them is broken.
        """
        return self.api.read_incoming(None)

    @cached_property
    def _router(self) -> Router:
        from dynclient._routing import Router

        return Router(self.api)

    def operation_at(self, method: str, url: str, base: str) -> Operation | None:
        """The operation that a URL of a server belongs to; None if there is none, or a broken one.

        ``base`` is the server's own URL, the prefix of every path.
        """
        from dynclient._routing import HTTPError

        path, query = urlsplit(url).path, urlsplit(url).query
        prefix = urlsplit(base).path.rstrip("/")
        paths = [path.removeprefix(prefix)] if prefix and path.startswith(f"{prefix}/") else []
        for each in (*paths, path):
            try:
                return self.operation(self._router.find(method, each, query)[0].row)
            except (HTTPError, DocumentError):
                continue
        return None

    def fault(self, row: OperationRow) -> DocumentError | None:
        """Read an operation, and return the error that stops some or all of its calls, or None."""
        try:
            with naming(row):
                plan = self.plan(row)
                plan.check_answers()
                plan.check_requests()
        except DocumentError as error:
            return error
        return None


class ClientState:
    """The state of a client and of all clients that ``with_options`` makes from it.

    ``document`` is the current version of the document. ``credentials`` holds fetched tokens.
    """

    def __init__(
        self,
        source: DocumentSource,
        api: API,
        limits: Limits,
        make_transport: Callable[[], Any],
        *,
        certificate: bool,
        own_transport: bool = True,
        kept: Mapping[str, Any],
    ) -> None:
        """``make_transport`` is called at the first request. ``certificate``: TLS shows a certificate of the client.

        ``own_transport``: the transport is the built-in one, and has no other certificate. ``kept`` are options of
        ``load`` that a pickle of the client needs.
        """
        self.kept = kept
        self.source = source
        self.limits = limits
        self.certificate = certificate
        self.may_identify = certificate or not own_transport
        self.has_own_transport = own_transport
        self.document = LoadedDocument(api, limits)
        self.credentials = CredentialCache()
        self.budget = Budget()
        self.is_closed = False
        self.stop_watching: Callable[[], None] | None = None
        self._make_transport = make_transport
        self._lock = Lock()

    @property
    def transport(self) -> Any:
        """The transport.

        Raises:
            ClientClosed: the client has been closed.
        """
        transport = None if self.is_closed else self._transport
        if self.is_closed:
            vars(self).pop("_transport", None)
            raise ClientClosed("the client is closed", hint="load() makes a new client")
        return transport

    @cached_property
    def _transport(self) -> Any:
        """Made at the first request; if threads race, only the one that is kept is used."""
        return self._make_transport()

    @cached_property
    def pacing(self) -> Pacing:
        """The places that calls with a rate have taken, by origin."""
        from dynclient._call.pace import Pacing

        return Pacing()

    def another_transport(self) -> Any:
        """A transport for another event loop: a new one, unless the caller has given one."""
        return self._make_transport()

    def reload(self, check: Callable[[LoadedDocument], object]) -> Changes:
        """Read the document again, and take it if it has changed and passes the check.

        Raises:
            DocumentError: it can't be fetched, or can't be read; the old one stays.
            TransportError: its server can't be reached; the old one stays.
            ArgumentError: it came from memory, or the client's credentials do not fit it.
        """
        from dynclient.changes import Changes, compare

        with self._lock:
            old = self.document.api
            api = self.source.again(old)
            if api is None:
                return Changes()
            document = LoadedDocument(api, self.limits)
            document.renamed = {**self.document.renamed, **_renamed(old, api)}
            check(document)
            self.document = document
        return compare(old, api)

    def close(self) -> Any:
        """Stop watching and refuse new calls; returns the transport to close, or None if there is none."""
        if self.stop_watching is not None:
            self.stop_watching()
        self.is_closed = True
        return vars(self).pop("_transport", None)


def _renamed(old: API, new: API) -> dict[str, str]:
    names = {row.key: row.name for row in new.rows}
    return {row.name: names[row.key] for row in old.rows if names.get(row.key, row.name) != row.name}


def variant(rows: dict[str, OperationRow], name: str) -> Named | None:
    """The operation of a name, or of the name without ``_with_http_info``; None if there is none."""
    row = rows.get(name)
    if row is not None:
        return row, name, False
    stem = name.removesuffix(WITH_HTTP_INFO)
    row = rows.get(stem) if stem != name else None
    return (row, stem, True) if row is not None else None


def attributes_near(name: str, operations: Iterable[str], others: Iterable[str] = ()) -> list[str]:
    """Similar names: of operations, with ``_with_http_info`` if the name ends so, and of others."""
    stem = name.removesuffix(WITH_HTTP_INFO)
    if stem != name:
        return [match + WITH_HTTP_INFO for match in near(stem, operations)]
    return near(name, [*operations, *others])


def no_such_operation(name: str, matches: Sequence[str], namespace: str = "") -> NoSuchOperation:
    """The error for an unknown name, with similar names."""
    meant = f"; did you mean {' or '.join(matches)}?" if matches else ""
    shown = f"{namespace}.{name}" if namespace else name
    return NoSuchOperation(f"no operation {shown}{meant}", name=name, matches=list(matches))


log = logger()

SECONDS = 1.0
"""Seconds between two checks."""


class Watcher:
    """Reloads a client when its document's files change, in a daemon thread."""

    def __init__(self, state: ClientState, dispatcher: Any, seconds: float) -> None:
        """Start to watch; ``seconds`` is the time between two checks."""
        self._state = weakref.ref(state)
        self._made, self._options = type(dispatcher), dispatcher.options
        self._seconds = seconds
        references = state.document.api.references
        # A change between the reading of the document and now is found at the first check.
        is_current = isinstance(references, Document) and references.is_current()
        self._seen = state.source.stamps(state.document.api) if is_current else ()
        self._stopped = Event()
        self._thread = Thread(target=self._watch, name="dynclient-watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the watch; waits for a reload that is under way, for 5 seconds at most."""
        self._stopped.set()
        if self._thread is not current_thread():
            self._thread.join(timeout=5)

    def _watch(self) -> None:
        before = self._seen
        while not self._stopped.wait(self._seconds):
            state = self._state()
            if state is None:
                return
            now = state.source.stamps(state.document.api)
            if now != self._seen and now == before:
                self._seen = now
                self._reload(state)
            before = now
            del state

    def _reload(self, state: ClientState) -> None:
        document = state.document
        name = document.api.document_name
        try:
            event = ReloadEvent(name, state.reload(lambda new: self._made(state, self._options, new)))
            if state.document is document:
                return
            log.info("%s: read again", name)
        except DynclientError as error:
            log.warning("%s: not loaded, the client keeps its document: %s", name, error)
            event = ReloadEvent(name, error=error)
        except Exception:  # rule 4
            log.exception("%s: could not be reloaded", name)
            return
        for hook in self._options.hooks:
            method = getattr(hook, "on_reload", None)
            if method is not None:
                try:
                    method(event)
                except Exception:  # rule 4
                    log.exception("on_reload of %s failed", type(hook).__name__)
