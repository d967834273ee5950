"""urllib3's connections, with a clock.

urllib3 opens and verifies a connection (addresses, TLS, proxies) and writes to it. What is added: every wait is
bounded by the exchange's clock, and the answer is read by ``framing``.
"""

from __future__ import annotations

import http.client
import io
import socket
from collections.abc import Callable
from typing import Any, cast

from urllib3.connection import HTTPConnection, HTTPSConnection

from dynclient.options import Limits
from dynclient.transports.clock import Clock
from dynclient.transports.framing import CHUNK, Head, read_head
from dynclient.transports.outgoing import Content


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


class Answer(http.client.HTTPResponse):
    """A response whose head is read by ``framing``; http.client asks it only whether it is over."""

    head: Head

    def __init__(self, sock: socket.socket, *, clock: Clock, limits: Limits, method: str | None = None) -> None:
        """Read from the socket by the clock."""
        super().__init__(sock, method=method)
        self._asked = method or "GET"
        self._limits = limits
        raw = self.fp.detach()
        self._watched = Watched(raw, sock, clock)
        self.fp = io.BufferedReader(self._watched, CHUNK)

    def begin(self) -> None:
        """Read the head of the final response."""
        self.head = read_head(self.fp, self._asked, self._limits)
        self.will_close = not self.head.keep_alive

    @property
    def source(self) -> io.BufferedReader:
        """What the body is read from."""
        return self.fp

    def leftover(self) -> bool:
        """Whether more has come than this response: bytes that nobody asked for."""
        self._watched.paused = True
        return bool(self.source.peek()) or self._watched.pending()


class Watch:
    """What a connection has beyond urllib3's: a clock, and whether the request's bytes went out.

    Set ``clock`` and ``limits`` before the connection is used for an exchange.
    """

    clock: Clock
    limits: Limits
    sent = False
    _held: bytearray | None = None
    _socket: Any = None
    _wire: Any = None

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

    def answering(self) -> Callable[..., Answer]:
        """What http.client is to make of a socket when a response is due."""

        def answer(sock: socket.socket, _debuglevel: int = 0, method: str | None = None) -> Answer:
            return Answer(sock, clock=self.clock, limits=self.limits, method=method)

        return answer

    def send(self, data: Any) -> None:
        """Send bytes, piece by piece, each within the clock."""
        if self._held is not None:
            self._held += data
            return
        rest = memoryview(cast("bytes", data))
        while rest:
            piece, rest = rest[:CHUNK], rest[CHUNK:]
            self._socket.settimeout(self.clock.left())
            # From here on nobody can know how much of the request has left.
            self.sent = True
            self._socket.sendall(piece)

    def write(self, method: str, path: str, lines: list[tuple[bytes, bytes]], content: Content | None) -> None:
        """Write a request; its head leaves in one packet with a small body."""
        connection = cast("HTTPConnection", self)
        self._held = held = bytearray()
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in lines:
            connection.putheader(name, value)  # type: ignore[arg-type]  # http.client takes bytes as they are
        connection.endheaders()
        self._held = None
        if content is not None and content.whole is not None and len(content.whole) < CHUNK:
            self.send(held + content.whole)
            return
        self.send(held)
        if content is not None:
            for piece in content.pieces:
                # RFC 9112, 7.1: a chunk of no bytes would be the last.
                if content.size is not None:
                    self.send(piece)
                elif piece:
                    self.send(b"%x\r\n%b\r\n" % (len(piece), piece))
            if content.size is None:
                self.send(b"0\r\n\r\n")

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


def answer_of(connection: Connection | SecureConnection) -> Answer:
    """Read the head of the response that is due.

    urllib3's own ``getresponse`` is passed by: it logs the URL of a response with odd headers, and wraps what is not
    to be wrapped.
    """
    connection.response_class = connection.answering()  # type: ignore[assignment]  # a maker will do as the class
    return cast("Answer", http.client.HTTPConnection.getresponse(connection))
