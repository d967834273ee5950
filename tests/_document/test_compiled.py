"""The compiled form: the same document, kept in a cache or shipped."""

from __future__ import annotations

import gc
import json
import os
from pathlib import Path
from weakref import WeakValueDictionary

import pytest

import dynclient
from dynclient import _load
from dynclient._document import cache
from dynclient._document.cache import cache_of
from dynclient._load import compiled, load
from dynclient.exceptions import TransportError, UnreadableDocument, UnsafeDocument
from dynclient.messages import Headers, Response

URL = "https://api.example/openapi.yaml"
FILLING = "# " + "x" * 3000 + "\n"


@pytest.fixture(autouse=True)
def settled(monkeypatch):
    """Files that a test has just written count as old."""
    monkeypatch.setattr(cache, "_YOUNG", -(10**12))


class Forgetful(dict):
    """Holds nothing."""

    def __setitem__(self, key, value):
        pass


@pytest.fixture(autouse=True)
def unshared(monkeypatch):
    """Each load is that of a new process."""
    monkeypatch.setattr(_load, "_HELD", Forgetful())


@pytest.fixture
def reads(monkeypatch):
    """The names of the documents that were really parsed."""
    from dynclient._document import data

    names, parse = [], data.read

    def read(data, name, *rest, **more):
        names.append(Path(name).name)
        return parse(data, name, *rest, **more)

    monkeypatch.setattr(data, "read", read)
    return names


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "cache"


def text_of(*ids):
    paths = {f"/{one}": {"get": {"operationId": one, "responses": {"200": {"description": "ok"}}}} for one in ids}
    return FILLING + json.dumps({"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": paths})


def everything(api):
    """The contents of an API, its operations included, as a comparable value."""
    operations = [api.read(row) for row in api.rows]
    schemas = {name: schema.value for name, schema in api.schemas.items()}
    api = api._replace(read=None, read_incoming=None, references=None, schemas=None, security_schemes=None)
    return api, operations, schemas


def test_a_document_is_the_same_from_its_compiled_form(voice_path, orders_path, folder, reads, tmp_path):
    for path in (voice_path, orders_path):
        plain = everything(load(path, cache=False))
        load(path, cache=folder)
        reads.clear()
        assert everything(load(path, cache=folder)) == plain
        shipped = tmp_path / "shipped.dync"
        shipped.write_bytes(compiled(path))
        (api, operations, schemas), (plain_api, *rest) = everything(load(shipped)), plain
        assert (api.rows, api.tags, api.title) == (plain_api.rows, plain_api.tags, plain_api.title)
        assert schemas == rest[1]
        named = [[[part.name for part in one.parameters] for one in every] for every in (operations, rest[0])]
        assert named[0] == named[1]


def test_the_second_load_parses_nothing(tmp_path, folder, reads):
    path = tmp_path / "a.yaml"
    path.write_text(text_of("one", "two"))
    for expected in (["a.yaml"], [], []):
        api = load(path, cache=folder)
        assert [api.read(row).id for row in api.rows] == ["one", "two"]
        del api
        assert reads == expected
        reads.clear()
    assert [oct(file.stat().st_mode & 0o777) for file in folder.iterdir()] == ["0o600"]


def test_a_changed_document_is_seen(tmp_path, folder):
    path = tmp_path / "a.yaml"
    for ids in (("one",), ("two",), ("one", "two")):
        path.write_text(text_of(*ids))
        for _ in range(2):
            assert [row.operation_id for row in load(path, cache=folder).rows] == list(ids)


def test_a_young_file_is_compared_by_its_bytes(tmp_path, folder, monkeypatch, reads):
    monkeypatch.setattr(cache, "_YOUNG", 10**12)
    path = tmp_path / "a.yaml"
    path.write_text(text_of("one"))
    first = load(path, cache=folder)
    before = path.stat()
    path.write_text(text_of("two"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert [row.operation_id for row in load(path, cache=folder).rows] == ["two"]
    assert [row.operation_id for row in first.rows] == ["one"]
    reads.clear()
    load(path, cache=folder)
    assert reads == []


def test_a_touched_document_is_not_read_again(tmp_path, folder, reads):
    path = tmp_path / "a.yaml"
    path.write_text(text_of("one"))
    load(path, cache=folder)
    os.utime(path, ns=(1, 10**18))
    reads.clear()
    for _ in range(2):
        load(path, cache=folder)
    assert reads == []


def test_files_that_a_document_refers_to(tmp_path, folder, reads):
    root = {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {"/a": {"$ref": "paths/a.yaml"}}}
    item = {"get": {"operationId": "one", "responses": {"200": {"$ref": "../answer.yaml"}}}}
    (tmp_path / "paths").mkdir()
    (tmp_path / "root.yaml").write_text(FILLING + json.dumps(root))
    (tmp_path / "paths" / "a.yaml").write_text(FILLING + json.dumps(item))
    (tmp_path / "answer.yaml").write_text(FILLING + json.dumps({"description": "first"}))

    def answer():
        api = load(tmp_path / "root.yaml", cache=folder)
        return api.read(api.rows[0]).responses["200"].description

    assert answer() == "first"
    assert sorted(reads) == ["a.yaml", "answer.yaml", "root.yaml"]
    reads.clear()
    assert answer() == "first"
    assert reads == []
    (tmp_path / "answer.yaml").write_text(FILLING + json.dumps({"description": "second"}))
    assert answer() == "second"
    (tmp_path / "paths" / "a.yaml").write_text(FILLING + json.dumps({"post": item["get"]}))
    assert [row.method for row in load(tmp_path / "root.yaml", cache=folder).rows] == ["POST"]


def test_a_shipped_form_holds_all_files_and_no_path(tmp_path):
    home = tmp_path / "secret-home"
    home.mkdir()
    root = {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {"/a": {"$ref": "a.yaml"}}}
    (home / "root.yaml").write_text(json.dumps(root))
    (home / "a.yaml").write_text(json.dumps({"get": {"responses": {"200": {"$ref": "b.yaml"}}}}))
    (home / "b.yaml").write_text(json.dumps({"description": "found"}))
    data = compiled(home / "root.yaml")
    assert b"secret-home" not in data
    other = tmp_path / "other"
    other.mkdir()
    (other / "x.dync").write_bytes(data)
    for file in home.iterdir():
        file.unlink()
    for source in (other / "x.dync", data):
        api = load(source)
        assert api.read(api.rows[0]).responses["200"].description == "found"
    assert (other / "x.dync").as_uri().replace("x.dync", "root.yaml") == load(other / "x.dync").document_uri


def test_a_shipped_form_leads_to_no_file(tmp_path):
    root = {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {"/a": {"get": {"$ref": "gone.yaml"}}}}
    (tmp_path / "root.yaml").write_text(json.dumps(root))
    (tmp_path / "x.dync").write_bytes(compiled(tmp_path / "root.yaml"))
    (tmp_path / "gone.yaml").write_text("{responses: {}}")
    api = load(tmp_path / "x.dync")
    with pytest.raises(UnsafeDocument):
        api.read(api.rows[0])


class Web:
    """A transport with one page, which knows its tag, and may be down."""

    def __init__(self):
        self.text, self.down, self.sent = "", False, []

    def send(self, send):
        self.sent.append(send.request)
        if self.down:
            raise TransportError("down", request=send.request)
        tag = f'"{hash(self.text)}"'
        if send.request.headers.get("if-none-match") == tag:
            return Response(304, Headers({}), b"", send.request)
        return Response(200, Headers({"ETag": tag}), self.text.encode(), send.request)

    def close(self):
        pass


def test_a_url_is_asked_whether_it_has_changed(folder, reads):
    web = Web()
    for ids in (("one",), ("two",)):
        web.text = text_of(*ids)
        for times in (1, 0, 0):
            reads.clear()
            assert [row.operation_id for row in load(URL, transport=web, cache=folder).rows] == list(ids)
            assert len(reads) == times
    assert [request.headers.get("if-none-match") is not None for request in web.sent] == [False, *[True] * 5]
    web.down = True
    assert [row.operation_id for row in load(URL, transport=web, cache=folder).rows] == ["two"]
    with pytest.raises(TransportError):
        load(URL, transport=web, cache=False)
    with pytest.raises(TransportError):
        load(URL + "?other", transport=web, cache=folder)


def test_lines_are_found_again_in_the_source(tmp_path, folder):
    path = tmp_path / "a.yaml"
    path.write_text(FILLING + "openapi: 3.1.0\ninfo: {title: t, version: '1'}\npaths:\n  /a:\n    get: 5\n")
    for _ in range(2):
        api = load(path, cache=folder)
        assert api.references.location(f"{api.document_uri}#/paths/~1a/get")[2] == 6
        del api
    api = load(path, cache=folder)
    path.write_text(FILLING + "openapi: 3.1.0\n")
    assert api.references.location(f"{api.document_uri}#/paths/~1a/get")[1:] == ("/paths/~1a/get", None)


def test_one_document_is_held_once(tmp_path, folder, monkeypatch):
    monkeypatch.setattr(_load, "_HELD", WeakValueDictionary())
    path = tmp_path / "a.yaml"
    path.write_text(text_of("one"))
    first = load(path, cache=folder)
    assert load(str(path), cache=folder).references is not None
    assert load(path, cache=folder) is first
    text = text_of("held")
    held = load(text, cache=False)
    assert load(text.encode(), cache=False) is held
    path.write_text(text_of("two"))
    assert load(path, cache=folder) is not first


def test_one_shipped_form_is_held_once_as_long_as_its_file_is_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(_load, "_HELD", WeakValueDictionary())
    path = tmp_path / "a.dync"
    path.write_bytes(compiled(text_of("one")))
    first = load(path)
    assert load(str(path)) is first
    assert load(str(path), references=["https://other.example"]) is not first
    other = tmp_path / "b.dync"
    other.write_bytes(compiled(text_of("two")))
    os.utime(other, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    assert other.stat().st_size == path.stat().st_size
    other.replace(path)
    second = load(path)
    assert [row.name for row in second.rows] == ["two"]
    assert load(path) is second
    assert [row.name for row in first.rows] == ["one"]
    del second
    gc.collect()
    path.unlink()
    with pytest.raises(UnreadableDocument):
        load(path)


def test_a_shipped_form_that_is_too_young_to_be_known_is_not_held(tmp_path, monkeypatch):
    monkeypatch.setattr(_load, "_HELD", WeakValueDictionary())
    monkeypatch.setattr(cache, "_YOUNG", 10**12)
    path = tmp_path / "a.dync"
    path.write_bytes(compiled(text_of("one")))
    first = load(path)
    assert load(path) is not first


def test_a_client_of_a_shipped_form_reloads_what_has_changed(tmp_path, monkeypatch):
    monkeypatch.setattr(_load, "_HELD", WeakValueDictionary())
    path = tmp_path / "a.dync"
    path.write_bytes(compiled(text_of("one")))
    client = dynclient.load(path)
    assert not client.reload()
    assert dynclient.load(path).api is client.api
    path.write_bytes(compiled(text_of("three")))
    assert client.reload()
    assert list(client.operations) == ["three"]


def test_what_rules_the_cache(tmp_path, monkeypatch):
    assert cache_of(False) is None
    assert cache_of(tmp_path).folder == str(tmp_path)
    for word in ("0", "off", "False", "no"):
        monkeypatch.setenv("DYNCLIENT_CACHE", word)
        assert cache_of(True) is None
    monkeypatch.setenv("DYNCLIENT_CACHE", str(tmp_path))
    assert cache_of(True).folder == str(tmp_path)
    monkeypatch.delenv("DYNCLIENT_CACHE")
    assert "dynclient" in cache_of(True).folder


def test_another_ending_is_no_shipped_form(tmp_path):
    (tmp_path / "x.dync").write_text("openapi: 3.1.0")
    with pytest.raises(UnreadableDocument, match="dynclient compile"):
        load(tmp_path / "x.dync")
