"""Plain, frozen views of an API for whoever writes about it: pages, type hints, tables.

Rule 1: a view holds texts, numbers and types (:class:`Hint`); the document's texts are as they came, so whoever writes
them escapes them for where they go.
Rule 2: a view shows no value of a schema that is secret.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from dynclient._records import Record
from dynclient.http_grammar import IDEMPOTENCY_KEYS, IDEMPOTENT
from dynclient.inspection.arguments import Argument, arguments, positional, secret
from dynclient.inspection.bounds import constraints
from dynclient.inspection.docstrings import error_name
from dynclient.inspection.hints import Direction, Hint, hint_tree
from dynclient.inspection.signatures import (
    argument_hint,
    body_hint,
    data_hint,
    omittable,
    response_hint,
    returns,
    successes,
)
from dynclient.model import API, Header, Link, MediaType, Operation, Response, SecurityScheme, Server, Tag

Repeating = Literal["method", "key", "document", ""]


class ArgumentView(Record):
    """An argument of a method. ``omittable``: a call may leave it out; ``positional``: it may go by position."""

    name: str
    kind: str
    in_: str
    wire: str
    hint: Hint
    description: str
    constraints: tuple[str, ...]
    required: bool
    omittable: bool
    positional: bool
    deprecated: bool
    style: str = ""
    explode: bool = False


class MediaTypeView(Record):
    """A media type and the type of the values in it. ``examples`` pairs the document's with their names."""

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
    """A documented response. ``error`` is the class of error that it raises; empty where a call returns its data."""

    status: str
    description: str
    content: tuple[MediaTypeView, ...]
    headers: tuple[HeaderView, ...]
    error: str
    links: tuple[Link, ...] = ()


class OperationView(Record):
    """An operation as a Python caller meets it.

    ``name`` is its flat name, ``names`` pairs each namespace with the name there. ``security`` is a choice of
    requirements, each of pairs of scheme and scopes. ``results`` pairs each status whose data a call returns with its
    type. ``repeated`` tells why a call may be repeated: by its method, by a key that it carries, or since the document
    says so; empty where it may not.
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
    body_required: bool
    responses: tuple[ResponseView, ...]
    returns: Hint
    security: tuple[tuple[tuple[str, tuple[str, ...]], ...], ...]
    servers: tuple[Server, ...]
    external_docs: str = ""
    callbacks: tuple[str, ...] = ()
    results: tuple[tuple[str, Hint], ...] = ()
    repeated: Repeating = ""

    @property
    def content_types(self) -> tuple[str, ...]:
        """The media types of the body."""
        return tuple(media_type.media_range for media_type in self.body)

    @property
    def accepts(self) -> tuple[str, ...]:
        """The media types of all responses, each once."""
        found = (media_type.media_range for response in self.responses for media_type in response.content)
        return tuple(dict.fromkeys(found))

    def hints(self) -> Iterator[tuple[Hint, Direction]]:
        """Every type that the operation names, with its direction."""
        for argument in self.arguments:
            yield argument.hint, "request"
        for media_type in self.body:
            yield media_type.hint, "request"
        for response in self.responses:
            yield from ((media_type.hint, "response") for media_type in response.content)
            yield from ((header.hint, "response") for header in response.headers)


class APIView(Record):
    """A whole document: what its pages have in common."""

    title: str
    version: str
    summary: str
    description: str
    document_name: str
    fingerprint: str
    servers: tuple[Server, ...]
    tags: tuple[Tag, ...]
    schemes: tuple[SecurityScheme, ...]


def api_view(api: API) -> APIView:
    """View a document without its operations."""
    return APIView(
        title=api.title,
        version=api.version,
        summary=api.summary,
        description=api.description,
        document_name=api.document_name,
        fingerprint=api.fingerprint,
        servers=api.servers,
        tags=api.tags,
        schemes=tuple(api.security_schemes.values()),
    )


def operation_view(operation: Operation) -> OperationView:
    """View an operation.

    Raises:
        DocumentError: a schema that the operation needs is broken.
    """
    row = operation.row
    found = arguments(operation)
    answers = successes(operation)
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
        arguments=tuple(_argument(argument, found) for argument in found),
        body=tuple(_request(media_type) for media_type in operation.body.content.values()) if operation.body else (),
        body_required=operation.body is not None and operation.body.required,
        responses=tuple(
            _response(response, raises=response not in answers) for response in operation.responses.values()
        ),
        returns=returns(operation),
        security=tuple(tuple(choice.items()) for choice in operation.security),
        servers=operation.servers,
        external_docs=operation.external_docs,
        callbacks=operation.callbacks,
        results=tuple((response.status, response_hint(response)) for response in answers),
        repeated=_repeated(operation),
    )


def _repeated(operation: Operation) -> Repeating:
    if operation.method in IDEMPOTENT:
        return "method"
    named = any(found.in_ == "header" and found.name.lower() in IDEMPOTENCY_KEYS for found in operation.parameters)
    if named or operation.extensions.get("x-idempotency"):
        return "key"
    return "document" if operation.extensions.get("x-idempotent") is True else ""


def _argument(argument: Argument, found: tuple[Argument, ...]) -> ArgumentView:
    parameter = argument.parameter
    return ArgumentView(
        name=argument.name,
        kind=argument.kind,
        in_=argument.in_,
        wire=argument.wire,
        hint=argument_hint(argument),
        description=argument.description,
        constraints=constraints(argument.schema),
        required=argument.required,
        omittable=omittable(argument, found),
        positional=positional(argument),
        deprecated=argument.deprecated,
        style=parameter.style if parameter is not None else "",
        explode=parameter.explode if parameter is not None else False,
    )


def _request(media_type: MediaType) -> MediaTypeView:
    schema = media_type.schema or media_type.item_schema
    return MediaTypeView(media_type.media_range, body_hint(media_type), () if secret(schema) else _examples(media_type))


def _response(response: Response, *, raises: bool) -> ResponseView:
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
