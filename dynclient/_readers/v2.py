"""OpenAPI 2.0 (Swagger): what stands in an operation, told in the words of OpenAPI 3."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dynclient._readers.api import Version
from dynclient._readers.forms import body
from dynclient._readers.hosts import servers, strings
from dynclient._readers.items import headers, parameter
from dynclient._readers.nodes import Node
from dynclient._readers.parameters import declared, sendable
from dynclient._readers.responses import responses
from dynclient._readers.security import address, one_of, scopes
from dynclient._readers.sequences import with_items
from dynclient.media_types import FORM, JSON
from dynclient.model import Example, MediaType, OAuthFlow, Operation, Response, Schema, SecurityScheme

_BODIES = frozenset({"body", "formData"})
_STRUCTURED = ("json", "xml", "yaml", FORM)

# OpenAPI 2.0, Security Scheme Object, `flow`, in the words of OpenAPI 3.
_FLOWS = {
    "accessCode": "authorizationCode",
    "application": "clientCredentials",
    "implicit": "implicit",
    "password": "password",
}


def operation(bare: Operation, node: Node, items: Sequence[Node], root: Node) -> Operation:
    """Read an Operation Object."""
    parameters = declared(node, items)
    produces = _media_types(node, root, "produces")
    return bare._replace(
        parameters=sendable(
            bare.path, node, [parameter(one) for one in parameters if one.value.get("in") not in _BODIES]
        ),
        body=body(node, parameters, _media_types(node, root, "consumes")),
        responses=responses(node, lambda status, found: _response(status, found, produces)),
        servers=servers(root, node),
    )


def _media_types(operation: Node, root: Node, key: str) -> list[str]:
    """What an operation consumes or produces; its own word replaces the document's, even where it is empty."""
    return strings(operation if key in operation.value else root, key)


def _response(status: str, node: Node, produces: Sequence[str]) -> Response:
    return Response(
        status=status,
        description=node.note("description"),
        headers=headers(node),
        content=_content(node, produces),
        pointer=node.pointer,
    )


def _content(node: Node, produces: Sequence[str]) -> dict[str, MediaType]:
    """The media types of a response: none without a schema (OpenAPI 2.0, Response Object)."""
    schema = node.schema_at("schema")
    if schema is None:
        return {}
    told = node.value.get("examples")
    examples = told if isinstance(told, Mapping) else {}
    return {
        media_range: with_items(
            MediaType(
                media_range,
                schema,
                examples=(Example("", examples[media_range]),) if media_range in examples else (),
                pointer=node.pointer,
            )
        )
        for media_range in _ranges(schema, produces)
    }


def _ranges(schema: Schema, produces: Sequence[str]) -> list[str]:
    """The media types that a schema can be sent as.

    ``produces`` is said for all responses at once, so it fits some of them badly: an operation that produces images
    describes its errors by objects. An object that nothing there can carry is taken to be JSON, a file that only JSON
    or XML could be is taken to be of any type.
    """
    words = schema.value if isinstance(schema.value, Mapping) else {}
    if words.get("type") == "file":
        return [one for one in produces if not _is_structured(one)] or ["*/*"]
    if words.get("type") == "string":
        return list(produces) or [JSON]
    return list(produces) if any(map(_is_structured, produces)) else [*produces, JSON]


def _is_structured(media_range: str) -> bool:
    return any(word in media_range.lower() for word in _STRUCTURED) or "*" in media_range


def _scheme(name: str, node: Node) -> SecurityScheme:
    """Read a Security Scheme Object of OpenAPI 2.0."""
    type_ = one_of(node, "type", ("basic", "apiKey", "oauth2"))
    return SecurityScheme(
        name=name,
        type="http" if type_ == "basic" else type_,
        in_=one_of(node, "in", ("query", "header")) if type_ == "apiKey" else "",
        parameter=node.text("name") if type_ == "apiKey" else "",
        scheme=type_ if type_ == "basic" else "",
        flows=(_flow(node),) if type_ == "oauth2" else (),
        description=node.note("description"),
        pointer=node.pointer,
    )


def _flow(node: Node) -> OAuthFlow:
    return OAuthFlow(
        type=_FLOWS[one_of(node, "flow", tuple(_FLOWS))],
        authorization_url=address(node, "authorizationUrl"),
        token_url=address(node, "tokenUrl"),
        scopes=scopes(node),
    )


def _component(_: str, node: Node) -> object:
    node = node.followed("a Parameter Object")
    return node.schema_at("schema") if node.value.get("in") in _BODIES else parameter(node)


VERSION = Version(
    operation,
    _scheme,
    servers,
    "/securityDefinitions",
    {
        "/parameters": _component,
        "/responses": lambda _, node: _response("default", node.followed("a Response Object"), ()),
    },
)
