"""Values survive being written and read, for each codec, with Hypothesis."""

import contextlib
import json
from unittest import mock

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from dynclient import codecs
from dynclient.codecs import json as json_codec
from dynclient.exceptions import DecodeError
from dynclient.media_types import MEDIA_TYPES
from dynclient.options import Limits

LIMITS = Limits()
WORDS = [
    "no",
    "on",
    "0o7",
    "1e5",
    ".5",
    "012",
    "1:30",
    "2020-01-01",
    "~",
    "null",
    "",
    "<<",
    "=",
    "!x",
    "&a",
    "- a",
    "#",
]
FEW = settings(max_examples=60, deadline=None)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
INTEGERS = st.integers(-(2**70), 2**70)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
PLAIN = st.recursive(
    st.none() | st.booleans() | INTEGERS | FLOATS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)

# XML 1.0 has no form for most control characters, nor for the last two of the plane.
NO_XML = [*map(chr, (*range(9), 11, 12, *range(14, 32))), "\ufffe", "\uffff"]
XML_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=NO_XML), max_size=12)
XML_SCHEMA = {
    "xml": {"name": "root", "prefix": "p", "namespace": "urn:p"},
    "type": "object",
    "required": ["list"],
    "additionalProperties": {"type": "string"},
    "properties": {
        "id": {"type": "integer", "xml": {"attribute": True}},
        "label": {"type": "string", "xml": {"attribute": True, "name": "Label"}},
        "text": {"type": "string"},
        "number": {"type": "number"},
        "flag": {"type": ["boolean", "null"]},
        "list": {"type": "array", "items": {"type": ["string", "null"]}},
        "wrapped": {"type": "array", "xml": {"wrapped": True}, "items": {"type": "integer", "xml": {"name": "n"}}},
        "matrix": {"type": "array", "items": {"type": "array", "items": {"type": "integer"}}},
        "inner": {"$ref": "#/schema"},
        "cdata": {"type": "object", "properties": {"c": {"type": "string", "xml": {"nodeType": "cdata"}}}},
    },
}


def nest(inner):
    names = st.from_regex(r"\A[A-Z_a-z][-.0-9A-Za-z]{0,6}\Z").filter(lambda name: name not in XML_SCHEMA["properties"])
    known = {
        "id": INTEGERS,
        "label": XML_TEXT,
        "text": XML_TEXT,
        "number": FLOATS,
        "flag": st.booleans() | st.none(),
        "wrapped": st.lists(INTEGERS, max_size=3),
        "matrix": st.lists(st.lists(INTEGERS, max_size=3), min_size=1, max_size=3),
        "inner": inner,
        "cdata": st.fixed_dictionaries({"c": XML_TEXT.filter(bool)}),
    }
    required = {"list": st.lists(XML_TEXT | st.none(), max_size=3)}
    objects = st.fixed_dictionaries(required, optional=known)
    return st.builds(lambda more, value: {**more, **value}, st.dictionaries(names, XML_TEXT, max_size=2), objects)


XML_VALUES = st.recursive(nest(st.just({"list": []})), nest, max_leaves=3)


def there_and_back(media, value, content_type):
    codec = codecs.find(content_type)
    encoded = codec.encode(value, media, content_type)
    body = encoded.body if isinstance(encoded.body, bytes) else b"".join(encoded.body)
    return codec.decode(body, media, encoded.content_type, LIMITS)


@FEW
@given(value=PLAIN)
def test_json(media_type, value):
    assert repr(there_and_back(media_type("application/json", {}), value, "application/json")) == repr(value)


@FEW
@given(value=PLAIN)
def test_yaml(media_type, value):
    media = media_type("application/yaml", {})
    if isinstance(value, str):
        value = [value]
    assert there_and_back(media, value, "application/yaml") == value


@FEW
@given(value=st.dictionaries(TEXT, TEXT | st.sampled_from(WORDS), max_size=4))
def test_texts_of_yaml_are_texts_for_readers_of_1_1_and_1_2(media_type, value):
    codec = codecs.find("application/yaml")
    written = codec.encode(value, media_type("application/yaml", {}), "application/yaml").body
    assert yaml.safe_load(written) == value
    assert codec.decode(written, None, "application/yaml", LIMITS) == value


@FEW
@given(value=PLAIN)
def test_the_two_readers_of_json_agree(value):
    body = json.dumps(value).encode()
    by_msgspec = json_codec.load(body, LIMITS)
    with mock.patch.object(json_codec, "_msgspec", return_value=None):
        assert repr(json_codec.load(body, LIMITS)) == repr(by_msgspec)


@FEW
@given(value=PLAIN)
def test_the_two_writers_of_json_agree(media_type, value):
    written = json_codec.CODEC.encode(value, media_type("application/json", {}), "application/json")
    assert written.body == json_codec.dump(value).encode()


class Pairs(list):
    """The members of an object, one of which may occur twice."""


NAMES = st.sampled_from(["a", "b", "c:", '"', "\xe9", "d "])
SEVERAL = st.recursive(
    st.none() | st.integers() | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.lists(st.tuples(NAMES, inner), max_size=3).map(Pairs),
    max_leaves=12,
)


def text_of(value, colon, comma):
    if isinstance(value, Pairs):
        return "{" + comma.join(f"{json.dumps(name)}{colon}{text_of(one, colon, comma)}" for name, one in value) + "}"
    if isinstance(value, list):
        return "[" + comma.join(text_of(one, colon, comma) for one in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def has_name_twice(value):
    if not isinstance(value, list):
        return False
    members = [one for _, one in value] if isinstance(value, Pairs) else value
    twice = isinstance(value, Pairs) and len({name for name, _ in value}) < len(value)
    return twice or any(map(has_name_twice, members))


@given(value=SEVERAL, colon=st.sampled_from([":", ": ", " :", "\n:"]), comma=st.sampled_from([",", ", ", "\n ,"]))
def test_a_name_that_occurs_twice_is_found_in_any_spelling(value, colon, comma):
    body = text_of(value, colon, comma).encode()
    if has_name_twice(value):
        with pytest.raises(DecodeError, match="occurs twice"):
            json_codec.load(body, LIMITS)
    else:
        assert json_codec.load(body, LIMITS) == json.loads(body)


@FEW
@given(value=XML_VALUES)
def test_xml(media_type, value):
    media = media_type("application/xml", {"schema": XML_SCHEMA}, version="3.2")
    assert there_and_back(media, value, "application/xml") == value


@FEW
@given(value=TEXT)
def test_text(media_type, value):
    media = media_type("text/plain", {"schema": {"type": "string"}})
    assert there_and_back(media, value, "text/plain") == value.removeprefix("\ufeff")


@FEW
@given(value=st.lists(PLAIN, max_size=4))
def test_lines_and_records(media_type, value):
    for content_type in ("application/jsonl", "application/json-seq"):
        assert repr(there_and_back(media_type(content_type, {"itemSchema": {}}), value, content_type)) == repr(value)


LINE = TEXT.map(lambda text: "".join(c for c in text if c not in "\r\n\0"))
EVENT = st.fixed_dictionaries(
    {"data": TEXT.map(lambda text: text.replace("\r", ""))},
    optional={"event": LINE, "id": LINE, "retry": st.integers(0, 2**31)},
)


@FEW
@given(value=st.lists(EVENT, max_size=4))
def test_events(media_type, value):
    assert there_and_back(media_type("text/event-stream", {}), value, "text/event-stream") == value


FIELDS = {
    "s": TEXT,
    "i": INTEGERS,
    "n": FLOATS,
    "b": st.booleans(),
    "a": st.lists(INTEGERS, min_size=1, max_size=3),
    "o": st.dictionaries(TEXT, PLAIN, max_size=3),
    "l": st.lists(st.dictionaries(TEXT, INTEGERS, max_size=2), min_size=1, max_size=3),
}
FORM_SCHEMA = {
    "type": "object",
    "properties": {
        "s": {"type": "string"},
        "i": {"type": "integer"},
        "n": {"type": "number"},
        "b": {"type": "boolean"},
        "a": {"type": "array", "items": {"type": "integer"}},
        "o": {"type": "object"},
        "l": {"type": "array", "items": {"type": "object"}},
    },
}


@FEW
@given(value=st.fixed_dictionaries({}, optional=FIELDS))
def test_forms(media_type, value):
    content_type = "application/x-www-form-urlencoded"
    assert there_and_back(media_type(content_type, {"schema": FORM_SCHEMA}), value, content_type) == value


@FEW
@given(value=st.fixed_dictionaries({}, optional={**FIELDS, "f": st.binary(max_size=20)}))
def test_multipart_forms(media_type, value):
    schema = {**FORM_SCHEMA, "properties": {**FORM_SCHEMA["properties"], "f": {}}}
    value = {**value, "s": value.get("s", "").removeprefix("\ufeff")}
    assert there_and_back(media_type("multipart/form-data", {"schema": schema}), value, "multipart/form-data") == value


@FEW
@given(contents=st.lists(st.binary(max_size=30), max_size=4))
def test_ordered_parts(media_type, contents):
    media = media_type("multipart/mixed", {"itemSchema": {}})
    assert there_and_back(media, contents, "multipart/mixed") == contents


@FEW
@given(
    body=st.binary(max_size=60),
    prefix=st.sampled_from([b"", b"--b\r\n", b"<a>", b"{"]),
    content_type=st.sampled_from(sorted(MEDIA_TYPES)),
)
def test_any_body_is_a_value_or_a_decode_error(body, prefix, content_type):
    content_type = f"{content_type.replace('*/*+', 'application/x+').replace('*', 'x')}; boundary=b"
    with contextlib.suppress(DecodeError):
        codecs.find(content_type).decode(prefix + body, None, content_type, LIMITS)
