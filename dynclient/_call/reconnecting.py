"""Opening a stream of server-sent events again where it ended (HTML, 9.2.3).

Rule 1: it is asked for as at first, with ``Last-Event-ID``; the deadline is that of the first call.
Rule 2: the wait is what the stream has asked for by ``retry``, within what the caller allows a server to ask for.
Rule 3: 204 says that there is nothing more.
"""

from __future__ import annotations

from dataclasses import replace

from dynclient._call.flow import Flow, Terms, stream
from dynclient._response import Opened, Reader
from dynclient.exceptions import (
    TimeoutError,  # noqa: A004  # ours
    UndocumentedStatus,
)
from dynclient.messages import Request, Sleep

_NO_CONTENT = 204
_WAIT = 3.0


def reconnect(
    request: Request, reader: Reader, terms: Terms, *, last_id: str, retry: int | None
) -> Flow[Opened | None]:
    """Wait, and open the stream again; None where there is nothing more. ``retry`` is in milliseconds.

    Raises:
        TransportError, ResponseError: as the first call.
        TimeoutError: the wait is longer than what is left.
    """
    wait = min(_WAIT if retry is None else retry / 1000, terms.retry.max_retry_after)
    if terms.deadline is not None and terms.chance.clock() + wait >= terms.deadline:
        raise TimeoutError(
            "the call's time ran out before the stream could be opened again",
            phase="total",
            request=request,
            operation_id=reader.operation.id,
        )
    yield Sleep(wait)
    if last_id:
        # HTML, 9.2.4: the field's value is in UTF-8, which header values are not, unless they are bytes of it.
        encoded = last_id.encode("utf-8").decode("latin-1")
        request = replace(request, headers=request.headers.replace("Last-Event-ID", encoded))
    try:
        opened = yield from stream(request, reader, terms)
    except UndocumentedStatus as error:
        if error.status == _NO_CONTENT:
            return None
        raise
    return None if opened.response.status == _NO_CONTENT else opened
