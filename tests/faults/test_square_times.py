"""Long responses cost time in proportion to their length, not to its square or to the size of the document.

Processor time of this thread, with generous bounds: most of these once took many times as much.
"""

from __future__ import annotations

import json
import time

import pytest
from case import document

import dynclient
from dynclient import codecs, exceptions
from dynclient.messages import Headers, Response
from dynclient.options import Limits


class Canned:
    def __init__(self, body):
        self.body = body

    def send(self, send):
        return Response(200, Headers({"Content-Type": "application/json"}), self.body, send.request)

    def close(self):
        """Do nothing: there are no connections."""


def refused(value, schema):
    source = document("http://127.0.0.1:9")
    source["paths"]["/open"]["get"]["responses"]["200"]["content"]["application/json"]["schema"] = schema
    with dynclient.load(source, transport=Canned(json.dumps(value).encode()), retry=1) as client:
        started = time.thread_time()
        with pytest.raises(exceptions.ResponseValidationError) as caught:
            client.get_open()
        return time.thread_time() - started, caught.value


def test_a_long_list_of_what_an_enum_does_not_have():
    seconds, error = refused(["x"] * 30_000, {"type": "array", "items": {"enum": [str(i) for i in range(1000)]}})
    assert len(error.errors) == 20
    assert seconds < 3


def test_a_long_list_that_is_wrong_at_its_end():
    schema = {"type": "array", "items": {"enum": [str(i) for i in range(1000)]}}
    seconds, error = refused(["999"] * 30_000 + ["x"], schema)
    assert [fault.path for fault in error.errors] == ["$[30000]"]
    assert seconds < 6


def test_a_long_text_that_should_be_an_expression():
    seconds, _ = refused("(a+)+" * 100_000, {"type": "string", "format": "regex"})
    assert seconds < 1


def test_a_record_that_never_ends():
    records = codecs.find("application/json-seq").split(None, Limits())
    started = time.thread_time()
    assert list(records.feed(b'\x1e["')) == []
    for _ in range(500):
        assert list(records.feed(b"x" * 16_383 + b"\n")) == []
    assert time.thread_time() - started < 3


def test_a_record_in_lines_is_given_when_it_is_whole():
    records = codecs.find("application/json-seq").split(None, Limits())
    found = [value for line in (b"\x1e[\n", b"1,\n", b"2\n", b"]\n") for value in records.feed(line)]
    assert found == [[1, 2]]


CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n"
LENGTH = b"Content-Length: 2\r\n\r\n{}"
BLANKS = b" " * 60_000


@pytest.mark.parametrize(
    "rest",
    [
        CHUNKED + b"".join(b"X%d: a" % number + BLANKS + b"b\r\n" for number in range(50)) + b"\r\n",
        CHUNKED + b"X: a" + BLANKS + b"b\n\n",
        CHUNKED.replace(b"2\r", b"2;a=" + BLANKS + b"\r") + b"\r\n",
        b"".join(b"X%d: a" % number + BLANKS + b"b\r\n" for number in range(50)) + LENGTH,
        b"X: a\r\n" + BLANKS + b"b\r\n" + LENGTH,
        b"X: a" + BLANKS + b"b\nContent-Length: 2\n\n{}",
    ],
    ids=[
        "trailers",
        "a trailer with bare line feeds",
        "a chunk extension",
        "headers",
        "a folded line",
        "bare line feeds",
    ],
)
def test_blanks_in_headers_and_trailers(rest, serve):
    server = serve(("ask", b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + rest))
    with dynclient.load(document(server.url), retry=1) as client:
        started = time.thread_time()
        assert client.get_open() == {}
    assert time.thread_time() - started < 2


def test_thousands_of_operations_of_one_name():
    answers = {"200": {"description": "ok"}}
    paths = {f"/p{i}": {"get": {"operationId": "same" + "-" * (i % 3), "responses": answers}} for i in range(8000)}
    started = time.thread_time()
    source = {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": paths}
    client = dynclient.load(source, base_url="http://h.example")
    assert client.same_8000.prepare().url == "http://h.example/p7999"
    assert time.thread_time() - started < 8
