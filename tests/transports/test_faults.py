"""Failures between a client and a server, one per row."""

from __future__ import annotations

import gzip
import socket
import sys
import threading
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import brotli
import pytest

from dynclient import exceptions
from dynclient.options import Limits, Timeout

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
SHORT = Timeout(connect=2, read=0.15, write=0.15, total=10, pool=2)
LATE = Timeout(connect=2, read=2, write=2, total=0.2, pool=2)
LOST, BROKEN = exceptions.ConnectionLost, exceptions.ProtocolError
BIG = b"x" * 30_000_000


def answer(body: bytes, *fields: bytes, length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    return b"\r\n".join([b"HTTP/1.1 200 OK", b"Content-Length: %d" % size, *fields, b"", body])


def head(*lines: bytes) -> bytes:
    return b"\r\n".join([b"HTTP/1.1 200 OK", *lines, b"", b""])


CHUNKED = head(b"Transfer-Encoding: chunked")


class Fault(NamedTuple):
    name: str
    script: tuple[Any, ...]
    error: type[Exception]
    text: str = "."
    phase: str | None = None
    method: str = "GET"
    body: bytes | None = None
    timeout: Timeout = Timeout(connect=2, read=2, write=2, total=10, pool=2)
    limits: Limits = Limits()
    unknown: bool = True


FAULTS = [
    # T1, T2: no answer at all
    Fault("reset_before_response", ("ask", "reset"), LOST),
    Fault("reset_before_response_post", ("ask", "reset"), LOST, method="POST", body=b"{}"),
    Fault("close_before_response", ("ask",), LOST, "closed the connection"),
    Fault("close_in_status_line", ("ask", b"HTTP/1.1 20"), LOST),
    Fault("close_in_headers", ("ask", b"HTTP/1.1 200 OK\r\nContent-Le"), LOST),
    # T5: less than was promised
    Fault("truncated_content_length", ("ask", answer(b"abc", length=10)), LOST),
    Fault("truncated_valid_json", ("ask", answer(b'{"a": 1}', length=9)), LOST),
    Fault("chunked_no_terminator", ("ask", CHUNKED + b"2\r\nok\r\n"), LOST),
    Fault("chunked_cut_in_size", ("ask", CHUNKED + b"2\r\nok\r\n1"), LOST),
    Fault("chunked_cut_in_data", ("ask", CHUNKED + b"5\r\nok"), LOST),
    Fault("chunked_cut_in_trailer", ("ask", CHUNKED + b"0\r\nx: y\r\n"), LOST),
    # T6: no HTTP
    Fault("garbage", ("ask", b"\x00\xff" * 40 + b"\n"), BROKEN, "status line"),
    Fault("http_09", ("ask", b"<html>hello</html>\n"), BROKEN),
    Fault("http_2", ("ask", b"HTTP/2.0 200 OK\r\n\r\n"), BROKEN),
    Fault("status_of_two_digits", ("ask", b"HTTP/1.1 20 OK\r\n\r\n"), BROKEN),
    Fault("two_content_lengths", ("ask", head(b"Content-Length: 2", b"Content-Length: 3") + b"okk"), BROKEN, "two"),
    Fault("two_lengths_in_one_line", ("ask", head(b"Content-Length: 2, 3") + b"okk"), BROKEN),
    Fault("signed_length", ("ask", head(b"Content-Length: +2") + b"ok"), BROKEN, "not a number"),
    Fault("negative_length", ("ask", head(b"Content-Length: -2") + b"ok"), BROKEN),
    Fault("length_and_chunked", ("ask", head(b"Content-Length: 2", b"Transfer-Encoding: chunked")), BROKEN, "both"),
    Fault("unknown_transfer_coding", ("ask", head(b"Transfer-Encoding: gzip, chunked")), BROKEN),
    Fault("bad_chunk_size", ("ask", CHUNKED + b"zz\r\nok\r\n0\r\n\r\n"), BROKEN, "chunk"),
    Fault("signed_chunk_size", ("ask", CHUNKED + b"-2\r\nok\r\n0\r\n\r\n"), BROKEN),
    Fault("prefixed_chunk_size", ("ask", CHUNKED + b"0x2\r\nok\r\n0\r\n\r\n"), BROKEN),
    Fault("chunk_longer_than_told", ("ask", CHUNKED + b"2\r\nokay\r\n0\r\n\r\n"), BROKEN),
    Fault("space_before_colon", ("ask", head(b"Content-Length : 2") + b"ok"), BROKEN, "header line"),
    Fault("line_without_colon", ("ask", head(b"nonsense") + b"ok"), BROKEN),
    Fault("nul_in_header", ("ask", head(b"x: a\0b") + b"ok"), BROKEN),
    Fault("cr_in_header", ("ask", head(b"x: a\rb") + b"ok"), BROKEN),
    Fault("bare_lf_after_chunk_size", ("ask", CHUNKED + b"2\nok\r\n0\r\n\r\n"), BROKEN, "chunk"),
    Fault("bare_lf_after_chunk", ("ask", CHUNKED + b"2\r\nok\n0\r\n\r\n"), BROKEN, "chunk"),
    # A line of blanks is no cheaper to refuse than to read, and no dearer.
    Fault("blanks_in_header", ("ask", head(b"x: " + b" " * 60_000 + b"\0")), BROKEN, "header line"),
    Fault("blanks_in_folded_header", ("ask", head(b"x: y", b" " * 60_000 + b"\0")), BROKEN, "header line"),
    Fault("blanks_in_trailer", ("ask", CHUNKED + b"0\r\nx: " + b" " * 60_000 + b"\0\r\n\r\n"), BROKEN, "header line"),
    Fault("blanks_in_chunk_size", ("ask", CHUNKED + b"2;" + b" " * 60_000 + b"\n\r\n"), BROKEN, "chunk"),
    # T7, T8: too slow
    Fault("slow_drip_headers", ("ask", b"HTTP/1.1 200 OK\r\n", ("drip", b"x: y\r\n")), exceptions.TimeoutError,
          "call's time", "read", timeout=LATE),
    Fault("slow_drip_body", ("ask", answer(b"", length=10**6), ("drip", b"x")), exceptions.TimeoutError,
          "call's time", "read", timeout=LATE),
    Fault("slow_drip_chunks", ("ask", CHUNKED, ("drip", b"1\r\nx\r\n")), exceptions.TimeoutError,
          "call's time", "read", timeout=LATE),
    Fault("never_answers", ("ask", "hang"), exceptions.TimeoutError, ".", "read", timeout=SHORT),
    Fault("never_answers_post", ("ask", "hang"), exceptions.TimeoutError, ".", "read", "POST", b"{}", SHORT),
    Fault("stalls_in_body", ("ask", answer(b"abc", length=10), "hang"), exceptions.TimeoutError, ".", "read",
          timeout=SHORT),
    Fault("never_reads_upload", ("hang",), exceptions.TimeoutError, "sending", "write", "POST", BIG, SHORT),
    # T12, T13: interim responses
    Fault("switching_101", ("ask", b"HTTP/1.1 101 Switching Protocols\r\n\r\n"), BROKEN, "protocol"),
    Fault("endless_100", ("ask", ("repeat", b"HTTP/1.1 100 Continue\r\n\r\n")), BROKEN, "interim"),
    # T16: too much of a head
    Fault("huge_header_line", ("ask", head(b"x: " + b"y" * 1_000_000)), BROKEN, "longer than 65536"),
    Fault("huge_status_line", ("ask", b"HTTP/1.1 200 " + b"y" * 1_000_000), BROKEN),
    Fault("many_headers", ("ask", head(*[b"x: y"] * 10_000)), BROKEN, "more than 100"),
    Fault("many_trailers", ("ask", CHUNKED + b"0\r\n", ("repeat", b"x: y\r\n")), BROKEN, "more than 100"),
]  # fmt: skip  # a fault reads best on one line, or two


@pytest.mark.parametrize("fault", [pytest.param(fault, id=fault.name) for fault in FAULTS])
def test_fault(fault, serve, make, way, transport):
    server = serve(fault.script, ("ask", OK))
    send = make(server.url + "/x", fault.method, fault.body, timeout=fault.timeout, limits=fault.limits)
    with pytest.raises(fault.error, match=fault.text) as caught:
        way(transport, send)
    error = caught.value
    assert error.outcome_unknown is fault.unknown
    assert getattr(error, "phase", None) == fault.phase
    assert error.request.url == send.request.url
    assert error.elapsed < 5
    assert len(server.requests) <= 1, "it is the call that repeats, never the transport"
    assert way(transport, make(server.url + "/y")).body == b"ok", "a broken connection is not used again"


class Excess(NamedTuple):
    name: str
    script: tuple[Any, ...]
    error: type[Exception]
    text: str = "."
    limit: str | None = None
    limits: Limits = Limits(response_bytes=100_000, encoded_response_bytes=50_000)


GZIP = b"Content-Encoding: gzip"
BR, ZSTD = b"Content-Encoding: br", b"Content-Encoding: zstd"
_wide = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: 27})
WIDE = _wide.compress(b"x" * 10**5) + _wide.flush()
CSV = gzip.compress(b"a,b\n" * 500)
TOO_LARGE, UNDECODABLE = exceptions.ResponseTooLarge, exceptions.DecodeError

EXCESSES = [
    Excess("gzip_bomb", ("ask", answer(gzip.compress(bytes(10**7)), GZIP)), TOO_LARGE, ".", "response_bytes"),
    Excess("deflate_bomb", ("ask", answer(zlib.compress(bytes(10**7)), b"Content-Encoding: deflate")), TOO_LARGE, ".",
           "response_bytes"),
    Excess("gzip_ratio", ("ask", answer(gzip.compress(bytes(10**7)), GZIP)), TOO_LARGE, "100 times", "ratio",
           Limits(response_bytes=None)),
    Excess("gzip_chain", ("ask", answer(b"", b"Content-Encoding: gzip, gzip, gzip", length=9)), TOO_LARGE, "than 2",
           "codings"),
    Excess("gzip_bomb_in_gzip", ("ask", answer(gzip.compress(gzip.compress(bytes(10**8))),
           b"Content-Encoding: gzip, gzip")), TOO_LARGE, ".", "response_bytes"),
    Excess("unknown_coding", ("ask", answer(b"abc", b"Content-Encoding: lzma")), UNDECODABLE, "not requested"),
    Excess("brotli_bomb", ("ask", answer(brotli.compress(bytes(10**7)), BR)), TOO_LARGE, "100,000", "response_bytes"),
    Excess("brotli_ratio", ("ask", answer(brotli.compress(bytes(10**7)), BR)), TOO_LARGE, "100 times", "ratio",
           Limits(response_bytes=None)),
    Excess("truncated_brotli", ("ask", answer(brotli.compress(b"abc" * 99)[:-4], BR)), UNDECODABLE, "cut off"),
    Excess("brotli_that_is_none", ("ask", answer(b"{{{{", BR)), UNDECODABLE, "corrupt"),
    Excess("brotli_then_garbage", ("ask", answer(brotli.compress(b"abc") + b"more", BR)), UNDECODABLE, "corrupt"),
    Excess("zstd_bomb", ("ask", answer(zstd.compress(bytes(10**7)), ZSTD)), TOO_LARGE, "100,000", "response_bytes"),
    Excess("zstd_bomb_of_frames", ("ask", answer(zstd.compress(b"a" * 90) * 2000, ZSTD)), TOO_LARGE, "100,000",
           "response_bytes"),
    Excess("zstd_of_a_wide_window", ("ask", answer(WIDE, ZSTD)), UNDECODABLE, "corrupt"),
    Excess("truncated_zstd", ("ask", answer(zstd.compress(b"abc" * 99)[:-4], ZSTD)), UNDECODABLE, "cut off"),
    Excess("zstd_then_garbage", ("ask", answer(zstd.compress(b"abc") + b"more", ZSTD)), UNDECODABLE, "corrupt"),
    Excess("truncated_gzip_csv", ("ask", answer(CSV[:-20], GZIP)), UNDECODABLE, "cut off"),
    Excess("gzip_of_one_byte", ("ask", answer(CSV[:1], GZIP)), UNDECODABLE, "cut off"),
    Excess("gzip_without_trailer", ("ask", answer(CSV[:-8], GZIP)), UNDECODABLE, "cut off"),
    Excess("gzip_bad_crc", ("ask", answer(CSV[:-8] + b"\0" * 4 + CSV[-4:], GZIP)), UNDECODABLE, "corrupt"),
    Excess("gzip_that_is_none", ("ask", answer(b"{}", GZIP)), UNDECODABLE, "corrupt"),
    Excess("gzip_then_garbage", ("ask", answer(CSV + b"more", GZIP)), UNDECODABLE),
    Excess("deflate_then_garbage", ("ask", answer(zlib.compress(b"x") + b"more", b"Content-Encoding: deflate")),
           UNDECODABLE),
    Excess("huge_content_length", ("ask", answer(b"", length=10**12), "hang"), TOO_LARGE, ".",
           "encoded_response_bytes"),
    Excess("length_over_decoded", ("ask", answer(b"", length=200), "hang"), TOO_LARGE, ".", "response_bytes",
           Limits(response_bytes=100)),
    Excess("endless_body", ("ask", head(), ("repeat", b"x" * 1000)), TOO_LARGE, ".", "encoded_response_bytes"),
    Excess("endless_chunks", ("ask", CHUNKED, ("repeat", b"3e8\r\n" + b"x" * 1000 + b"\r\n")), TOO_LARGE, ".",
           "encoded_response_bytes"),
]  # fmt: skip  # as above


@pytest.mark.parametrize("excess", [pytest.param(excess, id=excess.name) for excess in EXCESSES])
def test_excess(excess, serve, make, way, transport):
    server = serve(excess.script, ("ask", OK))
    with pytest.raises(excess.error, match=excess.text) as caught:
        way(transport, make(server.url + "/x", limits=excess.limits))
    error = caught.value
    assert getattr(error, "limit", None) == excess.limit
    assert error.status == 200
    assert len(error.response.body) <= 1024
    assert way(transport, make(server.url + "/y")).body == b"ok"
    assert server.connections == 2, "what is left of a response is never drained"


def test_refused_connection(make, way, transport):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(exceptions.ConnectError, match="refused") as caught:
        way(transport, make(f"http://127.0.0.1:{port}/x"))
    assert not caught.value.outcome_unknown


def test_unknown_host(make, way, transport):
    with pytest.raises(exceptions.ConnectError, match="can't be found"):
        way(transport, make("http://nowhere.invalid/x"))


@pytest.mark.parametrize(
    ("timeout", "error"),
    [(Timeout(connect=0.15), exceptions.ConnectError), (Timeout(total=0.15), exceptions.TimeoutError)],
)
def test_black_hole(timeout, error, make, transport, monkeypatch):
    def never(sock: socket.socket, address: Any) -> None:
        threading.Event().wait(sock.gettimeout())
        raise TimeoutError("timed out")

    monkeypatch.setattr(socket.socket, "connect", never)
    with pytest.raises(error) as caught:
        transport.send(make("http://192.0.2.1/x", timeout=timeout))
    assert not caught.value.outcome_unknown


def test_all_addresses_share_the_time_and_the_first_that_answers_wins(serve, make, transport, monkeypatch):
    server = serve(("ask", OK))
    here = socket.getaddrinfo("127.0.0.1", server.port, type=socket.SOCK_STREAM)
    nowhere = [(*entry[:4], ("127.0.0.9", 1)) for entry in here]
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *rest, **more: [*nowhere, *here] if host == "two.test" else here
    )
    response = transport.send(make(f"http://two.test:{server.port}/x"))
    assert response.body == b"ok"
    assert b"Host: two.test:" in server.requests[0]


EARLY = b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig"


@pytest.mark.parametrize("then", ["hang", "finish"])
def test_early_answer_to_an_upload_counts(then, serve, make, way, transport):
    server = serve(("ask_head", EARLY, then), ("ask", OK))
    response = way(transport, make(server.url + "/x", "POST", BIG, timeout=SHORT))
    assert (response.status, response.body) == (413, b"big")
    assert way(transport, make(server.url + "/y")).body == b"ok"
    assert server.connections == 2


def open_files() -> int:
    return len(list(Path("/dev/fd").iterdir()))


def test_no_descriptor_is_left_open(serve, make, transport):
    scripts = [("ask", "reset"), ("ask",), ("ask", b"garbage\n"), ("ask", answer(b"", length=10**12))]
    server = serve(*scripts * 20, ("ask", OK))
    before = open_files()
    for _ in scripts * 20:
        with pytest.raises(exceptions.DynclientError):
            transport.send(make(server.url + "/x"))
    for _ in scripts * 20:
        server.ended.acquire(timeout=10)
    assert open_files() <= before


def test_closed_transport_refuses(make, way):
    transport = way.transport()
    way.close(transport)
    with pytest.raises(exceptions.ClientClosed):
        way(transport, make("http://127.0.0.1:1/x"))
