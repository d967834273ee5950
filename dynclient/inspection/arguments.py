"""The arguments of an operation's method, their order and their Python names.

Rule 1: required parameters come first, in the document's order, then the body. Both may be passed by position.
Rule 2: optional parameters and then the properties of the body are keyword-only. Properties may be given instead of
the body, so a body with properties may be omitted.
Rule 3: a parameter or property whose name in the document is already a Python name keeps it; parameters take precedence
over properties. The other names are derived from the document's: those of parameters, then of the body, then of
properties. A name that is already used gets a number: ``name_2``.
Rule 4: if parameters in two locations have one name, the path's keeps it, or else the first; the others get their
location appended.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal

from dynclient._identifiers import distinct, identifier
from dynclient._records import Record
from dynclient._schemas import MISSING, Shape, is_binary, shape
from dynclient.exceptions import DocumentError
from dynclient.media_types import find, is_structured
from dynclient.model import MediaType, Operation, Parameter, RequestBody, Response, Schema

Kind = Literal["parameter", "body", "property"]

BODY = "body"
_TAKEN_BODY = "request_body"

_SECRET_FORMATS = frozenset({"password"})


class Argument(Record):
    """One argument of an operation's method.

    ``in_`` is ``path``, ``query``, ``querystring``, ``header``, ``cookie`` or ``body``; ``wire`` is the name there, or
    empty for the body itself. ``required`` is that of the document, ``omittable`` is whether a call may do without it:
    an optional one, or a body whose properties may be given instead. ``default`` is the server's default, or MISSING;
    it is not sent.
    """

    name: str
    kind: Kind
    in_: str
    wire: str
    required: bool = False
    omittable: bool = True
    schema: Schema | None = None
    parameter: Parameter | None = None
    media_type: MediaType | None = None
    description: str = ""
    default: Any = MISSING
    deprecated: bool = False


def arguments(operation: Operation) -> tuple[Argument, ...]:
    """List the arguments of an operation's method in the order of its signature; computed once.

    Raises:
        DocumentError: a schema that the operation needs is broken.
    """
    known: dict[str, tuple[Argument, ...]] = vars(operation)
    if "arguments" not in known:
        known["arguments"] = _arguments(operation)
    return known["arguments"]


def _arguments(operation: Operation) -> tuple[Argument, ...]:
    schema = body_schema(operation.body) if operation.body is not None else None
    seen = _shape_of(schema) if schema is not None else None
    members = seen.properties if seen is not None else {}
    needed = seen.required if seen is not None else ()
    wires = [wire for wire, child in members.items() if not _shape_of(child).read_only]
    plain = [identifier(wire) for wire in wires]
    own = {name for name, wire in zip(plain, wires, strict=True) if name == wire}
    named = zip(_parameter_names(operation.parameters, own), operation.parameters, strict=True)
    parameters = [_parameter(name, parameter) for name, parameter in named]
    required = [argument for argument in parameters if argument.required]
    optional = [argument for argument in parameters if not argument.required]
    names = {argument.name for argument in parameters}
    body = [_body(operation.body, {*names, *own}, plain)] if operation.body is not None else []
    names.update(argument.name for argument in body)
    properties = [
        _argument(name, "property", _unbroken(members[wire]), in_="body", wire=wire, required=wire in needed)
        for name, wire in zip(distinct(plain, names, wires), wires, strict=True)
    ]
    return (*required, *body, *optional, *properties)


def positional(argument: Argument) -> bool:
    """Whether an argument may be passed by position."""
    return argument.kind == "body" or (argument.kind == "parameter" and argument.required)


def preferred(body: RequestBody) -> MediaType | None:
    """The media type that represents a body: JSON if it is offered, else the first one with a schema."""
    return next(iter(_by_preference(body)), None)


def body_schema(body: RequestBody | Response) -> Schema | None:
    """The schema of a body whose properties can be given one by one, or None."""
    for media_type in _by_preference(body):
        schema = media_type.schema
        if schema is not None and is_structured(media_type.media_range) and _is_object(schema):
            return schema
    return None


def _by_preference(body: RequestBody | Response) -> list[MediaType]:
    """The media types of a body: those with a schema first, JSON before others, else in the document's order."""
    return sorted(
        body.content.values(),
        key=lambda found: (not (found.schema or found.item_schema), find(found.media_range).name != "json"),
    )


def _is_object(schema: Schema) -> bool:
    seen = _shape_of(schema)
    return bool(seen.properties) and (not seen.types or "object" in seen.types) and not is_binary(schema)


def _parameter_names(parameters: tuple[Parameter, ...], properties: Collection[str]) -> list[str]:
    """One Python name for each parameter, by rules 3 and 4; ``properties`` are those that keep their own names."""
    plain = [identifier(parameter.name) for parameter in parameters]
    texts = [parameter.name for parameter in parameters]
    taken = {*properties}.difference(texts)
    if len({*plain}) == len(plain):
        return distinct(plain, taken, texts)
    keepers: dict[str, int] = {}
    for index in sorted(range(len(plain)), key=lambda index: _rank(plain[index], parameters[index])):
        keepers.setdefault(plain[index], index)
    chosen = [
        name
        if keepers[name] == index or parameters[index].in_ == parameters[keepers[name]].in_
        else identifier(f"{name}_{parameters[index].in_}")
        for index, name in enumerate(plain)
    ]
    # Names that are kept are assigned first, so that none of them gets a number.
    order = sorted(range(len(chosen)), key=lambda index: keepers[plain[index]] != index)
    names = distinct([chosen[index] for index in order], taken, [texts[index] for index in order])
    return [name for _, name in sorted(zip(order, names, strict=True))]


def _rank(name: str, parameter: Parameter) -> tuple[bool, bool]:
    return parameter.name != name, parameter.in_ != "path"


def _parameter(name: str, parameter: Parameter) -> Argument:
    schema = parameter.schema
    if schema is None and parameter.media_type is not None:
        schema = parameter.media_type.schema
    found = _argument(
        name,
        "parameter",
        schema,
        parameter.description,
        in_=parameter.in_,
        wire=parameter.name,
        required=parameter.required,
        omittable=not parameter.required,
        parameter=parameter,
    )
    return found._replace(deprecated=True) if parameter.deprecated else found


def _argument(name: str, kind: Kind, schema: Schema | None, description: str = "", **more: Any) -> Argument:
    """An argument, with the facts of its schema."""
    if schema is None:
        return Argument(name, kind, description=description, **more)
    seen = _shape_of(schema)
    return Argument(
        name,
        kind,
        schema=schema,
        description=description or seen.description or "",
        default=seen.default,
        deprecated=seen.deprecated,
        **more,
    )


def _body(body: RequestBody, taken: set[str], properties: Collection[str]) -> Argument:
    """The argument for the whole body; ``properties`` are the preferred names of its properties."""
    media_type = preferred(body)
    schema = media_type.schema or media_type.item_schema if media_type is not None else None
    chosen = _body_name(body)
    if chosen in taken or (chosen == BODY and BODY in properties):
        chosen = _TAKEN_BODY if chosen == BODY else f"{chosen}_body"
    found = _argument(distinct([chosen], taken)[0], "body", schema, body.description, in_="body", wire="")
    omittable = not body.required or bool(properties)
    return found._replace(required=body.required, omittable=omittable, media_type=media_type, deprecated=False)


def _body_name(body: RequestBody) -> str:
    for media_type in _by_preference(body):
        name = _shape_of(media_type.schema).name if media_type.schema is not None else None
        if name:
            return identifier(name)
    return identifier(body.name) if body.name else BODY


def _shape_of(schema: Schema) -> Shape:
    """The shape of a schema. It is empty for a broken schema: only code that uses the schema needs a valid one."""
    try:
        return shape(schema)
    except DocumentError:
        return Shape(schema)


def _unbroken(schema: Schema) -> Schema | None:
    """A property's schema; None if it is broken: the schema of the body refuses values of such a property."""
    try:
        shape(schema)
    except DocumentError:
        return None
    return schema


def secret(schema: Schema | None) -> bool:
    """Whether a schema's values must not be shown: passwords, and write-only values."""
    return schema is not None and is_secret(_shape_of(schema))


def is_secret(seen: Shape) -> bool:
    """Whether the values of a schema of this shape must not be shown."""
    return seen.write_only or seen.format in _SECRET_FORMATS


def may_be_empty(parameter: Parameter) -> bool:
    """Whether the document lets a parameter be the empty text: by ``allowEmptyValue`` or the schema."""
    if parameter.allow_empty or parameter.schema is None:
        return parameter.allow_empty
    seen = _shape_of(parameter.schema)
    shown = [example.value for example in parameter.examples if example.has_value]
    return "" in (*shown, seen.default, seen.const, *seen.examples, *(seen.enum or ()))
