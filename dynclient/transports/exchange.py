"""The course of an exchange, written once: a task awaits it, and a thread runs it straight through.

Rule 1: all waiting is in what a transport's own course gives: ``_take``, ``_open``, ``_fetch`` and its Wire. In a
thread these block, so that the coroutine is never stopped on its way, and ``at_once`` has its result.
Rule 2: what it holds, a place in the pool and a connection, is let go of once, whatever happens. The connection is used
again only if its response was read to the end, and nothing came after it.
Rule 3: foreign errors are translated here.
"""

from __future__ import annotations

import time
from collections.abc import Coroutine, Generator, Iterator
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from dynclient.exceptions import ArgumentError, DecodeError, DynclientError, ResponseTooLarge
from dynclient.messages import Response, Send
from dynclient.transports import body_reader as codings
from dynclient.transports import error_mapping as faults
from dynclient.transports.clock import Clock, Expired
from dynclient.transports.framing import Cut, Head, Received, read_head
from dynclient.transports.pool import Holder, Pool, Pooled
from dynclient.transports.reading import TOO_LARGE, body_of
from dynclient.transports.request_writer import Content, Lines, Path, Target, header_lines, target_of, written

if TYPE_CHECKING:
    from dynclient.transports.proxies import Proxy

T = TypeVar("T")

_EXCERPT = 1024


class Wire(Pooled, Protocol):
    """A connection, as an exchange uses it. ``sent`` tells whether any byte of a request may have left."""

    clock: Clock
    sent: bool

    @property
    def touched(self) -> bool:
        """Whether the other side has taken the connection."""

    async def put(self, data: bytes) -> None:
        """Send all of it, each wait bounded by the clock."""

    def incoming(self) -> Received:
        """What is read of it from here on."""

    async def more(self) -> None:
        """Wait until ``incoming`` has more, or has ended."""

    def leftover(self) -> bool:
        """Whether more has come than was read: bytes that nobody asked for."""


class Carrier(Protocol):
    """What exchanges of one transport share."""

    @property
    def proxy(self) -> Proxy | None:
        """The proxy that was given."""

    @property
    def pool(self) -> Pool:
        """Places and idle connections."""


def at_once(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never has to wait for an event loop."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return cast("T", stop.value)
    coroutine.close()
    raise RuntimeError("a thread's exchange must not wait for an event loop")


class Course(Holder):
    """One request, and the place and the connection that it holds."""

    def __init__(self, carrier: Carrier, send: Send) -> None:
        """Take what is to be sent."""
        self._carrier = carrier
        self._send = send
        self._wire: Wire | None = None
        self._aborted = False
        self._excerpt = b""
        self._pieces: Iterator[bytes | None] = iter(())

    async def _take(self) -> Pooled | None:
        """Take a place in the pool, and an idle connection where a good one is there."""
        raise NotImplementedError

    async def _open(self) -> Wire:
        """Open a connection; it is held from its first moment on."""
        raise NotImplementedError

    def _content(self) -> Content | None:
        """The request's body, as it goes out."""
        raise NotImplementedError

    async def _fetch(self) -> None:
        """Fetch the body's next piece."""
        raise NotImplementedError

    def _stream(self) -> Any:
        """The body of a streamed response, which is read by ``piece``."""
        raise NotImplementedError

    async def response(self) -> Response:
        """Send the request and read the response, once; of a streamed one, its head."""
        request = self._send.request
        self._clock = Clock(self._send.timeout, self._send.deadline)
        try:
            self._target: Target = target_of(request.url)
            content = self._content()
            lines = header_lines(request, self._target, content)
        except ArgumentError as error:
            error.operation_id = request.operation_id
            raise
        with self:
            wire = await self._connected()
            asked = time.monotonic()
            self._answer = head = await self._ask(wire, lines, content)
            limits = self._send.limits
            maximum = None if self._send.stream else limits.response_bytes
            self._pieces = body_of(self._source, head, limits, maximum)
            body = self._stream() if self._send.stream else await self._whole()
        return Response(head.status, head.headers, body, request, time.monotonic() - asked)

    async def _connected(self) -> Wire:
        """Take an idle connection, or open one."""
        idle = await self._take()
        self._clock.enter("connect")
        if idle is None:
            return await self._open()
        wire = cast("Wire", idle)
        wire.clock, wire.sent = self._clock, False
        return self._held(wire)

    def _held(self, wire: T) -> T:
        """Hold the connection, so that it can be broken; it is, if that was asked for meanwhile."""
        self._wire = cast("Wire", wire)
        if self._aborted:
            raise Cut
        return wire

    async def _ask(self, wire: Wire, lines: Lines, content: Content | None) -> Head:
        """Write the request, and read the head of its response."""
        proxy, path = self._carrier.proxy, self._target.path
        if proxy is not None and self._target.scheme == "http":
            # RFC 9112, 3.2.2: a proxy is asked with the absolute form.
            path = Path(f"http://{self._target.authority}{path}")
            lines = Lines([*lines, *((name.encode(), value.encode()) for name, value in proxy.headers.items())])
        self._clock.enter("write")
        wire.sent = False
        try:
            for piece in written(self._send.request.method, path, lines, content):
                if piece is None:
                    await self._fetch()
                else:
                    await wire.put(piece)
        except (OSError, Expired) as error:
            # RFC 9112, 9.3 and 9.6: a server may answer, and close, before it has read all; that answer counts.
            return await self._early_answer(wire, error)
        self._clock.enter("read")
        return await self._head(wire)

    async def _early_answer(self, wire: Wire, error: Exception) -> Head:
        """Read the answer that came while the request could not be written to its end, or raise what stopped that."""
        stalled = isinstance(error, (TimeoutError, Expired))
        if self._aborted or not wire.sent or (stalled and wire.is_connected):
            raise error
        self._clock.enter("read")
        try:
            head = await self._head(wire)
        except faults.FOREIGN:
            self._clock.enter("write")
            raise error from None
        head.keep_alive = False
        return head

    async def _head(self, wire: Wire) -> Head:
        self._source = wire.incoming()
        await wire.more()
        return await fed(read_head(self._source, self._send.request.method, self._send.limits), wire)

    async def _whole(self) -> bytes:
        pieces = []
        for piece in self._pieces:
            if piece is None:
                await self._more()
            else:
                self._keep(piece)
                pieces.append(piece)
        self._end()
        return b"".join(pieces)

    async def piece(self) -> bytes | None:
        """Read the body's next bytes; None at its end, with which the connection is let go of."""
        with self:
            for piece in self._pieces:
                if piece is not None:
                    self._keep(piece)
                    return piece
                await self._more()
            self._end()
        return None

    async def _more(self) -> None:
        if self._wire is None:
            # Somebody else has closed it.
            raise Cut
        await self._wire.more()

    def _keep(self, piece: bytes) -> None:
        """Keep the first bytes, for an error to show."""
        if len(self._excerpt) < _EXCERPT:
            self._excerpt += piece[:_EXCERPT]

    def _end(self) -> None:
        wire = self._wire
        self._leave(reusable=wire is not None and self._answer.keep_alive and not wire.leftover())

    def give_up(self) -> None:
        """Let go of the connection; what was not read is lost."""
        self._pieces = iter(())
        self._leave(reusable=False)

    def __enter__(self) -> None:
        """Let whatever goes wrong in a ``with`` of it end it."""

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        """Let go of the connection if anything went wrong, and translate what did."""
        if error is None:
            return
        situation = self._situation()
        self.give_up()
        if isinstance(error, codings.TooLarge):
            raise self._refused(ResponseTooLarge, TOO_LARGE[error.limit], limit=error.limit) from None
        if isinstance(error, codings.CodingError):
            raise self._refused(DecodeError, str(error)) from None
        if isinstance(error, faults.FOREIGN) and not isinstance(error, DynclientError):
            raise faults.translated(error, situation) from None

    def _situation(self) -> faults.Situation:
        wire = self._wire
        way = " through the proxy" if self._carrier.proxy is not None else ""
        return faults.Situation(
            request=self._send.request,
            host=f"{self._target.authority}{way}",
            phase=self._clock.phase,
            securing=wire is not None and wire.touched and self._target.scheme == "https",
            # What a proxy is asked for first is no part of the request.
            sent=wire is not None and wire.sent and self._clock.phase != "connect",
            total=self._clock.passed,
            elapsed=self._clock.elapsed,
            aborted=self._aborted,
        )

    def _refused(self, kind: type[ResponseTooLarge | DecodeError], message: str, **more: Any) -> Exception:
        """An error about what arrived, which keeps its status, its headers and its first bytes."""
        head, request = self._answer, self._send.request
        response = Response(head.status, head.headers, self._excerpt[:_EXCERPT], request, self._clock.elapsed)
        return kind(message, response=response, operation_id=request.operation_id, **more)

    def _leave(self, *, reusable: bool) -> None:
        """Give back the place, and the connection if it can be used again; once."""
        wire, self._wire = self._wire, None
        if wire is not None and (not reusable or self._aborted):
            wire.close()
            wire = None
        if self.turn is not None:
            self._carrier.pool.leave_line(self._target.origin, self)
        if self.holds_place:
            self._carrier.pool.give_back(self._target.origin, wire, self)


async def fed(reading: Generator[None, None, T], wire: Wire) -> T:
    """Run what reads from a wire's ``incoming`` to its end."""
    while True:
        try:
            next(reading)
        except StopIteration as stop:
            return cast("T", stop.value)
        await wire.more()
