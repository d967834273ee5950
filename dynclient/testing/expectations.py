"""Which calls a test expects, and how one that came differs from them.

Rule 1: what is not named is free. A body that is named whole is compared whole, one named by its properties by those.
Rule 2: ``ANY``, and whatever else compares itself, is compared by ``==``; a function is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from unittest.mock import ANY

from dynclient import model
from dynclient._plain import plain
from dynclient._records import Record
from dynclient._request import Bound
from dynclient._request.arguments import Binder
from dynclient.exceptions import ArgumentError
from dynclient.inspection import Argument, arguments
from dynclient.messages import Request, Response
from dynclient.testing.checks import Sent

__all__ = ["ANY", "Call", "Expectation", "UnexpectedCall", "bind", "differences"]


class UnexpectedCall(AssertionError):
    """A call that is none of those that a test expects of its operation."""


class Call(Record):
    """A call that came: its arguments by Python name, its body, and the request."""

    operation_id: str
    arguments: Mapping[str, Any]
    body: Any
    request: Request


class Expectation:
    """A call that is expected, and what it is answered with, so often (None: without end)."""

    def __init__(self, wanted: Bound, by_properties: bool, give: Callable[[Call], Response], times: int | None) -> None:  # noqa: FBT001  # private to the room
        """Take the arguments and the answer."""
        self.wanted = wanted
        self.by_properties = by_properties
        self.give = give
        self.left = times

    @property
    def is_spent(self) -> bool:
        """Whether it has answered as often as it should."""
        return self.left is not None and self.left <= 0


def bind(operation: model.Operation, args: Sequence[Any], keywords: Mapping[str, Any]) -> tuple[Bound, bool]:
    """Bind the arguments of an expected call, of which any may lack; and whether the body is named by its properties.

    Raises:
        ArgumentError: there is no such argument.
    """
    found = arguments(operation)
    bound = Binder(found, operation.id).bind(args, keywords, complete=False)
    bodies = {"body", *(argument.name for argument in found if argument.kind == "body")}
    positional = sum(argument.kind == "parameter" and argument.required for argument in found)
    return bound, bound.body is not ... and not bodies & keywords.keys() and len(args) <= positional


def call_of(operation: model.Operation, sent: Sent, request: Request) -> Call:
    """What came, by the names of Python."""
    names = {(one.in_, one.wire): one.name for one in arguments(operation) if one.kind == "parameter"}
    values = {names[key]: value for key, value in sent.parameters.items() if key in names}
    return Call(operation.id, values, sent.body, request)


def differences(operation: model.Operation, expectation: Expectation, sent: Sent) -> list[str]:
    """How what came differs from what was expected, a line each."""
    found: tuple[Argument, ...] = arguments(operation)
    names = {(one.in_, one.wire): one.name for one in found if one.kind == "parameter"}
    lines: list[str] = []
    for key, wanted in expectation.wanted.parameters.items():
        lines += _compared(names.get(key, key[1]), wanted, sent.parameters.get(key, ...))
    body = expectation.wanted.body
    if body is ...:
        return lines
    if expectation.by_properties and isinstance(body, Mapping):
        came = sent.body if isinstance(sent.body, Mapping) else {}
        for name, wanted in body.items():
            lines += _compared(name, wanted, came.get(name, ...))
        return lines
    return lines + list(_compared("body", body, sent.body))


def _compared(path: str, wanted: Any, came: Any) -> Iterator[str]:
    if isinstance(wanted, Mapping) and isinstance(came, Mapping):
        for name in [*wanted, *(name for name in came if name not in wanted)]:
            yield from _compared(f"{path}.{name}", wanted.get(name, ...), came.get(name, ...))
    elif isinstance(wanted, list) and isinstance(came, list) and len(wanted) == len(came):
        for index, (one, other) in enumerate(zip(wanted, came, strict=True)):
            yield from _compared(f"{path}[{index}]", one, other)
    elif not _fits(wanted, came):
        yield f"{path}: expected {_told(wanted)}, came {_told(came)}"


def _fits(wanted: Any, came: Any) -> bool:
    if wanted is ... or came is ...:
        return wanted is came
    if callable(wanted) and not isinstance(wanted, type):
        return bool(wanted(came))
    if wanted == came:
        return True
    try:
        return bool(plain(wanted) == came)
    except ArgumentError:
        return False


def _told(value: Any) -> str:
    if value is ...:
        return "nothing"
    if callable(value):
        return f"what {getattr(value, '__name__', 'a function')} takes"
    text = repr(value)
    return text if len(text) <= 200 else text[:199] + "…"  # noqa: PLR2004  # a line of a terminal or two
