"""The mock: answers a Request with the Response that the document describes.

The steps, and the status of each one's error: route (404, 405), credentials (401), parameters and body (400, 415),
stored items (404), media type (406). A broken operation returns 500 with the reason; the others work.
"""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from http import HTTPStatus
from random import Random
from time import sleep
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit
from zlib import crc32

from dynclient import model
from dynclient._document.references import Document
from dynclient._escaping import logger
from dynclient._incoming.requests import HTTPError, Match, RequestValues, Router, check_request
from dynclient._load import load
from dynclient._mock.checks import check_credentials, read_preference
from dynclient._mock.coverage import Coverage
from dynclient._mock.pages import is_paged, paged
from dynclient._mock.responses import Preference, choose, encode, error_response
from dynclient._mock.store import Store
from dynclient._records import Record
from dynclient._request import Plan
from dynclient._schemas import shape
from dynclient.examples import realistic
from dynclient.exceptions import ArgumentError, DocumentError, DynclientError
from dynclient.messages import Headers, Request, Response
from dynclient.options import Limits, MiB

if TYPE_CHECKING:  # most mocks send no callbacks
    from wsgiref.types import StartResponse, WSGIEnvironment

    from dynclient._mock.callbacks import Callbacks

log = logger("dynclient.testing")

# A mock keeps at most this many exchanges, and this many bytes of their bodies, even if it runs for weeks.
MAX_EXCHANGES = 10_000
MAX_EXCHANGE_BYTES = 64 * MiB

CHAOS_STATUSES = (429, 500, 502, 503, 504)

Source = str | os.PathLike[str] | bytes | Mapping[str, Any] | IO[str] | IO[bytes]

Stub = Callable[[model.Operation, RequestValues, Request], Response | None]
"""A test's own response to a valid request; None uses the document."""


class StubError(Exception):
    """Carries an exception of a stub through the mock to the caller."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


class MockOptions(Record):
    """The behaviour of a mock. ``delay`` is in seconds; ``chaos`` is the fraction of requests that fail, from 0 to 1.

    ``fake``: generated values look realistic; None: with ``dynamic``, if faker is installed. ``callbacks`` sends the
    documented ones, to loopback and to ``callback_origins``.
    """

    credentials: Any = None
    authenticate: bool = True
    validate: bool = True
    stateful: bool = False
    dynamic: bool = False
    fake: bool | None = None
    seed: int = 0
    delay: float = 0.0
    chaos: float = 0.0
    cors: bool = False
    watch: bool = False
    callbacks: bool = False
    callback_origins: Sequence[str] = ()
    limits: Limits = Limits()
    overlays: Sequence[Any] = ()


class _Service:
    """A served document, with its routes, stored items, and the operations read so far."""

    def __init__(self, api: model.API, *, stateful: bool) -> None:
        self.api = api
        self.router = Router(api)
        self.store = Store(api, self.router.routes) if stateful else None
        self.operation = cache(api.read)


class _RequestContext:
    """A request and its operation, if that is known."""

    def __init__(self, request: Request, service: _Service) -> None:
        self.request = request
        self.service = service
        self.accept = request.headers.get("accept", "")
        self.body: Any = None
        self.operation: model.Operation | None = None
        self.name: str | None = None

    def select(self, row: model.OperationRow) -> model.Operation:
        """Read the operation; its name is known even if it is broken."""
        self.operation = None
        self.name = row.operation_id or row.key
        self.operation = self.service.operation(row)
        return self.operation


def _breadth(service: _Service, match: Match) -> tuple[int, int]:
    """How many values the path of an operation may have: of several, the one with the fewest is likelier meant.

    The number of its parameters that may have any value, and the product of the numbers of values of the others.
    """
    try:
        parameters = [each for each in service.operation(match.row).parameters if each.in_ == "path"]
        fixed = [shape(each.schema).fixed if each.schema is not None else None for each in parameters]
    except DocumentError:
        return len(match.texts), 0
    return fixed.count(None), math.prod(len(values) for values in fixed if values is not None)


class WSGIApplication:
    """Responds to Requests; also as a WSGI application."""

    def respond(self, request: Request) -> Response:
        """Answer one request."""
        raise NotImplementedError

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer as a WSGI application (PEP 3333)."""
        from dynclient._mock.wsgi import answer

        return answer(self.respond, environ, start_response)


class Mock(WSGIApplication):
    """Answers requests from a document. Threads may share it.

    ``responses`` are the last ones, in order, each with its ``request``: at least 5,000, or 32 MiB of bodies.
    """

    def __init__(
        self,
        api: model.API,
        *,
        observer: Callable[[Response], None] | None = None,
        stub: Stub | None = None,
        **options: Any,
    ) -> None:
        """Take the API; see :func:`dynclient.testing.serve` for the options."""
        self.responses: list[Response] = []
        self._options = MockOptions(**options)
        self._service = _Service(api, stateful=self._options.stateful)
        if not 0 <= self._options.chaos <= 1:
            raise ValueError(f"chaos must be a rate from 0 to 1, not {self._options.chaos!r}")
        if self._options.fake and not realistic.is_installed():
            raise ArgumentError("realistic values need faker", argument="fake", hint="pip install 'dynclient[fake]'")
        self._random = Random(self._options.seed)  # noqa: S311  # it must be the same in every run
        self._preference = Preference(dynamic=self._options.dynamic, seed=self._options.seed)
        self._lock = threading.Lock()
        self._observer = observer
        self._stub = stub
        self._coverage: Coverage | None = None
        self._callbacks: Callbacks | None = None
        if self._options.callbacks or self._options.callback_origins:
            from dynclient._mock.callbacks import Callbacks

            self._callbacks = Callbacks(self._options.callback_origins)
        self._reload_fault = ""
        self._kept_bytes = 0

    @property
    def api(self) -> model.API:
        """The document's API; with ``watch`` the latest one."""
        return self._service.api

    @property
    def callbacks(self) -> list[Response]:
        """The responses to the callbacks that were sent, each with its ``request``."""
        return self._callbacks.responses if self._callbacks is not None else []

    @property
    def requests(self) -> list[Request]:
        """The received requests, in the order of their responses."""
        return [response.request for response in self.responses if response.request is not None]

    def operation(self, row: model.OperationRow) -> model.Operation:
        """Read an operation, once.

        Raises:
            DocumentError: it is broken.
        """
        return self._service.operation(row)

    def collections(self) -> tuple[list[str], list[str]] | None:
        """The collections that store created items, and those that do not; None without state."""
        store = self._service.store
        return store.collections() if store is not None else None

    def broken(self) -> Iterator[tuple[str, DynclientError]]:
        """The operations that can't be read, or whose schemas can't be used, each with the error."""
        for row in self.api.rows:
            try:
                Plan(self.operation(row), Limits()).check_all()
            except DynclientError as error:
                yield row.operation_id or row.key, error

    def record_coverage(self, coverage: Coverage) -> None:
        """Record from now on which parts of the document are used."""
        self._coverage = coverage

    def respond(self, request: Request) -> Response:
        """Answer any request with a response."""
        if self._options.delay:
            sleep(self._options.delay)
        response, name = (_preflight(request) if self._options.cors else None), None
        if response is None:
            response, name = self._responded(request)
        if self._options.cors:
            response = _with_cors(request, response)
        response = replace(response, request=replace(request, operation_id=name))
        with self._lock:
            self._keep(response)
        if self._observer is not None:
            self._observer(response)
        return response

    def _keep(self, response: Response) -> None:
        """Add a response; the older half is dropped if there are too many, or if their bodies are too large."""
        kept = self.responses
        kept.append(response)
        self._kept_bytes += _size(response)
        if len(kept) > MAX_EXCHANGES:
            del kept[: MAX_EXCHANGES // 2]
        while self._kept_bytes > MAX_EXCHANGE_BYTES and len(kept) > 1:
            del kept[: len(kept) // 2]
            self._kept_bytes = sum(map(_size, kept))

    def _responded(self, request: Request) -> tuple[Response, str | None]:
        """The response, or an error response, and the operation's name."""
        context = _RequestContext(request, self._current())
        try:
            response = self._routed(context)
        except StubError:
            raise
        except HTTPError as error:
            if request.method == "OPTIONS" and "Allow" in error.headers:
                response = Response(204, Headers(error.headers), b"")
            else:
                response = error_response(error, context.operation, context.accept)
        except DynclientError as error:
            response = error_response(HTTPError(500, f"the document is invalid here: {error.message}"))
        except Exception:
            # A server that stopped or showed a traceback would hide the cause from the test.
            log.exception("%s %s", request.method, request.shown_url)
            response = error_response(HTTPError(500, "the mock failed; its log has the traceback"))
        if self._coverage is not None and context.operation is not None:
            self._coverage.record(context.operation, request, response)
        return response, context.name

    def _current(self) -> _Service:
        """The service; with ``watch`` that of the changed document, if a file of it has changed."""
        if not self._options.watch:
            return self._service
        with self._lock:
            api = self._service.api
            path = urlsplit(api.document_uri)
            if path.scheme == "file" and isinstance(api.references, Document) and not api.references.is_current():
                self._reload(unquote(path.path))
            return self._service

    def _reload(self, path: str) -> None:
        try:
            api = load(path, overlays=self._options.overlays)
        except DynclientError as error:
            if str(error) != self._reload_fault:
                self._reload_fault = str(error)
                log.error("the changed document can't be read, so the old one is used: %s", error)  # noqa: TRY400  # is complete
            return
        self._reload_fault = ""
        self._service = _Service(api, stateful=self._options.stateful)
        log.warning("%s was reloaded", os.path.basename(path))  # noqa: PTH119  # a Path is not needed for it

    def _routed(self, context: _RequestContext) -> Response:
        """Answer with the first operation that accepts the request; if none does, refuse it like the first one."""
        url = urlsplit(context.request.url)
        path = context.request.url.partition("://")[2].partition("?")[0].partition("#")[0].partition("/")[2]
        matches = context.service.router.find(context.request.method, f"/{path}", url.query)
        if len(matches) > 1:
            # Paths that differ in the names of their templates only: a client in the same process says which it means.
            meant, service = context.request.operation_id, context.service
            matches.sort(key=lambda each: (meant is None or each.row.operation_id != meant, _breadth(service, each)))
        refusals: list[HTTPError] = []
        for match in matches:
            operation = context.select(match.row)
            try:
                response = self._answer(context, operation, match)
            except HTTPError as error:
                if error.status not in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNSUPPORTED_MEDIA_TYPE}:
                    raise
                refusals.append(error)
            else:
                if self._callbacks is not None:
                    self._callbacks.send(context.service.api, operation, context.request, context.body, response)
                return response
        context.select(matches[0].row)
        raise refusals[0]

    def _answer(self, context: _RequestContext, operation: model.Operation, match: Match) -> Response:
        options, request, service = self._options, context.request, context.service
        if options.authenticate:
            check_credentials(service.api, operation, request, options.credentials)
        values = check_request(operation, match.texts, request, options.limits, strict=options.validate)
        context.body = values.body
        response = self._stub(operation, values, request) if self._stub is not None else None
        if response is not None:
            return response
        if options.chaos and self._random.random() < options.chaos:
            raise self._failure(operation)
        preference = self._faked(read_preference(request, self._preference), request)
        if service.store is None or preference.code is not None:
            draft = choose(operation, context.accept, preference, values.body)
            if request.method == "GET" and preference.example is None and is_paged(draft, operation):
                draft = paged(draft, None, operation, values, request.url, "id")
            return encode(draft, preference)
        with self._lock:
            service.store.check(match)
            draft = choose(operation, context.accept, preference, values.body)
            if preference.example is not None and draft.status >= HTTPStatus.BAD_REQUEST:
                return encode(draft, preference)
            return encode(service.store.apply(match, draft, values, operation, request.url), preference)

    def _faked(self, preference: Preference, request: Request) -> Preference:
        """The preference with a seed for realistic values: each URL and each POST has its own."""
        fake = self._options.fake
        if fake is False or not (fake or (preference.dynamic and realistic.is_installed())):
            return preference
        count = len(self.responses) if request.method == "POST" else 0
        target = request.url.partition("://")[2].partition("/")[2]
        return preference._replace(fake=crc32(f"{preference.seed} {count} {target}".encode("utf-8", "replace")))

    def _failure(self, operation: model.Operation) -> HTTPError:
        """An intentional failure, with a documented status if there is one."""
        documented = [status for status in CHAOS_STATUSES if str(status) in operation.responses]
        status = self._random.choice(documented or [503])
        # RFC 9110, 10.2.3: 503 and 429 may say when to retry.
        headers = {"Retry-After": "0"} if status in {429, 503} else {}
        return HTTPError(status, "an intentional failure (chaos)", headers=headers)


def app(document: Source | model.API, **options: Any) -> Mock:
    """Make a WSGI application that answers from a document; the options are those of :func:`serve`."""
    api = document if isinstance(document, model.API) else load(document, overlays=options.get("overlays", ()))
    return Mock(api, **options)


def _size(response: Response) -> int:
    """The bytes of the bodies of an exchange."""
    bodies = (response.body, response.request.body if response.request is not None else None)
    return sum(len(body) for body in bodies if isinstance(body, bytes))


def _preflight(request: Request) -> Response | None:
    """The response to a preflight request; None for other requests."""
    # Fetch Standard, 3.3.2: OPTIONS with an Origin and Access-Control-Request-Method.
    method = request.headers.get("access-control-request-method")
    if request.method != "OPTIONS" or "origin" not in request.headers or method is None:
        return None
    allowed = {
        "Access-Control-Allow-Methods": method,
        # A wildcard would leave out Authorization (Fetch Standard, 3.3.3).
        "Access-Control-Allow-Headers": request.headers.get("access-control-request-headers", "*"),
        "Access-Control-Max-Age": "600",
    }
    return Response(204, Headers(allowed))


def _with_cors(request: Request, response: Response) -> Response:
    """The response, readable by the requesting page (Fetch Standard, CORS protocol)."""
    if "origin" not in request.headers:
        return response
    headers = {
        "Access-Control-Allow-Origin": request.headers["origin"],
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Expose-Headers": ", ".join(response.headers) or "*",
        "Vary": "Origin",
    }
    return replace(response, headers=Headers((*response.headers.pairs(), *headers.items())))
