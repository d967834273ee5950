"""One HTTP/1.1 exchange, written once: a task awaits it, and a thread runs it straight through.

Rule 1: all waiting is in a transport's streams, in its look-up of names, and in its pool. In a thread these block, so
the coroutine is never suspended, and ``at_once`` returns its result.
Rule 2: an exchange's place in the pool and its connection are always given back exactly once. The connection is reused
only if its response was read to the end, and nothing followed it.
Rule 3: foreign errors are mapped here.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Coroutine, Iterator
from typing import Any, Protocol, TypeVar, cast

from dynclient.exceptions import ArgumentError, DynclientError
from dynclient.messages import LOOKED_AT, Response, Send
from dynclient.transports import body_reader, error_mapping
from dynclient.transports.clock import Clock, DeadlineExceeded
from dynclient.transports.connecting import Connection, Connector, fed, unused_variables
from dynclient.transports.http11 import Framing, IncompleteResponse, ResponseHead
from dynclient.transports.pool import Lease
from dynclient.transports.request_writer import (
    Content,
    HiddenBytes,
    HiddenPath,
    Target,
    header_fields,
    target_of,
    watched,
)

T = TypeVar("T")


def at_once(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never waits for an event loop."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return cast("T", stop.value)
    coroutine.close()
    raise RuntimeError("a thread's exchange must not wait for an event loop")


class HTTP11Exchange(Lease):
    """One request and its response, with its place and its connection."""

    def __init__(self, connector: Connector, send: Send, stream: type[BodyStream | AsyncBodyStream]) -> None:
        """Prepare to send; ``stream`` is the class of a streamed response's body."""
        self._connector = connector
        self._send = send
        self._stream = stream
        self._connection: Connection | None = None
        self._aborted = self._reused = False
        self._excerpt = b""
        self._chunks: Iterator[bytes | None] = iter(())

    def run(self) -> Response:
        """Send the request and read the response, in this thread."""
        return at_once(self.response())

    def abort(self) -> None:
        """Break the connection, so that :meth:`run` ends soon; any thread may call it."""
        self._aborted = True
        connection = self._connection
        if connection is not None:
            cast("Any", connection.stream).abort()

    async def response(self) -> Response:
        """Send the request and read the response, once; only its head if it is streamed."""
        request = self._send.request
        self._clock = Clock(self._send.timeout, self._send.deadline)
        self._framing = Framing(request.method, self._send.limits)
        try:
            self._target = target_of(request.url)
            if self._connector.has_certificate and self._send.certificate and self._target.scheme == "https":
                self._target = self._target._replace(certificate=True)
            choose = self._connector.choose_proxy
            self._proxy = self._connector.proxy if choose is None else choose(self._target)
            content = None if request.body is None else self._connector.content(request.body)
            if self._send.progress is not None:
                content = watched(content, self._send.progress)
            request_head = self._request_head(self._target, content)
        except ArgumentError as error:
            error.operation_id = request.operation_id
            raise
        with self:
            connection = await self._connected()
            asked = time.monotonic()
            self._answer = head = await self._ask(connection, request_head, content)
            self._reused = False
            limits, stream = self._send.limits, self._send.stream
            framed = self._framing.response_body(head)
            self._chunks = body_reader.body_of(framed, head.headers, head.length, limits, stream=stream)
            body = self._stream(self) if stream else await self._whole()
        return Response(head.status, head.headers, body, request, time.monotonic() - asked)

    def _request_head(self, target: Target, content: Content | None) -> HiddenBytes:
        """Return the request's head."""
        path, fields = target.path, header_fields(self._send.request, target, content)
        proxy = self._proxy
        if proxy is not None and target.scheme == "http" and not proxy.target.scheme.startswith("socks"):
            # RFC 9112, 3.2.2: requests to a proxy use the absolute form.
            path = HiddenPath(f"http://{target.authority}{path}")
            fields += proxy.headers
        return self._framing.request_head(self._send.request, path, fields)

    async def _connected(self) -> Connection:
        """Take an idle connection, or open one."""
        idle = await self._connector.pool.take(self._target.origin, self._clock, self)
        self._clock.enter("connect")
        if idle is not None and self._send.fresh:
            # The last connection to this server broke: the other idle ones are at least as old.
            idle.close()
            idle = None
        if idle is None:
            self._check_abort()
            return await self._connector.open(self._target, self._proxy, self._clock, self._send.limits, self._held)
        connection = cast("Connection", idle)
        connection.clock, connection.sent = self._clock, False
        self._reused = True
        return self._held(connection)

    def _held(self, connection: Connection) -> Connection:
        """Hold the connection, so that it can be aborted; abort it if that was requested meanwhile."""
        self._connection = connection
        self._check_abort()
        return connection

    def _check_abort(self) -> None:
        if self._aborted:
            raise IncompleteResponse

    async def _ask(self, connection: Connection, request_head: HiddenBytes, content: Content | None) -> ResponseHead:
        """Send the request, and read the head of its response."""
        self._clock.enter("write")
        connection.sent = False
        try:
            for piece in self._framing.request_pieces(request_head, content):
                if piece is None:
                    await cast("Any", content).fetch(self._clock)
                else:
                    await connection.send(piece)
        except (OSError, DeadlineExceeded) as error:
            # RFC 9112, 9.3 and 9.6: a server may answer, and close, before it has read everything; that response
            # counts.
            return await self._early_answer(connection, error)
        self._clock.enter("read")
        return await fed(self._framing.response_head(), self._framing, connection)

    async def _early_answer(self, connection: Connection, error: Exception) -> ResponseHead:
        """Read the response to a request that could not be sent completely, or raise the error that stopped it."""
        stalled = isinstance(error, (TimeoutError, DeadlineExceeded))
        if self._aborted or not connection.sent or (stalled and connection.is_connected):
            raise error
        self._clock.enter("read")
        try:
            head = await fed(self._framing.response_head(), self._framing, connection)
        except error_mapping.FOREIGN:
            self._clock.enter("write")
            raise error from None
        head.keep_alive = False
        return head

    async def _whole(self) -> bytes:
        chunks = []
        for chunk in self._chunks:
            if chunk is None:
                await self._more()
            else:
                self._keep(chunk)
                chunks.append(chunk)
        self._end()
        return b"".join(chunks)

    async def chunk(self) -> bytes | None:
        """Read the body's next bytes. None means its end; the connection is given back then."""
        with self:
            for chunk in self._chunks:
                if chunk is not None:
                    self._keep(chunk)
                    return chunk
                await self._more()
            self._end()
        return None

    async def _more(self) -> None:
        if self._connection is None:
            # Another thread or task has closed it.
            raise IncompleteResponse
        self._framing.feed(await self._connection.receive())

    def _keep(self, chunk: bytes) -> None:
        """Keep the first bytes for an error."""
        if len(self._excerpt) < LOOKED_AT:
            self._excerpt = (self._excerpt + chunk[:LOOKED_AT])[:LOOKED_AT]

    def _end(self) -> None:
        self._leave(reusable=self._answer.keep_alive and not self._framing.has_more)

    def give_up(self) -> None:
        """Close the connection; unread bytes are lost."""
        self._chunks = iter(())
        self._leave(reusable=False)

    def __enter__(self) -> None:
        """Close the connection if the ``with`` block fails."""

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if error is None:
            return
        context = self._error_context()
        self.give_up()
        if isinstance(error, body_reader.TooLarge | body_reader.CodingError):
            head = self._answer
            seen = Response(head.status, head.headers, self._excerpt, self._send.request, self._clock.elapsed)
            raise error_mapping.refused(error, seen, self._send.limits) from None
        if isinstance(error, error_mapping.FOREIGN) and not isinstance(error, DynclientError):
            raise error_mapping.map_exception(error, context) from None

    def _error_context(self) -> error_mapping.ErrorContext:
        connection = self._connection
        way, hint = "", ""
        if self._proxy is not None:
            way = " through the proxy"
        elif self._connector.unix_socket is not None:
            way = f" at the Unix socket {self._connector.unix_socket}"
        elif self._connector.choose_proxy is None and self._clock.phase == "connect":
            hint = unused_variables(self._target.scheme)
        return error_mapping.ErrorContext(
            request=self._send.request,
            host=f"{self._target.authority}{way}",
            scheme=self._target.scheme,
            connect_hint=hint,
            phase=self._clock.phase,
            securing=connection is not None and self._target.scheme == "https",
            # The first request to a proxy is not a part of the call's request.
            sent=connection is not None and connection.sent and self._clock.phase != "connect",
            total=self._clock.passed,
            elapsed=self._clock.elapsed,
            aborted=self._aborted,
            reused=self._reused and not self._framing.has_more,
            is_silent=connection is not None and not connection.received,
        )

    def _leave(self, *, reusable: bool) -> None:
        """Give back the place, and the connection if it can be reused, once."""
        connection, self._connection = self._connection, None
        if connection is not None and (not reusable or self._aborted):
            connection.close()
            connection = None
        pool = self._connector.pool
        if self.waiter is not None:
            pool.leave_line(self._target.origin, self)
        if self.is_held:
            pool.give_back(self._target.origin, connection, self)


class Readable(Protocol):
    """An exchange whose response is read chunk by chunk."""

    async def chunk(self) -> bytes | None:
        """Read the body's next bytes. None means its end."""

    def give_up(self) -> Any:
        """Close the connection; may return a coroutine that does it."""


class BodyStream:
    """A response's body, read as it arrives: iterate over it to its end, or close it."""

    def __init__(self, exchange: Readable) -> None:
        """Take the exchange that reads it."""
        self._exchange = exchange

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        chunk = at_once(self._exchange.chunk())
        if chunk is None:
            raise StopIteration
        return chunk

    def close(self) -> None:
        """Close the connection; unread bytes are lost."""
        self._exchange.give_up()

    def __del__(self) -> None:
        self.close()


class AsyncBodyStream(AsyncIterator[bytes]):
    """A response's body, read by a task as it arrives: iterate over it to its end, or close it."""

    def __init__(self, exchange: Readable) -> None:
        """Take the exchange that reads it."""
        self._exchange = exchange

    async def __anext__(self) -> bytes:
        chunk = await self._exchange.chunk()
        if chunk is None:
            raise StopAsyncIteration
        return chunk

    async def aclose(self) -> None:
        """Close the connection; unread bytes are lost."""
        closing = self._exchange.give_up()
        if closing is not None:
            await closing

    def __del__(self) -> None:
        closing = self._exchange.give_up()
        if closing is not None:
            closing.close()
