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
from typing import IO, Any
from urllib.parse import urlsplit

from dynclient import model
from dynclient._load import load
from dynclient.exceptions import DynclientError
from dynclient.messages import Headers, Request, Response
from dynclient.options import Limits
from dynclient.testing.answers import choose, encode, preferences
from dynclient.testing.checks import check_request
from dynclient.testing.credentials import Credentials, check_credentials
from dynclient.testing.refusals import Refusal, refuse
from dynclient.testing.routing import Match, Router
from dynclient.testing.store import Store
from dynclient.testing.wsgi import answer

log = logging.getLogger("dynclient.testing")

# A server that runs for weeks keeps no more exchanges than this.
MAX_KEPT = 10_000

Source = str | os.PathLike[str] | bytes | Mapping[str, Any] | IO[str] | IO[bytes]


class Mock:
    """Answers requests as a document says. Shared by threads.

    ``responses`` are what it gave, in order, each with its ``request``: at least the last 5,000.
    """

    def __init__(
        self,
        api: model.API,
        *,
        credentials: Credentials = None,
        stateful: bool = True,
        seed: int = 0,
        limits: Limits | None = None,
        observer: Callable[[Response], None] | None = None,
    ) -> None:
        """Take the API; see :func:`dynclient.testing.serve` for the rest."""
        self.api = api
        self.responses: list[Response] = []
        self._credentials = credentials
        self._router = Router(api)
        self._store = Store(api, self._router.routes) if stateful else None
        self._seed = seed
        self._limits = limits or Limits()
        self._lock = threading.Lock()
        self._observer = observer
        self._operations: dict[str, model.Operation] = {}

    @property
    def requests(self) -> list[Request]:
        """The requests that came, in order of their answers."""
        return [response.request for response in self.responses if response.request is not None]

    def respond(self, request: Request) -> Response:
        """Answer one request; whatever it is, there is an answer."""
        answering = _Answering(request)
        try:
            response = self._answered(answering)
        except Refusal as refusal:
            response = self._refused(refusal, answering.operation, request)
        except DynclientError as error:
            response = refuse(Refusal(500, f"the document is broken here: {error.message}"), None, "")
        except Exception:
            # A server that stops, or shows a traceback, would hide what the test is about.
            log.exception("%s %s", request.method, request.shown_url)
            response = refuse(Refusal(500, "the mock failed; its log says where"), None, "")
        response = response._replace(request=request._replace(operation_id=answering.name))
        with self._lock:
            self.responses.append(response)
            if len(self.responses) > MAX_KEPT:
                del self.responses[: MAX_KEPT // 2]
        if self._observer is not None:
            self._observer(response)
        return response

    def _answered(self, answering: _Answering) -> Response:
        """Answer as the first operation that takes the request; where none does, refuse it as the first one does."""
        request = answering.request
        matches = self._router.find(request.method, _path(request), urlsplit(request.url).query)
        first: Refusal | None = None
        for match in matches:
            answering.at(match.row)
            answering.operation = self._operation(match.row)
            try:
                return self._answer(answering.operation, match, request)
            except Refusal as refusal:
                if refusal.status != HTTPStatus.BAD_REQUEST:
                    raise
                first = first or refusal
        answering.at(matches[0].row)
        answering.operation = self._operation(matches[0].row)
        raise first or Refusal(400, "no operation takes the request")

    def _operation(self, row: model.OperationRow) -> model.Operation:
        operation = self._operations.get(row.key)
        if operation is None:
            operation = self._operations.setdefault(row.key, self.api.read(row))
        return operation

    def _answer(self, operation: model.Operation, match: Match, request: Request) -> Response:
        check_credentials(self.api, operation, request, self._credentials)
        sent = check_request(operation, match.texts, request, self._limits)
        prefer = preferences(request.headers.get("prefer", ""))
        if self._store is None or "code" in prefer:
            return encode(choose(operation, _accept(request), prefer, self._seed), self._seed)
        with self._lock:
            self._store.check(match)
            answer = choose(operation, _accept(request), prefer, self._seed)
            return encode(self._store.filled(match, answer, sent), self._seed)

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

    def __init__(self, request: Request) -> None:
        self.request = request
        self.operation: model.Operation | None = None
        self.name: str | None = None

    def at(self, row: model.OperationRow) -> None:
        """Name the operation before it is read: it may be broken."""
        self.operation = None
        self.name = row.operation_id or row.key


def app(document: Source | model.API, **options: Any) -> Mock:
    """Make a WSGI application that answers as a document says; ``options`` are those of :func:`serve`."""
    api = document if isinstance(document, model.API) else load(document)
    return Mock(api, **options)


def _path(request: Request) -> str:
    rest = request.url.partition("://")[2]
    return "/" + rest.partition("/")[2].partition("?")[0].partition("#")[0]


def _accept(request: Request) -> str:
    return request.headers.get("accept", "")
