"""Heads and bodies read from pieces: where they are cut makes no difference."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynclient.messages import Request
from dynclient.options import Limits
from dynclient.transports.http11 import Framing, IncompleteResponse, RemoteProtocolError

LIMITS = Limits(header_lines=4, header_line_bytes=60, informational_responses=2)


class Read(NamedTuple):
    """What was made of the bytes of a response; ``wrong`` is the error."""

    status: int = 0
    pairs: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    rest: int = 0
    wrong: str = ""


def read(pieces: list[bytes]) -> Read:
    """Read a response that comes in these pieces, and then ends."""
    framing, coming = Framing("GET", LIMITS), iter([*filter(None, pieces), b""])
    rest = 0
    made: list[Read] = []

    def exchange() -> Iterator[None]:
        head = yield from framing.response_head()
        body = b""
        for piece in framing.response_body(head):
            body += piece or b""
            if piece is None:
                yield
        made.append(Read(head.status, head.headers.pairs(), body))

    framing.request_head(Request("GET", "http://h/"), "/", [(b"Host", b"h")])
    try:
        for _ in exchange():
            framing.feed(next(coming))
    except (RemoteProtocolError, IncompleteResponse) as error:
        return Read(wrong=f"{type(error).__name__}: {error}")
    rest = len(framing._buffer) + sum(map(len, coming))
    return made[0]._replace(rest=rest)


OK = Read(200, (("A", "b"), ("Content-Length", "2")), b"ok")
HEADS = [
    (b"HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 2\r\n\r\nok", OK),
    (b"HTTP/1.1 200 OK\nA:b\nContent-Length:2 \t\n\nok", OK),
    (b"HTTP/1.1 200\r\nA:\t b \r\nContent-Length: 2\r\n\r\nok", OK),
    (b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 2\r\n\r\nok", OK),
    (b"HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 2\r\n\r\nok and more", OK._replace(rest=9)),
    (b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 2\r\n\r\nok", OK._replace(pairs=(("A", "b c"), OK.pairs[1]))),
    (b"HTTP/1.1 200 OK\r\nA: \r\nContent-Length: 2\r\n\r\nok", OK._replace(pairs=(("A", ""), OK.pairs[1]))),
    (b"HTTP/1.1 200 OK\r\nA: \xe9\r\nContent-Length: 2\r\n\r\nok", OK._replace(pairs=(("A", "\xe9"), OK.pairs[1]))),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\ncontent-length: 2, 2\r\n\r\nok",
     OK._replace(pairs=(OK.pairs[1],))),
    (b"HTTP/1.1 200 OK\r\n\r\nok", OK._replace(pairs=())),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x\r\nok\r\n0\r\nA: b\r\n\r\n",
     OK._replace(pairs=(("Transfer-Encoding", "chunked"),))),
    (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 4 + b"\r\nok", OK._replace(pairs=OK.pairs[:1] * 4)),
    (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 5 + b"\r\nok",
     Read(wrong="RemoteProtocolError: it has more than 4 header lines (Limits.header_lines)")),
    (b"HTTP/1.1 200 OK\r\nA: " + b"b" * 55 + b"\r\n\r\nok", OK._replace(pairs=(("A", "b" * 55),))),
    (b"HTTP/1.1 200 OK\r\nA: " + b"b" * 57 + b"\r\n\r\nok",
     Read(wrong="RemoteProtocolError: a header line is longer than 60 bytes (Limits.header_line_bytes)")),
    (b"HTTP/1.1 200 OK\r\nA : b\r\n\r\nok", Read(wrong="RemoteProtocolError: a header line is malformed")),
    (b"HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\nok", Read(wrong="RemoteProtocolError: a header line is malformed")),
    (b"HTTP/1.1 200 OK\r\nA: b\rc: d\r\n\r\nok", Read(wrong="RemoteProtocolError: a header line is malformed")),
    (b"HTTP/1.1 200 OK\r\n c: d\r\n\r\nok", Read(wrong="RemoteProtocolError: a header line is malformed")),
    (b"HTTP/1.1 099 No\r\n\r\n", Read(wrong="RemoteProtocolError: it does not begin with an HTTP/1.1 status line")),
    (b"HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 3\r\n\r\nok", Read(wrong="IncompleteResponse: ")),
    (b"HTTP/1.1 200 OK\r\nA: b\r\n", Read(wrong="IncompleteResponse: ")),
]  # fmt: skip  # a response and what is made of it


@pytest.mark.parametrize(("response", "made"), HEADS)
def test_a_response_is_the_same_in_one_piece_and_byte_by_byte(response, made):
    assert read([response]) == made
    assert read([response[at : at + 1] for at in range(len(response))]) == made


@given(response=st.sampled_from([response for response, _ in HEADS]), data=st.data())
def test_where_a_response_is_cut_makes_no_difference(response, data):
    first, second = sorted(data.draw(st.tuples(*[st.integers(0, len(response))] * 2)))
    assert read([response[:first], response[first:second], response[second:]]) == read([response])


@given(
    changed=st.lists(st.tuples(st.integers(0, 60), st.sampled_from([b"\r", b"\n", b"\0", b":", b" ", b"\xff", b""]))),
    start=st.sampled_from([response for response, _ in HEADS]),
)
def test_a_damaged_response_is_the_same_in_one_piece_and_byte_by_byte(changed, start):
    for at, byte in changed:
        start = start[:at] + byte + start[at + 1 :]
    assert read([start]) == read([start[at : at + 1] for at in range(len(start))])
