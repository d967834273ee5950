"""The flow of one call.

The generator does no I/O: its drivers do (:mod:`dynclient._client`), one for threads and one for event loops. So there
is one flow, and no twin of it. Clock and randomness come from outside (:class:`~dynclient._call.repeating.Chance`).

Rule 1: one deadline holds over every attempt, every wait and every redirect.
Rule 2: a request is repeated only when that can't do twice what was asked for once (:mod:`dynclient._call.repeating`).
Rule 3: of a streamed call, only a success is left unread; an error is read whole, and judged as in any other call.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from typing import Any, TypeVar

from dynclient._call.accompanying import Leg
from dynclient._call.admitting import Attempts, carried, reauthorized
from dynclient._call.budget import Budget
from dynclient._call.idempotency import keyed
from dynclient._call.observing import Hook, Watch
from dynclient._call.repeating import Chance, Repeats, retry_after
from dynclient._records import Record
from dynclient._response import Opened, Reader
from dynclient.exceptions import DecodeError, DynclientError, ResponseError, TransportError
from dynclient.http_grammar import IDEMPOTENT, SUCCESS
from dynclient.messages import Await, HTTPResult, Read, Request, Response, Run, Send, Sleep
from dynclient.options import Redirects, Retry, Secret, Timeout
from dynclient.security import Access, Way

T = TypeVar("T")

Step = Send | Read | Sleep | Run | Await
Flow = Generator[Step, Any, T]

_REDIRECTION = range(300, 400)
_UNAUTHORIZED = 401


class Terms(Record):
    """What a call is held to.

    ``access`` is what the request is authorized by, where it has no credentials yet.
    ``deadline`` is a reading of the clock; where there is none, ``timeout.total`` counts from the call's beginning.
    """

    timeout: Timeout = Timeout()
    retry: Retry = Retry()
    redirects: Redirects = "same-origin"
    hooks: tuple[Hook, ...] = ()
    budget: Budget | None = None
    access: Access | None = None
    chance: Chance = Chance()
    deadline: float | None = None


def call(request: Request, reader: Reader, terms: Terms) -> Flow[HTTPResult]:
    """Send a request, again where that is lawful, and read its response.

    Raises:
        TransportError: the exchange failed on its way, each time.
        ResponseError: the server answered, and not as the document says, or with an error.
    """
    return _answer(request, reader, terms, reader.read, stream=False)


def stream(request: Request, reader: Reader, terms: Terms) -> Flow[Opened]:
    """Send a request as :func:`call` does, and return its response with its body still unread.

    Raises:
        TransportError, ResponseError: as :func:`call`; what is wrong with the body shows when it is read.
    """
    return _answer(request, reader, terms, reader.open, stream=True)


def _answer(request: Request, reader: Reader, terms: Terms, judge: Callable[[Response], T], *, stream: bool) -> Flow[T]:
    operation, clock = reader.operation, terms.chance.clock
    started = clock()
    deadline = terms.deadline
    if deadline is None and terms.timeout.total is not None:
        deadline = started + terms.timeout.total
    request, repeatable = keyed(request, operation, terms.retry, terms.chance.key, reader.limits)
    repeats = Repeats(terms.retry, terms.chance, terms.budget or Budget(), repeatable=repeatable)
    watch = Watch(operation.id, terms.hooks, clock, started)
    way = Way(terms.chance, terms.timeout, reader.limits, deadline)
    try:
        if terms.access is not None:
            request = yield from carried(terms.access.authorize(request, way), _asides(terms, watch))
        send = Send(request, terms.timeout, reader.limits, way.deadline, stream)
        response = yield from _hops(send, reader, terms, repeats, watch, way)
        result = judge(response)
    except DynclientError as error:
        _complete(error, operation.id, repeats)
        watch.ended(request, error, repeats.sent)
        raise
    watch.ended(request, response.status, repeats.sent)
    return result


def _complete(error: DynclientError, operation_id: str, repeats: Repeats) -> None:
    """Tell an error what only the call knows."""
    error.operation_id = error.operation_id or operation_id
    if isinstance(error, TransportError):
        error.attempts = repeats.sent
        error.retry_suppressed = repeats.suppressed
    elif isinstance(error, ResponseError) and error.response is not None:
        error.response = replace(error.response, attempts=repeats.sent)
        error.retry_after = retry_after(error.response)
        error.retry_suppressed = repeats.suppressed


def _hops(send: Send, reader: Reader, terms: Terms, repeats: Repeats, watch: Watch, way: Way) -> Flow[Response]:
    """Send a request, show other credentials where the first ones were refused, and go where redirects lead."""
    seen: list[Secret] = []
    access = terms.access
    leg = Leg(reader.operation.path)
    while True:
        first = send.request
        response = yield from _attempts(send, repeats, watch, leg)
        while response.status == _UNAUTHORIZED and access is not None:
            steps = reauthorized(response, send.request, access, way)
            again = yield from carried(steps, _asides(terms, watch))
            if again is None:
                break
            send = send._replace(request=again)
            response = yield from _attempts(send, repeats, watch, leg)
        request = None
        if response.status in _REDIRECTION:
            seen.append(Secret(first.url.partition("#")[0]))
            request = _redirected(response, send, reader, terms, seen)
        if request is None:
            return response if response.attempts == repeats.sent else replace(response, attempts=repeats.sent)
        if request.origin != send.request.origin:
            # Whoever sends us back has chosen the path: no credential goes there either.
            access, leg = None, Leg(foreign=True)
        leg = leg._replace(template="")
        send = send._replace(request=request)


def _redirected(response: Response, send: Send, reader: Reader, terms: Terms, seen: list[Secret]) -> Request | None:
    from dynclient._call.redirecting import redirected

    return redirected(response, send.request, reader.operation, terms.redirects, seen, reader.limits.redirects)


def _asides(terms: Terms, watch: Watch) -> Attempts:
    """What sends a request that a credential needs: with attempts of its own, as POST or GET are repeated."""

    def attempts(send: Send) -> Flow[Response]:
        repeatable = send.request.method in IDEMPOTENT
        repeats = Repeats(terms.retry, terms.chance, terms.budget or Budget(), repeatable=repeatable)
        return _attempts(send, repeats, watch, Leg())

    return attempts


def _attempts(send: Send, repeats: Repeats, watch: Watch, leg: Leg) -> Flow[Response]:
    """Send one request until there is an answer to take."""
    while True:
        repeats.sent += 1
        watch.asks(send.request, repeats.sent)
        cause: Response | TransportError | DecodeError
        try:
            cause = response = yield from _exchange(send, watch, leg, repeats.sent)
        except (TransportError, DecodeError) as error:
            wait = repeats.after_error(error, send)
            if wait is None:
                raise
            cause = error
        else:
            watch.answered(response, send.request, repeats.sent)
            wait = repeats.after_response(response, send)
            if wait is None:
                return response
        watch.repeats(send.request, repeats.sent, wait, cause)
        if wait:
            yield Sleep(wait)


def _exchange(send: Send, watch: Watch, leg: Leg, attempt: int) -> Flow[Response]:
    """Send one request once, with what goes along with it."""
    request, company = watch.accompanied(send.request, leg, attempt)
    if company is not None:
        send = send._replace(request=request)
    try:
        response = _given((yield send))
        if send.stream and response.status not in SUCCESS:
            response = _given((yield Read(response, send.limits)))
    except BaseException as error:
        if company is not None:
            company.left(None, error)
        raise
    if company is not None:
        company.left(response)
    return response


def _given(response: Response | None) -> Response:
    if response is None:  # pragma: no cover  # a driver's fault, not a caller's
        raise RuntimeError("the driver answered with nothing")
    return response
