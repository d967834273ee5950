"""Between a client and a real server: passes on, and tells where either of them differs from the document.

Rule 1: what comes is passed on as it came, but for what concerns one connection only (RFC 9110, 7.6.1).
Rule 2: a difference changes nothing, unless ``fail`` is wished: then a wrong request is refused, and a wrong response
is replaced by a 502.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

from dynclient import model
from dynclient._records import Record
from dynclient._response import Reader
from dynclient.exceptions import (
    ApiError,
    DynclientError,
    Fault,
    ResponseError,
    ResponseValidationError,
    TimeoutError,  # noqa: A004  # dynclient's own, which is also Python's
    TransportError,
)
from dynclient.http_grammar import CONNECTION_FIELDS
from dynclient.messages import Headers, Request, Response, Send
from dynclient.options import Limits, Timeout
from dynclient.testing.checks import check_request
from dynclient.testing.credentials import check_credentials
from dynclient.testing.ledger import Ledger
from dynclient.testing.refusals import Refusal, refuse
from dynclient.testing.routing import Match, Router
from dynclient.testing.wsgi import answer
from dynclient.transports import Transport

log = logging.getLogger("dynclient.testing")

REPORT = "Dynclient-Differences"
MAX_HEADER = 4096
MAX_DIFFERENCES = 10_000


class Difference(Record):
    """Where a message differs from the document. ``direction`` is request or response."""

    direction: str
    operation: str
    request_line: str
    status: int | None
    fault: Fault

    def as_data(self) -> dict[str, Any]:
        """The difference as plain data."""
        place = {"place": str(self.fault.place)} if self.fault.place else {}
        return {
            "direction": self.direction,
            "operation": self.operation,
            "request": self.request_line,
            "status": self.status,
            "path": self.fault.path,
            "message": self.fault.message,
            **place,
        }

    def __str__(self) -> str:
        status = f" -> {self.status}" if self.status is not None else ""
        return f"{self.direction} of {self.operation or self.request_line}{status}: {self.fault}"


class Proxy:
    """Passes requests on to ``upstream``. ``ledger`` and ``differences`` tell what it saw. Shared by threads."""

    def __init__(
        self,
        api: model.API,
        upstream: str,
        transport: Transport,
        *,
        fail: bool = False,
        observer: Callable[[Response, list[Difference]], None] | None = None,
    ) -> None:
        """Take the document, the server's base URL, and what sends to it."""
        self.api = api
        self.ledger = Ledger(api)
        self.differences: list[Difference] = []
        self._upstream = upstream.rstrip("/")
        self._transport = transport
        self._fail = fail
        self._observer = observer
        self._router = Router(api)
        self._limits = Limits()
        self._lock = threading.Lock()

    def respond(self, request: Request) -> Response:
        """Pass a request on, and its response back."""
        operation, faults = self._asked(request)
        name = operation.id if operation is not None else ""
        line = f"{request.method} {urlsplit(request.shown_url).path}"
        found = [Difference("request", name, line, None, fault) for fault in faults]
        if found and self._fail:
            response = refuse(Refusal(400, "the request breaks the document", faults=faults), None, "")
        else:
            response = self._sent(request)
            if operation is not None:
                self.ledger.note(operation, request, response)
                wrong = _faults(operation, response, self._limits)
                found += [Difference("response", name, line, response.status, fault) for fault in wrong]
                if wrong and self._fail:
                    response = refuse(Refusal(502, "the response breaks the document", faults=wrong), None, "")
        return self._told(request._replace(operation_id=name or None), response, found)

    def _told(self, request: Request, response: Response, found: list[Difference]) -> Response:
        with self._lock:
            self.differences += found[: MAX_DIFFERENCES - len(self.differences)]
        if found:
            response = response._replace(headers=response.headers.replace(REPORT, summary(found)))
        response = response._replace(request=request)
        if self._observer is not None:
            self._observer(response, found)
        return response

    def _asked(self, request: Request) -> tuple[model.Operation | None, list[Fault]]:
        """The operation, and how the request differs; of several that it may be for, the first that takes it."""
        parts = urlsplit(request.url)
        try:
            matches = self._router.find(request.method, parts.path or "/", parts.query)
        except Refusal as refusal:
            return None, [Fault("", refusal.detail)]
        first: tuple[model.Operation | None, list[Fault]] | None = None
        for match in matches:
            checked = self._checked(match, request)
            if not checked[1]:
                return checked
            first = first or checked
        return first or (None, [])

    def _checked(self, match: Match, request: Request) -> tuple[model.Operation | None, list[Fault]]:
        try:
            operation = self.api.read(match.row)
        except DynclientError as error:
            return None, [Fault("", f"the document is broken here: {error.message}")]
        found: list[Fault] = []
        for check in (
            lambda: check_credentials(self.api, operation, request, None),
            lambda: check_request(operation, match.texts, request, self._limits),
        ):
            try:
                check()
            except Refusal as refusal:  # both are asked, and each may refuse
                found += refusal.faults or [Fault("", refusal.detail)]
            except DynclientError as error:
                found.append(Fault("", error.message))
        return operation, found

    def _sent(self, request: Request) -> Response:
        target = urlsplit(request.url)
        url = self._upstream + target.path + (f"?{target.query}" if target.query else "")
        sent = request._replace(url=url, headers=passed(request.headers))
        try:
            response = self._transport.send(Send(sent, Timeout(), self._limits))
        except TransportError as error:
            status = 504 if isinstance(error, TimeoutError) else 502
            return refuse(Refusal(status, f"the server could not be asked: {error.message}"), None, "")
        except DynclientError as error:
            return refuse(Refusal(502, f"the server's answer can't be taken: {error.message}"), None, "")
        # The transport has undone the content codings.
        return response._replace(headers=passed(response.headers).without("content-encoding"))

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[[str, list[tuple[str, str]]], Any]
    ) -> Iterable[bytes]:
        """Answer as a WSGI application (PEP 3333)."""
        return answer(self, environ, start_response)


def passed(headers: Headers) -> Headers:
    """The headers that are not for one connection only."""
    named = {name.strip().lower() for name in headers.get("connection", "").split(",")}
    return Headers(pair for pair in headers.pairs() if pair[0].lower() not in CONNECTION_FIELDS | named)


def summary(found: list[Difference]) -> str:
    """Differences as a header's value: JSON in ASCII, as many as have room, and how many there are."""
    data = [one.as_data() for one in found]
    for count in range(len(data), -1, -1):
        text = json.dumps({"count": len(data), "differences": data[:count]}, ensure_ascii=True)
        if len(text) <= MAX_HEADER:
            return text
    return json.dumps({"count": len(data)})


def _faults(operation: model.Operation, response: Response, limits: Limits) -> list[Fault]:
    """How a response differs."""
    wrong: BaseException | None = None
    try:
        Reader(operation, limits).read(response)
    except ApiError as error:
        wrong = error.__cause__
    except ResponseError as error:
        wrong = error
    except DynclientError as error:
        return [Fault("", f"the document is broken here: {error.message}")]
    if isinstance(wrong, ResponseValidationError) and wrong.errors:
        return list(wrong.errors)
    return [Fault("", wrong.message)] if isinstance(wrong, ResponseError) else []
