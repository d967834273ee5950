"""The cost of iterating over a list, compared with plain calls: 10,000 items in pages of 100, over loopback.

``python -m benchmarks.walks`` prints, for each way of paging, the CPU time of the calls with their items looked at,
that of ``paginate``, and the ratio. Both take turns in one process; the best of many turns counts. The server is a
process of its own, whose time is not counted.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import dynclient

ITEMS, PAGE = 10_000, 100
GOAL = 1.1
_ITEMS = [{"id": number, "name": f"item {number}", "tags": ["a", "b"], "state": "open"} for number in range(ITEMS)]


def _answer(path: str) -> bytes:
    parts = urlsplit(path)
    query = {name: int(values[0]) for name, values in parse_qs(parts.query).items()}
    start = query.get("cursor", 0) + PAGE * (query.get("page", 1) - 1)
    following = start + PAGE if start + PAGE < ITEMS else None
    items, head = _ITEMS[start : start + PAGE], ""
    body: Any = {"data": items, "total": ITEMS, "next_cursor": str(following) if following else None}
    if parts.path == "/link":
        body = items
        head = f'Link: </link?page={following // PAGE + 1}>; rel="next"\r\n' if following else ""
    written = json.dumps(body).encode()
    head += f"Content-Type: application/json\r\nContent-Length: {len(written)}\r\n\r\n"
    return f"HTTP/1.1 200 OK\r\n{head}".encode() + written


class _Answering(asyncio.Protocol):
    known: dict[str, bytes] = {}  # noqa: RUF012  # what was written once is written again

    def connection_made(self, transport: Any) -> None:
        self._transport, self._held = transport, b""

    def data_received(self, data: bytes) -> None:
        self._held += data
        while (end := self._held.find(b"\r\n\r\n")) >= 0:
            path = self._held.split(b" ", 2)[1].decode()
            self._held = self._held[end + 4 :]
            self._transport.write(self.known.get(path) or self.known.setdefault(path, _answer(path)))


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(_Answering, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def _document(url: str) -> dict[str, Any]:
    text, number = {"type": "string"}, {"type": "integer"}
    members = {"id": number, "name": text, "tags": {"type": "array", "items": text}, "state": {"enum": ["open"]}}
    items = {"type": "array", "items": {"type": "object", "required": ["id"], "properties": members}}
    cursor = {"next_cursor": {"type": ["string", "null"]}}
    ways: dict[str, tuple[str, Any, Any, Any]] = {
        "link": ("page", number, items, {"Link": {"schema": text}}),
        "page": ("page", number, {"properties": {"data": items, "total": number}}, {}),
        "token": ("cursor", text, {"properties": {"data": items, **cursor}}, {}),
    }
    paths = {}
    for name, (parameter, kind, schema, headers) in ways.items():
        answer = {"description": "", "headers": headers, "content": {"application/json": {"schema": schema}}}
        query = [{"name": parameter, "in": "query", "schema": kind}]
        paths[f"/{name}"] = {"get": {"operationId": name, "parameters": query, "responses": {"200": answer}}}
    return {"openapi": "3.1.0", "info": {"title": "Lists", "version": "1"}, "servers": [{"url": url}], "paths": paths}


def _called(client: Any, name: str) -> Iterable[Any]:
    for start in range(0, ITEMS, PAGE):
        given = {"cursor": str(start)} if name == "token" else {"page": start // PAGE + 1}
        found = client.operations[name](**given)
        yield from found if name == "link" else found["data"]


def _seconds(items: Callable[[], Iterable[Any]]) -> float:
    start = time.process_time()
    if sum(1 for _ in items()) != ITEMS:
        raise AssertionError("items are missing")
    return time.process_time() - start


def main() -> None:
    """Print a line for each way; the exit status is 1 if one costs more than the goal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=40)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        asyncio.run(_serve())
    command = [sys.executable, "-m", "benchmarks.walks", "--serve"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parent.parent)
    missed = False
    try:
        port = server.stdout.readline().strip() if server.stdout is not None else ""
        with dynclient.load(_document(f"http://127.0.0.1:{port}")) as client:
            for name in ("link", "page", "token"):
                subjects = (lambda name=name: _called(client, name), client.operations[name].paginate)
                turns = [tuple(map(_seconds, subjects)) for _ in range(given.turns)]
                calls, walk = map(min, zip(*turns, strict=True))
                missed |= walk / calls > GOAL
                print(f"{name:6} calls {calls * 1e3:6.1f} ms  paginate {walk * 1e3:6.1f} ms  ratio {walk / calls:.2f}")
    finally:
        server.terminate()
        server.wait()
    sys.exit(missed)


if __name__ == "__main__":
    main()
