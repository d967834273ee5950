"""Transports that send with another library's client: the same bytes arrive as from HTTPTransport."""

from __future__ import annotations

import gzip
import io
import socket
import ssl
import traceback
import zlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import anyio
import httpx
import pytest
import requests
import responses
import respx
import trustme
import urllib3
import vcr

import dynclient
from dynclient import exceptions
from dynclient.messages import Headers, Response, Send
from dynclient.options import Limits, Timeout
from dynclient.transports import HTTPTransport, HttpxTransport, ThreadedTransport, Urllib3Transport
from dynclient.transports.body_reader import accepted

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
QUICK = Timeout(connect=2, read=2, write=2, total=10, pool=2)
SHORT = Timeout(connect=2, read=0.2, write=0.2, total=10, pool=2)
LATE = Timeout(connect=2, read=2, write=2, total=0.3, pool=2)


def answer(body: bytes, *fields: bytes, length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    return b"\r\n".join([b"HTTP/1.1 200 OK", b"Content-Length: %d" % size, *fields, b"", body])


class Adapter(NamedTuple):
    """A client of another library: how it is made, and on which event loop it sends, if any."""

    name: str
    make: Callable[..., Any]
    wrap: Callable[[Any], Any]
    backend: str | None = None

    def send(self, send: Send, **options: Any) -> Response:
        """Send, and read the whole response, streamed or not."""
        if self.backend is not None:
            return anyio.run(self._send, send, options, backend=self.backend)
        with self.make(**options) as client:
            response = self.wrap(client).send(send)
            if send.stream:
                response = response_of(response, list(response.body))
        return response

    async def _send(self, send: Send, options: dict[str, Any]) -> Response:
        async with self.make(**options) as client:
            response = await self.wrap(client).send(send)
            if send.stream:
                response = response_of(response, [chunk async for chunk in response.body])
        return response


def response_of(response: Response, body: list[bytes]) -> Response:
    return Response(response.status, response.headers, b"".join(body), response.request)


def client(**options: Any) -> httpx.Client:
    return httpx.Client(trust_env=False, **options)


def async_client(**options: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(trust_env=False, **options)


ADAPTERS = [
    Adapter("urllib3", urllib3.PoolManager, Urllib3Transport),
    Adapter("requests", requests.Session, Urllib3Transport),
    Adapter("httpx", client, HttpxTransport),
    Adapter("httpx-asyncio", async_client, HttpxTransport, "asyncio"),
    Adapter("httpx-trio", async_client, HttpxTransport, "trio"),
]
adapters = pytest.mark.parametrize("adapter", [pytest.param(one, id=one.name) for one in ADAPTERS])

CSV = b"a,b\n" * 500
RESPONSES = {
    "plain": (OK, "GET"),
    "byte by byte": (("trickle", OK), "GET"),
    "chunked": (CHUNKED + b"1;x=y\r\no\r\n001\r\nk\r\n0\r\nTrailer: x\r\n\r\n", "GET"),
    "until the end": (b"HTTP/1.1 200 OK\r\n\r\nok", "GET"),
    "http 1.0": (OK.replace(b"1.1", b"1.0"), "GET"),
    "continue": (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, "GET"),
    "head": (answer(b"", length=99), "HEAD"),
    "204": (b"HTTP/1.1 204 No Content\r\n\r\n", "DELETE"),
    "304 with a length": (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n", "GET"),
    "404": (OK.replace(b"200 OK", b"404 No"), "GET"),
    "a redirect": (OK.replace(b"200 OK", b"302 Found\r\nLocation: /elsewhere"), "GET"),
    "503": (OK.replace(b"200 OK", b"503 No\r\nRetry-After: 0"), "GET"),
    "lines of a field": (answer(b"", b"Set-Cookie: a=1", b"X: \xe9", b"set-cookie: b=2", b"Empty:"), "GET"),
    "gzip": (answer(gzip.compress(CSV), b"Content-Encoding: gzip"), "GET"),
    "gzip in two members": (answer(gzip.compress(CSV) * 2, b"Content-Encoding: gzip"), "GET"),
    "deflate": (answer(zlib.compress(CSV), b"Content-Encoding: deflate"), "GET"),
    "two codings": (answer(gzip.compress(zlib.compress(CSV)), b"Content-Encoding: deflate, gzip"), "GET"),
    "a megabyte": (answer(bytes(10**6)), "GET"),
}


FRAMING = {"content-length", "transfer-encoding"}


def shown(response: Response) -> tuple[Any, ...]:
    pairs = [(name.lower(), value) for name, value in response.headers.pairs()]
    # What frames a message is the library's business, and lines of one name may come together.
    return response.status, response.body, sorted(pair for pair in pairs if pair[0] not in FRAMING)


@adapters
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("came", RESPONSES.values(), ids=RESPONSES)
def test_response_is_that_of_the_default_transport(came, stream, adapter, serve, make):
    server = serve(("ask", came[0]))
    send = make(server.url + "/x?a=1", came[1])._replace(stream=stream)
    oracle = HTTPTransport()
    expected = shown(oracle.send(send._replace(stream=False)))
    oracle.close()
    assert shown(adapter.send(send)) == expected
    assert len(server.requests) == 2, "each has sent one request"


class Sized:
    """An iterator with a length."""

    def __init__(self, pieces: list[bytes], length: int) -> None:
        self._pieces = iter(pieces)
        self.length = length

    def __iter__(self) -> Sized:
        return self

    def __next__(self) -> bytes:
        return next(self._pieces)


BODIES = {
    "none": (lambda: None, b"content-length: 0", b""),
    "bytes": (lambda: b"abc", b"content-length: 3", b"abc"),
    "file": (lambda: io.BytesIO(b"abc"), b"content-length: 3", b"abc"),
    "iterator": (lambda: iter([b"ab", b"c"]), b"transfer-encoding: chunked", b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"),
    "iterator with a length": (lambda: Sized([b"ab", b"c"], 3), b"content-length: 3", b"abc"),
}


@adapters
@pytest.mark.parametrize("case", BODIES.values(), ids=BODIES)
def test_request_body(case, adapter, serve, make):
    body, framing, sent = case
    server = serve(("ask", OK))
    headers = Headers([("X-Key", "\xe9"), ("Content-Length", "98765"), ("Connection", "close")])
    assert adapter.send(make(server.url + "/x", "POST", body(), headers)).body == b"ok"
    head, _, rest = server.requests[0].partition(b"\r\n\r\n")
    assert framing in head.lower()
    assert b"98765" not in head
    assert b"x-key: \xe9" in head.lower()
    assert f"accept-encoding: {accepted()}\r\n".encode() in head.lower() + b"\r\n"
    assert rest == sent


@adapters
@pytest.mark.parametrize(("pieces", "what"), [([b"abcde"], "longer"), ([b"abc"], "shorter")])
def test_a_wrong_length_is_an_argument_error(pieces, what, adapter, serve, make):
    server = serve(("ask_head", "until_closed"))
    with pytest.raises(exceptions.ArgumentError, match=what):
        adapter.send(make(server.url + "/x", "POST", Sized(pieces, 4)))


@adapters
def test_a_body_that_fails_raises_its_own_error(adapter, serve, make):
    def failing() -> Iterator[bytes]:
        yield b"a"
        raise KeyError("mine")

    server = serve(("ask_head", "until_closed"))
    with pytest.raises(KeyError, match="mine"):
        adapter.send(make(server.url + "/x", "POST", failing()))


@adapters
@pytest.mark.parametrize(
    ("url", "method", "headers"),
    [
        ("/x", "GET", {}),
        ("http://u:secret@h/x", "GET", {}),
        ("http://h/", "G T", {}),
        ("http://h/", "GET", {"X": "a\nsecret"}),
    ],
)
def test_what_cannot_be_written_is_refused(url, method, headers, adapter, make):
    with pytest.raises(exceptions.ArgumentError) as caught:
        adapter.send(make(url, method, headers=Headers(headers)))
    assert "secret" not in str(caught.value)


LOST, BROKEN, LATE_ERROR = exceptions.ConnectionLost, exceptions.ProtocolError, exceptions.TimeoutError
TOO_LARGE, UNDECODABLE = exceptions.ResponseTooLarge, exceptions.DecodeError
SMALL = Limits(response_bytes=100_000, encoded_response_bytes=50_000)
GZIP = b"Content-Encoding: gzip"
FAULTS = {
    "reset": (("ask", "reset"), (LOST,), QUICK),
    "close": (("ask",), (LOST,), QUICK),
    "cut": (("ask", answer(b"abc", length=10)), (LOST,), QUICK),
    "cut in a chunk": (("ask", CHUNKED + b"5\r\nok"), (LOST,), QUICK),
    "garbage": (("ask", b"\x00\xff" * 40 + b"\r\n\r\n"), (BROKEN,), QUICK),
    "length and chunks": (
        ("ask", CHUNKED[:-2] + b"Content-Length: 2\r\n\r\n2\r\nok\r\n0\r\n\r\n"), (BROKEN,), QUICK,
    ),
    "two lengths": (("ask", answer(b"ok", b"Content-Length: 3")), (BROKEN,), QUICK),
    "many headers": (("ask", answer(b"", *[b"x: y"] * 200)), (BROKEN,), QUICK),
    "silence": (("ask", "hang"), (LATE_ERROR,), SHORT),
    "silence in the body": (("ask", answer(b"abc", length=10), "hang"), (LATE_ERROR,), SHORT),
    "a body that drips": (("ask", answer(b"", length=10_000), ("drip", b"x")), (LATE_ERROR,), LATE),
    "a gzip bomb": (("ask", answer(gzip.compress(bytes(10**7)), GZIP)), (TOO_LARGE,), QUICK),
    "a truncated gzip": (("ask", answer(gzip.compress(CSV)[:-20], GZIP)), (UNDECODABLE,), QUICK),
    "an unknown coding": (("ask", answer(b"abc", b"Content-Encoding: br")), (UNDECODABLE,), QUICK),
    "a huge length": (("ask", answer(b"", length=10**12), "hang"), (TOO_LARGE,), QUICK),
    "an endless body": (("ask", b"HTTP/1.1 200 OK\r\n\r\n", ("repeat", b"x" * 1000)), (TOO_LARGE,), QUICK),
}  # fmt: skip


@adapters
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_fault(fault, adapter, serve, make):
    script, kinds, timeout = fault
    server = serve(script)
    secret = Headers({"Authorization": "Bearer canary"})
    with pytest.raises(kinds) as caught:
        adapter.send(make(server.url + "/x", "POST", b"{}", secret, timeout=timeout, limits=SMALL))
    error = caught.value
    if isinstance(error, exceptions.TransportError):
        assert error.outcome_unknown
    assert getattr(error, "phase", "read") == "read"
    assert "canary" not in everything(error)
    assert len(server.requests) == 1, "nothing is sent again"


def everything(error: BaseException) -> str:
    """What is shown of an error, and the local variables of our own frames."""
    frames = traceback.StackSummary.extract(traceback.walk_tb(error.__traceback__), capture_locals=True)
    ours = [frame.locals for frame in frames if "/dynclient/" in frame.filename]
    return "".join(traceback.format_exception(error)) + repr(error) + str(vars(error)) + str(ours)


@pytest.mark.parametrize("adapter", [pytest.param(one, id=one.name) for one in ADAPTERS if one.backend])
def test_a_head_that_drips_ends_by_the_deadline_of_tasks(adapter, serve, make):
    server = serve(("ask", b"HTTP/1.1 200 OK\r\n", ("drip", b"x: y\r\n")))
    with pytest.raises(exceptions.TimeoutError):
        adapter.send(make(server.url + "/x", timeout=LATE))


@adapters
def test_no_connection(adapter, make):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    for url in (f"http://127.0.0.1:{port}/x", "http://nowhere.invalid/x"):
        with pytest.raises(exceptions.ConnectError) as caught:
            adapter.send(make(url, "POST", b"{}"))
        assert not caught.value.outcome_unknown


@adapters
def test_a_certificate_that_is_not_trusted(adapter, serve, make):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    server = serve((("secure", context), "ask", OK))
    with pytest.raises(exceptions.TLSError) as caught:
        adapter.send(make(f"https://127.0.0.1:{server.port}/x", "POST", b"{}"))
    assert not caught.value.outcome_unknown


def test_a_stream_comes_as_it_is_sent_and_can_be_closed(serve, make):
    for adapter in ADAPTERS[:3]:
        server = serve(("ask", CHUNKED + b"1\r\na\r\n", "wait", b"1\r\nb\r\n", "until_closed"))
        with adapter.make() as foreign:
            body = adapter.wrap(foreign).send(make(server.url + "/x")._replace(stream=True)).body
            assert next(body) == b"a"
            server.go.set()
            assert next(body) == b"b"
            body.close()
            assert server.ended.acquire(timeout=10)
            assert list(body) == []


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_cancelling_closes_the_connection(backend, serve, make):
    server = serve(("ask", "until_closed"))

    async def main() -> None:
        async with async_client() as foreign:
            with anyio.move_on_after(0.1) as scope:
                await HttpxTransport(foreign).send(make(server.url + "/x"))
            assert scope.cancelled_caught
            with anyio.fail_after(5):
                await anyio.to_thread.run_sync(server.ended.acquire)

    anyio.run(main, backend=backend)


def test_a_task_may_send_by_them_in_worker_threads(serve, make):
    server = serve(("ask", OK))
    with urllib3.PoolManager() as manager:
        threaded = ThreadedTransport(Urllib3Transport(manager))
        assert anyio.run(threaded.send, make(server.url + "/x")).body == b"ok"


GOOD = {"200": {"description": "", "content": {"application/json": {"schema": {"type": "object"}}}}}
DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "Things", "version": "1"},
    "servers": [{"url": "http://api.test"}],
    "paths": {"/thing": {"get": {"operationId": "getThing", "responses": GOOD}}},
}


def test_vcrpy_records_and_replays(serve, tmp_path):
    server = serve(("ask", answer(b'{"id": 1}', b"Content-Type: application/json")))
    cassette = vcr.VCR().use_cassette
    for _ in range(2):
        with cassette(str(tmp_path / "tape.yaml")) as tape, urllib3.PoolManager() as manager:
            api = dynclient.load(DOCUMENT, base_url=server.url, transport=Urllib3Transport(manager))
            assert api.get_thing() == {"id": 1}
    assert (len(server.requests), tape.play_count) == (1, 1)


def test_responses_answers_a_session():
    with responses.RequestsMock() as mock, requests.Session() as session:
        mock.get("http://api.test/thing", json={"id": 1})
        api = dynclient.load(DOCUMENT, transport=Urllib3Transport(session))
        assert api.get_thing() == {"id": 1}


def test_respx_answers_both_clients():
    with respx.mock as mock:
        mock.get("http://api.test/thing").respond(json={"id": 1})
        with client() as foreign:
            assert dynclient.load(DOCUMENT, transport=HttpxTransport(foreign)).get_thing() == {"id": 1}

        async def main() -> Any:
            async with async_client() as foreign:
                api = dynclient.AsyncClient.load(DOCUMENT, transport=HttpxTransport(foreign))
                return await api.get_thing()

        assert anyio.run(main) == {"id": 1}


def test_an_error_of_a_mock_is_raised_as_it_is():
    with respx.mock, client() as foreign, pytest.raises(respx.models.AllMockedAssertionError):
        dynclient.load(DOCUMENT, transport=HttpxTransport(foreign), retry=1).get_thing()


def test_the_client_stays_the_callers(serve, make):
    server = serve(("ask", OK, "ask", OK))
    with client() as foreign:
        transport = HttpxTransport(foreign)
        for _ in range(2):
            assert transport.send(make(server.url + "/x")).body == b"ok"
            transport.close()
    assert server.connections == 1, "and its connections are used again"
