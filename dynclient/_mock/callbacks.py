"""Callbacks: requests that the mock sends after a response, to URLs that a request named (OAS 3.1.1, Callback Object).

Rule 1: nothing is sent to a host that is not loopback, unless its origin was named: a request must not make the mock
send to other machines. Redirects are not followed, and no credentials are sent.
Rule 2: a callback never delays or changes the response; its response is kept, and a failure is logged in one line.
Rule 3: the number of concurrent callbacks is limited. Others are dropped, with a line in the log.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from dynclient import codecs, model
from dynclient._escaping import logger, one_line
from dynclient._incoming.expressions import context_of, evaluate
from dynclient._mock.responses import Offer
from dynclient._styles import serialize
from dynclient.examples import example, media_example
from dynclient.exceptions import ArgumentError, DynclientError
from dynclient.inspection.arguments import preferred
from dynclient.json_pointer import MISSING
from dynclient.media_types import concrete
from dynclient.messages import Headers, Request, Response, Send, origin
from dynclient.options import Limits, Timeout
from dynclient.security.trust import is_loopback
from dynclient.transports import HTTPTransport

log = logger("dynclient.testing")

_SECONDS = 5.0
# Seconds between a response and its callbacks, so that a client has read the response first.
_PAUSE = 0.05
_MOST_AT_ONCE = 20
_MOST_KEPT = 1000


class Callbacks:
    """Sends the callbacks of operations. ``responses`` are the received ones, each with its ``request``."""

    def __init__(self, origins: Iterable[str]) -> None:
        """Take the allowed origins in addition to loopback, such as ``https://hooks.example.com``.

        Raises:
            ArgumentError: one of them is not an origin.
        """
        self.responses: list[Response] = []
        self._origins = {_checked(text) for text in origins}
        self._free = threading.BoundedSemaphore(_MOST_AT_ONCE)

    def send(self, api: model.API, operation: model.Operation, request: Request, body: Any, response: Response) -> None:
        """Send the callbacks of an answered request, each in its own thread."""
        if not operation.callbacks or response.status >= HTTPStatus.BAD_REQUEST:
            return
        context = context_of(operation.path, request, MISSING if body is None else body)
        context = context._replace(
            status=response.status,
            response_headers=response.headers,
            response_body=_decoded(response),
        )
        try:
            found = api.read_incoming(operation.row)
        except DynclientError as error:
            log.warning("the callbacks of %s are not sent: %s", operation.id, one_line(str(error)))
            return
        for incoming in found:
            try:
                made = _request(incoming.operation, str(evaluate(incoming.expression, context)))
                self._check(made.url)
            except (DynclientError, ValueError) as error:
                log.warning("the callback %s of %s is not sent: %s", incoming.name, operation.id, one_line(str(error)))
                continue
            if self._free.acquire(blocking=False):
                timer = threading.Timer(_PAUSE, self._sent, (incoming.name, made))
                timer.daemon = True
                timer.start()
            else:
                log.warning("the callback %s of %s is dropped: too many are running", incoming.name, operation.id)

    def _check(self, url: str) -> None:
        scheme, host, _ = there = origin(url)
        if scheme not in {"http", "https"} or not host or "@" in url.partition("://")[2].partition("/")[0]:
            raise ValueError(f"{url[:200]!r} is not an http or https URL")
        if there not in self._origins and not is_loopback(host):
            shown = f"{scheme}://{url.partition('://')[2].partition('/')[0]}"
            hint = "--callback-origin or callback_origins= allows it"
            raise ValueError(f"{shown} is neither on this machine nor an allowed origin: {hint}")

    def _sent(self, name: str, request: Request) -> None:
        transport = HTTPTransport(limits=Limits(response_bytes=100_000))
        try:
            each = Timeout(_SECONDS, _SECONDS, _SECONDS, _SECONDS, _SECONDS)
            response = transport.send(Send(request, each, Limits(), time.monotonic() + _SECONDS))
        except DynclientError as error:
            log.warning("the callback %s failed: %s", name, one_line(str(error)))
        else:
            self.responses.append(response)
            del self.responses[:-_MOST_KEPT]
            if response.status >= HTTPStatus.BAD_REQUEST:
                log.warning("the callback %s got the status %s", name, response.status)
        finally:
            transport.close()
            self._free.release()


def _checked(text: str) -> tuple[str, str, int]:
    try:
        found = origin(text)
    except ValueError:
        found = ("", "", 0)
    if found[0] not in {"http", "https"} or not found[1]:
        raise ArgumentError(
            f"{text!r} is not an origin", argument="callback_origins", hint='write it as "https://hooks.example.com"'
        )
    return found


def _decoded(response: Response) -> Any:
    """The body of one of our responses; MISSING if it has no readable body."""
    content_type = response.content_type
    if content_type is None or not isinstance(response.body, bytes) or not response.body:
        return MISSING
    try:
        return codecs.find(content_type).decode(response.body, None, content_type, Limits())
    except DynclientError:
        return MISSING


def _request(operation: model.Operation, url: str) -> Request:
    """A valid request of a callback: its required headers, and its body."""
    headers = [
        (one.name, serialize(example(one.schema), name=one.name, in_="header", style="simple", explode=one.explode))
        for one in operation.parameters
        if one.in_ == "header" and one.required and one.schema is not None
    ]
    media_type = preferred(operation.body) if operation.body is not None else None
    if media_type is None:
        return Request(operation.method, url, Headers(headers), None)
    written = Offer(media_type, concrete(media_type.media_range)).response(200, headers, media_example(media_type))
    return Request(operation.method, url, written.headers, written.body)
