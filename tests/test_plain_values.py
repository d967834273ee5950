"""Python values converted to plain values."""

import collections
import dataclasses
import datetime as dt
import enum
import io
import json
import pathlib
import re
import types
import uuid
from decimal import Decimal
from xml.etree import ElementTree as ET

import attrs
import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dynclient
from dynclient.exceptions import ArgumentError, EncodeError

DEEPEST = 200
BODIES = {"json": "application/json", "form": "multipart/form-data; boundary=b", "data": "image/png", "xml": "text/xml"}
DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "t", "version": "1"},
    "servers": [{"url": "http://x.example"}],
    "paths": {
        f"/{name}": {
            "post": {
                "operationId": name,
                "requestBody": {"content": {media_type: {}}},
                "responses": {"204": {"description": "done"}},
            }
        }
        for name, media_type in BODIES.items()
    },
}
client = dynclient.load(DOCUMENT, cache=False)


def sent(value):
    """A value after it was sent as JSON."""
    return json.loads(client.json.prepare(value).body)


class Day(enum.Enum):
    FIRST = dt.date(2020, 1, 2)


class Word(str, enum.Enum):  # noqa: UP042  # what users write
    X = "x"


class Number(enum.IntEnum):
    ONE = 1


class Text(str):
    __slots__ = ()

    def __str__(self):
        return "something else"


@dataclasses.dataclass
class Call:
    to: str
    days: "list[Day]"


@attrs.define
class Point:
    x: int = 1


class Person(pydantic.BaseModel):
    from_: int = pydantic.Field(alias="from")
    born: dt.date
    tags: set[str] = set()


class Odd:
    """An unknown type that could be converted to a number and to text."""

    __index__ = __int__ = lambda self: 1
    __float__ = lambda self: 1.0  # noqa: E731 - as short as the line above
    item = __int__


UTC = dt.UTC
PLUS2 = dt.timezone(dt.timedelta(hours=2))
OLD_PARIS = dt.timezone(dt.timedelta(minutes=9, seconds=21))

ATOMS = [
    (None, None),
    (True, True),
    (2**70, 2**70),
    (1.5, 1.5),
    ("é", "é"),
    (Text("x"), "x"),
    (dt.datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC), "2020-01-02T03:04:05Z"),
    (dt.datetime(2020, 1, 2, 3, 4, 5, 6000, PLUS2), "2020-01-02T03:04:05.006000+02:00"),
    (dt.datetime(1900, 1, 1, 0, 9, 21, tzinfo=OLD_PARIS), "1900-01-01T00:00:00Z"),
    (dt.datetime(2020, 1, 2), "2020-01-02T00:00:00"),  # noqa: DTZ001 - a naive one is what is tested
    (dt.date(987, 1, 2), "0987-01-02"),
    (dt.time(1, 2, 3, tzinfo=UTC), "01:02:03Z"),
    (dt.time(1, 2, 3, tzinfo=PLUS2), "01:02:03+02:00"),
    (dt.time(1, 2), "01:02:00"),
    (dt.timedelta(), "PT0S"),
    (dt.timedelta(days=40), "P40D"),
    (dt.timedelta(hours=1, seconds=4), "PT1H0M4S"),
    (dt.timedelta(hours=1), "PT1H"),
    (dt.timedelta(days=1, minutes=2), "P1DT2M"),
    (dt.timedelta(seconds=1, microseconds=500000), "PT1.5S"),
    (dt.timedelta(days=-1, hours=12), "-PT12H"),
    (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    (Decimal(10), 10),
    (Decimal("1.10"), 1.1),
    (Decimal("1E+3"), 1000),
    (Decimal(10**30), 10**30),
    (b"ab", "YWI="),
    (bytearray(b"ab"), "YWI="),
    (memoryview(b"ab"), "YWI="),
    (Day.FIRST, "2020-01-02"),
    (Word.X, "x"),
    (Number.ONE, 1),
]
CONTAINERS = [
    (Call("a", [Day.FIRST]), {"to": "a", "days": ["2020-01-02"]}),
    (Point(), {"x": 1}),
    (Person(**{"from": 1, "born": dt.date(2020, 1, 2)}), {"from": 1, "born": "2020-01-02", "tags": []}),
    (types.MappingProxyType({"a": (1, 2)}), {"a": [1, 2]}),
    (collections.OrderedDict(b=1, a=2), {"b": 1, "a": 2}),
    ({Word.X: 1, 2: 3, uuid.UUID(int=1): 4}, {"x": 1, "2": 3, "00000000-0000-0000-0000-000000000001": 4}),
    ({3, 1, 2}, [1, 2, 3]),
    (frozenset(["b", "a"]), ["a", "b"]),
    (collections.deque([1]), [1]),
    (range(2), [0, 1]),
    ((x for x in "ab"), ["a", "b"]),
    ({"a": 1}.keys(), ["a"]),
]
REFUSED = [
    (object(), ArgumentError, "object can.t be converted to JSON"),
    (Odd(), ArgumentError, "can.t be converted to JSON"),
    (1j, ArgumentError, "can.t be converted to JSON"),
    (Call, ArgumentError, "can.t be converted to JSON"),
    (pathlib.Path("a"), ArgumentError, "read_bytes"),
    (io.BytesIO(), ArgumentError, r"file\.read"),
    ({(1, 2): 3}, ArgumentError, "key must be text"),
    ({None: 3}, ArgumentError, "key must be text"),
    ({True: 3}, ArgumentError, "key must be text"),
    ({1: 2, "1": 3}, ArgumentError, "two keys"),
    (Decimal("NaN"), EncodeError, "NaN or infinite"),
    (Decimal("-Infinity"), EncodeError, "NaN or infinite"),
    (Decimal("sNaN"), EncodeError, "NaN or infinite"),
]


def named(value):
    """A test's name that is the same in each process: no addresses, no order of a set."""
    return type(value).__name__ if isinstance(value, (set, frozenset)) else re.sub(r" at 0x[0-9a-f]+", "", repr(value))


@pytest.mark.parametrize(("value", "expected"), ATOMS + CONTAINERS, ids=named)
def test_plain(value, expected):
    found = sent({"a": [value]})["a"][0]
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(("value", "error", "text"), REFUSED, ids=named)
def test_refused_with_its_path(value, error, text):
    with pytest.raises(error, match=text) as raised:
        sent({"a": [0, value]})
    assert "$.a[1]" in str(raised.value)


def test_a_set_of_several_kinds_keeps_its_members():
    assert sorted(sent({1, "a"}), key=str) == [1, "a"]


def test_a_circle_is_refused():
    circle = {}
    circle["a"] = [circle]
    with pytest.raises(ArgumentError, match="contains itself") as raised:
        sent(circle)
    assert raised.value.argument == "$.a[0]"


def test_one_value_may_occur_twice():
    twice = [1]
    assert sent([twice, twice]) == [[1], [1]]


def nested(levels):
    value = []
    for _ in range(levels - 1):
        value = [value]
    return value


def test_depth_is_bounded():
    assert sent(nested(DEEPEST)) == nested(DEEPEST)
    with pytest.raises(ArgumentError, match="nested deeper"):
        sent(nested(DEEPEST + 1))


def test_a_nearly_full_stack_is_not_a_recursion_error():
    def from_below(levels):
        return sent(nested(150)) if not levels else from_below(levels - 1)

    with pytest.raises(ArgumentError, match="nested deeper"):
        from_below(600)


def test_a_model_that_can_not_be_dumped():
    class Broken(pydantic.BaseModel):
        @pydantic.model_serializer
        def fail(self):
            raise RuntimeError("secret")

    with pytest.raises(ArgumentError, match="could not be dumped") as raised:
        sent({"a": Broken()})
    assert "secret" not in str(raised.value)


def test_structs_of_msgspec_by_their_wire_names():
    msgspec = pytest.importorskip("msgspec")
    struct = msgspec.defstruct("Struct", [("account_id", int)], rename="camel")
    assert sent(struct(1)) == {"accountId": 1}


def test_an_element_is_sent_as_xml():
    assert client.xml.prepare(ET.fromstring("<a>1</a>")).body == b"<a>1</a>"


def whole(body):
    return body if isinstance(body, bytes) else b"".join(body)


def test_a_file_is_a_file_of_a_form(tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(b"x")
    files = [b"x", path, io.BytesIO(b"x"), ("a.wav", b"x"), ("a.wav", b"x", "audio/wav"), (None, io.BytesIO(b"x"))]
    for value in files:
        body = whole(client.form.prepare({"a": [value]}).body)
        assert body.endswith(b"\r\n\r\nx\r\n--b--\r\n")
        assert (b"filename=" in body) is not (isinstance(value, tuple) and value[0] is None)
    for value in (b"x", path, io.BytesIO(b"x")):
        assert whole(client.data.prepare(value).body) == b"x"


@pytest.mark.parametrize("value", [("a", "b"), ("a",), "a", 1])
def test_other_values_are_not_files(value):
    assert b"filename" not in client.form.prepare({"a": value}).body


def test_an_iterator_of_bytes_is_a_body():
    assert whole(client.data.prepare(iter([b"a", b"b"])).body) == b"ab"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@settings(max_examples=100, deadline=None)
@given(JSON)
def test_a_plain_value_stays_as_it_is(value):
    assert sent([value]) == [value]


@settings(max_examples=200, deadline=None)
@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_a_decimal_is_exact(value):
    written = client.json.prepare([value]).body
    assert json.loads(written, parse_float=Decimal, parse_int=Decimal) == [value]


@settings(max_examples=200, deadline=None)
@given(st.timedeltas())
def test_durations_can_be_read_again(value):
    text = sent(value)
    back = pydantic.TypeAdapter(dt.timedelta).validate_python(text)
    assert back == value
