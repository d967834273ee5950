"""Server-sent events by the schema of an event, or of its data; and other sequences whose schema is that of an item."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import anyio
import pytest

import dynclient
from dynclient.exceptions import ResponseValidationError
from dynclient.messages import Headers, Request, Response
from dynclient.testing import MockTransport

CHUNK = {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}
JSON_TEXT = {"type": "string", "contentMediaType": "application/json", "contentSchema": CHUNK}
EVENTS = "text/event-stream"


def event(data: Any, **fields: Any) -> dict[str, Any]:
    return {"type": "object", "required": ["data"], "properties": {"data": data, "event": {"type": "string"}, **fields}}


def named(name: str, data: Any) -> dict[str, Any]:
    return {**event(data), "properties": {"event": {"const": name}, "data": data}}


BY_NAME = {"oneOf": [named("add", JSON_TEXT), named("note", {"type": "string"})]}
DATA = b'data: {"n": 1}\n\n: ping\n\nevent: x\ndata: {"n":\ndata: 2}\n\ndata: [DONE]\n\ndata: {"n": 3}\n\n'
CHUNKS = [{"n": 1}, {"n": 2}]

# version, keyword, schema, body -> items
READ = {
    "the data, in 3.0": ("3.0.3", "schema", CHUNK, DATA, CHUNKS),
    "the data, in 3.1": ("3.1.0", "schema", CHUNK, DATA, CHUNKS),
    "the data, in 3.2": ("3.2.0", "itemSchema", CHUNK, DATA, CHUNKS),
    "the data, a union": ("3.1.0", "schema", {"anyOf": [CHUNK, {**CHUNK, "required": ["m"]}]}, DATA, CHUNKS),
    "the data, a number": ("3.0.3", "schema", {"type": "integer"}, b"data: 5\n\ndata: 6\n\n", [5, 6]),
    "an array of the data": ("3.1.0", "schema", {"type": "array", "items": CHUNK}, DATA, CHUNKS),
    "an event": ("3.1.0", "schema", event({"type": "string"}), b"data: 5\n\n", [{"data": "5"}]),
    "an event with data": ("3.0.3", "schema", event(CHUNK), b'data: {"n": 1}\n\n', [{"data": {"n": 1}}]),
    "an event with JSON": ("3.2.0", "itemSchema", event(JSON_TEXT), b'data: {"n": 1}\n\n', [{"data": {"n": 1}}]),
    "an event by its name": (
        "3.2.0", "itemSchema", BY_NAME, b'event: add\ndata: {"n": 1}\n\nevent: note\ndata: {"n": 1}\n\n',
        [{"event": "add", "data": {"n": 1}}, {"event": "note", "data": '{"n": 1}'}],
    ),
    "an event that is documented": (
        "3.1.0", "schema", {"oneOf": [named("add", CHUNK), named("done", {"type": "string", "enum": ["[DONE]"]})]},
        b'event: add\ndata: {"n": 1}\n\nevent: done\ndata: [DONE]\n\n',
        [{"event": "add", "data": {"n": 1}}, {"event": "done", "data": "[DONE]"}],
    ),
    "no schema": (
        "3.1.0", "schema", {}, b'data: {"n": 1}\n\ndata: [DONE]\n\n', [{"data": '{"n": 1}'}, {"data": "[DONE]"}],
    ),
}  # fmt: skip


def document(version: str, keyword: str, schema: Any, media_type: str = EVENTS) -> dict[str, Any]:
    content = {media_type: {keyword: schema}, "application/json": {"schema": {"type": "object"}}}
    operation = {"operationId": "chat", "responses": {"200": {"description": "", "content": content}}}
    return {"openapi": version, "info": {"title": "t", "version": "1"}, "paths": {"/chat": {"get": operation}}}


class Answering(MockTransport):
    """Answers each request with one body, by way of the mock's transport for threads and tasks."""

    def __init__(self, described: dict[str, Any], body: bytes, media_type: str) -> None:
        super().__init__(described)
        self.asked: list[Request] = []
        self.answer = Response(200, Headers([("Content-Type", media_type)]), body)
        self.mock.respond = self.respond  # type: ignore[method-assign]  # of this test

    def respond(self, request: Request) -> Response:
        self.asked.append(request)
        return dataclasses.replace(self.answer, request=request)


def answering(described: dict[str, Any], body: bytes, media_type: str = EVENTS) -> dict[str, Any]:
    """Options of a load, so that the operation is answered with a body."""
    return {"transport": Answering(described, body, media_type), "base_url": "https://x.example"}


def streamed(described: dict[str, Any], options: dict[str, Any], kind: str, method: str | None = None) -> list[Any]:
    if kind == "sync":
        client = dynclient.load(described, **options)
        with client.chat.stream() as answer:
            return list(answer if method is None else getattr(answer, method)())

    async def main() -> list[Any]:
        client = dynclient.AsyncClient.load(described, **options)
        async with client.chat.stream() as answer:
            return [item async for item in (answer if method is None else getattr(answer, method)())]

    return anyio.run(main, backend=kind)


@pytest.mark.parametrize("kind", ["sync", "asyncio", "trio"])
@pytest.mark.parametrize("case", READ.values(), ids=READ)
def test_events_by_their_schema(case: tuple[str, str, Any, bytes, list[Any]], kind: str) -> None:
    version, keyword, schema, body, items = case
    described = document(version, keyword, schema)
    assert streamed(described, answering(described, body), kind) == items


@pytest.mark.parametrize("kind", ["sync", "trio"])
def test_all_fields_of_each_event(kind: str) -> None:
    described = document("3.1.0", "schema", CHUNK)
    found = streamed(described, answering(described, DATA), kind, "iter_events")
    assert found[1:3] == [{"event": "x", "data": '{"n":\n2}'}, {"data": "[DONE]"}]


WRONG = {
    "the data": ("3.1.0", "schema", CHUNK, b'data: {"n": "x"}\n\n', "$[0].n"),
    "data that are not JSON": ("3.1.0", "schema", CHUNK, b"data: oops\n\n", "$[0]"),
    "the data of an event": ("3.1.0", "schema", event(CHUNK), b'data: {"n": "x"}\n\n', "$[0].data.n"),
    "JSON in an event": ("3.2.0", "itemSchema", event(JSON_TEXT), b'data: {"n": "x"}\n\n', "$[0].data.n"),
    "no JSON in an event": ("3.2.0", "itemSchema", event(JSON_TEXT), b"data: x\n\n", "$[0].data"),
}


@pytest.mark.parametrize("case", WRONG.values(), ids=WRONG)
def test_events_that_break_their_schema(case: tuple[str, str, Any, bytes, str]) -> None:
    version, keyword, schema, body, path = case
    described = document(version, keyword, schema)
    options = answering(described, body)
    with pytest.raises(ResponseValidationError) as caught:
        streamed(described, options, "sync")
    assert [fault.path for fault in caught.value.errors] == [path]
    assert streamed(described, {**options, "validate": "off"}, "sync")


def test_a_stream_is_asked_for_first() -> None:
    described = document("3.1.0", "schema", CHUNK)
    options = answering(described, DATA)
    client = dynclient.load(described, **options)
    with client.chat.stream() as answer:
        assert answer.headers is not None
    with client.chat.with_options(accept="application/json").stream() as answer:
        assert answer.headers is not None
    with pytest.raises(ResponseValidationError):
        client.chat()
    asked = [request.headers["accept"] for request in options["transport"].asked]
    orders = f"{EVENTS}, application/json;q=0.9", "application/json", f"application/json, {EVENTS};q=0.9"
    assert asked == list(orders)


def test_a_plain_call_of_a_stream_says_so() -> None:
    described = document("3.1.0", "schema", CHUNK)
    options = answering(described, DATA)
    with pytest.raises(ResponseValidationError, match=r"Hint: .*chat\.stream\(") as caught:
        dynclient.load(described, **options).chat()
    assert caught.value.data == CHUNKS
    assert dynclient.load(described, validate="off", **options).chat() == CHUNKS


ITEMS = {
    "application/x-ndjson": b'{"n": 1}\n{"n": 2}\n',
    "application/json-seq": b'\x1e{"n": 1}\n\x1e{"n": 2}\n',
}


@pytest.mark.parametrize("schema", [CHUNK, {"oneOf": [CHUNK, {"type": "boolean"}]}])
@pytest.mark.parametrize("media_type", ITEMS)
def test_other_sequences_with_the_schema_of_an_item(media_type: str, schema: Any) -> None:
    described = document("3.0.3", "schema", schema, media_type)
    options = answering(described, ITEMS[media_type], media_type)
    assert streamed(described, options, "sync") == CHUNKS
    assert dynclient.load(described, **options).chat() == CHUNKS
    broken = answering(described, ITEMS[media_type].replace(b"2", b'"x"'), media_type)
    with pytest.raises(ResponseValidationError):
        dynclient.load(described, **broken).chat()


@pytest.mark.parametrize("case", list(READ.values())[:-1], ids=list(READ)[:-1])
def test_the_mock_streams_what_the_client_takes(case: tuple[str, str, Any, bytes, list[Any]]) -> None:
    described = document(*case[:3])
    options = {"transport": MockTransport(described), "base_url": "https://x.example"}
    assert len(streamed(described, options, "sync")) > 0


def test_the_mock_streams_the_example_of_one_item() -> None:
    described = document("3.1.0", "schema", CHUNK)
    described["paths"]["/chat"]["get"]["responses"]["200"]["content"][EVENTS]["example"] = {"n": 7}
    options = {"transport": MockTransport(described), "base_url": "https://x.example"}
    assert streamed(described, options, "sync") == [{"n": 7}]
    mock = MockTransport(described)
    mock.chat.returns([{"n": 8}], content_type=EVENTS)
    assert json.loads(json.dumps(streamed(described, {**options, "transport": mock}, "sync"))) == [{"n": 8}]
