"""A server that counts how often each row reaches it, and a document of its API."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

import dynclient

ORDER = {
    "type": "object",
    "required": ["sku", "amount"],
    "properties": {
        "sku": {"type": "string"},
        "amount": {"type": "integer", "minimum": 1},
        "note": {"type": "string"},
        "rush": {"type": "boolean"},
    },
}
ANSWER = {"type": "object", "required": ["sku"], "properties": {"sku": {"type": "string"}}}


def content(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def operation(name: str, *parameters: dict[str, Any], body: bool = True, **more: Any) -> dict[str, Any]:
    responses = {"201": {"description": "made", "content": content(ANSWER)}, "422": {"description": "refused"}}
    given = {"requestBody": {"required": True, "content": content(ORDER)}} if body else {}
    return {"operationId": name, "parameters": list(parameters), "responses": responses, **given, **more}


KEY = {"name": "Idempotency-Key", "in": "header", "schema": {"type": "string", "format": "uuid"}}
SKU = {"name": "sku", "in": "query", "required": True, "schema": {"type": "string"}}
DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Orders", "version": "1"},
    "paths": {
        "/orders": {"post": operation("createOrder"), "put": operation("putOrder")},
        "/keyed": {"post": operation("createKeyedOrder", KEY)},
        "/found": {
            "get": {
                "operationId": "findOrder",
                "parameters": [SKU],
                "responses": {
                    "200": {"description": "found", "content": content({"type": "array", "items": ANSWER})},
                    "404": {"description": "none"},
                },
            }
        },
        "/file": {
            "put": {
                "operationId": "putFile",
                "requestBody": {"content": {"application/octet-stream": {}}},
                "responses": {"204": {"description": "kept"}},
            },
            "get": {
                "operationId": "getFile",
                "responses": {"200": {"description": "a file", "content": {"application/octet-stream": {}}}},
            },
        },
        "/secret": {"post": operation("createSecretOrder", security=[{"token": []}])},
    },
    "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
}


class CountingServer:
    """``counts`` has how often each sku arrived; ``answer`` gives the status of one, or None to break off."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.times: list[float] = []
        self.keys: dict[str, set[str]] = {}
        self.answer: Callable[[str], int | None] = lambda sku: 201
        self.lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = -1

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                sku = json.loads(body)["sku"] if body else self.path.partition("sku=")[2]
                with outer.lock:
                    outer.times.append(time.monotonic())
                    found = outer.counts[sku]
                    outer.counts[sku] += self.command != "GET"
                    if self.headers.get("Idempotency-Key"):
                        outer.keys.setdefault(sku, set()).add(self.headers["Idempotency-Key"])
                status = outer.answer(sku)
                if status is None:
                    self.close_connection = True
                    return
                answer: Any = {"sku": sku, "authorization": self.headers.get("Authorization", "")}
                if self.command == "GET":
                    answer, status = [answer] * found, 200
                text = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)
                self.wfile.flush()

            do_PUT = do_GET = do_POST  # noqa: N815  # as http.server calls them

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *_: object) -> None:
                """A client that was killed is expected."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def server() -> Iterator[CountingServer]:
    made = CountingServer()
    yield made
    made.close()


@pytest.fixture
def document(tmp_path, server) -> str:
    path = tmp_path / "orders.json"
    path.write_text(json.dumps({**DOCUMENT, "servers": [{"url": server.url}]}))
    return str(path)


@pytest.fixture
def client(document) -> Iterator[Any]:
    with dynclient.load(document) as made:
        yield made


def _write_table(path: Any, count: int, first: int = 0) -> str:
    lines = ["id,sku,amount,note,rush", *(f"o-{n},sku-{n},{n + 1},,true" for n in range(first, first + count))]
    path.write_text("\n".join(lines) + "\n")
    return str(path)


@pytest.fixture
def write_table() -> Callable[..., str]:
    """Write a table of so many orders, numbered from 0 or from another number."""
    return _write_table


@pytest.fixture
def table(tmp_path) -> str:
    return _write_table(tmp_path / "orders.csv", 50)
