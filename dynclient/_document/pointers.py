"""JSON pointers (RFC 6901): how a place in a document is written, and what stands there."""

from __future__ import annotations

from typing import Any

MISSING = object()


def escaped(key: str) -> str:
    """A key as a pointer spells it: ``~`` as ``~0``, ``/`` as ``~1`` (RFC 6901, 3)."""
    return key.replace("~", "~0").replace("/", "~1")


def join(pointer: str, *keys: str | int) -> str:
    """The pointer of what stands below another pointer, by its keys and indices."""
    return pointer + "".join(f"/{escaped(str(key))}" for key in keys)


def split(pointer: str) -> list[str]:
    """The keys of a pointer, as they stand in the document."""
    return [key.replace("~1", "/").replace("~0", "~") for key in pointer.split("/")[1:]]


def at(root: Any, pointer: str) -> Any:
    """What stands at a pointer.

    Raises:
        LookupError: nothing stands there.
    """
    found, depth = walk(root, split(pointer))
    if found is MISSING:
        raise LookupError(join("", *split(pointer)[: depth + 1]))
    return found


def walk(root: Any, keys: list[str]) -> tuple[Any, int]:
    """Go down by keys: what is there and how many keys led there; ``MISSING`` where the next one leads nowhere."""
    node = root
    for depth, key in enumerate(keys):
        if isinstance(node, dict):
            node = node.get(key, MISSING)
        elif isinstance(node, list) and key.isascii() and key.isdigit() and int(key) < len(node):
            node = node[int(key)]
        else:
            node = MISSING
        if node is MISSING:
            return MISSING, depth
    return node, len(keys)


def of_fragment(root: Any, fragment: str) -> tuple[str, Any]:
    """The pointer that a reference's fragment stands for, and what is there (``MISSING``: nothing).

    A fragment is percent-encoded (RFC 6901, 6). Where that leads nowhere it is taken as it is written, since people
    write keys with a percent sign unencoded.
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
