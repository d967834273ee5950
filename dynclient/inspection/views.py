"""Frozen views of an API for emitters: pages, type hints, and ``describe()``.

Rule 1: a view contains texts, numbers and types (:class:`Hint`). Texts are unescaped: the emitter escapes them for its
format.
Rule 2: examples of secret schemas are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from dynclient._identifiers import class_name, distinct, identifier
from dynclient._records import Record
from dynclient._schemas import MISSING, Discriminator, Shape, bundle, shape
from dynclient.http_grammar import IDEMPOTENCY_KEYS, IDEMPOTENT
from dynclient.inspection.arguments import Argument, arguments, is_secret, preferred, secret
from dynclient.inspection.docstrings import constraints, error_name, links
from dynclient.inspection.hints import ANY, Direction, Hint, definition, has_fields, hint_tree, tagged, text, union
from dynclient.inspection.signatures import argument_hint, body_hint, data_hint, response_hint, successes
from dynclient.model import Header, Link, MediaType, Operation, Response, Schema, Server

Repeating = Literal["method", "key", "document", ""]


class ArgumentView(Argument):
    """An argument of a method, with its type and its constraints in words."""

    __slots__ = ()

    @property
    def hint(self) -> Hint:
        """The type of its values."""
        return argument_hint(self)

    @property
    def constraints(self) -> tuple[str, ...]:
        """Phrases such as ``at most 10 characters``."""
        return constraints(self.schema)


class MediaTypeView(Record):
    """A media type and the type of its values. ``examples`` are pairs of a name and a value from the document."""

    media_range: str
    hint: Hint
    examples: tuple[tuple[str, Any], ...] = ()


class HeaderView(Record):
    """A header of a response."""

    name: str
    hint: Hint
    required: bool
    description: str
    constraints: tuple[str, ...]


class ResponseView(Record):
    """A documented response. ``error`` is the error class that it raises, empty if a call returns its data."""

    status: str
    description: str
    content: tuple[MediaTypeView, ...]
    headers: tuple[HeaderView, ...]
    error: str
    links: tuple[Link, ...] = ()


class OperationView(Record):
    """An operation from a Python caller's point of view.

    ``name`` is its flat name, ``names`` are pairs of a namespace and the name there. ``security`` is a choice of
    requirements, each of pairs of scheme and scopes. ``results`` are pairs of a status whose data a call returns and
    its type. ``repeated`` is the reason why a call may be repeated: its method, its idempotency key, or the document
    says so; empty if it may not.
    """

    name: str
    names: tuple[tuple[str, str], ...]
    id: str
    key: str
    method: str
    path: str
    summary: str
    description: str
    tags: tuple[str, ...]
    deprecated: bool
    arguments: tuple[ArgumentView, ...]
    body: tuple[MediaTypeView, ...]
    responses: tuple[ResponseView, ...]
    returns: Hint
    security: tuple[tuple[tuple[str, tuple[str, ...]], ...], ...]
    servers: tuple[Server, ...]
    external_docs: str = ""
    results: tuple[tuple[str, Hint], ...] = ()
    repeated: Repeating = ""

    @property
    def content_types(self) -> tuple[str, ...]:
        """The media types of the body."""
        return tuple(media_type.media_range for media_type in self.body)

    @property
    def accepts(self) -> tuple[str, ...]:
        """The media types of all responses, without repetition."""
        found = (media_type.media_range for response in self.responses for media_type in response.content)
        return tuple(dict.fromkeys(found))

    def hints(self) -> Iterator[tuple[Hint, Direction]]:
        """All types of the operation, each with its direction."""
        for argument in self.arguments:
            yield argument.hint, "request"
        for media_type in self.body:
            yield media_type.hint, "request"
        for response in self.responses:
            yield from ((media_type.hint, "response") for media_type in response.content)
            yield from ((header.hint, "response") for header in response.headers)


def operation_view(
    operation: Operation, shared: dict[tuple[int, bool], tuple[Response, ResponseView]] | None = None
) -> OperationView:
    """View an operation. ``shared`` keeps the views of responses, for other operations that refer to them.

    Raises:
        DocumentError: a schema that the operation needs is broken.
    """
    row = operation.row
    answers = successes(operation)
    results = tuple((response.status, response_hint(response)) for response in answers)
    return OperationView(
        name=row.name,
        names=row.names_by_tag,
        id=operation.id,
        key=row.key,
        method=operation.method,
        path=operation.path,
        summary=row.summary,
        description=operation.description,
        tags=row.tags,
        deprecated=row.deprecated,
        arguments=tuple(ArgumentView(*argument) for argument in arguments(operation)),
        body=tuple(_request(media_type) for media_type in operation.body.content.values()) if operation.body else (),
        responses=tuple(
            _response(response, {} if shared is None else shared, raises=response not in answers)
            for response in operation.responses.values()
        ),
        returns=union(hint for _, hint in results) if results else ANY,
        security=tuple(tuple(choice.items()) for choice in operation.security),
        servers=operation.servers,
        external_docs=operation.external_docs,
        results=results,
        repeated=_repeated(operation),
    )


def _repeated(operation: Operation) -> Repeating:
    if operation.method in IDEMPOTENT:
        return "method"
    named = any(found.in_ == "header" and found.name.lower() in IDEMPOTENCY_KEYS for found in operation.parameters)
    if named or operation.extensions.get("x-idempotency"):
        return "key"
    return "document" if operation.extensions.get("x-idempotent") is True else ""


def _request(media_type: MediaType) -> MediaTypeView:
    schema = media_type.schema or media_type.item_schema
    return MediaTypeView(media_type.media_range, body_hint(media_type), () if secret(schema) else _examples(media_type))


def _response(
    response: Response, shared: dict[tuple[int, bool], tuple[Response, ResponseView]], *, raises: bool
) -> ResponseView:
    key = id(response), raises
    if key not in shared:
        shared[key] = response, _viewed(response, raises=raises)
    return shared[key][1]


def _viewed(response: Response, *, raises: bool) -> ResponseView:
    error = error_name(response.status) if raises and not response.status.startswith(("1", "2", "3")) else ""
    return ResponseView(
        status=response.status,
        description=response.description,
        content=tuple(
            MediaTypeView(found.media_range, data_hint(found), _examples(found)) for found in response.content.values()
        ),
        headers=tuple(_header(header) for header in response.headers.values()),
        error=error,
        links=response.links,
    )


def _header(header: Header) -> HeaderView:
    schema = header.schema or (header.media_type.schema if header.media_type is not None else None)
    return HeaderView(
        header.name, hint_tree(schema, "response"), header.required, header.description, constraints(schema)
    )


def _examples(media_type: MediaType) -> tuple[tuple[str, Any], ...]:
    return tuple((example.name, example.value) for example in media_type.examples if example.has_value)


class PropertyView(Record):
    """A property of an object. ``wire`` is its name in the document, ``keyword`` the Python name if that differs.

    ``hint`` is the type in responses, or in requests if the property is write-only.
    """

    wire: str
    hint: Hint
    required: bool
    read_only: bool
    write_only: bool
    deprecated: bool
    description: str
    constraints: tuple[str, ...]
    keyword: str = ""


class SchemaView(Record):
    """A named schema. ``hint`` is the type behind it, ``values`` are an enum's, ``branches`` those of a union."""

    name: str
    class_name: str
    uri: str
    kind: Literal["object", "enum", "union", "value"]
    title: str
    description: str
    deprecated: bool
    hint: Hint
    properties: tuple[PropertyView, ...]
    values: tuple[Any, ...]
    branches: tuple[Hint, ...]
    discriminator: Discriminator | None
    constraints: tuple[str, ...]
    examples: tuple[Any, ...]
    schema: Schema
    secret: bool = False


def schema_view(schema: Schema) -> SchemaView:
    """View a named schema.

    Raises:
        DocumentError: the schema is broken.
    """
    seen = shape(schema)
    name = seen.name or seen.title or "value"
    branches = seen.one_of or seen.any_of
    described = definition(schema, "response")
    wires = list(seen.properties)
    keywords = dict(zip(wires, distinct(map(identifier, wires), texts=wires), strict=True))
    return SchemaView(
        name=name,
        class_name=class_name(name),
        uri=seen.schema.uri,
        kind=_kind(seen),
        title=seen.title or "",
        description=seen.description or "",
        deprecated=seen.deprecated,
        hint=described,
        properties=tuple(_property_view(wire, child, seen, keywords[wire]) for wire, child in seen.properties.items()),
        values=tuple(seen.enum or ()),
        branches=tuple(tagged(hint_tree(branch, "response"), branch, seen.discriminator) for branch in branches)
        # Without branches, the named schemas that inherit this one by its discriminator.
        or tuple(member for member in described.members if member.kind == "named" and member.tags),
        discriminator=seen.discriminator,
        constraints=constraints(schema),
        examples=() if is_secret(seen) else seen.examples,
        schema=seen.schema,
        secret=is_secret(seen),
    )


def _kind(seen: Shape) -> Literal["object", "enum", "union", "value"]:
    if has_fields(seen):
        return "object"
    if seen.enum is not None:
        return "enum"
    return "union" if seen.one_of or seen.any_of else "value"


def _property_view(wire: str, schema: Schema, parent: Shape, keyword: str) -> PropertyView:
    seen = shape(schema)
    return PropertyView(
        wire=wire,
        hint=hint_tree(schema, "request" if seen.write_only else "response"),
        required=wire in parent.required,
        read_only=seen.read_only,
        write_only=seen.write_only,
        deprecated=seen.deprecated,
        description=seen.description or "",
        constraints=constraints(schema),
        keyword=keyword if keyword != wire else "",
    )


def described(method: Any) -> dict[str, Any]:
    """Describe the operation of a method as plain data for JSON, with the words of its page.

    Raises:
        DocumentError: a schema that the operation needs is broken.
    """
    operation: Operation = method.operation
    view, body = operation_view(operation), operation.body
    # An AttributeError is raised for a partly broken operation.
    pages, waiter = getattr(method, "pagination", None), getattr(method, "waiter", None)
    return {
        "name": method.__name__,
        "operationId": operation.row.operation_id,
        "method": view.method,
        "path": view.path,
        "summary": view.summary,
        "description": view.description,
        "tags": list(view.tags),
        "deprecated": view.deprecated,
        "arguments": list(map(_argument_data, view.arguments)),
        "body": {"required": body.required, "content": _content_data(view.body)} if body and view.body else None,
        "responses": {response.status: _response_data(response) for response in view.responses},
        "returns": text(view.returns),
        "security": [{scheme: list(scopes) for scheme, scopes in choice} for choice in view.security],
        "servers": [server.url for server in view.servers],
        "links": [
            {
                "name": link.name,
                "status": status,
                "operation": link.operation_id or link.operation_ref,
                "parameters": dict(link.parameters),
            }
            for status, link in links(operation)
        ],
        "callbacks": {name: each.expressions for name, each in getattr(method, "callbacks", {}).items()},
        "pagination": {**pages.rule(), "confidence": pages.confidence} if pages is not None else None,
        "waiter": str(waiter).splitlines()[0] if waiter is not None else None,
    }


def body_schema_of(operation: Operation) -> Any:
    """The JSON Schema of an operation's body with all referenced schemas; None without a schema.

    Raises:
        DocumentError: the schema is broken.
    """
    media_type = preferred(operation.body) if operation.body is not None else None
    schema = media_type.schema or media_type.item_schema if media_type is not None else None
    return bundle(schema, "request").schema if schema is not None else None


def _argument_data(argument: ArgumentView) -> dict[str, Any]:
    data: dict[str, Any] = {
        "name": argument.name,
        "kind": argument.kind,
        "in": argument.in_,
        "wireName": argument.wire,
        "type": text(argument.hint),
        "required": argument.required,
        "description": argument.description,
        "constraints": list(argument.constraints),
        "deprecated": argument.deprecated,
    }
    if argument.default is not MISSING and not secret(argument.schema):
        data["default"] = argument.default
    values = shape(argument.schema).enum if argument.schema is not None else None
    if values:
        data["enum"] = list(values)
    return data


def _content_data(content: tuple[MediaTypeView, ...]) -> dict[str, Any]:
    return {found.media_range: {"type": text(found.hint), "examples": dict(found.examples)} for found in content}


def _response_data(view: ResponseView) -> dict[str, Any]:
    return {
        "description": view.description,
        "raises": view.error or None,
        "content": _content_data(view.content),
        "headers": {header.name: text(header.hint) for header in view.headers},
    }
