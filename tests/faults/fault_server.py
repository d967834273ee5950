"""A server over real sockets that misbehaves by a script.

Each connection has a script, which is data: bytes are sent, a word is a step of STEPS, a pair is a step with its data,
a function is a step of its own.
The connection is closed at the script's end. One beyond the last script is answered by the last one again.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable


class Peer:
    """One connection on the server's side."""

    def __init__(self, server: FaultServer, sock: socket.socket) -> None:
        self.server = server
        self.sock = sock
        self.received = b""

    def ask(self) -> None:
        """Read one whole request."""
        data = b""
        while not _whole(data):
            piece = self.sock.recv(65_536)
            if not piece:
                raise ConnectionError
            data += piece
        self.received += data
        self.server.note(data)


def _whole(data: bytes) -> bool:
    head, end, body = data.partition(b"\r\n\r\n")
    if not end:
        return False
    lower = head.lower()
    if b"transfer-encoding: chunked" in lower:
        return body.endswith(b"0\r\n\r\n")
    _, found, rest = lower.partition(b"content-length: ")
    return not found or len(body) >= int(rest.split(b"\r\n")[0])


def ask(peer: Peer) -> None:
    peer.ask()


def ask_head(peer: Peer) -> None:
    """Read the head only, and leave the body unread."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += peer.sock.recv(1)
    peer.server.note(data)


def say(data: bytes) -> Callable[[Peer], None]:
    return lambda peer: peer.sock.sendall(data)


def trickle(data: bytes) -> Callable[[Peer], None]:
    """Send byte by byte."""

    def run(peer: Peer) -> None:
        for byte in data:
            peer.sock.sendall(bytes((byte,)))

    return run


def drip(data: bytes) -> Callable[[Peer], None]:
    """Send a byte every 20 ms, again and again."""

    def run(peer: Peer) -> None:
        while True:
            for byte in data:
                peer.sock.sendall(bytes((byte,)))
                if peer.server.over.wait(0.02):
                    return

    return run


def repeat(data: bytes) -> Callable[[Peer], None]:
    """Send this until the client goes away."""

    def run(peer: Peer) -> None:
        while True:
            peer.sock.sendall(data)

    return run


def answers(answer: Callable[[bytes], bytes]) -> Callable[[Peer], None]:
    """Read and answer requests until the client goes away."""

    def run(peer: Peer) -> None:
        while True:
            before = len(peer.received)
            peer.ask()
            peer.sock.sendall(answer(peer.received[before:]))
            # Bodies are not kept: there may be thousands of requests.
            peer.received = b""

    return run


def hang(peer: Peer) -> None:
    """Wait, without reading, until the test is over."""
    peer.server.over.wait(30)


def wait(peer: Peer) -> None:
    """Wait until the test says so."""
    peer.server.go.wait(30)


def until_closed(peer: Peer) -> None:
    """Wait until the client closes."""
    while peer.sock.recv(65_536):
        pass


def finish(peer: Peer) -> None:
    """Close for writing, and stay until the test is over."""
    peer.sock.shutdown(socket.SHUT_WR)
    peer.server.over.wait(30)


def reset(peer: Peer) -> None:
    peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def secure(context: ssl.SSLContext) -> Callable[[Peer], None]:
    def run(peer: Peer) -> None:
        peer.sock = context.wrap_socket(peer.sock, server_side=True)

    return run


Step = Callable[[Peer], None]
STEPS: dict[str, Step] = {step.__name__: step for step in (ask, ask_head, hang, wait, until_closed, finish, reset)}
WITH_DATA: dict[str, Callable[..., Step]] = {step.__name__: step for step in (trickle, drip, repeat, answers, secure)}


def _step(word: object) -> Step:
    if isinstance(word, bytes):
        return say(word)
    if callable(word):
        return word
    return STEPS[word] if isinstance(word, str) else WITH_DATA[word[0]](word[1])


class FaultServer:
    """Listens on a free loopback port, with a thread for each connection."""

    def __init__(self, *scripts: tuple[object, ...], keep: bool = True) -> None:
        self.keep = keep
        self.asked = 0
        self.scripts = [[_step(word) for word in script] for script in scripts]
        self.requests: list[bytes] = []
        self.connections = 0
        self.ended = threading.Semaphore(0)
        self.over = threading.Event()
        self.go = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, name="fault server")]
        self._threads[0].start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def note(self, request: bytes) -> None:
        self.asked += 1
        if self.keep:
            self.requests.append(request)

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._socket.accept()
            except OSError:
                return
            if self.over.is_set():
                sock.close()
                return
            script = self.scripts[min(self.connections, len(self.scripts) - 1)]
            self.connections += 1
            thread = threading.Thread(target=self._run, args=(sock, script), name="fault peer")
            self._threads.append(thread)
            thread.start()

    def _run(self, sock: socket.socket, script: list[Step]) -> None:
        peer = Peer(self, sock)
        try:
            for step in script:
                step(peer)
        except (OSError, ValueError):
            pass
        finally:
            peer.sock.close()
            sock.close()
            self.ended.release()

    def settle(self) -> None:
        """Wait until each connection has been closed."""
        for thread in self._threads[1:]:
            thread.join(10)

    def forget(self) -> None:
        """Drop the threads of connections that have ended."""
        self._threads = [self._threads[0], *(thread for thread in self._threads[1:] if thread.is_alive())]

    def close(self) -> None:
        self.over.set()
        self.go.set()
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
            pass
        self._socket.close()
        for thread in self._threads:
            thread.join(10)
