"""The identifiers that schemas declare: ``$id``, ``$anchor``, ``$dynamicAnchor`` (JSON Schema 2020-12, 8.2).

Rule 1: an identifier is only a name; nothing is ever fetched from it.
Rule 2: only values that can be schemas are searched: not examples, defaults, enums or extensions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urldefrag, urljoin, urlsplit

from dynclient._deferred import expression
from dynclient._records import Record
from dynclient.json_pointer import join

_WORDS = expression(rb"\$(?:id|anchor|dynamicAnchor)")
_VALUES = frozenset({"example", "examples", "default", "enum", "const"})
# The members of these have names that the author chose, which say nothing about their values.
_NAMES = frozenset(
    {
        "properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "schemas", "responses",
        "parameters", "headers", "requestBodies", "paths", "webhooks", "callbacks", "pathItems", "mediaTypes",
        "content", "encoding", "additionalOperations",
    }
)  # fmt: skip


class Identifiers(Record):
    """The identifiers of one document.

    ``resources`` maps an absolute URI to the pointer of the schema that has it, ``anchors`` the URI of a resource and
    a name; ``scopes`` maps the pointer of such a schema to its URI.
    """

    resources: dict[str, str]
    anchors: dict[tuple[str, str], str]
    scopes: dict[str, str]

    def top(self, pointer: str) -> str:
        """Return the pointer of the innermost schema with ``$id`` around a pointer; empty: the document itself."""
        while self.scopes and pointer and pointer not in self.scopes:
            pointer = pointer.rpartition("/")[0]
        return pointer if pointer in self.scopes else ""


NONE = Identifiers({}, {}, {})


def declares(data: bytes) -> bool:
    """Return whether a text may declare identifiers at all."""
    return _WORDS.search(data) is not None


def joined(base: str, reference: str) -> str:
    """Resolve a URI reference (RFC 3986, 5.2), also against a base whose scheme the standard library does not know."""
    if not reference or reference.startswith("#"):
        return urldefrag(base).url + reference
    if base.startswith("memory:"):
        scheme = urlsplit(reference).scheme
        return reference if scheme else "memory" + urljoin("http" + base.removeprefix("memory"), reference)[4:]
    return urljoin(base, reference)


def identifiers(root: Any, document: str) -> Identifiers:
    """Find the identifiers of a document. ``document`` is its base URI."""
    found = Identifiers({}, {}, {})
    stack: list[tuple[Any, str, str, bool]] = [(root, "", document, False)]
    seen: set[int] = set()
    while stack:
        node, pointer, base, names = stack.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, list):
            below = [(child, join(pointer, i), base, False) for i, child in enumerate(node) if _holds(child)]
        else:
            base = base if names else _noted(found, node, pointer, base)
            below = [
                (child, join(pointer, key), base, not names and key in _NAMES)
                for key, child in node.items()
                if _holds(child) and (names or not (key in _VALUES or key.startswith("x-")))
            ]
        # In the document's order: if two schemas have the same name, the first one keeps it.
        stack += reversed(below)
    return found


def _holds(node: Any) -> bool:
    return isinstance(node, (Mapping, list))


def _noted(found: Identifiers, node: Mapping[str, Any], pointer: str, base: str) -> str:
    """Note the identifiers of one schema; returns the base URI within it."""
    own = node.get("$id")
    if isinstance(own, str):
        try:
            uri, fragment = urldefrag(joined(base, own))
        except ValueError:
            # Nothing can refer to it.
            uri = fragment = ""
        if uri and not fragment:
            base = uri
            found.resources.setdefault(uri, pointer)
            found.scopes[pointer] = uri
    for word in ("$anchor", "$dynamicAnchor"):
        name = node.get(word)
        if isinstance(name, str):
            found.anchors.setdefault((base, name), pointer)
    return base
