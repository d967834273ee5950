"""YAML bodies: what is read, what is refused, and what is sent as it is."""

import pytest

from dynclient import codecs
from dynclient.exceptions import DecodeError, EncodeError
from dynclient.options import Limits

YAML = "application/yaml"
READ = [
    (b"a: 1\nb: [x, no, 0o7, 1.5, ~]\n", {"a": 1, "b": ["x", "no", 7, 1.5, None]}),
    (b"a: &x [1]\nb: *x\n", {"a": [1], "b": [1]}),
    (b"a: 2020-01-01", {"a": "2020-01-01"}),
    (b'{"a": 1}', {"a": 1}),
    (b"", None),
]
REFUSED = [
    (b"a: [", "while parsing"),
    (b"a: 1\na: 2", "duplicate key 'a' .line 2"),
    (b"!!python/object:x.y {}", "unknown tag"),
    (b"--- 1\n--- 2", "single document"),
    (b"\xff", "not text"),
    (b"[" * 200 + b"]" * 200, "deeper than 128"),
    (b"a: .nan", "NaN"),
    (b"- 1\n" * 30, "more than 20 values"),
]


@pytest.mark.parametrize(("body", "value"), READ)
def test_reads(media_type, body, value):
    codec = codecs.find(YAML)
    assert codec.decode(body, None, YAML, Limits()) == value
    assert codec.decode(body, media_type(YAML, {"schema": {"type": "string"}}), YAML, Limits()) == body.decode()


@pytest.mark.parametrize(("body", "said"), REFUSED)
def test_refuses(body, said):
    with pytest.raises(DecodeError, match=said):
        codecs.find(YAML).decode(body, None, YAML, Limits(body_values=20 if "values" in said else None))


def test_what_is_yaml_already_is_sent_as_it_is(media_type, tmp_path):
    path = tmp_path / "a.yaml"
    path.write_bytes(b"a: 1 # x")
    media, codec = media_type(YAML, {}), codecs.find(YAML)
    for value in (b"a: 1 # x", "a: 1 # x", path, iter([b"a: 1", b" # x"])):
        body = codec.encode(value, media, YAML).body
        assert (body if isinstance(body, bytes) else b"".join(body)) == b"a: 1 # x"


def test_a_value_that_yaml_lacks(media_type):
    with pytest.raises(EncodeError, match="can't be written as YAML"):
        codecs.find(YAML).encode({"a": object()}, media_type(YAML, {}), YAML)
