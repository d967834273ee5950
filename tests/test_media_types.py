"""Signature, docstring, stub and page say the type of the value that a call returns, for every media type."""

from __future__ import annotations

import ast
import inspect
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest
from dynclient_tools.docs import docs
from dynclient_tools.stubs import stubs

import dynclient
from dynclient import codecs
from dynclient.media_types import MEDIA_TYPES, essence, find
from dynclient.messages import Headers, Send
from dynclient.testing import MockTransport

# A body for each codec, and the type of its value. Any stands for what has no type of its own.
PARTS = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n'
BODIES: dict[str, tuple[bytes, Any]] = {
    "json": (b'{"a": 1}', Any),
    "xml": (b"<a><b>1</b></a>", Any),
    "yaml": (b"a: 1\nb: [x]\n", Any),
    "form": (b"a=1", dict),
    "multipart": (PARTS, list),
    "json-lines": (b'{"a": 1}\n', list),
    "json-records": (b'\x1e{"a": 1}\n', list),
    "events": (b"data: 1\n\n", list),
    "text": (b"a", str),
    "binary": (b"\x00", bytes),
}
EXAMPLES = {
    "application/*+json": "application/vnd.a+json",
    "*/*+json": "model/gltf+json",
    "*/*+xml": "image/svg+xml",
    "*/*+json-seq": "application/geo+json-seq",
    "*/*+yaml": "application/vnd.oai.openapi+yaml",
    "multipart/*": "multipart/mixed",
    "text/*": "text/csv",
    "audio/*": "audio/mpeg",
    "font/*": "font/otf",
    "image/*": "image/png",
    "video/*": "video/webm",
    "*/*": "application/zip",
}
MORE = [
    "application/problem+json",
    "application/pdf",
    "application/json; charset=utf-8",
    "Application/X-NDJSON",
    "text/html",
    "multipart/related",
]
NAMES = {Any: "Any", dict: "dict[str, Any]", list: "list[Any]", str: "str", bytes: "bytes"}


def named(media_type: str) -> str:
    return f"get_{re.sub('[^a-z0-9]+', '_', media_type.lower())}"


PROBED = sorted({EXAMPLES.get(media_range, media_range) for media_range in MEDIA_TYPES} | set(MORE))


def expected(media_type: str) -> tuple[bytes, Any]:
    kind = find(media_type)
    body, value = BODIES[kind.codec]
    patches = {"application/json-patch+json": (b'[{"op": "remove", "path": "/a"}]', list)}
    if essence(media_type) in patches:
        return patches[essence(media_type)]
    return body, dict if kind.value is dict else value


class Answering(BaseHTTPRequestHandler):
    """Answers ``/{number}`` with a body in the media type of that number."""

    def do_GET(self) -> None:
        media_type = PROBED[int(self.path.rpartition("/")[2])]
        body, _ = expected(media_type)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        boundary = "; boundary=x" if media_type.startswith("multipart/") else ""
        self.send_header("Content-Type", media_type + boundary)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Write no log."""


class Said:
    """A client of all media types, and the stub and the page emitted for it."""

    document: ClassVar[dict[str, Any]]
    client: ClassVar[Any]
    stub: ClassVar[dict[str, str]]
    page: ClassVar[str]


@pytest.fixture(scope="module")
def said() -> Iterator[type[Said]]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    paths = {
        f"/{index}": {
            "get": {
                "operationId": named(media_type),
                "responses": {"200": {"description": "ok", "content": {media_type: {}}}},
            }
        }
        for index, media_type in enumerate(PROBED)
    }
    document = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "servers": [{"url": f"http://127.0.0.1:{server.server_port}"}],
        "paths": paths,
    }
    with dynclient.load(document, cache=False) as client:
        Said.document, Said.client = document, client
        Said.stub = returned(stubs(client, "x.yaml"))
        Said.page = docs(client, "x.yaml")["DefaultApi.md"]
        yield Said
    server.shutdown()
    server.server_close()


def returned(files: dict[str, str]) -> dict[str, str]:
    """The name of each of the client's attributes -> the type in the stub that a call returns."""
    tree = ast.parse(files["_operations_1.pyi"])
    calls = {
        node.name: ast.unparse(part.returns)
        for node in tree.body
        if isinstance(node, ast.ClassDef)
        for part in node.body
        if isinstance(part, ast.FunctionDef) and part.name == "__call__" and part.returns is not None
    }
    (client,) = (
        node
        for node in ast.parse(files["__init__.pyi"]).body
        if isinstance(node, ast.ClassDef) and node.name == "Client"
    )
    return {
        ast.unparse(part.target): calls[ast.unparse(part.annotation)]
        for part in client.body
        if isinstance(part, ast.AnnAssign)
    }


@pytest.mark.parametrize("media_type", PROBED)
def test_every_hint_is_the_type_of_the_value(said, media_type):
    _, value_type = expected(media_type)
    method = getattr(said.client, named(media_type))
    value = method()
    assert value_type is Any or type(value) is value_type
    text = NAMES[value_type]
    assert inspect.formatannotation(inspect.signature(method).return_annotation).replace("typing.", "") == text
    assert f"    {text}: 200, ok" in inspect.getdoc(method)
    assert said.stub[named(media_type)] == text
    assert f"`{named(media_type)}() -> {text}`" in said.page


# media type, body, the annotation where the schema is a string
STRINGS = [
    ("application/json", b'"a"', str),
    ("application/xml", b"<a/>", str),
    ("application/jsonl", b'"a"\n', str),
    ("text/csv", b"a", str),
    ("image/png", b"a", bytes),
    ("application/octet-stream", b"a", bytes),
    ("application/pdf", b"a", str | bytes),
    ("application/pdf", b"\xff", str | bytes),
]


@pytest.mark.parametrize(("media_type", "body", "annotation"), STRINGS)
def test_a_hint_is_true_where_the_schema_is_a_string(media_type, body, annotation):
    content = {media_type: {"schema": {"type": "string"}}}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "servers": [{"url": "http://x.example"}],
        "paths": {"/": {"get": {"operationId": "it", "responses": {"200": {"description": "ok", "content": content}}}}},
    }
    with dynclient.load(document, cache=False, transport=Fixed(media_type, body)) as client:
        assert isinstance(client.it(), annotation)
        assert inspect.signature(client.it).return_annotation == annotation


class Fixed:
    """A transport that always answers the same."""

    def __init__(self, media_type: str, body: bytes) -> None:
        self.headers = Headers({"Content-Type": media_type})
        self.body = body

    def send(self, send: Send) -> dynclient.Response:
        return dynclient.Response(200, self.headers, self.body, send.request)

    def close(self) -> None:
        """Close nothing."""


def test_the_mock_answers_in_every_media_type(said):
    with dynclient.load(said.document, cache=False, transport=MockTransport(said.document)) as mocked:
        for media_type in PROBED:
            value = getattr(mocked, named(media_type))()
            value_type = expected(media_type)[1]
            assert value_type is Any or type(value) is value_type, media_type


@pytest.fixture
def media_types() -> Iterator[None]:
    """Undo a test's registrations."""
    kept = dict(MEDIA_TYPES), dict(codecs.CODECS)
    yield
    for table, rows in zip((MEDIA_TYPES, codecs.CODECS), kept, strict=True):
        table.clear()
        table.update(rows)
    find.cache_clear()


def encode_pairs(value: Any, media_type: Any, content_type: str) -> codecs.Encoded:
    return codecs.Encoded("|".join(f"{name}:{each}" for name, each in value.items()).encode(), content_type)


def decode_pairs(body: bytes, media_type: Any, content_type: str, limits: Any) -> Any:
    return dict(pair.split(":") for pair in body.decode().split("|"))


PAIRS = codecs.Codec("pairs", encode_pairs, decode_pairs)


@pytest.mark.usefixtures("media_types")
def test_a_registered_codec_is_used_and_hinted():
    codecs.register("application/x-pairs", PAIRS, value=dict, structured=True)
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "servers": [{"url": "http://x.example"}],
        "paths": {
            "/": {
                "post": {
                    "operationId": "echo",
                    "requestBody": {"required": True, "content": {"application/x-pairs": {"schema": schema}}},
                    "responses": {"200": {"description": "ok", "content": {"application/x-pairs": {}}}},
                }
            }
        },
    }
    with dynclient.load(document, cache=False, transport=Echo()) as client:
        assert client.echo(a="1") == {"a": "1"}
        assert client.echo.prepare({"a": "1"}).body == b"a:1"
        assert inspect.signature(client.echo).return_annotation == dict[str, Any]


class Echo:
    """A transport that answers with the request's own body."""

    def send(self, send: Send) -> dynclient.Response:
        headers = Headers({"Content-Type": send.request.headers["content-type"]})
        return dynclient.Response(200, headers, send.request.body, send.request)

    def close(self) -> None:
        """Close nothing."""


@pytest.mark.usefixtures("media_types")
def test_a_registered_range_goes_behind_the_exact_type():
    for media_range in ("application/cbor", "application/*+cbor", "model/*"):
        codecs.register(media_range, PAIRS)
    for content_type in ("application/cbor", "application/senml+cbor", "model/gltf-binary"):
        assert codecs.find(content_type) is PAIRS
    assert codecs.find("text/x+cbor").name == "text"


def test_a_malformed_range_is_not_registered():
    with pytest.raises(ValueError, match="malformed media type"):
        codecs.register("cbor", PAIRS)
