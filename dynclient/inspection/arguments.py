"""The arguments of an operation's method: which there are, in which order, under which Python names.

Rule 1: required parameters come first, as the document lists them; then the body. Both may be given by position.
Rule 2: optional parameters, and then the properties of the body, are keyword-only. Properties may be given instead of
the body, so a body that has them may be left out.
Rule 3: a parameter's name goes before the body's, and the body's before a property's: a property whose name is taken
can be given within the body only.
Rule 4: one name in two locations stays with the path, or else with the first; the others have their location added.
"""

from __future__ import annotations

from typing import Any, Literal

from dynclient._identifiers import distinct, identifier
from dynclient._records import Record
from dynclient._schemas import MISSING, Shape, is_binary, shape
from dynclient.media_types import find, is_structured
from dynclient.model import MediaType, Operation, Parameter, RequestBody, Response, Schema

Kind = Literal["parameter", "body", "property"]

BODY = "body"
_TAKEN_BODY = "request_body"

_SECRET_FORMATS = frozenset({"password"})


class Argument(Record):
    """One argument of an operation's method.

    ``in_`` is ``path``, ``query``, ``querystring``, ``header``, ``cookie`` or ``body``; ``wire`` the name there, which
    is empty for the body itself. ``required`` is what the document says; a body may be given by its properties even
    so. ``default`` is what the server assumes, or MISSING: it is never sent.
    """

    name: str
    kind: Kind
    in_: str
    wire: str
    required: bool = False
    schema: Schema | None = None
    parameter: Parameter | None = None
    media_type: MediaType | None = None
    description: str = ""
    default: Any = MISSING
    deprecated: bool = False


def arguments(operation: Operation) -> tuple[Argument, ...]:
    """The arguments of an operation's method, in the order of its signature.

    Raises:
        DocumentError: a schema that the operation needs is broken.
    """
    parameters = _parameters(operation)
    required = [argument for argument in parameters if argument.required]
    optional = [argument for argument in parameters if not argument.required]
    names = {argument.name for argument in parameters}
    body = [_body(operation.body, names)] if operation.body is not None else []
    names.update(argument.name for argument in body)
    properties = _properties(operation.body, names) if operation.body is not None else ()
    return (*required, *body, *optional, *properties)


def positional(argument: Argument) -> bool:
    """Whether an argument may be given by position."""
    return argument.kind == "body" or (argument.kind == "parameter" and argument.required)


def preferred(body: RequestBody) -> MediaType | None:
    """The media type that stands for a body: JSON where it is offered, else the first that has a schema."""
    return next(iter(_by_preference(body)), None)


def body_schema(body: RequestBody | Response) -> Schema | None:
    """The schema of an object body that has properties to name one by one, or None."""
    for media_type in _by_preference(body):
        schema = media_type.schema
        if schema is not None and is_structured(media_type.media_range) and _is_object(schema):
            return schema
    return None


def _by_preference(body: RequestBody | Response) -> list[MediaType]:
    """The media types of a body, those with a schema first, and of these JSON; else as the document orders them."""
    return sorted(
        body.content.values(),
        key=lambda found: (not (found.schema or found.item_schema), find(found.media_range).name != "json"),
    )


def _is_object(schema: Schema) -> bool:
    seen = shape(schema)
    return bool(seen.properties) and (not seen.types or "object" in seen.types) and not is_binary(schema)


def _parameters(operation: Operation) -> list[Argument]:
    parameters = operation.parameters
    names = _parameter_names(parameters)
    return [_argument(name, parameter) for name, parameter in zip(names, parameters, strict=True)]


def _parameter_names(parameters: tuple[Parameter, ...]) -> list[str]:
    """One Python name for each parameter, as rule 4 has it."""
    plain = [identifier(parameter.name) for parameter in parameters]
    keepers: dict[str, int] = {}
    for index, name in enumerate(plain):
        keeper = keepers.setdefault(name, index)
        if parameters[index].in_ == "path" and parameters[keeper].in_ != "path":
            keepers[name] = index
    wanted = [
        name
        if keepers[name] == index or parameters[index].in_ == parameters[keepers[name]].in_
        else identifier(f"{name}_{parameters[index].in_}")
        for index, name in enumerate(plain)
    ]
    # The keepers are served first, so that none of them gets a number.
    order = sorted(range(len(wanted)), key=lambda index: keepers[plain[index]] != index)
    served = distinct([wanted[index] for index in order])
    names = dict(zip(order, served, strict=True))
    return [names[index] for index in range(len(wanted))]


def _argument(name: str, parameter: Parameter) -> Argument:
    schema = parameter.schema
    if schema is None and parameter.media_type is not None:
        schema = parameter.media_type.schema
    seen = shape(schema) if schema is not None else None
    return Argument(
        name=name,
        kind="parameter",
        in_=parameter.in_,
        wire=parameter.name,
        required=parameter.required,
        schema=schema,
        parameter=parameter,
        description=parameter.description or (seen.description if seen else None) or "",
        default=seen.default if seen else MISSING,
        deprecated=parameter.deprecated or bool(seen and seen.deprecated),
    )


def _body(body: RequestBody, taken: set[str]) -> Argument:
    media_type = preferred(body)
    schema = media_type.schema or media_type.item_schema if media_type is not None else None
    wanted = _body_name(body)
    if wanted in taken:
        wanted = _TAKEN_BODY if wanted == BODY else f"{wanted}_body"
    seen = shape(schema) if schema is not None else None
    return Argument(
        name=distinct([wanted], taken)[0],
        kind="body",
        in_="body",
        wire="",
        required=body.required,
        schema=schema,
        media_type=media_type,
        description=body.description or (seen.description if seen else None) or "",
        default=seen.default if seen else MISSING,
    )


def _body_name(body: RequestBody) -> str:
    for media_type in _by_preference(body):
        name = shape(media_type.schema).name if media_type.schema is not None else None
        if name:
            return identifier(name)
    return identifier(body.name) if body.name else BODY


def _properties(body: RequestBody, taken: set[str]) -> tuple[Argument, ...]:
    schema = body_schema(body)
    if schema is None:
        return ()
    seen = shape(schema)
    wires = [wire for wire, child in seen.properties.items() if not shape(child).read_only]
    return tuple(
        _property(name, wire, seen.properties[wire], required=wire in seen.required)
        for name, wire in zip(distinct([identifier(wire) for wire in wires]), wires, strict=True)
        if name not in taken
    )


def _property(name: str, wire: str, schema: Schema, *, required: bool) -> Argument:
    seen = shape(schema)
    return Argument(
        name=name,
        kind="property",
        in_="body",
        wire=wire,
        required=required,
        schema=schema,
        description=seen.description or "",
        default=seen.default,
        deprecated=seen.deprecated,
    )


def secret(schema: Schema | None) -> bool:
    """Whether a schema's values are not to be shown: passwords, and what never comes back."""
    return schema is not None and is_secret(shape(schema))


def is_secret(seen: Shape) -> bool:
    """Whether the values of a schema so shaped are not to be shown."""
    return seen.write_only or seen.format in _SECRET_FORMATS
