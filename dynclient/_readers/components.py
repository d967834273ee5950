"""Named objects of a document, each read when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from dynclient._readers.nodes import Node
from dynclient.model import Schema

T = TypeVar("T")


class Components(Mapping[str, T]):
    """A mapping of name to what is read under it.

    It knows its names from the beginning. Asking for one that is broken raises the DocumentError that it deserves.
    """

    __slots__ = ("_nodes", "_read", "_seen")

    def __init__(self, nodes: Mapping[str, Node], read: Callable[[str, Node], T]) -> None:
        """Take where each stands, and what reads one."""
        self._nodes = nodes
        self._read = read
        self._seen: dict[str, T] = {}

    def __getitem__(self, name: str) -> T:
        if name not in self._seen:
            self._seen[name] = self._read(name, self._nodes[name])
        return self._seen[name]

    def __contains__(self, name: object) -> bool:
        return name in self._nodes

    def __iter__(self) -> Iterator[str]:
        return iter(self._nodes)

    def __len__(self) -> int:
        return len(self._nodes)

    def __repr__(self) -> str:
        return f"<{len(self)} names: {', '.join(list(self)[:10])}>"


def section(root: Node, pointer: str) -> dict[str, Node]:
    """The members of the object at a pointer in the root document; none where there is no object."""
    node = root
    for key in pointer.split("/")[1:]:
        value: Any = node.value.get(key)
        if not isinstance(value, dict):
            return {}
        node = node.child(key, value)
    return {name: node.child(name, value) for name, value in node.value.items()}


def schemas(root: Node) -> Components[Schema]:
    """The schemas that a document names."""
    return Components(section(root, root.dialect.schemas), lambda _, node: node.schema())
