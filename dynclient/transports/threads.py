"""The transport for threads; urllib3 opens its connections.

urllib3's pool manager is not used: it has no deadline over a whole exchange, and does not say whether a request may
have been sent. Its functions connect and do the TLS handshake; exchange, framing and pool are shared with tasks.

Each system call releases the GIL, and with many threads, taking it again is slower than the call. So a thread waits for
a socket only if a read or write would block, and sockets are non-blocking, without a timeout.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import threading
from collections.abc import Callable
from typing import Any

from urllib3.util import connection as urllib3_connection
from urllib3.util import wait_for_read
from urllib3.util.ssl_ import ssl_wrap_socket

from dynclient.messages import Response, Send
from dynclient.transports.body_reader import CHUNK, content_of
from dynclient.transports.clock import Clock, DeadlineExceeded
from dynclient.transports.connecting import Address, Connector, Stream, context_of
from dynclient.transports.exchange import BodyStream, HTTP11Exchange

_CONTEXT = threading.Lock()


class HTTPTransport(Connector):
    """Sends requests over HTTP/1.1, on pooled connections. Threads may share it.

    Proxies are used only on request: those of the environment with ``proxy="environment"``.
    """

    content = staticmethod(content_of)

    def send(self, send: Send) -> Response:
        """Send the request once, and read the whole response unless it is streamed."""
        return self.exchange(send).run()

    def exchange(self, send: Send) -> HTTP11Exchange:
        """Make the exchange, which another thread may abort."""
        return HTTP11Exchange(self, send, BodyStream)

    def close(self) -> None:
        """Close idle connections, and refuse further requests; requests in progress finish."""
        self.pool.close()

    async def context(self, *, certificate: bool) -> ssl.SSLContext:
        """Return the TLS context with the client's certificate or without; each is made at its first use."""
        with _CONTEXT:
            if certificate not in self._contexts:
                self._contexts[certificate] = context_of(self._tls, certificate=certificate)
            return self._contexts[certificate]

    async def look_up(self, host: str, port: int, clock: Clock) -> list[Address]:
        """Return the host's addresses, in the resolver's order; this blocks and can't be interrupted."""
        clock.left()
        return [(entry[0], entry[4]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]

    async def dial(self, address: Address, seconds: float | None) -> Stream:
        """Connect to an address."""
        if address[0] == getattr(socket, "AF_UNIX", None):
            return stream_of(_unix_connected(address[1], seconds))
        options: list[tuple[int, int, int | bytes]] = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
        # Called through its module, so that tests can replace the network here.
        sock = urllib3_connection.create_connection(address[1][:2], seconds, socket_options=options)
        return stream_of(sock)

    async def secured(
        self, stream: PollStream | BlockingStream, host: str, clock: Clock, *, certificate: bool
    ) -> Stream:
        """Do the TLS handshake with a server of this name."""
        sock, context = stream.sock, await self.context(certificate=certificate)
        sock.settimeout(clock.left())
        nested = isinstance(sock, ssl.SSLSocket)
        secured: Any = ssl_wrap_socket(sock, server_hostname=host, ssl_context=context, tls_in_tls=nested)
        # RFC 9112, 9.8: an end of TLS without close_notify is an error, and not the end of a body.
        secured.suppress_ragged_eofs = False
        return stream_of(secured)

    def __repr__(self) -> str:
        return "<HTTPTransport>"


def _unix_connected(path: str, seconds: float | None) -> socket.socket:
    """Connect to a Unix socket."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.settimeout(seconds)
        sock.connect(path)
    except BaseException:  # also an interrupt: no other code has the socket
        sock.close()
        raise
    return sock


def stream_of(sock: Any) -> PollStream | BlockingStream:
    """Return the stream of a connected socket.

    TLS within TLS, which is not a socket, and systems without ``poll`` get a blocking one.
    """
    # Looked up each time: eventlet and similar libraries remove it when they patch the standard library, possibly
    # later.
    return PollStream(sock) if hasattr(select, "poll") and isinstance(sock, socket.socket) else BlockingStream(sock)


class BlockingStream:
    """A blocking socket, with a timeout that is set before each wait."""

    __slots__ = ("_pending", "sock")

    def __init__(self, sock: Any) -> None:
        """Take a socket, or an object with its interface."""
        self.sock = sock
        # Bytes that TLS has decrypted already.
        self._pending: Callable[[], int] = getattr(sock, "pending", int)

    async def receive(self, clock: Clock) -> bytes:
        """Wait for bytes; no bytes mean the end."""
        self.sock.settimeout(clock.left())
        data: bytes = self.sock.recv(CHUNK)
        return data

    async def send(self, data: memoryview, clock: Clock) -> None:
        """Send all of it, piece by piece."""
        while data:
            self.sock.settimeout(clock.left())
            self.sock.sendall(data[:CHUNK])
            data = data[CHUNK:]

    def is_idle(self) -> bool:
        """Whether neither bytes nor the end have arrived."""
        return not self._pending() and not wait_for_read(self.sock, timeout=0.0)

    def abort(self) -> None:
        """Shut down the socket, which wakes a thread that waits for it."""
        with contextlib.suppress(OSError):
            # The plain socket's method: that of an SSLSocket would first make it a plain one.
            socket.socket.shutdown(getattr(self.sock, "socket", self.sock), socket.SHUT_RDWR)

    def close(self) -> None:
        """Close it."""
        self.sock.close()


class PollStream(BlockingStream):
    """A non-blocking socket, with or without TLS."""

    __slots__ = ("_poll_read", "_poll_write")

    def __init__(self, sock: socket.socket) -> None:
        """Take a connected socket."""
        super().__init__(sock)
        sock.setblocking(False)
        self._poll_read = _poll(sock, select.POLLIN)
        self._poll_write: Any = None

    async def receive(self, clock: Clock) -> bytes:
        """Wait for bytes; no bytes mean the end."""
        while True:
            if not self._pending():
                _wait(self._poll_read, clock)
            try:
                data: bytes = self.sock.recv(CHUNK)
            except (BlockingIOError, ssl.SSLWantReadError):
                # Less than a TLS record has arrived.
                continue
            except ssl.SSLWantWriteError:
                self._wait_to_write(clock)
            else:
                return data

    async def send(self, data: memoryview, clock: Clock) -> None:
        """Send all of it, piece by piece."""
        while True:
            try:
                data = data[self.sock.send(data[:CHUNK]) :]
            except (BlockingIOError, ssl.SSLWantWriteError):
                self._wait_to_write(clock)
            except ssl.SSLWantReadError:
                _wait(self._poll_read, clock)
            if not data:
                return
            clock.left()

    def _wait_to_write(self, clock: Clock) -> None:
        self._poll_write = self._poll_write or _poll(self.sock, select.POLLOUT)
        _wait(self._poll_write, clock)

    def is_idle(self) -> bool:
        """Whether neither bytes nor the end have arrived."""
        return not self._pending() and not self._poll_read.poll(0)


def _poll(sock: socket.socket, event: int) -> Any:
    made = select.poll()
    made.register(sock, event)
    return made


# The largest C `int` in milliseconds, about 24 days.
_LONGEST = 2**31 - 1


def _wait(poll: Any, clock: Clock) -> None:
    left = clock.left()
    if not poll.poll(None if left is None else min(left * 1000, _LONGEST)):
        raise DeadlineExceeded
