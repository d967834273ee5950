"""A proxy between a client and a real server, which reports where either of them differs from the document.

Rule 1: messages are passed on as they came, except for the headers of one connection (RFC 9110, 7.6.1).
Rule 2: a difference changes nothing, unless ``fail`` is set: then a wrong request is refused with 400, and a wrong
response is replaced by a 502.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from dynclient import model
from dynclient._mock.checks import check_credentials, check_request
from dynclient._mock.coverage import Coverage
from dynclient._mock.mock import WSGIApplication
from dynclient._mock.responses import HTTPError, error_response
from dynclient._mock.routing import Match, Router
from dynclient._response import ResponseReader
from dynclient.exceptions import DynclientError, Fault, TransportError
from dynclient.http_grammar import CONNECTION_FIELDS
from dynclient.messages import Headers, Request, Response, Send
from dynclient.options import Limits, Timeout
from dynclient.transports import Transport

REPORT_HEADER = "Dynclient-Differences"
MAX_HEADER = 4096
MAX_DIFFERENCES = 10_000


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference of a message from the document. ``direction`` is request or response."""

    direction: str
    operation: str
    request_line: str
    status: int | None
    fault: Fault

    def as_data(self) -> dict[str, Any]:
        """The difference as plain data."""
        location = {"place": str(self.fault.location)} if self.fault.location else {}
        return {
            "direction": self.direction,
            "operation": self.operation,
            "request": self.request_line,
            "status": self.status,
            "path": self.fault.path,
            "message": self.fault.message,
            **location,
        }

    def __str__(self) -> str:
        status = f" -> {self.status}" if self.status is not None else ""
        return f"{self.direction} of {self.operation or self.request_line}{status}: {self.fault}"


class Proxy(WSGIApplication):
    """Passes requests on to ``upstream``, and keeps ``coverage`` and ``differences``. Threads may share it."""

    def __init__(
        self,
        api: model.API,
        upstream: str,
        transport: Transport,
        *,
        fail: bool = False,
        observer: Callable[[Response, list[Difference]], None] | None = None,
    ) -> None:
        """Take the document, the server's base URL, and the transport to it."""
        self.api = api
        self.coverage = Coverage(api)
        self.differences: list[Difference] = []
        self._upstream = upstream.rstrip("/")
        self._transport = transport
        self._fail = fail
        self._observer = observer
        self._router = Router(api)
        self._limits = Limits()
        self._lock = threading.Lock()

    @property
    def ledger(self) -> Coverage:
        """The former name of ``coverage``."""
        return self.coverage

    def respond(self, request: Request) -> Response:
        """Pass a request on, and its response back."""
        operation, faults = self._request_faults(request)
        name = operation.id if operation is not None else ""
        line = f"{request.method} {urlsplit(request.shown_url).path}"
        found = [Difference("request", name, line, None, fault) for fault in faults]
        if found and self._fail:
            response = error_response(HTTPError(400, "the request breaks the document", faults=faults))
        else:
            response = self._send(request)
            if operation is not None:
                self.coverage.record(operation, request, response)
                wrong = ResponseReader(operation, self._limits).differences(response)
                found += [Difference("response", name, line, response.status, fault) for fault in wrong]
                if wrong and self._fail:
                    response = error_response(HTTPError(502, "the response breaks the document", faults=wrong))
        with self._lock:
            self.differences += found[: MAX_DIFFERENCES - len(self.differences)]
        headers = response.headers.replace(REPORT_HEADER, _summary(found)) if found else response.headers
        response = replace(response, headers=headers, request=replace(request, operation_id=name or None))
        if self._observer is not None:
            self._observer(response, found)
        return response

    def _request_faults(self, request: Request) -> tuple[model.Operation | None, list[Fault]]:
        """The operation, and the request's faults; of several operations, the first that accepts the request."""
        parts = urlsplit(request.url)
        try:
            matches = self._router.find(request.method, parts.path or "/", parts.query)
        except HTTPError as error:
            return None, [Fault("", error.detail)]
        checked = [self._check(match, request) for match in matches]
        return next((one for one in checked if not one[1]), checked[0])

    def _check(self, match: Match, request: Request) -> tuple[model.Operation | None, list[Fault]]:
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
            except HTTPError as error:  # both run, and each may fail
                found += error.faults or [Fault("", error.detail)]
            except DynclientError as error:
                found.append(Fault("", error.message))
        return operation, found

    def _send(self, request: Request) -> Response:
        target = urlsplit(request.url)
        url = self._upstream + target.path + (f"?{target.query}" if target.query else "")
        sent = replace(request, url=url, headers=_end_to_end(request.headers))
        try:
            response = self._transport.send(Send(sent, Timeout(), self._limits))
        except TransportError as error:
            status = 504 if isinstance(error, TimeoutError) else 502
            return error_response(HTTPError(status, f"the server could not be reached: {error.message}"))
        except DynclientError as error:
            return error_response(HTTPError(502, f"the server's response is not usable: {error.message}"))
        # The transport has decoded the content codings.
        return replace(response, headers=_end_to_end(response.headers).without("content-encoding"))


def _end_to_end(headers: Headers) -> Headers:
    """The headers that are not for one connection only."""
    named = {name.strip().lower() for name in headers.get("connection", "").split(",")}
    return Headers(pair for pair in headers.pairs() if pair[0].lower() not in CONNECTION_FIELDS | named)


def _summary(found: list[Difference]) -> str:
    """Differences as a header's value: JSON in ASCII with their count, and as many as there is room for."""
    data = [one.as_data() for one in found]
    texts = (json.dumps({"count": len(data), "differences": data[:count]}) for count in range(len(data), -1, -1))
    return next(text for text in texts if len(text) <= MAX_HEADER)
