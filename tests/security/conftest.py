"""An API of one operation, with the schemes and the security that a test wants."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import anyio
import pytest

import dynclient
from dynclient import exceptions
from dynclient._call import Chance
from dynclient.messages import Headers, Request, Response
from dynclient.model import API, Operation, OperationRow, SecurityScheme, Server
from dynclient.options import Limits, Timeout
from dynclient.security import AuthFlow, CallClock, Security

sys.path.insert(0, str(Path(__file__).parent))
from authorization_server import AuthorizationServer  # tests are no package: it is found beside this file

SCHEMES = {
    scheme.name: scheme
    for scheme in (
        SecurityScheme("Basic", "http", scheme="basic"),
        SecurityScheme("Bearer", "http", scheme="bearer", word="bearer"),
        SecurityScheme("Digest", "http", scheme="digest", word="digest"),
        SecurityScheme("Shared", "http", scheme="sharedaccesskey", word="SharedAccessKey"),
        SecurityScheme("HeaderKey", "apiKey", in_="header", parameter="X-API-Key"),
        SecurityScheme("QueryKey", "apiKey", in_="query", parameter="api key"),
        SecurityScheme("CookieKey", "apiKey", in_="cookie", parameter="session"),
        SecurityScheme("AuthorizationKey", "apiKey", in_="header", parameter="Authorization"),
        SecurityScheme("OAuth", "oauth2"),
        SecurityScheme("OpenID", "openIdConnect", open_id_connect_url="https://id.test/"),
        SecurityScheme("Certificate", "mutualTLS"),
    )
}
ROW = OperationRow("GET /x", "GET", "/x", "getX", "get_x", (), "", (), deprecated=False, pointer="", path_pointer="")


def _api(*names: str, uri: str = "file:///voice.yaml", remote: bool = False, servers: tuple[Server, ...] = ()) -> API:
    schemes = {name: SCHEMES[name] for name in names} if names else SCHEMES
    api_servers = servers or (Server("https://api.test/v1"),)
    return API("t", "1", uri, "voice.yaml", remote, (ROW,), lambda _: Operation(ROW), schemes, {}, api_servers)


def _operation(*choices: str, servers: tuple[Server, ...] = ()) -> Operation:
    """Each choice is the names of its schemes, with spaces between; an empty one asks for nothing."""
    security = tuple(dict.fromkeys(choice.split(), ("scope",)) for choice in choices)
    return Operation(ROW, security=security, servers=servers)


def _request(url: str = "https://api.test/v1/x", **headers: str) -> Request:
    return Request("GET", url, Headers(headers))


class _Once:
    """Takes a request, and answers it at once."""

    def send(self, request: Request) -> Any:
        self.sent = request
        yield from ()
        return Response(200)

    def fetch(self, request: Request) -> Any:
        raise AssertionError("something was to be fetched")


def _authorized(security: Security, request: Request, operation: Operation) -> Request:
    """The request as it is sent with its credentials."""
    once = _Once()
    for _ in AuthFlow(security, operation).send(request, once, CallClock(Chance(), Timeout(), Limits(), None)):
        raise AssertionError("something was to be waited for")
    return once.sent


@pytest.fixture
def authorized() -> Callable[..., Request]:
    return _authorized


@pytest.fixture
def api() -> Callable[..., API]:
    return _api


@pytest.fixture
def operation() -> Callable[..., Operation]:
    return _operation


@pytest.fixture
def request_to() -> Callable[..., Any]:
    return _request


class Sync:
    """Makes calls with one Client, and gives back what each returned, or raised."""

    def __init__(self, document: Any, **options: Any) -> None:
        self.client = dynclient.load(document, **options)

    def _one(self, name: str, **keywords: Any) -> Any:
        try:
            return getattr(self.client, name)(**keywords)
        except exceptions.DynclientError as error:
            return error

    def each(self, *steps: Any) -> list[Any]:
        """Calls, as name and keywords, one after the other; a function among them is called."""
        with self.client:
            made = [step() if callable(step) else self._one(step[0], **step[1]) for step in steps]
        return [one for one, step in zip(made, steps, strict=True) if not callable(step)]

    def results(self, name: str, count: int, before: Callable[[], object] = lambda: None) -> list[Any]:
        return self.each(before, *[(name, {})] * count)

    def at_once(self, name: str, count: int) -> list[Any]:
        with self.client:
            return self._together(name, count)

    def at_once_after(self, name: str, count: int, between: Callable[[], object]) -> tuple[Any, list[Any]]:
        with self.client:
            first = self._one(name)
            between()
            return first, self._together(name, count)

    def _together(self, name: str, count: int) -> list[Any]:
        with ThreadPoolExecutor(count) as pool:
            return list(pool.map(lambda _: self._one(name), range(count)))


class Async:
    """The same with an AsyncClient, on asyncio."""

    backend = "asyncio"

    def __init__(self, document: Any, **options: Any) -> None:
        self.client = dynclient.AsyncClient.load(document, **options)

    async def _one(self, name: str, **keywords: Any) -> Any:
        try:
            return await getattr(self.client, name)(**keywords)
        except exceptions.DynclientError as error:
            return error

    def each(self, *steps: Any) -> list[Any]:
        async def run() -> list[Any]:
            async with self.client:
                made = [step() if callable(step) else await self._one(step[0], **step[1]) for step in steps]
            return [one for one, step in zip(made, steps, strict=True) if not callable(step)]

        return anyio.run(run, backend=self.backend)

    def results(self, name: str, count: int, before: Callable[[], object] = lambda: None) -> list[Any]:
        return self.each(before, *[(name, {})] * count)

    def at_once(self, name: str, count: int) -> list[Any]:
        async def run() -> list[Any]:
            async with self.client:
                return await self._together(name, count)

        return anyio.run(run, backend=self.backend)

    def at_once_after(self, name: str, count: int, between: Callable[[], object]) -> tuple[Any, list[Any]]:
        async def run() -> tuple[Any, list[Any]]:
            async with self.client:
                first = await self._one(name)
                between()
                return first, await self._together(name, count)

        return anyio.run(run, backend=self.backend)

    async def _together(self, name: str, count: int) -> list[Any]:
        made: list[Any] = []

        async def one() -> None:
            made.append(await self._one(name))

        async with anyio.create_task_group() as group:
            for _ in range(count):
                group.start_soon(one)
        return made


class Trio(Async):
    """The same on trio."""

    backend = "trio"


@pytest.fixture(params=[Sync, Async, Trio], ids=lambda way: way.__name__.lower())
def client(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture(scope="session")
def _servers() -> Iterator[list[AuthorizationServer]]:
    servers = [AuthorizationServer(), AuthorizationServer()]
    yield servers
    for server in servers:
        server.close()


@pytest.fixture
def authorization(_servers: list[AuthorizationServer]) -> AuthorizationServer:
    _servers[0].begin_anew()
    return _servers[0]


@pytest.fixture
def other(_servers: list[AuthorizationServer]) -> AuthorizationServer:
    _servers[1].begin_anew()
    return _servers[1]
