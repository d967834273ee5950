"""One call, as a generator: it yields Send or Sleep, is sent a Response (or None), and returns the result.

The generator does no I/O and reads no clock: its drivers do (:mod:`dynclient._client`), one for threads and one for
event loops. So there is one flow, and no twin of it.
"""

from __future__ import annotations

from collections.abc import Generator

from dynclient._response import Reader
from dynclient.exceptions import DynclientError
from dynclient.messages import HTTPResult, Request, Response, Send, Sleep
from dynclient.options import Timeout

Step = Send | Sleep
Flow = Generator[Step, Response | None, HTTPResult]


def call(request: Request, reader: Reader, timeout: Timeout, now: float) -> Flow:
    """Send a request and read its response.

    ``now`` is a reading of the monotonic clock, in seconds: the deadline counts from it.

    Raises:
        TransportError: the exchange failed on its way.
        ResponseError: the server answered, and not as the document says, or with an error.
    """
    deadline = now + timeout.total if timeout.total is not None else None
    try:
        response = yield Send(request, timeout, reader.limits, deadline)
    except DynclientError as error:
        error.operation_id = error.operation_id or reader.operation.id
        raise
    if response is None:  # pragma: no cover  # a driver's fault, not a caller's
        raise RuntimeError("the driver answered a Send with nothing")
    return reader.read(response)
