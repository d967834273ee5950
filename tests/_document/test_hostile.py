"""Malicious documents, and the error that each of them raises."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import dynclient
from dynclient.exceptions import DocumentError, DocumentLocation, UnreadableDocument, UnsafeDocument
from dynclient.options import Limits


def document_of(source: Any, **options: Any) -> Any:
    """Load a document; returns what resolves its references, which has its root too."""
    return dynclient.load(source, cache=False, **options).api.references


BOMB = "\n".join(["a0: &a0 [x, x]", *(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 30))])
MERGE_BOMB = "a0: &a0 {x: [1, 2]}\n" + "\n".join(
    f"a{n}: &a{n} {{<<: *a{n - 1}, k{n}: *a{n - 1}}}" for n in range(1, 40)
)
LADDER = "a0: &a0 [x]\n" + "\n".join(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 700))
LADDER += "\npad: [" + "0, " * 40_000 + "0]"

# name: text, error, words of its message, line, pointer
HOSTILE = {
    "yaml_bomb": (BOMB, UnsafeDocument, "aliases expand far beyond", None, ""),
    "yaml_merge_bomb": (MERGE_BOMB, UnsafeDocument, "aliases expand far beyond", None, ""),
    "yaml_deep_by_aliases": (LADDER, UnsafeDocument, "nests deeper than 512", None, ""),
    "yaml_cycle": ("a: &a [*a]", UnsafeDocument, "contains itself", None, ""),
    "yaml_long_cycle": ("a: &a\n  b: {c: [{d: *a}]}", UnsafeDocument, "contains itself", None, ""),
    "yaml_merge_loop": ("a: &a\n  <<: *a", UnsafeDocument, "contains itself", None, ""),
    "yaml_root_cycle": ("&a {a: *a}", UnsafeDocument, "contains itself", None, ""),
    "yaml_python_tag": (
        "openapi: 3.1.0\nx: {y: !!python/object/apply:os.system ['touch marker']}",
        UnreadableDocument,
        "unknown tag 'tag:yaml.org,2002:python/object/apply:os.system'",
        2,
        "/x/y",
    ),
    "yaml_own_tag": ("a:\n  - !secret b", UnreadableDocument, "unknown tag '!secret'", 2, "/a/0"),
    "yaml_tagged_key": ("a:\n  !secret b: 1", UnreadableDocument, "key of the unknown tag", 2, "/a/b"),
    "yaml_binary": ("a: !!binary aGk=", UnreadableDocument, "unknown tag", 1, "/a"),
    "yaml_timestamp": ("a: !!timestamp 2026-01-01", UnreadableDocument, "unknown tag", 1, "/a"),
    "yaml_set": ("a: !!set {b, c}", UnreadableDocument, "unknown tag", 1, "/a"),
    "yaml_wrong_collection": ("a: !!map [b]", UnreadableDocument, "sequence tagged", 1, "/a"),
    "yaml_wrong_number": ("a: !!int b", UnreadableDocument, "'b', which can't be read", 1, "/a"),
    "yaml_wrong_boolean": ("a: !!bool yes", UnreadableDocument, "'yes', which can't be read", 1, "/a"),
    "yaml_inf": ("a:\n- .inf", UnreadableDocument, "'.inf', which can't be read", 2, "/a/0"),
    "yaml_huge_integer": (f"a: {'9' * 5000}", UnreadableDocument, "can't be read", 1, "/a"),
    "yaml_collection_as_key": ("a:\n  ? [b]\n  : c", UnreadableDocument, "key that is a collection", 2, "/a"),
    "yaml_unquoted_template": ("a: {{b}}", UnreadableDocument, "quote a key that begins with a brace", 1, "/a"),
    "yaml_undefined_alias": ("a: 1\nb: *c", UnreadableDocument, "undefined alias", 2, ""),
    "yaml_two_documents": ("a: 1\n---\nb: 2", UnreadableDocument, "single document", 2, ""),
    "yaml_merge_of_a_scalar": ("b: 1\na: {<<: 3}", UnreadableDocument, "`<<` must be a mapping", 2, "/a"),
    "yaml_tab": ("a:\n\t- b", UnreadableDocument, "is not YAML", 2, ""),
    "yaml_control_character": ("a: \x07", UnreadableDocument, "is not YAML", None, ""),
    "yaml_duplicate": ("a: 1\nb:\n  c: 1\n  d: 2\n  c: 3", UnreadableDocument, "duplicate key 'c'", 5, "/b/c"),
    "yaml_duplicate_of_a_number": ("a:\n  200: 1\n  '200': 2", UnreadableDocument, "duplicate key '200'", 3, "/a/200"),
    "json_duplicate": (
        '{"a": {"b/c": 1,\n"d": 2,\n"b/c" : 3}}',
        UnreadableDocument,
        "duplicate key 'b/c' (first on line 1)",
        3,
        "/a/b~1c",
    ),
    "json_duplicate_in_a_list": (
        '{"a": [1, {"x": {}},\n{"b": [2], "b": 2}]}',
        UnreadableDocument,
        "duplicate key 'b'",
        2,
        "/a/2/b",
    ),
    "json_duplicate_escaped": ('{"a": 1, "\\u0061": 2}', UnreadableDocument, "duplicate key 'a'", 1, "/a"),
    "json_nan": ('{"a":\nNaN}', UnreadableDocument, "has NaN", 2, ""),
    "json_infinity": ('{"a": -Infinity}', UnreadableDocument, "has -Infinity", 1, ""),
    "json_huge_float": ('{"a": 1,\n"b": 1e999}', UnreadableDocument, "has 1e999", 2, ""),
    "json_huge_integer": (f'{{"a": {"9" * 5000}}}', UnreadableDocument, "number that can't be read", None, ""),
    "json_cut": ('{"a": 1,\n"b": [', UnreadableDocument, "is not JSON", 2, ""),
    "json_cut_in_a_string": ('{"a": 1,\n"b": "c', UnreadableDocument, "string starting at line 2, column 6", 2, ""),
    "json_control": ('{"a": "\x01"}', UnreadableDocument, "control character at line 1, column 8", 1, ""),
    "json_deep": ('{"a":' * 100_000 + "1" + "}" * 100_000, UnsafeDocument, "nests deeper than 512", None, ""),
    "json_deep_and_cut": ("[" * 100_000, UnsafeDocument, "nests deeper than 512", None, ""),
    "yaml_flow_deep": ("a: " + "[" * 100_000, DocumentError, "", None, None),
    "yaml_block_deep": ("".join(f"{' ' * n}a:\n" for n in range(600)), UnsafeDocument, "nests deeper", None, ""),
    "html": (
        "\n<!DOCTYPE html><html>\x1b[31m",
        UnreadableDocument,
        'got HTML: "<!DOCTYPE html><html>\\\\x1b',
        None,
        "",
    ),
    "xml": ("<a/>", UnreadableDocument, "got XML or HTML", None, ""),
    "empty": ("", UnreadableDocument, "it is empty", None, ""),
    "blank": (" \n\t\n ", UnreadableDocument, "it is empty", None, ""),
    "comment": ("# nothing\n", UnreadableDocument, "got null", None, ""),
    "array": ("[1, 2]", UnreadableDocument, 'got an array: "[1, 2]"', None, ""),
    "yaml_array": ("- 1\n", UnreadableDocument, "got an array", None, ""),
    "null": ("null\n", UnreadableDocument, "got null", None, ""),
    "string": ("just words\n", UnreadableDocument, 'got a string: "just words"', None, ""),
    "number": ("12\n", UnreadableDocument, "got a number", None, ""),
    "boolean": ("true\n", UnreadableDocument, "got a boolean", None, ""),
    "long_string": ("x" * 5000 + "\n", UnreadableDocument, '"' + "x" * 80 + '"…', None, ""),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_each_hostile_document_is_one_error(case):
    text, error, words, line, pointer = HOSTILE[case]
    start = time.thread_time()
    with pytest.raises(error) as caught:
        document_of(text.encode())
    assert words.replace("\\\\", "\\") in str(caught.value)
    assert len(str(caught.value)) <= 2000
    assert time.thread_time() - start < 5
    if pointer is not None:
        assert caught.value.location == DocumentLocation("<bytes>", pointer, line)


@pytest.mark.parametrize("data", [b"a: \xff\xfe", b'{"a": "\xff"}', b"\xff\xfea\x00\x00\xd8", b"\x00\x00\xfe\xff\x00"])
def test_bytes_of_no_charset(data):
    with pytest.raises(UnreadableDocument):
        document_of(data)


def test_a_charset_that_is_not_unicode_is_named_with_its_line():
    with pytest.raises(UnreadableDocument, match="is not UTF-8") as caught:
        document_of('{"a": 1,\n"b": "Grüße"}'.encode("latin-1"))
    assert caught.value.location.line == 2
    assert "save it as UTF-8" in caught.value.hint


def test_nothing_runs_because_of_a_tag(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UnreadableDocument):
        document_of(HOSTILE["yaml_python_tag"][0])
    assert list(tmp_path.iterdir()) == []


def test_many_aliases_of_an_honest_document_are_read():
    text = "openapi: 3.1.0\na: &a {x: [1, 2, 3]}\nb:\n" + "- *a\n" * 2000
    assert len(document_of(text).root["b"]) == 2000


@pytest.mark.large
def test_a_large_document_without_aliases_is_no_bomb():
    text = "openapi: 3.1.0\npaths:\n" + "".join(
        f"  /p{n}: {{get: {{a: [1, 2, 3], b: c & d * e}}}}\n" for n in range(30_000)
    )
    assert len(document_of(text).root["paths"]) == 30_000


@pytest.mark.parametrize("kind", ["bytes", "text", "path", "file"])
def test_a_document_beyond_the_limit(kind, tmp_path):
    path = tmp_path / "big.yaml"
    path.write_text("a: " + "x" * 1000)
    limits = replace(Limits(), document_bytes=1000)
    with path.open("rb") as file:
        source = {"bytes": path.read_bytes(), "text": path.read_text(), "path": path, "file": file}[kind]
        with pytest.raises(UnsafeDocument, match="larger than the limit of 1000 bytes"):
            document_of(source, limits=limits)
    path.write_text("a: " + "x" * 997)
    with pytest.raises(DocumentError, match="has no version"):
        document_of(path, limits=limits)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="there is no /dev/zero")
def test_an_endless_file_is_left_at_the_limit():
    with pytest.raises(UnsafeDocument, match="larger than"):
        document_of("/dev/zero", limits=replace(Limits(), document_bytes=100_000))


def cyclic():
    tree = {"a": {"b": [1]}}
    tree["a"]["b"].append(tree["a"])
    return tree


def fan_out():
    node = {"x": 1}
    for _ in range(40):
        node = {"l": node, "r": node}
    return node


def deep():
    node = {}
    for _ in range(100_000):
        node = {"a": [node]}
    return node


MAPPINGS = [
    (cyclic, UnsafeDocument, "contains itself"),
    (fan_out, UnsafeDocument, "far beyond its size"),
    (deep, UnsafeDocument, "nests deeper"),
    (lambda: {"a": {200: 1, "200": 2}}, UnreadableDocument, "duplicate key '200'"),
    (lambda: {"a": {(1, 2): 1}}, UnreadableDocument, "a key must be text, not tuple"),
    (lambda: {"a": [object()]}, UnreadableDocument, "builtins.object is not a type"),
    (lambda: {"a": {1, 2}}, UnreadableDocument, "builtins.set is not a type"),
    (lambda: {"a": b"x"}, UnreadableDocument, "builtins.bytes is not a type"),
    (lambda: {"a": float("nan")}, UnreadableDocument, "builtins.float is not a type"),
    (lambda: {"a": lambda: 1}, UnreadableDocument, "builtins.function is not a type"),
]


@pytest.mark.parametrize(("make", "error", "words"), MAPPINGS)
def test_mappings_that_are_no_document(make, error, words):
    with pytest.raises(error, match=words):
        document_of(make())
