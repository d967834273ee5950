"""Read OpenAPI 2.0 (Swagger) as the model of OpenAPI 3.

Rule 1: parameters and headers carry their schema's keywords themselves: the schema is that object, reduced to the
keywords of schemas. ``collectionFormat`` becomes a style. It counts for arrays only; that of an array within an array
is dropped, since no style of OpenAPI 3 can express it.
Rule 2: the media types of a body are those that the operation consumes. Without any, a body is JSON; a form is
multipart if it has a file, else URL-encoded. A form becomes one object schema, made here, whose properties are the
fields.
Rule 3: ``host``, ``basePath`` and ``schemes`` become servers. Missing parts are taken from the document's own URL. If
there are several schemes, https comes first. The default is https, and http for this machine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from dynclient._deferred import expression
from dynclient._readers.nodes import Node
from dynclient._readers.paths import (
    Version,
    declared,
    location_of,
    no_server,
    responses,
    sendable,
    usable,
    usable_headers,
    with_items,
)
from dynclient._readers.security import address, one_of, scopes
from dynclient.exceptions import DocumentError
from dynclient.media_types import FORM, JSON, MULTIPART_FORM, essence, find, is_concrete
from dynclient.model import (
    Encoding,
    Example,
    Header,
    Location,
    MediaType,
    OAuthFlow,
    Operation,
    Parameter,
    RequestBody,
    Response,
    Schema,
    SecurityScheme,
    Server,
)

_BODIES = ("body", "formData")

# OpenAPI 2.0, Security Scheme Object, `flow`, in the words of OpenAPI 3.
_FLOWS = {
    "accessCode": "authorizationCode",
    "application": "clientCredentials",
    "implicit": "implicit",
    "password": "password",
}
# OpenAPI 2.0, Parameter Object, fields of a parameter that is not `in: body`; `title` and `example` occur there too.
_SCHEMA_WORDS = frozenset(
    {
        "default", "description", "enum", "example", "exclusiveMaximum", "exclusiveMinimum", "format", "items",
        "maxItems", "maxLength", "maximum", "minItems", "minLength", "minimum", "multipleOf", "pattern", "title",
        "type", "uniqueItems",
    }
)  # fmt: skip

# OpenAPI 2.0, Parameter Object, `collectionFormat`: style and explode.
COLLECTION_FORMATS = {
    "csv": ("form", False),
    "ssv": ("spaceDelimited", False),
    "tsv": ("tabDelimited", False),
    "pipes": ("pipeDelimited", False),
    "multi": ("form", True),
}
_LOCATIONS: tuple[Location, ...] = ("path", "query", "header")
_HOST = expression(r"[^\s/?#@\\]+")
_LOOPBACK = expression(r"(?i)(localhost|127(\.\d+){3}|\[::1\])(:\d+)?")
_HTTP = ("https", "http")


def operation(bare: Operation, node: Node, items: Sequence[Node], root: Node) -> Operation:
    """Read an Operation Object."""
    left_out: list[DocumentError] = []
    parameters = declared(node, items, left_out)
    produces = _media_types(node, root, "produces")
    sent = usable((one for one in parameters if one.value.get("in") not in _BODIES), parameter, left_out)
    return bare._replace(
        parameters=sendable(bare.path, node, sent),
        body=body(node, parameters, _media_types(node, root, "consumes")),
        responses=responses(node, lambda status, found: _response(status, found, produces)),
        servers=node.attempt(lambda: servers(root, node), no_server),
        left_out=tuple(left_out),
    )


def _media_types(operation: Node, root: Node, key: str) -> list[str]:
    """Return the media types of requests or responses: an operation's list replaces the document's, even if empty."""
    return strings(operation if key in operation.value else root, key)


def item_schema(node: Node) -> Schema:
    """Return the schema of a parameter or a header; the description is not the schema's."""
    words = {key: value for key, value in schema_words(node).items() if key != "description"}
    return Schema(node.uri, words, node.dialect, node.source.references)


def schema_words(node: Node) -> dict[str, Any]:
    """Return the keywords of a parameter that belong to its schema; for a form field also the description."""
    return {key: value for key, value in node.value.items() if key in _SCHEMA_WORDS or key.startswith("x-")}


def collection(node: Node) -> tuple[str, bool]:
    """Return style and explode of a query or form parameter; only arrays have a collection format.

    Raises:
        InvalidDocument: the collection format is unknown.
    """
    if node.value.get("type") != "array":
        # A single value, too, is sent as `name=value`: the default of OpenAPI 3.
        return "form", True
    name = node.text("collectionFormat", "csv")
    if name not in COLLECTION_FORMATS:
        message = f"`collectionFormat` must be one of {', '.join(COLLECTION_FORMATS)}, not {name!r}"
        name = node.refuse(node.fault(message), "csv")
    return COLLECTION_FORMATS[name]


def parameter(node: Node) -> Parameter:
    """Read a Parameter Object of OpenAPI 2.0 that is in the path, the query or a header."""
    in_ = location_of(node, _LOCATIONS, ("body", "formData"))
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


def _style(node: Node, in_: Location) -> tuple[str, bool]:
    style, explode = collection(node)
    if in_ == "query":
        return style, explode
    return ("simple" if style == "form" else style), False


def examples(node: Node) -> tuple[Example, ...]:
    """Return the value of ``x-example``."""
    return (Example("", node.value["x-example"]),) if "x-example" in node.value else ()


def headers(node: Node) -> dict[str, Header]:
    """Read the headers of a response."""
    return usable_headers(node, lambda name, value: _header(name, value.object("a Header Object")))


def _header(name: str, node: Node) -> Header:
    schema, description = item_schema(node), node.note("description")
    return Header(name, schema=schema, description=description, examples=examples(node), pointer=node.pointer)


def body(operation: Node, parameters: Sequence[Node], consumes: Sequence[str]) -> RequestBody | None:
    """Make the body of an operation from its body parameter or its form parameters."""
    bodies = [node for node in parameters if node.value.get("in") == "body"]
    fields = [node for node in parameters if node.value.get("in") == "formData"]
    if bodies and fields:
        # OpenAPI 2.0, Parameter Object: body and form parameters cannot exist together for the same operation.
        fields[0].refuse(fields[0].fault("an operation can't have both a form field and a body"), None)
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
    encoding = {node.text("name"): _encoding(node) for node in fields if node.value.get("type") == "array"}
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
    """Return the media types of a form: those of the operation that can hold one."""
    has_file = any(node.value.get("type") == "file" for node in fields)
    possible = (MULTIPART_FORM,) if has_file else (FORM, MULTIPART_FORM)
    return [media_range for media_range in consumes if essence(media_range) in possible] or [possible[0]]


def _response(status: str, node: Node, produces: Sequence[str]) -> Response:
    return Response(
        status=status,
        description=node.note("description"),
        headers=headers(node),
        content=_content(node, produces),
        pointer=node.pointer,
    )


def _content(node: Node, produces: Sequence[str]) -> dict[str, MediaType]:
    """Return the media types of a response; without a schema those of its examples, if any.

    OpenAPI 2.0, Response Object, has no content without a schema, but an example shows that there is some.
    """
    schema = node.schema_at("schema")
    found = node.value.get("examples")
    examples = found if isinstance(found, Mapping) else {}
    if schema is None:
        return {
            media_range: MediaType(media_range, examples=(Example("", value),), pointer=node.pointer)
            for media_range, value in examples.items()
            if "/" in media_range
        }
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
    """Return the media types that values of a schema can be sent as.

    ``produces`` is declared for all responses at once, so it may not fit each of them: an operation that produces
    images describes its errors as objects. An object that no listed media type can carry is JSON; a file for which only
    JSON or XML is listed is of any type.
    """
    words = schema.value if isinstance(schema.value, Mapping) else {}
    if words.get("type") == "file":
        return [one for one in produces if not _is_structured(one)] or ["*/*"]
    if words.get("type") == "string":
        return list(produces) or [JSON]
    return list(produces) if any(map(_is_structured, produces)) else [*produces, JSON]


def _is_structured(media_range: str) -> bool:
    kind = find(media_range)
    return kind.structured or kind.sequential or not is_concrete(media_range) or "yaml" in media_range.lower()


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


def servers(root: Node, operation: Node | None = None) -> tuple[Server, ...]:
    """Return the servers of a document, or of an operation with its own schemes."""
    base = urlsplit(root.base_url or "")
    host = root.text("host", "").strip() or base.netloc.rpartition("@")[2]
    path = root.text("basePath", "").strip()
    path = path if not path or path.startswith("/") else f"/{path}"
    if not host:
        return (Server(path),) if path else ()
    strangers = root.source.references.strangers(root.uri, "host", "schemes")
    if operation is not None:
        strangers += root.source.references.strangers(operation.uri, "schemes")
    overlay = strangers[0] if len(set(strangers)) == 1 else ""
    if not _HOST.fullmatch(host):
        return root.refuse(root.fault(f"`host` must be a host, optionally with a port, not {host!r}"), ())
    schemes = _schemes(root, operation, host, base.scheme)
    return tuple(Server(f"{scheme}://{host}{path}", remote=bool(strangers), overlay=overlay) for scheme in schemes)


def _schemes(root: Node, operation: Node | None, host: str, own: str) -> list[str]:
    for node in (operation, root):
        schemes = [scheme.lower() for scheme in strings(node, "schemes")] if node is not None else []
        if schemes:
            # OpenAPI 2.0, Swagger Object, `schemes`: http, https, ws, wss. Only the first two are used for calls.
            return [scheme for scheme in _HTTP if scheme in schemes]
    return [own or ("http" if _LOOPBACK.fullmatch(host) else "https")]


def strings(node: Node, key: str) -> list[str]:
    """Return the array of strings under a key.

    Raises:
        InvalidDocument: it is something else.
    """
    members = list(node.members(key))
    for member in members:
        if not isinstance(member.value, str):
            member.refuse(member.fault(f"`{key}` must contain strings"), None)
    return [member.value for member in members if isinstance(member.value, str)]


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
