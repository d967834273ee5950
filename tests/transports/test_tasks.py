"""Sending from tasks: cancelling, bounds, one event loop after another; and a transport that can't be aborted."""

from __future__ import annotations

import anyio
import pytest

from dynclient import exceptions
from dynclient.messages import Response
from dynclient.options import Limits, Timeout
from dynclient.transports import ThreadedTransport

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
both = pytest.mark.parametrize("backend", ["asyncio", "trio"])


async def until(condition) -> None:
    with anyio.fail_after(10):
        while not condition():  # noqa: ASYNC110  # what is waited for happens in threads, which set no Event
            await anyio.sleep(0.001)


@pytest.mark.parametrize("script", [("until_closed",), ("ask", "until_closed"), ("ask", OK[:-1], "until_closed")])
def test_cancelling_breaks_the_connection_and_gives_the_place_back(script, tasks_way, serve, make, narrow):
    server = serve(script)

    async def main() -> None:
        sending = tasks_way.asynchronous(narrow)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(sending.send, make(server.url + "/x", "POST", b"{}"))
            await until(lambda: server.connections)
            tasks.cancel_scope.cancel()
        await until(lambda: tasks_way.is_free(narrow, sending))

    anyio.run(main, backend=tasks_way.backend)
    assert server.ended.acquire(timeout=10), "the server saw the connection end"


class Stuck:
    """A transport that can't be aborted, and ends when it is told."""

    def __init__(self) -> None:
        import threading

        self.go = threading.Event()
        self.begun = 0

    def send(self, send) -> Response:
        self.begun += 1
        self.go.wait(10)
        return Response(200, request=send.request)

    def close(self) -> None:
        self.go.set()


@both
def test_a_place_is_given_back_only_when_its_thread_has_ended(backend, make):
    stuck = Stuck()
    threaded = ThreadedTransport(stuck, limit=1)

    async def main() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(threaded.send, make("http://h/x"))
            await until(lambda: stuck.begun)
            tasks.cancel_scope.cancel()
        with anyio.move_on_after(0.05) as scope:
            await threaded.send(make("http://h/y"))
        assert scope.cancelled_caught
        assert stuck.begun == 1, "the second request found no place"
        stuck.go.set()
        assert (await threaded.send(make("http://h/z"))).status == 200

    anyio.run(main, backend=backend)


def test_many_at_once(tasks_way, httpserver, make):
    httpserver.expect_request("/x").respond_with_data("ok")
    transport = tasks_way.transport(limits=Limits(pool_size=4))
    url = httpserver.url_for("/x")
    bodies = []

    async def main() -> None:
        sending = tasks_way.asynchronous(transport)

        async def one() -> None:
            bodies.append((await sending.send(make(url))).body)

        async with anyio.create_task_group() as tasks:
            for _ in range(30):
                tasks.start_soon(one)
        await sending.aclose()
        with pytest.raises(exceptions.ClientClosed):
            await sending.send(make(url))

    anyio.run(main, backend=tasks_way.backend)
    assert bodies == [b"ok"] * 30


def test_one_loop_after_another(tasks_way, serve, make):
    server = serve(("ask", OK) * 3)
    transport = tasks_way.transport()
    sending = tasks_way.asynchronous(transport)
    for _ in range(3):
        assert anyio.run(sending.send, make(server.url + "/x"), backend=tasks_way.backend).body == b"ok"
    anyio.run(sending.aclose, backend=tasks_way.backend)
    assert server.connections == 1


def test_closing_lets_what_is_under_way_end(tasks_way, serve, make):
    server = serve(("ask", "wait", OK, "until_closed"))
    transport = tasks_way.transport()
    bodies = []

    async def main() -> None:
        sending = tasks_way.asynchronous(transport)

        async def one() -> None:
            bodies.append((await sending.send(make(server.url + "/x"))).body)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(one)
            await until(lambda: server.requests)
            await sending.aclose()
            with pytest.raises(exceptions.ClientClosed):
                await sending.send(make(server.url + "/y"))
            server.go.set()

    anyio.run(main, backend=tasks_way.backend)
    assert bodies == [b"ok"]
    assert server.ended.acquire(timeout=10), "and its connection is closed then"


def test_aborting_before_and_after_harms_nothing(serve, make, transport):
    server = serve(("ask", OK, "ask", OK))
    done = transport.exchange(make(server.url + "/x"))
    assert done.run().body == b"ok"
    done.abort()
    assert transport.send(make(server.url + "/y")).body == b"ok"
    early = transport.exchange(make(server.url + "/z", timeout=Timeout()))
    early.abort()
    with pytest.raises(exceptions.ConnectionLost, match="cancelled"):
        early.run()
    assert server.connections == 1
