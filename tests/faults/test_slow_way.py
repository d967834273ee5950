"""A slow network: bytes arrive late, in chunks of any size, with pauses as if packets were lost.

A relay between client and server delays them, since the kernel's own tool, netem, needs privileges.
"""

from __future__ import annotations

import contextlib
import random
import socket
import threading
from pathlib import Path

import anyio
import pytest

import dynclient
from dynclient.testing import serve

VOICE = Path(__file__).parents[2] / "openapi/voice.yaml"
DELAY, STANDSTILL = 0.002, 0.1
"""Seconds of delay for each chunk, and for one in fifty, as if it were sent again."""

CALL = {
    "to": "+19195551234",
    "from": "+19195554321",
    "applicationId": "1234-qwer-5679-tyui",
    "answerUrl": "https://www.example.com/" + "long/" * 300,
}
BXML = "<Bxml><SpeakSentence>" + "grüße " * 500 + "</SpeakSentence></Bxml>"


class Relay:
    """Takes connections, and carries their bytes to a port and back, slowly."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._closed = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()
        self.pieces = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def close(self) -> None:
        self._closed.set()
        for sock in [self._listener, *self._sockets]:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for sock in [self._listener, *self._sockets]:
            sock.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self._port))
                for sock in (near, far):
                    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._sockets += [near, far]
                for pair in ((near, far), (far, near)):
                    self._threads.append(threading.Thread(target=self._carry, args=pair))
                    self._threads[-1].start()

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        chance = random.Random(7)
        with contextlib.suppress(OSError):
            while piece := source.recv(chance.choice((1, 2, 3, 60, 700))):
                self._closed.wait(STANDSTILL if chance.random() < 0.02 else DELAY)
                target.sendall(piece)
                self.pieces += 1
            target.shutdown(socket.SHUT_WR)


@pytest.fixture
def ways():
    """The same server, connected directly and by the slow relay."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(contextlib.closing(serve(VOICE)))
        relay = stack.enter_context(contextlib.closing(Relay(int(server.url.rpartition(":")[2]))))
        yield server.url, relay


def steps(voice):
    """Calls of each kind, one after the other."""
    yield voice.create_call_with_http_info("9900000", CALL)
    yield voice.get_call_state_with_http_info("9900000", "c-1")
    yield voice.update_call_bxml_with_http_info("9900000", "c-1", BXML)
    yield voice.get_call_state_with_http_info("9900000", "c-1")


def by_threads(url):
    with dynclient.load(VOICE, base_url=url, auth=("user", "password")) as voice:
        return [(result.status, result.data, result.attempts) for result in steps(voice)]


def by_tasks(url):
    async def run():
        async with dynclient.AsyncClient.load(VOICE, base_url=url, auth=("user", "password")) as voice:
            results = [await step for step in steps(voice)]
            return [(result.status, result.data, result.attempts) for result in results]

    return anyio.run(run)


@pytest.mark.parametrize("run", [by_threads, by_tasks])
def test_a_slow_way_changes_no_result(run, ways):
    direct, relay = ways
    results = run(relay.url)
    assert results == run(direct)
    assert [status for status, _, _ in results] == [201, 200, 204, 200]
    assert [attempts for _, _, attempts in results] == [1, 1, 1, 1]
    assert relay.pieces > 50
