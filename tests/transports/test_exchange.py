"""Successful exchanges: the request byte by byte, and the response."""

from __future__ import annotations

import gzip
import io
import json
import sys
import zlib
from typing import Any, NamedTuple

import brotli
import pytest

from dynclient import __version__, exceptions
from dynclient.messages import Headers
from dynclient.transports.body_reader import accepted

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def zipped_raw(data: bytes) -> bytes:
    squeezer = zlib.compressobj(wbits=-15)
    return squeezer.compress(data) + squeezer.flush()


def answer(body: bytes, *fields: bytes) -> bytes:
    return b"\r\n".join([b"HTTP/1.1 200 OK", b"Content-Length: %d" % len(body), *fields, b"", body])


URLS = [
    ("/", "/"),
    ("", "/"),
    ("?a=1", "/?a=1"),
    ("/x#fragment", "/x"),
    ("/a%2fb%2Fc", "/a%2fb%2Fc"),
    ("/a/../b/./c//d", "/a/../b/./c//d"),
    ("/;v=1,2;x", "/;v=1,2;x"),
    ("/x?a[]=1&b[c]=2|3", "/x?a[]=1&b[c]=2|3"),
    ('/x?a={}^`<>"\\', '/x?a={}^`<>"\\'),
    ("/x?q=%zz&r=%", "/x?q=%zz&r=%"),
    ("/x?a=b?c=d//e", "/x?a=b?c=d//e"),
    ("//x", "//x"),
    ("/@evil.test:1/", "/@evil.test:1/"),
]


@pytest.mark.parametrize(("url", "target"), URLS)
def test_url_is_sent_as_it_is(url, target, serve, make, transport):
    server = serve(("ask", OK))
    transport.send(make(server.url + url))
    assert server.requests[0].split(b"\r\n")[0] == f"GET {target} HTTP/1.1".encode()


@pytest.mark.parametrize("method", ["GET", "QUERY", "PATCH", "TRACE", "copy", "M-SEARCH"])
def test_method_is_sent_as_it_is(method, serve, make, transport):
    server = serve(("ask", OK))
    transport.send(make(server.url + "/x", method))
    assert server.requests[0].startswith(f"{method} /x HTTP/1.1\r\n".encode())


def test_headers_of_a_plain_request(serve, make, way, transport):
    server = serve(("ask", OK))
    way(transport, make(server.url + "/x", headers=Headers([("Accept", "a"), ("X-B", "1"), ("x-b", "2")])))
    assert (
        server.requests[0]
        == (
            f"GET /x HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nAccept: a\r\nX-B: 1\r\nx-b: 2\r\n"
            f"Accept-Encoding: {accepted()}\r\nUser-Agent: dynclient/{__version__}\r\n\r\n"
        ).encode()
    )


def test_what_frames_a_message_is_not_for_callers(serve, make, transport):
    server = serve(("ask", OK))
    smuggled = {
        "Content-Length": "0",
        "Transfer-Encoding": "chunked",
        "Host": "evil.test",
        "Connection": "close",
        "Upgrade": "h2c",
        "Proxy-Authorization": "Basic xyz",
        "Accept-Encoding": "identity",
        "User-Agent": "mine",
        "Z": "\xe9\u20ac",
    }
    transport.send(make(server.url + "/x", "POST", b"{}", headers=Headers(smuggled)))
    assert (
        server.requests[0]
        == (
            f"POST /x HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nAccept-Encoding: identity\r\nUser-Agent: mine\r\n"
            "Z: \xe9\u20ac\r\nContent-Length: 2\r\n\r\n{}"
        ).encode()
    )


def pieces(*parts: bytes) -> Any:
    yield from parts


class Pipe(io.RawIOBase):
    """A file that does not know its size."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._data.readinto(buffer)


def half_read(data: bytes, offset: int) -> io.BytesIO:
    file = io.BytesIO(data)
    file.seek(offset)
    return file


LONG = b"x" * 200_000
BODIES = [
    ("nothing", "GET", lambda: None, b"\r\n\r\n"),
    ("nothing where content is usual", "POST", lambda: None, b"Content-Length: 0\r\n\r\n"),
    ("empty", "GET", lambda: b"", b"Content-Length: 0\r\n\r\n"),
    ("bytes", "POST", lambda: b"abc", b"Content-Length: 3\r\n\r\nabc"),
    ("many bytes", "PUT", lambda: LONG, b"Content-Length: 200000\r\n\r\n" + LONG),
    ("iterator", "POST", lambda: pieces(b"ab", b"", b"c"),
     b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"),
    ("file", "POST", lambda: io.BytesIO(b"abc"), b"Content-Length: 3\r\n\r\nabc"),
    ("long file", "POST", lambda: io.BytesIO(LONG), b"Content-Length: 200000\r\n\r\n" + LONG),
    ("file from where it stands", "POST", lambda: half_read(b"abc", 1), b"Content-Length: 2\r\n\r\nbc"),
    ("pipe", "POST", lambda: Pipe(b"abc"), b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"),
]  # fmt: skip  # a body reads best on one line


@pytest.mark.parametrize("row", [pytest.param(row[1:], id=row[0]) for row in BODIES])
def test_body(row, serve, make, way, transport):
    method, body, end = row
    server = serve(("ask", OK, "ask", OK))
    way(transport, make(server.url + "/x", method, body()))
    assert server.requests[0].endswith(end)


def test_asynchronous_body(serve, make, transport, way):
    async def letters() -> Any:
        for letter in (b"a", b"b"):
            yield letter

    server = serve(("ask", OK))
    send = make(server.url + "/x", "POST", letters())
    if way.backend is None:
        with pytest.raises(exceptions.ArgumentError, match="AsyncClient"):
            way(transport, send)
        return
    way(transport, send)
    assert server.requests[0].endswith(b"1\r\na\r\n1\r\nb\r\n0\r\n\r\n")


class Came(NamedTuple):
    name: str
    script: tuple[Any, ...]
    body: bytes = b"ok"
    status: int = 200
    method: str = "GET"
    reused: bool = True
    ends: bool = False


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n"
EARLY = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
CSV = b"a,b\n" * 500
GZIP, DEFLATE = b"Content-Encoding: gzip", b"Content-Encoding: deflate"

RESPONSES = [
    Came("plain", ("ask", OK)),
    Came("byte by byte", ("ask", ("trickle", OK))),
    Came("bare line ends", ("ask", OK.replace(b"\r\n", b"\n"))),
    Came("no reason", ("ask", OK.replace(b" OK", b""))),
    Came("folded header", ("ask", OK.replace(b"\r\n\r\n", b"\r\nX: a\r\n  b\r\n\r\n"))),
    Came("lengths that agree", ("ask", OK.replace(b": 2", b": 2, 2"))),
    Came("chunked", ("ask", CHUNKED + b"1;x=y\r\no\r\n001\r\nk\r\n0\r\nTrailer: x\r\n\r\n")),
    Came("chunked byte by byte", ("ask", ("trickle", CHUNKED + b"1\r\no\r\n1\r\nk\r\n0\r\n\r\n"))),
    Came("until the end", ("ask", b"HTTP/1.1 200 OK\r\n\r\nok"), reused=False, ends=True),
    Came("connection: close", ("ask", OK.replace(b"\r\n\r\n", b"\r\nConnection: Close\r\n\r\n")), reused=False),
    Came("http 1.0", ("ask", OK.replace(b"1.1", b"1.0")), reused=False),
    Came("http 1.0, kept", ("ask", OK.replace(b"1.1 200 OK", b"1.0 200 OK\r\nConnection: keep-alive"))),
    Came("early hints", ("ask", EARLY * 10 + OK)),
    Came("continue", ("ask", b"HTTP/1.1 100 Continue\r\n\r\n" + OK)),
    Came("head", ("ask", answer(b"")[:-2] + b"\r\n"), b"", method="HEAD"),
    Came("head with a body", ("ask", OK), b"", method="HEAD", reused=False),
    Came("204", ("ask", b"HTTP/1.1 204 No Content\r\n\r\n"), b"", 204),
    Came("204 with a body", ("ask", b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok"), b"", 204, reused=False),
    Came("304 with a length", ("ask", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n"), b"", 304),
    Came("a second response", ("ask", OK + OK), reused=False),
    Came("gzip", ("ask", answer(gzip.compress(CSV), GZIP)), CSV),
    Came("gzip byte by byte", ("ask", ("trickle", answer(gzip.compress(CSV), GZIP))), CSV),
    Came("gzip in two members", ("ask", answer(gzip.compress(CSV) + gzip.compress(CSV), GZIP)), CSV * 2),
    Came("x-gzip", ("ask", answer(gzip.compress(CSV), b"Content-Encoding: X-GZIP")), CSV),
    Came("gzip, chunked", ("ask", CHUNKED[:-2] + GZIP + b"\r\n\r\n%x\r\n%b\r\n0\r\n\r\n"
         % (len(gzip.compress(CSV)), gzip.compress(CSV))), CSV),
    Came("gzip of a megabyte", ("ask", answer(gzip.compress(bytes(10**6)), GZIP)), bytes(10**6)),
    Came("deflate", ("ask", answer(zlib.compress(CSV), DEFLATE)), CSV),
    Came("deflate, bare", ("ask", answer(zipped_raw(CSV), DEFLATE)), CSV),
    Came("brotli", ("ask", answer(brotli.compress(CSV), b"Content-Encoding: br")), CSV),
    Came("brotli byte by byte", ("ask", ("trickle", answer(brotli.compress(CSV), b"Content-Encoding: BR"))), CSV),
    Came("brotli of a megabyte", ("ask", answer(brotli.compress(bytes(10**6)), b"Content-Encoding: br")), bytes(10**6)),
    Came("zstd", ("ask", answer(zstd.compress(CSV), b"Content-Encoding: zstd")), CSV),
    Came("zstd byte by byte", ("ask", ("trickle", answer(zstd.compress(CSV), b"Content-Encoding: zstd"))), CSV),
    Came("zstd in two frames", ("ask", answer(zstd.compress(CSV) * 2, b"Content-Encoding: zstd")), CSV * 2),
    Came("zstd of a megabyte", ("ask", answer(zstd.compress(bytes(10**6)), b"Content-Encoding: zstd")), bytes(10**6)),
    Came("two codings", ("ask", answer(gzip.compress(zlib.compress(CSV)), b"Content-Encoding: deflate, gzip")), CSV),
    Came("identity", ("ask", answer(b"ok", b"Content-Encoding: identity"))),
    Came("no_coding", ("ask", answer(b"ok", b"Content-Encoding: UTF-8, aws-chunked"))),
    Came("gzip of nothing", ("ask", answer(b"", GZIP)), b""),
]  # fmt: skip  # a response reads best on one line


@pytest.mark.parametrize("came", [pytest.param(came, id=came.name) for came in RESPONSES])
def test_response(came, serve, make, way, transport):
    server = serve(came.script if came.ends else (*came.script, "ask", OK), ("ask", OK))
    response = way(transport, make(server.url + "/x", came.method))
    assert (response.status, response.body) == (came.status, came.body)
    assert way(transport, make(server.url + "/y")).body == b"ok"
    assert (server.connections == 1) is came.reused


def test_response_headers_keep_their_lines(serve, make, transport):
    server = serve(("ask", answer(b"", b"Set-Cookie: a=1", b"X:  y\t", b"set-cookie: b=2", b"Empty:")))
    headers = transport.send(make(server.url + "/x")).headers
    assert headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert (headers["x"], headers["empty"]) == ("y", "")


REFUSED = [
    ("ftp://h/x", "GET", {}, "absolute http"),
    ("/x", "GET", {}, "absolute http"),
    ("http:///x", "GET", {}, "absolute http"),
    ("http://user:secret@h/x", "GET", {}, "user information"),
    ("http://h/a b", "GET", {}, "percent-encoded"),
    ("http://h/\r\nX: y", "GET", {}, "percent-encoded"),
    ("http://h/\u00e9", "GET", {}, "percent-encoded"),
    ("http://h:99999/", "GET", {}, "port"),
    ("http://h:x/", "GET", {}, "port"),
    ("http://a..\u00e9/", "GET", {}, "host"),
    ("http://h/", "GET /evil HTTP/1.1\r\n", {}, "method"),
    ("http://h/", "", {}, "method"),
    ("http://h/", "G\ud800", {}, "method"),
    ("http://h/", "GET", {"X": "secret\ud800"}, "control character"),
    ("http://h/", "GET", {"X": "secret\x0b"}, "control character"),
    ("http://h/", "GET", {"X\ud800": "secret"}, "name"),
    ("http://h/", "GET", {"X": "a\r\nsecret: b"}, "line break"),
    ("http://h/", "GET", {"X": "secret\0"}, "line break"),
    ("http://h/", "GET", {"X: y\r\nZ": "secret"}, "name"),
    ("http://h/", "GET", {"": "secret"}, "name"),
]


@pytest.mark.parametrize(("url", "method", "headers", "text"), REFUSED)
def test_what_cannot_be_written_is_refused(url, method, headers, text, make, transport):
    with pytest.raises(exceptions.ArgumentError, match=text) as caught:
        transport.send(make(url, method, headers=Headers(headers), operation_id="op"))
    assert caught.value.operation_id == "op"
    assert "secret" not in str(caught.value)


def failing() -> Any:
    yield b"a"
    raise KeyError("mine")


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (failing(), KeyError),
        (pieces("text"), exceptions.ArgumentError),
        (object(), exceptions.ArgumentError),
        ("text", exceptions.ArgumentError),
    ],
)
def test_a_body_that_fails_is_the_callers_fault(body, error, serve, make, transport):
    server = serve(("ask", OK))
    with pytest.raises(error):
        transport.send(make(server.url + "/x", "POST", body))
    assert transport.send(make(server.url + "/y")).body == b"ok"


def test_a_stream_is_read_as_it_comes(serve, make, transport):
    server = serve(("ask", CHUNKED + b"1\r\na\r\n", "wait", b"1\r\nb\r\n0\r\n\r\n", "ask", OK))
    body = transport.send(make(server.url + "/x")._replace(stream=True)).body
    assert next(body) == b"a"
    server.go.set()
    assert list(body) == [b"b"]
    assert transport.send(make(server.url + "/y")).body == b"ok"
    assert server.connections == 1


@pytest.mark.parametrize("read", [0, 1])
def test_a_stream_that_is_closed_lets_go_of_its_connection(read, serve, make, transport):
    server = serve(("ask", CHUNKED + b"1\r\na\r\n", "until_closed"))
    body = transport.send(make(server.url + "/x")._replace(stream=True)).body
    for _ in range(read):
        next(body)
    body.close()
    assert server.ended.acquire(timeout=10)
    assert list(body) == []


def test_over_a_real_server(httpserver, make, way, transport):
    httpserver.expect_request("/things", query_string="a=1", method="POST").respond_with_handler(
        lambda request: json_response(request.get_data())
    )
    response = way(transport, make(httpserver.url_for("/things?a=1"), "POST", b'{"b": 2}'))
    assert (response.status, response.content_type, json.loads(response.body)) == (200, "application/json", {"b": 2})
    assert response.request.url.endswith("/things?a=1")
    assert response.elapsed > 0


def json_response(data: bytes) -> Any:
    from werkzeug import Response

    return Response(data, content_type="application/json")
