"""The transport over urllib3's connections.

urllib3's pool manager is not used: it repeats, redirects, rewrites URLs and logs them. A connection is taken from our
own pool, written to once, read within limits, and given back only if its response was read to the end.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

from dynclient.exceptions import ArgumentError, DecodeError, DynclientError, ResponseTooLarge
from dynclient.messages import Headers, Response, Send
from dynclient.options import TLS, Limits
from dynclient.transports import codings, faults
from dynclient.transports._connection import Answer, Connection, SecureConnection, answer_of
from dynclient.transports.clock import Clock, Expired
from dynclient.transports.framing import Cut, Head, read_body
from dynclient.transports.opening import Opener, connect, proxy_of
from dynclient.transports.outgoing import Content, Lines, Path, content_of, header_lines, target_of
from dynclient.transports.pool import Pool
from dynclient.transports.tls import context_of

_EXCERPT = 1024


class Urllib3Transport:
    """Sends requests over HTTP/1.1, on connections that are kept for the next one. Threads may share it.

    Proxies are used only if given, never from the environment.
    """

    def __init__(
        self,
        *,
        limits: Limits = Limits(),
        tls: TLS = TLS(),
        proxy: str | None = None,
        block_private: bool = False,
    ) -> None:
        """Take how many connections an origin may have, whom to trust, the proxy's URL, and whether to go anywhere.

        ``block_private``: only to servers whose addresses are public.

        Raises:
            ArgumentError: the proxy's URL is none, or private addresses can't be blocked behind it.
        """
        self._tls = tls
        self.block_private = block_private
        self._context: Any = None
        self._making = threading.Lock()
        self.proxy = proxy_of(proxy)
        if block_private and self.proxy is not None:
            raise ArgumentError(
                "block_private can't look at the addresses that a proxy connects to",
                argument="block_private",
                hint="have the proxy block them, or leave one of the two out",
            )
        self.pool = Pool(limits.pool_size)

    def send(self, send: Send) -> Response:
        """Send the request once, and read the whole response."""
        return self.exchange(send).run()

    def exchange(self, send: Send) -> Urllib3Exchange:
        """Make the exchange, which another thread may abort."""
        return Urllib3Exchange(self, send)

    def close(self) -> None:
        """Close idle connections, and refuse further requests; those under way end by themselves."""
        self.pool.close()

    def context(self) -> Any:
        """The TLS context, made when it is first needed."""
        with self._making:
            if self._context is None:
                self._context = context_of(self._tls)
            return self._context

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class Urllib3Exchange:
    """One request, and the place and the connection that it holds."""

    def __init__(self, transport: Urllib3Transport, send: Send) -> None:
        """Take what is to be sent."""
        self._transport = transport
        self._send = send
        self._connection: Connection | SecureConnection | None = None
        self._answer: Answer | None = None
        self._holds_place = False
        self._aborted = False
        self._excerpt = b""

    def abort(self) -> None:
        """Break the connection, so that :meth:`run` ends soon; any thread may ask for it."""
        self._aborted = True
        connection = self._connection
        if connection is not None:
            connection.break_off()

    def run(self) -> Response:
        """Send the request and read the response, once."""
        request = self._send.request
        self._clock = Clock(self._send.timeout, self._send.deadline)
        try:
            self._target = target_of(request.url)
            content = content_of(request.body)
            lines = header_lines(request, self._target, content)
        except ArgumentError as error:
            error.operation_id = request.operation_id
            raise
        with self._foreign_errors():
            connection = self._connected()
            asked = time.monotonic()
            answer = self._ask(connection, lines, content)
        head = answer.head
        self._response = Response(head.status, Headers(head.fields), request=request)
        pieces = self._body(answer)
        body = BodyStream(pieces, self._give_up) if self._send.stream else b"".join(pieces)
        return self._response._replace(body=body, elapsed=time.monotonic() - asked)

    def _connected(self) -> Connection | SecureConnection:
        """Take an idle connection, or open one."""
        target, clock = self._target, self._clock
        idle = self._transport.pool.take(target.origin, clock)
        self._holds_place = True
        clock.enter("connect")
        if idle is not None:
            connection = cast("Connection | SecureConnection", idle)
            connection.clock, connection.limits, connection.sent = clock, self._send.limits, False
            return self._held(connection)
        proxy = self._transport.proxy
        secure = target.scheme == "https" or (proxy is not None and proxy.target.scheme == "https")
        context = self._transport.context() if secure else None
        public = self._transport.block_private
        connections = Opener(target, proxy, context, clock, self._send.limits, public).connections()
        for number, connection in enumerate(connections):
            if connect(self._held(connection), clock, len(connections) - number):
                break
        return self._held(connection)

    def _held(self, connection: Connection | SecureConnection) -> Connection | SecureConnection:
        """Hold the connection, so that it can be broken; it is, if that was asked for meanwhile."""
        self._connection = connection
        if self._aborted:
            raise Cut
        return connection

    def _ask(
        self, connection: Connection | SecureConnection, lines: list[tuple[bytes, bytes]], content: Content | None
    ) -> Answer:
        """Write the request, and read the head of its response."""
        proxy = self._transport.proxy
        path = self._target.path
        if proxy is not None and self._target.scheme == "http":
            # RFC 9112, 3.2.2: a proxy is asked with the absolute form.
            path = Path(f"http://{self._target.authority}{path}")
            lines = Lines([*lines, *((name.encode(), value.encode()) for name, value in proxy.headers.items())])
        self._clock.enter("write")
        try:
            connection.write(self._send.request.method, path, lines, content)
        except (OSError, Expired) as error:
            # RFC 9112, 9.3 and 9.6: a server may answer, and close, before it has read all; that answer counts.
            return self._early_answer(connection, error)
        self._clock.enter("read")
        return self._answer_of(connection)

    def _answer_of(self, connection: Connection | SecureConnection) -> Answer:
        self._answer = answer_of(connection, self._send.request.method)
        return self._answer

    def _early_answer(self, connection: Connection | SecureConnection, error: Exception) -> Answer:
        """Read the answer that came while the request could not be written to its end, or raise what stopped that."""
        stalled = isinstance(error, (TimeoutError, Expired))
        if self._aborted or not connection.sent or (stalled and connection.is_connected):
            raise error
        self._clock.enter("read")
        try:
            answer = self._answer_of(connection)
        except faults.FOREIGN:
            self._clock.enter("write")
            raise error from None
        answer.head.keep_alive = False
        return answer

    def _body(self, answer: Answer) -> Iterator[bytes]:
        """Yield the body, and let go of the connection at its end."""
        limits = self._send.limits
        maximum = None if self._send.stream else limits.response_bytes
        with self._foreign_errors():
            codes = codings.named(value for name, value in answer.head.fields if name.lower() == "content-encoding")
            chunks = read_body(answer.source, answer.head, limits)
            chunks = _bounded(chunks, answer.head, limits.encoded_response_bytes, "encoded_response_bytes")
            if codes:
                chunks = codings.decoded(chunks, codes, limits, maximum=maximum)
            else:
                chunks = _bounded(chunks, answer.head, maximum, "response_bytes")
            for piece in chunks:
                if len(self._excerpt) < _EXCERPT:
                    self._excerpt += piece[:_EXCERPT]
                yield piece
            self._leave(reusable=answer.head.keep_alive and not answer.leftover())

    @contextmanager
    def _foreign_errors(self) -> Iterator[None]:
        """Let go of the connection if anything goes wrong, and translate what did."""
        try:
            yield
        except BaseException as error:
            situation = self._situation()
            self._leave(reusable=False)
            if isinstance(error, codings.TooLarge):
                raise self._refused(ResponseTooLarge, _TOO_LARGE[error.limit], limit=error.limit) from None
            if isinstance(error, codings.CodingError):
                raise self._refused(DecodeError, str(error)) from None
            if isinstance(error, DynclientError) or not isinstance(error, faults.FOREIGN):
                raise
            raise faults.translated(error, situation) from None

    def _give_up(self) -> None:
        self._leave(reusable=False)

    def _situation(self) -> faults.Situation:
        connection = self._connection
        way = " through the proxy" if self._transport.proxy is not None else ""
        return faults.Situation(
            request=self._send.request,
            host=f"{self._target.authority}{way}",
            phase=self._clock.phase,
            securing=connection is not None and connection.touched and self._target.scheme == "https",
            sent=connection is not None and connection.sent,
            total=self._clock.passed,
            elapsed=self._clock.elapsed,
            aborted=self._aborted,
        )

    def _refused(self, kind: type[ResponseTooLarge | DecodeError], message: str, **more: Any) -> Exception:
        """An error about what arrived, which keeps its status, its headers and its first bytes."""
        response = self._response._replace(body=self._excerpt[:_EXCERPT], elapsed=self._clock.elapsed)
        return kind(message, response=response, operation_id=self._send.request.operation_id, **more)

    def _leave(self, *, reusable: bool) -> None:
        """Give back the place, and the connection if it can be used again; once."""
        connection, self._connection = self._connection, None
        answer, self._answer = self._answer, None
        if answer is not None:
            answer.close()
        if connection is not None and (not reusable or self._aborted):
            connection.close()
            connection = None
        if self._holds_place:
            self._holds_place = False
            self._transport.pool.give_back(self._target.origin, connection)


class BodyStream:
    """A body that is read while it comes: iterate over it to its end, or close it."""

    def __init__(self, pieces: Iterator[bytes], give_up: Callable[[], None]) -> None:
        """Take the body's bytes, and what lets go of the connection."""
        self._pieces = pieces
        self._give_up = give_up

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._pieces)

    def close(self) -> None:
        """Let go of the connection; what was not read is lost."""
        self._pieces = iter(())
        self._give_up()


_TOO_LARGE = {
    "response_bytes": "the response is larger than may be",
    "encoded_response_bytes": "the response is larger than may be, as it is sent",
    "ratio": "the compressed response swells beyond all proportion",
}


def _bounded(chunks: Iterator[bytes], head: Head, maximum: int | None, limit: str) -> Iterator[bytes]:
    """Hold a body to a limit: by its head where that tells, else by counting."""
    if maximum is None:
        return chunks
    if head.length is not None and head.length > maximum:
        raise codings.TooLarge(limit)
    return _counted(chunks, maximum, limit)


def _counted(chunks: Iterator[bytes], maximum: int, limit: str) -> Iterator[bytes]:
    total = 0
    for chunk in chunks:
        total += len(chunk)
        if total > maximum:
            raise codings.TooLarge(limit)
        yield chunk
