"""The credentials of a call: what they have to send, sleep or run for is done within the call, by its own rules.

Rule 1: what a credential sends is repeated as any request is, within the call's deadline; none of it counts as an
attempt of the call, and none leaves the outcome of the call unknown: the call itself has not been acted on.
Rule 2: a call that is given up closes the steps of its credential, so that nobody waits for them.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, TypeVar

from dynclient.exceptions import DynclientError, TransportError
from dynclient.messages import Request, Response, Run, Send, Sleep
from dynclient.security import Access, Steps, Way

T = TypeVar("T")

Attempts = Callable[[Send], Generator[Any, Any, Response]]


def carried(steps: Steps[T], attempts: Attempts) -> Generator[Send | Sleep | Run, Any, T]:
    """Carry out the steps of a credential; ``attempts`` sends what they want to be sent.

    Raises:
        RequestError: a credential is missing, or may not go where it would.
        AuthorizationError, TransportError: a token could not be had.
    """
    answer: Any = None
    fault: DynclientError | None = None
    try:
        while True:
            try:
                step = steps.throw(fault) if fault is not None else steps.send(answer)
            except StopIteration as stop:
                return stop.value  # type: ignore[no-any-return]  # a generator's return value is untyped here
            answer, fault = None, None
            try:
                answer = (yield from attempts(step)) if isinstance(step, Send) else (yield step)
            except DynclientError as error:
                if isinstance(error, TransportError):
                    error.outcome_unknown = False
                fault = error
    finally:
        steps.close()


def reauthorized(response: Response, request: Request, access: Access, way: Way) -> Steps[Request | None]:
    """The request with other credentials, after a 401; None where there are none, or it can't be sent again."""
    again = yield from access.answer(response, request, way)
    # What was learned is of use to the next call, also where a stream can't be sent twice.
    return again if request.body is None or isinstance(request.body, bytes) else None
