"""Bodies that are read or written in chunks, with each kind of transport."""

from __future__ import annotations

import gzip
import io
from dataclasses import replace

import anyio
import pytest

from dynclient import exceptions
from dynclient.options import Limits, Timeout

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
QUICK = Timeout(connect=2, read=2, write=2, total=10, pool=2)


async def until(condition) -> None:
    with anyio.fail_after(10):
        while not condition():  # noqa: ASYNC110  # what is waited for happens in threads, which set no Event
            await anyio.sleep(0.001)


def sync_chunks(transport, send, between=lambda: None):
    chunks = []
    body = transport.send(send).body
    try:
        for chunk in body:
            chunks.append(chunk)
            between()
    finally:
        body.close()
    return chunks


def async_chunks(way, transport, send, between=lambda: None):
    async def main():
        sending = way.asynchronous(transport)
        body = (await sending.send(send)).body
        chunks = []
        try:
            async for chunk in body:
                chunks.append(chunk)
                between()
        finally:
            await body.aclose()
            assert way.is_free(transport, sending)
        return chunks

    return anyio.run(main, backend=way.backend)


@pytest.fixture
def chunks(way):
    return sync_chunks if way.backend is None else lambda *args: async_chunks(way, *args)


@pytest.fixture
def streamed(make):
    return lambda *args, **more: make(*args, **more)._replace(stream=True)


def test_chunks_come_as_they_are_sent(chunks, serve, streamed, transport):
    server = serve(("ask", HEAD + b"abc", "wait", b"def", "ask", OK))
    assert chunks(transport, streamed(server.url + "/x"), server.go.set) == [b"abc", b"def"]
    assert chunks(transport, streamed(server.url + "/y")) == [b"ok"]
    assert server.connections == 1, "a body that was read to its end leaves the connection usable"


def test_closing_early_closes_the_connection(serve, streamed, transport):
    server = serve(("ask", HEAD + b"abc", "until_closed"), ("ask", OK))
    body = transport.send(streamed(server.url + "/x")).body
    assert next(body) == b"abc"
    body.close()
    assert server.ended.acquire(timeout=10)
    assert list(body) == []
    assert sync_chunks(transport, streamed(server.url + "/y")) == [b"ok"]


def test_closing_early_closes_the_connection_and_gives_the_place_back(tasks_way, serve, streamed, narrow):
    server = serve(("ask", HEAD + b"abc", "until_closed"), ("ask", OK))

    async def main():
        sending = tasks_way.asynchronous(narrow)
        body = (await sending.send(streamed(server.url + "/x"))).body
        assert await anext(body) == b"abc"
        await body.aclose()
        await body.aclose()
        assert server.ended.acquire(timeout=10)
        assert (await sending.send(streamed(server.url + "/y")._replace(stream=False))).body == b"ok"

    anyio.run(main, backend=tasks_way.backend)


def test_cancelling_a_read_closes_the_connection(tasks_way, serve, streamed, narrow):
    server = serve(("ask", HEAD + b"abc", "until_closed"))

    async def main():
        sending = tasks_way.asynchronous(narrow)
        body = (await sending.send(streamed(server.url + "/x"))).body
        assert await anext(body) == b"abc"
        with anyio.move_on_after(0.05) as scope:
            await anext(body)
        assert scope.cancelled_caught
        await until(lambda: tasks_way.is_free(narrow, sending))
        assert [chunk async for chunk in body] == []

    anyio.run(main, backend=tasks_way.backend)
    assert server.ended.acquire(timeout=10)


# what comes after the head and "abc", limits, time-out -> error
FAULTS = {
    "cut": ((), Limits(), QUICK, exceptions.ConnectionLost),
    "silence": (("hang",), Limits(), replace(QUICK, read=0.1), exceptions.TimeoutError),
}


@pytest.mark.parametrize("case", FAULTS.values(), ids=FAULTS)
def test_what_goes_wrong_on_the_way(case, chunks, serve, streamed, transport):
    script, limits, timeout, error_class = case
    server = serve(("ask", HEAD + b"abc", *script))
    with pytest.raises(error_class):
        chunks(transport, streamed(server.url + "/x", limits=limits, timeout=timeout))


def test_the_deadline_holds_over_all_chunks(chunks, serve, streamed, transport):
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"
    server = serve(("ask", head, ("drip", b"x")))
    timeout = Timeout(connect=2, read=2, write=2, total=0.3, pool=2)
    with pytest.raises(exceptions.TimeoutError, match="the call's time"):
        chunks(transport, streamed(server.url + "/x", timeout=timeout))


def test_a_streamed_body_has_a_limit_of_its_own(chunks, serve, streamed, transport):
    packed = gzip.compress(b"x" * 100_000)
    head = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
    server = serve(("ask", head + packed), ("ask", HEAD + b"abcdef"), ("ask", head + packed))
    wide = Limits(response_bytes=10, encoded_response_bytes=10)
    assert len(b"".join(chunks(transport, streamed(server.url + "/x", limits=wide)))) == 100_000
    with pytest.raises(exceptions.ResponseTooLarge, match="larger than 5 bytes") as caught:
        chunks(transport, streamed(server.url + "/x", limits=Limits(streamed_response_bytes=5)))
    assert caught.value.limit == "streamed_response_bytes"
    assert "Limits(streamed_response_bytes=" in caught.value.hint
    with pytest.raises(exceptions.ResponseTooLarge, match="larger than 99,999 bytes"):
        chunks(transport, streamed(server.url + "/x", limits=Limits(streamed_response_bytes=99_999)))


class Sized:
    """An iterator that tells its length."""

    def __init__(self, pieces, length):
        self._pieces = iter(pieces)
        self.length = length

    def __iter__(self):
        return self

    def __next__(self):
        return next(self._pieces)


class AsyncSized:
    """The same, asynchronous."""

    def __init__(self, pieces, length):
        self._pieces = iter(pieces)
        self.length = length

    def __aiter__(self):
        return self

    async def __anext__(self):
        for piece in self._pieces:
            return piece
        raise StopAsyncIteration


UPLOADS = {
    "a file": (lambda: io.BytesIO(b"abcd"), b"Content-Length: 4\r\n", b"abcd"),
    "an iterator": (
        lambda: iter([b"ab", b"", b"cd"]), b"Transfer-Encoding: chunked\r\n", b"2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n",
    ),
    "an iterator with a length": (lambda: Sized([b"ab", b"cd"], 4), b"Content-Length: 4\r\n", b"abcd"),
}  # fmt: skip


@pytest.mark.parametrize("case", UPLOADS.values(), ids=UPLOADS)
def test_uploads(case, way, serve, make, transport):
    body, framing, sent = case
    server = serve(("ask", OK))
    assert way(transport, make(server.url + "/x", "POST", body())).body == b"ok"
    head, _, rest = server.requests[0].partition(b"\r\n\r\n")
    assert framing in head + b"\r\n"
    assert rest == sent


@pytest.mark.parametrize(
    ("length", "framing"), [(4, b"content-length: 4"), (None, b"transfer-encoding: chunked")], ids=["known", "unknown"]
)
def test_asynchronous_uploads(length, framing, tasks_way, serve, make, transport):
    server = serve(("ask", OK))
    send = make(server.url + "/x", "POST", AsyncSized([b"ab", b"cd"], length))
    assert tasks_way(transport, send).body == b"ok"
    assert framing in server.requests[0].lower()


@pytest.mark.parametrize(("pieces", "what"), [([b"abcde"], "longer"), ([b"abc"], "shorter")])
def test_a_wrong_length_is_told_before_the_server_is_misled(pieces, what, way, serve, make, transport):
    server = serve(("ask_head", "until_closed"))
    with pytest.raises(exceptions.ArgumentError, match=what):
        way(transport, make(server.url + "/x", "POST", Sized(pieces, 4)))


def test_cancelling_an_upload_that_waits_for_its_source(tasks_way, serve, make, narrow):
    server = serve(("ask_head", "until_closed"))

    async def main():
        sending = tasks_way.asynchronous(narrow)
        begun = anyio.Event()

        async def source():
            yield b"ab"
            begun.set()
            await anyio.sleep_forever()

        body = source()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(sending.send, make(server.url + "/x", "POST", body))
            await begun.wait()
            tasks.cancel_scope.cancel()
        await until(lambda: tasks_way.is_free(narrow, sending))
        await body.aclose()

    anyio.run(main, backend=tasks_way.backend)
    assert server.ended.acquire(timeout=10)


def test_waiting_for_a_place_ends(tasks_way, serve, streamed, narrow):
    server = serve(("ask", HEAD + b"abc", "until_closed"))

    async def main():
        sending = tasks_way.asynchronous(narrow)
        first = (await sending.send(streamed(server.url + "/x"))).body
        with pytest.raises(exceptions.PoolTimeout):
            await sending.send(streamed(server.url + "/y", timeout=replace(QUICK, pool=0.05)))
        await first.aclose()

    anyio.run(main, backend=tasks_way.backend)
