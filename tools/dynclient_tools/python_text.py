"""Values as Python text, laid out as a person would write them. Every text goes through ``repr``."""

from __future__ import annotations

from typing import Any

_WIDTH = 100
_STEP = "    "


def literal(value: Any, indent: str = "", room: int = _WIDTH) -> str:
    """A plain value as Python source; ``room`` is what is left of the first line."""
    flat = _flat(value)
    if len(flat) <= room - len(indent) and "\n" not in flat:
        return flat
    inner = indent + _STEP
    if isinstance(value, dict) and value:
        entries = [f"{inner}{_flat(key)}: {literal(member, inner)},\n" for key, member in value.items()]
        return "{\n" + "".join(entries) + indent + "}"
    if isinstance(value, list) and value:
        return "[\n" + "".join(f"{inner}{literal(member, inner)},\n" for member in value) + indent + "]"
    if isinstance(value, str) and "\n" in value.rstrip("\n"):
        return "(\n" + "".join(f"{inner}{_quoted(line)}\n" for line in value.splitlines(keepends=True)) + indent + ")"
    return flat


def _flat(value: Any) -> str:
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_flat(key)}: {_flat(member)}" for key, member in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flat, value)) + "]"
    return repr(value)


def _quoted(value: str) -> str:
    """A string in double quotes, unless it holds some."""
    single = repr(value)
    # In single quotes, ``repr`` has no apostrophe to escape unless there is a double quote too.
    return f'"{single[1:-1]}"' if single.startswith("'") and '"' not in single else single
