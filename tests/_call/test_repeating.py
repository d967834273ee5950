"""When a call is repeated: the generator is driven by hand, so each case is exact and takes no time."""

from __future__ import annotations

import pytest

from dynclient import exceptions
from dynclient._call import Chance, call
from dynclient._response import Reader
from dynclient.messages import Headers, Request, Response, Send, Sleep
from dynclient.model import Operation, OperationRow
from dynclient.model import Response as Documented
from dynclient.options import Limits, Retry, Timeout

LOST = exceptions.ConnectionLost("lost", outcome_unknown=True)
REFUSED = exceptions.ConnectError("refused")
SLOW = exceptions.TimeoutError("slow", phase="read", outcome_unknown=True)
UNSENT = exceptions.TimeoutError("slow", phase="write", outcome_unknown=True)
CUT = exceptions.DecodeError("gzip ends too early")
TLS = exceptions.TLSError("who are you")
DATE = "Mon, 23 Nov 2026 10:00:00 GMT"


def reply(status, **headers):
    return Response(status, Headers({name.replace("_", "-"): text for name, text in headers.items()}))


def drive(method, replies, *, body=None, total=60.0, retry=Retry()):
    """Run a call on a faked clock: the waits it asked for, how often it sent, and its status or its error."""
    row = OperationRow("k", method, "/a", "op", "op", (), "", (), False, "", "")
    reader = Reader(Operation(row, responses={"default": Documented("default")}), Limits())
    now = 0.0
    flow = call(
        Request(method, "http://h/a", body=body), reader, Timeout(total=total), retry, Chance(lambda: now, lambda: 0.5)
    )
    waits, sent, answer = [], 0, None
    try:
        while True:
            step = flow.throw(answer) if isinstance(answer, Exception) else flow.send(answer)
            answer = None
            if isinstance(step, Sleep):
                waits.append(step.seconds)
                now += step.seconds
            else:
                assert isinstance(step, Send)
                sent += 1
                answer = replies[min(sent, len(replies)) - 1]
    except StopIteration as stop:
        return waits, sent, stop.value.status
    except exceptions.ResponseError as error:
        assert error.response.attempts == sent
        return waits, sent, error.status
    except exceptions.TransportError as error:
        assert error.attempts == sent
        return waits, sent, type(error)


# method, what comes back, waits, times sent, what the caller gets
CASES = {
    "success": ("GET", [reply(200)], [], 1, 200),
    "503 twice": ("GET", [reply(503), reply(503), reply(200)], [0.5, 1.0], 3, 200),
    "503 for ever": ("GET", [reply(503)], [0.5, 1.0], 3, 503),
    "500": ("DELETE", [reply(500), reply(200)], [0.025], 2, 200),
    "500 on POST": ("POST", [reply(500), reply(200)], [], 1, 500),
    "503 on PATCH": ("PATCH", [reply(503), reply(200)], [], 1, 503),
    "503 and Retry-After on POST": ("POST", [reply(503, retry_after="1"), reply(200)], [], 1, 503),
    "429 on POST": ("POST", [reply(429, retry_after="2"), reply(200)], [2.0], 2, 200),
    "501": ("GET", [reply(501), reply(200)], [], 1, 501),
    "409": ("GET", [reply(409), reply(200)], [], 1, 409),
    "lost": ("GET", [LOST, reply(200)], [0.025], 2, 200),
    "lost on PUT": ("PUT", [LOST, LOST, LOST], [0.025, 0.05], 3, exceptions.ConnectionLost),
    "lost on POST": ("POST", [LOST, reply(200)], [], 1, exceptions.ConnectionLost),
    "refused on POST": ("POST", [REFUSED, reply(200)], [0.025], 2, 200),
    "read timed out": ("GET", [SLOW, reply(200)], [0.025], 2, 200),
    "read timed out on POST": ("POST", [SLOW, reply(200)], [], 1, exceptions.TimeoutError),
    "write timed out": ("GET", [UNSENT, reply(200)], [], 1, exceptions.TimeoutError),
    "cut short within its coding": ("GET", [CUT, reply(200)], [0.025], 2, 200),
    "TLS": ("GET", [TLS, reply(200)], [], 1, exceptions.TLSError),
    "Retry-After as a date": (
        "GET", [reply(503, retry_after="Mon, 23 Nov 2026 10:00:07 GMT", date=DATE), reply(200)], [7.0], 2, 200,
    ),
    "Retry-After in the past": (
        "GET", [reply(503, retry_after="Mon, 23 Nov 2026 09:00:00 GMT", date=DATE), reply(200)], [], 2, 200,
    ),
    "Retry-After is garbage": ("GET", [reply(503, retry_after="soon"), reply(200)], [0.5], 2, 200),
    "Retry-After a day": ("GET", [reply(503, retry_after="86400"), reply(200)], [], 1, 503),
    "Retry-After beyond the deadline": ("GET", [reply(429, retry_after="60"), reply(200)], [], 1, 429),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_repeating(case):
    method, replies, waits, sent, outcome = case
    assert drive(method, replies) == (waits, sent, outcome)


def test_a_stream_is_not_sent_twice():
    assert drive("PUT", [LOST, reply(200)], body=iter([b"once"])) == ([], 1, exceptions.ConnectionLost)


def test_one_attempt_is_one():
    assert drive("GET", [LOST, reply(200)], retry=Retry(attempts=1)) == ([], 1, exceptions.ConnectionLost)
