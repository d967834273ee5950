"""A proxy between a client and a real server, which reports where either of them differs from the document.

Rule 1: messages are passed on unchanged, except for the headers of one connection (RFC 9110, 7.6.1).
Rule 2: a difference changes nothing, unless ``fail`` is set: then a wrong request is refused with 400, and a wrong
response is replaced by a 502.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from urllib.parse import unquote, urlsplit

from dynclient import model
from dynclient._mock.mock import Mock, WSGIApplication
from dynclient._mock.responses import error_response
from dynclient._routing import HTTPError
from dynclient.exceptions import ConnectError, DynclientError, TransportError
from dynclient.http_grammar import CONNECTION_FIELDS
from dynclient.messages import Headers, Request, Response, Send
from dynclient.options import Timeout
from dynclient.testing.traffic import Difference, TrafficCheck
from dynclient.transports import Transport

REPORT_HEADER = "Dynclient-Differences"
MAX_HEADER = 4096


class Proxy(WSGIApplication):
    """Passes requests on to ``upstream``. Threads may share it.

    ``coverage`` has the parts of the document that were used (``ledger`` is its former name), ``differences`` those of
    messages from the document, and ``drift`` the counts for :func:`dynclient.drift.report`.
    """

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
        self.api = api
        self._traffic = traffic = TrafficCheck(api)
        self.coverage = self.ledger = traffic.coverage
        self.differences = traffic.differences
        self.drift = traffic.drift
        self._upstream = upstream.rstrip("/")
        self._transport = transport
        self._fail = fail
        self._mock = Mock(api) if mock_missing else None
        self._observer = observer

    def respond(self, request: Request) -> Response:
        """Pass a request on, and its response back."""
        if _leads_out(urlsplit(request.url).path):
            error = HTTPError(400, "the path leads outside the base path of the server behind the proxy")
            refused = replace(error_response(error), request=request)
            if self._observer is not None:
                self._observer(refused, [])
            return refused
        operation, found = self._traffic.operation(request)
        if found and self._fail:
            faults = [one.fault for one in found]
            response = error_response(HTTPError(400, "the request violates the document", faults=faults))
        else:
            response = self._send(request)
            if operation is not None:
                wrong = self._traffic.response(operation, request, response)
                found += wrong
                if wrong and self._fail:
                    faults = [one.fault for one in wrong]
                    response = error_response(HTTPError(502, "the response violates the document", faults=faults))
        self._traffic.keep(found)
        headers = response.headers.replace(REPORT_HEADER, _summary(found)) if found else response.headers
        name = operation.id if operation is not None else None
        response = replace(response, headers=headers, request=replace(request, operation_id=name))
        if self._observer is not None:
            self._observer(response, found)
        return response

    def _send(self, request: Request) -> Response:
        target = urlsplit(request.url)
        url = self._upstream + target.path + (f"?{target.query}" if target.query else "")
        sent = replace(request, url=url, headers=_end_to_end(request.headers))
        try:
            response = self._transport.send(Send(sent, Timeout(), self._traffic.limits))
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
