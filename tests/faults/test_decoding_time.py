"""Decoding and validating: within the call's time, outside the event loop, and within a number of values."""

from __future__ import annotations

import gc
import json
import time

import anyio
import pytest
from case import document

import dynclient
from dynclient import codecs, exceptions
from dynclient.messages import Headers, Response
from dynclient.options import Limits, Validation

JSON, XML, FORM = "application/json", "application/xml", "application/x-www-form-urlencoded"
MIXED, LINES, EVENTS = "multipart/mixed; boundary=b", "application/jsonl", "text/event-stream"
PATTERN = {"type": "array", "items": {"oneOf": [{"type": "array", "minItems": n} for n in range(1, 60)]}}
# Each takes some seconds: media type, body, schema.
LONG = {
    "xml": (XML, b"<a>" + b"<b>1</b>" * 200_000 + b"</a>", {"type": "array", "items": {"type": "integer"}}),
    "xml without a schema": (XML, b"<a>" + b"<b/>" * 3_000_000 + b"</a>", None),
    "form": (FORM, b"&".join(b"a%d=b" % n for n in range(500_000)), {"type": "object"}),
    "yaml": ("application/yaml", b"- [a]\n" * 300_000, None),
    "steps": (JSON, json.dumps([[1]] * 20_000 + [[]]).encode(), PATTERN),
    "lines": (LINES, b"[1]\n" * 1_000_000, {"type": "array"}),
}


class Canned:
    def __init__(self, media_type, body):
        self.response = Response(200, Headers({"Content-Type": media_type}), body)

    def send(self, send):
        return self.response

    def close(self):
        """Do nothing: there are no connections."""


class AsyncCanned(Canned):
    async def send(self, send):
        return self.response

    async def aclose(self):
        """Do nothing: there are no connections."""


def described(media_type, schema):
    source = document("http://127.0.0.1:9")
    content = {media_type.partition(";")[0]: {} if schema is None else {"schema": schema}}
    source["paths"]["/open"]["get"]["responses"]["200"]["content"] = content
    return source


@pytest.mark.parametrize("case", LONG)
def test_the_deadline_covers_what_follows_the_last_byte(case):
    media_type, body, schema = LONG[case]
    started = time.thread_time()
    client = dynclient.load(described(media_type, schema), transport=Canned(media_type, body), timeout=0.2)
    with client, pytest.raises(exceptions.TimeoutError, match="200, was decoded") as caught:
        client.get_open()
    assert (caught.value.phase, caught.value.outcome_unknown, caught.value.attempts) == ("total", False, 1)
    assert time.thread_time() - started < 3


@pytest.fixture
def uncollected():
    """No collection of garbage, which takes a second in a process that has run many tests, and stops all threads."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("uncollected")
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("case", LONG)
def test_an_event_loop_does_not_wait(case, backend):
    media_type, body, schema = LONG[case]
    lags = []

    async def tick():
        while True:
            before = time.monotonic()
            await anyio.sleep(0.01)
            lags.append(time.monotonic() - before)

    async def main():
        load = dynclient.AsyncClient.load
        async with (
            load(described(media_type, schema), transport=AsyncCanned(media_type, body), timeout=1) as client,
            anyio.create_task_group() as tasks,
        ):
            assert client.get_open.fault is None  # the schemas are compiled, which no thread does
            tasks.start_soon(tick)
            with pytest.raises(exceptions.DynclientError):
                await client.get_open()
            tasks.cancel_scope.cancel()

    anyio.run(main, backend=backend)
    # Without a worker thread there would be one, as long as all of it.
    assert len(lags) > 3


def test_what_is_in_time_is_returned():
    media_type, body, schema = XML, b"<a>" + b"<b>1</b>" * 10_000 + b"</a>", LONG["xml"][2]
    with dynclient.load(described(media_type, schema), transport=Canned(media_type, body), timeout=30) as client:
        assert client.get_open() == [1] * 10_000


MANY = {
    "json": (JSON, b"[" + b"1," * 200 + b"1]"),
    "json objects": (JSON, b'{"a":{}}' + b" " * 100 + b"\n"),
    "json in another charset": (JSON + "; charset=utf-16", ("[" + "1," * 200 + "1]").encode("utf-16")),
    "xml": (XML, b"<a>" + b"<b/>" * 200 + b"</a>"),
    "xml attributes": (XML, b"<a>" + b'<b c="1" d="2"/>' * 40 + b"</a>"),
    "form": (FORM, b"a=1&" * 200),
    "yaml": ("application/yaml", b"[" + b"a, " * 200 + b"a]"),
    "lines": (LINES, b"1\n" * 200),
    "items in lines": (LINES, b"[1,2,3]\n" * 30),
    "events": (EVENTS, b"data:\n\n" * 200),
    "part": (MIXED, b"--b\r\nContent-Type: application/json\r\n\r\n[" + b"1," * 200 + b"1]\r\n--b--\r\n"),
}


@pytest.mark.parametrize("case", [each for each in MANY if each != "json objects"])
def test_more_values_than_the_limit(case):
    media_type, body = MANY[case]
    source = described(media_type, {"type": "array"} if "xml" in media_type else None)
    client = dynclient.load(source, transport=Canned(media_type, body), limits=Limits(body_values=100))
    with (
        client,
        pytest.raises(
            exceptions.DecodeError, match=r"more than 100 (keys and )?values\n(.*\n)*Hint: .*body_val"
        ) as caught,
    ):
        client.get_open()
    assert caught.value.response.body == body
    with dynclient.load(
        source, transport=Canned(media_type, body), limits=Limits(body_values=None), validate="off"
    ) as client:
        client.get_open()


def test_commas_in_texts_are_not_values():
    value = [",[{" * 200, {"a": '\\",['}]
    body = json.dumps(value).encode()
    assert codecs.find(JSON).decode(body, None, JSON, Limits(body_values=5)) == value


@pytest.mark.parametrize("text", ["{}", '{"a": [1, 2], "b,": {"c": 3}}', "[[[]]]", '["\\\\", ","]'])
def test_the_limit_is_the_number_of_values(text):
    def count(value):
        items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        return 1 + sum(map(count, items)) + (value in ([], {}))

    value = json.loads(text)
    for limit in range(1, 20):
        try:
            assert codecs.find(JSON).decode(text.encode(), None, JSON, Limits(body_values=limit)) == value
        except exceptions.DecodeError:
            assert limit < count(value)
        else:
            assert limit >= min(count(value), len(text))


HEAD = {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {}}


@pytest.mark.parametrize(
    "text",
    [
        "x-a: [" + "a," * 5_000 + "a]",
        "x-a:\n" + "- a\n" * 5_000,
        "x-a: {" + ", ".join(f"k{n}: v" for n in range(3_000)) + "}",
    ],
)
def test_a_yaml_document_of_more_nodes_than_the_limit(text):
    source = f"openapi: 3.1.0\ninfo: {{title: t, version: '1'}}\npaths: {{}}\n{text}\n".encode()
    with pytest.raises(exceptions.UnsafeDocument, match="more than 1,000 keys and values") as caught:
        dynclient.load(source, limits=Limits(document_nodes=1_000))
    assert "document_nodes" in caught.value.hint
    dynclient.load(source, limits=Limits(document_nodes=20_000))


def test_a_json_document_of_more_nodes_than_the_limit():
    source = json.dumps({**HEAD, "x": [{"a": 1}] * 1_000, "y": ",:{" * 1_000}).encode()
    with pytest.raises(exceptions.UnsafeDocument, match="more than 3,000 keys and values"):
        dynclient.load(source, limits=Limits(document_nodes=3_000))
    dynclient.load(source, limits=Limits(document_nodes=3_100))


@pytest.mark.parametrize("engine", ["auto", "jsonschema"])
@pytest.mark.parametrize("keyword", ["allOf", "anyOf"])
def test_unevaluated_items_beside_many_contains(keyword, engine):
    schema = {keyword: [{"contains": {"const": -n}} for n in range(1, 60)], "unevaluatedItems": False}
    body = json.dumps(list(range(5_000))).encode()
    started = time.thread_time()
    with (
        dynclient.load(
            described(JSON, schema), transport=Canned(JSON, body), timeout=60, validate=Validation(engine=engine)
        ) as client,
        pytest.raises(exceptions.ResponseValidationError),
    ):
        client.get_open()
    assert time.thread_time() - started < 3


def test_a_long_text_of_xml_takes_linear_time():
    body = b"<a>" + b"&lt;\n" * 1_000_000 + b"</a>"
    schema = {"type": "object", "properties": {"#text": {"type": "string"}}}
    started = time.thread_time()
    with dynclient.load(described(XML, schema), transport=Canned(XML, body), validate="off") as client:
        assert len(str(client.get_open())) >= 2_000_000
    assert time.thread_time() - started < 3
