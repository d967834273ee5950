"""The server that misbehaves, and the three ways to send to it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import anyio
import pytest

from dynclient.messages import Body, Headers, Request, Response, Send
from dynclient.options import Limits, Timeout
from dynclient.transports import ThreadedTransport, Urllib3Transport

sys.path.insert(0, str(Path(__file__).parent.parent / "faults"))
from fault_server import FaultServer  # tests are no package: it is found by its folder

NO_HEADERS = Headers()
QUICK = Timeout(connect=2, read=2, write=2, total=10, pool=2)


@pytest.fixture
def serve() -> Iterator[Callable[..., FaultServer]]:
    """Start a server with these scripts."""
    servers: list[FaultServer] = []

    def start(*scripts: tuple[object, ...]) -> FaultServer:
        servers.append(FaultServer(*scripts))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def _send(
    url: str,
    method: str = "GET",
    body: Body = None,
    headers: Headers = NO_HEADERS,
    *,
    timeout: Timeout = QUICK,
    limits: Limits = Limits(),
    **more: object,
) -> Send:
    return Send(Request(method, url, headers, body, **more), timeout, limits)


@pytest.fixture
def make() -> Callable[..., Send]:
    """Make a Send: URL, method, body, headers; timeout and limits by keyword."""
    return _send


Way = Callable[[Urllib3Transport, Send], Response]


def _sync(transport: Urllib3Transport, send: Send) -> Response:
    return transport.send(send)


def _threaded(backend: str, transport: Urllib3Transport, send: Send) -> Response:
    return anyio.run(ThreadedTransport(transport).send, send, backend=backend)


@pytest.fixture(params=["sync", "asyncio", "trio"])
def way(request: pytest.FixtureRequest) -> Way:
    """Send by a transport: directly, or by way of threads under asyncio and trio."""
    return _sync if request.param == "sync" else partial(_threaded, request.param)


@pytest.fixture
def transport() -> Iterator[Urllib3Transport]:
    made = Urllib3Transport()
    yield made
    made.close()
