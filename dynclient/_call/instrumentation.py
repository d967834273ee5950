"""Instrumentation of calls: hooks, and the logger ``dynclient``.

A hook is an object with any of the methods of the protocols below. Each is called with one frozen value, in the thread
or task of the call, which waits for it. An exception in a hook ends the call, and is raised unchanged. ``on_exchange``
starts a span around each request that is sent: it can add headers, and is called back when the exchange has ended.
``on_reload`` is called in the thread that watches a document.

The log has one line for each call at INFO, and the headers of each message at DEBUG.

Rule 1: hooks and logs see no secrets and no values of query parameters.
Rule 2: a call without hooks, with logging off, has no Instrumentation.
Rule 3: headers that a hook adds apply only to this attempt, not to ``prepare()`` or the next attempt. They replace no
credential, and are not sent to another origin after a redirect.
Rule 4: a span that was started is ended once, also when the call is interrupted.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from dynclient._escaping import logger
from dynclient._records import Record
from dynclient._secrets import MASK, SECRET_HEADERS, is_secret_header
from dynclient.exceptions import DynclientError, escaped
from dynclient.messages import Headers, Request, Response

if TYPE_CHECKING:
    from dynclient.changes import Changes

log = logger()

_CALLS = itertools.count(1)
# Their values are URLs, and may repeat parts of the request's URL.
_URLS = frozenset({"content-location", "link", "location"})


class RequestEvent(Record):
    """A request is about to be sent. ``call`` is the same number in all events of a call; ``attempt`` counts from 1.

    ``url`` has no query values, and secret ``headers`` are masked.
    """

    call: int
    operation_id: str
    method: str
    url: str
    headers: Headers
    attempt: int


class ResponseEvent(Record):
    """A response has arrived; its body may not be complete. ``elapsed`` is in seconds."""

    call: int
    operation_id: str
    method: str
    url: str
    status: int
    headers: Headers
    attempt: int
    elapsed: float


class RetryEvent(Record):
    """A request will be sent again in ``wait`` seconds: after a response, or an ``error`` without one.

    ``attempt`` is the failed one.
    """

    call: int
    operation_id: str
    method: str
    url: str
    attempt: int
    wait: float
    status: int | None = None
    error: DynclientError | None = None


class ExchangeEvent(Record):
    """A request is about to be sent, once.

    ``call`` is the same number in all events of a call, and ``attempt`` counts all its requests from 1. ``url`` has no
    query values; ``origin`` is scheme, host and port. ``template`` is the path template of the document,
    ``/calls/{callId}``, or "" if the request is for a token or follows a redirect.
    """

    call: int
    operation_id: str
    method: str
    url: str
    origin: tuple[str, str, int]
    template: str
    attempt: int


class ExchangeEnd(Record):
    """How an exchange ended: with a ``status``, with an ``error``, or with both if its body was invalid.

    For a streamed response, only the head has arrived. ``error`` is a GeneratorExit if the call was interrupted or
    cancelled. ``elapsed`` is in seconds.
    """

    status: int | None
    error: BaseException | None
    elapsed: float


class ExchangeSpan(Record):
    """The result of ``on_exchange``: ``headers`` to send with the request, and a function to call at the end."""

    headers: Mapping[str, str]
    ended: Callable[[ExchangeEnd], object]


class ReloadEvent(Record):
    """A watched document was read again: with ``changes``, or with an ``error``; then the old one is kept."""

    document: str
    changes: Changes | None = None
    error: DynclientError | None = None


class RequestHook(Protocol):
    """Sees requests."""

    def on_request(self, event: RequestEvent, /) -> object:
        """A request is about to be sent."""


class ResponseHook(Protocol):
    """Sees responses."""

    def on_response(self, event: ResponseEvent, /) -> object:
        """A response has arrived."""


class RetryHook(Protocol):
    """Sees retries."""

    def on_retry(self, event: RetryEvent, /) -> object:
        """A request will be sent again."""


class ExchangeHook(Protocol):
    """Starts a span around each request."""

    def on_exchange(self, event: ExchangeEvent, /) -> ExchangeSpan | None:
        """A request is about to be sent; None for no span."""


class ReloadHook(Protocol):
    """Sees reloads of a watched document."""

    def on_reload(self, event: ReloadEvent, /) -> object:
        """The document was read again, or could not be."""


Hook = RequestHook | ResponseHook | RetryHook | ExchangeHook | ReloadHook


class Hop(Record):
    """A request's part in its call: its path template, and whether it follows a redirect to another origin."""

    template: str = ""
    is_foreign: bool = False


class Instrumentation:
    """Calls the hooks of one call, and writes its log."""

    __slots__ = ("_call", "_hooks", "_operation_id", "_started", "clock")

    def __init__(self, operation_id: str, hooks: tuple[Hook, ...], clock: Callable[[], float], started: float) -> None:
        """``started`` is a reading of the clock."""
        self.clock = clock
        self._operation_id = operation_id
        self._hooks = hooks
        self._started = started
        self._call = next(_CALLS) if hooks else 0

    def exchange(self, request: Request, hop: Hop, attempt: int) -> InstrumentedExchange:
        """A request is about to be sent: start the spans of the hooks."""
        named = self._named(request)
        if log.isEnabledFor(logging.DEBUG):
            log.debug("%s > %s %s", *named[1:])
            for name, value in _shown(request.with_no_secrets().headers):
                log.debug("%s > %s: %s", self._operation_id, name, value)
        for hook in self._with("on_request"):
            hook(RequestEvent(*named, request.with_no_secrets().headers, attempt))
        event = ExchangeEvent(*named, request.origin, escaped(hop.template), attempt)
        spans = [span for hook in self._with("on_exchange") if (span := hook(event)) is not None]
        return InstrumentedExchange(self, request, hop, attempt, spans)

    def answered(self, response: Response, request: Request, attempt: int, *, drops_cookies: bool) -> None:
        """A response has arrived."""
        if log.isEnabledFor(logging.DEBUG):
            if drops_cookies and "set-cookie" in response.headers:
                log.debug("%s: the cookies of the response are dropped; cookies=True keeps them", self._operation_id)
            log.debug("%s < %s", self._operation_id, response.status)
            for name, value in _shown(_bare(response, request)):
                log.debug("%s < %s: %s", self._operation_id, name, value)
        for hook in self._with("on_response"):
            headers = Headers(_shown(_bare(response, request)))
            hook(ResponseEvent(*self._named(request), response.status, headers, attempt, response.elapsed))

    def repeats(self, request: Request, attempt: int, wait: float, cause: Response | DynclientError) -> None:
        """A request will be sent again in ``wait`` seconds, because of this response or error."""
        status, error = (cause.status, None) if isinstance(cause, Response) else (None, cause)
        if log.isEnabledFor(logging.DEBUG):
            log.debug("%s: again in %.3f s, after %s", self._operation_id, wait, status or type(error).__name__)
        for hook in self._with("on_retry"):
            hook(RetryEvent(*self._named(request), attempt, wait, status, error))

    def ended(self, request: Request, outcome: object, attempts: int) -> None:
        """The call is over. ``outcome`` is the status, or the exception."""
        if log.isEnabledFor(logging.INFO):
            shown = outcome
            if isinstance(outcome, BaseException):
                status = getattr(outcome, "status", 0)
                shown = type(outcome).__name__ + (f" ({status})" if status else "")
            plural = "s" if attempts != 1 else ""
            took = round((self.clock() - self._started) * 1000)
            named = self._named(request)[1:]
            log.info("%s: %s %s -> %s, %d attempt%s, %d ms", *named, shown, attempts, plural, took)

    def _named(self, request: Request) -> tuple[int, str, str, str]:
        return self._call, self._operation_id, request.method, escaped(request.logged_url)

    def _with(self, event: str) -> list[Any]:
        return [method for hook in self._hooks if (method := getattr(hook, event, None)) is not None]


class InstrumentedExchange:
    """One exchange, within the spans of hooks. ``request`` is the one to send, with the headers of the spans."""

    __slots__ = ("_attempt", "_instrumentation", "_plain", "_spans", "_started", "request")

    def __init__(
        self, instrumentation: Instrumentation, request: Request, hop: Hop, attempt: int, spans: list[ExchangeSpan]
    ) -> None:
        self._instrumentation = instrumentation
        self._plain = request
        self._attempt = attempt
        self._spans = spans
        self._started = instrumentation.clock()
        headers = request.headers
        for span in spans:
            for name, value in span.headers.items():
                if not hop.is_foreign and not is_secret_header(name, request.secrets):
                    headers = headers.replace(name, value)
        self.request = request if headers is request.headers else replace(request, headers=headers)

    def answered(self, response: Response, *, drops_cookies: bool) -> None:
        """The response has arrived."""
        self._end(response.status, None)
        self._instrumentation.answered(response, self._plain, self._attempt, drops_cookies=drops_cookies)

    def failed(self, error: BaseException) -> None:
        """The exchange failed, or was interrupted."""
        self._end(getattr(error, "status", None) or None, error)

    def _end(self, status: int | None, error: BaseException | None) -> None:
        end = ExchangeEnd(status, error, self._instrumentation.clock() - self._started)
        for span in self._spans:
            span.ended(end)


def _bare(response: Response, request: Request) -> Headers:
    """A response's headers without the request's secrets, which a server may repeat."""
    return replace(response, request=request, body=b"").with_no_secrets().headers


def _shown(headers: Headers) -> list[tuple[str, str]]:
    """Header lines for display: without cookies, and without query values of URLs."""
    return [(name, _masked(name.lower(), value)) for name, value in headers.pairs()]


def _masked(name: str, value: str) -> str:
    if name in SECRET_HEADERS:
        return MASK
    before, mark, _ = value.partition("?")
    return escaped(f"{before}?{MASK}" if mark and name in _URLS else value)
