"""The flow of one call.

The generator does no I/O: its drivers do (:mod:`dynclient._client`), one for threads and one for event loops. So there
is one flow, and no twin of it. Clock and randomness come from outside (:class:`~dynclient._call.repeating.Chance`).

Rule 1: one deadline holds over every attempt, every wait and every redirect.
Rule 2: a request is repeated only when that can't do twice what was asked for once (:mod:`dynclient._call.repeating`).
Rule 3: of a streamed call, only a success is left unread; an error is read whole, and judged as in any other call.
Rule 4: each attempt is authenticated anew (:class:`~dynclient.security.AuthFlow`). What authentication sends of its own
is repeated as any request is, within the call's deadline, and counts as no attempt of the call.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from typing import Any, TypeVar

from dynclient._call.accompanying import Leg
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
from dynclient.security import AuthFlow, CallClock, Outcome

T = TypeVar("T")

Step = Send | Read | Sleep | Run | Await
Flow = Generator[Step, Any, T]

_REDIRECTION = range(300, 400)


class Terms(Record):
    """What a call is held to.

    ``auth`` is how the request is authenticated; None where nothing is to be added to it.
    ``deadline`` is a reading of the clock; where there is none, ``timeout.total`` counts from the call's beginning.
    """

    timeout: Timeout = Timeout()
    retry: Retry = Retry()
    redirects: Redirects = "same-origin"
    hooks: tuple[Hook, ...] = ()
    budget: Budget | None = None
    auth: AuthFlow | None = None
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
    call_clock = CallClock(terms.chance, terms.timeout, reader.limits, deadline)
    sender = _Sender(terms, call_clock, watch, repeats, stream=stream)
    try:
        response = yield from _hops(request, reader, terms, sender)
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


def _hops(request: Request, reader: Reader, terms: Terms, sender: _Sender) -> Flow[Response]:
    """Send a request, and go where redirects lead."""
    seen: list[Secret] = []
    auth = terms.auth
    sender.leg = Leg(reader.operation.path)
    while True:
        response = yield from sender.attempts(request, auth)
        target = None
        if response.status in _REDIRECTION:
            sent = auth.sent if auth is not None and auth.sent is not None else request
            seen.append(Secret(sent.url.partition("#")[0]))
            target = _redirected(response, request, reader, terms, seen)
        if target is None:
            attempts = sender.repeats.sent
            return response if response.attempts == attempts else replace(response, attempts=attempts)
        if auth is not None:
            target = auth.redirected(target)
        if target.origin != request.origin:
            # Whoever sends us back has chosen the path: no credential goes there either.
            auth, sender.leg = None, Leg(foreign=True)
        sender.leg = sender.leg._replace(template="")
        request = target


def _redirected(
    response: Response, request: Request, reader: Reader, terms: Terms, seen: list[Secret]
) -> Request | None:
    from dynclient._call.redirecting import redirected

    return redirected(response, request, reader.operation, terms.redirects, seen, reader.limits.redirects)


class _Sender:
    """Sends the requests of one call, and repeats them by its retry policy."""

    __slots__ = ("_clock", "_stream", "_terms", "_watch", "leg", "repeats")

    def __init__(self, terms: Terms, clock: CallClock, watch: Watch, repeats: Repeats, *, stream: bool) -> None:
        """Take the options of the call; ``stream``: the body of a success is left unread."""
        self._terms = terms
        self._clock = clock
        self._watch = watch
        self._stream = stream
        self.repeats = repeats
        self.leg = Leg()

    def attempts(self, request: Request, auth: AuthFlow | None) -> Flow[Response]:
        """Send a request, each time with its credentials, until there is an answer to take.

        Raises:
            TransportError, DecodeError: the last attempt failed.
        """
        repeats = self.repeats
        while True:
            outcome = yield from (self.send(request) if auth is None else auth.send(request, self, self._clock))
            if isinstance(outcome, Response):
                wait = repeats.after_response(outcome, request, self._clock.deadline)
                if wait is None:
                    return outcome
            else:
                wait = repeats.after_error(outcome, request, self._clock.deadline)
                if wait is None:
                    raise outcome
            self._watch.repeats(request, repeats.sent, wait, outcome)
            if wait:
                yield Sleep(wait)

    def send(self, request: Request) -> Flow[Outcome]:
        """Send the call's request once, with what goes along with it: its response, or how that failed."""
        self.repeats.sent += 1
        attempt, watch = self.repeats.sent, self._watch
        watch.asks(request, attempt)
        joined, company = watch.accompanied(request, self.leg, attempt)
        send = self._clock.send(joined, stream=self._stream)
        try:
            response = _given((yield send))
            if self._stream and response.status not in SUCCESS:
                response = _given((yield Read(response, send.limits)))
        except BaseException as error:
            if company is not None:
                company.left(None, error)
            if isinstance(error, (TransportError, DecodeError)):
                return error
            raise
        if company is not None:
            company.left(response)
        watch.answered(response, request, attempt)
        return response

    def fetch(self, request: Request) -> Flow[Response]:
        """Send an auth sub-request, with attempts of its own, as POST or GET are repeated.

        Raises:
            TransportError, DecodeError: the last attempt failed.
        """
        terms = self._terms
        repeatable = request.method in IDEMPOTENT
        repeats = Repeats(terms.retry, terms.chance, terms.budget or Budget(), repeatable=repeatable)
        return _Sender(terms, self._clock, self._watch, repeats, stream=False).attempts(request, None)


def _given(response: Response | None) -> Response:
    if response is None:  # pragma: no cover  # a driver's fault, not a caller's
        raise RuntimeError("the driver answered with nothing")
    return response
