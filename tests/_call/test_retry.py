"""Retries: when a call is repeated, after which wait, and at which cost."""

from __future__ import annotations

import pytest

from dynclient import exceptions
from dynclient._call import Budget
from dynclient.messages import Headers, Request, Response
from dynclient.options import Retry

LOST = exceptions.ConnectionLost("lost", outcome_unknown=True)
STALE = exceptions.ConnectionLost("lost", outcome_unknown=True)
STALE.reused = True
REFUSED = exceptions.ConnectError("refused")
SLOW = exceptions.TimeoutError("slow", phase="read", outcome_unknown=True)
UNSENT = exceptions.TimeoutError("slow", phase="write", outcome_unknown=True)
CUT = exceptions.DecodeError("gzip ends too early")
TLS = exceptions.TLSError("who are you")
DATE = "Mon, 23 Nov 2026 10:00:00 GMT"


def reply(status, **headers):
    return Response(status, Headers({name.replace("_", "-"): text for name, text in headers.items()}))


# method, what comes back, waits, times sent, what the caller gets
CASES = {
    "success": ("GET", [reply(200)], [], 1, 200),
    "503 twice": ("GET", [reply(503), reply(503), reply(200)], [0.5, 1.0], 3, 200),
    "503 for ever": ("GET", [reply(503)], [0.5, 1.0], 3, 503),
    "500": ("DELETE", [reply(500), reply(200)], [0.025], 2, 200),
    "500 on QUERY": ("QUERY", [reply(500), reply(200)], [0.025], 2, 200),
    "500 on POST": ("POST", [reply(500), reply(200)], [], 1, 500),
    "503 on PATCH": ("PATCH", [reply(503), reply(200)], [], 1, 503),
    "503 and Retry-After on POST": ("POST", [reply(503, retry_after="1"), reply(200)], [], 1, 503),
    "429 on POST": ("POST", [reply(429, retry_after="2"), reply(200)], [2.0], 2, 200),
    "501": ("GET", [reply(501), reply(200)], [], 1, 501),
    "409": ("GET", [reply(409), reply(200)], [], 1, 409),
    "lost": ("GET", [LOST, reply(200)], [0.025], 2, 200),
    "lost on PUT": ("PUT", [LOST, LOST, LOST], [0.025, 0.05], 3, exceptions.ConnectionLost),
    "lost on POST": ("POST", [LOST, reply(200)], [], 1, exceptions.ConnectionLost),
    "lost when used again": ("GET", [STALE, reply(200)], [], 2, 200),
    "lost when used again on POST": ("POST", [STALE, reply(200)], [], 1, exceptions.ConnectionLost),
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
    "Retry-After in milliseconds": ("GET", [reply(503, retry_after_ms="250.5"), reply(200)], [0.2505], 2, 200),
    "milliseconds go before seconds": (
        "GET", [reply(503, retry_after_ms="20", retry_after="9"), reply(200)], [0.02], 2, 200,
    ),
    "milliseconds that are no number": (
        "GET", [reply(503, retry_after_ms="nan", retry_after="9"), reply(200)], [9.0], 2, 200,
    ),
    "told not to": ("GET", [reply(503, x_should_retry="false"), reply(200)], [], 1, 503),
    "told to": ("GET", [reply(409, x_should_retry="true"), reply(200)], [0.025], 2, 200),
    "told to, on POST": ("POST", [reply(500, x_should_retry="True"), reply(200)], [0.025], 2, 200),
    "told something else": ("POST", [reply(500, x_should_retry="maybe"), reply(200)], [], 1, 500),
    "told so of a success": ("GET", [reply(200, x_should_retry="true")], [], 1, 200),
    "Retry-After beyond the deadline": ("GET", [reply(429, retry_after="60"), reply(200)], [], 1, 429),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_retry(case, drive):
    method, replies, waits, sent, outcome = case
    driven = drive(Request(method, "http://h/a"), replies)
    assert (driven.waits, len(driven.sent), driven.outcome) == (waits, sent, outcome)


def test_a_stream_is_not_sent_twice(drive):
    driven = drive(Request("PUT", "http://h/a", body=iter([b"once"])), [LOST, reply(200)])
    assert (len(driven.sent), driven.outcome) == (1, exceptions.ConnectionLost)


def test_one_attempt_is_one(drive):
    driven = drive(Request("GET", "http://h/a"), [LOST, reply(200)], retry=Retry(attempts=1))
    assert (len(driven.sent), driven.outcome) == (1, exceptions.ConnectionLost)


@pytest.mark.parametrize(("asked", "told"), [("86400", 86400.0), ("soon", None)])
def test_an_error_tells_the_wait_that_was_asked_for(asked, told, drive):
    error = drive(Request("POST", "http://h/a"), [reply(503, retry_after=asked)]).end
    assert (error.retry_after, error.retry_suppressed) == (told, False)


@pytest.mark.parametrize(("bad", "kind"), [(reply(503), exceptions.ServerError), (LOST, exceptions.ConnectionLost)])
def test_a_spent_budget_lets_calls_fail_at_once(bad, kind, drive):
    budget = Budget()
    sent = [len(drive(Request("GET", "http://h/a"), [bad], budget=budget).sent) for _ in range(200)]
    # 500 tokens pay for 35 repetitions of 14.
    assert sum(sent) == 200 + 35
    error = drive(Request("GET", "http://h/a"), [bad], budget=budget).end
    assert (type(error), error.retry_suppressed) == (kind, True)
    assert len(drive(Request("GET", "http://other/a"), [bad], budget=budget).sent) == 3, "another origin has its own"


def test_a_connection_that_broke_when_it_was_used_again_costs_nothing(drive):
    budget, get = Budget(), Request("GET", "http://h/a")
    for _ in range(50):
        assert len(drive(get, [STALE, reply(200)], budget=budget, retry=Retry(budget=0)).sent) == 2
    assert len(drive(get, [STALE, LOST, reply(200)], budget=budget, retry=Retry(budget=0)).sent) == 2


def test_successes_refill_the_budget(drive):
    budget, retry = Budget(), Retry(budget=28)
    get, bad, good = Request("GET", "http://h/a"), [reply(503)], [reply(200)]
    assert len(drive(get, bad, budget=budget, retry=retry).sent) == 3
    assert len(drive(get, bad, budget=budget, retry=retry).sent) == 1
    for _ in range(14):
        drive(get, good, budget=budget, retry=retry)
    # A repetition that helps costs nothing.
    for _ in range(5):
        assert len(drive(get, [reply(503), reply(200)], budget=budget, retry=retry).sent) == 2


def test_a_throttled_repetition_is_cheaper(drive):
    budget = Budget()
    sent = [len(drive(Request("POST", "http://h/a"), [reply(429)], budget=budget).sent) for _ in range(200)]
    assert sum(sent) == 200 + 100
