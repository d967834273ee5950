"""Objects made at their first use: names of packages (PEP 562), functions, compiled patterns, cached properties.

And packages that are imported at their first use, since they may be missing.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from operator import attrgetter
from typing import TYPE_CHECKING, Any, AnyStr, cast

__all__ = ["cached_property", "deferred", "expression", "function", "needing"]


def deferred(package: str, modules: Mapping[str, tuple[str, ...]]) -> Callable[[str], Any]:
    """Make a package's ``__getattr__``, given the names that each of its modules has for others.

    A module that begins with a dot is relative to the package above.
    """
    where = {name: module for module, names in modules.items() for name in names}

    def load(name: str) -> Any:
        if name not in where:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(f".{where[name]}", package), name)
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


@contextmanager
def needing(kind: Callable[..., Exception], what: str, extra: str, **details: Any) -> Iterator[None]:
    """Import packages that only an extra of dynclient installs.

    If one is missing, an error of that kind is raised: its text is ``what`` and the package.
    """
    try:
        yield
    except ImportError as error:
        package = (error.name or "").partition(".")[0]
        raise kind(f"{what} {package}", hint=f"pip install 'dynclient[{extra}]'", **details) from None


def expression(source: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """The same as ``re.compile``, but compiled at first use. Call its methods: functions of ``re`` do not take it.

    Compiling one takes longer than loading a module, and a program uses few of the packages' expressions.
    """
    return cast("re.Pattern[AnyStr]", _Expression(source, flags))


class _Expression:
    def __init__(self, source: Any, flags: int) -> None:
        self._compile: Callable[[], re.Pattern[Any]] = lambda: re.compile(source, flags)

    def __getattr__(self, name: str) -> Any:
        # From then on it is an attribute of the instance, as fast as that of a compiled pattern.
        if name.startswith("__"):
            raise AttributeError(name)
        found = self.__dict__[name] = getattr(self._compile(), name)
        return found


if TYPE_CHECKING:
    from functools import cached_property
else:

    class cached_property:  # noqa: N801  # the name of the standard library's
        """``functools.cached_property`` without the lock that it has before Python 3.12.

        A child process could inherit it locked. If threads race, all use the value that was stored first.
        """

        def __init__(self, function: Callable[[Any], Any]) -> None:
            self._function, self.__doc__ = function, function.__doc__

        def __set_name__(self, owner: type, name: str) -> None:
            self._name = name

        def __get__(self, instance: Any, owner: type | None = None) -> Any:
            return self if instance is None else vars(instance).setdefault(self._name, self._function(instance))
