"""What others may see of a call: hooks, and the logger ``dynclient``.

A hook is an object with any of ``on_request``, ``on_response`` and ``on_retry``. Each is given one frozen value, in the
thread or task of the call, which waits for it; what it raises ends the call, and comes out of it as it is. Its
``on_exchange`` goes along with requests (:mod:`dynclient._call.accompanying`), and its ``on_reload`` is called in the
thread that watches a document.
The log has one line for each call at INFO, and the headers of each message at DEBUG.
Rule 1: neither a hook nor a log sees a secret, or a value of a query.
Rule 2: what nobody looks at is not computed.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from dynclient._call.accompanying import Company, ExchangeHook, Leg, event_of, joined
from dynclient._records import Record
from dynclient.exceptions import DynclientError, escaped
from dynclient.messages import MASK, Headers, Request, Response

if TYPE_CHECKING:
    from dynclient.changes import Changes

log = logging.getLogger("dynclient")

_CALLS = itertools.count(1)
# Their values are URLs, and may repeat what was in ours.
_URLS = frozenset({"content-location", "link", "location"})


class RequestEvent(Record):
    """A request is about to be sent. ``call`` is the same number in all events of a call; ``attempt`` counts from 1.

    ``url`` is without values of its query, and secret ``headers`` are masked.
    """

    call: int
    operation_id: str
    method: str
    url: str
    headers: Headers
    attempt: int


class ResponseEvent(Record):
    """A response has come; its body may be still on its way. ``elapsed`` is in seconds."""

    call: int
    operation_id: str
    method: str
    url: str
    status: int
    headers: Headers
    attempt: int
    elapsed: float


class RetryEvent(Record):
    """A request will be sent again in ``wait`` seconds: after a response with ``status``, or an ``error`` without one.

    ``attempt`` is the one that failed.
    """

    call: int
    operation_id: str
    method: str
    url: str
    attempt: int
    wait: float
    status: int | None = None
    error: DynclientError | None = None


class ReloadEvent(Record):
    """A watched document was read again: with ``changes``, or with the ``error`` for which the old one stays."""

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
        """A response has come."""


class RetryHook(Protocol):
    """Sees repetitions."""

    def on_retry(self, event: RetryEvent, /) -> object:
        """A request will be sent again."""


class ReloadHook(Protocol):
    """Sees that a watched document was read again."""

    def on_reload(self, event: ReloadEvent, /) -> object:
        """The document was read again, or could not be."""


Hook = RequestHook | ResponseHook | RetryHook | ExchangeHook | ReloadHook

EVENTS = ("on_request", "on_response", "on_retry", "on_exchange", "on_reload")
"""What a hook may have."""


class Watch:
    """Tells of one call to those who look."""

    __slots__ = ("_call", "_clock", "_hooks", "_operation_id", "_started")

    def __init__(self, operation_id: str, hooks: tuple[Hook, ...], clock: Callable[[], float], started: float) -> None:
        """Take who looks; ``started`` is a reading of the call's clock."""
        self._operation_id = operation_id
        self._hooks = hooks
        self._clock = clock
        self._started = started
        self._call = next(_CALLS) if hooks else 0

    def asks(self, request: Request, attempt: int) -> None:
        """A request is about to be sent."""
        if log.isEnabledFor(logging.DEBUG):
            log.debug("%s > %s %s", self._operation_id, *self._line(request))
            for name, value in _shown(request.with_no_secrets().headers):
                log.debug("%s > %s: %s", self._operation_id, name, value)
        for hook in self._with("on_request"):
            headers = request.with_no_secrets().headers
            hook(RequestEvent(self._call, self._operation_id, *self._line(request), headers, attempt))

    def accompanied(self, request: Request, leg: Leg, attempt: int) -> tuple[Request, Company | None]:
        """The request as it is sent, and who has to be told how that ended."""
        hooks = self._with("on_exchange")
        if not hooks:
            return request, None
        event = event_of(self._call, self._operation_id, request, leg, attempt)
        companions = [companion for hook in hooks if (companion := hook(event)) is not None]
        return joined(request, companions, leg), Company(companions, self._clock)

    def answered(self, response: Response, request: Request, attempt: int) -> None:
        """A response has come."""
        if log.isEnabledFor(logging.DEBUG):
            log.debug("%s < %s", self._operation_id, response.status)
            for name, value in _shown(_bare(response, request)):
                log.debug("%s < %s: %s", self._operation_id, name, value)
        for hook in self._with("on_response"):
            headers = Headers(_shown(_bare(response, request)))
            method, url = self._line(request)
            named = (self._call, self._operation_id, method, url)
            hook(ResponseEvent(*named, response.status, headers, attempt, response.elapsed))

    def repeats(self, request: Request, attempt: int, wait: float, cause: Response | DynclientError) -> None:
        """A request will be sent again."""
        why = {"status": cause.status} if isinstance(cause, Response) else {"error": cause}
        if log.isEnabledFor(logging.DEBUG):
            log.debug("%s: again in %.3f s, after %s", self._operation_id, wait, *_names(why))
        for hook in self._with("on_retry"):
            hook(RetryEvent(self._call, self._operation_id, *self._line(request), attempt, wait, **why))

    def ended(self, request: Request, outcome: object, attempts: int) -> None:
        """The call is over. ``outcome`` is the status, or what was raised."""
        if log.isEnabledFor(logging.INFO):
            shown = outcome
            if isinstance(outcome, BaseException):
                status = getattr(outcome, "status", 0)
                shown = type(outcome).__name__ + (f" ({status})" if status else "")
            plural = "s" if attempts != 1 else ""
            took = round((self._clock() - self._started) * 1000)
            line = self._line(request)
            log.info("%s: %s %s -> %s, %d attempt%s, %d ms", self._operation_id, *line, shown, attempts, plural, took)

    def _line(self, request: Request) -> tuple[str, str]:
        return request.method, escaped(request.logged_url)

    def _with(self, event: str) -> Sequence[Any]:
        if not self._hooks:
            return ()
        return [method for hook in self._hooks if (method := getattr(hook, event, None)) is not None]


def _names(why: dict[str, Any]) -> list[str]:
    return [str(value) if isinstance(value, int) else type(value).__name__ for value in why.values()]


def _bare(response: Response, request: Request) -> Headers:
    """A response's headers without the request's secrets, which a server may repeat."""
    return replace(response, request=request, body=b"").with_no_secrets().headers


def _shown(headers: Headers) -> list[tuple[str, str]]:
    """Header lines as they may be shown: without cookies, and without values in the queries of URLs."""
    return [(name, _masked(name.lower(), value)) for name, value in headers.pairs()]


def _masked(name: str, value: str) -> str:
    if name in {"set-cookie", "authorization", "cookie", "proxy-authorization"}:
        return MASK
    before, mark, _ = value.partition("?")
    return escaped(f"{before}?{MASK}" if mark and name in _URLS else value)
