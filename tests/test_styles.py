"""The table of styles, run both ways from tests/cases/styles.yaml."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from dynclient._styles import STYLES, deserialize, fields, scalar, serialize
from dynclient.exceptions import ArgumentError, InvalidDocument
from dynclient.json_pointer import MISSING

CASES = yaml.safe_load((Path(__file__).parent / "cases" / "styles.yaml").read_text(encoding="utf-8"))
COLUMNS = {
    "undefined": None,
    "string": "blue",
    "array": ["blue", "black", "brown"],
    "object": {"R": 100, "G": 200, "B": 150},
}
SPECIFICATION = [
    pytest.param(in_, style, explode, value, text, id=f"{in_}-{style}-{explode}-{column}")
    for in_, style, explode, *texts in CASES["specification"]
    for (column, value), text in zip(COLUMNS.items(), texts, strict=True)
    if text is not None
]


def where(case):
    return {
        "name": case.get("name", "color"),
        "in_": case["in"],
        "style": case["style"],
        "explode": case.get("explode", False),
    }


def options(case):
    return where(case) | {key: case[key] for key in ("allow_reserved", "allow_empty") if key in case}


def kind_of(value):
    return "array" if isinstance(value, list) else "object" if isinstance(value, dict) else "primitive"


def texts(value):
    """A value after it was written as text and read again."""
    if isinstance(value, list):
        return [texts(item) for item in value]
    if isinstance(value, dict):
        return {key: texts(item) for key, item in value.items()}
    return "" if value is None else str(value)


@pytest.mark.parametrize(("in_", "style", "explode", "value", "text"), SPECIFICATION)
def test_specification(in_, style, explode, value, text):
    place = {"name": "color", "in_": in_, "style": style, "explode": explode}
    if text == "refused":
        with pytest.raises(ArgumentError):
            serialize(value, **place)
        return
    assert serialize(value, **place) == text
    assert deserialize(text, **place, kind=kind_of(value)) == texts(value)


@pytest.mark.parametrize("case", CASES["both"], ids=lambda case: case["text"])
def test_both_ways(case):
    assert serialize(case["value"], **options(case)) == case["text"]
    assert deserialize(case["text"], **where(case), kind=kind_of(case["value"])) == case["value"]


@pytest.mark.parametrize("case", CASES["written"], ids=lambda case: f"{case['value']}-{case['text']}")
def test_written(case):
    assert serialize(case["value"], **options(case)) == case["text"]


@pytest.mark.parametrize("case", CASES["read"], ids=lambda case: str(case["text"]))
def test_read(case):
    expected = MISSING if case["value"] == "MISSING" else case["value"]
    kind = case.get("kind", kind_of(expected))
    assert deserialize(case["text"], **where(case), kind=kind, properties=case.get("properties", ())) == expected


@pytest.mark.parametrize("case", CASES["refused"], ids=lambda case: f"{case['style']}-{case['value']}")
def test_refused(case):
    with pytest.raises(ArgumentError, match=case["why"]) as raised:
        serialize(case["value"], **options(case))
    assert raised.value.argument == "color"


@pytest.mark.parametrize(("text", "value"), CASES["scalars"].items())
def test_scalars(text, value):
    assert scalar(value) == text


def test_a_number_too_long_for_python_is_refused():
    with pytest.raises(ArgumentError, match="digits"):
        serialize(10**5000, name="n", in_="query", style="form", explode=True)


def test_text_that_is_not_unicode_is_refused_and_not_shown():
    with pytest.raises(ArgumentError) as raised:
        serialize("secret\ud800", name="n", in_="query", style="form", explode=True)
    assert "secret" not in str(raised.value)
    assert raised.value.__cause__ is None


def test_a_value_that_is_not_plain_is_refused():
    with pytest.raises(ArgumentError, match="bytes within its value"):
        serialize(b"bytes", name="n", in_="query", style="form", explode=True)


@pytest.mark.parametrize("value", [{"a": {}}, []])
def test_nesting_is_bounded(value):
    deep = value
    for _ in range(100):
        deep = {"a": deep}
    with pytest.raises(ArgumentError, match="nested deeper"):
        serialize(deep, name="n", in_="query", style="deepObject", explode=True)
    assert deserialize(f"n{'[a]' * 100}=1", name="n", in_="query", style="deepObject", explode=True, kind="object") is (
        MISSING
    )


@pytest.mark.parametrize("use", ["write", "read", "fields"])
def test_a_location_without_that_style_is_the_documents_fault(use):
    calls = {
        "write": lambda: serialize("a", name="n", in_="path", style="deepObject", explode=True),
        "read": lambda: deserialize("a", name="n", in_="path", style="form", explode=True, kind="primitive"),
        "fields": lambda: fields("a", name="n", style="matrix"),
    }
    with pytest.raises(InvalidDocument, match="can't have the style"):
        calls[use]()


def test_fields_of_a_multipart_body_are_not_encoded():
    assert fields(["a b", "é&"], name="x") == [("x", "a b"), ("x", "é&")]
    assert fields({"a": 1}, name="x", explode=True) == [("a", "1")]
    assert fields({"a": [1, 2]}, name="x", style="deepObject") == [("x[a]", "1"), ("x[a]", "2")]
    assert fields(["a", "b"], name="x", explode=False) == [("x", "a,b")]
    with pytest.raises(ArgumentError):
        fields([[1]], name="x")


# -- round trips -------------------------------------------------------------------------------------------------------

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
# Nothing is escaped in these, so their values can't hold what they are delimited by.
ASCII = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters=",;=|"), min_size=1)
PLAIN = {"header", "field"}  # a field is only written
ENCODED = sorted(key for key in STYLES if key[0] not in PLAIN and key[1] not in {"cookie", "deepObject"})
RAW = sorted(key for key in STYLES if key[0] == "header" or key[1] == "cookie")


def there_and_back(value, in_, style, explode):
    place = {"name": "näme", "in_": in_, "style": style, "explode": explode}
    try:
        text = serialize(value, **place)
    except ArgumentError:
        # Dot segments, and what holds the delimiter of a style that can't encode it.
        return
    assert text.isascii()
    assert deserialize(text, **place, kind=kind_of(value)) == value


@pytest.mark.parametrize(("in_", "style"), ENCODED)
@settings(max_examples=25, deadline=None)
@given(
    value=TEXT | st.lists(TEXT, min_size=1, max_size=4) | st.dictionaries(TEXT, TEXT, min_size=1, max_size=4),
    explode=st.booleans(),
)
def test_any_text_round_trips(in_, style, value, explode):
    if style == "label" and explode and "." in str(value):
        return  # RFC 6570, 3.2.5: the separator is unreserved, so it is not encoded
    there_and_back(value, in_, style, explode)


@pytest.mark.parametrize(("in_", "style"), RAW)
@settings(max_examples=15, deadline=None)
@given(
    value=ASCII | st.lists(ASCII, min_size=1, max_size=4) | st.dictionaries(ASCII, ASCII, min_size=1, max_size=4),
    explode=st.booleans(),
)
def test_plain_text_round_trips_where_nothing_is_escaped(in_, style, value, explode):
    place = {"name": "n", "in_": in_, "style": style, "explode": explode}
    assert deserialize(serialize(value, **place), **place, kind=kind_of(value)) == value


KEY = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="[]"), min_size=1).filter(
    lambda key: not key.isdigit()
)
DEEP = st.recursive(
    TEXT | st.lists(TEXT, min_size=2, max_size=3),
    lambda inner: st.dictionaries(KEY, inner, min_size=1, max_size=3) | st.lists(inner, min_size=2, max_size=3),
    max_leaves=8,
)


@settings(max_examples=50, deadline=None)
@given(value=st.dictionaries(KEY, DEEP, min_size=1, max_size=3), in_=st.sampled_from(["query", "form"]))
def test_deep_objects_round_trip(value, in_):
    there_and_back(value, in_, "deepObject", explode=True)


@settings(max_examples=200, deadline=None)
@given(
    text=st.text(st.sampled_from("ab[]0=&;,.%|+ ?2é\n")),
    where=st.sampled_from(sorted(STYLES)),
    explode=st.booleans(),
    kind=st.sampled_from(["primitive", "array", "object"]),
)
def test_nothing_that_arrives_raises(text, where, explode, kind):
    in_, style = where
    value = deserialize(text, name="a", in_=in_, style=style, explode=explode, kind=kind)
    assert value is MISSING or isinstance(value, str | list | dict)


@settings(max_examples=200, deadline=None)
@given(value=st.text(), where=st.sampled_from(sorted(STYLES)), explode=st.booleans(), allow_reserved=st.booleans())
def test_a_value_never_breaks_the_message(value, where, explode, allow_reserved):
    in_, style = where
    try:
        written = [
            serialize(held, name="n", in_=in_, style=style, explode=explode, allow_reserved=allow_reserved)
            for held in (value, [value, "b"], {"k": value})
        ]
    except ArgumentError:
        return
    forbidden = {
        "path": "/?# \r\n\0",
        "query": "# \r\n\0[]",
        "form": "# \r\n\0",
        "header": "\r\n\0",
        "cookie": "\r\n\0",
    }
    for text in written:
        assert not set(text) & set(forbidden.get(in_, ""))
    if in_ in {"query", "form"} and style != "deepObject":
        assert "&" not in written[0]
    if in_ == "cookie":
        assert ";" not in written[0]
