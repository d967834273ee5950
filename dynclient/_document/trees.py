"""Plain trees: dict, list, str, int, float, bool and None, the only types that documents contain for other packages.

Rule 1: nothing here recurses, so any depth works.
Rule 2: two places may share one object (a YAML alias, a Python mapping). A shared object is counted as often as it is
reached, since a walk over the tree visits it so often. Only shared objects count towards the budget.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date
from typing import Any

from dynclient._document.text import described, unreadable, unsafe
from dynclient._json_types import is_decimal
from dynclient.json_pointer import join
from dynclient.options import Limits

# Up to this many nodes, any sharing is allowed; above that, a tree may be this many times as large as its text.
_SMALL = 10_000
_RATIO = 10


def check_sharing(root: Any, name: str, limits: Limits) -> None:
    """Check the size of a tree with shared nodes.

    Raises:
        UnsafeDocument: a node contains itself, or the tree is too large or too deep when sharing is undone.
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
        raise unsafe("its aliases expand far beyond its size", name, hint="this looks like an alias bomb")
    if heights.get(id(root), 0) > limits.document_depth:
        raise too_deep(name, limits)


def too_deep(name: str, limits: Limits) -> Exception:
    """Make the error of a document that nests deeper than its limit."""
    return unsafe(f"nests deeper than {limits.document_depth} levels", name)


def too_many_nodes(name: str, limits: Limits) -> Exception:
    """Make the error of a document with more keys and values than its limit."""
    return unsafe(
        f"has more than {limits.document_nodes:,} keys and values",
        name,
        hint="load(..., limits=Limits(document_nodes=...)) sets this limit",
    )


def _below(node: Any) -> Any:
    return node.values() if type(node) is dict else node


def _children_first(root: Any, name: str) -> list[Any]:
    """Return the collections of a tree, each once, after those that it contains."""
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
                        raise unsafe("a value contains itself", name, hint="an alias must not contain itself")
                    if id(child) not in state:
                        stack.append(child)
        else:
            stack.pop()
            if not done:
                state[id(node)] = True
                ordered.append(node)
    return ordered


def copied(source: Mapping[Any, Any], name: str, limits: Limits) -> dict[str, Any]:
    """Copy a mapping that the caller made to a plain tree; shared objects stay shared.

    Raises:
        UnreadableDocument: a value has a type that is not allowed in documents, or two keys are the same text.
        UnsafeDocument: it contains itself, or exceeds the limits.
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
                message = f"{type(value).__module__}.{type(value).__qualname__} is not a type for a document"
                raise unreadable(message, name, pointer=join(pointer, key))
            if isinstance(target, list):
                target.append(child)
            else:
                target[key] = child
    check_sharing(root, name, limits)
    return root


_COLLECTION = object()
_UNKNOWN = object()


def _entries(node: Any, name: str, pointer: str) -> list[tuple[Any, Any]]:
    """Return the keys, as text, and values of a collection."""
    if not isinstance(node, Mapping):
        return list(enumerate(node))
    pairs: dict[str, Any] = {}
    for key, value in node.items():
        text = key if type(key) is str else _key(key)
        if text is None:
            raise unreadable(f"a key must be text, not {described(key)}", name, pointer=pointer)
        if text in pairs:
            raise unreadable(f"duplicate key {text!r}", name, pointer=join(pointer, text))
        pairs[text] = value
    return list(pairs.items())


def _key(key: Any) -> str | None:
    if isinstance(key, str):
        return str(key)
    return json.dumps(key) if key is None or isinstance(key, int | float) else None


def _scalar(value: Any) -> Any:
    """Return a value as plain data; ``_COLLECTION`` if it has members, ``_UNKNOWN`` if it is not data."""
    if value is None or type(value) in (str, bool, int):
        return value
    if isinstance(value, float) or is_decimal(value):
        # An integral Decimal stays exact.
        exact = is_decimal(value) and value.is_finite() and value == int(value)
        plain = int(value) if exact else float(value)
        return plain if math.isfinite(plain) else _UNKNOWN
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int(value)
    # Another YAML loader makes this from an unquoted date.
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes | bytearray | memoryview | AbstractSet):
        return _UNKNOWN
    return _COLLECTION if isinstance(value, Mapping | Sequence) else _UNKNOWN
