"""urllib3's connections, with a clock.

urllib3 opens and verifies a connection (addresses, TLS, proxies). What is added: every wait is bounded by the
exchange's clock, the request is written as ``outgoing`` has made it, and the answer is read by ``framing``. Neither
urllib3's nor http.client's way of writing and reading is taken: they would do again, for each header, what was done.
"""

from __future__ import annotations

import http.client
import io
import socket
from collections.abc import Callable
from typing import Any, cast

from urllib3.connection import HTTPConnection, HTTPSConnection

from dynclient.transports.clock import Clock
from dynclient.transports.framing import CHUNK, Source


class Watched(io.RawIOBase):
    """A socket's bytes, each wait bounded by the clock of the exchange that the connection is in."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, clock: Clock) -> None:
        """Take what ``socket.makefile`` reads from, and its socket."""
        self._raw = raw
        self._sock = sock
        self._clock = clock
        self.paused = False

    def readable(self) -> bool:
        """It is only read."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Read what is there, waiting no longer than the clock allows; nothing while paused."""
        if self.paused:
            return None
        self._sock.settimeout(self._clock.left())
        return cast("int | None", self._raw.readinto(buffer))

    def pending(self) -> bool:
        """Whether TLS holds decrypted bytes that were not read."""
        pending = getattr(self._sock, "pending", None)
        return pending is not None and pending() > 0

    def close(self) -> None:
        """Close the socket's file too."""
        if not self.closed:
            self._raw.close()
        super().close()


class Agreement(http.client.HTTPResponse):
    """A proxy's response to CONNECT, which http.client reads; by the clock."""

    def __init__(self, sock: socket.socket, clock: Clock, method: str | None = None) -> None:
        """Read from the socket by the clock."""
        super().__init__(sock, method=method)
        self.fp = io.BufferedReader(Watched(self.fp.detach(), sock, clock), CHUNK)


class Answer:
    """What is read of one response. ``source`` is what it is read from."""

    __slots__ = ("_watched", "source")

    def __init__(self, sock: socket.socket, clock: Clock) -> None:
        """Read from the socket by the clock."""
        self._watched = Watched(sock.makefile("rb", buffering=0), sock, clock)
        self.source = io.BufferedReader(self._watched, CHUNK)

    def leftover(self) -> bool:
        """Whether more has come than this response: bytes that nobody asked for."""
        self._watched.paused = True
        return bool(self.source.peek()) or self._watched.pending()


class Watch:
    """What a connection has beyond urllib3's: a clock, and whether the request's bytes went out.

    Set ``clock`` before the connection is used for an exchange.
    """

    clock: Clock
    sent = False
    _socket: Any = None
    _wire: Any = None
    _answer: Answer | None = None

    @property
    def sock(self) -> Any:
        """The connection's socket."""
        return self._socket

    @sock.setter
    def sock(self, sock: Any) -> None:
        self._socket = sock
        # connect() takes a socket once it is open, and again once it is secured: each step gets the time that is left.
        if sock is not None:
            self._wire = sock
            sock.settimeout(self.clock.left())

    @property
    def touched(self) -> bool:
        """Whether there was a socket at all."""
        return self._wire is not None

    def answering(self) -> Callable[..., Agreement]:
        """What http.client is to make of a socket when a proxy's response to CONNECT is due."""

        def agreement(sock: socket.socket, _debuglevel: int = 0, method: str | None = None) -> Agreement:
            return Agreement(sock, self.clock, method)

        return agreement

    def send(self, data: Any) -> None:
        """Send bytes, piece by piece, each within the clock."""
        rest = memoryview(cast("bytes", data))
        while rest:
            piece, rest = rest[:CHUNK], rest[CHUNK:]
            self._socket.settimeout(self.clock.left())
            # From here on nobody can know how much of the request has left.
            self.sent = True
            self._socket.sendall(piece)

    async def put(self, data: bytes) -> None:
        """Send all of it; this blocks."""
        self.send(data)

    def incoming(self) -> Source:
        """What the response that is due is read from; it blocks, and never says that more has to come."""
        self._answer = Answer(self._socket, self.clock)
        return self._answer.source

    async def more(self) -> None:
        """There is always more, or an end."""
        raise RuntimeError("a blocking source said that it would block")

    def leftover(self) -> bool:
        """Whether more has come than the response: bytes that nobody asked for."""
        return self._answer is not None and self._answer.leftover()

    def finish(self) -> None:
        """Let go of what read from the socket, which would keep it open."""
        answer, self._answer = self._answer, None
        if answer is not None:
            answer.source.close()

    def break_off(self) -> None:
        """Shut the socket down; another thread that waits for it wakes up."""
        sock = getattr(self._wire, "socket", self._wire)
        if isinstance(sock, socket.socket):
            try:
                # The plain socket's method: that of an SSLSocket would first make it a plain one.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
            except OSError:
                return


class Connection(Watch, HTTPConnection):
    """A connection without TLS."""


class SecureConnection(Watch, HTTPSConnection):
    """A connection with TLS."""
