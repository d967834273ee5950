"""One HTTP/1.1 exchange, written once as a coroutine: a task awaits it, and a thread runs it to its end.

Rule 1: all waiting is in a transport's streams, in its look-up of names, and in its pool. In a thread these block, so
the coroutine is never suspended, and ``at_once`` returns its result.
Rule 2: an exchange always gives back its place in the pool and its connection, exactly once. The connection is reused
only if its response was read to the end, and nothing followed it.
Rule 3: foreign errors are mapped here. Those of ssl and sockets may contain secrets: only the operating system's own
texts are used, and no error is kept as a cause.
"""

from __future__ import annotations

import builtins
import socket
import ssl
import time
from collections.abc import AsyncIterator, Coroutine, Iterator
from typing import Any, Protocol, TypeVar, cast

from dynclient.exceptions import (
    ArgumentError,
    ClientClosed,
    ConnectError,
    ConnectionLost,
    DecodeError,
    DynclientError,
    PoolTimeout,
    ProtocolError,
    TimeoutError,  # noqa: A004  # dynclient's own; Python's is said in full
    TLSError,
    TransportError,
)
from dynclient.messages import LOOKED_AT, Response, Send
from dynclient.options import Limits
from dynclient.transports.body_reader import BodyFailed, CodingError, Content, TooLarge, body_of, too_large, watched
from dynclient.transports.clock import Clock, DeadlineExceeded
from dynclient.transports.connecting import Connection, Connector, fed, unused_variables
from dynclient.transports.http11 import (
    Framing,
    HiddenBytes,
    HiddenPath,
    IncompleteResponse,
    RemoteProtocolError,
    ResponseHead,
    Target,
    header_fields,
    target_of,
)
from dynclient.transports.pool import Lease, PoolClosed

T = TypeVar("T")

_FOREIGN = (DeadlineExceeded, PoolClosed, RemoteProtocolError, IncompleteResponse, BodyFailed, OSError, ValueError)
"""The errors that an exchange may end with."""
_TIMES = (DeadlineExceeded, builtins.TimeoutError)
_Fault = tuple[type[TransportError], str, str]
"""The class of an error, its text, and its hint."""


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
            self._target = target = target_of(request.url)
            if self._connector.has_certificate and self._send.certificate and target.scheme == "https":
                self._target = target._replace(certificate=True)
            choose = self._connector.choose_proxy
            proxy = self._connector.proxy if choose is None else choose(target.scheme, target.host, target.port)
            self._proxy = proxy
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
            self._chunks = body_of(framed, head.headers, head.length, limits, stream=stream)
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
            # The last connection to this server broke, and the other idle ones are at least as old.
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
            # RFC 9112, 9.3 and 9.6: a server may respond, and close, before it has read the whole request; that
            # response counts.
            return await self._early_answer(connection, error)
        self._clock.enter("read")
        return await fed(self._framing.response_head(), self._framing, connection)

    async def _early_answer(self, connection: Connection, error: Exception) -> ResponseHead:
        """Read the response to a request that could not be sent completely, or raise the error that stopped it."""
        stalled = isinstance(error, _TIMES)
        if self._aborted or not connection.sent or (stalled and connection.is_connected):
            raise error
        self._clock.enter("read")
        try:
            head = await fed(self._framing.response_head(), self._framing, connection)
        except _FOREIGN:
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
        """Keep the first bytes, to show them in an error."""
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
        # Whether bytes were sent or received is known only as long as the connection is held.
        mapped = self._mapped(error)
        self.give_up()
        if mapped is not None:
            raise mapped from None

    def _mapped(self, error: BaseException) -> BaseException | None:
        """Return dynclient's error for one of another library; None for any other error."""
        request, connection = self._send.request, self._connection
        if isinstance(error, TooLarge | CodingError):
            head = self._answer
            seen = Response(head.status, head.headers, self._excerpt, request, self._clock.elapsed)
            return refused(error, seen, self._send.limits)
        if isinstance(error, DynclientError) or not isinstance(error, _FOREIGN):
            return None
        if isinstance(error, BodyFailed):
            return error.error
        if isinstance(error, PoolClosed):
            return ClientClosed("the client has been closed", operation_id=request.operation_id)
        phase = self._clock.phase
        fault: _Fault
        if self._aborted:
            fault = ConnectionLost, "the request was cancelled", ""
        elif phase == "pool":
            fault = PoolTimeout, f"no connection to {self._host()} became free in time", ""
        else:
            fault = self._connect_fault(error) if phase == "connect" else self._transfer_fault(error)
        kind, text, hint = fault
        more: dict[str, Any] = {"phase": phase} if kind is TimeoutError else {}
        made = kind(
            text,
            request=request,
            operation_id=request.operation_id,
            # The request that opens a tunnel is not part of the call's request.
            outcome_unknown=connection is not None and connection.sent and phase != "connect",
            elapsed=self._clock.elapsed,
            hint=hint,
            **more,
        )
        if isinstance(made, ConnectionLost) and not self._aborted:
            # The connection had served another request, and no byte of this response has arrived.
            made.reused = self._reused and not self._framing.has_more
        return made

    def _host(self) -> str:
        if self._proxy is not None:
            return f"{self._target.authority} through the proxy"
        path = self._connector.unix_socket
        return self._target.authority if path is None else f"{self._target.authority} at the Unix socket {path}"

    def _connect_fault(self, error: BaseException) -> _Fault:
        host, scheme, hint = self._host(), self._target.scheme, ""
        if self._proxy is None and self._connector.unix_socket is None and self._connector.choose_proxy is None:
            hint = unused_variables(scheme)
        if isinstance(error, _TIMES):
            if self._clock.passed:
                return TimeoutError, f"the call's time ran out while connecting to {host}", ""
            if self._connection is not None and scheme == "https":
                return TLSError, f"{host} did not finish the TLS handshake in time", ""
            return ConnectError, f"{host} did not answer in time", hint
        if isinstance(error, ssl.SSLError):
            return TLSError, f"the TLS certificate or handshake of {host} failed{_reason(error)}", tls_hint(error)
        if isinstance(error, socket.gaierror):
            return ConnectError, f"the host {host} can't be found", hint
        return ConnectError, f"can't connect to {host}{_reason(error)}", hint

    def _transfer_fault(self, error: BaseException) -> _Fault:
        doing = "sending the request" if self._clock.phase == "write" else "waiting for the response"
        if isinstance(error, _TIMES):
            whose = "the call's time" if self._clock.passed else "time"
            return TimeoutError, f"{whose} ran out while {doing}", ""
        if isinstance(error, RemoteProtocolError):
            return ProtocolError, f"the response is not HTTP: {error}", ""
        if isinstance(error, ssl.SSLEOFError):
            text = "TLS ended without close_notify before the whole response had arrived: it may have been cut off"
            return ConnectionLost, text, "stream() yields the bytes received before"
        hint = ""
        if self._target.scheme == "http" and self._connection is not None and not self._connection.received:
            hint = "nothing was received; if the server uses TLS at this port, use https:// in base_url"
        if isinstance(error, IncompleteResponse):
            return ConnectionLost, "the server closed the connection before the whole response had arrived", hint
        return ConnectionLost, f"the connection broke while {doing}{_reason(error)}", hint

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


# -- errors


def refused(error: TooLarge | CodingError, response: Response, limits: Limits) -> DynclientError:
    """Return the error for a body that can't be accepted; ``response`` has its first bytes."""
    operation_id = response.request.operation_id if response.request is not None else None
    response = response.beginning()
    if isinstance(error, TooLarge):
        return too_large(error.limit, limits, response=response, operation_id=operation_id)
    hint = "with_options(headers={'Accept-Encoding': 'identity'}) asks for a body without content coding"
    return DecodeError(str(error), response=response, operation_id=operation_id, hint=hint)


_NO_TLS = frozenset({
    "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE", "UNEXPECTED_EOF_WHILE_READING",
    "UNKNOWN_PROTOCOL", "WRONG_VERSION_NUMBER",
})  # fmt: skip
"""OpenSSL's names of the reasons that a server without TLS causes."""


def tls_hint(error: ssl.SSLError) -> str:
    """Return the hint for a failed handshake."""
    if not isinstance(error, ssl.SSLCertVerificationError):
        return "if the server does not use TLS at this port, use http:// in base_url" if error.reason in _NO_TLS else ""
    message = error.verify_message.lower()
    if "mismatch" in message:
        return "the certificate is for another host name than that of base_url"
    if "expired" in message:
        return ""
    return 'if you trust its authority, pass its PEM file: load(..., tls=dynclient.TLS(ca_file="ca.pem"))'


def _reason(error: BaseException) -> str:
    """Return the text of the operating system or of TLS; never a text that may contain a URL."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f": {error.verify_message}"
    if isinstance(error, ssl.SSLError) and error.reason:
        return f": {error.reason.replace('_', ' ').lower()}"
    if isinstance(error, OSError) and error.strerror:
        return f": {error.strerror}"
    return f" ({type(error).__name__})"
