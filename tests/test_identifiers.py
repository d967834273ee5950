"""Names of a document as Python names."""

import keyword
from pathlib import Path
from unicodedata import normalize

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from dynclient._identifiers import MAX_LENGTH, class_name, distinct, identifier, near

CASES = yaml.safe_load((Path(__file__).parent / "cases" / "identifiers.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("text", "expected"), CASES.items(), ids=[str(text) for text in CASES])
def test_cases(text, expected):
    assert [identifier(str(text)), class_name(str(text))] == expected


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200) | st.from_regex(r"[A-Za-z0-9_ $+-]{0,160}"))
def test_any_text_makes_a_valid_name(text):
    for make in (identifier, class_name):
        name = make(text)
        assert name.isidentifier()
        assert name == normalize("NFKC", name)
        assert not keyword.iskeyword(name)
        assert not name.startswith("__")
        assert not name.endswith("__")
        assert len(name) <= MAX_LENGTH
        assert make(text) == name
    assert identifier(identifier(text)) == identifier(text)
    assert class_name(class_name(text)) == class_name(text)


def test_long_names_stay_distinct():
    first, second = identifier("x" * 200 + "a"), identifier("x" * 200 + "b")
    assert first != second
    assert len(first) == len(second) == MAX_LENGTH


@pytest.mark.parametrize(
    ("names", "taken", "expected"),
    [
        (["a", "b"], [], ["a", "b"]),
        (["a", "a", "a"], [], ["a", "a_2", "a_3"]),
        (["a", "a", "a_2"], [], ["a", "a_3", "a_2"]),
        (["from_", "from_"], [], ["from_", "from_2"]),
        (["reload"], ["reload"], ["reload_2"]),
        (["reload", "x"], ["reload", "reload_2"], ["reload_3", "x"]),
        ([], ["a"], []),
    ],
)
def test_distinct(names, taken, expected):
    assert distinct(names, taken) == expected


@given(st.lists(st.sampled_from(["a", "a_2", "a_3", "b", "from_", "x" * MAX_LENGTH]), max_size=12))
def test_distinct_names_differ_and_fit(names):
    made = distinct(names)
    assert len(set(made)) == len(made) == len(names)
    assert all(len(name) <= MAX_LENGTH for name in made)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("creatCall", ["create_call"]),
        ("CREATE_CALL", ["create_call"]),
        ("recording", ["get_recording"]),
        ("zzz", []),
        ("", []),
        ("o" * 100_000, []),
    ],
)
def test_near(name, expected):
    assert near(name, ["create_call", "get_recording", "x"], limit=1) == expected
