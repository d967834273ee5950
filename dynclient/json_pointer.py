"""JSON Pointer (RFC 6901): how a location in a document is written, and how the value there is found.

A pointer is a text such as ``/paths/~1calls/get``; its keys are the parts between the slashes, unescaped.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class _Missing:
    """Marks a missing value where None is a possible value."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "MISSING"

    def __bool__(self) -> bool:
        return False

    def __reduce__(self) -> str:
        return "MISSING"


MISSING: Any = _Missing()
"""In place of a value that does not exist, which differs from None."""


def escape(key: str) -> str:
    """Escape a key for a pointer: ``~`` as ``~0``, ``/`` as ``~1`` (RFC 6901, 3)."""
    return key.replace("~", "~0").replace("/", "~1")


def unescape(key: str) -> str:
    """Read a key in a pointer: the reverse of :func:`escape`."""
    return key.replace("~1", "/").replace("~0", "~")


def join(pointer: str, *keys: str | int) -> str:
    """Extend a pointer by keys and indices."""
    return pointer + "".join(f"/{escape(str(key))}" for key in keys)


def split(pointer: str) -> list[str]:
    """Return the keys of a pointer, unescaped."""
    return [unescape(key) for key in pointer.split("/")[1:]]


def at(root: Any, pointer: str) -> Any:
    """Return the value at a pointer.

    Raises:
        LookupError: there is no value; its text is the pointer of the first key that is missing.
    """
    found, depth = walk(root, split(pointer))
    if found is MISSING:
        raise LookupError(join("", *split(pointer)[: depth + 1]))
    return found


def walk(root: Any, keys: list[str]) -> tuple[Any, int]:
    """Follow keys and indices downwards.

    Returns the value and how many keys were followed; the value is ``MISSING`` where the next key does not exist.
    """
    node = root
    for depth, key in enumerate(keys):
        if isinstance(node, Mapping):
            node = node.get(key, MISSING)
        elif isinstance(node, list) and key.isascii() and key.isdigit() and int(key) < len(node):
            node = node[int(key)]
        else:
            node = MISSING
        if node is MISSING:
            return MISSING, depth
    return node, len(keys)


def of_fragment(root: Any, fragment: str) -> tuple[str, Any]:
    """Return the pointer in a reference's fragment, and the value there, or ``MISSING``.

    A fragment is percent-encoded (RFC 6901, 6). If the decoded fragment does not exist, it is tried as it is written,
    since people write keys with an unencoded percent sign.
    """
    plain = fragment
    if "%" in fragment:
        from urllib.parse import unquote

        plain = unquote(fragment)
    for text in dict.fromkeys((plain, fragment)):
        keys = split(text)
        found, _ = walk(root, keys)
        if found is not MISSING:
            return join("", *keys), found
    return join("", *split(plain)), MISSING
