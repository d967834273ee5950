"""What a call costs, beside its limit: one process, one server beside it, calls interleaved, medians.

``python benchmarks/calls.py [--rounds N] [--profile get|post]``. The limit is ``urllib3.PoolManager.request`` with
``orjson.loads`` (and ``orjson.dumps`` for a body) on the same bytes; it validates nothing and has no deadline. What is
counted is the client's own CPU time; the server is another process, which parses nothing and answers by heart.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import pstats
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import orjson
import urllib3

import dynclient

_CALLS = 50
_WARM = 200
_ANSWERS = ("item", "made")


def _record(index: int) -> dict[str, Any]:
    return {
        "id": f"CA{index:032x}",
        "to": "+15550100",
        "from": "+15550199",
        "direction": "outbound",
        "price": 0.0125 * index,
        "duration": 60 + index,
        "started": "2026-11-20T10:00:00Z",
        "tags": ["billing", "eu", "night"],
        "answered": True,
        "note": "as agreed with the customer on the phone",
    }


_GIVEN = {"account": "AC1", "label": "a batch", "items": [_record(index) for index in range(4)]}
_BODIES = {
    "item": orjson.dumps({"page": 3, "total": 812, "items": [_record(index) for index in range(8)]}),
    "made": orjson.dumps({"id": "B1", "state": "queued", "count": 4}),
}


def _document(url: str) -> dict[str, Any]:
    record = {
        "type": "object",
        "required": ["id", "to", "from", "direction"],
        "properties": {
            "id": {"type": "string", "pattern": "^CA[0-9a-f]{32}$"},
            "to": {"type": "string", "maxLength": 20},
            "from": {"type": "string", "maxLength": 20},
            "direction": {"enum": ["inbound", "outbound"]},
            "price": {"type": "number", "minimum": 0},
            "duration": {"type": "integer", "minimum": 0},
            "started": {"type": "string", "format": "date-time"},
            "tags": {"type": "array", "items": {"type": "string"}},
            "answered": {"type": "boolean"},
            "note": {"type": "string"},
        },
    }
    items = {"type": "array", "items": {"$ref": "#/components/schemas/Record"}}
    page = {
        "type": "object",
        "required": ["page", "items"],
        "properties": {"page": {"type": "integer"}, "total": {"type": "integer"}, "items": items},
    }
    batch = {
        "type": "object",
        "required": ["account", "items"],
        "properties": {"account": {"type": "string"}, "label": {"type": "string"}, "items": items},
    }
    made = {
        "type": "object",
        "required": ["id"],
        "properties": {"id": {"type": "string"}, "count": {"type": "integer"}},
    }
    text = {"type": "string"}
    parameters = [
        {"name": "account", "in": "path", "required": True, "schema": text},
        {"name": "state", "in": "query", "schema": text},
        {"name": "page", "in": "query", "schema": {"type": "integer", "minimum": 0}},
    ]
    return {
        "openapi": "3.1.0",
        "info": {"title": "Calls", "version": "1"},
        "servers": [{"url": url}],
        "paths": {
            "/accounts/{account}/records": {
                "get": {"operationId": "listRecords", "parameters": parameters, "responses": _answer("200", page)}
            },
            "/batches": {
                "post": {
                    "operationId": "createBatch",
                    "requestBody": {"required": True, "content": {"application/json": {"schema": batch}}},
                    "responses": _answer("201", made),
                }
            },
        },
        "components": {"schemas": {"Record": record}},
    }


def _answer(status: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {status: {"description": "Done", "content": {"application/json": {"schema": schema}}}}


class _Server(asyncio.Protocol):
    """Finds the end of a request, and answers what was prepared for its method."""

    def __init__(self) -> None:
        self._held = b""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._held += data
        while (end := self._held.find(b"\r\n\r\n")) >= 0:
            head = self._held[:end].lower()
            _, found, length = head.partition(b"content-length:")
            size = end + 4 + (int(length.split(b"\r\n", 1)[0]) if found else 0)
            if len(self._held) < size:
                return
            self._held = self._held[size:]
            self._transport.write(_POSTED if head.startswith(b"post") else _GOT)


def _prepared(status: bytes, body: bytes) -> bytes:
    head = b"HTTP/1.1 %b\r\nServer: bench\r\nDate: Fri, 20 Nov 2026 10:00:00 GMT\r\nContent-Type: application/json\r\n"
    return (head + b"Content-Length: %d\r\n\r\n%b") % (status, len(body), body)


_GOT = _prepared(b"200 OK", _BODIES["item"])
_POSTED = _prepared(b"201 Created", _BODIES["made"])


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(_Server, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


class Work(NamedTuple):
    """One row: the same call by dynclient and at the limit."""

    name: str
    own: Callable[[], object]
    limit: Callable[[], object]


def work(url: str, engine: str) -> Iterator[Work]:
    """The rows for one engine of validation."""
    client = dynclient.load(_document(url))
    pool = urllib3.PoolManager(maxsize=32, block=True)
    headers = {"Accept": "application/json", "Content-Type": "application/json"}

    def get() -> object:
        response = pool.request(
            "GET", f"{url}/accounts/AC1/records", fields={"state": "done", "page": "3"}, headers=headers
        )
        return orjson.loads(response.data)

    def post() -> object:
        return orjson.loads(pool.request("POST", f"{url}/batches", body=orjson.dumps(_GIVEN), headers=headers).data)

    yield Work(f"GET, {engine}", lambda: client.list_records("AC1", state="done", page=3), get)
    yield Work(f"POST, {engine}", lambda: client.create_batch(_GIVEN), post)


def cost(call: Callable[[], object], times: int = _CALLS) -> float:
    """Microseconds of this process's CPU for one call."""
    before = time.process_time()
    for _ in range(times):
        call()
    return (time.process_time() - before) / times * 1e6


def throughput(call: Callable[[], object], threads: int = 32, each: int = 60) -> float:
    """Calls a second, by so many threads at once."""
    workers = [threading.Thread(target=lambda: [call() for _ in range(each)]) for _ in range(threads)]
    before = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return threads * each / (time.perf_counter() - before)


def compare(row: Work, rounds: int, measure: Callable[[Callable[[], object]], float]) -> tuple[float, float, float]:
    """Medians of dynclient and the limit, and the median of their ratios, taken in turns."""
    for _ in range(_WARM):
        row.own()
        row.limit()
    pairs = [(measure(row.own), measure(row.limit)) for _ in range(rounds)]
    own, limit = (statistics.median(one) for one in zip(*pairs, strict=True))
    return own, limit, statistics.median(a / b for a, b in pairs)


def profile(row: Work, calls: int = 3000) -> None:
    """Print where the time of a call goes."""
    for _ in range(_WARM):
        row.own()
    profiler = cProfile.Profile()
    profiler.enable()
    for _ in range(calls):
        row.own()
    profiler.disable()
    pstats.Stats(profiler).sort_stats("tottime").print_stats(45)


def _child(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, __file__, *arguments], stdout=subprocess.PIPE, text=True)


def main() -> None:
    """Print the table; each engine in a process of its own, since an engine is chosen once."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--profile", choices=("get", "post"))
    parser.add_argument("--url")
    parser.add_argument("--serve", action="store_true")
    parser.add_argument("--without-rust", action="store_true")
    options = parser.parse_args()
    if options.serve:
        asyncio.run(_serve())
    elif options.url:
        measure_engine(options)
    else:
        supervise(sys.argv[1:], both=options.profile is None)


def supervise(arguments: list[str], *, both: bool) -> None:
    """Start the server, and measure by a process for each engine."""
    server = _child("--serve")
    try:
        assert server.stdout is not None
        url = f"http://127.0.0.1:{server.stdout.readline().strip()}"
        print(f"{'what':34}{'own':>10}{'limit':>10}{'ratio':>8}  goal", flush=True)
        for extra in ([], ["--without-rust"]) if both else ([],):
            subprocess.run([sys.executable, __file__, "--url", url, *arguments, *extra], check=True)
    finally:
        server.terminate()
        server.wait()


def measure_engine(options: argparse.Namespace) -> None:
    """Measure with one engine."""
    engine, goal = "jsonschema-rs", "<= 1.15"
    if options.without_rust:
        sys.modules["jsonschema_rs"] = None  # type: ignore[assignment]  # Python's way to say: not installed
        engine, goal = "jsonschema", "<= 2.6"
    rows = list(work(options.url, engine))
    if options.profile:
        profile(rows[options.profile == "post"])
        return
    for row in rows:
        own, limit, ratio = compare(row, options.rounds, cost)
        print(f"{row.name + ', us of CPU':34}{own:10.1f}{limit:10.1f}{ratio:8.2f}  {goal}", flush=True)
    if not options.without_rust:
        own, limit, ratio = compare(rows[0], max(3, options.rounds // 3), throughput)
        print(f"{'GET, 32 threads, calls a second':34}{own:10.0f}{limit:10.0f}{ratio:8.2f}  >= 0.9", flush=True)


if __name__ == "__main__":
    main()
