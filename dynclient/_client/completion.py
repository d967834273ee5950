"""IPython's completion of operations, and of the values of arguments that have an ``enum``."""

from __future__ import annotations

import sys
from typing import Any

from dynclient._client.operation_method import OperationMethod
from dynclient._schemas import shape
from dynclient.exceptions import DocumentError
from dynclient.inspection.arguments import arguments, secret
from dynclient.model import Schema


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
    """Completes ``voice.update_call(state="`` with the values that the document lists for it."""

    def __init__(self, shell: Any, classes: tuple[type, ...]) -> None:
        """Take IPython's shell, and the classes of clients and namespaces: nothing else is evaluated."""
        self._shell = shell
        self._classes = classes
        self.__qualname__ = type(self).__qualname__  # IPython recognizes a matcher by it

    def __call__(self, text: str) -> list[str]:
        """Complete the last word before the cursor; returns the whole words."""
        called, keyword, quote = _value_begun(getattr(self._shell.Completer, "text_until_cursor", ""))
        method = self._method(called.split(".")) if keyword else None
        if method is None:
            return []
        words = [
            str(value) if quote or not isinstance(value, str) else f'"{value}"' for value in _values(method, keyword)
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


def _value_begun(line: str) -> tuple[str, str, str]:
    """The call in a line up to the cursor, the keyword whose value is being typed, and its quote.

    Empty if there is none.
    """
    before, _, arguments = line.rpartition("(")
    head, _, value = arguments.rpartition("=")
    value = value.lstrip()
    quote = value[:1] if value[:1] in {"'", '"'} else ""
    keyword = _last_word(head.rstrip(), "_")
    if ")" in arguments or set(value.removeprefix(quote)) & set("'\"(),="):
        return "", "", ""
    return _last_word(before, "_."), keyword, quote


def _last_word(text: str, others: str) -> str:
    start = len(text)
    while start and (text[start - 1].isalnum() or text[start - 1] in others):
        start -= 1
    return text[start:]
