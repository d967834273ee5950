"""Multipart bodies: the bytes, the way back, streams, and names that would break out."""

import io

import pytest

from dynclient import codecs
from dynclient.exceptions import EncodeError
from dynclient.options import Limits

FORM = "multipart/form-data; boundary=b"
MIXED = "multipart/mixed; boundary=b"
LIMITS = Limits()
STRING, BINARY, INTEGER = {"type": "string"}, {"type": "string", "format": "binary"}, {"type": "integer"}
OBJECT = {"type": "object"}


def form(**properties):
    return {"type": "object", "properties": properties}


def array(items):
    return {"type": "array", "items": items}


def lines(*texts):
    return "\r\n".join(texts).encode()


def part(name, *more):
    return f'Content-Disposition: form-data; name="{name}"', *more


# The document's media type, the value, and the body; read back it is the value, or the fourth.
CASES = {
    "scalars are plain text": (
        {"schema": form(s=STRING, i=INTEGER)}, {"s": "é", "i": 3},
        lines("--b", *part("s"), "", "é", "--b", *part("i"), "", "3", "--b--", "")),
    "objects are JSON": (
        {"schema": form(o=OBJECT)}, {"o": {"x": [1]}},
        lines("--b", *part("o", "Content-Type: application/json"), "", '{"x":[1]}', "--b--", "")),
    "an array is a part for each item": (
        {"schema": form(a=array(INTEGER))}, {"a": [1, 2]},
        lines("--b", *part("a"), "", "1", "--b", *part("a"), "", "2", "--b--", "")),
    "an array of objects is JSON for each item": (
        {"schema": form(a=array(OBJECT))}, {"a": [{"x": 1}, {}]},
        lines("--b", *part("a", "Content-Type: application/json"), "", '{"x":1}',
              "--b", *part("a", "Content-Type: application/json"), "", "{}", "--b--", "")),
    "an array that is said to be JSON is one part": (
        {"schema": form(a=array(OBJECT)), "encoding": {"a": {"contentType": "application/json"}}}, {"a": [{}, {}]},
        lines("--b", *part("a", "Content-Type: application/json"), "", "[{},{}]", "--b--", "")),
    "objects as XML": (
        {"schema": form(o={**OBJECT, "xml": {"name": "o"}, "properties": {"x": INTEGER}}),
         "encoding": {"o": {"contentType": "application/xml; charset=utf-8"}}}, {"o": {"x": 1}},
        lines("--b", *part("o", "Content-Type: application/xml; charset=utf-8"), "",
              '<?xml version="1.0" encoding="utf-8"?>\n<o><x>1</x></o>', "--b--", "")),
    "bytes are a file": (
        {"schema": form(f={})}, {"f": b"\x00\r\n"},
        lines("--b", *part('f"; filename="f', "Content-Type: application/octet-stream"), "", "\0\r\n", "--b--", "")),
    "a file with a name has the type of its name": (
        {"schema": form(f=BINARY)}, {"f": ("a.png", b"x")},
        lines("--b", *part('f"; filename="a.png', "Content-Type: image/png"), "", "x", "--b--", ""), {"f": b"x"}),
    "the caller's type goes first": (
        {"schema": form(f=BINARY), "encoding": {"f": {"contentType": "image/png"}}},
        {"f": ("hello.jpg", b"x", "image/jpg")},
        lines("--b", *part('f"; filename="hello.jpg', "Content-Type: image/jpg"), "", "x", "--b--", ""), {"f": b"x"}),
    "the document's type goes before that of the name": (
        {"schema": form(f={}), "encoding": {"f": {"contentType": "image/png"}}}, {"f": ("a.txt", b"x")},
        lines("--b", *part('f"; filename="a.txt', "Content-Type: image/png"), "", "x", "--b--", ""), {"f": b"x"}),
    "one of the document's types by the name": (
        {"schema": form(f={}), "encoding": {"f": {"contentType": "image/png, image/jpeg"}}}, {"f": ("a.jpeg", b"x")},
        lines("--b", *part('f"; filename="a.jpeg', "Content-Type: image/jpeg"), "", "x", "--b--", ""), {"f": b"x"}),
    "a range of the document by the name": (
        {"schema": form(f={}), "encoding": {"f": {"contentType": "image/*"}}}, {"f": ("a.gif", b"x")},
        lines("--b", *part('f"; filename="a.gif', "Content-Type: image/gif"), "", "x", "--b--", ""), {"f": b"x"}),
    "no name if the caller says so": (
        {"schema": form(f={})}, {"f": (None, b"x", "image/png")},
        lines("--b", *part("f", "Content-Type: image/png"), "", "x", "--b--", ""), {"f": b"x"}),
    "several files": (
        {"schema": form(f=array({}))}, {"f": [b"x", ("y", b"y")]},
        lines("--b", *part('f"; filename="f', "Content-Type: application/octet-stream"), "", "x",
              "--b", *part('f"; filename="y', "Content-Type: application/octet-stream"), "", "y", "--b--", ""),
        {"f": [b"x", b"y"]}),
    "base64 that the schema asks for": (
        {"schema": form(s={"type": "string", "contentEncoding": "base64"})}, {"s": "AAE="},
        lines("--b", *part("s", "Content-Transfer-Encoding: base64", "Content-Type: application/octet-stream"), "",
              "AAE=", "--b--", "")),
    "a style": (
        {"schema": form(o={**OBJECT, "properties": {"x": INTEGER}}, a=array(INTEGER)),
         "encoding": {"o": {"style": "deepObject", "explode": True}, "a": {"style": "form", "explode": False}}},
        {"o": {"x": 1}, "a": [1, 2]},
        lines("--b", *part("o[x]"), "", "1", "--b", *part("a"), "", "1,2", "--b--", "")),
    "a header with only one value": (
        {"schema": form(s=STRING), "encoding": {"s": {"headers": {
            "X-Kind": {"schema": {"const": "k"}}, "X-Any": {"schema": STRING},
            "Content-Type": {"schema": {"const": "x"}},
        }}}}, {"s": "t"},
        lines("--b", *part("s", "X-Kind: k"), "", "t", "--b--", "")),
    "names are escaped as HTML has it": (
        {"schema": form(**{'a"\r\né': STRING})}, {'a"\r\né': "x"},
        lines("--b", *part("a%22%0D%0Aé"), "", "x", "--b--", "")),
    "nulls are left out": (
        {"schema": form(a=STRING, b=STRING)}, {"a": None, "b": "x"},
        lines("--b", *part("b"), "", "x", "--b--", ""), {"b": "x"}),
    "no parts": ({"schema": OBJECT}, {}, lines("--b--", ""), {}),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_named_parts_both_ways(media_type, case):
    node, value, body, *read = case
    media = media_type("multipart/form-data", node)
    assert codecs.find(FORM).encode(value, media, FORM) == codecs.Encoded(body, FORM)
    assert codecs.find(FORM).decode(body, media, FORM, LIMITS) == (read or [value])[0]


ORDERED = {
    "by place": (
        {"schema": {"type": "array", "prefixItems": [OBJECT, {}]}, "prefixEncoding": [{}, {"contentType": "image/*"}]},
        [{"author": "x"}, ("a.png", b"p")],
        lines("--b", "Content-Type: application/json", "", '{"author":"x"}', "--b",
              'Content-Disposition: attachment; filename="a.png"', "Content-Type: image/png", "", "p", "--b--", ""),
        [{"author": "x"}, b"p"]),
    "by item": (
        {"itemSchema": {}, "itemEncoding": {"contentType": "image/jpg"}}, [b"1", b"2"],
        lines("--b", "Content-Type: image/jpg", "", "1", "--b", "Content-Type: image/jpg", "", "2", "--b--", "")),
    "by item of a schema": (
        {"schema": array(INTEGER)}, [1, 2],
        lines("--b", "Content-Type: text/plain", "", "1", "--b", "Content-Type: text/plain", "", "2", "--b--", "")),
}  # fmt: skip


@pytest.mark.parametrize("case", ORDERED.values(), ids=ORDERED)
def test_ordered_parts_both_ways(media_type, case):
    node, value, body, *read = case
    media = media_type("multipart/mixed", node)
    assert codecs.find(FORM).encode(value, media, MIXED) == codecs.Encoded(body, MIXED)
    assert codecs.find(FORM).decode(body, media, MIXED, LIMITS) == (read or [value])[0]


def test_parts_within_a_part(monkeypatch, media_type):
    node = {
        "schema": {"prefixItems": [array(INTEGER), {"prefixItems": [OBJECT, STRING, {}]}]},
        "prefixEncoding": [
            {},
            {"contentType": "multipart/mixed", "prefixEncoding": [{}, {}, {"contentType": "image/png"}]},
        ],
    }
    media = media_type("multipart/mixed", node)
    boundaries = iter(["inner", "outer"])
    monkeypatch.setattr("secrets.token_hex", lambda _: next(boundaries))
    codec = codecs.find(MIXED)
    value = [[1, 2], [{"x": 1}, "text", b"png"]]
    encoded = codec.encode(value, media, "multipart/mixed")
    assert encoded.content_type == "multipart/mixed; boundary=outer"
    assert b"Content-Type: multipart/mixed; boundary=inner\r\n" in encoded.body
    assert codec.decode(encoded.body, media, encoded.content_type, LIMITS) == value


def test_streams_are_read_when_they_are_sent(media_type, tmp_path):
    path = tmp_path / "big.bin"
    path.write_bytes(b"x" * 200_000)
    value = {"a": path, "b": io.BytesIO(b"yy"), "s": "t"}
    media = media_type("multipart/form-data", {"schema": form(a={}, b={}, s=STRING)})
    body = codecs.find(FORM).encode(value, media, FORM).body
    chunks = list(body)
    assert max(map(len, chunks)) <= 65_536
    assert sum(map(len, chunks)) == body.length
    read = codecs.find(FORM).decode(b"".join(chunks), media, FORM, LIMITS)
    assert read == {"a": b"x" * 200_000, "b": b"yy", "s": "t"}
    assert b'filename="big.bin"' in b"".join(chunks)


def test_the_length_of_an_iterator_is_not_known(media_type):
    body = codecs.find(FORM).encode({"a": ("n", iter([b"x", b"y"]))}, media_type(FORM, {}), FORM).body
    assert body.length is None
    assert b"\r\n\r\nxy\r\n--b--" in b"".join(body)


def test_boundaries_are_not_alike(media_type):
    types = {codecs.find(FORM).encode({}, media_type(FORM, {}), "multipart/form-data").content_type for _ in range(50)}
    assert len(types) == 50


REFUSED = {
    "the boundary in a part": ({"a": "\r\n--b\r\n"}, FORM, "boundary"),
    "a boundary that would break out": ({}, 'multipart/form-data; boundary="x\u00e9"', "boundary"),
    "a content type that would break out": ({"a": ("n", b"x", "text/plain\r\nX: y")}, FORM, "not a content type"),
    "NUL in a name": ({"a\0": "x"}, FORM, "control character"),
    "NUL in a file's name": ({"a": ("x\0.png", b"x")}, FORM, "control character"),
    "a surrogate in a name": ({"\ud800": "x"}, FORM, "name of a part"),
    "a scalar as a body": (1, FORM, "mapping or a list"),
    "a form without names": ([1], FORM, "parts have names"),
}


@pytest.mark.parametrize(("value", "content_type", "fault"), REFUSED.values(), ids=REFUSED)
def test_refuses_to_write(media_type, value, content_type, fault):
    with pytest.raises(EncodeError, match=fault):
        codecs.find(FORM).encode(value, media_type("multipart/form-data", {}), content_type)


@pytest.mark.parametrize("value", [5, 1.5, True, {"a": 1}, ["a.csv", "x,y"], ["n", b"x", "text/plain", {"X": "1"}]])
@pytest.mark.parametrize("many", [False, True])
def test_what_is_no_file_is_no_part_of_bytes(media_type, value, many):
    value, schema = ([value], array(BINARY)) if many else (value, BINARY)
    with pytest.raises(EncodeError, match=r"part 'f' is a file, not a \w+: pass bytes"):
        codecs.find(FORM).encode({"f": value}, media_type("multipart/form-data", {"schema": form(f=schema)}), FORM)


READ = {
    "preamble and epilogue are no parts": (b"pre\r\n--b\r\n\r\nx\r\n--b--\r\nafter", MIXED, ["x"]),
    "blanks after a delimiter": (b"--b \t\r\n\r\nx\r\n--b-- ", MIXED, ["x"]),
    "a delimiter within a line is content": (b"--b\r\n\r\nx--b\r\n--bb\r\n--b--", MIXED, ["x--b\r\n--bb"]),
    "folded headers": (b"--b\r\nContent-Type:\r\n application/json\r\n\r\n[1]\r\n--b--", MIXED, [[1]]),
    "an empty part": (b"--b\r\n\r\n\r\n--b--", MIXED, [""]),
    "quoted-printable": (
        b"--b\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\na=3Db\r\n--b--", MIXED, ["a=b"]),
    "base64": (b"--b\r\nContent-Transfer-Encoding: BASE64\r\nContent-Type: image/png\r\n\r\nAA\r\nE=\r\n--b--", MIXED,
               [b"\x00\x01"]),
    "a quoted boundary": (b"--a b\r\n\r\nx\r\n--a b--", 'multipart/mixed; boundary="a b"', ["x"]),
    "escapes of a name": (
        b'--b\r\ncontent-disposition: form-data; name="a\\"b%22"\r\n\r\nx\r\n--b--', FORM, {'a"b"': "x"}),
    "a name without quotes": (b"--b\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n--b--", FORM, {"a": "x"}),
    "a name that comes twice": (
        lines("--b", *part("a"), "", "x", "--b", *part("a"), "", "y", "--b--"), FORM, {"a": ["x", "y"]}),
}  # fmt: skip


@pytest.mark.parametrize(("body", "content_type", "value"), READ.values(), ids=READ)
def test_reads(body, content_type, value):
    assert codecs.find(FORM).decode(body, None, content_type, LIMITS) == value
