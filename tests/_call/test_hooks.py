"""Hooks and logs see each event of a call once, in order, and no secrets."""

from __future__ import annotations

import logging
import pickle

import pytest

from dynclient import exceptions
from dynclient.messages import Headers, Request, Response
from dynclient.options import Retry

LOST = exceptions.ConnectionLost("lost", outcome_unknown=True)
REQUEST = Request(
    "GET",
    "https://h/a?key=canary&to=canary",
    Headers({"Authorization": "Bearer canary", "X-Api-Key": "canary", "Accept": "application/json"}),
    secrets=frozenset({("header", "x-api-key"), ("query", "key")}),
)
ANSWERED = {"Set-Cookie": "s=canary", "Location": "https://h/b?c=canary", "X-A": "\x1b[31m"}
OK = Response(200, Headers(ANSWERED), elapsed=0.5)


class Seen:
    def __init__(self):
        self.events = []

    def on_request(self, event):
        self.events.append(event)

    on_response = on_retry = on_request


def test_hooks_see_each_step_in_order(drive):
    seen = Seen()
    drive(REQUEST, [LOST, Response(503), OK], hooks=(seen,))
    assert [type(event).__name__.removesuffix("Event") for event in seen.events] == [
        "Request", "Retry", "Request", "Response", "Retry", "Request", "Response",
    ]  # fmt: skip
    request, lost, _, _, refused, _, response = seen.events
    assert len({event.call for event in seen.events}) == 1
    assert {event[1:4] for event in seen.events} == {("op", "GET", "https://h/a?key=...&to=...")}
    assert (request.attempt, request.headers["accept"]) == (1, "application/json")
    assert (lost.attempt, lost.wait, lost.status, lost.error) == (1, 0.025, None, LOST)
    assert (refused.attempt, refused.wait, refused.status, refused.error) == (2, 1.0, 503, None)
    assert (response.attempt, response.status, response.elapsed) == (3, 200, 0.5)


def test_calls_have_numbers_of_their_own(drive):
    seen = Seen()
    for _ in range(2):
        drive(REQUEST, [OK], hooks=(seen,))
    assert len({event.call for event in seen.events}) == 2


def test_hooks_see_each_hop(drive):
    seen = Seen()
    drive(REQUEST, [Response(302, Headers({"Location": "/b"})), OK], hooks=(seen,))
    assert [event.url for event in seen.events] == ["https://h/a?key=...&to=..."] * 2 + ["https://h/b"] * 2


def test_no_event_holds_a_secret(drive):
    seen = Seen()
    drive(REQUEST, [LOST, OK], hooks=(seen,))
    for event in seen.events:
        assert "canary" not in repr(event)
        assert b"canary" not in pickle.dumps(event)


@pytest.mark.parametrize("method", ["on_request", "on_response", "on_retry"])
def test_what_a_hook_raises_comes_out_as_it_is(method, drive):
    class Bad:
        pass

    def fail(_, event):
        raise LookupError(event.operation_id)

    setattr(Bad, method, fail)
    with pytest.raises(LookupError, match="op"):
        drive(REQUEST, [LOST, OK], hooks=(Bad(),))


# what comes back -> the line of the call
LINES = {
    "success": ([OK], "op: GET https://h/a?key=...&to=... -> 200, 1 attempt, 0 ms"),
    "after a wait": ([Response(503), OK], "op: GET https://h/a?key=...&to=... -> 200, 2 attempts, 500 ms"),
    "an error": ([Response(404)], "op: GET https://h/a?key=...&to=... -> NotFound (404), 1 attempt, 0 ms"),
    "no answer": ([exceptions.TLSError("no")], "op: GET https://h/a?key=...&to=... -> TLSError, 1 attempt, 0 ms"),
}


@pytest.mark.parametrize("case", LINES.values(), ids=LINES)
def test_one_line_a_call(case, drive, caplog):
    replies, line = case
    caplog.set_level(logging.INFO, "dynclient")
    drive(REQUEST, replies, retry=Retry(attempts=2))
    assert caplog.messages == [line]


def test_debug_shows_headers_without_secrets(drive, caplog):
    caplog.set_level(logging.DEBUG, "dynclient")
    drive(REQUEST, [LOST, OK])
    assert "op > Authorization: ***" in caplog.messages
    assert "op > X-Api-Key: ***" in caplog.messages
    assert "op > Accept: application/json" in caplog.messages
    assert "op: again in 0.025 s, after ConnectionLost" in caplog.messages
    assert "op < Set-Cookie: ***" in caplog.messages
    assert "op < Location: https://h/b?***" in caplog.messages
    assert "op < X-A: \\x1b[31m" in caplog.messages
    assert "canary" not in caplog.text


def test_nothing_is_computed_for_nobody(drive, caplog, monkeypatch):
    caplog.set_level(logging.WARNING, "dynclient")

    def refuse(_):
        raise AssertionError

    for name in ("logged_url", "with_no_secrets"):
        monkeypatch.setattr(Request, name, property(refuse))
    assert drive(REQUEST, [LOST, OK]).outcome == 200
    assert caplog.messages == []
