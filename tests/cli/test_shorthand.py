"""Bodies in shorthand: the grammar as data, values by schema, and what is refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynclient.cli.input_values import ShorthandError, coerced, read_shorthand

SHORTHAND = {
    "hello: world, question: how are you?": {"hello": "world", "question": "how are you?"},
    "empty: null, bool: true, num: 1.5, string: hello": {"empty": None, "bool": True, "num": 1.5, "string": "hello"},
    'empty: "null", bool: "true", num: "1.5"': {"empty": "null", "bool": "true", "num": "1.5"},
    'blank1: , blank2: ""': {"blank1": "", "blank2": ""},
    "foo.bar.baz: 1": {"foo": {"bar": {"baz": 1}}},
    "foo.bar{id: 1, count.clicks: 5}": {"foo": {"bar": {"id": 1, "count": {"clicks": 5}}}},
    "foo.bar: {id: 1}": {"foo": {"bar": {"id": 1}}},
    "foo.bar: 1, foo.baz: 2": {"foo": {"bar": 1, "baz": 2}},
    "[1, 2, 3]": [1, 2, 3],
    "[0][2][0]: 1": [[None, None, [1]]],
    "a[]: 1, a[]: 2, a[]: 3": {"a": [1, 2, 3]},
    "a[1]: x": {"a": [None, "x"]},
    "foo.bar[]{baz: 1, hello: world}": {"foo": {"bar": [{"baz": 1, "hello": "world"}]}},
    "{\n  // said\n  foo.bar[]{\n    baz: 1\n    hello: x\n  }\n}": {"foo": {"bar": [{"baz": 1, "hello": "x"}]}},
    '{"foo": {"bar": [{"baz": 1, "hello": "world"}]}}': {"foo": {"bar": [{"baz": 1, "hello": "world"}]}},
    "title: x, labels[]: bug": {"title": "x", "labels": ["bug"]},
    "users: [{id: 1, age: 5, friends: [a, b]}, {id: 2}]": {
        "users": [{"id": 1, "age": 5, "friends": ["a", "b"]}, {"id": 2}]
    },
    "url: https://a.test/b?c=d, when: 2022-01-01T12:00:00Z": {
        "url": "https://a.test/b?c=d", "when": "2022-01-01T12:00:00Z",
    },
    'a\\.b: 1, "c.d[0]": 2, "": 3': {"a.b": 1, "c.d[0]": 2, "": 3},
    "zip: 01234, big: 1e400, minus: -5, not: -": {"zip": "01234", "big": float("inf"), "minus": -5, "not": "-"},
    "a: NaN, b: -Infinity": {"a": "NaN", "b": "-Infinity"},
    '"a.b": 1, "c"[]: 2': {"a.b": 1, "c": [2]},
    '"a.b"{c: 1}': {"a.b": {"c": 1}},
    "left: undefined, b: 1": {"b": 1},
    "a: {}, b: [], c{}": {"a": {}, "b": [], "c": {}},
    "a: [1\n2\n3], b: x y  z": {"a": [1, 2, 3], "b": "x y  z"},
    "": {},
}  # fmt: skip


@pytest.mark.parametrize("text", SHORTHAND)
def test_shorthand(text):
    assert read_shorthand(text, lambda _, bare: coerced(bare.text)) == SHORTHAND[text]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hello", "followed by :"),
        ("a: 1, a.b: 2", "b needs an object"),
        ("a.b: 1, a[0]: 2", "needs an array"),
        ("a.b: 1, a: 2", "a has two values"),
        ("a[1]: 1, a[1]: 2", "1 has two values"),
        ("a{b: 1", "} is missing"),
        ("a: [1, 2", "] is missing"),
        ('a: "x', "not closed"),
        ("a[1001]: x", "larger than 1000"),
        ("a[99999999]: x", "larger than 1000"),
        (": x", "a name is expected"),
        ("{a: 1} b", "unexpected text"),
        ("a" + "{b" * 100 + "}" * 100, "more than 64 levels"),
        ("[" * 100_000, "more than 64 levels"),
        ("a..b: 1", "a name is expected"),
    ],
)
def test_what_is_no_shorthand(text, said):
    with pytest.raises(ShorthandError, match=said):
        read_shorthand(text, lambda _, bare: coerced(bare.text))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None)
@given(JSON.filter(lambda value: isinstance(value, dict | list)))
def test_json_is_shorthand(value):
    for indent in (None, 2):
        text = json.dumps(value, indent=indent)
        assert read_shorthand(text, lambda _, bare: coerced(bare.text)) == value


@settings(deadline=None)
@given(st.text(alphabet='ab.:[]{},"\\ \n0@/-', max_size=30))
def test_any_text_is_read_or_refused(text):
    try:
        value = read_shorthand(text, lambda _, bare: coerced(bare.text))
    except ShorthandError:
        return
    json.dumps(value)


SCHEMA = {
    "type": "object",
    "properties": {
        "title": {"type": "string"},
        "count": {"type": "integer"},
        "labels": {"type": "array", "items": {"type": "string"}},
        "any": {},
    },
}


@pytest.mark.parametrize(
    ("words", "body"),
    [
        (["title: 42, count: 3, labels[]: 1"], {"title": "42", "count": 3, "labels": ["1"]}),
        (["title:", "A", "bug,", "labels[]:", "bug"], {"title": "A bug", "labels": ["bug"]}),
        (["title=42", "count=3", "labels[]=1", "labels[]=x"], {"title": "42", "count": 3, "labels": ["1", "x"]}),
        (['any:={"b": [1]}', "count:=3"], {"any": {"b": [1]}, "count": 3}),
        (["title=@text.txt", "any=@data.json"], {"title": "of a file", "any": [1]}),
        (["title: @text.txt, other: @data.json"], {"title": "of a file", "other": [1]}),
        (["@data.json"], [1]),
        (["title=@@x", "any=a=b:c"], {"title": "@x", "any": "a=b:c"}),
        (
            ["title: a", "labels[]: b", "any{x: y}", "count: -1"],
            {"title": "a", "labels": ["b"], "any": {"x": "y"}, "count": -1},
        ),
        (["title:", "a b: c"], {"title": "a b: c"}),
        (["title:", "Bug:", "it", "fails"], {"title": "Bug: it fails"}),
    ],
)
def test_words_are_the_body(run, document, tmp_path, monkeypatch, words, body):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.txt").write_text("of a file")
    (tmp_path / "data.json").write_text("[1]")
    content = {"application/json": {"schema": SCHEMA}}
    path = document(method="post", requestBody={"content": content})
    call = ("call", path, "look", *words, "--base-url", "https://t.test", "--dry-run", "--validate", "off")
    status, out, err = run(*call)
    assert (status, err) == (0, "")
    assert json.loads(out.partition("\n\n")[2]) == body


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["title"], "give name=value, or name: value"),
        (["count:=x"], "malformed JSON"),
        (["title=x", "--body", "{}"], "in only one of these ways"),
        (["title=x", "--count", "3"], "in only one of these ways"),
        (["title=x", "title.a=x"], "contradicts"),
        (["title=@not-there"], "there is no such file"),
        (["title=@"], "there is no such file"),
        (["@."], "there is no such file"),
        (["title=x", "labels[]: y"], "takes NAME=VALUE"),
    ],
)
def test_words_that_are_no_body_are_wrong_usage(run, document, words, said):
    content = {"application/json": {"schema": SCHEMA}}
    path = document(method="post", requestBody={"content": content})
    status, out, err = run("call", path, "look", *words, "--base-url", "https://t.test", "--dry-run")
    assert (status, out, said in err) == (2, "", True)


def test_a_missing_body_is_told_with_the_ways_to_give_it(run, document):
    content = {"application/json": {"schema": SCHEMA}}
    path = document(method="post", requestBody={"required": True, "content": content})
    status, _, err = run("call", path, "look", "--base-url", "https://t.test", "--dry-run")
    assert (status, "--body - for standard input" in err) == (1, True)
