"""IPython's completion of operations, and of the values of arguments that have an ``enum``."""

from __future__ import annotations

import re
import sys
from typing import Any

from dynclient._client.operation_method import OperationMethod
from dynclient._schemas import shape
from dynclient.exceptions import DocumentError
from dynclient.inspection.arguments import arguments, secret
from dynclient.model import Schema

# A call up to the cursor: what is called, and the keyword whose value is begun, with its quote.
_VALUE = re.compile(r"([\w.]+)\((?:[^()]*[\s,(])?(\w+)\s*=\s*(['\"]?)[^'\"(),=]*$")


def allow(classes: tuple[type, ...]) -> None:
    """Let IPython evaluate attributes of these classes while it completes, and offer values.

    Its completer evaluates no attribute of a class that has ``__getattr__``, since that could have effects. Here it
    only makes a method, so the classes are added to IPython's list of safe ones.
    """
    guarded = sys.modules["IPython.core.guarded_eval"]
    for policy in getattr(guarded, "EVALUATION_POLICIES", {}).values():
        allowed = getattr(policy, "allowed_getattr", None)
        if isinstance(allowed, set):
            allowed.update(classes)
    shells = sys.modules.get("IPython.core.interactiveshell")
    if shells is not None and shells.InteractiveShell.initialized():
        shell = shells.InteractiveShell.instance()
        matchers = getattr(shell.Completer, "custom_matchers", None)
        if isinstance(matchers, list) and not any(isinstance(one, ValueMatcher) for one in matchers):
            matchers.append(ValueMatcher(shell, classes))


class ValueMatcher:
    """Completes ``voice.update_call(state="`` with the values that the document has for it."""

    def __init__(self, shell: Any, classes: tuple[type, ...]) -> None:
        """Take IPython's shell, and the classes of clients and namespaces: nothing else is evaluated."""
        self._shell = shell
        self._classes = classes
        self.__qualname__ = type(self).__qualname__  # by which IPython knows a matcher

    def __call__(self, text: str) -> list[str]:
        """Complete the last word before the cursor; returns the whole words."""
        found = _VALUE.search(getattr(self._shell.Completer, "text_until_cursor", ""))
        method = self._method(found[1].split(".")) if found is not None else None
        if found is None or method is None:
            return []
        quote = found[3]
        words = [
            str(value) if quote or not isinstance(value, str) else f'"{value}"' for value in _values(method, found[2])
        ]
        return [word for word in words if word.startswith(text)]

    def _method(self, names: list[str]) -> OperationMethod | None:
        found = self._shell.user_ns.get(names[0])
        for name in names[1:]:
            if not isinstance(found, self._classes):
                return None
            found = getattr(found, name, None)
        return found if isinstance(found, OperationMethod) else None


def _values(method: OperationMethod, keyword: str) -> tuple[Any, ...]:
    try:
        found = next((one for one in arguments(method.operation) if keyword in {one.name, one.wire}), None)
        schema: Schema | None = found.schema if found is not None else None
        if schema is None or secret(schema):
            return ()
        seen = shape(schema)
        values = seen.enum or (shape(seen.items).enum if seen.items is not None else None) or ()
    except DocumentError:
        return ()
    return tuple(value for value in values if isinstance(value, str | int) and str(value).isprintable())
