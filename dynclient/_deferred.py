"""What is loaded when it is first asked for: names of a room (PEP 562), and functions."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from operator import attrgetter
from typing import Any


def deferred(room: str, modules: Mapping[str, tuple[str, ...]]) -> Callable[[str], Any]:
    """Make a room's ``__getattr__``, given the names that each of its modules has for others."""
    where = {name: module for module, names in modules.items() for name in names}

    def load(name: str) -> Any:
        if name not in where:
            raise AttributeError(f"module {room!r} has no attribute {name!r}")
        value = getattr(import_module(f"{room}.{where[name]}"), name)
        setattr(sys.modules[room], name, value)
        return value

    return load


def function(module: str, name: str) -> Callable[..., Any]:
    """A function of a module that is loaded when the function is first called; ``name`` may have dots."""
    found: Callable[..., Any] | None = None

    def call(*given: Any) -> Any:
        nonlocal found
        if found is None:
            found = attrgetter(name)(import_module(module))
        return found(*given)

    return call
