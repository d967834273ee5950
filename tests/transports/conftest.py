"""The server that misbehaves, and the ways to send to it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import anyio
import pytest

from dynclient.messages import Body, Headers, Request, Response, Send
from dynclient.options import Limits, Timeout
from dynclient.transports import AsyncHTTPTransport, AsyncTransport, HTTPTransport, ThreadedTransport

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


class Way(NamedTuple):
    """How a test sends: in this thread; in worker threads, from an event loop; or by the event loop itself."""

    backend: str | None = None
    native: bool = False

    @property
    def id(self) -> str:
        return f"{'native' if self.native else 'threads'}-{self.backend}" if self.backend else "sync"

    def transport(self, **options: Any) -> Any:
        """The transport that a test holds: for threads, the one that they share."""
        return AsyncHTTPTransport(**options) if self.native else HTTPTransport(**options)

    def asynchronous(self, transport: Any) -> AsyncTransport:
        """What tasks send by, with as many places as the pool has."""
        return transport if self.native else ThreadedTransport(transport, transport.pool.size)

    def __call__(self, transport: Any, send: Send) -> Response:
        """Send by a transport; each time in an event loop of its own."""
        if self.backend is None:
            return transport.send(send)
        return anyio.run(self.asynchronous(transport).send, send, backend=self.backend)

    def close(self, transport: Any) -> None:
        """Close a transport."""
        if self.native:
            anyio.run(transport.aclose, backend=self.backend)
        else:
            transport.close()

    def is_free(self, transport: Any, asynchronous: Any) -> bool:
        """Whether no request of this transport is under way."""
        busy = {} if self.native else asynchronous._pool._used
        return not busy and not transport.pool._used


TASKS = [Way(backend, native) for native in (False, True) for backend in ("asyncio", "trio")]
WAYS = [Way(), *TASKS]


@pytest.fixture(params=[pytest.param(way, id=way.id) for way in WAYS])
def way(request: pytest.FixtureRequest) -> Way:
    """Send by a transport: directly, by way of threads, or natively; under asyncio and trio."""
    return request.param


@pytest.fixture(params=[pytest.param(way, id=way.id) for way in TASKS])
def tasks_way(request: pytest.FixtureRequest) -> Way:
    """Send from tasks alone."""
    return request.param


@pytest.fixture
def transport(request: pytest.FixtureRequest) -> Iterator[Any]:
    """The transport of the test's way; without one, that of threads."""
    names = {"way", "tasks_way"} & set(request.fixturenames)
    used = request.getfixturevalue(names.pop()) if names else Way()
    made = used.transport()
    yield made
    used.close(made)


@pytest.fixture
def narrow(tasks_way: Way) -> Iterator[Any]:
    """A transport that tasks may use one at a time."""
    made = tasks_way.transport(limits=Limits(pool_size=1))
    yield made
    tasks_way.close(made)
