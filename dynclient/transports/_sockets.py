"""Sockets that never block: all waiting is anyio's, for as long as the exchange's clock allows.

Bytes are only taken from a socket when somebody wants them, so that an idle connection still shows what came on it.
Nothing here belongs to an event loop: the next one may use the connection too.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import ssl
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

import anyio
import anyio.to_thread

from dynclient.transports.clock import Clock, Expired
from dynclient.transports.framing import CHUNK, Received

T = TypeVar("T")

Address = tuple[int, Any]
"""A family, and an address of it, as ``socket.connect`` takes it."""


class Stream(Protocol):
    """Bytes both ways."""

    async def receive(self) -> bytes:
        """Wait for bytes; none are the end."""

    async def send(self, data: bytes | memoryview) -> None:
        """Send all of it."""

    def silent(self) -> bool:
        """Whether nothing has come, nor the end."""


class Plain:
    """A socket. Set ``clock`` before it is used for an exchange."""

    def __init__(self, family: int, clock: Clock) -> None:
        """Make a socket that is not connected."""
        self.clock = clock
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        self._waiting = self._given_up = False
        try:
            self._socket.setblocking(False)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except BaseException:  # also an interrupt: nobody else knows of the socket
            self._socket.close()
            raise

    async def connect(self, address: Any, seconds: float | None) -> None:
        """Connect.

        Raises:
            OSError: it did not come about, within these seconds.
        """
        result = self._socket.connect_ex(address)
        if result in {errno.EINPROGRESS, errno.EWOULDBLOCK}:
            with anyio.move_on_after(seconds) as scope:
                await self._wait(anyio.wait_writable)
            if scope.cancelled_caught:
                raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
            result = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if result:
            raise OSError(result, os.strerror(result))

    async def receive(self) -> bytes:
        """Wait for bytes; none are the end."""
        while True:
            await self._ready(anyio.wait_readable)
            with contextlib.suppress(BlockingIOError):
                return self._socket.recv(CHUNK)

    async def send(self, data: bytes | memoryview) -> None:
        """Send all of it."""
        rest = memoryview(data)
        while rest:
            sent = 0
            with contextlib.suppress(BlockingIOError):
                sent = self._socket.send(rest)
            rest = rest[sent:]
            if not sent:
                await self._ready(anyio.wait_writable)

    def send_now(self, data: bytes) -> None:
        """Send what can be sent at once, and forget the rest: a farewell."""
        with contextlib.suppress(OSError):
            self._socket.send(data)

    def silent(self) -> bool:
        """Whether nothing has come, nor the end."""
        try:
            self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def close(self) -> None:
        """Close it. A task that waits for it does so itself, when it has been woken."""
        if self._waiting:
            self._given_up = True
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
        else:
            self._socket.close()

    async def _ready(self, wait: Callable[[socket.socket], Awaitable[None]]) -> None:
        """Wait no longer than the clock allows."""
        with anyio.move_on_after(self.clock.left()) as scope:
            await self._wait(wait)
        if scope.cancelled_caught:
            raise Expired

    async def _wait(self, wait: Callable[[socket.socket], Awaitable[None]]) -> None:
        self._waiting = True
        try:
            await wait(self._socket)
        finally:
            self._waiting = False
            if self._given_up:
                self._socket.close()


class Secured:
    """TLS over another stream.

    anyio's own can't be read any more once a write to it was broken off, which is when an early answer is looked for.
    """

    def __init__(self, below: Stream, farewell: Callable[[bytes], None]) -> None:
        """Take what carries it, and what sends an alert if nothing more can be said."""
        self._below = below
        self._farewell = farewell
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()

    async def agree(self, context: ssl.SSLContext, host: str) -> None:
        """Shake hands with a server of this name."""

        def wrap() -> ssl.SSLObject:
            return context.wrap_bio(self._in, self._out, server_hostname=host)

        # Contexts that ask the system whom to trust may block.
        self._tls = wrap() if type(context) is ssl.SSLContext else await anyio.to_thread.run_sync(wrap)
        try:
            await self._do(self._tls.do_handshake)
        except ssl.SSLError:
            self._farewell(self._out.read())
            raise

    async def receive(self) -> bytes:
        """Wait for bytes; none are the end."""
        try:
            return await self._do(self._tls.read, CHUNK)
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return b""

    async def send(self, data: bytes | memoryview) -> None:
        """Send all of it."""
        await self._do(self._tls.write, data)

    def silent(self) -> bool:
        """Whether nothing has come, nor the end: tickets for later sessions, which TLS keeps to itself, are nothing."""
        try:
            self._tls.read(1)
        except ssl.SSLWantReadError:
            return not self._in.pending and self._below.silent()
        except OSError:
            return False
        return False

    async def _do(self, function: Callable[..., T], *arguments: Any) -> T:
        while True:
            with contextlib.suppress(ssl.SSLWantReadError):
                result = function(*arguments)
                break
            await self._flush()
            data = await self._below.receive()
            if data:
                self._in.write(data)
            else:
                self._in.write_eof()
        await self._flush()
        return result

    async def _flush(self) -> None:
        if self._out.pending:
            await self._below.send(self._out.read())


class Link:
    """A connection. Set ``clock`` before it is used for another exchange."""

    def __init__(self, family: int, clock: Clock) -> None:
        """It is not connected yet."""
        self._plain = Plain(family, clock)
        self._stream: Stream = self._plain
        self._received = Received()
        self.touched = False
        self.sent = False
        self._open = True

    @property
    def clock(self) -> Clock:
        """The clock of the exchange that it is in."""
        return self._plain.clock

    @clock.setter
    def clock(self, clock: Clock) -> None:
        self._plain.clock = clock

    async def connect(self, address: Any, seconds: float | None) -> None:
        """Connect.

        Raises:
            OSError: it did not come about, within these seconds.
        """
        await self._plain.connect(address, seconds)
        self.touched = True

    async def secure(self, context: ssl.SSLContext, host: str) -> None:
        """Go on with TLS, by which the server proves that it has this name."""
        secured = Secured(self._stream, self._plain.send_now)
        await secured.agree(context, host)
        self._stream = secured

    @property
    def is_connected(self) -> bool:
        """Whether it is open, with nothing to be read from it."""
        return self._open and self._stream.silent()

    async def put(self, data: bytes) -> None:
        """Send all of it, each wait bounded by the clock."""
        self.clock.left()
        # From here on nobody can know how much of the request has left.
        self.sent = True
        rest = memoryview(data)
        while rest:
            await self._stream.send(rest[:CHUNK])
            rest = rest[CHUNK:]

    def incoming(self) -> Received:
        """What is read of it from here on."""
        self._received = Received()
        return self._received

    async def more(self) -> None:
        """Wait until there is more to read, or the end has come."""
        if not self._open:
            raise ConnectionAbortedError(errno.ECONNABORTED, os.strerror(errno.ECONNABORTED))
        self._received.feed(await self._stream.receive())

    def leftover(self) -> bool:
        """Whether more has come than was read. What the socket still has is seen when the connection is used again."""
        return bool(self._received)

    def close(self) -> None:
        """Close it; TLS's farewell is not said."""
        self._open = False
        self._plain.close()
