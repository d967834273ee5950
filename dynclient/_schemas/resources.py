"""Which resource a schema belongs to, and what can be reached dynamically within one.

JSON Schema 2020-12, 4.3.5: a schema with ``$id`` is a resource, and so is a whole document.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dynclient.exceptions import DocumentError
from dynclient.json_pointer import escape, unescape
from dynclient.model import Schema

_DATA = frozenset({"const", "default", "enum", "example", "examples"})


def resource_of(schema: Schema) -> Schema:
    """The resource that a schema stands in: the nearest one with ``$id``, or the document."""
    document, _, pointer = schema.uri.partition("#")
    try:
        _, node = schema.references.resolve(f"{document}#", schema.uri)
    except DocumentError:
        return schema
    home = Schema(f"{document}#", node, schema.dialect, schema.references)
    at = f"{document}#"
    for key in pointer.split("/")[1:]:
        node = node[int(key)] if isinstance(node, list) else node.get(unescape(key), {})
        at = f"{at}/{key}"
        if schema.dialect.identifiers and isinstance(node, Mapping) and isinstance(node.get("$id"), str):
            home = Schema(at, node, schema.dialect, schema.references)
    return home


def anchored(home: Schema) -> Iterator[Schema]:
    """The schemas of a resource that have a ``$dynamicAnchor``."""
    waiting: list[tuple[str, Any]] = [(home.uri, home.value)]
    while waiting:
        uri, node = waiting.pop()
        if isinstance(node, Mapping):
            if isinstance(node.get("$id"), str) and uri != home.uri:
                continue
            if isinstance(node.get("$dynamicAnchor"), str):
                yield Schema(uri, node, home.dialect, home.references)
            waiting += [(f"{uri}/{escape(str(key))}", below) for key, below in node.items() if key not in _DATA]
        elif isinstance(node, list):
            waiting += [(f"{uri}/{index}", below) for index, below in enumerate(node)]
