"""Parameters and headers of OpenAPI 2.0, which carry their schema's words themselves.

Rule 1: the schema is the Parameter Object, Header Object or Items Object with nothing but the words of schemas left.
Rule 2: ``collectionFormat`` is told as a style; it counts for arrays only. The format of an array within an array is
not kept: no style of OpenAPI 3 has it.
"""

from __future__ import annotations

from typing import Any, get_args

from dynclient._readers.nodes import Node
from dynclient.model import Example, Header, Location, Parameter, Schema

# OpenAPI 2.0, Parameter Object, fields of a parameter that is not `in: body`; `title` and `example` are met there too.
_SCHEMA_WORDS = frozenset({
    "default",
    "description",
    "enum",
    "example",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "items",
    "maxItems",
    "maxLength",
    "maximum",
    "minItems",
    "minLength",
    "minimum",
    "multipleOf",
    "pattern",
    "title",
    "type",
    "uniqueItems",
})  # fmt: skip

# OpenAPI 2.0, Parameter Object, `collectionFormat`: style and explode.
COLLECTION_FORMATS = {
    "csv": ("form", False),
    "ssv": ("spaceDelimited", False),
    "tsv": ("tabDelimited", False),
    "pipes": ("pipeDelimited", False),
    "multi": ("form", True),
}
_LOCATIONS = ("path", "query", "header")


def item_schema(node: Node) -> Schema:
    """The schema of a parameter or a header, over the node that it stands in; the description is not the schema's."""
    words = {key: value for key, value in schema_words(node).items() if key != "description"}
    return Schema(node.uri, words, node.dialect, node.source.references)


def schema_words(node: Node) -> dict[str, Any]:
    """The words of a parameter that belong to its schema: for a form field, whose description has no other place."""
    return {key: value for key, value in node.value.items() if key in _SCHEMA_WORDS or key.startswith("x-")}


def is_array(node: Node) -> bool:
    """Whether a parameter holds an array, and so has a collection format."""
    return bool(node.value.get("type") == "array")


def collection(node: Node) -> tuple[str, bool]:
    """Style and explode of an array in a query or a form.

    Raises:
        InvalidDocument: the collection format is not known.
    """
    told = node.text("collectionFormat", "csv")
    if told not in COLLECTION_FORMATS:
        message = f"`collectionFormat` must be one of {', '.join(COLLECTION_FORMATS)}, not {told!r}"
        told = node.refuse(node.fault(message), "csv")
    return COLLECTION_FORMATS[told]


def parameter(node: Node) -> Parameter:
    """Read a Parameter Object of OpenAPI 2.0 that is in the path, the query or a header."""
    in_ = _location(node)
    style, explode = _style(node, in_)
    return Parameter(
        name=node.text("name"),
        in_=in_,
        required=node.flag("required"),
        schema=item_schema(node),
        style=style,
        explode=explode,
        allow_empty=in_ == "query" and node.flag("allowEmptyValue"),
        description=node.note("description"),
        deprecated=node.flag("x-deprecated"),
        examples=examples(node),
        pointer=node.pointer,
        extensions=node.extensions(),
    )


def _location(node: Node) -> Location:
    in_ = node.text("in")
    for known in get_args(Location):
        if in_ == known and in_ in _LOCATIONS:
            return known  # type: ignore[no-any-return]  # get_args has no type of its own
    message = f"`in` must be one of {', '.join((*_LOCATIONS, 'body', 'formData'))}, not {in_!r}"
    return node.refuse(node.fault(message), "query")


def _style(node: Node, in_: Location) -> tuple[str, bool]:
    if in_ == "query":
        # A single value, too, is sent as `name=value`: what OpenAPI 3 has as its default.
        return collection(node) if is_array(node) else ("form", True)
    style, _ = collection(node) if is_array(node) else ("simple", False)
    return ("simple" if style == "form" else style), False


def examples(node: Node) -> tuple[Example, ...]:
    """What stands under ``x-example``."""
    return (Example("", node.value["x-example"]),) if "x-example" in node.value else ()


def headers(node: Node) -> dict[str, Header]:
    """The headers of a response."""
    return {
        name: Header(
            name=name,
            schema=item_schema(value.object("a Header Object")),
            description=value.note("description"),
            examples=examples(value),
            pointer=value.pointer,
        )
        for name, value in node.entries("headers")
        if name.lower() != "content-type"
    }
