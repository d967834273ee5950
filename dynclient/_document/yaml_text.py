"""YAML text to plain data, by the core schema of YAML 1.2.

Rule 1: the loader only composes nodes; :class:`_Builder` makes data of them with a flat loop, and knows no Python type.
Rule 2: libyaml's composer recurses outside Python's recursion limit, so its hooks count the depth.
Rule 3: a key is text as it is written: ``200:`` is ``"200"``, ``no:`` is ``"no"``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any

from dynclient._deferred import expression
from dynclient._document.text import unreadable
from dynclient._document.trees import check_sharing, too_deep, too_many_nodes
from dynclient.exceptions import UnreadableDocument
from dynclient.json_pointer import join
from dynclient.options import Limits
from dynclient.transports.clock import look

Node = Any
"""A node of PyYAML; its class is not imported with this module."""

_TAG = "tag:yaml.org,2002:"
_STR, _NULL, _BOOL, _INT, _FLOAT = (_TAG + word for word in ("str", "null", "bool", "int", "float"))
_MAP, _SEQ, _MERGE = (_TAG + word for word in ("map", "seq", "merge"))

# YAML 1.2.2, 10.3.2: the core schema. Merge keys are not in 1.2, but many documents have them.
_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), _NULL),
    **dict.fromkeys(("true", "True", "TRUE", "false", "False", "FALSE"), _BOOL),
    **dict.fromkeys((sign + word for sign in ("", "+", "-") for word in (".inf", ".Inf", ".INF")), _FLOAT),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), _FLOAT),
    "<<": _MERGE,
}
_NUMBERS = (
    (_INT, expression(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")),
    (_FLOAT, expression(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")),
)
_COLLECTIONS = {_MAP: "mapping", _SEQ: "sequence"}
_SPARSE = 4
_NODES_PER_LOOK = 1_000
_FIRST = frozenset("-+.0123456789")


def read(data: bytes, name: str, limits: Limits) -> Any:
    """Read UTF-8 YAML text.

    Raises:
        UnreadableDocument: it is not YAML, or has a duplicate key, an unknown tag or a number that is not finite.
        UnsafeDocument: it nests too deep, or its aliases expand to too much.
    """
    root = compose(data, name, limits)
    if root is None:
        return None
    builder = _Builder(root, name)
    tree = builder.build()
    if builder.aliases:
        check_sharing(tree, name, limits)
    # Collections that end first are merged first: a source ends before the mapping that uses it, or lies within it.
    for node, target in sorted(builder.merges, key=lambda pair: (pair[0].end_mark.index, -pair[0].start_mark.index)):
        _merge(builder, node, target)
    return tree


def compose(data: bytes, name: str, limits: Limits) -> Node | None:
    """Compose the nodes of UTF-8 YAML text, with their lines; None if the text is empty."""
    import yaml

    _check_nodes(data, name, limits)
    loader = _loader()(data)
    loader.limit = limits.document_depth
    loader.most = math.inf if limits.document_nodes is None else limits.document_nodes
    try:
        return loader.get_single_node()
    except _TooManyError:
        raise too_many_nodes(name, limits) from None
    except (_TooDeepError, RecursionError):
        raise too_deep(name, limits) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else None
        words = " ".join(part for part in (error.context, error.problem) if part)
        raise unreadable(f"is not YAML: {words}", name, line=line) from None
    except (yaml.YAMLError, ValueError) as error:
        raise unreadable(f"is not YAML: {str(error).splitlines()[0]}", name) from None
    finally:
        loader.dispose()


def _check_nodes(data: bytes, name: str, limits: Limits) -> None:
    """Count the nodes of dense text before they are composed, since they take a hundred times as much memory.

    Raises:
        UnsafeDocument: there are more than the limit.
    """
    import yaml

    most = limits.document_nodes
    if most is None or len(data) <= most:
        return
    # Each node is next to one of these, or between two; strings may contain more of them.
    bound = 2 * sum(map(data.count, (b",", b":", b"[", b"{", b"-", b"?")))
    if bound < most or len(data) > _SPARSE * bound:
        return
    events = yaml.parse(data, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    with suppress(yaml.YAMLError, ValueError):  # errors are reported during composition
        for event in events:
            look()
            most -= isinstance(event, (yaml.ScalarEvent, yaml.CollectionStartEvent))
            if most < 0:
                raise too_many_nodes(name, limits)


class _TooDeepError(Exception):
    """The text nests deeper than the limit."""


class _TooManyError(Exception):
    """The text has more nodes than the limit."""


@cache
def _loader() -> Any:
    """Return the loader: libyaml's if PyYAML was built with it."""
    import yaml

    parent: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    class Composer(parent):  # type: ignore[misc]  # which parent it is shows at run time
        """Composes nodes, resolves plain scalars by the core schema, and limits the depth."""

        depth = 0
        limit = 0
        most = math.inf

        def descend_resolver(self, _parent: Any, _index: Any) -> None:
            self.depth += 1
            # A scalar in the deepest collection is one level more.
            if self.depth > self.limit + 1:
                raise _TooDeepError

        def ascend_resolver(self) -> None:
            self.depth -= 1

        def resolve(self, kind: Any, value: Any, implicit: Any) -> str:
            self.most -= 1
            if self.most < 0:
                raise _TooManyError
            if not self.most % _NODES_PER_LOOK:
                look()
            if kind is not yaml.ScalarNode:
                return _MAP if kind is yaml.MappingNode else _SEQ
            return _plain_tag(value) if implicit[0] else _STR

    return Composer


def _plain_tag(value: str) -> str:
    word = _WORDS.get(value)
    if word is not None:
        return word
    if value[0] not in _FIRST:
        return _STR
    return next((tag for tag, pattern in _NUMBERS if pattern.fullmatch(value)), _STR)


def _truth(text: str) -> bool:
    if text.lower() not in {"true", "false"}:
        raise ValueError("a boolean must be true or false")
    return text.lower() == "true"


def _float(text: str) -> float:
    number = float(text.replace(".", "", 1) if text.lower().endswith(("inf", "nan")) else text)
    if not math.isfinite(number):
        raise ValueError("JSON has no infinite numbers and no NaN")
    return number


_SCALARS: dict[str, Callable[[str], Any]] = {
    _STR: str,
    _NULL: lambda _: None,
    _BOOL: _truth,
    # Unlike in Python and in YAML 1.1, a leading zero has no meaning: 017 is seventeen.
    _INT: lambda text: int(text, 0 if text.startswith(("0o", "0x")) else 10),
    _FLOAT: _float,
    _MERGE: str,
}


class _Builder:
    """Makes data of composed nodes. ``merges`` are the mappings with ``<<``, kept until their size is known."""

    def __init__(self, root: Node, name: str) -> None:
        self.root = root
        self.name = name
        self.made: dict[int, Any] = {}
        self.pending: list[Node] = []
        self.texts: dict[str, str] = {}
        self.merges: list[tuple[Node, Any]] = []
        self.aliases = False

    def build(self) -> Any:
        """Return the data, with the sources of each merge still under ``_Merge``."""
        tree = self.value(self.root)
        while self.pending:
            look()
            node = self.pending.pop()
            target = self.made[id(node)]
            if type(target) is list:
                target += [self.value(child) for child in node.value]
            else:
                self.fill(target, node)
        return tree

    def value(self, node: Node) -> Any:
        """Return a scalar's value, or the collection that will be filled."""
        if type(node.value) is str:
            return self.scalar(node)
        known = self.made.get(id(node))
        if known is not None:
            self.aliases = True
            return known
        tag = node.tag
        if tag not in _COLLECTIONS:
            raise self.fault(f"has a value of the unknown tag {tag!r}", node)
        made: Any = {} if tag == _MAP else []
        if _COLLECTIONS[tag] != node.id:
            raise self.fault(f"has a {node.id} tagged {tag!r}", node)
        self.made[id(node)] = made
        self.pending.append(node)
        return made

    def scalar(self, node: Node) -> Any:
        """Return a scalar's value by its tag."""
        tag = node.tag
        if tag == _STR:
            return node.value
        make = _SCALARS.get(tag)
        if make is None:
            raise self.fault(f"has a value of the unknown tag {tag!r}", node)
        try:
            return make(node.value)
        except ValueError as error:
            raise self.fault(f"has {node.value[:40]!r}, which can't be read: {error}", node) from None

    def fill(self, target: dict[Any, Any], node: Node) -> None:
        """Put the members of a mapping in."""
        sources = []
        for key_node, child in node.value:
            key = key_node.value
            if type(key) is not str:
                raise self.fault("has a key that is a collection; quote a key that begins with a brace", key_node)
            if key_node.tag == _MERGE:
                sources.append(self.value(child))
                continue
            if key_node.tag not in _SCALARS:
                raise self.fault(f"has a key of the unknown tag {key_node.tag!r}", key_node)
            if key in target:
                raise self.fault(f"duplicate key {key!r}", key_node)
            target[self.texts.setdefault(key, key)] = self.value(child)
        if sources:
            target[_Merge] = sources
            self.merges.append((node, target))

    def fault(self, message: str, node: Node) -> UnreadableDocument:
        """Make an error at a node, with its line and its pointer, which is searched only now."""
        pointer = _pointer(self.root, node)
        return unreadable(message, self.name, line=node.start_mark.line + 1, pointer=pointer)


class _Merge:
    """Replaces the key ``<<`` until the mapping is merged."""


def _merge(builder: _Builder, node: Node, target: dict[Any, Any]) -> None:
    """Add the members of the sources that the mapping lacks. Of two sources the first one wins."""
    merged: dict[str, Any] = {}
    for source in target.pop(_Merge):
        for mapping in source if isinstance(source, list) else (source,):
            if not isinstance(mapping, dict):
                raise builder.fault("`<<` must be a mapping, or a list of mappings", node)
            merged = {**mapping, **merged}
    merged.update(target)
    target.clear()
    target.update(merged)


def _pointer(root: Node, wanted: Node) -> str:
    """Return the pointer of a node's first occurrence, by a walk without recursion."""
    stack: list[tuple[Node, str]] = [(root, "")]
    seen: set[int] = set()
    while stack:
        node, pointer = stack.pop()
        if node is wanted:
            return pointer
        if type(node.value) is str or id(node) in seen:
            continue
        seen.add(id(node))
        if node.id == "sequence":
            stack += [(child, join(pointer, index)) for index, child in enumerate(node.value)]
            continue
        for key, child in node.value:
            below = join(pointer, key.value) if type(key.value) is str else pointer
            stack += [(child, below), (key, below)]
    return ""


class YAMLLines:
    """Finds lines in YAML text by its composed nodes."""

    def __init__(self, data: bytes, limits: Limits) -> None:
        self._root = compose(data, "", limits)

    def line(self, keys: list[str]) -> int | None:
        """Return the line of a key, or of an element."""
        node: Any = self._root
        if node is None:
            return None
        shown = node
        for key in keys:
            found = _entry(node, key)
            if found is None:
                break
            shown, node = found
        return int(shown.start_mark.line) + 1


def _entry(node: Any, key: str) -> tuple[Any, Any] | None:
    """Return the node of a key or an element, and that of its value; members merged by `<<` come last."""
    if node.id == "sequence":
        child = node.value[int(key)] if key.isdigit() and int(key) < len(node.value) else None
        return None if child is None else (child, child)
    if node.id != "mapping":
        return None
    merged: list[Any] = []
    for name, child in node.value:
        if name.value == key:
            return name, child
        if name.value == "<<":
            merged += child.value if child.id == "sequence" else [child]
    return next((found for source in merged if (found := _entry(source, key))), None)
