"""Streamed calls, of a Client and of an AsyncClient on asyncio and trio: the same cases over each."""

from __future__ import annotations

import contextlib
import gzip
import inspect
import os
import socket
import threading
from contextlib import asynccontextmanager
from functools import partial

import anyio
import pytest

import dynclient
from dynclient import exceptions
from dynclient.options import Limits, Timeout

ITEM = {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}
EVENT = {"type": "object", "required": ["data"], "properties": {"data": {"maxLength": 5}}}
CONTENT = {
    "application/jsonl": {"itemSchema": ITEM},
    "application/json-seq": {"schema": {"type": "array", "items": ITEM}},
    "text/event-stream": {"itemSchema": EVENT},
    "application/json": {"schema": {"type": "array", "items": ITEM}},
    "text/plain": {},
    "audio/wav": {},
}
DOCUMENT = {
    "openapi": "3.2.0",
    "info": {"title": "Streams", "version": "1"},
    "paths": {
        "/x": {
            "get": {
                "operationId": "get",
                "responses": {
                    "200": {"description": "ok", "content": CONTENT},
                    "302": {"description": "elsewhere"},
                    "404": {"description": "none", "content": {"application/json": {"schema": {"type": "object"}}}},
                },
            },
            "post": {
                "operationId": "ask",
                "requestBody": {"content": {"application/json": {}}},
                "responses": {"200": {"description": "ok", "content": CONTENT}},
            },
        }
    },
}


class Server:
    """Answers the n-th connection with the n-th pieces, and then closes it; a piece None waits for the client to."""

    def __init__(self):
        self.answers = []
        self.requests = []
        self.closed_by_client = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def answer(self, content_type, *pieces, status=200, length=None, headers=""):
        framing = f"Content-Length: {length}\r\n" if length is not None else ""
        kind = f"Content-Type: {content_type}\r\n" if content_type else ""
        head = f"HTTP/1.1 {status} So\r\n{kind}{headers}Connection: close\r\n{framing}\r\n".encode()
        self.answers.append([head, *pieces])
        return self

    def _serve(self):
        while True:
            sock, _ = self._socket.accept()
            with sock, contextlib.suppress(OSError):
                data = sock.recv(65_536)
                if not data:
                    return
                self.requests.append(data)
                for piece in self.answers[min(len(self.requests), len(self.answers)) - 1]:
                    if piece is None:
                        while sock.recv(100):
                            pass
                        self.closed_by_client.set()
                    else:
                        sock.sendall(piece)

    def close(self):
        with socket.create_connection(self._socket.getsockname()):
            pass
        self._thread.join(10)
        self._socket.close()


@pytest.fixture
def server():
    made = Server()
    yield made
    made.close()


class Answer:
    """An answer of either client, behind one asynchronous interface."""

    def __init__(self, answer):
        self.answer = answer

    async def every(self, method, *args, **keywords):
        found = []
        await self.each(found.append, method, *args, **keywords)
        return found

    async def each(self, take, method, *args, **keywords):
        pieces = getattr(self.answer, method)(*args, **keywords)
        if hasattr(pieces, "__anext__"):
            async for piece in pieces:
                take(piece)
        else:
            for piece in pieces:
                take(piece)

    async def call(self, method, *args, **keywords):
        result = getattr(self.answer, method)(*args, **keywords)
        return await result if inspect.isawaitable(result) else result


@asynccontextmanager
async def opened(kind, server, operation, args, options):
    given = {"base_url": server.url, "timeout": Timeout(read=2), **options}
    if kind == "sync":
        with (
            dynclient.load(DOCUMENT, **given) as client,
            getattr(client, operation).stream(*args) as answer,
        ):
            yield Answer(answer)
    else:
        async with (
            dynclient.AsyncClient.load(DOCUMENT, **given) as client,
            getattr(client, operation).stream(*args) as answer,
        ):
            yield Answer(answer)


@pytest.fixture(params=["sync", "asyncio", "trio"])
def streaming(request, server):
    """Run ``use(answer)`` on a streamed call."""

    def run(use, operation="get", args=(), **options):
        async def main():
            async with opened(request.param, server, operation, args, options) as answer:
                return await use(answer)

        backend = "asyncio" if request.param == "sync" else request.param
        return anyio.run(main, backend=backend)

    return run


def every(method, *args, **keywords):
    return lambda answer: answer.every(method, *args, **keywords)


def calling(method, *args, **keywords):
    return lambda answer: answer.call(method, *args, **keywords)


# content type, pieces on the wire, what is asked -> what is given
GIVEN = {
    "bytes": ("audio/wav", [b"abc", b"de"], every("iter_bytes", 2), [b"ab", b"cd", b"e"]),
    "text": ("text/plain; charset=latin-1", [b"\xe4\n"], every("iter_text"), ["\u00e4\n"]),
    "lines": ("text/plain", [b"a\r", b"\nb"], every("iter_lines"), ["a", "b"]),
    "jsonl": ("application/jsonl", [b'{"n": 1}\n{"n"', b": 2}\n"], every("iter_items"), [{"n": 1}, {"n": 2}]),
    "json-seq": ("application/json-seq", [b'\x1e{"n": 1}\n'], every("iter_items"), [{"n": 1}]),
    "events": ("text/event-stream", [b"id: 7\nda", b"ta: a\n\n"], every("iter_items"), [{"id": "7", "data": "a"}]),
    "an array": ("application/json", [b'[{"n": 1}, ', b'{"n": 2}]'], every("iter_items"), [{"n": 1}, {"n": 2}]),
    "all": ("text/plain", [b"abc", b"de"], calling("read"), b"abcde"),
    "nothing": ("text/plain", [], calling("read"), b""),
}


@pytest.mark.parametrize("case", GIVEN.values(), ids=GIVEN)
def test_pieces(case, streaming, server):
    content_type, pieces, use, expected = case
    server.answer(content_type, *pieces)
    assert streaming(use) == expected


def test_the_head_is_there_before_the_body(streaming, server):
    server.answer("text/event-stream; charset=utf-8", None, headers="X-A: 1\r\n")

    async def look(answer):
        raw = answer.answer
        assert "200" in repr(raw)
        return raw.status, raw.headers["x-a"], raw.content_type, raw.attempts

    assert streaming(look) == (200, "1", "text/event-stream; charset=utf-8", 1)
    assert server.closed_by_client.wait(10), "leaving early closes the connection"


class Enough(Exception):
    """Who reads has seen enough."""


def test_leaving_in_the_middle_closes_the_connection(streaming, server):
    server.answer("text/event-stream", b"data: a\n\ndata: b\n\n", None)

    def stop(_):
        raise Enough

    with pytest.raises(Enough):
        streaming(lambda answer: answer.each(stop, "iter_items"))
    assert server.closed_by_client.wait(10)


def test_a_size_is_at_least_one_byte(streaming, server):
    for size in (0, -1, 1.5):
        server.answer("audio/wav", b"ab")
        with pytest.raises(exceptions.ArgumentError, match=f"a number of bytes from 1, not {size}"):
            streaming(every("iter_bytes", size))


def test_a_closed_answer_says_so(streaming, server):
    server.answer("text/plain", b"abc")

    async def keep(answer):
        return answer

    answer = streaming(keep)
    with pytest.raises(exceptions.RequestError, match="closed"):
        anyio.run(partial(answer.call, "read"))


JSON, LINES = "application/json", "application/jsonl"
SMALL = {"limits": Limits(response_bytes=9)}
# status, content type, body, options -> the error of a plain call, its data
ERRORS = {
    "documented": (404, JSON, b'{"a": 1}', {}, exceptions.NotFound, {"a": 1}),
    "undocumented": (409, JSON, b'{"a": 1}', {}, exceptions.UndocumentedStatus, {"a": 1}),
    "undocumented 404": (410, JSON, b'{"a": 1}', {}, exceptions.Gone, {"a": 1}),
    "another success": (202, "text/html", b"<p>", {}, exceptions.UndocumentedStatus, None),
    "another type": (200, "text/html", b"<p>", {}, exceptions.UnexpectedMediaType, None),
    "too large": (404, JSON, b"x" * 99, SMALL, exceptions.ResponseTooLarge, None),
}


@pytest.mark.parametrize("case", ERRORS.values(), ids=ERRORS)
def test_error_statuses_raise_as_in_a_plain_call(case, streaming, server):
    status, content_type, body, options, error_class, data = case
    server.answer(content_type, body, status=status)
    with pytest.raises(error_class) as caught:
        streaming(calling("read"), **options)
    error = caught.value
    assert (error.status, error.data, error.operation_id, error.attempts) == (status, data, "get", 1)


def test_an_endless_answer_of_another_type_is_refused_at_once(streaming, server):
    server.answer("text/html", b"<p>", None)
    with pytest.raises(exceptions.UnexpectedMediaType):
        streaming(calling("read"), timeout=Timeout(total=None, read=None))


def test_an_error_is_repeated_first(streaming, server):
    server.answer("text/plain", b"busy", status=503, headers="Retry-After: 0\r\n").answer("text/plain", b"ok")
    assert streaming(calling("read")) == b"ok"


def test_a_documented_redirect_is_an_answer(streaming, server):
    server.answer(None, status=302, length=0, headers="Location: /y\r\n")

    async def look(answer):
        return answer.answer.status, answer.answer.headers["location"], await answer.call("read")

    assert streaming(look) == (302, "/y", b"")


DECODE, VALIDATION = exceptions.DecodeError, exceptions.ResponseValidationError
# content type, body, what is asked -> what came before, the error, what is told
BROKEN = {
    "an item that is no JSON": (LINES, b'{"n": 1}\n{\n', "iter_items", [{"n": 1}], DECODE, "the item at byte 9"),
    "the remedy": (LINES, b"{\n", "iter_items", [], DECODE, "iter_lines() give"),
    "an item": (LINES, b'{"n": 1}\n{"n": "x"}\n', "iter_items", [{"n": 1}], VALIDATION, "$[1].n"),
    "an event": ("text/event-stream", b"data: too long\n\n", "iter_items", [], VALIDATION, "$[0].data"),
    "an array's item": (JSON, b'[{"n": 1}, {}]', "iter_items", [{"n": 1}], VALIDATION, "$[1]"),
    "no array": (JSON, b"{}", "iter_items", [], DECODE, "not a sequence"),
    "no items": ("text/plain", b"a", "iter_items", [], DECODE, "not a sequence"),
    "no text": ("text/plain", b"\xff\n", "iter_lines", [], DECODE, "not text in utf-8"),
    "no charset": ("text/plain; charset=odd", b"a", "iter_text", [], DECODE, "charset"),
}


@pytest.mark.parametrize("case", BROKEN.values(), ids=BROKEN)
def test_what_is_wrong_with_the_body_shows_when_it_is_read(case, streaming, server):
    content_type, body, method, before, error_class, text = case
    server.answer(content_type, body)
    found = []
    with pytest.raises(error_class) as caught:
        streaming(lambda answer: answer.each(found.append, method))
    assert found == before
    error = caught.value
    assert (error.status, error.operation_id, error.request.method) == (200, "get", "GET")
    assert text in str(error)


def test_items_are_taken_as_they_are_without_validation(streaming, server):
    server.answer("application/jsonl", b'{"n": "x"}\n')
    assert streaming(every("iter_items"), validate="off") == [{"n": "x"}]


def test_what_is_cut_is_an_error(streaming, server):
    server.answer("text/plain", b"abc", length=9)
    with pytest.raises(exceptions.ConnectionLost) as caught:
        streaming(calling("read"))
    assert (caught.value.operation_id, caught.value.attempts) == ("get", 1)


def test_the_deadline_holds_for_each_chunk(streaming, server):
    server.answer("text/event-stream", b"data: a\n\n", None)
    with pytest.raises(exceptions.TimeoutError):
        streaming(every("iter_items"), timeout=Timeout(total=0.2))


def test_what_is_kept_in_memory_is_limited_and_the_rest_is_not(streaming, server):
    packed = gzip.compress(b"x" * 100_000)
    server.answer("audio/wav", packed, headers="Content-Encoding: gzip\r\n")
    small = Limits(response_bytes=1000)
    assert len(b"".join(streaming(every("iter_bytes"), limits=small))) == 100_000
    with pytest.raises(exceptions.ResponseTooLarge) as caught:
        streaming(calling("read"), limits=small)
    assert (caught.value.limit, caught.value.operation_id) == ("response_bytes", "get")


def test_saving(streaming, server, tmp_path):
    server.answer("audio/wav", b"abc", b"de", length=5)
    target = tmp_path / "a.wav"
    target.write_bytes(b"old")
    told = []
    path = streaming(calling("save", target, progress=lambda *numbers: told.append(numbers)))
    assert (path, target.read_bytes(), told[-1]) == (target, b"abcde", (5, 5))
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
@pytest.mark.parametrize("mode", [0o600, 0o400, 0o640, 0o755])
def test_a_file_that_is_replaced_keeps_its_permissions(mode, streaming, server, tmp_path):
    target = tmp_path / "file.bin"
    target.write_bytes(b"old")
    target.chmod(mode)
    server.answer("audio/wav", b"new", length=3)
    streaming(calling("save", target))
    assert target.read_bytes() == b"new"
    assert target.stat().st_mode & 0o7777 == mode


@pytest.mark.parametrize("fault", ["cut", "progress"])
def test_a_file_is_saved_whole_or_not_at_all(fault, streaming, server, tmp_path):
    server.answer("audio/wav", b"abc", length=9 if fault == "cut" else 3)
    target = tmp_path / "a.wav"
    target.write_bytes(b"old")

    def progress(*_):
        if fault == "progress":
            raise Enough

    with pytest.raises((exceptions.ConnectionLost, Enough)):
        streaming(calling("save", str(target), progress=progress))
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a.wav", b"old")]


@pytest.mark.parametrize("place", ["", "missing/a.wav"])
def test_where_nothing_can_be_saved(place, streaming, server, tmp_path):
    server.answer("audio/wav", b"abc", length=3)
    with pytest.raises(OSError, match="directory"):
        streaming(calling("save", tmp_path / place))
    assert list(tmp_path.iterdir()) == []


def test_a_link_stays_one(streaming, server, tmp_path):
    server.answer("audio/wav", b"abc", length=3)
    (tmp_path / "link").symlink_to(tmp_path / "a.wav")
    streaming(calling("save", tmp_path / "link"))
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "a.wav").read_bytes() == b"abc"


def ids(server):
    lines = [line for request in server.requests for line in request.split(b"\r\n")]
    return [line.partition(b": ")[2] for line in lines if line.lower().startswith(b"last-event-id")]


@pytest.mark.parametrize("ending", [{}, {"length": 999}], ids=["at its end", "where it breaks off"])
def test_events_go_on_where_they_ended(ending, streaming, server):
    server.answer("text/event-stream", b"id: \xc3\xa4\nretry: 1\ndata: a\n\nid: 2\ndata: b", **ending)
    server.answer("text/event-stream", b"data: c\n\n").answer(None, status=204)
    found = streaming(every("iter_items", reconnect=1))
    assert [event["data"] for event in found] == ["a", "c"]
    assert ids(server) == [b"\xc3\xa4", b"\xc3\xa4"]


def test_reconnecting_ends_when_nothing_comes(streaming, server):
    server.answer("text/event-stream", b"retry: 1\ndata: a\n\n").answer("text/event-stream", b"")
    assert len(streaming(every("iter_items", reconnect=2))) == 1
    assert len(server.requests) == 3


def test_reconnecting_ends_with_the_deadline(streaming, server):
    server.answer("text/event-stream", b"retry: 9999999999999999999999\ndata: a\n\n")
    found = []
    with pytest.raises(exceptions.TimeoutError, match="reopened"):
        streaming(lambda answer: answer.each(found.append, "iter_items", reconnect=9), timeout=Timeout(total=5))
    assert len(found) == 1


def test_reconnecting_is_asked_for(streaming, server):
    server.answer("text/event-stream", b"retry: 1\ndata: a\n\n")
    assert len(streaming(every("iter_items"))) == 1
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("content_type", "operation", "args"), [("application/jsonl", "get", ()), ("text/event-stream", "ask", ({},))]
)
def test_what_can_not_be_reconnected(content_type, operation, args, streaming, server):
    server.answer(content_type, b"")
    with pytest.raises(exceptions.ArgumentError, match="reconnected"):
        streaming(every("iter_items", reconnect=1), operation, args)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_cancelling_closes_the_connection(backend, server):
    server.answer("text/event-stream", b"data: a\n\n", None)

    async def main():
        async with opened("async", server, "get", (), {"timeout": None}) as answer:
            with anyio.move_on_after(0.2) as scope:
                await answer.every("iter_items")
            assert scope.cancelled_caught

    anyio.run(main, backend=backend)
    assert server.closed_by_client.wait(10)


def test_a_plain_call_that_does_not_end_points_to_stream(server):
    server.answer("text/event-stream", b"data: a\n\n", None)
    client = dynclient.load(DOCUMENT, base_url=server.url, timeout=Timeout(read=0.2), retry=None)
    with pytest.raises(exceptions.TimeoutError, match=r"Hint: .*client\.get\.stream\("):
        client.get()
