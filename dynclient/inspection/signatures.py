"""An operation's signature, as ``inspect.signature`` and ``help`` show it."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from typing import Any

from dynclient.inspection.arguments import Argument, arguments, positional
from dynclient.inspection.hints import ANY, BYTES, NONE, STR, Hint, hint_tree, union
from dynclient.inspection.typing_objects import typing_object
from dynclient.media_types import value_type
from dynclient.model import MediaType, Operation, Response

_VALUES: dict[type, Hint] = {
    bytes: BYTES,
    str: STR,
    list: Hint("list", members=(ANY,)),
    dict: Hint("dict", members=(ANY,)),
}


def signature(operation: Operation) -> inspect.Signature:
    """The signature of an operation's method, annotated, without ``self``.

    ``...`` as a default says: left out unless it is given.

    Raises:
        DocumentError: a schema that the operation needs is broken.
    """
    found = arguments(operation)
    optional_body = any(argument.kind == "property" for argument in found)
    return _Signature(
        [_parameter(argument, body_may_lack=optional_body) for argument in found],
        return_annotation=typing_object(returns(operation), "response"),
    )


class _Signature(inspect.Signature):
    """Shows a default of ``...`` as people write it, where the standard library says Ellipsis."""

    __slots__ = ()

    def __str__(self) -> str:
        return super().__str__().replace(" = Ellipsis", " = ...")

    if sys.version_info >= (3, 13):

        def format(self, *args: Any, **keywords: Any) -> str:
            """What ``help`` shows from Python 3.13 on."""
            return super().format(*args, **keywords).replace(" = Ellipsis", " = ...")


def argument_hint(argument: Argument) -> Hint:
    """The type of what is given for an argument."""
    if argument.kind == "body":
        return body_hint(argument.media_type) if argument.media_type is not None else ANY
    return hint_tree(argument.schema, "request")


def body_hint(media_type: MediaType) -> Hint:
    """The type of the values that are sent in a media type."""
    if media_type.schema is not None:
        return hint_tree(media_type.schema, "request")
    if media_type.item_schema is not None:
        return Hint("list", members=(hint_tree(media_type.item_schema, "request"),))
    value = _VALUES.get(value_type(media_type.media_range), ANY)
    return union((BYTES, STR)) if value in {BYTES, STR} else value


def omittable(argument: Argument, found: tuple[Argument, ...]) -> bool:
    """Whether a call may leave an argument out: it is optional, or a body whose properties may be given instead."""
    if argument.kind == "body":
        return not argument.required or any(other.kind == "property" for other in found)
    return argument.kind == "property" or not argument.required


def returns(operation: Operation) -> Hint:
    """The type of what a call returns: the data of its successful responses."""
    found = [response_hint(response) for response in successes(operation)]
    return union(found) if found else ANY


def response_hint(response: Response) -> Hint:
    """The type of the data of a response, in whichever of its media types it comes."""
    return union(_data(response))


def successes(operation: Operation) -> tuple[Response, ...]:
    """The responses whose data a call returns: the 2xx that are documented, or else ``default``."""
    # OAS 3.2, Responses Object: "default" covers the codes that are not declared.
    found = tuple(response for status, response in operation.responses.items() if status.startswith("2"))
    default = operation.responses.get("default")
    return found or ((default,) if default is not None else ())


def data_hint(media_type: MediaType) -> Hint:
    """The type of the data that comes in a media type."""
    if media_type.item_schema is not None:
        return Hint("list", members=(hint_tree(media_type.item_schema, "response"),))
    if media_type.schema is not None:
        return hint_tree(media_type.schema, "response")
    return _VALUES.get(value_type(media_type.media_range), ANY)


def _data(response: Response) -> Iterator[Hint]:
    if not response.content:
        yield NONE
    for media_type in response.content.values():
        yield data_hint(media_type)


def _parameter(argument: Argument, *, body_may_lack: bool) -> inspect.Parameter:
    needed = argument.required and argument.kind != "property" and not (argument.kind == "body" and body_may_lack)
    default: Any = inspect.Parameter.empty if needed else ...
    by_position = inspect.Parameter.POSITIONAL_OR_KEYWORD
    return inspect.Parameter(
        argument.name,
        by_position if positional(argument) else inspect.Parameter.KEYWORD_ONLY,
        default=default,
        annotation=typing_object(argument_hint(argument), "request"),
    )
