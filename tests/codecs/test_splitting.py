"""Bodies in chunks: the items do not depend on where the chunks end."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynclient import codecs, exceptions
from dynclient.codecs import sequence
from dynclient.options import Limits

LIMITS = Limits()
SMALL = Limits(response_bytes=8)


def pieces(splitter, chunks):
    found = []
    for chunk in chunks:
        found += splitter.feed(chunk)
    return [*found, *splitter.finish()]


def cut(body, places):
    ends = sorted({place % (len(body) + 1) for place in places} | {0, len(body)})
    return [body[start:end] for start, end in pairwise(ends)]


EVENTS = (
    b"\xef\xbb\xbf: a comment\r\nid: 1\r\nretry: 250\r\ndata: a\r\ndata\r\ndata:b\r\n\r\n"
    b"event: x\rdata: {\xc3\xa4}\r\rid\ndata: \n\nid: 9\n\ndata: cut"
)
EVENTS_READ = [
    {"id": "1", "retry": 250, "data": "a\n\nb"},
    {"event": "x", "data": "{\u00e4}"},
    {"id": "", "data": ""},
]
# content type, body -> its items
BODIES = {
    "application/jsonl": (b'{"a": 1}\n\n [1, "\xc3\xa4"]\r\n3', [{"a": 1}, [1, "\u00e4"], 3]),
    "application/x-ndjson; charset=utf-8": (b'"\\u2028"\nnull\n', ["\u2028", None]),
    "application/json-seq": (b'\x1e{"a":\n 1}\n\x1e\x1e[1]\n\x1e"x"\x1e12\n\x1etrue ', [{"a": 1}, [1], "x", 12, True]),
    "text/event-stream": (EVENTS, EVENTS_READ),
}


@pytest.mark.parametrize("content_type", BODIES)
@settings(max_examples=60, deadline=None)
@given(places=st.lists(st.integers(0, 200), max_size=12))
def test_items_are_the_same_wherever_chunks_end(content_type, places):
    body, expected = BODIES[content_type]
    codec = codecs.find(content_type)
    assert codec.decode(body, None, content_type, LIMITS) == expected
    assert pieces(codec.split(None, LIMITS), cut(body, places)) == expected


@settings(max_examples=60, deadline=None)
@given(places=st.lists(st.integers(0, 40), max_size=12))
def test_text_and_lines_are_the_same_wherever_chunks_end(places):
    text = "\ufeffa\u00e4\r\n\U0001f600\r\rb\n\u2028c"
    chunks = cut(text.encode(), places)
    assert "".join(pieces(sequence.TextSplitter("utf-8"), chunks)) == text[1:]
    assert pieces(sequence.LineSplitter("utf-8", LIMITS), chunks) == ["a\u00e4", "\U0001f600", "", "b", "\u2028c"]


@settings(max_examples=40, deadline=None)
@given(body=st.binary(max_size=40), size=st.integers(1, 9), places=st.lists(st.integers(0, 40), max_size=5))
def test_bytes_are_split_into_chunks_of_one_size(body, size, places):
    found = pieces(sequence.ByteSplitter(size), cut(body, places))
    assert b"".join(found) == body
    assert all(len(piece) == size for piece in found[:-1])


@pytest.mark.parametrize("name", ["utf-16", "utf-16-le", "shift_jis", "latin-1"])
def test_other_charsets_byte_by_byte(name):
    body = "\u00e4b\nc".encode(name) if name == "latin-1" else "\u3042\nc".encode(name)
    chunks = [body[index : index + 1] for index in range(len(body))]
    assert "".join(pieces(sequence.TextSplitter(name), chunks)) == body.decode(name)


# content type, the bytes so far -> the items that are yielded already
EARLY = {
    "a line": ("application/jsonl", b"1\n2", [1]),
    "a record with its line feed": ("application/json-seq", b'\x1e{"a": 1}\n', [{"a": 1}]),
    "a record without": ("application/json-seq", b'\x1e{"a": 1}', []),
    "a part of a record": ("application/json-seq", b'\x1e{"a":\n', []),
    "an event": ("text/event-stream", b"data: a\r\r", [{"data": "a"}]),
    "an event without its end": ("text/event-stream", b"data: a\r\n", []),
}


@pytest.mark.parametrize("case", EARLY.values(), ids=EARLY)
def test_an_item_does_not_wait_for_the_next_one(case):
    content_type, chunk, expected = case
    assert list(codecs.find(content_type).split(None, LIMITS).feed(chunk)) == expected


def fails(splitter, chunks):
    found = []

    def run():
        for chunk in chunks:
            for piece in splitter.feed(chunk):
                found.append(piece)  # noqa: PERF402  # what came before the error counts too
        found.extend(splitter.finish())

    with pytest.raises(exceptions.ResponseError) as caught:
        run()
    return found, caught.value


# content type, chunks -> the items before the error, and its offset
BROKEN = {
    "a line": ("application/jsonl", [b"1\n", b"{\n2\n"], [1], 3),
    "the last line": ("application/jsonl", [b"1\n{"], [1], 3),
    "not a sequence": ("application/json-seq", [b"1\n"], [], 0),
    "a cut number": ("application/json-seq", [b"\x1e[]\n\x1e1", b"2"], [[]], 5),
    "something after an item": ("application/json-seq", [b"\x1e[]\n", b"[]\n"], [[]], 4),
    "no text": ("text/event-stream", [b"data: a\n\ndata: \xc3", b"\n\n"], [{"data": "a"}], 15),
    "text that is cut": ("text/event-stream", [b"data: a\n\n\xe2\x82"], [{"data": "a"}], 9),
}


@pytest.mark.parametrize("case", BROKEN.values(), ids=BROKEN)
def test_items_before_a_fault_are_yielded(case):
    content_type, chunks, expected, offset = case
    found, error = fails(codecs.find(content_type).split(None, LIMITS), chunks)
    assert (found, type(error), error.offset) == (expected, exceptions.DecodeError, offset)


@pytest.mark.parametrize(
    ("content_type", "chunk"),
    [
        ("application/jsonl", b"[[[["),
        ("application/json-seq", b"\x1e[["),
        ("text/event-stream", b"data: "),
        ("text/event-stream", b"data:x\n"),
    ],
)
def test_one_item_is_bounded(content_type, chunk):
    _, error = fails(codecs.find(content_type).split(None, SMALL), [chunk] + [chunk.lstrip(b"\x1e")] * 100)
    assert (type(error), error.limit) == (exceptions.ResponseTooLarge, "response_bytes")


def test_many_items_are_not():
    assert len(pieces(codecs.find("application/jsonl").split(None, SMALL), [b"[1]\n"] * 100)) == 100


def test_events_keep_the_last_id_and_the_pause_for_reconnecting():
    events = codecs.find("text/event-stream").split(None, LIMITS)
    list(events.feed(b"id: 1\nretry: 20\n\nid: 2\ndata: x\n\nid: 3\nretry: soon\ndata: y"))
    assert (events.last_id, events.retry) == ("2", 20)
