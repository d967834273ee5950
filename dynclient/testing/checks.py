"""Is a request what the operation takes? Its parameters and its body, read backwards by the tables that write them.

Rule 1: every fault is found before anything is refused.
Rule 2: what the document does not name is left alone, as HTTP has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import parse_qs, unquote, urlsplit

from dynclient import codecs, model
from dynclient._negotiation import match
from dynclient._records import Record
from dynclient._schemas import shape, typed
from dynclient._styles import ABSENT, deserialize
from dynclient._validation import validator
from dynclient.exceptions import DynclientError, Fault
from dynclient.messages import Request
from dynclient.options import Limits
from dynclient.testing.refusals import Refusal

# OAS 3.1.1, Parameter Object: header parameters of these names are ignored.
IGNORED_HEADERS = frozenset({"accept", "content-type", "authorization"})


Kind = Literal["primitive", "array", "object"]


class Sent(Record):
    """What a request says, as plain values. ``body`` is None where there is none."""

    parameters: Mapping[tuple[str, str], Any]
    body: Any = None


def check_request(
    operation: model.Operation, texts: Mapping[str, str], request: Request, limits: Limits, *, strict: bool = True
) -> Sent:
    """Read parameters and body, and hold them to the document. ``texts`` are the path's, percent-encoded.

    Unless it is ``strict``, a request is taken whatever it is, and what can be read of it is.

    Raises:
        Refusal: 400 with every fault, or 415.
    """
    parameters: dict[tuple[str, str], Any] = {}
    faults: list[Fault] = []
    for parameter in operation.parameters:
        if parameter.in_ == "header" and parameter.name.lower() in IGNORED_HEADERS:
            continue
        value, found = _parameter(parameter, texts, request, limits)
        faults += found
        if value is not ABSENT:
            parameters[parameter.in_, parameter.name] = value
    try:
        body, found = _body(operation, request, limits)
    except Refusal:
        if strict:
            raise
        body, found = None, []
    faults += found
    if faults and strict:
        raise Refusal(400, "the request breaks the document", faults=faults)
    return Sent(parameters, body)


def _text(parameter: model.Parameter, texts: Mapping[str, str], request: Request) -> str | None:
    """What stands where the parameter would stand; None where there is nothing."""
    query = urlsplit(request.url).query
    found = {
        "path": texts.get(parameter.name),
        "query": query,
        "querystring": query or None,
        "header": request.headers.get(parameter.name),
        "cookie": request.headers.get("cookie"),
    }
    return found[parameter.in_]


def _parameter(
    parameter: model.Parameter, texts: Mapping[str, str], request: Request, limits: Limits
) -> tuple[Any, list[Fault]]:
    path = f"{parameter.in_}.{parameter.name}"
    text = _text(parameter, texts, request)
    try:
        value = ABSENT if text is None else _value(parameter, text, limits)
    except DynclientError as error:
        return ABSENT, [Fault(path, error.message)]
    if value is ABSENT:
        return ABSENT, [Fault(path, "is required", "required")] if parameter.required else []
    schema = parameter.schema or (parameter.media_type.schema if parameter.media_type is not None else None)
    if schema is None or (value == "" and parameter.allow_empty):
        return value, []
    return value, validator(schema, "request", limits=limits).faults(value, path=path)


def _value(parameter: model.Parameter, text: str, limits: Limits) -> Any:
    if parameter.media_type is not None:
        written = _written(parameter, text)
        if written is None:
            return ABSENT
        content_type = parameter.media_type.media_range
        codec = codecs.find(content_type, parameter.media_type)
        return codec.decode(written.encode("utf-8"), parameter.media_type, content_type, limits)
    kind: Kind = "primitive"
    properties: tuple[str, ...] = ()
    if parameter.schema is not None:
        kind, properties = _kind(parameter.schema)
    value = deserialize(
        text,
        name=parameter.name,
        in_=parameter.in_,
        style=parameter.style,
        explode=parameter.explode,
        kind=kind,
        properties=properties,
    )
    return value if value is ABSENT or parameter.schema is None else typed(parameter.schema, value)


def _written(parameter: model.Parameter, text: str) -> str | None:
    """The text of a parameter that has a media type, without its place's own encoding."""
    if parameter.in_ in {"querystring", "header"}:
        return text
    if parameter.in_ == "path":
        return unquote(text)
    separator = "; " if parameter.in_ == "cookie" else "&"
    values = parse_qs(text, keep_blank_values=True, separator=separator).get(parameter.name)
    return values[0] if values else None


def _kind(schema: model.Schema, depth: int = 0) -> tuple[Kind, tuple[str, ...]]:
    """What a schema's values are as a parameter: primitive, array or object, and an object's property names."""
    found = shape(schema)
    if "array" in found.types or found.items is not None or found.prefix_items:
        return "array", ()
    if "object" in found.types or found.properties:
        return "object", tuple(found.properties)
    if not found.types and depth < 8:  # noqa: PLR2004  # a bound against schemas that choose among themselves
        for choice in (*found.one_of, *found.any_of):
            kind, properties = _kind(choice, depth + 1)
            if kind != "primitive":
                return kind, properties
    return "primitive", ()


def _body(operation: model.Operation, request: Request, limits: Limits) -> tuple[Any, list[Fault]]:
    documented = operation.body
    body = request.body if isinstance(request.body, bytes) else b""
    if documented is None or not documented.content:
        return None, []
    content_type = request.headers.get("content-type", "")
    if not body and not content_type:
        return None, [Fault("$", "the body is required", "required")] if documented.required else []
    media_range = match(content_type, documented.content) if content_type else None
    if media_range is None:
        taken = ", ".join(documented.content)
        raise Refusal(415, f"the body may be {taken}, and came as {content_type or 'no media type'}")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Refusal(415, "the body may have no content coding", headers={"Accept-Encoding": "identity"})
    return _decoded(documented.content[media_range], body, content_type, limits)


def _decoded(media_type: model.MediaType, body: bytes, content_type: str, limits: Limits) -> tuple[Any, list[Fault]]:
    codec = codecs.find(content_type, media_type)
    try:
        value = codec.decode(body, media_type, content_type, limits)
    except DynclientError as error:
        raise Refusal(400, f"the body is not {content_type}: {error.message}") from error
    if codec.name == "binary":
        return value, []
    faults: list[Fault] = []
    if media_type.schema is not None:
        faults = validator(media_type.schema, "request", limits=limits).faults(value, files=codec.files)
    elif media_type.item_schema is not None and isinstance(value, list):
        items = validator(media_type.item_schema, "request", limits=limits)
        for index, item in enumerate(value):
            faults += items.faults(item, path=f"$[{index}]", files=codec.files)
    return value, faults


def sent_names(operation: model.Operation, request: Request) -> list[str]:
    """The documented parameters that a request has, as location and name; those of its path are always there."""
    found = []
    for parameter in operation.parameters:
        if parameter.in_ == "path":
            found.append(f"path {parameter.name}")
        elif parameter.in_ != "header" or parameter.name.lower() not in IGNORED_HEADERS:
            try:
                text = _text(parameter, {}, request)
                value = ABSENT if text is None else _value(parameter, text, Limits())
            except DynclientError:
                value = None
            if value is not ABSENT:
                found.append(f"{parameter.in_} {parameter.name}")
    return found
