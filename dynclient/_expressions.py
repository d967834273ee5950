"""Regular expressions that are compiled when they are first used.

Compiling one takes longer than loading a module, and a program uses few of those in the packages.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, AnyStr, cast


def expression(source: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """The same as ``re.compile``, but compiled at first use. Call its methods: functions of ``re`` do not take it."""
    return cast("re.Pattern[AnyStr]", _Expression(source, flags))


class _Expression:
    def __init__(self, source: Any, flags: int) -> None:
        self._compile: Callable[[], re.Pattern[Any]] = lambda: re.compile(source, flags)

    def __getattr__(self, name: str) -> Any:
        # An attribute of its own from then on, as fast as that of a compiled pattern.
        if name.startswith("__"):
            raise AttributeError(name)
        found = self.__dict__[name] = getattr(self._compile(), name)
        return found
