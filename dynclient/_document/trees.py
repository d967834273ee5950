"""Plain trees: dict, list, str, int, float, bool and None, all that rooms above this one ever see of a document.

Rule 1: nothing here recurses, so that no depth can break it.
Rule 2: two places may share one object (a YAML alias, a Python mapping): shared is counted as often as it is reached,
since whoever walks the tree walks it so often. Only what is shared counts towards the budget.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date
from itertools import chain
from typing import Any

from dynclient._document.text import kind, unreadable, unsafe
from dynclient.json_pointer import join
from dynclient.options import Limits

# Below this many nodes nothing is a bomb, and above it a tree may be this many times as large as it is written.
_SMALL = 10_000
_RATIO = 10


def members(root: Any) -> int:
    """How many members all mappings of a tree have together."""
    count = 0
    level = [root]
    while level:
        mappings = [node for node in level if type(node) is dict]
        lists = [node for node in level if type(node) is list]
        count += sum(map(len, mappings))
        below = chain(chain.from_iterable(map(dict.values, mappings)), chain.from_iterable(lists))
        level = [node for node in below if type(node) is dict or type(node) is list]
    return count


def check_sharing(root: Any, name: str, limits: Limits) -> None:
    """Hold a tree with shared nodes to its budget.

    Raises:
        UnsafeDocument: a node holds itself, or the tree is too large or too deep when sharing is undone.
    """
    sizes: dict[int, int] = {}
    heights: dict[int, int] = {}
    literal = 1
    for node in _children_first(root, name):
        below = list(_below(node))
        literal += len(below)
        sizes[id(node)] = 1 + sum(sizes.get(id(child), 1) for child in below)
        heights[id(node)] = 1 + max((heights.get(id(child), 0) for child in below), default=0)
    shared = sizes.get(id(root), 1) - literal
    if shared > limits.yaml_alias_nodes or (shared > _SMALL and shared > _RATIO * literal):
        raise unsafe("its aliases stand for far more than it holds", name, hint="an alias bomb is not read")
    if heights.get(id(root), 0) > limits.document_depth:
        raise too_deep(name, limits)


def too_deep(name: str, limits: Limits, line: int | None = None) -> Exception:
    """The error of a document that nests deeper than its limit."""
    return unsafe(f"nests deeper than {limits.document_depth} levels", name, line=line)


def _below(node: Any) -> Any:
    return node.values() if type(node) is dict else node


def _children_first(root: Any, name: str) -> list[Any]:
    """The collections of a tree, each once, those that it holds before it."""
    ordered: list[Any] = []
    state: dict[int, bool] = {}
    stack = [root] if isinstance(root, (dict, list)) else []
    while stack:
        node = stack[-1]
        done = state.get(id(node))
        if done is None:
            state[id(node)] = False
            for child in _below(node):
                if type(child) is dict or type(child) is list:
                    if state.get(id(child)) is False:
                        raise unsafe("a value holds itself", name, hint="an alias may not lead to what it stands in")
                    if id(child) not in state:
                        stack.append(child)
        else:
            stack.pop()
            if not done:
                state[id(node)] = True
                ordered.append(node)
    return ordered


def copied(source: Mapping[Any, Any], name: str, limits: Limits) -> dict[str, Any]:
    """A mapping that the caller made, as a plain tree of our own; what it shares stays shared.

    Raises:
        UnreadableDocument: a value is of a type that no document has, or two keys are one when written as text.
        UnsafeDocument: it holds itself, or is beyond the limits.
    """
    root: dict[str, Any] = {}
    made: dict[int, Any] = {id(source): root}
    pending: list[tuple[Any, Any, str]] = [(source, root, "")]
    while pending:
        node, target, pointer = pending.pop()
        for key, value in _entries(node, name, pointer):
            child = _scalar(value)
            if child is _COLLECTION:
                child = made.get(id(value))
                if child is None:
                    child = made[id(value)] = {} if isinstance(value, Mapping) else []
                    pending.append((value, child, join(pointer, key)))
            elif child is _UNKNOWN:
                message = f"a document holds no {type(value).__module__}.{type(value).__qualname__}"
                raise unreadable(message, name, pointer=join(pointer, key))
            if isinstance(target, list):
                target.append(child)
            else:
                target[key] = child
    check_sharing(root, name, limits)
    return root


_COLLECTION = object()
_UNKNOWN = object()
_WORDS = {True: "true", False: "false", None: "null"}


def _entries(node: Any, name: str, pointer: str) -> list[tuple[Any, Any]]:
    """The keys, as text, and values of a collection."""
    if not isinstance(node, Mapping):
        return list(enumerate(node))
    pairs: dict[str, Any] = {}
    for key, value in node.items():
        text = key if type(key) is str else _key(key)
        if text is None:
            raise unreadable(f"a key is {kind(key)}, where text is due", name, pointer=pointer)
        if text in pairs:
            raise unreadable(f"the key {text!r} is there twice", name, pointer=join(pointer, text))
        pairs[text] = value
    return list(pairs.items())


def _key(key: Any) -> str | None:
    if key is None or isinstance(key, bool):
        return _WORDS[key]
    if isinstance(key, str):
        return str(key)
    return repr(key) if isinstance(key, int | float) else None


def _scalar(value: Any) -> Any:
    """A value as plain data; ``_COLLECTION`` where it holds others, ``_UNKNOWN`` where it is no data at all."""
    if value is None or type(value) in (str, bool, int):
        return value
    if isinstance(value, float) or _is_decimal(value):
        # An integral Decimal stays exact.
        exact = _is_decimal(value) and value.is_finite() and value == int(value)
        plain = int(value) if exact else float(value)
        return plain if math.isfinite(plain) else _UNKNOWN
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int(value)
    # What another YAML loader has made of an unquoted date is put back.
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes | bytearray | memoryview | AbstractSet):
        return _UNKNOWN
    return _COLLECTION if isinstance(value, Mapping | Sequence) else _UNKNOWN


def _is_decimal(value: Any) -> bool:
    # Where nobody has loaded the module, which takes longer than this room, there is none.
    decimal = sys.modules.get("decimal")
    return decimal is not None and isinstance(value, decimal.Decimal)
