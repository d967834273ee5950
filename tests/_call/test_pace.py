"""Rates: GCRA compared with other limiters over simulated time, quotas and pauses of servers, and both clients."""

from __future__ import annotations

import asyncio
import random
import selectors
import threading
import time
from dataclasses import replace

import anyio
import limits
import pytest
from aiolimiter import AsyncLimiter
from limits.strategies import MovingWindowRateLimiter

import dynclient
from dynclient import exceptions
from dynclient._call import call
from dynclient._call.pace import Limiter, Pacing, told
from dynclient._request import CallOptions
from dynclient._response import ResponseReader
from dynclient.messages import Headers, Request, Response, RunBlocking, Sleep
from dynclient.model import Operation, OperationRow
from dynclient.model import Response as Documented
from dynclient.options import Limits, Rate, Retry, Timeout
from dynclient.transports.clock import Environment

# Oracles.


class _Simulated(asyncio.SelectorEventLoop):
    """An event loop that does not wait: its clock jumps to the next timer."""

    def __init__(self):
        self.now = 0.0
        super().__init__(self._Selector(self))

    def time(self):
        return self.now

    class _Selector(selectors.SelectSelector):
        def __init__(self, loop):
            super().__init__()
            self.loop = loop

        def select(self, timeout=None):
            self.loop.now += (timeout or 0.0) + 1e-9  # a limiter may wait for less than a float can tell
            return super().select(0)


def _aiolimiter(arrivals, rate, burst):
    """The times at which a leaky bucket of aiolimiter lets each request pass."""
    gone = []

    async def go(limiter, arrival):
        await asyncio.sleep(arrival)
        await limiter.acquire()
        gone.append(loop.now)

    async def all_of_them():
        limiter = AsyncLimiter(burst, burst / rate)
        await asyncio.gather(*(go(limiter, arrival) for arrival in arrivals))

    loop = _Simulated()
    try:
        loop.run_until_complete(all_of_them())
    finally:
        loop.close()
    return gone


def _arrivals(seed, rate):
    chance = random.Random(seed)
    now, found = 0.0, []
    for _ in range(200):
        now += chance.choice((0.0, 0.0, 0.1, 0.9, 1.3, 5.0)) / rate
        found.append(now)
    return found


@pytest.mark.parametrize("burst", [1, 3, 10])
@pytest.mark.parametrize("seed", range(5))
def test_places_are_those_of_a_leaky_bucket(seed, burst):
    arrivals = _arrivals(seed, 50)
    limiter = Limiter(Rate("50/s", burst=burst))
    ours = [now + limiter.reserve("a", 1, now) for now in arrivals]
    assert ours == sorted(ours), "first come, first served"
    assert ours == pytest.approx(_aiolimiter(arrivals, 50, burst), abs=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_a_moving_window_lets_every_place_pass(seed, monkeypatch):
    limiter = Limiter(Rate("50/s"))
    now = 0.0
    monkeypatch.setattr("time.time", lambda: now)
    window = MovingWindowRateLimiter(limits.storage.MemoryStorage())
    for arrival in _arrivals(seed, 50):
        now = (arrival + limiter.reserve("a", 1, arrival)) * 1.000001  # its windows include both ends
        assert window.hit(limits.RateLimitItemPerSecond(50))


def test_places_too_late_are_not_taken():
    limiter = Limiter(Rate("1/s"))
    assert [limiter.reserve("a", 1, 0.0, longest) for longest in (9, 0.5, 0.5, 9)] == [0.0, 1.0, 1.0, 1.0]
    assert limiter.reserve("b", 1, 0.0) == 0.0
    assert limiter.reserve("b", 5, 0.0) == 5.0


RATES = {"50/s": 0.02, "600/m": 0.1, "5000/h": 0.72, "1/day": 86400, "100/10s": 0.1, "0.5/s": 2.0, "6/2minutes": 20.0}


@pytest.mark.parametrize(("text", "interval"), RATES.items(), ids=RATES)
def test_rate(text, interval):
    assert Rate(text).interval == pytest.approx(interval)


WRONG = ["", "50", "50/x", "0/s", "-1/s", "1/0s", "x/s", 50, None, "1e9/s", "\uff15/s"]


@pytest.mark.parametrize("text", WRONG, ids=repr)
def test_what_is_no_rate(text):
    with pytest.raises(ValueError, match="a rate is a number and a time"):
        Rate(text)


@pytest.mark.parametrize("more", [{"burst": 0}, {"burst": 1.5}, {"burst": True}, {"by": {"a": "auto"}}], ids=repr)
def test_wrong_arguments_of_a_rate(more):
    with pytest.raises(ValueError, match=r"burst|by="):
        Rate("1/s", **more)


# Flows over simulated time.


class Server:
    """Answers with these responses in turn, and notes when it was asked."""

    def __init__(self, *replies):
        self.replies = replies
        self.times = []


def _reply(status=200, **headers):
    return Response(status, Headers({name.replace("_", "-"): str(text) for name, text in headers.items()}))


def _run(pacing, server, rate, *, now=0.0, calls=1, at_once=True, total=1000.0, url="http://h/a", retry=Retry()):
    """Make calls at one moment, or one after another; returns how each ended."""
    row = OperationRow("k", "GET", "/a", "op", "op", (), "", (), False, "", "")
    operation = Operation(row, responses={"default": Documented("default")})
    clock = [now]
    environment = Environment(lambda: clock[0], lambda: 0.5, now=lambda: 1.8e9 + clock[0])
    ends = []
    for _ in range(calls):
        clock[0] = now if at_once else clock[0]
        options = CallOptions(timeout=Timeout(total=total), retry=retry, rate=rate)
        pace = pacing.of(rate, (), "k")
        flow = call(
            Request("GET", url), ResponseReader(operation, Limits()), options, environment=environment, pace=pace
        )
        answer = None
        try:
            while True:
                step = flow.send(answer)
                answer = None
                if isinstance(step, Sleep):
                    clock[0] += step.seconds
                elif isinstance(step, RunBlocking):
                    answer = step.function()
                else:
                    reply = server.replies[min(len(server.times), len(server.replies) - 1)]
                    server.times.append(round(clock[0], 6))
                    answer = replace(reply, request=step.request)
        except StopIteration as stop:
            ends.append(stop.value.status)
        except exceptions.DynclientError as error:
            ends.append(error)
    return ends


def test_each_attempt_takes_a_place():
    server = Server(_reply(503, retry_after_ms=0), _reply(503, retry_after_ms=0), _reply())
    assert _run(Pacing(), server, Rate("1/s"), calls=2) == [200, 200]
    assert server.times == [0.0, 1.0, 2.0, 3.0]


def test_each_origin_has_places_of_its_own():
    pacing, server = Pacing(), Server(_reply())
    for url in ("http://h/a", "http://h:81/a", "https://h/a", "http://H:80/b"):
        _run(pacing, server, Rate("1/s"), url=url)
    assert server.times == [0.0, 0.0, 0.0, 1.0]


def test_no_place_before_the_deadline():
    pacing, server = Pacing(), Server(_reply())
    *_, late = _run(pacing, server, Rate("1/s"), calls=4, total=2.5)
    assert isinstance(late, exceptions.PaceTimeout)
    assert (late.wait, late.attempts, late.outcome_unknown) == (3.0, 0, False)
    assert "the rate 1/s of http://h:80 leaves no place before the deadline: the request could be sent in 3 s" in str(
        late
    )
    assert _run(pacing, server, Rate("1/s"), now=3.0) == [200], "the place was not taken"
    assert server.times == [0.0, 1.0, 2.0, 3.0]


def test_where_there_is_no_place_for_a_retry_the_last_answer_counts():
    server = Server(_reply(503, retry_after_ms=0))
    (error,) = _run(Pacing(), server, Rate("1/m"), total=5.0)
    assert (error.status, error.attempts) == (503, 1)


def test_retry_after_pauses_the_origin_for_all():
    pacing, server = Pacing(), Server(_reply(429, retry_after=10), _reply())
    (error,) = _run(pacing, server, Rate("100/s"), retry=Retry(attempts=1))
    assert error.status == 429
    assert _run(pacing, server, Rate("1/s"), now=1.0, calls=2) == [200, 200]
    assert server.times == [0.0, 10.0, 11.0]
    (late,) = _run(pacing, Server(_reply(429, retry_after="9" * 12)), Rate("1/s"), now=20.0, retry=Retry(attempts=1))
    (late,) = _run(pacing, server, Rate("1/s"), now=21.0)
    assert isinstance(late, exceptions.PaceTimeout)
    assert "http://h:80 asks for a pause" in str(late)
    assert _run(pacing, server, Rate("1/s"), now=21.0, total=None) == [200], "no server is believed for long"
    assert server.times[-1] == 3620.0


def test_a_quota_is_learned_and_kept_to():
    pacing = Pacing()
    server = Server(
        *(_reply(RateLimit=f'"a";r={2 - n};t=10', RateLimit_Policy='"a";q=3;w=10') for n in range(3)), _reply()
    )
    assert _run(pacing, server, Rate("auto"), calls=7, at_once=False) == [200] * 7
    assert server.times == [0.0, 0.0, 0.0, 10.0, 10.0, 10.0, 20.0]


def test_a_quota_never_raises_the_rate():
    server = Server(_reply(X_RateLimit_Remaining=1000, X_RateLimit_Reset=60))
    _run(Pacing(), server, Rate("1/s", auto=True), calls=3)
    assert server.times == [0.0, 1.0, 2.0]


def test_without_auto_no_quota_is_learned():
    server = Server(_reply(X_RateLimit_Remaining=0, X_RateLimit_Reset=60))
    _run(Pacing(), server, Rate("1/s"), calls=2)
    assert server.times == [0.0, 1.0]


# headers -> requests left, seconds until the next window, how many then, in how many seconds
TOLD = {
    "draft": ({"RateLimit": '"default";r=50;t=30', "RateLimit-Policy": '"default";q=100;w=60'}, (50, 30, 100, 60)),
    "draft, two policies": ({"RateLimit": '"hour";r=50;t=3000, "second";r=0;t=1'}, (0, 1, 1, 1)),
    "draft without a time": ({"RateLimit": '"a";r=7', "RateLimit-Policy": '"a";q=9;w=20'}, (7, 20, 9, 20)),
    "draft 7": ({"RateLimit": "limit=100, remaining=50, reset=5"}, (50, 5, 1, 1)),
    "draft 3": ({"RateLimit-Limit": "100", "RateLimit-Remaining": "3", "RateLimit-Reset": "9"}, (3, 9, 100, 1)),
    "seconds": ({"X-RateLimit-Remaining": "3", "X-RateLimit-Reset": "9", "X-RateLimit-Limit": "60"}, (3, 9, 60, 1)),
    "epoch": ({"X-RateLimit-Remaining": "3", "X-RateLimit-Reset": "1800000009"}, (3, 9, 1, 1)),
    "milliseconds": ({"X-Rate-Limit-Remaining": "3", "X-Rate-Limit-Reset": "1800000009000"}, (3, 9, 1, 1)),
    "epoch by the server's clock": (
        {"X-RateLimit-Remaining": "3", "X-RateLimit-Reset": "1700000009", "Date": "Tue, 14 Nov 2023 22:13:20 GMT"},
        (3, 9, 1, 1),
    ),
    "reset-after": (
        {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1800000099.5", "X-RateLimit-Reset-After": "1.5"},
        (0, 1.5, 1, 1),
    ),
    "in the past": ({"X-RateLimit-Remaining": "3", "X-RateLimit-Reset": "1700000009"}, (3, 0, 1, 1)),
    "far away": ({"X-RateLimit-Remaining": "3", "X-RateLimit-Reset": "999999999"}, (3, 3600, 1, 1)),
    "no time": ({"X-RateLimit-Remaining": "0"}, (0, 1, 1, 1)),
    "negative": ({"X-RateLimit-Remaining": "-3", "X-RateLimit-Reset": "-9"}, (0, 0, 1, 1)),
    "garbage": ({"X-RateLimit-Remaining": "many", "RateLimit": "r=;t=9", "RateLimit-Policy": "q=x"}, None),
    "a number of a megabyte": ({"X-RateLimit-Remaining": "9" * 2**20}, (999999999999999, 1, 1, 1)),
    "none": ({}, None),
}


@pytest.mark.parametrize(("headers", "expected"), TOLD.values(), ids=TOLD)
def test_what_servers_tell(headers, expected):
    assert told(Headers(headers), 0.0, 1.8e9) == expected


def test_quotas_of_several_resources_are_told_apart():
    pacing = Pacing()
    spent = _reply(X_RateLimit_Remaining=0, X_RateLimit_Reset=50, X_RateLimit_Resource="search")
    for operation, reply in (("search", spent), ("list", _reply(X_RateLimit_Remaining=9, X_RateLimit_Reset=50))):
        pace = pacing.of(Rate("auto"), (), operation)
        pace.answered(Request("GET", "http://h/"), reply, Environment(lambda: 0.0))
    assert [pacing.wait("http://h:80", name, 1.0, is_auto=True, takes=True) for name in ("search", "list")] == [
        49.0,
        0.0,
    ]


def test_what_a_server_has_not_counted_yet_is_not_left():
    pacing = Pacing()
    for _ in range(3):
        assert pacing.wait("http://h:80", "op", 0.0, is_auto=True, takes=True) == 0.0
    pace = pacing.of(Rate("auto"), (), "op")
    pace.answered(
        Request("GET", "http://h/"), _reply(X_RateLimit_Remaining=3, X_RateLimit_Reset=9), Environment(lambda: 0.0)
    )
    assert [pacing.wait("http://h:80", "op", 0.0, is_auto=True, takes=True) for _ in range(2)] == [0.0, 9.0]


# Real clients and servers.

DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "t", "version": "1"},
    "paths": {
        path: {"get": {"operationId": name, "tags": [tag], "responses": {"200": {"description": ""}}}}
        for path, name, tag in (("/a", "look", "t1"), ("/b", "search", "t2"))
    },
}


@pytest.fixture
def server(httpserver):
    """A server that answers 200 with nothing, and notes when."""
    httpserver.times = []

    def handler(request):
        from werkzeug import Response

        httpserver.times.append(time.monotonic())
        return Response(status=200)

    for path in ("/a", "/b"):
        httpserver.expect_request(path).respond_with_handler(handler)
    return httpserver


def test_threads_share_a_rate_and_none_goes_short(server):
    done = []

    def go(client):
        for _ in range(5):
            client.look()
            done.append(threading.get_ident())

    with dynclient.load(DOCUMENT, base_url=server.url_for(""), rate="100/s") as client:
        began = time.monotonic()
        threads = [threading.Thread(target=go, args=(client,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(server.times) == 20
    assert max(server.times) - began >= 0.185, "19 intervals of 10 ms"
    assert len(set(done[:12])) == 4, "each thread has had its turn"


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_tasks_share_a_rate(server, backend):
    async def main():
        async with dynclient.AsyncClient.load(DOCUMENT, base_url=server.url_for("")) as client:
            paced = client.with_options(rate=dynclient.Rate("50/s", burst=2))
            async with anyio.create_task_group() as group:
                for _ in range(7):
                    group.start_soon(paced.look)

    began = time.monotonic()
    anyio.run(main, backend=backend)
    assert max(server.times) - began >= 0.095, "5 intervals of 20 ms"


def test_an_operation_and_a_tag_may_have_rates_of_their_own(server):
    for by in ({"search": "1/h"}, {"GET /b": "1/h"}, {"t2": "1/h"}, {"search": "2/h", "t2": "1/h"}):
        rate = Rate("1000/s", by=by)
        with dynclient.load(DOCUMENT, base_url=server.url_for(""), rate=rate, timeout=5) as client:
            client.search()
            client.look()
            client.look()
            with pytest.raises(dynclient.PaceTimeout, match="leaves no place before the deadline"):
                client.search()
    with dynclient.load(DOCUMENT) as client, pytest.raises(dynclient.ArgumentError, match="no operation serch"):
        client.with_options(rate=Rate("1/s", by={"serch": "1/s"}))


def test_equal_rates_of_one_client_are_one(server):
    with dynclient.load(DOCUMENT, base_url=server.url_for(""), timeout=5) as client:
        client.look.with_options(rate="1/h")()
        with pytest.raises(dynclient.PaceTimeout):
            client.with_options(rate="1/h").search()
        client.with_options(rate=None).search()


def test_a_limiter_of_the_caller_decides(server):
    asked = []

    class Mine:
        def reserve(self, key, n, now):
            asked.append((key, n, abs(now - time.time()) < 60))
            return (0.0, 0.001, 99.0)[len(asked) - 1]

    with dynclient.load(DOCUMENT, base_url=server.url_for(""), rate=Mine(), timeout=5) as client:
        client.look()
        client.look()
        with pytest.raises(dynclient.PaceTimeout, match="the rate Mine of http://localhost"):
            client.look()
    assert asked == [(f"http://localhost:{server.port}", 1, True)] * 3
    assert len(server.times) == 2


class _Async:
    async def reserve(self, key, n, now):
        return 0.0

    def __repr__(self):
        return "async"


@pytest.mark.parametrize("rate", [5, "5/x", {"limit": "5/s", "more": 1}, b"5/s", _Async()], ids=repr)
def test_a_wrong_rate_is_refused_when_it_is_given(rate):
    with pytest.raises(dynclient.ArgumentError, match="rate"):
        dynclient.load(DOCUMENT, rate=rate)


def test_a_response_from_the_cache_takes_no_place(server, tmp_path):
    server.clear()
    server.expect_request("/a").respond_with_data("", headers={"Cache-Control": "max-age=600"})
    with dynclient.load(
        DOCUMENT, base_url=server.url_for(""), rate="1/h", timeout=5, http_cache=dynclient.HTTPCache(tmp_path)
    ) as client:
        for _ in range(3):
            client.look()
    assert len(server.log) == 1
