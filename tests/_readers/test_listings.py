"""The list of operations that is kept as text: searched, it finds what the whole of it has, and no more is decoded."""

from __future__ import annotations

import copy
import pickle
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dynclient
from dynclient import _load
from dynclient._client._index import Names
from dynclient._load import load
from dynclient._readers import listings
from dynclient._readers.listings import Kept, Listed
from dynclient.exceptions import NoSuchOperation
from dynclient.model import API, OperationRow


def never() -> Any:
    raise AssertionError("the list was not taken")


def kept(api: API) -> Kept:
    found = listings.kept(listings.noted(api), never)
    assert found is not None
    return found


def aliases(api: API) -> list[str]:
    return list(Names(api.rows).by_any)


# What a search could stumble over: JSON's own signs, line ends, two ways to write a letter, lone surrogates.
TEXTS = st.text(st.sampled_from('ab_-./ {}[]"\\,:\n\t\x7fé\u2028😀\ud800'), min_size=1, max_size=9)
TAGS = st.lists(st.sampled_from(["a", "A", "a b", "b", "GET", "/a", '"b":"a"', "é", "\ud800"]), max_size=3)
OPERATIONS = st.lists(st.tuples(TEXTS, TAGS, TEXTS, st.sampled_from(["get", "post"])), min_size=1, max_size=6)


def document_of(operations: list[tuple[str, list[str], str, str]]) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for operation_id, tags, path, method in operations:
        operation = {"operationId": operation_id, "tags": tags, "summary": f'"{path}","{operation_id}",'}
        paths.setdefault(f"/{path}", {})[method] = {**operation, "responses": {}}
    return {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": paths}


@pytest.mark.parametrize("encoder", ["msgspec", "json"])
@settings(max_examples=200, deadline=None)
@given(OPERATIONS)
def test_every_name_leads_where_the_whole_list_leads(encoder: str, operations: list[Any]):
    api = load(document_of(operations), cache=False)
    with pytest.MonkeyPatch.context() as patch:
        if encoder == "json":
            patch.setitem(sys.modules, "msgspec", None)
        listed, namespaces = kept(api)
        assert namespaces == {tag.name: tag.namespace for tag in api.tags}
        whole = Names(api.rows)
        assert isinstance(listed, Listed)
        for alias, row in whole.by_any.items():
            assert listed.aliased(alias) in {row, None}
            if alias.isascii() and alias.isprintable():
                assert listed.aliased(alias) == row
        for name, row in whole.by_name.items():
            assert listed.named(name) == row
        for namespace, members in whole.by_namespace.items():
            assert listed.any_in(namespace) == next(iter(members.values()))
            for name, row in members.items():
                assert listed.member(namespace, name) == row
        for name in ("a.a", "nothing", "GET /nothing", ":", '"', "a,"):
            assert name in whole.by_any or listed.aliased(name) is None
        assert listed == api.rows


def test_no_name_of_the_corpus_leads_elsewhere(shared: Path):
    for name in ("kubernetes/swagger.json", "apis-guru/trello.com.json", "docker/swagger.yaml"):
        api = load(shared / "corpus" / name, cache=False)
        listed = kept(api).rows
        assert isinstance(listed, Listed)
        for alias, row in Names(api.rows).by_any.items():
            assert listed.aliased(alias) == row
        assert listed == api.rows


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The keys of the rows that are made of a list."""
    keys: list[str] = []
    make = OperationRow._make

    def made(values: Any) -> OperationRow:
        row = make(values)
        keys.append(row.key)
        return row

    monkeypatch.setattr(OperationRow, "_make", made)
    return keys


WAYS = {
    "attribute": lambda client: client.create_call,
    "with its variant": lambda client: client.create_call_with_http_info,
    "in a namespace": lambda client: client.calls.create_call,
    "by its operationId": lambda client: client.operations["createCall"],
    "by its flat name": lambda client: client.operations["create_call"],
    "by its name in a namespace": lambda client: client.operations["calls.create_call"],
    "by method and path": lambda client: client.operations["POST /accounts/{accountId}/calls"],
    "whether it is there": lambda client: "createCall" in client.operations,
}


@pytest.mark.parametrize("way", WAYS)
def test_a_client_makes_rows_of_what_it_uses(way: str, voice_path: Path, tmp_path: Path, made: list[str], monkeypatch):
    monkeypatch.setattr(_load, "_HELD", {})
    load(voice_path, cache=tmp_path)
    monkeypatch.setattr(_load, "_HELD", {})
    client = dynclient.load(voice_path, cache=tmp_path)
    assert made == []
    for _ in range(3):
        WAYS[way](client)
    # To know that there is a namespace takes a row of it, the first one.
    assert set(made) == {"POST /accounts/{accountId}/calls"}
    assert len(made) == (2 if "namespace" in way and "name in" not in way else 1)


def test_what_is_not_there_is_told_with_what_is_near(voice_path: Path, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(_load, "_HELD", {})
    load(voice_path, cache=tmp_path)
    monkeypatch.setattr(_load, "_HELD", {})
    client = dynclient.load(voice_path, cache=tmp_path)
    with pytest.raises(NoSuchOperation, match="did you mean create_call"):
        _ = client.creat_call
    with pytest.raises(NoSuchOperation, match="did you mean create_call"):
        _ = client.calls.creat_call
    with pytest.raises(NoSuchOperation, match="did you mean create_call"):
        _ = client.operations["creat_call"]
    assert "nothing" not in client.operations
    assert len(client.operations) == 4
    assert {"create_call", "calls"} <= set(dir(client))


def test_a_list_is_copied_as_the_rows_that_it_is():
    api = load(document_of([("a", ["t"], "a", "get"), ("b", [], "b", "post")]), cache=False)
    listed = kept(api).rows
    for copied in (copy.copy(listed), copy.deepcopy(listed), pickle.loads(pickle.dumps(listed))):
        assert copied == api.rows
        assert type(copied) is tuple
