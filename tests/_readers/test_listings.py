"""The list of operations that a compiled form has: the same as that of the document, whatever its names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dynclient
from dynclient import _load
from dynclient._load import compiled, load
from dynclient.exceptions import NoSuchOperation

# JSON's own signs, line ends, letters that can be written in two ways, lone surrogates.
TEXTS = st.text(st.sampled_from('ab_-./ {}[]"\\,:\n\t\x7fé\u2028😀\ud800'), min_size=1, max_size=9)
TAGS = st.lists(st.sampled_from(["a", "A", "a b", "b", "GET", "/a", '"b":"a"', "é", "\ud800"]), max_size=3)
OPERATIONS = st.lists(st.tuples(TEXTS, TAGS, TEXTS, st.sampled_from(["get", "post"])), max_size=6)


def document_of(operations: list[tuple[str, list[str], str, str]]) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for operation_id, tags, path, method in operations:
        operation = {"operationId": operation_id, "tags": tags, "summary": f'"{path}","{operation_id}",'}
        paths.setdefault(f"/{path}", {})[method] = {**operation, "responses": {}}
    return {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": paths}


@settings(max_examples=200, deadline=None)
@given(OPERATIONS)
def test_the_list_of_a_compiled_form_is_that_of_the_document(operations: list[Any]):
    document = document_of(operations)
    plain, shipped = load(document, cache=False), load(compiled(document), cache=False)
    assert shipped.references is not None
    assert shipped.references.was_listed  # type: ignore[attr-defined]
    assert shipped.rows == plain.rows
    assert hash(shipped.rows) == hash(plain.rows)
    assert shipped.tags == plain.tags


@pytest.mark.parametrize("name", ["kubernetes/swagger.json", "apis-guru/trello.com.json", "docker/swagger.yaml"])
def test_the_list_of_a_real_document(shared: Path, name: str):
    path = shared / "corpus" / name
    assert load(compiled(path), cache=False).rows == load(path, cache=False).rows


def test_missing_names_are_reported_with_similar_ones(voice_path: Path, tmp_path: Path, monkeypatch):
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
