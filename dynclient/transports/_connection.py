"""urllib3's connections, with a clock.

urllib3 opens and verifies a connection (addresses, TLS, proxies). What is added: every wait is bounded by the
exchange's clock, the request is written as ``outgoing`` has made it, and the answer is read by ``framing``. Neither
urllib3's nor http.client's way of writing and reading is taken: they would do again, for each header, what was done.
"""

from __future__ import annotations

import errno
import http.client
import io
import os
import socket
from collections.abc import Callable
from typing import Any, cast

from urllib3.connection import HTTPConnection, HTTPSConnection

from dynclient.transports._waiting import Stream, stream_of
from dynclient.transports.clock import Clock
from dynclient.transports.framing import CHUNK, Received


class Watched(io.RawIOBase):
    """A socket's bytes, each wait bounded by the clock of the exchange that the connection is made for."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, clock: Clock) -> None:
        """Take what ``socket.makefile`` reads from, and its socket."""
        self._raw = raw
        self._sock = sock
        self._clock = clock

    def readable(self) -> bool:
        """It is only read."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Read what is there, waiting no longer than the clock allows."""
        self._sock.settimeout(self._clock.left())
        return cast("int | None", self._raw.readinto(buffer))

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


class Watch:
    """What a connection has beyond urllib3's: a clock, and whether the request's bytes went out.

    Set ``clock`` before the connection is used for an exchange.
    """

    clock: Clock
    sent = False
    _socket: Any = None
    _wire: Any = None
    _stream: Stream | None = None
    _received = Received()

    @property
    def sock(self) -> Any:
        """The connection's socket."""
        return self._socket

    @sock.setter
    def sock(self, sock: Any) -> None:
        self._socket = sock
        self._stream = None
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
        """Send what http.client says to a proxy."""
        self._socket.settimeout(self.clock.left())
        self._socket.sendall(data)

    def settle(self) -> None:
        """The connection has come about: from here on its socket is used by an exchange."""
        self._stream = stream_of(self._socket)

    @property
    def is_connected(self) -> bool:
        """Whether it is open, with nothing to be read from it."""
        return self._stream is not None and self._stream.silent()

    async def put(self, data: bytes) -> None:
        """Send all of it, each wait bounded by the clock; this blocks."""
        stream = self._settled()
        self.clock.left()
        # From here on nobody can know how much of the request has left.
        self.sent = True
        stream.send(data, self.clock)

    def incoming(self) -> Received:
        """What is read of the response that is due."""
        self._received = Received()
        return self._received

    async def more(self) -> None:
        """Wait until there is more to read, or the end has come; this blocks."""
        self._received.feed(self._settled().receive(self.clock))

    def _settled(self) -> Stream:
        if self._stream is None:
            raise ConnectionAbortedError(errno.ECONNABORTED, os.strerror(errno.ECONNABORTED))
        return self._stream

    def leftover(self) -> bool:
        """Whether more has come than was read. What the socket still has is seen when the connection is used again."""
        return bool(self._received)

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
