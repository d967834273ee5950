"""The Request Body Object of OpenAPI 3."""

from __future__ import annotations

from collections.abc import Mapping

from dynclient._readers import content
from dynclient._readers.nodes import Node
from dynclient.media_types import FORM, MULTIPART_FORM, essence
from dynclient.model import MediaType, RequestBody, Schema

# RFC 9110, 9.3.1, 9.3.2, 9.3.5: content in a request of these has no meaning of its own.
_BODILESS = frozenset({"GET", "HEAD", "DELETE"})


def body(method: str, operation: Node) -> RequestBody | None:
    """Read an operation's ``requestBody``.

    It is None where no media type is documented, and where a GET, HEAD or DELETE has nothing but an empty form, as
    some generators write for each of their operations.
    """
    node = operation.at("requestBody")
    if node is None:
        return None
    read = request_body(node)
    empty = method in _BODILESS and not read.required and all(map(_is_empty_form, read.content.values()))
    return None if empty or not read.content else read


def request_body(node: Node) -> RequestBody:
    """Read a Request Body Object, or what a reference to one leads to."""
    node = node.followed("a Request Body Object")
    return RequestBody(
        content=content.content(node),
        required=node.flag("required"),
        description=node.note("description"),
        pointer=node.pointer,
    )


def _is_empty_form(media_type: MediaType) -> bool:
    return essence(media_type.media_range) in {FORM, MULTIPART_FORM} and (
        media_type.schema is None or _is_empty_object(media_type.schema)
    )


def _is_empty_object(schema: Schema) -> bool:
    """Whether a schema says no more than "an object", without any member."""
    words = schema.value if isinstance(schema.value, Mapping) else {"": schema.value}
    telling = {key for key, value in words.items() if value not in ({}, [], False)}
    return telling <= {"type", "title", "description"} and words.get("type", "object") == "object"
