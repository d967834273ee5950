"""Documents of one operation with the security schemes that a test needs, clients of each kind, and two servers."""

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
from dynclient.messages import Request, Response, Send

sys.path.insert(0, str(Path(__file__).parent))
from authorization_server import AuthorizationServer  # tests are no package: it is found beside this file

SCHEMES: dict[str, dict[str, Any]] = {
    "Basic": {"type": "http", "scheme": "basic"},
    "Bearer": {"type": "http", "scheme": "bearer"},
    "Digest": {"type": "http", "scheme": "digest"},
    "Shared": {"type": "http", "scheme": "SharedAccessKey"},
    "HeaderKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "QueryKey": {"type": "apiKey", "in": "query", "name": "api key"},
    "CookieKey": {"type": "apiKey", "in": "cookie", "name": "session"},
    "AuthorizationKey": {"type": "apiKey", "in": "header", "name": "Authorization"},
    "OAuth": {"type": "oauth2", "flows": {}},
    "OpenID": {"type": "openIdConnect", "openIdConnectUrl": "https://id.test/"},
    "Certificate": {"type": "mutualTLS"},
}
SERVER = "https://api.test/v1"


def _document(*choices: str, schemes: Any = SCHEMES, **members: Any) -> dict[str, Any]:
    """Each choice is the names of its schemes, with spaces between; an empty one requires nothing.

    The operation ``getX`` has two optional parameters: the query field ``api key`` and the cookie ``session``.
    """
    named = {name: SCHEMES[name] for name in schemes}
    keys = [{"name": "api key", "in": "query"}, {"name": "session", "in": "cookie"}]
    operation = {
        "operationId": "getX",
        "security": [{name: ["scope"] for name in choice.split()} for choice in choices],
        "parameters": [{**key, "schema": {"type": "string"}} for key in keys],
        "responses": {"204": {"description": ""}},
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "servers": [{"url": SERVER}],
        "paths": {"/x": {"get": {**operation, **members}}},
        "components": {"securitySchemes": named},
    }


@pytest.fixture
def document() -> Callable[..., dict[str, Any]]:
    return _document


class Recording:
    """A transport that answers each request with 204, and keeps it."""

    def __init__(self) -> None:
        self.requests: list[Request] = []

    def send(self, send: Send) -> Response:
        self.requests.append(send.request)
        return Response(204, request=send.request)

    def close(self) -> None:
        """There is nothing to close."""


def _sent(
    auth: Any, *choices: str, schemes: Any = SCHEMES, described: Any = None, arguments: Any = None, **options: Any
) -> Request:
    """The request of a call, as it is sent with its credentials. ``described`` is another document."""
    transport = Recording()
    with dynclient.load(
        described or _document(*choices, schemes=schemes), auth=auth, transport=transport, **options
    ) as client:
        client.get_x(**(arguments or {}))
    (request,) = transport.requests
    return request


@pytest.fixture
def sent() -> Callable[..., Request]:
    return _sent


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
    _servers[0].reset()
    return _servers[0]


@pytest.fixture
def other(_servers: list[AuthorizationServer]) -> AuthorizationServer:
    _servers[1].reset()
    return _servers[1]
