"""An operation as plain data, for programs and for ``describe()``: what its page says, under the same words."""

from __future__ import annotations

from typing import Any

from dynclient._schemas import MISSING, bundle, shape
from dynclient.inspection.arguments import Argument, arguments, preferred, secret
from dynclient.inspection.typing_objects import text
from dynclient.inspection.views import ArgumentView, MediaTypeView, OperationView, ResponseView, operation_view
from dynclient.model import Operation


def described(operation: Operation, name: str) -> dict[str, Any]:
    """Everything that is to be known of an operation, in dicts, lists and texts that JSON can hold.

    Raises:
        DocumentError: a schema that the operation needs is broken.
    """
    view = operation_view(operation)
    return {
        "name": name,
        "operationId": operation.row.operation_id,
        "method": view.method,
        "path": view.path,
        "summary": view.summary,
        "description": view.description,
        "tags": list(view.tags),
        "deprecated": view.deprecated,
        "arguments": [
            _argument(seen, argument) for seen, argument in zip(view.arguments, arguments(operation), strict=True)
        ],
        "body": _body(view),
        "responses": {response.status: _response(response) for response in view.responses},
        "returns": text(view.returns),
        "security": [{scheme: list(scopes) for scheme, scopes in choice} for choice in view.security],
        "servers": [server.url for server in view.servers],
    }


def body_schema_of(operation: Operation) -> Any:
    """The JSON Schema of an operation's body, complete in itself; None where it has none.

    Raises:
        DocumentError: the schema is broken.
    """
    media_type = preferred(operation.body) if operation.body is not None else None
    schema = (media_type.schema or media_type.item_schema) if media_type is not None else None
    return bundle(schema, "request").schema if schema is not None else None


def _argument(view: ArgumentView, argument: Argument) -> dict[str, Any]:
    told: dict[str, Any] = {
        "name": view.name,
        "kind": view.kind,
        "in": view.in_,
        "wireName": view.wire,
        "type": text(view.hint),
        "required": view.required,
        "description": view.description,
        "constraints": list(view.constraints),
        "deprecated": view.deprecated,
    }
    if argument.default is not MISSING and not secret(argument.schema):
        told["default"] = argument.default
    values = shape(argument.schema).enum if argument.schema is not None else None
    if values:
        told["enum"] = list(values)
    return told


def _body(view: OperationView) -> dict[str, Any] | None:
    if not view.body:
        return None
    return {"required": view.body_required, "content": _content(view.body)}


def _content(content: tuple[MediaTypeView, ...]) -> dict[str, Any]:
    return {found.media_range: {"type": text(found.hint), "examples": dict(found.examples)} for found in content}


def _response(view: ResponseView) -> dict[str, Any]:
    return {
        "description": view.description,
        "raises": view.error or None,
        "content": _content(view.content),
        "headers": {header.name: text(header.hint) for header in view.headers},
    }
