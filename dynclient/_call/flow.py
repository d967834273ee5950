"""The flow of one call.

The generator does no I/O: its drivers do (:mod:`dynclient._client`), one for threads and one for event loops. So there
is one flow, and no twin of it. Clock and randomness come from outside (:class:`~dynclient._call.repeating.Chance`).

Rule 1: one deadline holds over every attempt and every wait.
Rule 2: a request is repeated only when that can't do twice what was asked for once (:mod:`dynclient._call.repeating`).
"""

from __future__ import annotations

from collections.abc import Generator

from dynclient._call.repeating import Chance, wait_after_error, wait_after_response
from dynclient._response import Reader
from dynclient.exceptions import DecodeError, DynclientError, TransportError
from dynclient.messages import HTTPResult, Request, Response, Send, Sleep
from dynclient.options import Retry, Timeout

Step = Send | Sleep
Flow = Generator[Step, Response | None, HTTPResult]


def call(request: Request, reader: Reader, timeout: Timeout, retry: Retry, chance: Chance) -> Flow:
    """Send a request, again where that is lawful, and read its response.

    Raises:
        TransportError: the exchange failed on its way, each time.
        ResponseError: the server answered, and not as the document says, or with an error.
    """
    deadline = chance.clock() + timeout.total if timeout.total is not None else None
    send = Send(request, timeout, reader.limits, deadline)
    try:
        response = yield from _attempts(send, retry, chance)
    except DynclientError as error:
        error.operation_id = error.operation_id or reader.operation.id
        raise
    return reader.read(response)


def _attempts(send: Send, retry: Retry, chance: Chance) -> Generator[Step, Response | None, Response]:
    attempt = 1
    while True:
        try:
            response = yield send
        except (TransportError, DecodeError) as error:
            if isinstance(error, TransportError):
                error.attempts = attempt
            wait = wait_after_error(error, send, attempt, retry, chance)
            if wait is None:
                raise
        else:
            if response is None:  # pragma: no cover  # a driver's fault, not a caller's
                raise RuntimeError("the driver answered a Send with nothing")
            wait = wait_after_response(response, send, attempt, retry, chance)
            if wait is None:
                return response._replace(attempts=attempt)
        if wait:
            yield Sleep(wait)
        attempt += 1
