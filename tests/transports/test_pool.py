"""Connections that are reused, and those that must not be."""

from __future__ import annotations

import gc
import itertools
import select
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from dynclient import exceptions
from dynclient.options import Limits, Timeout
from dynclient.transports import HTTPTransport, pool
from dynclient.transports.clock import Clock, DeadlineExceeded
from dynclient.transports.exchange import at_once

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def test_a_connection_is_used_again(serve, make, way, transport):
    server = serve(("ask", OK) * 3)
    for _ in range(3):
        assert way(transport, make(server.url + "/x")).body == b"ok"
    assert server.connections == 1


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_connection_that_the_server_closed_is_not_written_to(method, serve, make, way, transport):
    server = serve(("ask", OK))
    for _ in range(2):
        assert way(transport, make(server.url + "/x", method)).body == b"ok"
        assert server.ended.acquire(timeout=10)
    assert server.connections == 2


def test_a_connection_that_breaks_when_it_is_used_again_is_called_reused(serve, make, way, transport):
    server = serve(("ask", OK, "ask"), ("ask", b"HTTP/1.1 200"), ("ask", OK, "ask", OK))
    assert way(transport, make(server.url + "/x")).body == b"ok"
    for reused in (True, False):
        with pytest.raises(exceptions.ConnectionLost) as caught:
            way(transport, make(server.url + "/x"))
        assert caught.value.reused is reused


def test_a_fresh_connection_is_opened_though_there_is_an_idle_one(serve, make, way, transport):
    server = serve(("ask", OK, "until_closed"))
    for connections in (1, 2):
        assert way(transport, make(server.url + "/x")._replace(fresh=True)).body == b"ok"
        assert server.connections == connections
    assert transport.pool._used == {}


def test_an_answer_that_nobody_asked_for_is_not_taken(serve, make, way, transport):
    server = serve(("ask", OK, "wait", OK, "finish"), ("ask", OK.replace(b"ok", b"my")))
    way(transport, make(server.url + "/x"))
    ((idle, _),) = next(iter(transport.pool._idle.values()))
    server.go.set()
    sock = idle.stream._socket if way.native else idle.stream.sock
    assert select.select([sock], [], [], 10)[0], "the stray answer is there"
    assert way(transport, make(server.url + "/y")).body == b"my"


def test_an_old_idle_connection_is_not_used(serve, make, way, transport, monkeypatch):
    server = serve(("ask", OK, "ask", OK))
    way(transport, make(server.url + "/x"))
    monkeypatch.setattr(pool, "IDLE_SECONDS", -1)
    way(transport, make(server.url + "/y"))
    assert server.connections == 2


def test_an_old_idle_connection_of_another_origin_is_closed(serve, make, way, transport, monkeypatch):
    old, new = serve(("ask", OK, "until_closed")), serve(("ask", OK))
    way(transport, make(old.url + "/x"))
    monkeypatch.setattr(pool, "IDLE_SECONDS", -1)
    way(transport, make(new.url + "/y"))
    assert old.ended.acquire(timeout=10)


def test_a_transport_that_is_forgotten_closes_its_connections(serve, make, way):
    server = serve(("ask", OK, "until_closed"))
    transport = way.transport()
    way(transport, make(server.url + "/x"))
    del transport
    gc.collect()
    assert server.ended.acquire(timeout=10)


def test_a_body_that_is_collected_while_the_pool_is_busy_gives_its_place_back(serve, make, transport):
    server = serve(("ask", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", "until_closed"))
    response = transport.send(make(server.url + "/x")._replace(stream=True))
    response = [response]
    # As if garbage were collected in the middle of the pool's work.
    transport.pool._alone(response.clear)
    assert transport.pool._used == {}
    assert server.ended.acquire(timeout=10)


def test_what_is_given_back_in_the_middle_of_the_pools_work_waits_for_its_end():
    places = pool.Pool(3)
    for _ in range(2):
        take(places, Clock(Timeout(pool=10), None), pool.Lease())

    def work() -> None:
        places.give_back(HERE, None, pool.Lease())
        assert places._used == {HERE: 2}

    places._alone(work)
    assert places._used == {HERE: 1}


def test_a_full_pool_is_waited_for(serve, make, transport):
    narrow = HTTPTransport(limits=Limits(pool_size=1))
    server = serve(("ask", "wait", OK, "ask", OK))
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(narrow.send, make(server.url + "/x"))
        while not server.requests:
            threading.Event().wait(0.001)
        with pytest.raises(exceptions.PoolTimeout) as caught:
            narrow.send(make(server.url + "/y", timeout=Timeout(pool=0.05)))
        assert not caught.value.outcome_unknown
        second = threading.Timer(0.05, server.go.set)
        second.start()
        assert narrow.send(make(server.url + "/z")).body == b"ok"
        assert first.result().body == b"ok"
    narrow.close()
    second.join()
    assert server.connections == 1


def test_threads_get_their_own_answers(httpserver, make):
    from werkzeug import Response

    httpserver.expect_request("/echo").respond_with_handler(lambda request: Response(request.query_string))
    shared = HTTPTransport(limits=Limits(pool_size=3))
    url = httpserver.url_for("/echo")

    def ask(number: int) -> bool:
        return shared.send(make(f"{url}?{number}")).body == str(number).encode()

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(ask, range(200)))
    shared.close()


def test_a_child_process_takes_no_connection_of_its_parent(serve, make, way, transport):
    server = serve(("ask", OK, "ask", OK))
    way(transport, make(server.url + "/x"))
    with transport.pool._lock:  # as if another thread held the lock while forking
        pool._after_fork()
        assert way(transport, make(server.url + "/y")).body == b"ok"
    assert server.connections == 2


def test_closing_lets_what_is_under_way_end(serve, make):
    server = serve(("ask", "wait", OK, "until_closed"))
    transport = HTTPTransport()
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(transport.send, make(server.url + "/x"))
        while not server.requests:
            threading.Event().wait(0.001)
        transport.close()
        server.go.set()
        assert first.result().body == b"ok"
    assert server.ended.acquire(timeout=10), "and its connection is closed then"
    with pytest.raises(exceptions.ClientClosed):
        transport.send(make(server.url + "/y"))
    transport.close()


def test_an_interrupt_leaves_no_half_read_connection(serve, make, transport, monkeypatch):
    server = serve(("ask", OK, "until_closed"), ("ask", OK))
    taken = "dynclient.transports.http11.Framing.response_head"
    with monkeypatch.context() as patch:
        patch.setattr(taken, lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            transport.send(make(server.url + "/x"))
    assert server.ended.acquire(timeout=10)
    assert transport.send(make(server.url + "/y")).body == b"ok"


class Idle:
    """A connection that nothing came on."""

    is_connected = True

    def close(self) -> None:
        self.is_connected = False


HERE = ("http", "here", 80)


def take(places: pool.Pool, clock: Clock, lease: pool.Lease) -> object:
    """Take a place, in this thread."""
    return at_once(places.take(HERE, clock, lease))


def test_threads_that_wait_for_a_place_have_their_turns():
    places, connection, took = pool.Pool(1), Idle(), []

    def work(name: str) -> None:
        for _ in range(3):
            assert take(places, Clock(Timeout(pool=10), None), pool.Lease()) is connection
            took.append(name)
            # The others stand in line again, before this one asks for the next place.
            while len(places._waiting.get(HERE, ())) < min(2, 8 - len(took)):
                threading.Event().wait(0.001)
            places.give_back(HERE, connection, pool.Lease())

    take(places, Clock(Timeout(pool=10), None), pool.Lease())
    with ThreadPoolExecutor(3) as threads:
        working = [threads.submit(work, name) for name in "abc"]
        while len(places._waiting.get(HERE, ())) < 3:
            threading.Event().wait(0.001)
        places.give_back(HERE, connection, pool.Lease())
        for one in working:
            one.result()
    assert [sorted(took[start : start + 3]) for start in (0, 3, 6)] == [["a", "b", "c"]] * 3
    assert (places._used, places._waiting) == ({}, {})


def test_a_connection_that_ended_while_it_was_handed_over_is_not_used():
    places, connection = pool.Pool(1), Idle()
    take(places, Clock(Timeout(pool=10), None), pool.Lease())
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(take, places, Clock(Timeout(pool=10), None), pool.Lease())
        while not places._waiting:
            threading.Event().wait(0.001)
        connection.is_connected = False
        places.give_back(HERE, connection, pool.Lease())
        assert waiting.result() is None
    assert places._used == {HERE: 1}


def test_few_connections_stay_open_after_a_burst():
    leases = [pool.Lease() for _ in range(pool.IDLE_CONNECTIONS + 5)]
    connections, places = [Idle() for _ in leases], pool.Pool(100)
    for lease in leases:
        take(places, Clock(Timeout(), None), lease)
    for lease, connection in zip(leases, connections, strict=True):
        places.give_back(HERE, connection, lease)
    assert [each.is_connected for each in connections] == [False] * 5 + [True] * pool.IDLE_CONNECTIONS


def test_a_place_that_becomes_free_wakes_who_waits_for_that_origin():
    places, here, there = pool.Pool(1), ("http", "here", 80), ("http", "there", 80)
    took: dict[str, object] = {}

    def wait_for(origin: tuple[str, str, int]) -> None:
        took[origin[1]] = at_once(places.take(origin, Clock(Timeout(pool=10), None), pool.Lease()))

    for origin in (here, there):
        at_once(places.take(origin, Clock(Timeout(pool=10), None), pool.Lease()))
    with pytest.raises(DeadlineExceeded):
        at_once(places.take(here, Clock(Timeout(pool=0.01), None), pool.Lease()))
    waiting = {origin: threading.Thread(target=wait_for, args=(origin,)) for origin in (here, there)}
    for origin, thread in waiting.items():
        thread.start()
        places.give_back(origin, None, pool.Lease())
        thread.join(timeout=10)
    assert took == {"here": None, "there": None}


def interrupted(at: int, work, *given: object) -> bool:
    """Do something, with an interrupt at one of the moments at which Python has them, if there are so many."""
    left = at

    def note(frame, event, _):
        nonlocal left
        if event in {"call", "c_return"} and frame.f_code.co_filename == pool.__file__:
            left -= 1
            if left == -1:
                raise KeyboardInterrupt

    sys.setprofile(note)
    try:
        work(*given)
    except KeyboardInterrupt:
        return True
    except DeadlineExceeded:
        pass
    finally:
        sys.setprofile(None)
    return False


def soon() -> Clock:
    return Clock(Timeout(pool=1), None)


def exchanged(places: pool.Pool, lease: pool.Lease) -> None:
    take(places, soon(), lease)
    places.give_back(HERE, Idle(), lease)


def ended(places: pool.Pool, *leases: pool.Lease) -> None:
    """Those that hold a place give it back, and the next one finds one."""
    for lease in leases:
        places.leave_line(HERE, lease)
        if lease.is_held:
            places.give_back(HERE, None, lease)
    after = pool.Lease()
    take(places, soon(), after)
    places.give_back(HERE, None, after)
    assert (places._used, any(places._waiting.values()), list(places._returned)) == ({}, False, [])


def test_an_interrupt_loses_no_place(monkeypatch):
    monkeypatch.setattr(pool, "IDLE_SECONDS", 0)
    for at in itertools.count():
        places, lease = pool.Pool(1), pool.Lease()
        places._idle = {HERE: [(Idle(), 0.0), (Idle(), 1e12)]}
        more = interrupted(at, exchanged, places, lease)
        ended(places, lease)
        if not more:
            break
    assert at > 10


def test_an_interrupt_of_who_waits_loses_no_place():
    for at in itertools.count():
        places, first, lease = pool.Pool(1), pool.Lease(), pool.Lease()
        take(places, soon(), first)
        more = interrupted(at, take, places, Clock(Timeout(pool=0.001), None), lease)
        ended(places, first, lease)
        if not more:
            break
    assert at > 10


def test_an_interrupt_while_a_place_is_handed_over_leaves_nobody_asleep():
    for at in itertools.count():
        places, first, waiting = pool.Pool(1), pool.Lease(), pool.Lease()
        take(places, soon(), first)
        places._alone(places._place, HERE, waiting)
        more = interrupted(at, places.give_back, HERE, None, first)
        if first.is_held:
            places.give_back(HERE, None, first)
        places._settle()
        assert waiting.waiter._asleep.acquire(blocking=False)
        places._granted(waiting)
        ended(places, waiting)
        if not more:
            break
    assert at > 3
