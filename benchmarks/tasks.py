"""The cost of an exchange in an event loop: dynclient's transports and other libraries, alternating in one process.

``python benchmarks/tasks.py [--rounds N] [--tasks 1,10,100] [--trio]``. Each row sends the same GET, which a server in
another process answers by heart with 1.5 kB of JSON, and reads the body; a pool of 100 connections, so that nobody
waits for one. Medians of microseconds of this process's CPU for each call, worker threads included, and of calls a
second. The last two rows are whole calls of an AsyncClient: arguments, validation, decoding. Libraries that are not
installed are left out; on trio, those that know only asyncio.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import anyio

import dynclient
from dynclient.messages import Request, Send
from dynclient.options import Limits, Timeout
from dynclient.transports import AsyncHTTPTransport, AsyncTransport, HTTPTransport, ThreadedTransport

Call = Callable[[], Awaitable[Any]]

_POOL = 100
_LIMITS = Limits(pool_size=_POOL)
_BODY = b'{"text": "' + b"x" * 1500 + b'"}'
_ANSWER = (
    b"HTTP/1.1 200 OK\r\nServer: bench\r\nDate: Fri, 20 Nov 2026 10:00:00 GMT\r\n"
    b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
) % (len(_BODY), _BODY)
_DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "Texts", "version": "1"},
    "paths": {
        "/x": {
            "get": {
                "operationId": "getText",
                "responses": {
                    "200": {"description": "It", "content": {"application/json": {"schema": {"type": "object"}}}}
                },
            }
        }
    },
}


class _Server(asyncio.Protocol):
    """Finds the end of a request, and answers."""

    def __init__(self) -> None:
        self._held = b""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._held += data
        while (end := self._held.find(b"\r\n\r\n")) >= 0:
            self._held = self._held[end + 4 :]
            self._transport.write(_ANSWER)


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(_Server, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def _sending(transport: AsyncTransport, url: str, stack: AsyncExitStack) -> Call:
    stack.push_async_callback(transport.aclose)
    send = Send(Request("GET", url), Timeout(), _LIMITS)

    async def call() -> Any:
        return (await transport.send(send)).body

    return call


def _threaded() -> ThreadedTransport:
    return ThreadedTransport(HTTPTransport(limits=_LIMITS), _POOL)


async def _of_httpx(module: Any, url: str, stack: AsyncExitStack) -> Call:
    limits = module.Limits(max_connections=_POOL, max_keepalive_connections=_POOL)
    client = await stack.enter_async_context(module.AsyncClient(limits=limits, timeout=30, trust_env=False))

    async def call() -> Any:
        return (await client.get(url)).content

    return call


async def _of_aiohttp(module: Any, url: str, stack: AsyncExitStack) -> Call:
    connector = module.TCPConnector(limit=_POOL)
    timeout = module.ClientTimeout(total=60, sock_read=30)
    session = await stack.enter_async_context(module.ClientSession(connector=connector, timeout=timeout))

    async def call() -> Any:
        async with session.get(url, allow_redirects=False) as answer:
            return await answer.read()

    return call


async def _of_h11(module: Any, url: str, stack: AsyncExitStack) -> Call:
    """h11 and anyio's streams, and nothing else: no deadline, no limits, no waiting for a pool."""
    port = int(url.rpartition(":")[2].partition("/")[0])
    idle: list[tuple[Any, Any]] = []
    headers = [("Host", f"127.0.0.1:{port}"), ("Accept-Encoding", "gzip, deflate"), ("User-Agent", "bench")]

    async def call() -> Any:
        if idle:
            stream, connection = idle.pop()
        else:
            stream, connection = await anyio.connect_tcp("127.0.0.1", port), module.Connection(module.CLIENT)
            stack.push_async_callback(stream.aclose)
        request = connection.send(module.Request(method="GET", target="/x", headers=headers))
        await stream.send(request + connection.send(module.EndOfMessage()))
        pieces = []
        while type(event := connection.next_event()) is not module.EndOfMessage:
            if event is module.NEED_DATA:
                connection.receive_data(await stream.receive())
            elif isinstance(event, module.Data):
                pieces.append(bytes(event.data))
        connection.start_next_cycle()
        idle.append((stream, connection))
        return b"".join(pieces)

    return call


OTHERS = {"h11": _of_h11, "httpx": _of_httpx, "httpx2": _of_httpx, "aiohttp": _of_aiohttp}
ONLY_ASYNCIO = {"aiohttp"}


async def rows(url: str, stack: AsyncExitStack, *, trio: bool) -> dict[str, Call]:
    """The measured transports, by name."""
    made = {
        "AsyncHTTPTransport": _sending(AsyncHTTPTransport(limits=_LIMITS), url, stack),
        "ThreadedTransport": _sending(_threaded(), url, stack),
    }
    for name, make in OTHERS.items():
        if not (trio and name in ONLY_ASYNCIO):
            try:
                made[name] = await make(importlib.import_module(name), url, stack)
            except ModuleNotFoundError:
                print(f"{name} is not installed")
    for name, transport in (("AsyncClient", None), ("AsyncClient, threads", _threaded())):
        client = dynclient.AsyncClient.load(
            _DOCUMENT, base_url=url.removesuffix("/x"), limits=_LIMITS, transport=transport
        )
        made[name] = (await stack.enter_async_context(client)).get_text
    return made


async def measure(call: Call, tasks: int, calls: int = 500) -> tuple[float, float]:
    """Microseconds of CPU for each call, and calls a second."""

    async def work() -> None:
        for _ in range(max(calls // tasks, 1)):
            await call()

    wall, cpu = time.perf_counter(), time.process_time()
    async with anyio.create_task_group() as group:
        for _ in range(tasks):
            group.start_soon(work)
    done = tasks * max(calls // tasks, 1)
    return (time.process_time() - cpu) / done * 1e6, done / (time.perf_counter() - wall)


async def warm(call: Call, tasks: int) -> tuple[float, float]:
    """The same with open connections: each library closes idle ones after another time, while others are measured."""
    await measure(call, tasks, tasks)
    return await measure(call, tasks)


async def compare(url: str, rounds: int, counts: list[int], *, trio: bool) -> None:
    """Print a line for each row and number of tasks."""
    async with AsyncExitStack() as stack:
        calls = await rows(url, stack, trio=trio)
        print(f"{'what':24}{'tasks':>6}{'us of CPU':>12}{'calls a second':>16}", flush=True)
        for tasks in counts:
            taken = [[await warm(call, tasks) for call in calls.values()] for _ in range(rounds)]
            for name, runs in zip(calls, zip(*taken, strict=True), strict=True):
                cpu, rate = (statistics.median(one) for one in zip(*runs, strict=True))
                print(f"{name:24}{tasks:6}{cpu:12.1f}{rate:16.0f}", flush=True)


def main() -> None:
    """Start the server, and compare."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--tasks", default="1,10,100")
    parser.add_argument("--trio", action="store_true")
    parser.add_argument("--serve", action="store_true")
    options = parser.parse_args()
    if options.serve:
        asyncio.run(_serve())
        return
    server = subprocess.Popen([sys.executable, __file__, "--serve"], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None  # noqa: S101  # it is a pipe
        url = f"http://127.0.0.1:{server.stdout.readline().strip()}/x"
        counts = [int(count) for count in options.tasks.split(",")]

        async def run() -> None:
            await compare(url, options.rounds, counts, trio=options.trio)

        anyio.run(run, backend="trio" if options.trio else "asyncio")
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
