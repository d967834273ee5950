"""Small paths into a value that was read: ``$.data[-1].id``, ``$['@odata.nextLink']``, ``$.links[rel=next].href``.

Rule 1: a path leads to one value: names, and indices, of which negative ones count from the end. ``[name=text]`` is the
first object of an array whose member has that text. It has no wildcards.
Rule 2: a path that leads nowhere is no error: the value is MISSING.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from dynclient._deferred import expression
from dynclient.json_pointer import MISSING

Keys = tuple[str | int | tuple[str, str], ...]
"""A path as its names, indices, and pairs of a member's name and its text."""

_PART = expression(
    r"\.([^.\[\]'\"\s]+)|\[(-?[0-9]{1,9})\]|\['([^']*)'\]|\[\"([^\"]*)\"\]|\[([\w-]{1,99})=([\w-]{1,99})\]"
)
_NAME = expression(r"[^.\[\]'\"\s@]+")


@lru_cache(maxsize=256)
def path_keys(path: str) -> Keys:
    """Read a path; without its ``$.`` it begins with a name.

    Raises:
        ValueError: it is not a path.
    """
    rest = path[1:] if path[:1] == "$" else path if path[:1] == "[" else f".{path}"
    keys: list[str | int | tuple[str, str]] = []
    position = 0
    while position < len(rest):
        part = _PART.match(rest, position)
        if part is None:
            raise ValueError(f"{path!r} is not a path such as $.data[-1].id or $['next link']")
        name, index, single, double, member, text = part.groups()
        keys.append((member, text) if member else int(index) if index else name or single or double or "")
        position = part.end()
    return tuple(keys)


def path_text(keys: Keys) -> str:
    """Write a path: the reverse of :func:`path_keys`."""
    texts = []
    for key in keys:
        if isinstance(key, int):
            texts.append(f"[{key}]")
        elif isinstance(key, tuple):
            texts.append(f"[{key[0]}={key[1]}]")
        elif _NAME.fullmatch(key):
            texts.append(f".{key}")
        else:
            texts.append(f'["{key}"]' if "'" in key else f"['{key}']")
    return "$" + "".join(texts)


def value_at(value: Any, keys: Keys) -> Any:
    """Return the value that a path leads to, or MISSING. An object of a class is asked for its attribute."""
    for key in keys:
        if isinstance(key, int):
            if not isinstance(value, (list, tuple)) or not -len(value) <= key < len(value):
                return MISSING
            value = value[key]
        elif isinstance(key, tuple):
            members = value if isinstance(value, (list, tuple)) else ()
            value = next((each for each in members if value_at(each, key[:1]) == key[1]), MISSING)
        elif type(value) is dict or isinstance(value, Mapping):
            value = value.get(key, MISSING)
        else:
            # What `convert` made of an object.
            is_plain = type(value).__module__ == "builtins" or key.startswith("_")
            value = MISSING if is_plain else getattr(value, key, MISSING)
        if value is MISSING:
            return MISSING
    return value
