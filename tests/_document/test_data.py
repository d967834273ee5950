"""Bytes to plain data: the rules of YAML 1.2, exact JSON, charsets; both parsers of each, where two are installed."""

from __future__ import annotations

import contextlib
import json
import math
import sys
from dataclasses import replace
from functools import partial

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from dynclient._document import json_text, yaml_text
from dynclient._document.data import read
from dynclient.exceptions import DocumentError, UnreadableDocument, UnsafeDocument
from dynclient.options import Limits

LIMITS = Limits()
get = partial(read, name="doc", limits=LIMITS)


@pytest.fixture(params=["fast", "plain"])
def parsers(request, monkeypatch):
    """Both parsers of JSON and both loaders of YAML: those written in C, and those that are always available."""
    if request.param == "plain":
        monkeypatch.setitem(sys.modules, "msgspec", None)
        monkeypatch.delattr(yaml, "CSafeLoader")
    yaml_text._loader.cache_clear()
    yield request.param
    monkeypatch.undo()
    yaml_text._loader.cache_clear()


# YAML 1.2.2, 10.3.2, and what YAML 1.1 would make of the same.
SCALARS = {
    "no": "no",
    "yes": "yes",
    "on": "on",
    "Off": "Off",
    "y": "y",
    "true": True,
    "False": False,
    "TRUE": True,
    "tRUE": "tRUE",
    "null": None,
    "~": None,
    "": None,
    "Null": None,
    "nULL": "nULL",
    "1.10": 1.1,
    "1.10.0": "1.10.0",
    "3.1.0": "3.1.0",
    "2.0": 2.0,
    "0": 0,
    "-0": 0,
    "017": 17,
    "0o17": 15,
    "-0o17": "-0o17",
    "0x1F": 31,
    "0b11": "0b11",
    "1_000": "1_000",
    "+12": 12,
    "1:30": "1:30",
    "190:20:30": "190:20:30",
    "2026-03-01": "2026-03-01",
    "2026-03-01T12:30:00Z": "2026-03-01T12:30:00Z",
    "1e3": 1000.0,
    "1.e3": 1000.0,
    ".5": 0.5,
    "1.5E-2": 0.015,
    ".": ".",
    "+": "+",
    "e3": "e3",
    "=": "=",
    "18446744073709551616": 18446744073709551616,
    "'no'": "no",
    '"1"': "1",
    '"\\u00e9"': "é",
    "!!str 200": "200",
    '!!int "3"': 3,
    '!!float "3"': 3.0,
    "!!bool true": True,
    "<<": "<<",
    "é": "é",
    "\U0001f600": "\U0001f600",
}


@pytest.mark.parametrize("text", SCALARS)
def test_plain_scalars_are_those_of_yaml_1_2(text, parsers):
    value = get(f"a: {text}".encode())["a"]
    assert (value, type(value)) == (SCALARS[text], type(SCALARS[text]))


KEYS = {
    "200": "200",
    "0x10": "0x10",
    "no": "no",
    "true": "true",
    "null": "null",
    "~": "~",
    "1.10": "1.10",
    "2026-03-01": "2026-03-01",
    "4XX": "4XX",
    "'200'": "200",
    "!!int 200": "200",
    "? long\n": "long",
    "/a/{b}": "/a/{b}",
    '"<<"': "<<",
}


@pytest.mark.parametrize("text", KEYS)
def test_a_key_is_text_as_it_is_written(text, parsers):
    assert get(f"{text}: 1".encode()) == {KEYS[text]: 1}


MERGES = [
    ("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}", {"x": 1, "y": 3}),
    ("a: &a {x: 1}\nc: &c {x: 2, z: 4}\nb: {<<: [*a, *c]}", {"x": 1, "z": 4}),
    ("a: &a {x: 1}\nc: &c {<<: *a, z: 4}\nb: {<<: *c, q: 5}", {"x": 1, "z": 4, "q": 5}),
    ("b: {<<: {x: 1, <<: {w: 0}}, q: 5}", {"w": 0, "x": 1, "q": 5}),
    ("b:\n  q: 5\n  <<:\n    x: 1\n    <<:\n      w: 0", {"w": 0, "x": 1, "q": 5}),
    ("a: &a {x: 1}\nb:\n  <<: *a\n  <<: {z: 2}", {"x": 1, "z": 2}),
]


@pytest.mark.parametrize(("text", "merged"), MERGES)
def test_merge_keys(text, merged, parsers):
    assert get(text.encode())["b"] == merged


def test_aliases_are_shared(parsers):
    tree = get(b"a: &a {x: [1]}\nb: *a\nc: [*a, *a]\nd: &d text\ne: *d")
    assert tree == {"a": {"x": [1]}, "b": {"x": [1]}, "c": [{"x": [1]}] * 2, "d": "text", "e": "text"}
    assert tree["a"] is tree["b"] is tree["c"][1]


JSON_VALUES = [
    ('{"a": 18446744073709551616}', 18446744073709551616),
    ('{"a": -9223372036854775809}', -9223372036854775809),
    ('{"a": 1.0}', 1.0),
    ('{"a": 0.1}', 0.1),
    ('{"a": 1E2}', 100.0),
    ('{"a": "\\u00e9\\ud83d\\ude00"}', "é\U0001f600"),
    ('{"a": "\\ud800"}', "\ud800"),
    ('{"a": "no"}', "no"),
    ('{"a": {}, "b" : [] , "c":"d\\":"}', {}),
    ('{"a": {"x": "\\\\"}, "x": "\\\\"}', {"x": "\\"}),
    ('{"a": "\\"x\\": [[[", "b": "}"}', '"x": [[['),
]


@pytest.mark.parametrize(("text", "value"), JSON_VALUES)
def test_json_is_exact(text, value, parsers):
    found = get(text.encode())["a"]
    assert (found, type(found)) == (value, type(value))


CHARSETS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"]


@pytest.mark.parametrize("charset", CHARSETS)
@pytest.mark.parametrize("text", ["title: Grüße \U0001f600\n", '{"title": "Grüße \U0001f600"}'])
def test_charsets(charset, text):
    assert get(text.encode(charset)) == {"title": "Grüße \U0001f600"}


def test_yaml_that_begins_as_json_does(parsers):
    assert get(b"{openapi: 3.1.0, paths: {}}") == {"openapi": "3.1.0", "paths": {}}
    assert get(b'{"a": 1, # why\n}') == {"a": 1}


def test_yaml_that_begins_as_json_does_is_not_taken_where_json_is_promised():
    with pytest.raises(UnreadableDocument, match=r"is not JSON.*line 2"):
        get(b'{"a": 1,\n # why\n}', json_only=True)


def test_line_ends_and_markers(parsers):
    assert get(b"%YAML 1.2\r\n---\r\na: 1\r\nb: |\r\n  x\r\n...\r\n") == {"a": 1, "b": "x\n"}


def trees(text):
    numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    return st.dictionaries(
        text,
        st.recursive(
            st.none() | st.booleans() | numbers | text,
            lambda below: st.lists(below, max_size=4) | st.dictionaries(text, below, max_size=4),
            max_leaves=12,
        ),
        max_size=5,
    )


ROOTS = trees(st.text())
# YAML's escapes know no pairs of surrogates, and its keys on one line are shorter than 1,024 characters.
ROOTS_IN_YAML = trees(st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), max_size=20))


@settings(max_examples=80, deadline=None)
@given(ROOTS, st.booleans(), st.sampled_from([None, 2, "\t"]))
def test_json_comes_back_as_it_went(tree, ascii_only, indent):
    text = json.dumps(tree, ensure_ascii=ascii_only, indent=indent)
    assert get(text.encode("utf-8", "surrogatepass")) == tree


@settings(max_examples=60, deadline=None)
@given(ROOTS_IN_YAML)
def test_yaml_comes_back_as_it_went(tree):
    # JSON strings are YAML's double-quoted ones, but for control characters, which YAML wants escaped.
    text = "\n".join(f"? {json.dumps(key)}\n: {json.dumps(value)}" for key, value in tree.items())
    assert get((text or "{}").encode()) == tree


@settings(max_examples=80, deadline=None)
@given(ROOTS, st.integers(1, 9))
def test_the_depth_of_json_is_that_of_its_tree(tree, size):
    def depth(node):
        below = node.values() if isinstance(node, dict) else node if isinstance(node, list) else None
        return 0 if below is None else 1 + max(map(depth, below), default=0)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_text, "_PIECE", size)
        assert json_text.depth_of(json.dumps(tree).encode()) == depth(tree)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="{}[]\",:\\ \n-&*<!#'ax01~|>", max_size=40) | st.binary(max_size=40))
def test_whatever_comes_only_a_document_error_is_raised(noise):
    data = noise.encode() if isinstance(noise, str) else noise
    with contextlib.suppress(DocumentError):
        get(data, root=True)


@pytest.mark.parametrize("limits", [LIMITS, replace(LIMITS, document_depth=20)])
@pytest.mark.parametrize("style", ["json", "flow", "block"])
def test_nesting_up_to_the_limit_is_read_and_one_more_is_not(limits, style, parsers):
    depth = limits.document_depth if limits.document_depth < 100 or parsers == "fast" else 100
    limits = replace(limits, document_depth=depth)

    def nested(levels):
        if style == "block":
            return b"a:\n" + b"".join(b" " * n + b"-\n" for n in range(1, levels))
        return b'{"a":' + b"[" * (levels - 1) + b"]" * (levels - 1) + (b"}" if style == "json" else b",}")

    assert get(nested(depth), limits=limits)
    with pytest.raises(UnsafeDocument, match=f"deeper than {depth} levels"):
        get(nested(depth + 1), limits=limits)


def test_infinite_numbers_never_come_out(parsers):
    for text in ("a: .inf", "a: -.INF", "a: .nan", "a: 1e999", '{"a": 1e999}', '{"a": NaN}', '{"a": -Infinity}'):
        with pytest.raises(UnreadableDocument):
            get(text.encode())
    assert math.isfinite(get(b"a: 1e308")["a"])
