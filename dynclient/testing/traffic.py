"""Check real traffic against a document: the differences of requests and responses, and the parts that are used."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from dynclient import model
from dynclient._incoming.requests import check_request
from dynclient._mock.checks import check_credentials
from dynclient._mock.coverage import Coverage
from dynclient._response import ResponseReader
from dynclient._routing import HTTPError, Match, Router
from dynclient.drift import Recorder
from dynclient.exceptions import DynclientError, Fault
from dynclient.messages import Request, Response
from dynclient.options import Limits

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


class TrafficCheck:
    """Checks exchanges against a document, and keeps their ``coverage`` and ``differences``. Threads may share it."""

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
