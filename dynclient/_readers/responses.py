"""The Responses Object, and the Response Object of OpenAPI 3.

Rule 1: a status is written as the model has it: ``200``, ``2XX``, ``default``. Documents also say ``2xx``, ``Default``.
Rule 2: a key that is no status matches nothing, and is left out. Of two that come to the same, the first counts.
Rule 3: links only tell people and programs something. A broken one is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress

from dynclient._readers import content
from dynclient._readers.nodes import Node
from dynclient.exceptions import DocumentError
from dynclient.model import Link, Response

# OAS 3.1.1, Responses Object: a status code, or a range of them with an upper case X.


def responses(operation: Node, read: Callable[[str, Node], Response]) -> dict[str, Response]:
    """The responses of an operation by their status; none where it documents none."""
    found: dict[str, Response] = {}
    for key, node in operation.entries("responses"):
        status = status_of(key)
        if status is not None and status not in found:
            found[status] = read(status, node.followed("a Response Object"))
    return found


def status_of(key: str) -> str | None:
    """A key of a Responses Object as the model has it; None where it is no status."""
    text = key.strip().upper()
    if text == "DEFAULT":
        return "default"
    first, rest = text[:1], text[1:]
    is_rest = rest == "XX" or (len(rest) == 2 and rest.isascii() and rest.isdecimal())  # noqa: PLR2004  # three digits
    return text if first in set("12345") and is_rest else None


def response(status: str, node: Node) -> Response:
    """Read a Response Object of OpenAPI 3."""
    return Response(
        status=status,
        description=node.note("description"),
        headers=content.headers(node),
        content=content.content(node),
        links=tuple(_links(node)),
        summary=node.note("summary"),
        pointer=node.pointer,
    )


def _links(node: Node) -> Iterator[Link]:
    try:
        named = list(node.entries("links"))
    except DocumentError:
        return
    for name, value in named:
        with suppress(DocumentError):
            yield _link(name, value.followed("a Link Object"))


def _link(name: str, node: Node) -> Link:
    parameters = node.value.get("parameters")
    return Link(
        name=name,
        operation_id=node.note("operationId") or None,
        operation_ref=node.note("operationRef") or None,
        parameters=parameters if isinstance(parameters, Mapping) else {},
        request_body=node.value.get("requestBody"),
        description=node.note("description"),
    )
