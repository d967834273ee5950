"""Concurrency: threads, forks, interrupts, and servers that change meanwhile."""

from __future__ import annotations

import json
import os
import random
import select
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Event
from types import SimpleNamespace

import anyio
import pytest
import werkzeug
from case import AGAIN, AUTH, HEADER_KEY, QUICK, answer, document, ok

import dynclient
from dynclient import exceptions
from dynclient.transports.clock import Environment

THREADS, CALLS = 32, 300


def echo(request: bytes) -> bytes:
    """The last part of the path, as a number."""
    number = request.split(b" ", 2)[1].partition(b"?")[0].rpartition(b"/")[2]
    return ok(number).replace(b"Connection: close\r\n", b"")


@pytest.fixture
def things(serve):
    def load(*scripts, **options):
        server = serve(*scripts, keep=False)
        options = {"auth": AUTH, "timeout": QUICK, "retry": AGAIN, **options}
        return server, dynclient.load(document(server.url), **options)

    return load


@pytest.mark.parametrize("pool", [4, pytest.param(32, marks=pytest.mark.large)])
def test_each_call_has_its_own_answer(things, pool):
    calls = CALLS if pool == THREADS else 50
    limits = dynclient.options.Limits(pool_size=pool)
    server, client = things((("answers", echo),), limits=limits, timeout=replace(QUICK, pool=30, total=60))

    def one(thread: int) -> list[int]:
        return [client.get_file(str(thread * calls + number)) for number in range(calls)]

    with client, ThreadPoolExecutor(THREADS) as threads:
        answers = list(threads.map(one, range(THREADS)))
    assert answers == [list(range(thread * calls, (thread + 1) * calls)) for thread in range(THREADS)]
    assert server.asked == THREADS * calls
    # Those that lie idle for seconds, or beyond the ten that stay open, are closed, and made anew when wanted again.
    assert server.connections <= 2 * pool or pool == THREADS


def test_a_connection_that_closes_while_it_is_used(things):
    kept = ok().replace(b"Connection: close\r\n", b"")
    server, client = things(("ask", kept, "ask"), ("ask", kept))
    with client:
        assert client.get_thing() == {"id": 1}
        assert client.get_thing_with_http_info().attempts == 2
        assert server.asked == 3
    server, client = things(("ask", kept, "ask"), ("ask", kept))
    with client:
        assert client.get_thing() == {"id": 1}
        with pytest.raises(exceptions.ConnectionLost) as caught:
            client.post_thing({"a": 1})
        assert (caught.value.attempts, caught.value.outcome_unknown) == (1, True)


def test_a_storm_is_calmed(things):
    server, client = things(("ask", answer(503, b"{}", b"Content-Type: application/json")))

    def one(_: int) -> type[Exception]:
        with pytest.raises(exceptions.ServerError) as caught:
            client.get_thing()
        return type(caught.value)

    with client, ThreadPoolExecutor(THREADS) as threads:
        assert set(threads.map(one, range(200))) == {exceptions.ServerError}
    assert 200 <= server.asked <= 200 * 1.2


class Interrupts:
    """Raises KeyboardInterrupt in place of the n-th read, write or wait of this thread from now on."""

    def __init__(self) -> None:
        self.left = 0
        self.thread = threading.get_ident()

    def before(self, function):
        def call(*args):
            if threading.get_ident() == self.thread:
                self.left -= 1
                if self.left == 0:
                    raise KeyboardInterrupt
            return function(*args)

        return call

    def polls(self, made):
        """What makes a ``poll`` whose waits are interrupted too."""

        def make():
            poll = made()
            return SimpleNamespace(register=poll.register, poll=self.before(poll.poll))

        return make


def test_an_interrupt_at_each_read_and_write_and_wait_spoils_no_later_call(things, monkeypatch):
    interrupts, interrupted = Interrupts(), 0
    for name in ("recv", "send"):
        monkeypatch.setattr(socket.socket, name, interrupts.before(getattr(socket.socket, name)))
    monkeypatch.setattr(select, "poll", interrupts.polls(select.poll))
    # A place that was lost would be missed by the next call.
    _, client = things((("answers", echo),), limits=dynclient.options.Limits(pool_size=1))
    with client:
        assert client.get_file("1000") == 1000
        for number in range(1, 20):
            interrupts.left = number
            try:
                assert client.get_file(str(number)) == number
            except KeyboardInterrupt:
                interrupted += 1
            interrupts.left = 0
            assert client.get_file(str(number + 1000)) == number + 1000
    assert interrupted > 3


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_cancelled_calls_spoil_no_later_one(serve, backend):
    def slow(request: bytes) -> bytes:
        # Every third answer never comes, as far as its caller can wait.
        number = int(request.split(b" ", 2)[1].partition(b"?")[0].rpartition(b"/")[2])
        return echo(request) if number % 3 else b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n12"

    server = serve((("answers", slow),))

    async def run() -> list[object]:
        seen: list[object] = []
        async with dynclient.AsyncClient.load(document(server.url), auth=AUTH, timeout=QUICK) as client:
            for number in range(1, 31):
                with anyio.move_on_after(0.05 if number % 3 == 0 else 5):
                    seen.append(await client.get_file(str(number)))
        return seen

    assert anyio.run(run, backend=backend) == [number for number in range(1, 31) if number % 3]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_each_task_has_its_own_answers(serve, backend):
    server = serve((("answers", echo),), keep=False)
    answers: dict[int, list[int]] = {}
    timeout = replace(QUICK, pool=30, total=60)

    async def run() -> None:
        async with dynclient.AsyncClient.load(document(server.url), auth=AUTH, timeout=timeout) as client:

            async def one(task: int) -> None:
                answers[task] = [await client.get_file(str(task * 10 + number)) for number in range(10)]

            async with anyio.create_task_group() as tasks:
                for task in range(100):
                    tasks.start_soon(one, task)

    anyio.run(run, backend=backend)
    assert answers == {task: list(range(task * 10, task * 10 + 10)) for task in range(100)}
    assert server.asked == 1000
    assert server.connections <= 2 * dynclient.options.Limits().pool_size


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_fork_between_calls_of_tasks(serve, backend):
    server = serve((("answers", echo),))
    client = dynclient.AsyncClient.load(document(server.url), auth=AUTH, timeout=QUICK)

    async def call(number: int) -> bool:
        return await client.get_file(str(number)) == number

    assert anyio.run(call, 1, backend=backend)
    process = os.fork()
    if not process:
        try:
            os._exit(0 if anyio.run(call, 2, backend=backend) else 1)
        finally:
            os._exit(2)
    assert os.waitpid(process, 0)[1] == 0
    assert anyio.run(call, 3, backend=backend), "the parent's connection is as it was"
    anyio.run(client.aclose, backend=backend)
    assert server.connections == 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_fork_in_the_middle_of_calls(things):
    server, client = things((("answers", echo),))

    def child() -> int:
        """The exit status of a child that was forked while others called: 0 for success."""
        process = os.fork()
        if process:
            return os.waitpid(process, 0)[1]
        try:
            good = [client.get_file(str(number)) for number in range(20)] == list(range(20))
            os._exit(0 if good else 1)
        finally:
            os._exit(2)

    with client, ThreadPoolExecutor(4) as threads:
        client.get_file("0")  # Python's import has a lock that a child would inherit
        calls = threads.map(lambda number: client.get_file(str(number)), range(400))
        statuses = [child() for _ in range(3)]
        assert list(calls) == list(range(400))
    assert statuses == [0, 0, 0]
    assert server.asked == 461


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_fork_while_another_thread_reads_what_a_schema_refers_to(httpserver, tmp_path):
    asked, over = Event(), Event()

    def slow(_):
        asked.set()
        over.wait(20)
        return werkzeug.Response('{"type": "string"}', content_type="application/json")

    httpserver.expect_request("/slow.json").respond_with_handler(slow)
    (tmp_path / "quick.json").write_text('{"type": "object", "required": ["a"], "properties": {"a": {"minLength": 1}}}')
    posted = {"slow": httpserver.url_for("/slow.json"), "quick": "quick.json"}
    bodies = {name: {"content": {"application/json": {"schema": {"$ref": to}}}} for name, to in posted.items()}
    paths = {f"/{name}": {"post": {"operationId": name, "requestBody": body}} for name, body in bodies.items()}
    source = {"openapi": "3.1.0", "info": {"title": "T", "version": "1"}, "paths": paths}
    (tmp_path / "api.json").write_text(json.dumps(source))
    path, server = tmp_path / "api.json", "http://127.0.0.1:9"
    client = dynclient.load(path, base_url=server, references=[httpserver.url_for("/")], cache=False)
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(client.slow.prepare, body="text")
        assert asked.wait(20)
        process = os.fork()
        if not process:
            signal.alarm(10)  # which ends a child that hangs
            try:
                os._exit(0 if client.quick.prepare(body={"a": "b"}).body == b'{"a":"b"}' else 1)
            finally:
                os._exit(2)
        status = os.waitpid(process, 0)[1]
        over.set()
        assert waiting.result(20).body == b'"text"'
    assert status == 0


def test_nothing_is_taken_from_the_environment(things, monkeypatch, tmp_path):
    (tmp_path / ".netrc").write_text("default login user password canary-netrc\n")
    for name, value in {
        "HOME": str(tmp_path),
        "NETRC": str(tmp_path / ".netrc"),
        **dict.fromkeys(("http_proxy", "HTTP_PROXY", "all_proxy", "https_proxy"), "http://127.0.0.1:9"),
    }.items():
        monkeypatch.setenv(name, value)
    seen = []
    _, client = things((("answers", lambda request: seen.append(request) or ok()),))
    with client:
        client.get_open()
    assert b"authorization" not in seen[0].lower()
    assert b"canary" not in seen[0]


def test_random_numbers_are_the_systems():
    assert isinstance(Environment().random.__self__, random.SystemRandom)
    assert Environment().key() != Environment().key()


FAULTS = {
    "refused": (("ask", answer(500)),),
    "lost": (("ask", "reset"),),
    "garbage": (("ask", b"\0garbage\r\n"),),
    "cut": (("ask", answer(200, b"{", length=9)),),
    "large": (("ask", answer(200, length=10**12)),),
}


def descriptors() -> int:
    return len(list(Path("/dev/fd").iterdir()))


@pytest.mark.parametrize("fault", FAULTS)
def test_no_descriptor_is_left(things, fault):
    server, client = things(*FAULTS[fault], retry=1)
    with client:
        for number in range(300):
            with pytest.raises(exceptions.DynclientError):
                client.get_any()
            if number == 10:
                server.settle()
                before = descriptors()
        server.settle()
        assert descriptors() <= before


@pytest.mark.parametrize("fault", FAULTS)
def test_no_descriptor_is_left_by_tasks(serve, fault):
    server = serve(*FAULTS[fault], keep=False)

    async def run() -> None:
        async with dynclient.AsyncClient.load(document(server.url), auth=AUTH, timeout=QUICK, retry=1) as client:
            for number in range(200):
                with pytest.raises(exceptions.DynclientError):
                    await client.get_any()
                if number == 10:
                    server.settle()
                    before = descriptors()
            server.settle()
            assert descriptors() <= before

    anyio.run(run)


def test_the_clock_of_the_wall_may_jump(things, monkeypatch):
    _, client = things(("ask", answer(503, b"{}", b"Content-Type: application/json", b"Retry-After: 0")), ("ask", ok()))
    day = iter(range(0, 10**9, 86_400))
    monkeypatch.setattr(time, "time", lambda: float(next(day)))
    with client:
        assert client.get_thing() == {"id": 1}


def test_the_answer_of_an_error_is_masked_for_every_thread(things):
    body = json.dumps({"seen": HEADER_KEY}).encode()
    _, client = things(("ask", answer(404, body, b"Content-Type: application/json")))
    with client, ThreadPoolExecutor(8) as threads, pytest.raises(exceptions.NotFound) as caught:
        list(threads.map(lambda _: client.get_any(), range(8)))
    assert caught.value.data == {"seen": "***"}
