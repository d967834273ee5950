"""The lazy mapping of an object of a large document: its names are known, and its values are decoded at first use."""

from __future__ import annotations

import copy
import json
import pickle
from threading import Barrier, Thread
from typing import Any

import pytest

from dynclient._document.compiled import LazyMapping
from dynclient._load import compiled, load

MANY = {f"/{number}": {"number": number, "text": "x" * (number % 300)} for number in range(300)}
NAMES = ("", "a", '"', "\\", "a\n", '["a",', "/x~1", "é", "\u2028", "😀", "\x7f", "\ud800")
ODD = {name: {"is": [name]} for name in NAMES}


def section(values: dict[str, Any]) -> Any:
    """A section of a document that was read from its compiled form."""
    data = compiled({"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "x-section": values})
    found = load(data, cache=False).references.root["x-section"]  # type: ignore[union-attr]
    assert type(found) is LazyMapping
    return found


WAYS = {
    "dict": dict,
    "stars": lambda parts: {**parts},
    "deepcopy": copy.deepcopy,
    "pickle": lambda parts: pickle.loads(pickle.dumps(parts)),
    "items": lambda parts: dict(parts.items()),
    "keys and values": lambda parts: dict(zip(parts.keys(), parts.values(), strict=True)),
    "iteration": lambda parts: {key: parts[key] for key in parts},
    "json": lambda parts: json.loads(json.dumps(parts, default=dict)),
}


@pytest.mark.parametrize("values", [{"a": {"b": 1}, "c": 5}, MANY, ODD, {}], ids=["short", "long", "odd", "empty"])
@pytest.mark.parametrize("early", [[], ["/7", "a"]], ids=["unread", "read in part"])
@pytest.mark.parametrize("way", WAYS)
def test_it_is_a_mapping(way: str, early: list[str], values: dict[str, Any]):
    parts = section(values)
    for name in early:
        parts.get(name)
    found = WAYS[way](parts)
    assert found == values
    assert list(found) == list(values)
    assert all(type(value) in {dict, int} for value in found.values())
    assert len(parts) == len(values)
    assert bool(parts) == bool(values)
    assert parts == values
    assert values == parts
    assert parts != {**values, "more": 1}
    assert parts.keys() == values.keys()
    assert repr(parts) == f"<{len(values)} members at #/x-section>"


def test_names_that_are_missing():
    parts = section(MANY)
    assert "nothing" not in parts
    assert 7 not in parts
    assert parts.get("nothing", 5) == 5
    with pytest.raises(KeyError):
        parts["nothing"]


def test_threads_see_one_value_of_each_part():
    parts, barrier = section(MANY), Barrier(4)
    seen: list[dict[str, Any]] = []

    def look(order: list[str]) -> None:
        barrier.wait()
        seen.append({name: parts[name] for name in order})

    orders = (list(MANY), list(MANY)[::-1], sorted(MANY), sorted(MANY, key=len))
    threads = [Thread(target=look, args=(order,)) for order in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == len(threads)
    for name, value in MANY.items():
        assert parts[name] == value
        assert all(found[name] is parts[name] for found in seen)
