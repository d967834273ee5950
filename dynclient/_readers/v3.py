"""OpenAPI 3.0, 3.1 and 3.2: what stands in an operation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dynclient._readers.api import Version
from dynclient._readers.bodies import body, request_body
from dynclient._readers.content import header
from dynclient._readers.nodes import Node
from dynclient._readers.parameters import declared, parameter, sendable
from dynclient._readers.responses import response, responses
from dynclient._readers.security import scheme
from dynclient._readers.servers import servers
from dynclient.model import Operation


def operation(bare: Operation, node: Node, items: Sequence[Node], root: Node) -> Operation:
    """Read an Operation Object."""
    callbacks = node.value.get("callbacks")
    return bare._replace(
        parameters=sendable(bare.path, node, map(parameter, declared(node, items))),
        body=body(bare.method, node),
        responses=responses(node, response),
        servers=servers(root, (node, *items)),
        callbacks=tuple(callbacks) if isinstance(callbacks, Mapping) else (),
    )


VERSION = Version(
    operation,
    scheme,
    servers,
    "/components/securitySchemes",
    {
        "/components/parameters": lambda _, node: parameter(node.followed("a Parameter Object")),
        "/components/headers": lambda name, node: header(name, node.followed("a Header Object")),
        "/components/requestBodies": lambda _, node: request_body(node),
        "/components/responses": lambda _, node: response("default", node.followed("a Response Object")),
    },
)
