"""Late imports: names of a package (PEP 562) and functions that are loaded when they are first used."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from operator import attrgetter
from typing import Any


def deferred(package: str, modules: Mapping[str, tuple[str, ...]]) -> Callable[[str], Any]:
    """Make a package's ``__getattr__``, given the names that each of its modules has for others."""
    where = {name: module for module, names in modules.items() for name in names}

    def load(name: str) -> Any:
        if name not in where:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(f"{package}.{where[name]}"), name)
        setattr(sys.modules[package], name, value)
        return value

    return load


def function(module: str, name: str) -> Callable[..., Any]:
    """A function of a module that is loaded when the function is first called; ``name`` may have dots."""
    found: Callable[..., Any] | None = None

    def call(*given: Any, **keywords: Any) -> Any:
        nonlocal found
        if found is None:
            found = attrgetter(name)(import_module(module))
        return found(*given, **keywords)

    return call
