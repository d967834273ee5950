"""Sockets that threads wait for: non-blocking ones, and ones with a timeout."""

from __future__ import annotations

import select
import socket
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
import trustme
from urllib3.util import wait

from dynclient.options import TLS, Timeout
from dynclient.transports import HTTPTransport
from dynclient.transports import threads as threads_module
from dynclient.transports.clock import Clock, DeadlineExceeded
from dynclient.transports.exchange import at_once

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
MUCH = bytes(range(256)) * 12_000


def clock(seconds: float = 10) -> Clock:
    made = Clock(Timeout(read=seconds, write=seconds, total=20), None)
    made.enter("read")
    return made


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def secured(authority: trustme.CA, ours: socket.socket, theirs: socket.socket) -> tuple[ssl.SSLSocket, ssl.SSLSocket]:
    """The two ends of a connection, with TLS."""
    there = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("api.test").configure_cert(there)
    # Tickets would come at once, and be something to be read.
    there.num_tickets = 0
    here = ssl.create_default_context()
    authority.configure_trust(here)
    with ThreadPoolExecutor(1) as threads:
        shaken = threads.submit(there.wrap_socket, theirs, server_side=True)
        return here.wrap_socket(ours, server_hostname="api.test"), shaken.result()


@pytest.fixture(params=["plain", "tls"])
def pair(request, authority) -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two ends of a connection."""
    ours, theirs = socket.socketpair()
    if request.param == "tls":
        ours, theirs = secured(authority, ours, theirs)
    with ours, theirs:
        yield ours, theirs


@pytest.fixture(params=[threads_module.PollStream, threads_module.BlockingStream])
def stream(request, pair) -> Any:
    return request.param(pair[0])


def test_what_the_other_side_reads_slowly_is_sent_whole(stream, pair):
    def read() -> bytes:
        found = b""
        while len(found) < len(MUCH):
            found += pair[1].recv(1_000_003)
        return found

    with ThreadPoolExecutor(1) as threads:
        reading = threads.submit(read)
        at_once(stream.send(memoryview(MUCH), clock()))
        assert reading.result() == MUCH


def test_what_the_other_side_sends_is_received_whole(stream, pair):
    found = b""
    with ThreadPoolExecutor(1) as threads:
        sending = threads.submit(pair[1].sendall, MUCH)
        while len(found) < len(MUCH):
            found += at_once(stream.receive(clock()))
        sending.result()
    assert found == MUCH


def test_a_wait_is_no_longer_than_the_clock_allows(stream):
    with pytest.raises((DeadlineExceeded, TimeoutError)):
        at_once(stream.receive(clock(0.01)))
    with pytest.raises((DeadlineExceeded, TimeoutError)):
        at_once(stream.send(memoryview(MUCH), clock(0.01)))


def test_a_long_time_is_no_error(stream, pair):
    pair[1].sendall(b"x")
    made = Clock(Timeout(read=1e7, total=None), None)
    made.enter("read")
    assert at_once(stream.receive(made)) == b"x"


def test_a_connection_is_silent_until_something_comes(stream, pair):
    assert stream.is_idle()
    pair[1].sendall(b"x")
    while stream.is_idle():
        threading.Event().wait(0.001)
    assert at_once(stream.receive(clock())) == b"x"
    assert stream.is_idle()


def test_the_end_is_no_silence(stream, pair):
    pair[1].close()
    while stream.is_idle():
        threading.Event().wait(0.001)
    assert at_once(stream.receive(clock())) == b""


@pytest.mark.parametrize("kind", [threads_module.PollStream, threads_module.BlockingStream])
def test_records_of_tls_that_come_byte_by_byte_are_waited_for(authority, kind):
    (ours, near), (far, theirs) = socket.socketpair(), socket.socketpair()

    def carry(source: socket.socket, target: socket.socket) -> None:
        while piece := source.recv(1):
            target.sendall(piece)

    with ours, near, far, theirs, ThreadPoolExecutor(2) as threads:
        carrying = [threads.submit(carry, *ends) for ends in ((near, far), (far, near))]
        here, there = secured(authority, ours, theirs)
        stream = kind(here)
        with here, there:
            for number in range(3):
                at_once(stream.send(memoryview(f"ask {number}".encode()), clock()))
                assert there.recv(100) == f"ask {number}".encode()
                there.sendall(f"answer {number}".encode())
                assert at_once(stream.receive(clock())) == f"answer {number}".encode()
        for end in (near, far):
            end.shutdown(socket.SHUT_RDWR)
        for one in carrying:
            one.result()


def serving(scheme, authority, tmp_path, serve, *script):
    """A server, its URL, and a transport that trusts it."""
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    server = serve((*((("secure", context),) if scheme == "https" else ()), *script))
    return server, f"{scheme}://localhost:{server.port}/x", HTTPTransport(tls=TLS(ca_file=str(tmp_path / "ca.pem")))


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_call_on_a_kept_connection_asks_the_system_four_times(scheme, authority, tmp_path, serve, make, monkeypatch):
    asked: list[str] = []

    def noted(name, function):
        def call(*args):
            if not threading.current_thread().name.startswith("fault"):
                asked.append(name)
            return function(*args)

        return call

    real = select.poll

    def poll():
        made = real()
        return SimpleNamespace(register=made.register, poll=noted("wait", made.poll))

    monkeypatch.setattr(select, "poll", poll)
    for kind in (socket.socket, ssl.SSLSocket):
        for name in ("send", "sendall", "recv", "recv_into", "settimeout", "setblocking"):
            monkeypatch.setattr(kind, name, noted(name, getattr(kind, name)))
    _, url, transport = serving(scheme, authority, tmp_path, serve, "ask", OK, "ask", OK, "until_closed")
    assert transport.send(make(url)).body == b"ok"
    asked.clear()
    assert transport.send(make(url)).body == b"ok"
    # Is it still good, send, wait, receive.
    assert asked == ["wait", "send", "wait", "recv"]
    transport.close()


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_calls_where_there_is_no_poll(scheme, authority, tmp_path, serve, make, monkeypatch):
    monkeypatch.delattr(select, "poll")
    # urllib3 found out at its first wait, and remembers it.
    monkeypatch.setattr(wait, "wait_for_socket", wait.select_wait_for_socket)
    server, url, transport = serving(scheme, authority, tmp_path, serve, "ask", OK, "ask", OK, "until_closed")
    for method, body in (("GET", None), ("POST", MUCH[:200_000])):
        assert transport.send(make(url, method, body)).body == b"ok"
    transport.close()
    assert server.connections == 1
    assert server.requests[1].endswith(MUCH[:200_000])
