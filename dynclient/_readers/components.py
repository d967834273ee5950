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

    __slots__ = ("_names", "_read", "_section", "_seen")

    def __init__(self, section: Node | None, read: Callable[[str, Node], T]) -> None:
        """Take the object that they stand in, if there is one, and what reads one."""
        self._section = section
        self._names: Mapping[str, Any] = section.value if section is not None else {}
        self._read = read
        self._seen: dict[str, T] = {}

    def __getitem__(self, name: str) -> T:
        if name not in self._seen:
            node = self._section.at(name) if self._section is not None else None
            if node is None:
                raise KeyError(name)
            self._seen[name] = self._read(name, node)
        return self._seen[name]

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __repr__(self) -> str:
        return f"<{len(self)} names: {', '.join(list(self)[:10])}>"


def section(root: Node, pointer: str) -> Node | None:
    """The object at a pointer in the root document; None where there is no object."""
    node = root
    for key in pointer.split("/")[1:]:
        value: Any = node.value.get(key)
        if not isinstance(value, Mapping):
            return None
        node = node.child(key, value)
    return node


def schemas(root: Node) -> Components[Schema]:
    """The schemas that a document names."""
    return Components(section(root, root.dialect.schemas), lambda _, node: node.schema())
