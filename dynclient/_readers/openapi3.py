"""Read OpenAPI 3.0, 3.1 and 3.2: parameters, bodies, responses and servers.

Rule 1: a key of ``content`` is kept as the document spells it; a malformed one never matches.
Rule 2: examples, links and headers are only informative. Broken ones are left out.
Rule 3: a relative server URL is resolved against the URL of its document, if that came from the network. If not, it
stays relative, and building a request raises an error that says what is missing.
Rule 4: a server's URL is a template: text in braces is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urljoin, urlsplit

from dynclient._deferred import expression
from dynclient._document.text import described
from dynclient._readers.nodes import Node, shared, spelled
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
from dynclient._readers.security import scheme
from dynclient.exceptions import DocumentError
from dynclient.media_types import FORM, MULTIPART_FORM, essence
from dynclient.model import (
    Encoding,
    Example,
    Header,
    Link,
    Location,
    MediaType,
    Operation,
    Parameter,
    RequestBody,
    Response,
    Server,
    ServerVariable,
)

_REFERENCE_DEPTH = 4  # References within the data of an example are searched down to this level.

# OAS 3.2.0, Parameter Object, Style Values; the first of each location is its default.
STYLES_IN: dict[Location, tuple[str, ...]] = {
    "path": ("simple", "label", "matrix"),
    "query": ("form", "spaceDelimited", "pipeDelimited", "deepObject"),
    "querystring": ("form",),
    "header": ("simple",),
    "cookie": ("form", "cookie"),
}
_EXPLODED = frozenset({"form", "cookie"})
_MAX_NESTING = 32
_STYLE_WORDS = ("style", "explode", "allowReserved")
_FORM_STYLES = ("form", "spaceDelimited", "pipeDelimited", "deepObject")
# RFC 9110, 9.3.1, 9.3.2, 9.3.5: content in a request of these has no meaning of its own.
_BODILESS = frozenset({"GET", "HEAD", "DELETE"})
_ABSOLUTE = expression(r"[A-Za-z][A-Za-z0-9+.-]*:")
_VARIABLE = expression(r"\{([^{}]+)\}")


def operation(bare: Operation, node: Node, items: Sequence[Node], root: Node) -> Operation:
    """Read an Operation Object."""
    callbacks = node.value.get("callbacks")
    left_out: list[DocumentError] = []
    return bare._replace(
        parameters=sendable(bare.path, node, usable(declared(node, items, left_out), parameter, left_out)),
        body=body(bare.method, node),
        responses=responses(node, response),
        servers=node.attempt(lambda: servers(root, (node, *items)), no_server),
        callbacks=tuple(callbacks) if isinstance(callbacks, Mapping) else (),
        left_out=tuple(left_out),
    )


@shared
def parameter(node: Node) -> Parameter:
    """Read a Parameter Object of OpenAPI 3."""
    in_ = location_of(node, STYLES_IN)
    return Parameter(
        name=node.text("name"),
        in_=in_,
        required=node.flag("required"),
        schema=node.schema_at("schema"),
        media_type=_only(content(node)),
        **_style(node, in_),
        allow_reserved=node.flag("allowReserved"),
        allow_empty=in_ == "query" and node.flag("allowEmptyValue"),
        description=node.note("description"),
        deprecated=node.flag("deprecated"),
        examples=examples(node),
        pointer=node.pointer,
        extensions=node.extensions(),
    )


def _style(node: Node, in_: Location) -> dict[str, Any]:
    """Read style and explode. A style of another location counts as the location's default."""
    allowed = STYLES_IN[in_]
    style = node.text("style", allowed[0])
    if not any(style in styles for styles in STYLES_IN.values()):
        node.refuse(node.fault(f"`style` must be one of {', '.join(allowed)}, not {style!r}"), None)
    style = style if style in allowed else allowed[0]
    # OAS 3.1.1, Parameter Object: explode is true by default where the style is `form`; 3.2.0: or `cookie`.
    return {"style": style, "explode": node.flag("explode", default=style in _EXPLODED)}


def body(method: str, operation: Node) -> RequestBody | None:
    """Read an operation's ``requestBody``.

    Returns None if it has no media type, or if a GET, HEAD or DELETE has only an empty form, which some generators
    write for each operation.
    """
    node = operation.at("requestBody")
    if node is None:
        return None
    read = request_body(node)
    empty = method in _BODILESS and not read.required and all(map(_is_empty_form, read.content.values()))
    return None if empty or not read.content else read


def request_body(node: Node) -> RequestBody:
    """Read a Request Body Object, or the target of a reference to one."""
    node = node.followed("a Request Body Object")
    return RequestBody(
        content=content(node),
        required=node.flag("required"),
        description=node.note("description"),
        pointer=node.pointer,
    )


def _is_empty_form(media_type: MediaType) -> bool:
    """Return whether a media type is a form whose schema, if any, allows any object and describes no member."""
    if essence(media_type.media_range) not in {FORM, MULTIPART_FORM}:
        return False
    value = media_type.schema.value if media_type.schema is not None else {}
    words = value if isinstance(value, Mapping) else {"": value}
    used = {key for key, value in words.items() if value not in ({}, [], False)}
    return used <= {"type", "title", "description"} and words.get("type", "object") == "object"


@shared
def response(status: str, node: Node) -> Response:
    """Read a Response Object of OpenAPI 3."""
    return Response(
        status=status,
        description=node.note("description"),
        headers=headers(node),
        content=content(node),
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
            link = value.followed("a Link Object")
            parameters = link.value.get("parameters")
            yield Link(
                name=name,
                operation_id=link.note("operationId") or None,
                operation_ref=link.note("operationRef") or None,
                parameters=parameters if isinstance(parameters, Mapping) else {},
                request_body=link.value.get("requestBody"),
                description=link.note("description"),
                server=_server(server.object("a Server Object")) if (server := link.at("server")) else None,
                pointer=link.pointer,
            )


def content(node: Node, *, encoded: bool = True) -> dict[str, MediaType]:
    """Read the ``content`` map of an object; ``encoded``: whether Encoding Objects apply there."""
    return {
        media_range: _media_type(media_range, value.followed("a Media Type Object"), encoded=encoded)
        for media_range, value in node.entries("content")
    }


def _media_type(media_range: str, node: Node, *, encoded: bool) -> MediaType:
    read = with_items(
        MediaType(
            media_range=media_range,
            schema=node.schema_at("schema"),
            item_schema=node.schema_at("itemSchema") if node.since("3.2") else None,
            examples=examples(node),
            pointer=node.pointer,
        )
    )
    if not encoded:
        return read
    encoding, prefix, item = _encodings(node, media_range, 0)
    return read._replace(encoding=encoding, prefix_encoding=prefix, item_encoding=item)


def _encodings(
    node: Node, media_range: str, depth: int
) -> tuple[dict[str, Encoding], tuple[Encoding, ...], Encoding | None]:
    """Read ``encoding``, ``prefixEncoding`` and ``itemEncoding`` of a media type, or of an encoding (OAS 3.2)."""
    if depth > _MAX_NESTING:
        return node.refuse(node.fault(f"`encoding` is nested deeper than {_MAX_NESTING}"), ({}, (), None))
    named = {name: _encoding(value, media_range, depth) for name, value in node.entries("encoding")}
    if not node.since("3.2"):
        return named, (), None
    prefix = tuple(_encoding(value, media_range, depth) for value in node.members("prefixEncoding"))
    item = node.at("itemEncoding")
    return named, prefix, None if item is None else _encoding(item, media_range, depth)


def _encoding(node: Node, media_range: str, depth: int) -> Encoding:
    node = node.object("an Encoding Object")
    content_type = node.text("contentType", "") or None
    read = Encoding(content_type=content_type, headers=headers(node), **_encoding_style(node, media_range))
    if not node.since("3.2"):
        return read
    named, prefix, item = _encodings(node, content_type or "", depth + 1)
    return read._replace(encoding=named, prefix_encoding=prefix, item_encoding=item)


def _encoding_style(node: Node, media_range: str) -> dict[str, Any]:
    """Read style, explode and allowReserved: they serialize a form field like a query parameter."""
    # OAS 3.0.4, Encoding Object: style, explode and allowReserved are ignored unless the media type is
    # application/x-www-form-urlencoded. OAS 3.1.1: or multipart/form-data. Either way, only if one is present.
    name = essence(media_range)
    applies = name == FORM or (node.since("3.1") and name == MULTIPART_FORM)
    if not applies or not any(word in node.value for word in _STYLE_WORDS):
        return {}
    style = node.text("style", "form")
    if style not in _FORM_STYLES:
        return node.refuse(node.fault(f"`style` must be one of {', '.join(_FORM_STYLES)}, not {style!r}"), {})
    explode = node.flag("explode", default=style == "form")
    return {"style": style, "explode": explode, "allow_reserved": node.flag("allowReserved")}


def headers(node: Node) -> dict[str, Header]:
    """Read the ``headers`` of a response or of a part of a form."""
    return usable_headers(node, lambda name, value: header(name, value.followed("a Header Object")))


@shared
def header(name: str, node: Node) -> Header:
    """Read a Header Object."""
    # OAS 3.1.1, Header Object: as a parameter `in: header`; the style can only be `simple`.
    return Header(
        name=name,
        required=node.flag("required"),
        schema=node.schema_at("schema"),
        media_type=_only(content(node, encoded=False)),
        explode=node.flag("explode"),
        description=node.note("description"),
        deprecated=node.flag("deprecated"),
        examples=examples(node),
        pointer=node.pointer,
    )


def _only(media_types: dict[str, MediaType]) -> MediaType | None:
    """Return the one entry of a parameter's ``content``, or None."""
    return next(iter(media_types.values()), None)


def examples(node: Node) -> tuple[Example, ...]:
    """Read ``example`` and ``examples``; the single one has no name."""
    found = [Example("", _data(node, node.value["example"]))] if "example" in node.value else []
    named = node.value.get("examples")
    if isinstance(named, list):
        # An array is JSON Schema's form; documents use it here too.
        found += [Example(str(index), value) for index, value in enumerate(named)]
    elif isinstance(named, Mapping):
        for name, value in node.entries("examples"):
            with suppress(DocumentError):
                found.append(_example(name, value.followed("an Example Object")))
    return tuple(found)


def _example(name: str, node: Node) -> Example:
    # OAS 3.2.0, Example Object: `dataValue` is data, `serializedValue` is text as on the wire; `value` is either.
    data = next((word for word in ("dataValue", "value") if word in node.value), None)
    serialized = node.value.get("serializedValue")
    return Example(
        name=name,
        value=_data(node, node.value[data]) if data else None,
        serialized=serialized if isinstance(serialized, str) else None,
        summary=node.note("summary"),
        description=node.note("description"),
        has_value=data is not None,
        external=node.note("externalValue") or None,
    )


def _data(node: Node, value: Any, depth: int = 0) -> Any:
    """An example's data, with references to Example Objects replaced by their data.

    Strictly speaking, such a reference is data, but authors do not mean that. Only the upper levels are searched.
    """
    if depth >= _REFERENCE_DEPTH or not isinstance(value, (dict, list)):
        return value
    if isinstance(value, list):
        return [_data(node, member, depth + 1) for member in value]
    reference = value.get("$ref")
    if isinstance(reference, str) and "#/components/examples/" in reference and len(value) == 1:
        with suppress(DocumentError):
            uri, found = node.source.references.resolve(reference, node.uri)
            if isinstance(found, Mapping) and found.get("value") is not None:
                return _data(node._replace(uri=uri, value=found), found["value"], depth + 1)
    return {name: _data(node, member, depth + 1) for name, member in value.items()}


def servers(root: Node, nearer: Iterable[Node] = ()) -> tuple[Server, ...]:
    """Read the servers of the first object that has any: of the ``nearer`` ones, then of the root.

    Without any, the default ``/`` applies only if the document's own URL is known.
    """
    for node in (*nearer, root):
        found = tuple(_server(value.object("a Server Object")) for value in node.members("servers"))
        if found:
            return found
    # OAS 3.1.1, OpenAPI Object: without `servers`, or with an empty array, there is one server with the URL `/`.
    return (Server(urljoin(root.base_url, "/"), remote=True),) if root.base_url else ()


def _server(node: Node) -> Server:
    variables = {
        name: _variable(name, value.object("a Server Variable Object")) for name, value in node.entries("variables")
    }
    template = node.text("url").strip()
    try:
        url = absolute(template, node.base_url, {name: variable.default for name, variable in variables.items()})
    except ValueError as error:
        fault = node.fault(f"the server's URL {template!r} is not a URL")
        fault.__cause__ = error
        url = node.refuse(fault, "")
    strangers = node.source.references.strangers(node.uri, "url", "variables")
    overlay = strangers[0] if len(strangers) == 1 else ""
    return Server(url, node.note("description"), node.note("name"), variables, bool(strangers), overlay)


def _variable(name: str, node: Node) -> ServerVariable:
    values = []
    for member in node.members("enum"):
        text = spelled(member.value)
        if text is None:
            fault = member.fault(f"a value of a server variable must be a string, not {described(member.value)}")
            text = member.refuse(fault, "")
        values.append(text)
    # `default` is required; if it is missing, the first value of the enumeration is used.
    default = node.text("default", values[0] if values else None)
    return ServerVariable(name, default, tuple(values), node.note("description"))


def absolute(template: str, base: str | None, defaults: dict[str, str]) -> str:
    """Resolve a server's URL against the document's, if it is relative with its defaults filled in.

    Raises:
        ValueError: it is not a URL.
    """
    filled = _VARIABLE.sub(lambda match: defaults.get(match[1], match[0]), template)
    urlsplit(filled)
    if base is None or _ABSOLUTE.match(filled):
        return template
    if "{" not in template:
        return urljoin(base, template)
    parts = urlsplit(base)
    if filled.startswith("//"):
        return f"{parts.scheme}:{template}"
    root = f"{parts.scheme}://{parts.netloc}"
    if filled.startswith("/"):
        return root + template
    return f"{root}{parts.path.rpartition('/')[0]}/{template.removeprefix('./')}"


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
