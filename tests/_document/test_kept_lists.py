"""A list of operations that is made again for a compiled form is the same as that of a load without a cache."""

from __future__ import annotations

import json

import pytest

from dynclient import _load
from dynclient._document import cache, data
from dynclient._load import load
from dynclient.exceptions import DocumentError

pytest.importorskip("msgspec")

OK = '{"responses": {"200": {"description": "ok"}}}'
TWICE = '{"x": 1,\n"x": 2}'
HEAD = '{"openapi": "3.0.3", "info": {"title": "t", "version": "1"},\n'
FILLING = " " * 40_000


@pytest.fixture(autouse=True)
def eager_to_cut(monkeypatch):
    """Every text is a large one; files that a test has just written count as old; each load is a new process's."""

    class Forgetful(dict):
        def __setitem__(self, key, value):
            pass

    monkeypatch.setattr(data, "SMALLEST", 0)
    monkeypatch.setattr(cache, "_YOUNG", -(10**12))
    monkeypatch.setattr(_load, "_HELD", Forgetful())


def said(api):
    """The contents of a list, and the result of reading each operation."""
    return api.rows, api.tags, [str(fault) for fault in api.faults], [tried(api, row) for row in api.rows]


def tried(api, row):
    try:
        return api.read(row).responses["200"].description
    except DocumentError as error:
        return str(error)


# Each has something that no list can be kept with, and a part that can't be decoded.
UNLISTED = {
    "a Path Item leads nowhere": '"/gone": {"$ref": "#/nowhere"}',
    "a Path Item leads to a file too small to be kept": '"/other": {"$ref": "other.json"}',
}


@pytest.mark.parametrize("many", [0, 300])
@pytest.mark.parametrize("case", UNLISTED)
def test_an_operation_that_is_broken_is_listed_at_each_load(case, many, tmp_path):
    more = "".join(f'"/{number}": {{"get": {OK}}},' for number in range(many))
    paths = f'{more}"/good": {{"get": {OK}}}, "/bad": {{"get": {TWICE}}}, {UNLISTED[case]}'
    source, folder = tmp_path / "a.json", tmp_path / "cache"
    source.write_text(f'{HEAD}"paths": {{{paths}}}}}{FILLING}')
    (tmp_path / "other.json").write_text(f'{{"get": {OK}}}')
    cold = said(load(source, cache=False))
    assert "GET /bad" in [row.key for row in cold[0]]
    for _ in range(4):
        assert said(load(source, cache=folder)) == cold


@pytest.mark.parametrize("change", ["the other file", "references"])
def test_a_list_is_made_anew_without_a_look_at_what_is_broken(change, tmp_path):
    source, other, folder = tmp_path / "a.json", tmp_path / "other.json", tmp_path / "cache"
    schemas = f'"components": {{"schemas": {{"Bad": {TWICE}}}}}'
    source.write_text(f'{HEAD}"paths": {{"/other": {{"$ref": "other.json"}}}}, {schemas}}}{FILLING}')
    other.write_text(f'{{"get": {OK}}}{FILLING}')
    load(source, cache=folder)
    references = [str(tmp_path / "more")] if change == "references" else []
    if change == "the other file":
        other.write_text(f'{{"post": {OK}}}{FILLING}')
    cold = said(load(source, cache=False, references=references))
    sizes = set()
    for _ in range(3):
        api = load(source, cache=folder, references=references)
        assert said(api) == cold
        sizes.add(sum(file.stat().st_size for file in folder.iterdir()))
    # The new list stands in the place of the old one.
    assert len(sizes) == 1
    assert api.references.was_listed


def test_a_damaged_form_is_not_written_again(tmp_path):
    source, folder = tmp_path / "a.json", tmp_path / "cache"
    text = json.dumps({"description": "d" * 300, "responses": {"200": {"description": "ok"}}})
    source.write_text(f'{HEAD}"paths": {{"/a": {{"get": {text}}}}}}}{FILLING}')
    cold = said(load(source, cache=False))
    load(source, cache=folder)
    (kept,) = folder.iterdir()
    kept.write_bytes(kept.read_bytes().replace(b"dddd", b"eddd", 1))
    assert said(load(source, cache=folder, references=[str(tmp_path)])) == cold
    assert said(load(source, cache=folder, references=[str(tmp_path)])) == cold
    (kept,) = folder.iterdir()
    assert b"eddd" not in kept.read_bytes()
