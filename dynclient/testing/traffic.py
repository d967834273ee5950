"""Check real traffic against a document: the differences of messages, the parts that are used, and a proxy.

Rule 1: the proxy passes messages on unchanged, except for the headers of one connection (RFC 9110, 7.6.1).
Rule 2: messages that differ are passed on, unless ``fail`` is set: then a wrong request is refused with 400, and a
wrong response replaced by a 502.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote, urlsplit

from dynclient import model
from dynclient._incoming.requests import HTTPError, Match, Router, check_request
from dynclient._mock.checks import check_credentials
from dynclient._mock.coverage import Coverage
from dynclient._mock.mock import Mock, WSGIApplication
from dynclient._mock.responses import error_response
from dynclient._response import ResponseReader
from dynclient.drift import Recorder
from dynclient.exceptions import ConnectError, DynclientError, Fault, TransportError
from dynclient.http_grammar import CONNECTION_FIELDS
from dynclient.messages import Headers, Request, Response, Send
from dynclient.options import Limits, Timeout
from dynclient.transports import Transport

MAX_DIFFERENCES = 10_000
REPORT_HEADER = "Dynclient-Differences"
MAX_HEADER = 4096


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


class TrafficCheck:
    """Checks exchanges against a document. Threads may share it.

    ``coverage`` has the parts of the document that were used, ``differences`` those of messages from the document, and
    ``drift`` the counts for :func:`dynclient.drift.report`.
    """

    def __init__(self, api: model.API) -> None:
        """Take the document."""
        self.api = api
        self.coverage = Coverage(api)
        self.differences: list[Difference] = []
        self.drift = Recorder(api)
        self.limits = Limits()
        self._router = Router(api)
        self._lock = threading.Lock()

    def operation(self, request: Request) -> tuple[model.Operation | None, list[Difference]]:
        """Find the operation of a request, and the request's differences from it.

        Of several operations the first that accepts the request is used; if there is none, that is the only difference.
        """
        parts = urlsplit(request.url)
        try:
            matches = self._router.find(request.method, parts.path or "/", parts.query)
        except HTTPError as error:
            return None, _differences("request", None, request, None, [Fault("", error.detail)])
        checked = [self._check(match, request) for match in matches]
        operation, faults = next((one for one in checked if not one[1]), checked[0])
        return operation, _differences("request", operation, request, None, faults)

    def arguments(self, operation: model.Operation, request: Request) -> tuple[Mapping[tuple[str, str], Any], Any]:
        """The parameters of a request by location and name, and its body; unreadable values are left out."""
        parts = urlsplit(request.url)
        matches = self._router.find(request.method, parts.path or "/", parts.query)
        texts = next((one.texts for one in matches if one.row is operation.row), {})
        values = check_request(operation, texts, request, self.limits, strict=False)
        return values.parameters, values.body

    def response(self, operation: model.Operation, request: Request, response: Response) -> list[Difference]:
        """Record an exchange in the coverage, and return its response's differences from the document."""
        self.coverage.record(operation, request, response)
        faults = ResponseReader(operation, self.limits, "record", recorder=self.drift).differences(response)
        return _differences("response", operation, request, response.status, faults)

    def keep(self, found: Iterable[Difference]) -> None:
        """Keep differences, at most MAX_DIFFERENCES of them."""
        with self._lock:
            self.differences += list(found)[: MAX_DIFFERENCES - len(self.differences)]

    def check(self, request: Request, response: Response) -> None:
        """Check an exchange, and keep its differences."""
        operation, found = self.operation(request)
        self.keep([*found, *(self.response(operation, request, response) if operation is not None else ())])

    def _check(self, match: Match, request: Request) -> tuple[model.Operation | None, list[Fault]]:
        try:
            operation = self.api.read(match.row)
        except DynclientError as error:
            return None, [Fault("", f"the document is invalid here: {error.message}")]
        found: list[Fault] = []
        for check in (
            lambda: check_credentials(self.api, operation, request, None),
            lambda: check_request(operation, match.texts, request, self.limits),
        ):
            try:
                check()
            except HTTPError as error:  # both run, and each may fail
                found += error.faults or [Fault("", error.detail)]
            except DynclientError as error:
                found.append(Fault("", error.message))
        return operation, found


def _differences(
    direction: str, operation: model.Operation | None, request: Request, status: int | None, faults: Iterable[Fault]
) -> list[Difference]:
    name = operation.id if operation is not None else ""
    line = f"{request.method} {urlsplit(request.shown_url).path}"
    return [Difference(direction, name, line, status, fault) for fault in faults]


class Proxy(TrafficCheck, WSGIApplication):
    """Passes requests on to ``upstream``, and checks them and their responses. Threads may share it."""

    def __init__(
        self,
        api: model.API,
        upstream: str,
        transport: Transport,
        *,
        fail: bool = False,
        mock_missing: bool = False,
        observer: Callable[[Response, list[Difference]], None] | None = None,
    ) -> None:
        """Take the document, the server's base URL, and the transport to it."""
        super().__init__(api)
        self._upstream = upstream.rstrip("/")
        self._transport = transport
        self._fail = fail
        self._mock = Mock(api) if mock_missing else None
        self._observer = observer

    def respond(self, request: Request) -> Response:
        """Pass a request on, and its response back."""
        if _leads_out(urlsplit(request.url).path):
            error = HTTPError(400, "the path leads outside the base path of the server behind the proxy")
            return self._observed(replace(error_response(error), request=request), [])
        operation, found = self.operation(request)
        response = self._refusal(400, "request", found)
        if response is None:
            response = self._send(request)
            if operation is not None:
                wrong = self.response(operation, request, response)
                found += wrong
                response = self._refusal(502, "response", wrong) or response
        self.keep(found)
        headers = response.headers.replace(REPORT_HEADER, _summary(found)) if found else response.headers
        name = operation.id if operation is not None else None
        return self._observed(replace(response, headers=headers, request=replace(request, operation_id=name)), found)

    def _refusal(self, status: int, message: str, found: list[Difference]) -> Response | None:
        if not (found and self._fail):
            return None
        faults = [one.fault for one in found]
        return error_response(HTTPError(status, f"the {message} violates the document", faults=faults))

    def _observed(self, response: Response, found: list[Difference]) -> Response:
        if self._observer is not None:
            self._observer(response, found)
        return response

    def _send(self, request: Request) -> Response:
        target = urlsplit(request.url)
        url = self._upstream + target.path + (f"?{target.query}" if target.query else "")
        sent = replace(request, url=url, headers=_end_to_end(request.headers))
        try:
            response = self._transport.send(Send(sent, Timeout(), self.limits))
        except TransportError as error:
            if self._mock is not None and isinstance(error, ConnectError):
                return self._mock.respond(request)
            status = 504 if isinstance(error, TimeoutError) else 502
            return error_response(HTTPError(status, f"the server could not be reached: {error.message}"))
        except DynclientError as error:
            return error_response(HTTPError(502, f"the server's response is not usable: {error.message}"))
        if self._mock is not None and response.status == HTTPStatus.NOT_IMPLEMENTED:
            return self._mock.respond(request)
        # The transport has decoded the content codings.
        return replace(response, headers=_end_to_end(response.headers).without("content-encoding"))


def _leads_out(path: str) -> bool:
    """Whether a server could resolve a path to one above its base path, as it is or decoded once or twice."""
    for _ in range(4):
        depth = 0
        for segment in path.replace("\\", "/").split("/"):
            # Some servers take `..;x` for `..` (RFC 3986, 3.3: parameters of a segment), and `//` for `/`.
            name = segment.partition(";")[0]
            depth += -1 if name == ".." else name not in {"", "."}
            if depth < 0:
                return True
        path = unquote(path)
    return False


def _end_to_end(headers: Headers) -> Headers:
    """The headers that are not for one connection only."""
    named = {name.strip().lower() for name in headers.get("connection", "").split(",")}
    return Headers(pair for pair in headers.pairs() if pair[0].lower() not in CONNECTION_FIELDS | named)


def _summary(found: list[Difference]) -> str:
    """Differences as a header's value: JSON in ASCII with their count, and as many as fit."""
    data = [one.as_data() for one in found]
    texts = (json.dumps({"count": len(data), "differences": data[:count]}) for count in range(len(data), -1, -1))
    return next(text for text in texts if len(text) <= MAX_HEADER)
