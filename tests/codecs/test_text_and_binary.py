"""Text by its charset and schema; bytes, paths and streams unchanged."""

import io

import pytest

from dynclient import codecs
from dynclient.exceptions import DecodeError, EncodeError
from dynclient.options import Limits

LIMITS = Limits()
PLAIN = "text/plain"
CHUNK = 65_536

# value, schema, content type, body, content type sent
BOTH_WAYS = {
    "ASCII": ("hello", {"type": "string"}, PLAIN, b"hello", PLAIN),
    "beyond ASCII the charset is said": ("é", {"type": "string"}, PLAIN, "é".encode(), "text/plain; charset=utf-8"),
    "a declared charset": ("é", {"type": "string"}, "text/plain; charset=latin-1", b"\xe9",
                           "text/plain; charset=latin-1"),
    "CSV": ("a,b\r\n1,2\r\n", {"type": "string"}, "text/csv", b"a,b\r\n1,2\r\n", "text/csv"),
    "an integer": (42, {"type": "integer"}, PLAIN, b"42", PLAIN),
    "a number": (0.5, {"type": "number"}, PLAIN, b"0.5", PLAIN),
    "a boolean": (True, {"type": "boolean"}, PLAIN, b"true", PLAIN),
    "digits that are text": ("42", {"type": "string"}, PLAIN, b"42", PLAIN),
    "nothing": ("", {"type": "string"}, PLAIN, b"", PLAIN),
}  # fmt: skip


@pytest.mark.parametrize(("value", "schema", "given", "body", "sent"), BOTH_WAYS.values(), ids=BOTH_WAYS)
def test_text_both_ways(media_type, value, schema, given, body, sent):
    media = media_type(PLAIN, {"schema": schema})
    assert codecs.find(PLAIN).encode(value, media, given) == codecs.Encoded(body, sent)
    read = codecs.find(PLAIN).decode(body, media, sent, LIMITS)
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize(
    ("value", "content_type", "fault"),
    [({"a": 1}, PLAIN, "a dict can't be written"), ([1], PLAIN, "no codec"), (float("nan"), PLAIN, "NaN"),
     ("é", "text/plain; charset=ascii", "U[+]00E9"), ("a", "text/plain; charset=nope", "not known"),
     ("a\n\ud800", PLAIN, "line 2, column 1")],
)  # fmt: skip
def test_text_that_can_not_be_written(media_type, value, content_type, fault):
    with pytest.raises(EncodeError, match=fault):
        codecs.find(PLAIN).encode(value, media_type(PLAIN, {}), content_type)


@pytest.mark.parametrize(
    "charset", ["unicode_escape", "raw-unicode-escape", "UTF-7", "idna", "punycode", "rot13", "base64", "undefined"]
)
def test_a_transformation_is_no_charset(media_type, charset):
    with pytest.raises(DecodeError, match="is not known"):
        codecs.find(PLAIN).decode(b"a", media_type(PLAIN, {}), f"{PLAIN}; charset={charset}", LIMITS)


@pytest.fixture
def path(tmp_path):
    found = tmp_path / "data.bin"
    found.write_bytes(b"\x00\x01" * 100_000)
    return found


def whole(body):
    return body if isinstance(body, bytes) else b"".join(body)


@pytest.mark.parametrize("content_type", ["image/png", PLAIN])
def test_contents_are_sent_as_they_are(media_type, path, content_type):
    codec, media = codecs.find(content_type), media_type("*/*", {})
    content = path.read_bytes()
    assert codec.encode(content, media, "image/png") == codecs.Encoded(content, "image/png")
    assert codec.encode(bytearray(b"x"), media, "image/png").body == b"x"
    by_path = codec.encode(path, media, "image/png").body
    assert (by_path.length, whole(by_path)) == (len(content), content)
    with path.open("rb") as file:
        file.seek(10)
        by_file = codec.encode(file, media, "image/png").body
        assert (by_file.length, whole(by_file)) == (len(content) - 10, content[10:])
    by_iterator = codec.encode(iter([b"a", b"", bytearray(b"b")]), media, "image/png").body
    assert (by_iterator.length, list(by_iterator)) == (None, [b"a", b"b"])
    assert whole(codec.encode(io.StringIO("é"), media, "text/csv").body) == "é".encode()


def test_a_path_is_opened_when_it_is_sent_and_read_in_chunks(media_type, path):
    body = codecs.find("image/png").encode(path, media_type("*/*", {}), "image/png").body
    sizes = [len(chunk) for chunk in body]
    assert max(sizes) <= CHUNK < sum(sizes)
    body = codecs.find("image/png").encode(path, media_type("*/*", {}), "image/png").body
    path.unlink()
    with pytest.raises(EncodeError, match=r"data\.bin"):
        next(body)


@pytest.mark.parametrize(
    ("value", "fault"),
    [({"a": 1}, "a dict can't be written as image/png"), ([1], "a list can't be written")],
)
def test_a_container_is_not_content(media_type, value, fault):
    with pytest.raises(EncodeError, match=fault):
        codecs.find("image/png").encode(value, media_type("*/*", {}), "image/png")


def test_a_path_that_is_not_there(media_type, tmp_path):
    for path in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(EncodeError):
            codecs.find("image/png").encode(path, media_type("*/*", {}), "image/png")


def test_a_stream_of_text_is_refused(media_type):
    body = codecs.find("image/png").encode(iter(["text"]), media_type("*/*", {}), "image/png").body
    with pytest.raises(EncodeError, match="yielded a str"):
        next(body)


@pytest.mark.parametrize(
    ("schema", "version", "content_type", "value"),
    [
        ({"type": "string", "format": "binary"}, "3.0", "application/octet-stream", b"abc"),
        ({"type": "file"}, "2.0", "application/pdf", b"abc"),
        ({"contentMediaType": "image/png"}, "3.1", "image/png", b"abc"),
        ({}, "3.1", "application/x-thing", b"abc"),
        ({"type": "string"}, "3.1", "application/octet-stream", b"abc"),
        ({"type": "string"}, "3.1", "application/x-thing", "abc"),
        (None, "3.1", "application/x-thing", b"abc"),
    ],
)
def test_bytes_or_text_by_the_schema(media_type, schema, version, content_type, value):
    media = media_type(content_type, {"schema": schema} if schema is not None else {}, version=version)
    assert codecs.find(content_type).decode(b"abc", media, content_type, LIMITS) == value
    assert codecs.find(content_type).decode(b"\xff", media, content_type, LIMITS) == b"\xff"


def test_the_error_of_malformed_text_has_the_offset(media_type):
    with pytest.raises(DecodeError) as raised:
        codecs.find(PLAIN).decode(b"ab\xff", media_type(PLAIN, {}), PLAIN, LIMITS)
    assert raised.value.offset == 2
