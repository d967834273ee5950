"""JSON: values written and read, and values that can't be written."""

import json
from types import SimpleNamespace

import pytest

from dynclient import codecs
from dynclient.codecs import json as json_codec
from dynclient.exceptions import EncodeError
from dynclient.options import Limits

LIMITS = Limits()

BOTH_WAYS = {
    "an object": ({"a": 1, "b": [True, False, None]}, b'{"a":1,"b":[true,false,null]}'),
    "text beyond ASCII": ({"é": "日本😀"}, '{"é":"日本😀"}'.encode()),
    "control characters and slashes": ('a\n\x00"\\/\u2028', '"a\\n\\u0000\\"\\\\/\u2028"'.encode()),
    "a large integer": (-(2**200), str(-(2**200)).encode()),
    "a float": (0.1, b"0.1"),
    "minus zero": (-0.0, b"-0.0"),
    "a bare string": ("x", b'"x"'),
    "a bare null": (None, b"null"),
    "an empty object": ({}, b"{}"),
    "names with colons and quotes": ({'":': '":"', ":": {'" :': 1}}, b'{"\\":":"\\":\\"",":":{"\\" :":1}}'),
}


@pytest.mark.parametrize(("value", "body"), BOTH_WAYS.values(), ids=BOTH_WAYS)
def test_both_ways(media_type, value, body):
    media = media_type("application/json", {})
    assert codecs.find("application/json").encode(value, media, "application/json") == codecs.Encoded(
        body, "application/json"
    )
    read = codecs.find("application/json").decode(body, media, "application/json", LIMITS)
    assert (read, type(read)) == (value, type(value))


READ = {
    "a byte order mark": (b'\xef\xbb\xbf{"a":1}', "application/json", {"a": 1}),
    "blanks around": (b" \r\n\t[1 , 2]\n", "application/json", [1, 2]),
    "a pair of surrogates": (b'"\\ud83d\\ude00"', "application/json", "😀"),
    "an escaped backslash before a u": (b'"\\\\ud800"', "application/json", "\\ud800"),
    "UTF-16, as declared": ('{"é":1}'.encode("utf-16"), "application/json; charset=UTF-16", {"é": 1}),
    "Latin-1, as declared": ('"é"'.encode("latin-1"), 'application/json; charset="iso-8859-1"', "é"),
    "UTF-8, as declared": ('"é"'.encode(), "application/json;charset=UTF-8", "é"),
    "a malformed Content-Type": (b"1", "application/json; charset", 1),
    "integers beyond a double": (b"[9007199254740993, 18446744073709551617]", "application/json",
                                 [9007199254740993, 18446744073709551617]),
    "a float that looks like one": (b"[1.0, 1e2, 1E+2]", "application/json", [1.0, 100.0, 100.0]),
}  # fmt: skip


@pytest.mark.parametrize("msgspec", [True, False], ids=["msgspec", "json"])
@pytest.mark.parametrize(("body", "content_type", "value"), READ.values(), ids=READ)
def test_reads(monkeypatch, body, content_type, value, msgspec):
    # The first few small bodies are read by the standard library.
    monkeypatch.setattr(json_codec, "_FIRST", iter(()))
    if not msgspec:
        monkeypatch.setattr(json_codec, "_msgspec", lambda: None)
    read = codecs.find(content_type).decode(body, None, content_type, LIMITS)
    assert json.dumps(read) == json.dumps(value)


def test_a_body_that_can_be_read_but_not_written_again_is_read_by_the_standard_library(monkeypatch):
    # Writing may need more of the stack than reading did, of which little is left to a caller deep in a recursion.
    def no_room(_):
        raise RecursionError

    monkeypatch.setattr(json_codec, "_FIRST", iter(()))
    monkeypatch.setattr(json_codec, "_msgspec", lambda: SimpleNamespace(decode=json.loads, encode=no_room))
    assert json_codec.load(b'[{"a":1}]', LIMITS) == [{"a": 1}]


def circle():
    value = []
    value.append(value)
    return value


def deep():
    value = []
    for _ in range(100_000):
        value = [value]
    return value


REFUSED = {
    "NaN": (float("nan"), "NaN or infinite"),
    "an infinity": ([float("-inf")], "NaN or infinite"),
    "a lone surrogate": ({"a": "\ud800"}, "U+D800"),
    "a circle": (circle(), "contains itself"),
    "too deep": (deep(), "too deep"),
    "bytes": ({"a": b"x"}, "bytes"),
}


@pytest.mark.parametrize(("value", "fault"), REFUSED.values(), ids=REFUSED)
def test_refuses_to_write(media_type, value, fault):
    with pytest.raises(EncodeError, match=fault.replace("+", r"\+")):
        codecs.find("application/json").encode(value, media_type("application/json", {}), "application/json")


def test_writes_a_declared_charset(media_type):
    encoded = codecs.find("application/json").encode(
        "é", media_type("application/json", {}), "application/json; charset=latin-1"
    )
    assert encoded.body == b'"\xe9"'


NAMES = {
    "application/json": "json",
    "application/json; charset=utf-8": "json",
    "application/problem+json": "json",
    "application/vnd.api+json;version=1": "json",
    "application/merge-patch+json": "json",
    "application/json-patch+json": "json",
    "text/json": "json",
    "application/xml": "xml",
    "text/xml": "xml",
    "image/svg+xml": "xml",
    "application/problem+xml": "xml",
    "application/x-www-form-urlencoded": "form",
    "multipart/form-data; boundary=x": "multipart",
    "multipart/related": "multipart",
    "text/plain": "text",
    "text/csv": "text",
    "text/html; charset=ISO-8859-4": "text",
    "TEXT/Plain": "text",
    "application/yaml": "yaml",
    "application/jsonl": "sequence",
    "application/x-ndjson": "sequence",
    "application/json-seq": "sequence",
    "application/geo+json-seq": "sequence",
    "text/event-stream": "sequence",
    "application/octet-stream": "binary",
    "image/png": "binary",
    "application/pdf": "binary",
    "*/*": "binary",
    "nonsense": "binary",
    "": "binary",
    "application/json; ;;": "json",
}


@pytest.mark.parametrize(("content_type", "name"), NAMES.items())
def test_the_codec_of_a_content_type(content_type, name):
    assert codecs.find(content_type).name == name
