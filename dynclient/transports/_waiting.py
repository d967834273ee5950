"""Sockets that a thread waits for, each time no longer than the clock of its exchange allows.

Each call of the operating system lets go of Python's lock, and where many threads run, the way back to it is longer
than the call. So a socket is waited for only where nothing can be done with it, and is never told how long it may wait:
it does not block.
"""

from __future__ import annotations

import select
import socket
import ssl
from collections.abc import Callable
from typing import Any, Protocol

from urllib3.util import wait_for_read

from dynclient.transports.clock import Clock, Expired
from dynclient.transports.framing import CHUNK


class Stream(Protocol):
    """Bytes both ways."""

    def receive(self, clock: Clock) -> bytes:
        """Wait for bytes; none are the end."""

    def send(self, data: bytes, clock: Clock) -> None:
        """Send all of it."""

    def silent(self) -> bool:
        """Whether nothing has come, nor the end."""


def stream_of(sock: Any) -> Stream:
    """What a socket of urllib3's is used by, when its connection has come about.

    TLS within TLS, which is no socket, and systems without ``poll`` have one that blocks.
    """
    # Looked for each time: what makes threads of its own, as eventlet does, may take it away late.
    return Polled(sock) if hasattr(select, "poll") and isinstance(sock, socket.socket) else Timed(sock)


class Polled:
    """A socket that does not block, with or without TLS."""

    __slots__ = ("_pending", "_poll_read", "_poll_write", "_sock")

    def __init__(self, sock: socket.socket) -> None:
        """Take the socket."""
        sock.setblocking(False)
        self._sock = sock
        # What TLS has decrypted is not waited for.
        self._pending: Callable[[], int] = sock.pending if isinstance(sock, ssl.SSLSocket) else int
        self._poll_read = _poll(sock, select.POLLIN)
        self._poll_write: Any = None

    def receive(self, clock: Clock) -> bytes:
        """Wait for bytes; none are the end."""
        while True:
            if not self._pending():
                _wait(self._poll_read, clock)
            try:
                return self._sock.recv(CHUNK)
            except (BlockingIOError, ssl.SSLWantReadError):
                # Less than a record of TLS has come.
                continue
            except ssl.SSLWantWriteError:
                self._await_writable(clock)

    def send(self, data: bytes, clock: Clock) -> None:
        """Send all of it, piece by piece."""
        rest = memoryview(data)
        while True:
            rest = rest[self._sent(rest[:CHUNK], clock) :]
            if not rest:
                return
            clock.left()

    def _sent(self, data: bytes | memoryview, clock: Clock) -> int:
        """Send what can be sent, or wait until something can."""
        try:
            return self._sock.send(data)
        except (BlockingIOError, ssl.SSLWantWriteError):
            self._await_writable(clock)
        except ssl.SSLWantReadError:
            _wait(self._poll_read, clock)
        return 0

    def _await_writable(self, clock: Clock) -> None:
        self._poll_write = self._poll_write or _poll(self._sock, select.POLLOUT)
        _wait(self._poll_write, clock)

    def silent(self) -> bool:
        """Whether nothing has come, nor the end."""
        return not self._pending() and not self._poll_read.poll(0)


def _poll(sock: socket.socket, event: int) -> Any:
    made = select.poll()
    made.register(sock, event)
    return made


# In milliseconds what an `int` of C holds, some 24 days.
_LONGEST = 2**31 - 1


def _wait(poll: Any, clock: Clock) -> None:
    left = clock.left()
    if not poll.poll(None if left is None else min(left * 1000, _LONGEST)):
        raise Expired


class Timed:
    """What blocks, for as long as it is told each time."""

    __slots__ = ("_pending", "_sock")

    def __init__(self, sock: Any) -> None:
        """Take the socket, or what is used like one."""
        self._sock = sock
        self._pending: Callable[[], int] = getattr(sock, "pending", int)

    def receive(self, clock: Clock) -> bytes:
        """Wait for bytes; none are the end."""
        self._sock.settimeout(clock.left())
        data: bytes = self._sock.recv(CHUNK)
        return data

    def send(self, data: bytes, clock: Clock) -> None:
        """Send all of it, piece by piece."""
        rest = memoryview(data)
        while rest:
            self._sock.settimeout(clock.left())
            self._sock.sendall(rest[:CHUNK])
            rest = rest[CHUNK:]

    def silent(self) -> bool:
        """Whether nothing has come, nor the end."""
        return not self._pending() and not wait_for_read(self._sock, timeout=0.0)
