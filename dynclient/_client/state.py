"""The state that the clients of one loaded document share: the document, the transport, fetched tokens, retry tokens.

Rule 1: an operation is read, and its plan made, when it is first used; then it is kept. If threads race to make a plan,
all use the one that is stored first.
Rule 2: ``reload`` swaps the document as a whole, by one assignment: a caller sees the old one or the new one. Objects
made from the old one keep working, on the same connections.
Rule 3: a new document replaces the old one only if it can be read and the client's credentials fit it.
Rule 4: the thread that watches a document's files ends when its client is closed or garbage collected, and never keeps
the process alive. A file that is still being written is left alone: it is read when its stamp no longer changes. An
exception of a reload or of a hook does not end the watch; it is logged.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from threading import Event, Lock, Thread, current_thread
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from dynclient._call import Budget, ReloadEvent
from dynclient._deferred import cached_property
from dynclient._document.references import Document
from dynclient._document.source import is_url, local_path
from dynclient._escaping import logger
from dynclient._identifiers import near
from dynclient._load import OneShotTransport
from dynclient._load import load as load_api
from dynclient._request import HiddenHeaders, Plan, hidden_headers
from dynclient.exceptions import ArgumentError, ClientClosed, DocumentError, DynclientError, NoSuchOperation
from dynclient.http_grammar import CONNECTION_FIELDS, REDIRECTS, is_field_value, is_token
from dynclient.messages import Headers, Response, Send
from dynclient.model import API, Incoming, Operation, OperationRow
from dynclient.options import Limits
from dynclient.security import CredentialCache

if TYPE_CHECKING:
    from dynclient._call.pace import Pacing
    from dynclient._incoming.requests import Router
    from dynclient.changes import Changes
    from dynclient.drift import Recorder
    from dynclient.inspection.search import SearchIndex

_R = TypeVar("_R")

WITH_HTTP_INFO = "_with_http_info"

Named = tuple[OperationRow, str, bool]
"""An operation, the name that it was looked up with, and whether that name ended with ``_with_http_info``."""


class OperationNames:
    """The operations of a document by each of their names. The first one in the document wins a shared alias.

    ``by_any`` also has operationIds, ``METHOD path``, and names with their namespace; an operationId takes precedence.
    """

    def __init__(self, rows: Iterable[OperationRow]) -> None:
        """Take the rows in the document's order."""
        rows = tuple(rows)
        self.by_name = {row.name: row for row in rows}
        self._by_id = {row.operation_id: row for row in reversed(rows) if row.operation_id is not None}

    @cached_property
    def by_namespace(self) -> dict[str, dict[str, OperationRow]]:
        """The operations of each namespace, by their names there."""
        found: dict[str, dict[str, OperationRow]] = {}
        for row in self.by_name.values():
            for namespace, name in row.names_by_tag:
                found.setdefault(namespace, {})[name] = row
        return found

    @cached_property
    def by_any(self) -> dict[str, OperationRow]:
        """The operations by any of their names."""
        found = {**self.by_name, **self._by_id}
        for row in self.by_name.values():
            found.setdefault(row.key, row)
        for namespace, rows in self.by_namespace.items():
            for name, row in rows.items():
                found.setdefault(f"{namespace}.{name}", row)
        return found

    def find(self, name: str) -> OperationRow:
        """Find an operation by any of its names.

        Raises:
            NoSuchOperation: with similar names.
        """
        if not isinstance(name, str):
            raise NoSuchOperation(f"no operation {name!r}: an operation is found by its name", name=repr(name))
        row = self._by_id.get(name) or self.by_name.get(name) or self.by_any.get(name)
        if row is None:
            ids = [row.operation_id for row in self.by_name.values() if row.operation_id]
            keys = [row.key for row in self.by_name.values()] if "/" in name else []
            raise no_such_operation(name, near(name, [*self.by_name, *ids, *keys]))
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
        """``api`` is a document of which only the list of operations has been read."""
        self.api = api
        self._limits = limits
        # Names before a reload, mapped to the current names of the operations with the same method and path.
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
            for error in plan.operation.left_out:
                log.warning("%s: a parameter is left out: %s", plan.operation.id, error)
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
        from dynclient._incoming.requests import Router

        return Router(self.api)

    def operation_at(self, method: str, url: str, base: str) -> Operation | None:
        """The operation that a URL of a server belongs to; None if there is none, or a broken one.

        ``base`` is the server's own URL, the prefix of every path.
        """
        from dynclient._incoming.requests import HTTPError

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
                self.plan(row).check_all()
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
        """``make_transport`` is called at the first request. ``certificate``: TLS presents a client certificate.

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
        """The transport, made at the first request; if threads race, all use the same one."""
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
    shown = f"{namespace}.{name}" if namespace else name
    return NoSuchOperation(f"no operation {shown}", name=name, matches=list(matches))


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
        # A change since the document was read is found at the first check.
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


_NETWORK = ("limits", "tls", "proxy", "timeout", "block_private")
_NOT_MODIFIED = 304
_CONDITIONS = frozenset({"if-none-match", "if-modified-since"})


class DocumentSource:
    """A document's source, with the options that it is read with."""

    def __init__(self, source: Any, headers: Mapping[str, str] = {}, **options: Any) -> None:
        """Take the arguments of :func:`dynclient._load.load`, and the headers for requests to its URL."""
        self.given = source
        self._overlays = tuple(map(_Located, options.pop("overlays", ())))
        self._headers = headers
        self._options = options
        self._source = _Located(source)
        self._validators = Validators() if _is_url(source) else None

    @property
    def is_local(self) -> bool:
        """Whether it is a file, which can be watched."""
        return self._source.path is not None

    def recipe(self) -> tuple[Any, dict[str, Any]]:
        """The source, so that it can be read from any folder, and the options that it is read with.

        Raises:
            TypeError: it is a file object, which can be read only once; or a secret is needed to read it.
        """
        if self._headers:
            raise TypeError("a client with document_auth or document_headers is not pickled: they may hold secrets")
        if hasattr(self.given, "read"):
            raise TypeError("a client of a file object is not pickled: load() a path, or the content of the file")
        overlays = [one.absolute if one.path is not None else one.given for one in self._overlays]
        return self._source.absolute if self._source.path is not None else self.given, {
            **self._options,
            "overlays": overlays,
        }

    def stamps(self, api: API) -> tuple[object, ...]:
        """The stamps of the document's files: equal stamps mean, in all likelihood, the same contents."""
        return tuple(map(_stamp, dict.fromkeys((self._source.absolute, *getattr(api.references, "paths", ())))))

    def read(self) -> API:
        """Read the document.

        Raises:
            DocumentError: it can't be fetched, or can't be read.
            TransportError: its server can't be reached.
        """
        options: dict[str, Any] = {**self._options, "overlays": [one.now() for one in self._overlays]}
        if self._validators is None:
            return load_api(self._source.now(), **options)
        if self._overlays:
            # The overlays may have changed even if the document has not.
            network = {name: options[name] for name in _NETWORK}
            transport = OneShotTransport(**network, source=self.given, headers=self._headers)
            return load_api(self.given, transport=transport, **options)
        fetching = _ConditionalTransport(self._validators, source=self.given, headers=self._headers, **self._options)
        api = load_api(self.given, transport=fetching, **self._options)
        # A document that can't be read is fetched again.
        self._validators = fetching.found
        return api

    def again(self, old: API) -> API | None:
        """Read the document again; None if it has not changed.

        Raises:
            ArgumentError: it came from memory.
            DocumentError: it can't be fetched, or can't be read.
            TransportError: its server can't be reached.
        """
        can_change = [one.path is not None or _is_url(one.given) for one in (self._source, *self._overlays)]
        if not any(can_change):
            raise ArgumentError(
                "the document was given as a value, so it can't be read again",
                hint="load() from a path or a URL, or load() the new document",
            )
        try:
            new = self.read()
        except _NotModifiedError:
            return None
        same = new is old or (self._source.path is None and new.fingerprint == old.fingerprint)
        return None if same else new


class _Located:
    """A document or an overlay as the caller gave it. ``path`` is None if it is not a file."""

    def __init__(self, given: Any) -> None:
        self.given = given
        self.path = local_path(given)
        self.absolute = _absolute(self.path) if self.path is not None else ""

    def now(self) -> Any:
        """The source as given by the caller, or its absolute path if the current folder has changed."""
        return self.given if self.path is None or _absolute(self.path) == self.absolute else self.absolute


def _absolute(path: str) -> str:
    return os.path.abspath(os.path.expanduser(path))  # noqa: PTH100, PTH111  # pathlib has no normalising `abspath`


def _is_url(source: Any) -> bool:
    return isinstance(source, str) and is_url(source)


def document_headers(
    source: Any, headers: Mapping[str, str] | None, auth: Any, allow_origins: Iterable[str]
) -> Mapping[str, str]:
    """The headers for requests to a document's URL: those of ``document_headers`` and ``document_auth``.

    Raises:
        ArgumentError: one can't be sent, or the document does not come from a URL.
        CredentialScopeError: they would go over plain http to another machine.
    """
    found = dict(hidden_headers(headers))
    name = "document_headers" if headers else "document_auth"
    if not found and auth is None:
        return {}
    if not _is_url(source):
        raise ArgumentError(f"{name} applies only to a document that is loaded from a URL", argument=name)
    from dynclient.security.trust import check_document

    check_document(source.strip(), allow_origins, name)
    if auth is not None:
        from dynclient.security.schemes import authorization_header

        found = {**{key: text for key, text in found.items() if key.lower() != "authorization"}}
        found["Authorization"] = authorization_header(auth, "document_auth")
    for key, text in found.items():
        if key.lower() in CONNECTION_FIELDS or not is_token(key) or not is_field_value(text):
            raise ArgumentError(f"document_headers: {key!r} can't be set, or contains a line break", argument=name)
    return HiddenHeaders(found)


def _stamp(path: str) -> object:
    try:
        found = os.stat(path)  # noqa: PTH116  # a Path is not needed for it
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


class Validators(dict[str, tuple[str, str]]):
    """URL -> ETag and Last-Modified of the version that was read; either may be empty."""

    def conditions(self, url: str) -> dict[str, str]:
        """The headers that ask for a newer version only."""
        etag, modified = self.get(url, ("", ""))
        # RFC 9110, 13.1.3: If-Modified-Since is ignored if If-None-Match is present.
        return {**({"If-None-Match": etag} if etag else {}), **({"If-Modified-Since": modified} if modified else {})}


class _NotModifiedError(Exception):
    """The server has no newer version."""


class _ConditionalTransport(OneShotTransport):
    """A transport for one document: conditional for its URL and the redirects from there, plain for ``$ref``."""

    def __init__(self, validators: Validators, *, source: Any, headers: Mapping[str, str], **options: Any) -> None:
        """``options`` are those of :func:`dynclient._load.load`."""
        super().__init__(**{name: options[name] for name in _NETWORK}, source=source, headers=headers)
        self.found = Validators()
        self._validators = validators
        self._is_root_fetched = False

    def send(self, send: Send) -> Response:
        if self._is_root_fetched:
            return super().send(send)
        request, url = send.request, send.request.url
        conditions = self._validators.conditions(url)
        if conditions:
            # A cached compiled form may be of another version than the one that this client has read.
            others = [pair for pair in request.headers.pairs() if pair[0].lower() not in _CONDITIONS]
            request = replace(request, headers=Headers([*others, *conditions.items()]))
        response = super().send(send._replace(request=request))
        if response.status == _NOT_MODIFIED and conditions:
            raise _NotModifiedError
        if response.status not in REDIRECTS:
            self._is_root_fetched = True
            # RFC 9110, 15.4.5: a 304 has the ETag that a 200 would have; a date may be left out.
            modified = response.headers.get("last-modified") or request.headers.get("if-modified-since", "")
            self.found[url] = (response.headers.get("etag", ""), modified)
        return response
