"""Both clients behind one interface, so that each case runs over each."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

import dynclient

OPENAPI = Path(__file__).parents[2] / "openapi"


class Sync:
    """Makes one call with a Client."""

    kind = "sync"

    def __init__(self, document, **options):
        self.document = document
        self.options = options

    def __call__(self, name, *args, **keywords):
        with dynclient.load(self.document, **self.options) as client:
            return self.method(client, name)(*args, **keywords)

    @staticmethod
    def method(client, name):
        for part in name.split("."):
            client = getattr(client, part)
        return client


class Async(Sync):
    """Makes one call with an AsyncClient, on asyncio or trio."""

    kind = "async"
    backend = "asyncio"

    def __call__(self, name, *args, **keywords):
        async def call():
            async with dynclient.AsyncClient.load(self.document, **self.options) as client:
                return await self.method(client, name)(*args, **keywords)

        return anyio.run(call, backend=self.backend)


class Trio(Async):
    """The same on trio."""

    kind = "trio"
    backend = "trio"


@pytest.fixture(params=[Sync, Async, Trio], ids=lambda way: way.kind)
def way(request):
    return request.param


@pytest.fixture
def voice(way, httpserver):
    """The four calls of the Voice API, against pytest-httpserver."""

    def make(**options):
        given = {"base_url": httpserver.url_for("/api/v2"), "auth": ("user", "pässword"), **options}
        return way(OPENAPI / "voice.yaml", **given)

    return make
