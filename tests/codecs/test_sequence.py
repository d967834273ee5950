"""JSON Lines, JSON text sequences and server-sent events, whole, both ways."""

import pytest

from dynclient import codecs
from dynclient.exceptions import EncodeError
from dynclient.options import Limits

LINES, RECORDS, EVENTS = "application/jsonl", "application/json-seq", "text/event-stream"
LOG = [{"timestamp": "1985-04-12T23:20:50.52Z", "level": 1, "message": "Hi!"}, {"level": 2, "message": "a\nb"}]
LOG_LINES = (
    b'{"timestamp":"1985-04-12T23:20:50.52Z","level":1,"message":"Hi!"}\n{"level":2,"message":"a\\nb"}\n'
)  # fmt: skip
LIMITS = Limits()

BOTH_WAYS = {
    "lines": (LINES, LOG, LOG_LINES),
    "lines by another name": ("application/x-ndjson", LOG, LOG_LINES),
    "scalars": (LINES, [1, "x", None, True, 0.5], b'1\n"x"\nnull\ntrue\n0.5\n'),
    "no lines": (LINES, [], b""),
    "records": (RECORDS, LOG, b"".join(b"\x1e" + line + b"\n" for line in LOG_LINES.splitlines())),
    "records of a suffix": ("application/geo+json-seq", [{"type": "Feature"}], b'\x1e{"type":"Feature"}\n'),
    "events": (EVENTS, [{"event": "add", "id": "7", "retry": 5, "data": "a\nb"}, {"data": " x"}, {"data": ""}],
               b"event: add\nid: 7\nretry: 5\ndata: a\ndata: b\n\ndata:  x\n\ndata: \n\n"),
}  # fmt: skip


@pytest.mark.parametrize(("content_type", "items", "body"), BOTH_WAYS.values(), ids=BOTH_WAYS)
def test_both_ways(media_type, content_type, items, body):
    media = media_type(content_type, {"itemSchema": {}})
    codec = codecs.find(content_type)
    assert codec.encode(items, media, content_type) == codecs.Encoded(body, content_type)
    assert codec.decode(body, media, content_type, LIMITS) == items


# OAS 3.2.0, Media Type Object, Server-Sent Event Streams: the events of its example, as JSON Lines.
SPECIFIED = b"""\
event: addString
data: This data is formatted
data: across two lines
retry: 5

event: addInt64
data: 1234.5678
unknownField: this is ignored

: This is a comment
event: addJSON
data: {"foo": 42}

"""
SPECIFIED_ITEMS = [
    {"event": "addString", "data": "This data is formatted\nacross two lines", "retry": 5},
    {"event": "addInt64", "data": "1234.5678"},
    {"event": "addJSON", "data": '{"foo": 42}'},
]
READ = {
    "blank lines and CRLF": (LINES, b'\n{"a":1}\r\n\r\n[2]', [{"a": 1}, [2]]),
    "records with blanks and empty ones": (RECORDS, b'\x1e\x1e {\n"a": 1}\n\x1e2\n', [{"a": 1}, 2]),
    "the specification's events": (EVENTS, SPECIFIED, SPECIFIED_ITEMS),
    "the specification's events with CR": (EVENTS, SPECIFIED.replace(b"\n", b"\r"), SPECIFIED_ITEMS),
    "the specification's events with CRLF": (EVENTS, SPECIFIED.replace(b"\n", b"\r\n"), SPECIFIED_ITEMS),
    "a byte order mark": (EVENTS, b"\xef\xbb\xbfdata: x\n\n", [{"data": "x"}]),
    "a field without a colon": (EVENTS, b"data\n\ndata\ndata\n\n", [{"data": ""}, {"data": "\n"}]),
    "no blank after the colon, and two": (EVENTS, b"data:x\n\ndata:  y\n\n", [{"data": "x"}, {"data": " y"}]),
    "an id with NUL and a retry that is no number": (EVENTS, b"id: a\0b\nretry: 5s\ndata: x\n\n", [{"data": "x"}]),
    "an event without data": (EVENTS, b"event: x\n\nretry: 1\n\ndata: y\n\n", [{"data": "y"}]),
    "an event that does not end": (EVENTS, b"data: x\n\ndata: y\n", [{"data": "x"}]),
    "no events": (EVENTS, b"", []),
}


@pytest.mark.parametrize(("content_type", "body", "items"), READ.values(), ids=READ)
def test_reads(media_type, content_type, body, items):
    assert codecs.find(content_type).decode(body, None, content_type, LIMITS) == items


def test_an_event_has_its_default_type_if_the_schema_requires_one(media_type):
    media = media_type(EVENTS, {"itemSchema": {"type": "object", "required": ["event"]}})
    assert codecs.find(EVENTS).decode(b"data: x\n\n", media, EVENTS, LIMITS) == [{"event": "message", "data": "x"}]


@pytest.mark.parametrize("content_type", [LINES, RECORDS, EVENTS])
def test_a_string_schema_means_the_text(media_type, content_type):
    media = media_type(content_type, {"schema": {"type": "string"}})
    codec = codecs.find(content_type)
    assert codec.decode(b"anything", media, content_type, LIMITS) == "anything"
    assert codec.encode("anything", media, content_type).body == b"anything"
    assert codec.encode(b"anything", media, content_type).body == b"anything"


def test_an_iterator_is_written_an_item_at_a_time(media_type):
    asked = []

    def items():
        for number in range(3):
            asked.append(number)
            yield {"n": number}

    body = codecs.find(LINES).encode(items(), media_type(LINES, {}), LINES).body
    assert asked == []
    assert next(body) == b'{"n":0}\n'
    assert asked == [0]
    assert list(body) == [b'{"n":1}\n', b'{"n":2}\n']


@pytest.mark.parametrize(
    ("content_type", "value", "fault"),
    [
        (LINES, {"a": 1}, "list of items, not a dict"),
        (LINES, [float("nan")], "NaN or infinite"),
        (EVENTS, [{"event": "a\nb", "data": "x"}], "event of an event"),
        (EVENTS, [{"id": "a\0", "data": "x"}], "id of an event"),
    ],
)
def test_refuses_to_write(media_type, content_type, value, fault):
    with pytest.raises(EncodeError, match=fault):
        codecs.find(content_type).encode(value, media_type(content_type, {}), content_type)
