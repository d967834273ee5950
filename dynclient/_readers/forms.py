"""The body of an operation of OpenAPI 2.0: a parameter ``in: body``, or the form that those ``in: formData`` make.

Rule 1: what an operation consumes are its media types. Where nothing says so, a body is JSON; a form is multipart where
it holds a file, else URL-encoded.
Rule 2: a form is told as OpenAPI 3 has it: one object schema, made here, whose properties are the fields.
"""

from __future__ import annotations

from collections.abc import Sequence

from dynclient._readers.items import collection, examples, is_array, schema_words
from dynclient._readers.nodes import Node
from dynclient.media_types import FORM, JSON, MULTIPART_FORM, essence
from dynclient.model import Encoding, MediaType, RequestBody


def body(operation: Node, parameters: Sequence[Node], consumes: Sequence[str]) -> RequestBody | None:
    """The body of an operation, of whose parameters only those that make one are looked at."""
    bodies = [node for node in parameters if node.value.get("in") == "body"]
    fields = [node for node in parameters if node.value.get("in") == "formData"]
    if bodies and fields:
        # OpenAPI 2.0, Parameter Object: body and form parameters cannot exist together for the same operation.
        fields[0].refuse(fields[0].fault("a form field cannot stand beside a body"), None)
    if bodies:
        return _body(bodies[0], consumes)
    return _form(operation, fields, consumes) if fields else None


def _body(node: Node, consumes: Sequence[str]) -> RequestBody:
    schema = node.schema_at("schema")
    return RequestBody(
        content={
            media_range: MediaType(media_range, schema, examples=examples(node), pointer=node.pointer)
            for media_range in consumes or (JSON,)
        },
        required=node.flag("required"),
        description=node.note("description"),
        name=node.text("name"),
        pointer=node.pointer,
    )


def _form(operation: Node, fields: Sequence[Node], consumes: Sequence[str]) -> RequestBody:
    required = [node.text("name") for node in fields if node.flag("required")]
    schema = operation.synthesized(
        "x-form",
        {
            "type": "object",
            "properties": {node.text("name"): schema_words(node) for node in fields},
            **({"required": required} if required else {}),
        },
    )
    encoding = {node.text("name"): _encoding(node) for node in fields if is_array(node)}
    return RequestBody(
        content={
            media_range: MediaType(media_range, schema, encoding=encoding, pointer=operation.pointer)
            for media_range in _forms(fields, consumes)
        },
        required=bool(required),
        pointer=operation.pointer,
    )


def _encoding(node: Node) -> Encoding:
    style, explode = collection(node)
    return Encoding(style=style, explode=explode)


def _forms(fields: Sequence[Node], consumes: Sequence[str]) -> list[str]:
    """The media types of a form, of what the operation consumes: no other can hold one."""
    has_file = any(node.value.get("type") == "file" for node in fields)
    possible = (MULTIPART_FORM,) if has_file else (FORM, MULTIPART_FORM)
    told = [media_range for media_range in consumes if essence(media_range) in possible]
    return told or [possible[0]]
