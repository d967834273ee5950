"""The mock: takes a Request and gives the Response that the document describes.

The way: route (404, 405) -> credentials (401) -> parameters and body (400, 415) -> what is there (404) -> media type
(406) -> answer. A broken operation answers 500 with the reason, and the others work.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from time import sleep
from typing import IO, Any
from urllib.parse import urlsplit

from dynclient import model
from dynclient._load import load
from dynclient._records import Record
from dynclient.exceptions import DynclientError
from dynclient.messages import Headers, Request, Response
from dynclient.testing.answers import choose, encode
from dynclient.testing.chaos import Chaos
from dynclient.testing.checks import Sent, check_request
from dynclient.testing.credentials import check_credentials
from dynclient.testing.ledger import Ledger
from dynclient.testing.manner import Manner, Wish
from dynclient.testing.refusals import Refusal, refuse
from dynclient.testing.routing import Match, Router
from dynclient.testing.sharing import is_preflight, preflight, shared
from dynclient.testing.store import Store
from dynclient.testing.watching import Watch
from dynclient.testing.wishes import wish
from dynclient.testing.wsgi import answer

log = logging.getLogger("dynclient.testing")

# A server that runs for weeks keeps no more exchanges than this.
MAX_KEPT = 10_000
# Nor does it remember more answers.
MAX_ANSWERS = 1_000

Source = str | os.PathLike[str] | bytes | Mapping[str, Any] | IO[str] | IO[bytes]


Script = Callable[[model.Operation, Sent, Request], Response | None]
"""What a test says to a request that is right; None: nothing."""


class Thrown(Exception):  # it carries an error
    """What a script raises through the mock, to whoever asked it."""

    def __init__(self, error: Exception) -> None:
        """Take the error."""
        super().__init__()
        self.error = error


class _Served(Record):
    """What is served: a document, and what is known of it so far."""

    api: model.API
    router: Router
    store: Store | None
    operations: dict[str, model.Operation]
    answers: dict[tuple[str, str, Wish], Response]


def _served(api: model.API, manner: Manner) -> _Served:
    router = Router(api)
    return _Served(api, router, Store(api, router.routes) if manner.stateful else None, {}, {})


class Mock:
    """Answers requests as a document says. Shared by threads.

    ``responses`` are what it gave, in order, each with its ``request``: at least the last 5,000.
    """

    def __init__(
        self,
        api: model.API,
        *,
        observer: Callable[[Response], None] | None = None,
        script: Script | None = None,
        **options: Any,
    ) -> None:
        """Take the API; see :func:`dynclient.testing.serve` for the rest."""
        self.responses: list[Response] = []
        self._manner = Manner(**options)
        self._served = _served(api, self._manner)
        self._watch = Watch(api) if self._manner.watch else None
        self._chaos = Chaos(self._manner.chaos, self._manner.seed)
        self._lock = threading.Lock()
        self._observer = observer
        self._script = script
        self._ledger: Ledger | None = None

    @property
    def api(self) -> model.API:
        """The document's API; with ``watch`` the newest one."""
        return self._served.api

    @property
    def requests(self) -> list[Request]:
        """The requests that came, in order of their answers."""
        return [response.request for response in self.responses if response.request is not None]

    def operation(self, row: model.OperationRow) -> model.Operation:
        """Read an operation, once.

        Raises:
            DocumentError: it is broken.
        """
        known = self._served.operations
        return known.get(row.key) or known.setdefault(row.key, self.api.read(row))

    def keep_ledger(self, ledger: Ledger) -> None:
        """Note from now on in a ledger what is used of the document."""
        self._ledger = ledger

    def respond(self, request: Request) -> Response:
        """Answer one request; whatever it is, there is an answer."""
        if self._manner.delay:
            sleep(self._manner.delay)
        if self._manner.cors and is_preflight(request):
            response, name = preflight(request), None
        else:
            response, name = self._guarded(request)
            if self._manner.cors:
                response = shared(request, response)
        return self._kept(response._replace(request=request._replace(operation_id=name)))

    def _kept(self, response: Response) -> Response:
        with self._lock:
            self.responses.append(response)
            if len(self.responses) > MAX_KEPT:
                del self.responses[: MAX_KEPT // 2]
        if self._observer is not None:
            self._observer(response)
        return response

    def _guarded(self, request: Request) -> tuple[Response, str | None]:
        """Answer, or say as HTTP does why not; and name the operation."""
        answering = _Answering(request, self._current())
        try:
            response = self._answered(answering)
        except Thrown:
            raise
        except Refusal as refusal:
            response = self._refused(refusal, answering.operation, request)
        except DynclientError as error:
            response = refuse(Refusal(500, f"the document is broken here: {error.message}"), None, "")
        except Exception:
            # A server that stops, or shows a traceback, would hide what the test is about.
            log.exception("%s %s", request.method, request.shown_url)
            response = refuse(Refusal(500, "the mock failed; its log says where"), None, "")
        if self._ledger is not None and answering.operation is not None:
            self._ledger.note(answering.operation, request, response)
        return response, answering.name

    def _current(self) -> _Served:
        if self._watch is not None:
            with self._lock:
                api = self._watch.changed()
                if api is not None:
                    self._served = _served(api, self._manner)
        return self._served

    def _answered(self, answering: _Answering) -> Response:
        """Answer as the first operation that takes the request; where none does, refuse it as the first one does."""
        request = answering.request
        matches = answering.served.router.find(request.method, _path(request), urlsplit(request.url).query)
        first: Refusal | None = None
        for match in matches:
            operation = answering.at(match.row)
            try:
                return self._answer(answering.served, operation, match, request)
            except Refusal as refusal:
                if refusal.status != HTTPStatus.BAD_REQUEST:
                    raise
                first = first or refusal
        answering.at(matches[0].row)
        raise first or Refusal(400, "no operation takes the request")

    def _answer(self, served: _Served, operation: model.Operation, match: Match, request: Request) -> Response:
        manner = self._manner
        if manner.authenticate:
            check_credentials(served.api, operation, request, manner.credentials)
        sent = check_request(operation, match.texts, request, manner.limits, strict=manner.validate)
        given = self._script(operation, sent, request) if self._script is not None else None
        if given is not None:
            return given
        struck = self._chaos.strike(operation, _accept(request)) if manner.chaos else None
        if struck is not None:
            return struck
        wished = wish(request, manner)
        if served.store is None or wished.code is not None:
            return _remembered(served, operation, _accept(request), wished)
        with self._lock:
            served.store.check(match)
            answer = choose(operation, _accept(request), wished)
            return encode(served.store.filled(match, answer, sent), wished)

    @staticmethod
    def _refused(refusal: Refusal, operation: model.Operation | None, request: Request) -> Response:
        if request.method == "OPTIONS" and "Allow" in refusal.headers:
            return Response(204, Headers(refusal.headers), b"")
        try:
            return refuse(refusal, operation, _accept(request))
        except DynclientError:
            # What the operation documents for this status is broken itself.
            return refuse(refusal, None, "")

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[[str, list[tuple[str, str]]], Any]
    ) -> Iterable[bytes]:
        """Answer as a WSGI application (PEP 3333)."""
        return answer(self, environ, start_response)


class _Answering:
    """A request, and the operation that it is for as far as that is known."""

    def __init__(self, request: Request, served: _Served) -> None:
        self.request = request
        self.served = served
        self.operation: model.Operation | None = None
        self.name: str | None = None

    def at(self, row: model.OperationRow) -> model.Operation:
        """Name the operation before it is read: it may be broken."""
        self.operation = None
        self.name = row.operation_id or row.key
        known = self.served.operations
        self.operation = known.get(row.key) or known.setdefault(row.key, self.served.api.read(row))
        return self.operation


def _remembered(served: _Served, operation: model.Operation, accept: str, wished: Wish) -> Response:
    """The answer without state: the same question has the same answer, so that it is made once."""
    key = (operation.row.key, accept, wished)
    response = served.answers.get(key)
    if response is None:
        response = encode(choose(operation, accept, wished), wished)
        if len(served.answers) >= MAX_ANSWERS:
            served.answers.clear()
        served.answers[key] = response
    return response


def app(document: Source | model.API, **options: Any) -> Mock:
    """Make a WSGI application that answers as a document says; ``options`` are those of :func:`serve`."""
    api = document if isinstance(document, model.API) else load(document)
    return Mock(api, **options)


def _path(request: Request) -> str:
    rest = request.url.partition("://")[2]
    return "/" + rest.partition("/")[2].partition("?")[0].partition("#")[0]


def _accept(request: Request) -> str:
    return request.headers.get("accept", "")
