"""Check a received request against its operation: parameters, headers and body.

Rule 1: every fault is found before a request is refused.
Rule 2: parameters and headers that the document does not name are ignored, as in HTTP.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Literal
from urllib.parse import parse_qs, unquote, urlsplit

from dynclient import codecs, model
from dynclient._negotiation import match
from dynclient._records import Record
from dynclient._routing import HTTPError
from dynclient._schemas import shape, typed
from dynclient._styles import ABSENT, deserialize
from dynclient._validation import body_faults, validator
from dynclient.exceptions import DynclientError, Fault
from dynclient.messages import Request
from dynclient.options import Limits

# OAS 3.1.1, Parameter Object: header parameters of these names are ignored.
IGNORED_HEADERS = frozenset({"accept", "content-type", "authorization"})

Kind = Literal["primitive", "array", "object"]


class RequestValues(Record):
    """The plain values of a request: parameters by location and name, and the body, None if there is none."""

    parameters: Mapping[tuple[str, str], Any]
    body: Any = None


def check_request(
    operation: model.Operation, texts: Mapping[str, str], request: Request, limits: Limits, *, strict: bool = True
) -> RequestValues:
    """Read parameters and body, and validate them against the document.

    ``texts`` are the path's parameters by name, percent-encoded. Unless ``strict``, nothing is refused, and as much as
    possible is read.

    Raises:
        HTTPError: 400 with every fault, or 415.
    """
    parameters: dict[tuple[str, str], Any] = {}
    faults: list[Fault] = []
    for parameter in _read_parameters(operation):
        value, found = _parameter(parameter, texts, request, limits)
        faults += found
        if value is not ABSENT:
            parameters[parameter.in_, parameter.name] = value
    try:
        body, found = _body(operation, request, limits)
    except HTTPError:
        if strict:
            raise
        body, found = None, []
    faults += found
    if faults and strict:
        raise HTTPError(400, "the request violates the document", faults=faults)
    return RequestValues(parameters, body)


def used_parameters(operation: model.Operation, request: Request) -> list[str]:
    """The documented parameters that a request has, as location and name; those of its path are always present."""
    used = []
    for parameter in _read_parameters(operation):
        text = _text(parameter, {parameter.name: ""}, request)
        with suppress(DynclientError):  # what can't be read is present
            if text is None or (parameter.in_ != "path" and _value(parameter, text, Limits()) is ABSENT):
                continue
        used.append(f"{parameter.in_} {parameter.name}")
    return used


def _read_parameters(operation: model.Operation) -> list[model.Parameter]:
    """The parameters that are read: all but headers that OpenAPI ignores."""
    return [one for one in operation.parameters if one.in_ != "header" or one.name.lower() not in IGNORED_HEADERS]


def _text(parameter: model.Parameter, texts: Mapping[str, str], request: Request) -> str | None:
    """The text of a parameter's location, which may lack the parameter; None if the location itself is absent."""
    query = urlsplit(request.url).query
    found: dict[str, str | None] = {
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
        written: str | None = text
        if parameter.in_ == "path":
            written = unquote(text)
        elif parameter.in_ in {"query", "cookie"}:
            written = first_value(text, parameter.name, "; " if parameter.in_ == "cookie" else "&")
        if written is None:
            return ABSENT
        content_type = parameter.media_type.media_range
        codec = codecs.find(content_type)
        return codec.decode(written.encode("utf-8"), parameter.media_type, content_type, limits)
    kind, properties = ("primitive", ()) if parameter.schema is None else _kind(parameter.schema)
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


def first_value(text: str, name: str, separator: str) -> str | None:
    """The first value of a name in a query or in a Cookie header."""
    values = parse_qs(text, keep_blank_values=True, separator=separator).get(name)
    return values[0] if values else None


def _kind(schema: model.Schema, depth: int = 0) -> tuple[Kind, tuple[str, ...]]:
    """The kind of a schema's values as a parameter, and an object's property names."""
    found = shape(schema)
    if "array" in found.types or found.items is not None or found.prefix_items:
        return "array", ()
    if "object" in found.types or found.properties:
        return "object", tuple(found.properties)
    if not found.types and depth < 8:  # noqa: PLR2004  # a bound against schemas that contain themselves as a choice
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
    if not body and (not content_type or not documented.required):
        return None, [Fault("$", "the body is required", "required")] if documented.required else []
    media_range = match(content_type, documented.content) if content_type else None
    if media_range is None:
        raise HTTPError(
            415, f"the body may be {', '.join(documented.content)}, and came as {content_type or 'no media type'}"
        )
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise HTTPError(415, "the body must not have a content coding", headers={"Accept-Encoding": "identity"})
    media_type, codec = documented.content[media_range], codecs.find(content_type)
    try:
        value = codec.decode(body, media_type, content_type, limits)
    except DynclientError as error:
        raise HTTPError(400, f"the body is not {content_type}: {error.message}") from error
    if codec.name == "binary":
        return value, []
    return value, body_faults(
        media_type, value, "request", limits, "auto", files=codec.files, content_type=content_type
    )
