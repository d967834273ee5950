"""Bodies that are sent while they are read: files, iterators, and in an AsyncClient asynchronous iterators."""

from __future__ import annotations

import io
import socket
import subprocess
import sys
import threading
from functools import partial

import anyio
import anyio.lowlevel
import pytest
from werkzeug import Response

import dynclient

ITEM = {"type": "object", "properties": {"n": {"type": "integer"}}}
DOCUMENT = {
    "openapi": "3.2.0",
    "info": {"title": "Uploads", "version": "1"},
    "paths": {
        "/raw": {
            "post": {
                "operationId": "raw",
                "requestBody": {"required": True, "content": {"application/octet-stream": {}}},
                "responses": {"204": {"description": "taken"}},
            }
        },
        "/items": {
            "post": {
                "operationId": "items",
                "requestBody": {"required": True, "content": {"application/jsonl": {"itemSchema": ITEM}}},
                "responses": {"204": {"description": "taken"}},
            }
        },
        "/array": {
            "post": {
                "operationId": "array",
                "requestBody": {
                    "required": True,
                    "content": {"application/jsonl": {"schema": {"type": "array", "items": ITEM}}},
                },
                "responses": {"204": {"description": "taken"}},
            }
        },
        "/form": {
            "post": {
                "operationId": "form",
                "requestBody": {"required": True, "content": {"multipart/form-data": {}}},
                "responses": {"204": {"description": "taken"}},
            }
        },
    },
}


@pytest.fixture
def upload(way, httpserver):
    """Send a body, and return its framing and its bytes as they arrived."""
    arrived = []

    def take(request):
        arrived.append((request.headers.get("Content-Length"), request.headers.get("Content-Type"), request.get_data()))
        return Response(status=204)

    def send(name, body):
        httpserver.expect_request(f"/{name}", method="POST").respond_with_handler(take)
        assert way(DOCUMENT, base_url=httpserver.url_for(""))(name, body) is None
        return arrived[-1]

    return send


class Sized:
    """An iterator that knows its length."""

    length = 4

    def __init__(self):
        self._pieces = iter((b"ab", b"cd"))

    def __iter__(self):
        return self

    def __next__(self):
        return next(self._pieces)


async def pieces(*given):
    for piece in given:
        await anyio.lowlevel.checkpoint()
        yield piece


RAW = {
    "a file object": (lambda _: io.BytesIO(b"abcd"), "4"),
    "a path": (lambda path: path, "4"),
    "an iterator": (lambda _: iter((b"ab", b"cd")), None),
    "an iterator with a length": (lambda _: Sized(), "4"),
}


@pytest.mark.parametrize("case", RAW.values(), ids=RAW)
def test_bytes(case, upload, tmp_path):
    make, length = case
    path = tmp_path / "a.bin"
    path.write_bytes(b"abcd")
    assert upload("raw", make(path))[::2] == (length, b"abcd")


AGAIN = {
    "raw": ("raw", lambda path: path, 3),
    "form": ("form", lambda path: {"file": path, "note": "x"}, 3),
    "a file object": ("raw", lambda path: io.BytesIO(path.read_bytes()), 1),
    "a form with a file object": ("form", lambda path: {"a": path, "b": io.BytesIO(b"x")}, 1),
}


@pytest.mark.parametrize("case", AGAIN.values(), ids=AGAIN)
@pytest.mark.parametrize("challenge", [{}, {"WWW-Authenticate": 'Digest realm="r", nonce="n", qop="auth"'}])
def test_a_path_is_read_again(case, challenge, way, httpserver, tmp_path):
    name, make, attempts = case
    path, bodies = tmp_path / "a.bin", []
    path.write_bytes(b"abcd" * 50_000)

    def answer(request):
        bodies.append(request.get_data())
        status = 204 if len(bodies) == 3 else 401 if challenge and len(bodies) == 1 else 503
        return Response(status=status, headers={"Retry-After": "0", **challenge})

    httpserver.expect_request(f"/{name}").respond_with_handler(answer)
    schemes = {"securitySchemes": {"login": {"type": "http", "scheme": "digest"}}}
    document = {**DOCUMENT, "components": schemes, "security": [{"login": []}] if challenge else []}
    auth = {"auth": ("ann", "secret")} if challenge else {}
    call = way(document, base_url=httpserver.url_for(""), retry=dynclient.Retry(idempotent=True), **auth)
    if attempts > 1:
        assert call(name, make(path)) is None
    else:
        with pytest.raises(dynclient.ApiError):
            call(name, make(path))
    assert len(bodies) == attempts
    assert len(set(map(len, bodies))) == 1
    assert path.read_bytes() in bodies[-1]


def watched(way, progress):
    """A way to call with an upload's progress."""

    class Watched(way):
        @staticmethod
        def method(client, name):
            return getattr(client, name).with_options(upload_progress=progress)

    return Watched


SENT = {
    "bytes": (b"x" * 150_000, [(65_536, 150_000), (131_072, 150_000), (150_000, 150_000)]),
    "few bytes": (b"abcd", [(4, 4)]),
    "a file": (io.BytesIO(b"x" * 70_000), [(65_536, 70_000), (70_000, 70_000)]),
    "an iterator": ([b"ab", b"cd"], [(2, None), (4, None)]),
}


@pytest.mark.parametrize("case", SENT.values(), ids=SENT)
def test_the_progress_of_an_upload(case, way, httpserver):
    body, expected = case
    if isinstance(body, io.BytesIO):
        body.seek(0)
    httpserver.expect_request("/raw").respond_with_data(status=204)
    seen = []
    call = watched(way, lambda *numbers: seen.append(numbers))(DOCUMENT, base_url=httpserver.url_for(""))
    assert call("raw", iter(body) if isinstance(body, list) else body) is None
    assert seen == expected


def test_what_the_progress_raises_ends_the_call(way, httpserver):
    def progress(*_):
        raise ZeroDivisionError

    httpserver.expect_request("/raw").respond_with_data(status=204)
    with pytest.raises(ZeroDivisionError):
        watched(way, progress)(DOCUMENT, base_url=httpserver.url_for(""))("raw", b"abcd")
    with pytest.raises(dynclient.exceptions.ArgumentError, match="upload_progress"):
        dynclient.load(DOCUMENT).with_options(upload_progress=True)


def test_items_of_an_iterator(upload):
    for operation in ("items", "array"):
        assert upload(operation, ({"n": n} for n in range(2)))[::2] == (None, b'{"n":0}\n{"n":1}\n')


def test_a_form_with_files_has_a_length(upload, tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(b"abcd")
    length, content_type, body = upload("form", {"file": path, "note": "x"})
    assert int(length) == len(body)
    assert content_type.startswith("multipart/form-data")
    assert b"abcd" in body


def test_a_named_file_of_a_form_may_be_an_iterator(upload):
    length, _, body = upload("form", {"file": ("a.wav", (piece for piece in (b"ab", b"cd")), "audio/wav")})
    assert length is None
    assert b'name="file"; filename="a.wav"\r\nContent-Type: audio/wav\r\n\r\nabcd\r\n' in body


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [("raw", (b"ab", b"cd"), b"abcd"), ("items", ({"n": 1}, {"n": 2}), b'{"n":1}\n{"n":2}\n')],
)
def test_asynchronous_iterators(backend, name, given, expected, httpserver):
    arrived = []

    def take(request):
        arrived.append(request.get_data())
        return Response(status=204)

    httpserver.expect_request(f"/{name}").respond_with_handler(take)

    async def main():
        async with dynclient.AsyncClient.load(DOCUMENT, base_url=httpserver.url_for("")) as client:
            body = pieces(*given)
            await getattr(client, name)(body)

    anyio.run(main, backend=backend)
    assert arrived == [expected]


def test_an_asynchronous_iterator_needs_an_asynchronous_client(httpserver):
    with (
        dynclient.load(DOCUMENT, base_url=httpserver.url_for("")) as client,
        pytest.raises(dynclient.exceptions.ArgumentError, match="AsyncClient"),
    ):
        client.raw(pieces(b"ab"))


CHILD = """
import json, resource, sys
import anyio, dynclient
document, url, path, kind, name = json.loads(sys.argv[1]), *sys.argv[2:]
body = {"file": open(path, "rb"), "note": "x"} if name == "form" else open(path, "rb")
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
async def main():
    async with dynclient.AsyncClient.load(document, base_url=url) as client:
        await client.raw(b"")
        before = peak()
        await getattr(client, name)(body)
        return peak() - before
if kind == "sync":
    with dynclient.load(document, base_url=url) as client:
        client.raw(b"")
        before = peak()
        getattr(client, name)(body)
        print(peak() - before)
else:
    print(anyio.run(main))
"""


def _swallow(server, done):
    """Take two connections' requests, count their bytes, keep none, and answer 204 to each."""
    server.settimeout(30)
    sock, _ = server.accept()
    sock.settimeout(30)
    with sock:
        for _ in range(2):
            data = b""
            while b"\r\n\r\n" not in data:
                piece = sock.recv(65_536)
                if not piece:
                    return
                data += piece
            head, _, rest = data.partition(b"\r\n\r\n")
            left = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]) - len(rest)
            while left > 0 and (piece := sock.recv(1_048_576)):
                left -= len(piece)
            sock.sendall(b"HTTP/1.1 204 No\r\n\r\n")
    done.append(True)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no resource module")
@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("name", ["raw", "form"])
def test_a_large_file_is_never_in_memory(kind, name, tmp_path):
    import json

    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(200 * 1024 * 1024)
    done = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=partial(_swallow, server, done))
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        arguments = [sys.executable, "-c", CHILD, json.dumps(DOCUMENT), url, str(path), kind, name]
        child = subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=60)
        thread.join(40)
    assert child.stderr == ""
    assert done == [True]
    assert int(child.stdout) < 20
