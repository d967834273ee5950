"""Transports that send with a client of another library: urllib3, requests, httpx.

Rule 1: the other library's client sends each request once: its own retries and redirects are switched off, since they
belong to the call. Its other configuration stays: proxies, certificates, authentication, mocks.
Rule 2: bodies are decoded, and limits enforced, by this package. Limits on a head are the library's own.
Rule 3: errors of the library are mapped here, by the names of their classes, so that no library is imported. An error
that is not about the network, such as that of a mock, is raised as it is.
"""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from typing import Any, TypeVar

from dynclient._deferred import expression
from dynclient.exceptions import (
    ArgumentError,
    ConnectError,
    ConnectionLost,
    DynclientError,
    PoolTimeout,
    ProtocolError,
    TimeoutError,  # noqa: A004  # dynclient's own
    TLSError,
    TransportError,
)
from dynclient.http_grammar import BODILESS, is_field_value, is_token
from dynclient.messages import LOOKED_AT, Headers, Response, Send
from dynclient.transports import body_reader
from dynclient.transports.body_reader import CHUNK, BodyFailed, Content, content_of, watched
from dynclient.transports.clock import Clock, DeadlineExceeded
from dynclient.transports.exchange import AsyncBodyStream, BodyStream, at_once, refused, tls_hint
from dynclient.transports.http11 import HiddenLines, own_fields, target_of, why_unsendable

T = TypeVar("T")

_UNCONNECTED = (ConnectError, "can't connect to the server", False)
_LATE_CONNECTION = (ConnectError, "the server did not answer in time", False)
_NO_PLACE = (PoolTimeout, "no connection became free in time", False)
_LATE = (TimeoutError, "time ran out while waiting for the response", True)
_BROKEN = (ConnectionLost, "the connection broke", True)
_NOT_HTTP = (ProtocolError, "the response is not HTTP", True)
# The kind of error, its text, and whether any byte of the request may have been sent. The nearest class counts.
_ERRORS: dict[str, tuple[type[TransportError], str, bool]] = {
    # urllib3 and http.client
    "NewConnectionError": _UNCONNECTED,
    "ConnectTimeoutError": _LATE_CONNECTION,
    "EmptyPoolError": _NO_PLACE,
    "ReadTimeoutError": _LATE,
    "InvalidHeader": _NOT_HTTP,
    "RemoteDisconnected": _BROKEN,
    "IncompleteRead": _BROKEN,
    "HTTPException": _NOT_HTTP,
    # requests and httpx
    "ConnectTimeout": _LATE_CONNECTION,
    "ConnectError": _UNCONNECTED,
    "ProxyError": (ConnectError, "can't connect through the proxy", False),
    "UnsupportedProtocol": (ConnectError, "the client does not support the URL's scheme", False),
    "PoolTimeout": _NO_PLACE,
    "ReadTimeout": _LATE,
    "WriteTimeout": (TimeoutError, "time ran out while sending the request", True),
    "LocalProtocolError": (ProtocolError, "the client can't send this request", False),
}
# The bases of each library's errors, and of those of sockets.
_BASES = {"HTTPError", "RequestException", "HTTPException", "OSError"}
_FIRST_FINAL = 200
_LENGTH = expression(r"[0-9]{1,20}")


class ForeignExchange:
    """One request that another library sends.

    It is written once for threads and tasks, like :class:`HTTP11Exchange`.
    """

    def __init__(self, send: Send) -> None:
        """Prepare to send.

        Raises:
            ArgumentError: the request can't be written as HTTP.
        """
        self._send = send
        self._clock = Clock(send.timeout, send.deadline)
        self._chunks: Iterator[bytes | None] = iter(())
        self._received: list[bytes] = []
        self._ended = False
        self._excerpt = b""
        request = send.request
        try:
            target_of(request.url)
            if not is_token(request.method) or not all(
                is_token(name) and is_field_value(value) for name, value in request.headers.pairs()
            ):
                raise why_unsendable(request)
        except ArgumentError as error:
            error.operation_id = request.operation_id
            raise

    def fields(self, content: Content | None) -> HiddenLines[tuple[bytes, bytes]]:
        """Return the header fields, without those that frame the message or belong to the connection."""
        fields = own_fields(self._send.request)
        if content is not None and content.whole is None and content.size is not None:
            fields.append((b"Content-Length", b"%d" % content.size))
        return fields

    def timeouts(self) -> dict[str, float | None]:
        """Return the seconds for each wait, limited by the call's deadline."""
        left, given = self._clock.remaining, self._send.timeout
        waits = {"connect": given.connect, "read": given.read, "write": given.write, "pool": given.pool}
        return {
            name: left if wait is None or (left is not None and left < wait) else wait for name, wait in waits.items()
        }

    async def begin(self) -> tuple[int, Headers]:
        """Send the request, and return status and headers."""
        raise NotImplementedError

    async def receive(self) -> bytes:
        """Read some of the body, still encoded; no bytes mean its end."""
        raise NotImplementedError

    def release(self) -> Any:
        """Give the connection back, or close it; may return an awaitable."""
        raise NotImplementedError

    async def response(self) -> Response:
        """Send the request and read the response, or only its head if it is streamed."""
        limits, stream = self._send.limits, self._send.stream
        self._clock.enter("read")
        async with self:
            self._clock.left()
            self._status, self._headers = status, headers = await self.begin()
            length = self._checked(status, headers)
            if self._send.request.method == "HEAD" or status in BODILESS:
                length = 0
            self._chunks = body_reader.body_of(self._source(), headers, length, limits, stream=stream)
        body: Any = self
        if not stream:
            chunks = []
            while (chunk := await self.chunk()) is not None:
                chunks.append(chunk)
            body = b"".join(chunks)
        return Response(status, headers, body, self._send.request, self._clock.elapsed)

    def _checked(self, status: int, headers: Headers) -> int | None:
        """Return the body's length, if the head has one; refuse heads that allow response splitting."""
        lengths = {value.strip(" \t") for line in headers.get_list("content-length") for value in line.split(",")}
        limits, wrong = self._send.limits, ""
        if status < _FIRST_FINAL:
            wrong = "an interim response came as the final one"
        elif lengths and "transfer-encoding" in headers:
            wrong = "it has both Transfer-Encoding and Content-Length"
        elif len(lengths) > 1 or not all(_LENGTH.fullmatch(length) for length in lengths):
            wrong = "its Content-Length is not a number"
        elif len(headers.pairs()) > limits.header_lines:
            wrong = f"it has more than {limits.header_lines} header lines (Limits.header_lines)"
        if wrong:
            raise self._error(ProtocolError, f"the response is not HTTP: {wrong}", sent=True)
        return int(lengths.pop()) if lengths else None

    def _source(self) -> Iterator[bytes | None]:
        """Yield the received bytes; None if there are none yet."""
        while not self._ended:
            yield self._received.pop() if self._received else None

    async def chunk(self) -> bytes | None:
        """Read the body's next bytes. None means its end."""
        async with self:
            for chunk in self._chunks:
                if chunk is None:
                    self._clock.left()
                    data = await self.receive()
                    self._received.append(data)
                    self._ended = not data
                elif chunk:
                    self._excerpt = self._excerpt or chunk[:LOOKED_AT]
                    return chunk
            await _awaited(self.release())
        return None

    def give_up(self) -> Any:
        """Close the connection; unread bytes are lost. May return an awaitable."""
        self._chunks = iter(())
        return self.release()

    async def __aenter__(self) -> None:
        """Close the connection if the ``with`` block fails, and map the errors of another library."""

    async def __aexit__(self, _: object, error: BaseException | None, __: object) -> None:
        if error is None:
            return
        closing = self.give_up()
        if isinstance(error, Exception):
            with contextlib.suppress(Exception):
                await _awaited(closing)
        elif hasattr(closing, "close"):
            # A cancelled task can't wait, and httpx closes the connection then.
            closing.close()
        mapped = self._mapped(error)
        if mapped is not None:
            raise mapped from None

    def _mapped(self, error: BaseException) -> BaseException | None:
        """Map an error that ends an exchange to dynclient's; None for any other."""
        if isinstance(error, body_reader.TooLarge | body_reader.CodingError):
            elapsed, request = self._clock.elapsed, self._send.request
            seen = Response(self._status, self._headers, self._excerpt, request, elapsed)
            return refused(error, seen, self._send.limits)
        if isinstance(error, BodyFailed):
            return error.error
        if isinstance(error, DeadlineExceeded):
            return self._error(TimeoutError, "the call's time ran out while waiting for the response", sent=True)
        if isinstance(error, DynclientError) or not _BASES & _names(error).keys():
            return None
        return self._from_library(error)

    def _from_library(self, error: BaseException) -> TransportError:
        """Map an error of the library to dynclient's."""
        causes = list(_causes(error))
        names = [name for cause in causes for name in _names(cause)]
        kind, text, sent = next((_ERRORS[name] for name in names if name in _ERRORS), _BROKEN)
        tls = [cause for cause in causes if isinstance(cause, ssl.SSLError)]
        if tls:
            # A certificate is verified before anything is sent. Other TLS errors may occur at any time.
            kind, text = TLSError, "the TLS certificate or handshake of the server failed"
            sent = sent and not any(isinstance(cause, ssl.SSLCertVerificationError) for cause in tls)
        elif "RemoteProtocolError" in names and not any(word in str(error) for word in ("disconnected", "closed")):
            kind, text = ProtocolError, "the response is not HTTP"
        elif self._clock.passed and kind in {TimeoutError, ConnectError}:
            kind, text = TimeoutError, "the call's time ran out"
        hint = tls_hint(tls[0]) if tls else ""
        return self._error(kind, f"{text} ({type(error).__name__})", sent=sent, hint=hint)

    def _error(self, kind: type[TransportError], text: str, *, sent: bool, **more: Any) -> TransportError:
        request = self._send.request
        if kind is TimeoutError:
            more["phase"] = "read" if sent else "connect"
        return kind(
            text,
            request=request,
            operation_id=request.operation_id,
            outcome_unknown=sent,
            elapsed=self._clock.elapsed,
            **more,
        )


def _names(error: BaseException) -> dict[str, None]:
    """Return the names of an error's classes, the nearest first."""
    return dict.fromkeys(kind.__name__ for kind in type(error).__mro__)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and its causes, including a cause that a library keeps as an argument."""
    seen: set[int] = set()
    waiting: list[Any] = [error]
    while waiting:
        one = waiting.pop(0)
        if isinstance(one, BaseException) and id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += [*one.args, getattr(one, "reason", None), one.__cause__, one.__context__]


class _Body:
    """A body that is read while it is sent, and whose length must be right; requests calls ``len``."""

    def __init__(self, content: Content) -> None:
        self.len = content.size or 0
        self._content = content

    def __iter__(self) -> Iterator[bytes | None]:
        left = self._content.size
        for chunk in self._content.chunks:
            if left is not None and chunk is not None:
                left -= len(chunk)
                if left < 0:
                    break
            yield chunk
        if left:
            wrong = f"the body is {'longer' if left < 0 else 'shorter'} than it was when its sending began"
            raise BodyFailed(ArgumentError(wrong, argument="body"))


def _body_of(content: Content | None) -> Any:
    """Return a body for the libraries: None, bytes, or an iterable of bytes."""
    if content is None or content.whole is not None:
        return content and content.whole
    return _Body(content)


async def _awaited(value: Any) -> None:
    if hasattr(value, "__await__"):
        await value


class Urllib3Transport:
    """Sends with your own ``urllib3.PoolManager`` or ``requests.Session``.

    Libraries that patch urllib3 or requests, such as vcrpy and responses, work with it. ``docs/transports.md`` says
    which guarantees of :class:`HTTPTransport` it keeps.
    """

    def __init__(self, pool_manager: Any) -> None:
        """Take the pool manager or the session; ``close`` does not close it."""
        self._pool_manager = pool_manager

    def send(self, send: Send) -> Response:
        """Send the request once, and read the whole response unless it is streamed."""
        response = at_once(_Urllib3Exchange(send, self._pool_manager).response())
        return _streamed(response, BodyStream)

    def close(self) -> None:
        """Do nothing: the caller closes the pool manager."""


class _Urllib3Exchange(ForeignExchange):
    def __init__(self, send: Send, pool_manager: Any) -> None:
        super().__init__(send)
        self._pool_manager = pool_manager
        self._raw: Any = None
        self._redirect: bytes | None = None

    async def begin(self) -> tuple[int, Headers]:
        content = watched(content_of(self._send.request.body), self._send.progress)
        if hasattr(self._pool_manager, "prepare_request"):
            return self._by_session(content)
        import urllib3

        request, waits = self._send.request, self.timeouts()
        self._raw = self._pool_manager.request(
            request.method,
            request.url,
            body=_body_of(content),
            headers=urllib3.HTTPHeaderDict(self._texts(content)),
            redirect=False,
            retries=False,
            timeout=urllib3.Timeout(connect=waits["connect"], read=waits["read"]),
            pool_timeout=waits["pool"],
            preload_content=False,
            decode_content=False,
        )
        return self._raw.status, Headers(list(self._raw.headers.items()))

    def _by_session(self, content: Content | None) -> tuple[int, Headers]:
        """Send by a session of requests."""
        request, waits = self._send.request, self.timeouts()
        answer = self._pool_manager.request(
            request.method,
            request.url,
            data=_body_of(content),
            headers={name: value for name, value in self._texts(content) if name != "Content-Length"},
            stream=True,
            allow_redirects=False,
            timeout=(waits["connect"], waits["read"]),
        )
        self._raw = answer.raw
        fields = Headers(list(self._raw.headers.items()))
        if answer.is_redirect:
            # requests has read and decoded the body of a redirect, though it does not follow it.
            self._redirect = answer.content
            fields = fields.without("content-encoding").without("content-length").without("transfer-encoding")
        return self._raw.status, fields

    def _texts(self, content: Content | None) -> Iterator[tuple[str, str]]:
        """Yield the header fields as strings, one character per byte, as mocks of these libraries expect."""
        return ((name.decode(), value.decode("latin-1")) for name, value in self.fields(content))

    async def receive(self) -> bytes:
        if self._redirect is not None:
            data, self._redirect = self._redirect, b""
            return data
        # Without an argument for decoding, which vcrpy's response does not support.
        return bytes(self._raw.read1(CHUNK))

    def release(self) -> None:
        raw, self._raw = self._raw, None
        if raw is not None:
            # The connection returns to its pool only if the body was read to its end.
            raw.release_conn() if self._ended else raw.close()


class HttpxTransport:
    """Sends with your own ``httpx.Client``, or for an AsyncClient with an ``httpx.AsyncClient``.

    Libraries that patch httpx, such as respx, work with it, and so do HTTP/2 and httpx's proxies and authentication.
    ``docs/transports.md`` says which guarantees of :class:`HTTPTransport` it keeps.
    """

    def __init__(self, client: Any) -> None:
        """Take the client; ``close`` and ``aclose`` do not close it."""
        self._client = client
        self._asynchronous = hasattr(client, "aclose")

    def send(self, send: Send) -> Any:
        """Send the request once, and read the whole response unless it is streamed.

        Returns the Response, or an awaitable of it if the client is asynchronous.
        """
        if self._asynchronous:
            return self._send_async(send)
        return _streamed(at_once(_HttpxExchange(send, self._client).response()), BodyStream)

    async def _send_async(self, send: Send) -> Response:
        return _streamed(await _HttpxExchange(send, self._client).response(), AsyncBodyStream)

    def close(self) -> None:
        """Do nothing: the caller closes the client."""

    async def aclose(self) -> None:
        """Do nothing: the caller closes the client."""


class _HttpxExchange(ForeignExchange):
    def __init__(self, send: Send, client: Any) -> None:
        super().__init__(send)
        self._client = client
        self._asynchronous = hasattr(client, "aclose")
        self._answer: Any = None

    async def begin(self) -> tuple[int, Headers]:
        request, content, body = self._send.request, *self._content()
        more = {"headers": self.fields(content), "extensions": {"timeout": self.timeouts()}}
        made = self._client.build_request(request.method, request.url, content=body, **more)
        self._answer = answer = await self._bounded(self._client.send(made, stream=True, follow_redirects=False))
        self._raw = answer.aiter_raw() if self._asynchronous else answer.iter_raw()
        pairs = [(name.decode("ascii"), value.decode("latin-1")) for name, value in answer.headers.raw]
        return answer.status_code, Headers(pairs)

    def _content(self) -> tuple[Content | None, Any]:
        if not self._asynchronous:
            content = watched(content_of(self._send.request.body), self._send.progress)
            return content, _body_of(content)
        from dynclient.transports.tasks import fetched

        content = watched(fetched(self._send.request.body), self._send.progress)
        body = _body_of(content)
        return content, self._fetched(content, body) if content is not None and isinstance(body, _Body) else body

    async def _fetched(self, content: Content, body: _Body) -> AsyncIterator[bytes]:
        for chunk in body:
            if chunk is not None:
                yield chunk
            elif content.fetch is not None:
                await content.fetch(self._clock)

    async def receive(self) -> bytes:
        return bytes(await self._bounded(anext(self._raw, b"")) if self._asynchronous else next(self._raw, b""))

    async def _bounded(self, value: Any) -> Any:
        """Wait for an awaitable, within the call's deadline."""
        if not self._asynchronous:
            return value
        import anyio

        with anyio.move_on_after(self._clock.remaining):
            return await value
        raise DeadlineExceeded

    def release(self) -> Any:
        answer, self._answer = self._answer, None
        if answer is not None:
            return answer.aclose() if self._asynchronous else answer.close()
        return None


def _streamed(response: Response, body: Callable[[Any], Any]) -> Response:
    """Wrap the body of a streamed response in its reader."""
    return replace(response, body=body(response.body)) if isinstance(response.body, ForeignExchange) else response
