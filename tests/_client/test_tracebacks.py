"""Tracebacks as a caller sees them: the caller's frames, and at most two of dynclient's."""

from __future__ import annotations

import json
import traceback
from pathlib import Path

import anyio
import pytest

import dynclient
from dynclient.messages import Headers, Response

PACKAGE = str(Path(dynclient.__file__).parent)
BODY = {"content": {"application/json": {"schema": {"type": "object", "properties": {"n": {"type": "integer"}}}}}}
DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "t", "version": "1"},
    "paths": {"/a": {"post": {"operationId": "a", "requestBody": BODY, "responses": {"200": {"description": "d"}}}}},
}
NOWHERE = {"base_url": "http://127.0.0.1:9", "retry": 1}

SYNC = {
    "an unknown argument": lambda client: client.a(x=1),
    "a wrong value": lambda client: client.a(n="x"),
    "a refused connection": lambda client: client.a(n=1),
    "a refused connection, with HTTP info": lambda client: client.a_with_http_info(n=1),
    "a stream": lambda client: client.a.stream(n=1).__enter__(),
    "prepare": lambda client: client.a.prepare(n="x"),
    "explain": lambda client: client.a.explain(x=1),
    "send": lambda client: client.a.send(body={"n": "x"}),
    "request": lambda client: client.request("GET", "/b"),
    "an option": lambda client: client.a.with_options(time_out=1),
    "an operation": lambda client: client.operations["b"],
    "an attribute": lambda client: client.b,
    "a file": lambda _: dynclient.load("no-such.yaml"),
    "a URL": lambda _: dynclient.load("http://127.0.0.1:9/x.yaml"),
    "a document": lambda _: dynclient.load(b"{}"),
}
ASYNC = {name: SYNC[name] for name in ("an unknown argument", "a wrong value", "a refused connection", "request")}


def ours(error):
    """How many frames of a traceback, its causes included, are of the package."""
    return "".join(traceback.format_exception(error)).count(f'File "{PACKAGE}')


@pytest.mark.parametrize("case", SYNC)
def test_it_has_at_most_two_frames_of_ours(case):
    with dynclient.load(DOCUMENT, **NOWHERE) as client, pytest.raises(dynclient.DynclientError) as caught:
        SYNC[case](client)
    assert 1 <= ours(caught.value) <= 2


@pytest.mark.parametrize("case", [*ASYNC, "a stream"])
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_so_has_an_async_one(case, backend):
    async def run():
        async with dynclient.AsyncClient.load(DOCUMENT, **NOWHERE) as client:
            if case == "a stream":
                async with client.a.stream(n=1):
                    pass
            await ASYNC[case](client)

    with pytest.raises(dynclient.DynclientError) as caught:
        anyio.run(run, backend=backend)
    assert 1 <= ours(caught.value) <= 2


LINES = {"200": {"description": "d", "content": {"application/jsonl": {"itemSchema": {"type": "integer"}}}}}
BROKEN = [b"1\n{", b'1\n"a"\n', b"1\n\xff\n"]


class Canned:
    def __init__(self, body):
        self.body = body

    def send(self, send):
        return Response(200, Headers({"Content-Type": "application/jsonl"}), iter([self.body]), send.request)

    def close(self):
        """Do nothing: there are no connections."""


class AsyncCanned(Canned):
    async def send(self, send):
        async def chunks():
            yield self.body

        return Response(200, Headers({"Content-Type": "application/jsonl"}), chunks(), send.request)

    async def aclose(self):
        """Do nothing: there are no connections."""


@pytest.mark.parametrize("body", BROKEN)
def test_a_broken_stream_has_as_few(body):
    document = {
        **DOCUMENT,
        "openapi": "3.2.0",
        "servers": [{"url": "http://127.0.0.1:9"}],
        "paths": {"/a": {"get": {"operationId": "a", "responses": LINES}}},
    }

    async def read():
        async with dynclient.AsyncClient.load(document, transport=AsyncCanned(body)) as client, client.a.stream() as it:
            assert [item async for item in it]

    with (
        pytest.raises(dynclient.ResponseError) as caught,
        dynclient.load(document, transport=Canned(body)) as client,
        client.a.stream() as answer,
    ):
        list(answer)
    assert 1 <= ours(caught.value) <= 2
    for backend in ("asyncio", "trio"):
        with pytest.raises(dynclient.ResponseError) as caught:
            anyio.run(read, backend=backend)
        assert 1 <= ours(caught.value) <= 2


def test_a_document_that_is_gone_has_as_few(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps(DOCUMENT))

    async def reload():
        async with dynclient.AsyncClient.load(path) as client:
            path.unlink()
            await client.reload()

    with pytest.raises(dynclient.DynclientError) as caught:
        anyio.run(reload)
    assert 1 <= ours(caught.value) <= 2


class RefusingHook:
    def on_request(self, _event):
        raise dynclient.ArgumentError("the hook refuses")


def test_the_callers_own_frames_below_ours_stay():
    with (
        dynclient.load(DOCUMENT, **NOWHERE, hooks=RefusingHook()) as client,
        pytest.raises(dynclient.ArgumentError) as caught,
    ):
        client.a(n=1)
    names = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert names == ["test_the_callers_own_frames_below_ours_stay", "__call__", "on_request"]


def test_all_frames_can_be_had(monkeypatch):
    monkeypatch.setenv("DYNCLIENT_TRACEBACK", "full")
    with dynclient.load(DOCUMENT, **NOWHERE) as client, pytest.raises(dynclient.ArgumentError) as caught:
        client.a(x=1)
    assert ours(caught.value) > 2
