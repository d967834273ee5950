"""Parts of a tree: a dict to everybody, whose values come late, and of a long table the names too."""

from __future__ import annotations

import copy
import json
import pickle
from threading import Barrier, Thread
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynclient._document import compiled
from dynclient._document.compiled import Writer
from dynclient._document.parts import LateParts, Parts
from dynclient._document.slices import Bytes, Tree

MANY = {f"name {number}": {"number": number, "text": "x" * (number % 300)} for number in range(300)}
# Names that a search finds at once, only in their other spelling, or not at all.
NAMES = ("", "a", '"', "\\", "a\n", '["a",', "/x~1", "é", "\u2028", "😀", "\x7f", "\ud800")
ODD = {name: {"is": [name]} for name in NAMES}


def never() -> Any:
    raise AssertionError("the form is damaged")


def section(values: dict[str, Any]) -> Any:
    """A section of a form, in which it is the only one."""
    writer = Writer()
    writer.add("root", "root", "0", {"paths": values}, declares=False)
    form = compiled.opened(Bytes(b"".join(writer.finished(None))))
    assert form is not None
    return Tree(form.bytes, never).value(form.files[0].entry, "")["paths"]


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The pointers of the tables whose names were all decoded."""
    tables: list[str] = []
    table = Tree.table

    def told(self: Tree, text: bytes, pointer: str) -> dict[str, Any]:
        tables.append(pointer)
        return table(self, text, pointer)

    monkeypatch.setattr(Tree, "table", told)
    return tables


def test_a_name_of_a_long_table_is_found_without_the_others(decoded: list[str]):
    parts = section(MANY)
    assert type(parts) is LateParts
    assert bool(parts)
    for name in ("name 7", "name 250", "name 7"):
        assert name in parts
        assert parts[name] == parts.get(name) == MANY[name]
        assert parts[name] is parts[name]
    assert decoded == []
    seven = parts["name 7"]
    assert list(parts) == list(MANY)
    assert decoded == ["/paths"]
    # What was read before is what is there.
    assert parts["name 7"] is seven
    assert parts == MANY
    assert decoded == ["/paths"]


def test_what_is_not_there_is_said_by_the_whole_table(decoded: list[str]):
    parts = section(MANY)
    assert "nothing" not in parts
    assert parts.get("nothing", 5) == 5
    assert 7 not in parts
    with pytest.raises(KeyError):
        parts["nothing"]
    assert decoded == ["/paths"]


def test_a_short_table_is_decoded_at_once():
    assert type(section({"a": 1})) is Parts
    assert section({"a": 1}) == {"a": 1}
    assert not section({})


WAYS = {
    "dict": dict,
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "own copy": lambda parts: parts.copy(),
    "stars": lambda parts: {**parts},
    "or": lambda parts: parts | {},
    "ror": lambda parts: {} | parts,
    "json": lambda parts: json.loads(json.dumps(parts)),
    "json, indented": lambda parts: json.loads(json.dumps(parts, indent=1)),
    "pickle": lambda parts: pickle.loads(pickle.dumps(parts)),
    "items": lambda parts: dict(parts.items()),
    "keys and values": lambda parts: dict(zip(parts.keys(), parts.values(), strict=True)),
    "iteration": lambda parts: {key: parts[key] for key in parts},
    "reversed": lambda parts: dict(reversed([(key, parts[key]) for key in reversed(parts)])),
    "arguments": lambda parts: dict(**parts),
}


@pytest.mark.parametrize("values", [{"a": {"b": 1}, "c": 5}, MANY], ids=["short", "long"])
@pytest.mark.parametrize("early", [[], ["name 7", "a"]], ids=["unread", "read in part"])
@pytest.mark.parametrize("way", WAYS)
def test_parts_are_a_dict_to_everybody(way: str, early: list[str], values: dict[str, Any]):
    parts = section(values)
    for name in early:
        parts.get(name)
    found = WAYS[way](parts)
    assert found == values
    assert list(found) == list(values)
    assert all(type(value) in {dict, int} for value in found.values())
    assert len(section(values)) == len(values)
    assert section(values) == values
    assert values == section(values)
    assert section(values) != {**values, "more": 1}
    assert section(values).keys() == values.keys()
    assert repr(section(values)) == f"<{len(values)} parts at #/paths>"


def test_what_looks_into_a_dict_without_asking_it_does_not_take_it_for_empty():
    # As json's encoder does, which is no method's caller.
    assert dict.__len__(section(MANY)) > 0


@settings(deadline=None)
@given(st.permutations([*ODD.items(), *MANY.items()]), st.lists(st.sampled_from([*ODD, "name 7", "nothing"])))
def test_odd_names_are_found(members: list[tuple[str, Any]], looked: list[str]):
    values = dict(members)
    parts = section(values)
    for name in looked:
        assert parts.get(name) == values.get(name)
        assert (name in parts) == (name in values)
    assert parts == values
    assert list(parts) == list(values)


def test_threads_see_one_value_of_each_part():
    parts, barrier = section(MANY), Barrier(4)
    seen: list[dict[str, Any]] = []

    def look(order: list[str], every: int) -> None:
        barrier.wait()
        found = {}
        for number, name in enumerate(order):
            found[name] = parts[name]
            if number == every:
                assert list(parts) == list(MANY)
        seen.append(found)

    orders = (list(MANY), list(MANY)[::-1], sorted(MANY), sorted(MANY, key=len))
    threads = [Thread(target=look, args=(order, 20 + 30 * index)) for index, order in enumerate(orders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == len(threads)
    for name, value in MANY.items():
        assert parts[name] == value
        assert all(found[name] is parts[name] for found in seen)
