"""Sockets of an event loop: the order in the pool, names looked up within the time limit, asynchronous bodies."""

from __future__ import annotations

import io
import socket
import subprocess
import sys
import threading
from dataclasses import replace

import anyio
import anyio.to_thread
import pytest
import trustme

from dynclient import exceptions
from dynclient.options import TLS, Limits, Timeout
from dynclient.transports import AsyncHTTPTransport
from dynclient.transports.clock import Clock, DeadlineExceeded
from dynclient.transports.pool import Lease, Pool, PoolClosed
from dynclient.transports.tasks import TaskWaiter

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n"
QUICK = Timeout(connect=2, read=2, write=2, total=10, pool=2)
HERE = ("http", "here", 80)


@pytest.fixture(params=["asyncio", "trio"])
def run(request):
    return lambda function: anyio.run(function, backend=request.param)


def clock(**limits: float) -> Clock:
    return Clock(replace(QUICK, **limits), None)


def test_tasks_that_wait_for_a_place_have_their_turns(run):
    async def main() -> list[str]:
        places, took = Pool(1, TaskWaiter), []

        async def work(name: str) -> None:
            for _ in range(3):
                await places.take(HERE, clock(), Lease())
                took.append(name)
                await anyio.wait_all_tasks_blocked()
                # From here on it waits for nothing until it asks for the next one.
                places.give_back(HERE, None, Lease())

        async with anyio.create_task_group() as tasks:
            for name in "abc":
                tasks.start_soon(work, name)
        assert (places._used, places._waiting) == ({}, {})
        return took

    took = run(main)
    assert [sorted(took[start : start + 3]) for start in (0, 3, 6)] == [["a", "b", "c"]] * 3


def test_two_event_loops_at_once_are_refused(serve, make):
    server = serve(("ask", HEAD, "hang"), ("ask", OK))
    transport, errors = AsyncHTTPTransport(), []

    async def another() -> None:
        try:
            await transport.send(make(server.url + "/y"))
        except exceptions.ArgumentError as error:
            errors.append(str(error))

    async def main() -> None:
        body = (await transport.send(make(server.url + "/x")._replace(stream=True))).body
        await anyio.to_thread.run_sync(lambda: anyio.run(another))
        await body.aclose()
        # One after the other is fine, in another thread too.
        await anyio.to_thread.run_sync(lambda: anyio.run(another))

    anyio.run(main)
    assert len(errors) == 1
    assert "another event loop" in errors[0]
    assert server.connections == 2


def test_a_hundred_tasks_share_two_connections(run, serve, make):
    server = serve(("ask", OK) * 100, ("ask", OK) * 100)
    transport = AsyncHTTPTransport(limits=Limits(pool_size=2))
    timeout = replace(QUICK, pool=30, total=60)
    bodies = []

    async def one() -> None:
        bodies.append((await transport.send(make(server.url + "/x", timeout=timeout))).body)

    async def main() -> None:
        async with anyio.create_task_group() as tasks:
            for _ in range(100):
                tasks.start_soon(one)
        await transport.aclose()

    run(main)
    assert bodies == [b"ok"] * 100
    assert server.connections <= 2


def test_a_place_is_handed_on_by_who_gives_up(run):
    async def main() -> None:
        places = Pool(1, TaskWaiter)
        took = []

        async def take(name: str) -> None:
            await places.take(HERE, clock(), Lease())
            took.append(name)
            places.give_back(HERE, None, Lease())

        await places.take(HERE, clock(), Lease())
        with pytest.raises(DeadlineExceeded):
            await places.take(HERE, clock(pool=0.01), Lease())
        async with anyio.create_task_group() as tasks, anyio.create_task_group() as cancelled:
            cancelled.start_soon(take, "cancelled")
            await anyio.wait_all_tasks_blocked()
            tasks.start_soon(take, "next")
            await anyio.wait_all_tasks_blocked()
            # The place is handed to the first one, which is cancelled as it learns of it.
            places.give_back(HERE, None, Lease())
            cancelled.cancel_scope.cancel()
        assert took[-1] == "next"
        assert (places._used, places._waiting) == ({}, {})

    run(main)


def test_closing_wakes_who_waits(run):
    async def main() -> None:
        places = Pool(1, TaskWaiter)
        await places.take(HERE, clock(), Lease())

        async def wait() -> None:
            with pytest.raises(PoolClosed):
                await places.take(HERE, clock(), Lease())

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(wait)
            await anyio.wait_all_tasks_blocked()
            places.close()
        with pytest.raises(PoolClosed):
            await places.take(HERE, clock(), Lease())
        places.give_back(HERE, None, Lease())
        assert (places._used, places._waiting) == ({}, {})

    run(main)


def test_a_body_that_another_task_closes_wakes_its_reader(run, serve, make):
    server = serve(("ask", HEAD + b"abc", "until_closed"))
    transport = AsyncHTTPTransport()

    async def main() -> None:
        body = (await transport.send(make(server.url + "/x")._replace(stream=True))).body
        assert await anext(body) == b"abc"

        async def read() -> None:
            with pytest.raises(exceptions.ConnectionLost):
                await anext(body)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(read)
            await anyio.wait_all_tasks_blocked()
            await body.aclose()
        assert [chunk async for chunk in body] == []

    run(main)
    assert server.ended.acquire(timeout=10)


def test_a_body_that_is_forgotten_closes_its_connection(run, serve, make):
    server = serve(("ask", HEAD + b"abc", "until_closed"))
    transport = AsyncHTTPTransport(limits=Limits(pool_size=1))

    async def main() -> None:
        await transport.send(make(server.url + "/x")._replace(stream=True))

    run(main)
    assert server.ended.acquire(timeout=10)
    assert transport.pool._used == {}


@pytest.mark.parametrize(
    ("timeout", "error"),
    [(replace(QUICK, connect=0.1), exceptions.ConnectError), (replace(QUICK, total=0.1), exceptions.TimeoutError)],
)
def test_a_place_where_nobody_answers(timeout, error, run, make):
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        address = listening.getsockname()
        # Once its queue is full, a kernel lets further connections wait.
        waiting = [socket.socket() for _ in range(3)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(address)
        send = make(f"http://127.0.0.1:{address[1]}/x", timeout=timeout)
        with pytest.raises(error) as caught:
            run(lambda: AsyncHTTPTransport().send(send))
        for one in waiting:
            one.close()
    assert not caught.value.outcome_unknown


@pytest.mark.parametrize(
    ("timeout", "error"),
    [(replace(QUICK, connect=0.1), exceptions.ConnectError), (replace(QUICK, total=0.1), exceptions.TimeoutError)],
)
def test_looking_up_a_name_takes_no_longer_than_the_clock_allows(timeout, error, run, make, monkeypatch):
    over, look_up = threading.Event(), socket.getaddrinfo

    def slow(host, *rest, **more):
        if host not in {"slow.test", b"slow.test"}:
            return look_up(host, *rest, **more)
        if more.get("flags") or rest[4:5] > (0,):
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        over.wait(10)
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", slow)

    async def main() -> None:
        try:
            await AsyncHTTPTransport().send(make("http://slow.test/x", timeout=timeout))
        finally:
            over.set()

    with pytest.raises(error):
        run(main)


def test_the_first_address_that_answers_wins(run, serve, make, monkeypatch):
    server = serve(("ask", OK))
    look_up = socket.getaddrinfo
    here = look_up("127.0.0.1", server.port, type=socket.SOCK_STREAM)
    nowhere = [(*entry[:4], ("127.0.0.9", 1)) for entry in here]
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *rest, **more: [*nowhere, *here] if host in {"two.test", b"two.test"} else look_up(host, *rest),
    )
    assert run(lambda: AsyncHTTPTransport().send(make(f"http://two.test:{server.port}/x"))).body == b"ok"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def secure(authority, tmp_path):
    """A server's step, and what trusts it."""
    import ssl

    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return ("secure", context), TLS(ca_file=str(tmp_path / "ca.pem"))


def test_an_early_answer_counts_over_tls_too(run, serve, make, secure):
    step, tls = secure
    server = serve((step, "ask_head", b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig", "hang"))
    send = make(f"https://127.0.0.1:{server.port}/x", "POST", b"x" * 30_000_000, timeout=replace(QUICK, write=0.15))
    response = run(lambda: AsyncHTTPTransport(tls=tls).send(send))
    assert (response.status, response.body) == (413, b"big")


def test_an_answer_that_nobody_asked_for_is_not_taken_over_tls_either(run, serve, make, secure):
    step, tls = secure
    server = serve((step, "ask", OK + OK, "until_closed"), (step, "ask", OK.replace(b"ok", b"my")))
    transport, url = AsyncHTTPTransport(tls=tls), f"https://127.0.0.1:{server.port}/x"

    async def main() -> list[bytes]:
        return [(await transport.send(make(url))).body for _ in range(2)]

    assert run(main) == [b"ok", b"my"]
    run(transport.aclose)


def test_the_deadline_holds_while_a_source_is_waited_for(run, serve, make):
    server = serve(("ask_head", "until_closed"))

    async def source():
        yield b"ab"
        await anyio.sleep_forever()

    async def main() -> None:
        send = make(server.url + "/x", "POST", source(), timeout=replace(QUICK, total=0.2))
        with pytest.raises(exceptions.TimeoutError) as caught:
            await AsyncHTTPTransport().send(send)
        assert (caught.value.phase, caught.value.outcome_unknown) == ("write", True)

    run(main)


def test_an_event_loop_needs_neither_urllib3_nor_the_other_kind_of_loop():
    code = (
        "import sys; from dynclient.transports import AsyncHTTPTransport; print({'urllib3', 'trio'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "set()"


class Watching(io.BytesIO):
    """A file that notes who reads it."""

    def __init__(self, data):
        super().__init__(data)
        self.readers = set()

    def read(self, *size):
        self.readers.add(threading.get_ident())
        return super().read(*size)


def test_what_may_block_is_read_in_a_thread(run, serve, make):
    server = serve(("ask", OK))
    file = Watching(b"x" * 200_000)
    run(lambda: AsyncHTTPTransport().send(make(server.url + "/x", "POST", file)))
    assert server.requests[0].endswith(b"x" * 200_000)
    assert threading.get_ident() not in file.readers
    assert file.readers
