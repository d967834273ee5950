"""A damaged, foreign or hostile compiled form can do nothing that the document could not do."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
from pathlib import Path

import pytest

from dynclient import _load
from dynclient._document import cache
from dynclient._document.cache import Cache, key_of, made_by
from dynclient._document.compiled import HEAD, Writer
from dynclient._load import compiled, load
from dynclient.exceptions import DocumentError, DynclientError


@pytest.fixture(autouse=True)
def settled(monkeypatch):
    monkeypatch.setattr(cache, "_YOUNG", -(10**12))
    monkeypatch.setattr(_load, "_HELD", Forgetful())


class Forgetful(dict):
    """An empty registry of shared documents, so that each load is that of a new process."""

    def __setitem__(self, key, value):
        pass


@pytest.fixture
def cached(voice_path, tmp_path):
    """A folder with the form of one document, and the file in it."""
    folder = tmp_path / "cache"
    load(voice_path, cache=folder)
    (file,) = folder.iterdir()
    return folder, file


def said(api):
    """The contents of all operations."""
    return [repr(api.read(row)) for row in api.rows]


@pytest.fixture(scope="module")
def plain():
    return said(load(Path(__file__).parents[2] / "openapi" / "voice.yaml", cache=False))


def broken_forms(data, seed=0):
    """Forms with one thing wrong."""
    chance = random.Random(seed)
    for at in [*range(len(HEAD)), *range(len(data) - 24, len(data)), *(chance.randrange(len(data)) for _ in range(60))]:
        flipped = bytearray(data)
        flipped[at] ^= 1 << chance.randrange(8)
        yield bytes(flipped)
    for length in (0, 1, len(HEAD), len(data) // 2, len(data) - 1):
        yield data[:length]
    yield data + b"\0"
    yield b"not a form at all"
    yield HEAD + b"\0" * 100


def test_a_damaged_cache_is_as_if_it_were_not_there(voice_path, cached, plain):
    folder, file = cached
    for data in broken_forms(file.read_bytes()):
        file.write_bytes(data)
        assert said(load(voice_path, cache=folder)) == plain


def test_a_form_that_is_cut_while_it_is_used(voice_path, cached, plain):
    folder, file = cached
    api = load(voice_path, cache=folder)
    os.truncate(file, 100)
    assert said(api) == plain
    assert said(load(voice_path, cache=folder)) == plain


def test_a_damaged_form_of_a_document_that_is_gone(tmp_path, voice_path):
    path, folder = tmp_path / "a.yaml", tmp_path / "cache"
    path.write_bytes(voice_path.read_bytes())
    load(path, cache=folder)
    api = load(path, cache=folder)
    path.unlink()
    os.truncate(next(folder.iterdir()), 100)
    with pytest.raises(DocumentError, match="load the document again"):
        said(api)


def test_a_damaged_shipped_form_is_told(voice_path):
    data = compiled(voice_path)
    good = said(load(data))
    for broken in broken_forms(data, 1):
        try:
            result = said(load(broken))
        except DynclientError:
            continue
        assert result == good


@pytest.mark.parametrize("tree", [5, [], None, "x", {"openapi": "3.1.0", "paths": 5}, {"paths": {"/a": [1]}}])
def test_a_hostile_shipped_form_is_told(tree):
    writer = Writer()
    writer.add("root.yaml", "root.yaml", "0", tree, declares=True)
    row = ["GET /b", "GET", "/b", None, "b", [], "", [], False, "/paths/~1b/get", "/paths/~1b"]
    listing = json.dumps([{}, *([value] for value in row)]).encode()
    data = b"".join(writer.finished(listing, release="", depends={}))
    try:
        api = load(data)
    except DynclientError:
        return
    assert api.rows == ()


def test_an_operation_that_the_document_lacks_can_not_be_read(monkeypatch):
    from dynclient import __version__

    writer = Writer()
    tree = {"openapi": "3.1.0", "paths": {"/a": {"get": {"operationId": "a", "responses": {}}}}}
    writer.add("root.yaml", "root.yaml", "0", tree, declares=False)
    rows = [
        ["GET /b", "GET", "/b", None, "b", [], "", [], False, "/paths/~1b/get", "/paths/~1b"],
        ["PUT /a", "PUT", "/a", None, "c", [], "", [], False, "/paths/~1a/put", "/paths/~1a"],
        ["GET /a", "GET", "/a", "other", "d", [], "", [], False, "/paths/~1a/get", "/paths/~1a"],
    ]
    listing = json.dumps([{}, *zip(*rows, strict=True)]).encode()
    api = load(b"".join(writer.finished(listing, release=__version__, depends={})))
    assert [row.name for row in api.rows] == ["b", "c", "d"]
    assert [(row.pointer, row.path_pointer) for row in api.rows[:1]] == [("/paths/~1b/get", "/paths/~1b")]
    for row in api.rows:
        with pytest.raises(DocumentError):
            api.read(row)


def test_forms_of_others_are_not_read(voice_path, cached, monkeypatch):
    folder, file = cached
    key = key_of("file", str(voice_path))
    assert Cache(str(folder)).find(key) is not None
    file.chmod(0o666)
    assert Cache(str(folder)).find(key) is None
    file.chmod(0o600)
    target = folder / "elsewhere"
    file.rename(target)
    file.symlink_to(target)
    assert Cache(str(folder)).find(key) is None
    file.unlink()
    target.rename(file)
    assert Cache(str(folder)).find(key) is not None
    monkeypatch.setattr("dynclient._document.cache._stem", lambda key: file.stem)
    assert Cache(str(folder)).find(key_of("file", "another")) is None  # whatever its file is called
    assert Cache(str(folder)).find(key) is not None
    made_by.cache_clear()
    monkeypatch.setattr("dynclient._document.cache.__version__", "0.0.other")
    assert Cache(str(folder)).find(key) is None
    made_by.cache_clear()


def test_a_folder_that_can_not_be_written(voice_path, tmp_path, plain, monkeypatch):
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "below", "/proc/nowhere"):
        assert said(load(voice_path, cache=folder)) == plain

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    assert said(load(voice_path, cache=tmp_path / "full")) == plain
    assert list((tmp_path / "full").iterdir()) == []


def test_what_was_not_used_for_long_goes_first(tmp_path):
    cache = Cache(str(tmp_path))
    files = []
    for number, key in enumerate("abcdef"):
        cache.keep(key, [b"x" * 100])
        (file,) = set(tmp_path.iterdir()) - set(files)
        os.utime(file, (number, number))
        files.append(file)
    (tmp_path / "notes.txt").write_text("somebody's own")
    (tmp_path / f".{files[0].stem}.1.ab").write_text("left behind")
    os.utime(tmp_path / f".{files[0].stem}.1.ab", (1, 1))
    cache.trim(maximum=350)
    assert [Path(entry.path) for entry in cache.entries()] == [files[5], files[4], files[3]]
    cache.trim(files=1)
    assert sorted(file.name for file in tmp_path.iterdir()) == [files[5].name, "notes.txt"]
    assert cache.clear() == 1
    assert [file.name for file in tmp_path.iterdir()] == ["notes.txt"]


def load_often(path, folder, results):
    results.put([len(load(path, cache=folder).rows) for _ in range(10)])


def test_processes_at_once(voice_path, tmp_path):
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    folder = str(tmp_path / "cache")
    workers = [context.Process(target=load_often, args=(str(voice_path), folder, results)) for _ in range(3)]
    for worker in workers:
        worker.start()
    assert [results.get(timeout=60) for _ in workers] == [[4] * 10] * 3
    for worker in workers:
        worker.join()
    assert len(list((tmp_path / "cache").iterdir())) == 1


def test_values_that_only_the_standard_encoder_writes(tmp_path):
    values = {"big": 2**70, "float": 1.5, "text": "\ud800", "zero": -0.0, "empty": {}, "null": None}
    tree = {"openapi": "3.1.0", "paths": {}, "x-values": values, "x-fill": "x" * 40_000}
    path = tmp_path / "a.json"
    path.write_text(json.dumps(tree))
    load(path, cache=tmp_path / "cache")
    from dynclient._document.references import open_document

    found = open_document(path, cache=Cache(str(tmp_path / "cache"))).root["x-values"]
    assert json.dumps(dict(found)) == json.dumps(values)
