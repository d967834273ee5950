"""The flow of one call: authenticate, send, repeat, follow redirects, read.

The generator does no I/O: its drivers do (:mod:`dynclient._client.drivers`), one for threads and one for event loops.
Time and randomness come from an :class:`~dynclient.transports.clock.Environment`.

Rule 1: one deadline covers every attempt, every wait and every redirect.
Rule 2: a request is repeated only if that is safe (:mod:`dynclient._call.retry`).
Rule 3: a streamed call leaves only a success unread; an error is read completely, and raised as in any other call.
Rule 4: a large response is read in a worker thread, and so is one that takes long to read
(:mod:`dynclient.transports.clock`).
Rule 5: each attempt is authenticated again (:class:`~dynclient.security.AuthFlow`). An auth sub-request is repeated
like any request, within the call's deadline, and does not count as an attempt of the call.
Rule 6: with a rate, each request waits for its place, within the deadline (:mod:`dynclient._call.pace`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from copy import copy
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from dynclient._call.instrumentation import Hop, Instrumentation, log
from dynclient._call.retry import Budget, RetryPolicy, retry_after, with_key
from dynclient._request import CallOptions
from dynclient._response import ResponseReader
from dynclient.exceptions import (
    DecodeError,
    DynclientError,
    PaceTimeout,
    ResponseError,
    ResponseTooLarge,
    TimeoutError,  # noqa: A004  # ours
    TransportError,
)
from dynclient.http_grammar import IDEMPOTENT, SAFE, SUCCESS
from dynclient.media_types import find
from dynclient.messages import Await, Read, Request, Response, RunBlocking, Send, Sleep
from dynclient.model import Operation
from dynclient.options import Secret
from dynclient.security import AuthFlow, CallClock, Outcome
from dynclient.transports.clock import INLINE_BYTES, INLINE_SECONDS, Environment, TooLong, within

if TYPE_CHECKING:  # few calls have a rate
    from dynclient._call.pace import Pace

T = TypeVar("T")

Step = Send | Read | Sleep | RunBlocking | Await
Flow = Generator[Step, Any, T]

_REDIRECTION = range(300, 400)


def call(
    request: Request,
    reader: ResponseReader,
    options: CallOptions,
    *,
    budget: Budget | None = None,
    auth: AuthFlow | None = None,
    certificate: bool = True,
    environment: Environment = Environment(),
    deadline: float | None = None,
    pace: Pace | None = None,
    stream: bool = False,
) -> Flow[Any]:
    """Send a request, repeat it if the retry policy allows, and read its response.

    ``deadline`` is a reading of the environment's clock. Without one, ``timeout.total`` counts from now.
    ``certificate`` means that the client's certificate may be used for the request's origin. ``pace`` decides when each
    request may be sent. It returns an HTTPResult; with ``stream`` a StreamedResponse, whose body is still unread:
    faults in it are raised when it is read.

    Raises:
        TransportError: no attempt got a response.
        ResponseError: the response is an error, or does not match the document.
    """
    sender = _Sender(reader, options, budget or Budget(), environment, deadline, certificate, stream=stream)
    sender.pace = pace
    return _flow(request, sender, auth, reader.open if stream else reader.read)


def _flow(request: Request, sender: _Sender, auth: AuthFlow | None, read: Callable[[Response], T]) -> Flow[T]:
    """Send the request, follow redirects, and read the last response."""
    operation = sender.reader.operation
    request, sender.retry.repeatable = with_key(
        request, operation, sender.options.retry, sender.environment.key, sender.reader.limits
    )
    first = request
    sender.hop = Hop(operation.path)
    seen: list[Secret] = []
    try:
        while True:
            response = yield from sender.attempts(request, auth)
            target = None
            if response.status in _REDIRECTION:
                sent = auth.sent if auth is not None and auth.sent is not None else request
                seen.append(Secret(sent.url.partition("#")[0]))
                target = sender.redirected(response, request, seen)
            if target is None:
                break
            if auth is not None:
                target = auth.redirected(target)
            is_foreign = target.origin != request.origin
            if is_foreign:
                # The other server has chosen this URL, so no credential is sent, even if it is at the first origin.
                auth = None
            sender.hop = Hop("", is_foreign=is_foreign or sender.hop.is_foreign)
            request = target
        if response.attempts != sender.retry.sent:
            response = replace(response, attempts=sender.retry.sent)
        result = yield from _in_time(read, response, sender)
    except DynclientError as error:
        _complete(error, operation, sender.retry, is_whole=read == sender.reader.read)
        if sender.instrumentation is not None:
            sender.instrumentation.ended(first, error, sender.retry.sent)
        raise
    if sender.instrumentation is not None:
        sender.instrumentation.ended(first, response.status, sender.retry.sent)
    return result


def _may_stream(operation: Operation) -> bool:
    """Whether a success of an operation may be a sequence of items."""
    successes = (response for status, response in operation.responses.items() if status.startswith("2"))
    return any(find(media_range).sequential for response in successes for media_range in response.content)


def _in_time(read: Callable[[Response], T], response: Response, sender: _Sender) -> Flow[T]:
    """Read a response within the call's deadline: at once, or in a worker thread if that would take long."""
    reading = partial(within, read, response, sender.environment.clock, sender.clock.deadline)
    if type(response.body) is not bytes or len(response.body) <= INLINE_BYTES:
        try:
            return reading(INLINE_SECONDS)
        except TooLong:
            pass
    return (yield RunBlocking(reading))  # type: ignore[no-any-return]  # the result of `read`


def _complete(error: DynclientError, operation: Operation, retry: RetryPolicy, *, is_whole: bool) -> None:
    """Add to an error the facts of its call: the operation, the number of attempts, the server's Retry-After."""
    error.operation_id = error.operation_id or operation.id
    is_cut = isinstance(error, ResponseTooLarge) or (isinstance(error, TimeoutError) and error.phase != "connect")
    if is_cut and is_whole and _may_stream(operation):
        hint = f"the response may be a stream: client.{operation.row.name}.stream(...) yields its items one by one"
        error.hint = "; ".join(filter(None, (error.hint, hint)))
    if isinstance(error, TransportError):
        error.attempts = retry.sent
        error.retry_suppressed = retry.suppressed
        if isinstance(error, TimeoutError) and not error.hint:
            limits = ", ".join(f"{phase}=..." for phase in dict.fromkeys((error.phase, "total")))
            error.hint = f"timeout=Timeout({limits}) sets the limit, in seconds"
    elif isinstance(error, ResponseError) and error.response is not None:
        error.response = replace(error.response, attempts=retry.sent)
        error.retry_after = retry_after(error.response)
        if error.retry_after and not error.hint:
            error.hint = f"the server asks to wait {error.retry_after:g} s"
        error.retry_suppressed = retry.suppressed


class _Sender:
    """Sends the requests of one call, or of one of its auth sub-requests, and repeats them."""

    __slots__ = (
        "_certificate", "_cookies", "_progress", "_stream", "clock", "environment", "hop", "instrumentation", "options",
        "pace", "reader", "retry",
    )  # fmt: skip

    def __init__(
        self,
        reader: ResponseReader,
        options: CallOptions,
        budget: Budget,
        environment: Environment,
        deadline: float | None,
        certificate: bool,  # noqa: FBT001  # as call() takes it
        *,
        stream: bool = False,
    ) -> None:
        """``stream``: the body of a success is left unread."""
        started, total = environment.clock(), options.timeout.total
        if deadline is None and total is not None:
            deadline = started + total
        self.reader = reader
        self.options = options
        self.environment = environment
        self.hop = Hop()
        self.retry = RetryPolicy(options.retry, environment, budget)
        self.instrumentation: Instrumentation | None = None
        if options.hooks or log.isEnabledFor(logging.INFO):
            self.instrumentation = Instrumentation(reader.operation.id, options.hooks, environment.clock, started)
        self.clock = CallClock(environment, options.timeout, reader.limits, deadline)
        self._certificate = certificate
        self._cookies = options.cookies
        self._progress = options.upload_progress
        self._stream = stream
        self.pace: Pace | None = None

    def attempts(self, request: Request, auth: AuthFlow | None) -> Flow[Response]:
        """Send a request, each time with its credentials, until the retry policy accepts the response.

        Raises:
            TransportError, DecodeError: the last attempt failed.
        """
        retry, clock = self.retry, self.clock
        last: Outcome | None = None
        while True:
            outcome = yield from (self.send(request) if auth is None else auth.send(request, self, clock))
            if last is not None and isinstance(outcome, PaceTimeout):
                # The rate allows no further attempt before the deadline.
                outcome, wait = last, None
            else:
                last, wait = outcome, retry.wait_after(outcome, request, clock.deadline)
            if wait is None:
                if isinstance(outcome, Response):
                    return outcome
                raise outcome
            if self.instrumentation is not None:
                self.instrumentation.repeats(request, retry.sent, wait, outcome)
            if wait:
                yield Sleep(wait)

    def send(self, request: Request) -> Flow[Outcome]:
        """Send the call's request once, or answer it from the cache: the response, or the error."""
        send = self._sent if self.pace is None else self._paced
        # Streams and redirects to another origin bypass the cache.
        if self.options.http_cache is None or self.hop.is_foreign or (self._stream and request.method in SAFE):
            return send(request)
        from dynclient._call.caching import cached

        if self._cookies is not None:
            # They belong to the cache key.
            request = self._cookies.added(request)
        return cached(self.options.http_cache, request, send)

    def _paced(self, request: Request) -> Flow[Outcome]:
        """Send the request when its place in the rate has come."""
        pace: Any = self.pace
        late: PaceTimeout | None = yield from pace.place(request, self.environment, self.clock.deadline)
        if late is not None:
            return late
        outcome = None
        try:
            outcome = yield from self._sent(request)
        finally:
            pace.answered(request, outcome if isinstance(outcome, Response) else None, self.environment)
        return outcome

    def _sent(self, request: Request) -> Flow[Outcome]:
        """Send the request within the spans of the call's hooks."""
        self.retry.sent += 1
        cookies = None if self.hop.is_foreign else self._cookies
        if cookies is not None:
            request = cookies.added(request)
        exchange = None
        if self.instrumentation is not None:
            exchange = self.instrumentation.exchange(request, self.hop, self.retry.sent)
        certificate = self._certificate and not self.hop.is_foreign
        sent = request if exchange is None else exchange.request
        send = self.clock.send(sent, stream=self._stream, certificate=certificate)
        if self.retry.fresh or self._progress is not None:
            send, self.retry.fresh = send._replace(fresh=self.retry.fresh, progress=self._progress), False
        try:
            response: Response = yield send
            if self._stream and response.status not in SUCCESS:
                response = yield Read(response, send.limits)
        except BaseException as error:
            if exchange is not None:
                exchange.failed(error)
            if isinstance(error, (TransportError, DecodeError)):
                return error
            raise
        if exchange is not None:
            exchange.answered(response, drops_cookies=cookies is None)
        if cookies is not None:
            cookies.keep(response, request)
        return response

    def fetch(self, request: Request) -> Flow[Response]:
        """Send an auth sub-request. It has attempts of its own, and is repeated if its method is idempotent.

        Raises:
            TransportError, DecodeError: the last attempt failed.
        """
        sender = copy(self)
        sender.retry = RetryPolicy(self.options.retry, self.environment, self.retry.budget)
        sender.retry.repeatable = request.method in IDEMPOTENT
        sender._progress = sender._cookies = None  # noqa: SLF001  # of the same class
        # An AuthFlow sends only to trusted origins.
        sender.hop, sender._stream, sender._certificate = Hop(), False, True  # noqa: SLF001  # of the same class
        return sender.attempts(request, None)

    def redirected(self, response: Response, request: Request, seen: list[Secret]) -> Request | None:
        """The request that a redirect leads to; None if the response is to be returned."""
        from dynclient._call.redirects import redirected

        limit = self.reader.limits.redirects
        return redirected(response, request, self.reader.operation, self.options.redirects, seen, limit)
