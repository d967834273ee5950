"""The signature of an operation's method, and the types of its arguments, bodies and results."""

from __future__ import annotations

import dataclasses
import inspect
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from dynclient._schemas import shape
from dynclient._schemas.shapes import bounded_depth
from dynclient.inspection.arguments import Argument, arguments, positional, secret
from dynclient.inspection.hints import ANY, BYTES, NONE, STR, Hint, hint_tree, typing_object, union
from dynclient.media_types import find, is_concrete, value_type
from dynclient.model import MediaType, Operation, Response

# Python type of a decoded value -> its hint. All others are Any.
_VALUES: dict[type, Hint] = {
    bytes: BYTES,
    str: STR,
    list: Hint("list", members=(ANY,)),
    dict: Hint("dict", members=(ANY,)),
}


@bounded_depth("a schema of an operation")
def signature(operation: Operation, defaults: Mapping[str, Any] = {}) -> inspect.Signature:
    """Build the annotated signature of an operation's method, without ``self``.

    A default of ``...`` means that an argument is sent only if it is given. ``defaults`` are those of the client: their
    parameters are keyword-only, since positional arguments skip them.

    Raises:
        DocumentError: a schema that the operation needs is broken.
    """
    found = arguments(operation)
    made = list(map(_parameter, found))
    if defaults:
        made = [_with_default(one, argument, defaults) for one, argument in zip(made, found, strict=True)]
        made.sort(key=lambda one: one.kind)
    return _Signature(
        made,
        return_annotation=typing_object(returns(operation), "response"),
    )


def _parameter(argument: Argument) -> inspect.Parameter:
    kinds = inspect.Parameter
    return kinds(
        argument.name,
        kinds.POSITIONAL_OR_KEYWORD if positional(argument) else kinds.KEYWORD_ONLY,
        default=... if argument.omittable else kinds.empty,
        annotation=typing_object(argument_hint(argument), "request"),
    )


def _with_default(made: inspect.Parameter, argument: Argument, defaults: Mapping[str, Any]) -> inspect.Parameter:
    name = next((name for name in (argument.wire, argument.name) if name in defaults), None)
    if argument.kind != "parameter" or name is None:
        return made
    shown = ... if secret(argument.schema) else defaults[name]
    return made.replace(kind=inspect.Parameter.KEYWORD_ONLY, default=shown)


class _Signature(inspect.Signature):
    """Shows the default ``...`` as such; the standard library shows ``Ellipsis``."""

    __slots__ = ()

    def __str__(self) -> str:
        return _with_dots(super().__str__())

    if sys.version_info >= (3, 13):

        def format(self, *args: Any, **keywords: Any) -> str:
            """Format the signature for ``help`` of Python 3.13 and later."""
            return _with_dots(super().format(*args, **keywords))


def _with_dots(text: str) -> str:
    return text.replace(" = Ellipsis", " = ...").replace("=Ellipsis", "=...")


def of_keywords(names: Iterable[str]) -> inspect.Signature:
    """Build the signature of a function that takes only keywords, all optional."""
    return _Signature([inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=...) for name in names])


def of_class_method(function: Any) -> inspect.Signature:
    """Build the signature of a class method, with ``...`` for defaults that are objects of many members."""
    _, *own = inspect.signature(function).parameters.values()
    return _Signature([one.replace(default=...) if dataclasses.is_dataclass(one.default) else one for one in own])


def argument_hint(argument: Argument) -> Hint:
    """The type of an argument's values."""
    if argument.kind == "body":
        return body_hint(argument.media_type) if argument.media_type is not None else ANY
    return hint_tree(argument.schema, "request")


def body_hint(media_type: MediaType) -> Hint:
    """The type of the values sent in a media type."""
    if media_type.schema is not None:
        return hint_tree(media_type.schema, "request")
    if media_type.item_schema is not None:
        return Hint("list", members=(hint_tree(media_type.item_schema, "request"),))
    value = _VALUES.get(value_type(media_type.media_range), ANY)
    return union((BYTES, STR)) if value in {BYTES, STR} else value


def returns(operation: Operation) -> Hint:
    """The type of a call's result: the data of its successful responses."""
    found = [response_hint(response) for response in successes(operation)]
    return union(found) if found else ANY


def response_hint(response: Response) -> Hint:
    """The type of the data of a response, over all of its media types; None without a body."""
    return union(map(data_hint, response.content.values())) if response.content else NONE


def successes(operation: Operation) -> tuple[Response, ...]:
    """The responses whose data a call returns: the documented 2xx, or else ``default``."""
    # OAS 3.2, Responses Object: "default" covers the codes that are not declared individually.
    found = tuple(response for status, response in operation.responses.items() if status.startswith("2"))
    default = operation.responses.get("default")
    return found or ((default,) if default is not None else ())


def data_hint(media_type: MediaType) -> Hint:
    """The type of the data received in a media type."""
    if media_type.item_schema is not None:
        return Hint("list", members=(hint_tree(media_type.item_schema, "response"),))
    schema, kind = media_type.schema, find(media_type.media_range)
    if schema is None or (kind.opaque and is_concrete(media_type.media_range)):
        return _VALUES.get(value_type(media_type.media_range), ANY)
    hint = hint_tree(schema, "response")
    # Such a body is a string only if it is text in its charset.
    may_be_bytes = kind.value is bytes and not kind.opaque and "string" in shape(schema).types
    return union((hint, BYTES)) if may_be_bytes else hint
