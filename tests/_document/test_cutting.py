"""Large JSON text that is divided into parts: the same data as from a whole parse, and the same errors, later."""

from __future__ import annotations

import csv
import json
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from threading import Barrier, Thread

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from dynclient import _load
from dynclient._document import cache, json_text
from dynclient._document import data as reading
from dynclient._document.compiled import LazyMapping, broken
from dynclient._document.data import read
from dynclient._document.identifiers import identifiers
from dynclient._document.references import open_document
from dynclient._load import compiled, load
from dynclient.changes import compare
from dynclient.exceptions import DocumentError, DocumentLocation, UnreadableDocument, UnsafeDocument
from dynclient.options import Limits

pytest.importorskip("msgspec")

FOLDER = os.environ.get("DYNCLIENT_SHARED")
LIMITS = Limits(document_depth=20)
OK = {"responses": {"200": {"description": "ok"}}}
HEAD = '{"openapi": "3.0.3", "info": {"title": "t", "version": "1"},\n'


@pytest.fixture(autouse=True)
def eager_to_cut(monkeypatch):
    """Every text is a large one; and files that a test has just written count as old."""
    monkeypatch.setattr(reading, "SMALLEST", 0)
    monkeypatch.setattr(cache, "_YOUNG", -(10**12))
    # Each load is that of a new process.
    monkeypatch.setattr(_load, "_HELD", _Forgetful())


class _Forgetful(dict):
    def __setitem__(self, key, value):
        pass


def plain(node):
    """A tree without parts; members in their order."""
    if isinstance(node, Mapping):
        return {key: plain(value) for key, value in node.items()}
    return [plain(each) for each in node] if isinstance(node, list) else node


def spelled(tree):
    """A tree with the order of its members, the types of its numbers, and all else that equality passes over."""
    return json.dumps(plain(tree), ensure_ascii=True)


def documents(*, largest=1 << 62):
    """The documents of the corpus, but not the files that others refer to."""
    if not FOLDER:
        return []
    with (Path(FOLDER) / "corpus" / "INDEX.tsv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return [row["file"] for row in rows if row["kind"] == "openapi" and int(row["bytes"]) < largest]


def as_json(path):
    if path.suffix == ".json":
        return path.read_bytes()
    return json.dumps(read(path.read_bytes(), "d", Limits()), indent=1, ensure_ascii=False).encode()


def said(api):
    """The contents of a list of operations."""
    return api.rows, api.tags, api.title, [(type(fault), fault.message) for fault in api.faults]


@pytest.mark.skipif(not FOLDER, reason="DYNCLIENT_SHARED is not set")
@pytest.mark.parametrize("name", documents())
def test_a_document_is_the_same_cut_and_whole(shared, name, monkeypatch):
    text = as_json(shared / "corpus" / name)
    cut, listed = read(text, "d", Limits()), said(load(text, cache=False))
    assert type(cut) is LazyMapping
    monkeypatch.setattr(reading, "SMALLEST", 1 << 62)
    whole = read(text, "d", Limits())
    assert type(whole) is dict
    assert spelled(cut) == spelled(whole)
    assert listed == said(load(text, cache=False))


@pytest.mark.skipif(not FOLDER, reason="DYNCLIENT_SHARED is not set")
@pytest.mark.parametrize("name", documents(largest=100_000))
def test_who_walks_a_document_sees_no_difference(shared, name, monkeypatch):
    text = as_json(shared / "corpus" / name)
    cut = load(text, cache=False)
    monkeypatch.setattr(reading, "SMALLEST", 1 << 62)
    whole = load(text, cache=False)
    assert (type(cut.references.root), type(whole.references.root)) == (LazyMapping, dict)
    assert [tried(cut, row) for row in cut.rows] == [tried(whole, row) for row in whole.rows]
    # What is broken can't be compared, and that is told.
    assert list(map(str, compare(cut, whole))) == list(map(str, compare(whole, whole)))
    assert identifiers(cut.references.root, "d:d") == identifiers(whole.references.root, "d:d")
    assert cut.fingerprint == whole.fingerprint


def tried(api, row):
    try:
        return repr(api.read(row))
    except DocumentError as error:
        return str(error)


KEYS = st.sampled_from(["a", "b", "components", "paths", "~/", "\u00e9\U0001f600", '"{[\\', "}", ","])
GOOD = ["1", "-0", "1.5", "1e5", "18446744073709551617", "true", '""', '"}"', '"\\u00e9\\\\"', '"]\\""', '"\u00e9"']
BAD = ["1e999", r'"\ud800"', '"\ud800"', "NaN", "01", "9" * 5000]
SCALARS = st.sampled_from([*GOOD, *GOOD, *GOOD, *GOOD, *BAD])
SPACES = st.sampled_from(["", "", " ", "\n", "\t\r\n"])


def texts(depth=4):
    """JSON text, with keys that are there twice, and some that is not JSON."""

    def container(inner):
        pairs = st.tuples(SPACES, KEYS, SPACES, inner).map(lambda one: f"{one[0]}{json.dumps(one[1])}{one[2]}:{one[3]}")
        objects = st.lists(pairs, max_size=4).map(lambda members: "{" + ",".join(members) + "}")
        arrays = st.lists(inner, max_size=3).map(lambda items: "[" + ", ".join(items) + "]")
        return st.tuples(SPACES, objects | objects | arrays, SPACES).map("".join)

    found = SCALARS
    for _ in range(depth):
        found = container(found | SCALARS)
    return found


@settings(max_examples=600, deadline=None)
@given(texts())
def test_any_text_gives_what_the_exact_reader_gives(text):
    data = text.encode("utf-8", "surrogatepass")
    if not data.strip().startswith(b"{"):
        return
    try:
        whole, error = json_text.read(data, "d", LIMITS), None
    except DocumentError as caught:
        whole, error = None, caught
    parts = reading.divided(data, "d", LIMITS)
    if parts is None:
        return
    told = list(broken(parts))
    if error is None:
        assert not told
        assert spelled(parts) == spelled(whole)
    else:
        assert (type(error), error.message) in [(type(each), each.message) for each in told]
        assert error.location.pointer in ("", *[each.location.pointer for each in told])


# What is wrong at the levels that are looked at, or with the text as a whole, is told at once.
AT_ONCE = {
    "twice at the root": ('{"paths": {}, "info": 1, "paths": {}}', "duplicate key 'paths'"),
    "twice, equal": ('{"paths": 1, "paths": 1}', "duplicate key 'paths'"),
    "twice, one like the other's beginning": ('{"x": {"k": 55, "k": 5}}', "duplicate key 'k'"),
    "twice, and made to look as if it were not": ('{"a": "}", "a": {}}', "duplicate key 'a'"),
    "twice, an object and then none": ('{"a": {"b":1}, "a": 5}', "duplicate key 'a'"),
    "twice in paths": ('{"paths": {"/a": {"x": 1},\n"/b": 2, "/a": {"x": 1}}}', "duplicate key '/a' (first on line"),
    "twice, spelled in two ways": ('{"paths": {"/a": 1, "\\/\\u0061": 2}}', "duplicate key '/a'"),
    "twice in a Path Item": ('{"paths": {"/a": {"get": {}, "get": {}}}}', "duplicate key 'get'"),
    "twice among schemas": ('{"components": {"schemas": {"A": {}, "B": {}, "A": []}}}', "duplicate key 'A'"),
    "no UTF-8, deep in a part": (b'{"a": {"b": {"c": {"d": "\xff"}}}}', "is not UTF-8"),
    "a surrogate that is none of UTF-8": (b'{"a": {"b": {"c": {"d": "\xed\xa0\x80"}}}}', "is not UTF-8"),
    "no JSON, deep in a part": ('{"a": {"b": {"c": {"d": [1, 2,, 3]}}}}', "is not JSON"),
    "cut off": ('{"a": {"b": {"c": {"d": [1', "is not JSON"),
    "NaN": ('{"a": {"b": {"c": {"d": NaN}}}}', "has NaN"),
}


@pytest.mark.parametrize("case", AT_ONCE)
def test_what_is_told_when_the_document_is_read(case):
    text, words = AT_ONCE[case]
    with pytest.raises(UnreadableDocument, match=words.replace("(", r"\(").replace(")", r"\)")):
        open_document(text.encode() if isinstance(text, str) else text, limits=LIMITS)


DEEP = "[" * 19 + "]" * 19
# A part, what is wrong with it, on which of its lines, and where below the operation.
LATE = {
    "twice": ('{"a": 1,\n"responses": {"x": {},\n"x": {}}}', "duplicate key 'x' (first on line 5)", 3, "/responses/x"),
    "twice in an array": ('{"parameters": [{}, {"in": 1, "in": 2}]}', "duplicate key 'in'", 1, "/parameters/1/in"),
    "too large": ('{"x":\n1e999}', "has 1e999", 2, ""),
    "too deep": (f'{{"x": {DEEP}}}', "nests deeper than 20 levels", None, ""),
    "too many digits": (f'{{"x": {"9" * 5000}}}', "has a number that can't be read", None, ""),
}


def with_operation(text):
    return f'{HEAD}"paths": {{"/good": {{"get": {json.dumps(OK)}}},\n"/a~b": {{\n"get": {text}}}}}}}'.encode()


@pytest.mark.parametrize("case", LATE)
@pytest.mark.parametrize("cached", [False, True])
def test_what_is_told_when_the_operation_is_read(case, cached, tmp_path):
    text, words, line, below = LATE[case]
    source = tmp_path / "a.json"
    source.write_bytes(with_operation(text) + b" " * 40_000)
    pointer = f"/paths/~1a~0b/get{below}" if below else ""
    for _ in range(2):
        api = load(source, cache=tmp_path / "cache" if cached else False, limits=LIMITS)
        good, bad = api.rows
        assert api.read(good).responses["200"].description == "ok"
        for _ in range(2):
            with pytest.raises((UnreadableDocument, UnsafeDocument)) as caught:
                api.read(bad)
            assert words in caught.value.message
            assert caught.value.location == DocumentLocation(str(source), pointer, line and line + 3)
            assert caught.value.operation_id == "GET /a~b"
    assert [error.message for error in open_document(source, limits=LIMITS).broken()] == [caught.value.message]
    with pytest.raises((UnreadableDocument, UnsafeDocument)):
        compiled(source, limits=LIMITS)


def test_the_exact_reader_agrees_with_what_is_told_late():
    for text, _, _, _ in LATE.values():
        data = with_operation(text)
        with pytest.raises(DocumentError) as whole:
            json_text.read(data, "d", LIMITS)
        (late,) = broken(reading.divided(data, "d", LIMITS))
        assert (late.message, late.location) == (whole.value.message, whole.value.location)


def test_what_json_may_have_and_the_fast_parser_may_not():
    # A lone surrogate is JSON (RFC 8259, 8.2), and no reason to refuse a document.
    text = with_operation(json.dumps({**OK, "summary": "\ud800", "x-number": 2**70}))
    (_, row) = load(text, cache=False).rows
    assert row.summary == "\ud800"


PATHS = {
    "/ref": {"$ref": "#/components/pathItems/Shared"},
    "/beside": {"$ref": "#/components/pathItems/Shared", "summary": "here", "delete": OK},
    "/nowhere": {"$ref": "#/components/pathItems/Gone"},
    "/operation": {"get": {"$ref": "#/components/pathItems/Shared/get"}, "summary": "of the path"},
    "/more": {"additionalOperations": {"COPY": {**OK, "operationId": "copyIt"}, "GET": OK}, "query": OK},
    "/odd": {"get": {"operationId": 5, "tags": ["a", 7, None, {"x": 1}, "a"], "summary": [1], "deprecated": "true"}},
    "/odder": {"post": 5, "get": None, "put": [1], "trace": "x", "parameters": [{"a": 1}], "x-y": {"tags": {}}},
    "/no-object": [1],
    "/null": None,
    "x-paths": {"get": OK},
    "/summed": {"summary": " all ", "put": {"summary": ""}, "patch": {"summary": "own", "deprecated": True}},
}
SHARED = {"get": {**OK, "operationId": "shared", "tags": ["T"], "summary": "s"}, "post": OK}


@pytest.mark.parametrize("version", ["3.0.3", "3.1.1", "3.2.0"])
def test_the_list_is_the_same_cut_and_whole(version, monkeypatch):
    made = {"openapi": version, "info": {"title": "t", "version": "1"}, "paths": PATHS}
    text = json.dumps({**made, "components": {"pathItems": {"Shared": SHARED}}}).encode()
    listed = said(load(text, cache=False))
    monkeypatch.setattr(reading, "SMALLEST", 1 << 62)
    assert listed == said(load(text, cache=False))
    assert {"copyIt" in [row.operation_id for row in listed[0]], version == "3.2.0"} in ({True}, {False})
    assert len(listed[3]) == 2


@pytest.mark.parametrize("paths", [5, [], None, "x"])
def test_paths_that_are_none(paths):
    text = json.dumps({"openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "paths": paths})
    with pytest.raises(DocumentError, match=r"`paths` (must be an object|is missing)"):
        load(text, cache=False)


def test_what_was_read_is_kept_as_it_is_written(tmp_path):
    source, folder = tmp_path / "a.json", tmp_path / "cache"
    made = {"openapi": "3.1.0", "info": {"title": "t\u00e9", "version": "1"}, "tags": [{"name": "x"}]}
    made |= {"paths": {"/a": {"get": {**OK, "operationId": "a"}}}, "components": {"schemas": {"S": {"type": "string"}}}}
    text = json.dumps({**made, "x-filling": "x" * 40_000}, indent=2, ensure_ascii=False).encode()
    source.write_bytes(text)
    cold = open_document(source, cache=None).root
    load(source, cache=folder)
    (kept,) = folder.iterdir()
    assert text in kept.read_bytes()
    api = load(source, cache=folder)
    assert spelled(api.references.root) == spelled(cold)
    assert api.schemas["S"].value == {"type": "string"}
    assert yaml.safe_load(text)["info"]["title"] == api.title
    # What is shipped was looked at, and is compact.
    shipped = compiled(source)
    assert text not in shipped
    assert spelled(load(shipped).references.root) == spelled(cold)


# Where else than an object should be, an object may be parts.
NO_OBJECT = [
    ({"security": {"a": []}}, "`security` must be an array, not an object"),
    ({"openapi": {"3": "0"}}, "has `openapi: an object`"),
]


@pytest.mark.parametrize(("members", "words"), NO_OBJECT)
def test_an_object_is_called_one_however_it_is_held(members, words, tmp_path):
    source = tmp_path / "a.json"
    made = {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {"/a": {"get": OK}}}
    source.write_text(json.dumps({**made, **members}) + " " * 40_000)
    for folder in (False, tmp_path / "cache", tmp_path / "cache"):
        with pytest.raises(DocumentError, match=words):
            _, *_ = map((api := load(source, cache=folder)).read, api.rows)


def test_threads_see_one_value_of_each_part():
    made = {"paths": {f"/{number}": {"get": {"x": [number] * 5}} for number in range(1_000)}}
    text = json.dumps(made).encode()
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(5):
            paths, barrier, seen = reading.divided(text, "d", LIMITS)["paths"], Barrier(4), []

            def look(paths=paths, barrier=barrier, seen=seen):
                barrier.wait()
                seen.append({key: paths[key] for key in paths})

            threads = [Thread(target=look) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert [key for found in seen for key in paths if found[key] is not paths[key]] == []
            assert len(seen) == len(threads)
    finally:
        sys.setswitchinterval(before)


@pytest.mark.parametrize("case", LATE)
def test_what_is_told_of_a_kept_text_whose_document_is_gone(case, tmp_path):
    text, words, line, below = LATE[case]
    source, folder = tmp_path / "a.json", tmp_path / "cache"
    source.write_bytes(with_operation(text) + b" " * 40_000)
    load(source, cache=folder, limits=LIMITS)
    (kept,) = folder.iterdir()
    api = load(source, cache=folder, limits=LIMITS)
    assert api.references.was_listed
    source.unlink()
    good, bad = api.rows
    for _ in range(2):
        with pytest.raises((UnreadableDocument, UnsafeDocument)) as caught:
            api.read(bad)
        assert words in caught.value.message
        pointer = f"/paths/~1a~0b/get{below}" if below else ""
        assert caught.value.location == DocumentLocation(str(source), pointer, line and line + 3)
    assert api.read(good).responses["200"].description == "ok"
    # It is the document's fault, not the form's.
    assert kept.exists()


def test_a_key_that_comes_again_after_many_others_is_found_in_time():
    members = ",\n".join(f'"{number}": 0' for number in range(60_000))
    started = time.thread_time()
    with pytest.raises(UnreadableDocument, match=r"duplicate key '0' \(first on line 2\)") as caught:
        open_document(f'{{"x": {{\n{members},\n"0": 1}}}}'.encode(), limits=LIMITS)
    assert caught.value.location.line == 60_002
    assert time.thread_time() - started < 3
