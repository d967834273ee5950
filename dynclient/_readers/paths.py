"""The operations of a document: find and list them, and read the parts that are the same in all versions of OpenAPI.

Rule 1: to list operations, only the naming fields (id, tags, summary) are read, leniently: errors in it are reported
when the operation is read.
Rule 2: a Path Item may be a ``$ref``, also into another file; members next to the reference take precedence over its
target. An operation that is a ``$ref`` is followed too: no specification allows it, but documents do it.
Rule 3: a Path Item that can't be read has no operations; the error is kept (``API.faults``), and the others are listed.
Rule 4: an operation's parameter replaces its path's of the same name and location, in that one's position. If two in
one list are alike, the first counts.
Rule 5: a parameter ``in: path`` is required, and there is one for each name in the path's template: undeclared ones are
added as strings, those that the template lacks are dropped.
Rule 6: a status is written as in the model: ``200``, ``2XX``, ``default``. Some documents write ``2xx`` or ``Default``.
Other keys match nothing and are left out; of two equal ones, the first counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from dynclient._deferred import expression
from dynclient._document.compiled import LazyMapping
from dynclient._identifiers import near
from dynclient._readers.nodes import Node, spelled
from dynclient._records import Record
from dynclient._rows import OperationRow
from dynclient._schemas import branches
from dynclient.exceptions import DocumentError, UnsafeDocument
from dynclient.http_grammar import CONNECTION_FIELDS, is_token
from dynclient.json_pointer import escape
from dynclient.media_types import find
from dynclient.model import Header, Location, MediaType, Operation, Parameter, Response, SecurityScheme, Server

T = TypeVar("T")

_LONGEST = 20
"""Characters of a key that may be `paths`, misspelt."""
_TEMPLATE = expression(r"\{([^{}]+)\}")
_NEVER = expression(r"[\\\x00-\x1f\x7f]")
_WORDS = frozenset({"operationId", "tags", "summary", "deprecated", "$ref"})
_ELSEWHERE = frozenset({"$ref", "additionalOperations"})
_DOTS = expression(r"(?i)(?:\.|%2e){1,2}")

_NEEDED = ("path", "body")
# OAS 3.1.1, Parameter Object, `name`: definitions of Accept, Content-Type and Authorization are ignored.
_RESERVED = CONNECTION_FIELDS | {"accept", "authorization", "content-type"}


class Version(Record):
    """The reader of OpenAPI 2.0 or 3: where these versions differ.

    ``operation`` completes an Operation from its Operation Object, its Path Items (the nearest first) and the root.
    ``schemes`` is the pointer of the object that has the security schemes. ``components`` pairs the pointers of other
    named objects with a function that reads one of them.
    """

    operation: Callable[[Operation, Node, Sequence[Node], Node], Operation]
    scheme: Callable[[str, Node], SecurityScheme]
    servers: Callable[[Node], tuple[Server, ...]]
    schemes: str
    components: Mapping[str, Callable[[str, Node], object]]


def rows_of(root: Node) -> tuple[list[OperationRow], tuple[DocumentError, ...]]:
    """List all operations, without names, in the document's order; and the errors of broken Path Items.

    Raises:
        InvalidDocument: ``paths`` is not an object, or is missing although the version requires it.
    """
    # OAS 3.1.1, OpenAPI Object: a document may have `components` or `webhooks` instead of `paths`.
    if root.value.get("paths") is None and not root.since("3.1"):
        alike = near(
            "paths",
            (key for key in root.value if isinstance(key, str) and key != "paths" and len(key) <= _LONGEST),
            limit=1,
        )
        raise root.fault("`paths` is missing", f"is `{alike[0]}` meant to be `paths`?" if alike else "")
    rows: list[OperationRow] = []
    faults: list[DocumentError] = []
    section = root.child("paths", root.value.get("paths", {})).object("`paths`")
    try:
        section = section.map("`paths`")
    except DocumentError as error:
        return [], (error,)
    paths = section.value
    # From a large document, only the members that list its operations are decoded.
    words = paths.peek(_WORDS) if isinstance(paths, LazyMapping) else paths
    for path in paths:
        if not path.startswith("x-"):
            try:
                item = words.get(path)
                if not isinstance(item, dict) or not item.keys().isdisjoint(_ELSEWHERE):
                    item = paths[path]
                rows += [row for row, _, _ in _operations(path, section.child(path, item))]
            except DocumentError as error:
                faults.append(error)
    return rows, tuple(faults)


def operations_at(path: str, item: Node) -> list[tuple[OperationRow, Node]]:
    """Find the operations of one path: of each its row, without names, and its node.

    Raises:
        DocumentError: the Path Item is not an object, or its ``$ref`` can't be resolved.
    """
    return [(row, Node(value, uri, item.source)) for row, value, uri in _operations(path, item)]


def _operations(path: str, item: Node) -> Iterator[tuple[OperationRow, Any, str]]:
    """Yield the row, value and URI of each operation of a path."""
    seen: set[str] = set()
    items = path_items(item)
    shared = next(filter(None, (node.note("summary") for node in items)), "")
    for node in items:
        pointer = node.pointer
        for method, found, suffix in _methods(node):
            if method in seen:
                continue
            seen.add(method)
            value, uri, own = found, f"{node.uri}{suffix}", f"{pointer}{suffix}"
            if isinstance(value, Mapping) and "$ref" in value:
                with suppress(DocumentError):
                    target = Node(value, uri, node.source).followed("an Operation Object")
                    value, uri, own = target.value, target.uri, target.pointer
            yield _row(method, path, value if isinstance(value, Mapping) else {}, shared, own, pointer), value, uri


def _row(
    method: str, path: str, value: Mapping[str, Any], summary: str, pointer: str, path_pointer: str
) -> OperationRow:
    names = value.get("tags")
    tags = tuple(dict.fromkeys([text for tag in names if (text := spelled(tag))])) if isinstance(names, list) else ()
    operation_id = (spelled(value.get("operationId")) or "").strip() or None
    summary = (spelled(value.get("summary")) or "").strip() or summary
    deprecated = value.get("deprecated") is True
    listed = (operation_id, "", (), summary, tags, deprecated, pointer, path_pointer)
    return OperationRow(f"{method} {path}", method, path, *listed)


def path_items(item: Node) -> tuple[Node, ...]:
    """Return the Path Item as it is written here, and the one that its ``$ref`` leads to."""
    # OAS 3.1.1, Path Item Object: when a field is next to `$ref` and in its target, the behaviour is undefined.
    first = item.object("a Path Item")
    if "$ref" not in first.value:
        return (first,)
    target = first.followed("a Path Item")
    return (first, target) if len(first.value) > 1 else (target,)


def _methods(item: Node) -> Iterator[tuple[str, Any, str]]:
    """Yield the method of each operation of a Path Item, as it is sent, with the value and its pointer from there."""
    dialect = item.dialect
    known = dialect.methods
    for key, value in item.value.items():
        if key in known:
            yield key.upper(), value, f"/{key}"
    if dialect.additional_operations and isinstance(item.value.get("additionalOperations"), Mapping):
        # OAS 3.2.0, Path Item Object: the key is the method with the capitalization to send; methods with their own
        # field are not allowed here.
        for key, node in item.entries("additionalOperations"):
            if key not in {method.upper() for method in known}:
                yield key, node.value, node.uri.removeprefix(item.uri)


def check_path(path: str, item: Node) -> None:
    """Refuse a path whose URL would not be what the path suggests.

    Raises:
        InvalidDocument: it does not begin with exactly one ``/``, or has dot segments, backslashes or controls.
    """
    # OAS 3.1.1, Paths Object: the field name must begin with a forward slash, and is appended to the server's URL.
    segments = path.partition("?")[0].partition("#")[0].split("/")
    if not path.startswith("/") or path.startswith("//"):
        item.refuse(item.fault(f"the path {path!r} must begin with one `/`"), None)
    if any(("." in segment or "%" in segment) and _DOTS.fullmatch(segment) for segment in segments):
        item.refuse(item.fault(f"the path {path!r} must not have `.` or `..` as a segment"), None)
    if (not path.isprintable() or "\\" in path) and _NEVER.search(path):
        item.refuse(item.fault(f"the path {path!r} must not have backslashes or control characters"), None)


def check_method(method: str, operation: Node) -> None:
    """Refuse a method that can't be sent.

    Raises:
        InvalidDocument: it is not a token.
    """
    if not is_token(method):
        operation.refuse(operation.fault(f"{method!r} is not an HTTP method"), None)


def template_names(path: str) -> list[str]:
    """Return the names between braces in a path, each once, in their order."""
    return list(dict.fromkeys(_TEMPLATE.findall(path)))


def usable(nodes: Iterable[Node], read: Callable[[Node], T], left_out: list[DocumentError]) -> Iterator[T]:
    """Read Parameter Objects. The errors of optional ones are added to ``left_out``: a call can do without them.

    Raises:
        DocumentError: a parameter that is needed is broken, or one is a reference that is not allowed.
    """

    def leave_out(error: DocumentError) -> None:
        if isinstance(error, UnsafeDocument):
            raise error
        left_out.append(error)

    for node in nodes:
        value = node.value if isinstance(node.value, Mapping) else {}
        is_needed = value.get("required") is True or value.get("in") in _NEEDED
        made = read(node) if is_needed else node.attempt(partial(read, node), leave_out)
        if made is not None:
            yield made


def declared(operation: Node, items: Sequence[Node], left_out: list[DocumentError]) -> list[Node]:
    """Return the Parameter Objects of an operation: those of its path first, then its own.

    ``items`` are the Path Items, the nearest first.
    """

    def followed(node: Node) -> Node:
        return node.followed("a Parameter Object")

    def keyed(node: Node) -> tuple[tuple[str, str], Node]:
        # A name can be missing only while all errors are collected; such a parameter replaces no other.
        return (node.text("in"), node.text("name") or node.uri), node

    by_key: dict[tuple[str, str], Node] = {}
    for level in (*reversed(items), operation):
        here: dict[tuple[str, str], Node] = {}
        members = usable(level.members("parameters"), followed, left_out)
        for key, node in usable(members, keyed, left_out):
            here.setdefault(key, node)
        by_key.update(here)
    return list(by_key.values())


def location_of(node: Node, known: Iterable[Location], others: Iterable[str] = ()) -> Location:
    """Return where a parameter is sent; ``others`` are the values of ``in`` that the caller reads itself.

    Raises:
        InvalidDocument: ``in`` is missing, or not a location.
    """
    name = node.text("in")
    for location in known:
        if name == location:
            return location
    message = f"`in` must be one of {', '.join((*known, *others))}, not {name!r}"
    return node.refuse(node.fault(message), "query")


def sendable(path: str, operation: Node, parameters: Iterable[Parameter]) -> tuple[Parameter, ...]:
    """Return the parameters that a caller passes: no reserved headers, and exactly those of the path template."""
    names = template_names(path)
    kept = [
        parameter._replace(required=True) if parameter.in_ == "path" else parameter
        for parameter in parameters
        if not (parameter.in_ == "header" and parameter.name.lower() in _RESERVED)
        and not (parameter.in_ == "path" and parameter.name not in names)
    ]
    known = {parameter.name for parameter in kept if parameter.in_ == "path"}
    return (*(_implied(name, operation) for name in names if name not in known), *kept)


def _implied(name: str, operation: Node) -> Parameter:
    schema = operation.synthesized(f"x-path/{escape(name)}", {"type": "string"})
    return Parameter(name, "path", required=True, schema=schema, style="simple", pointer=operation.pointer)


def responses(operation: Node, read: Callable[[str, Node], Response]) -> dict[str, Response]:
    """Read the responses of an operation, by status. A broken one has only its error."""

    def whole(status: str, node: Node) -> Response:
        return node.attempt(
            lambda: read(status, node.followed("a Response Object")), lambda error: Response(status, fault=error)
        )

    found: dict[str, Response] = {}
    for key, node in operation.entries("responses"):
        status = status_of(key)
        if status is not None and status not in found:
            found[status] = whole(status, node)
    return found


def no_server(error: DocumentError) -> tuple[Server, ...]:
    """Servers that can't be read are one with the error, since a call with a ``base_url`` doesn't use any."""
    return (Server("", fault=error),)


def usable_headers(node: Node, read: Callable[[str, Node], Header]) -> dict[str, Header]:
    """Read the headers of a response or a part; broken ones are left out."""
    # OAS 3.1.1, Response Object and Encoding Object: a header named Content-Type is ignored.
    named = ((name, value) for name, value in node.entries("headers") if name.lower() != "content-type")
    found = {name: value.attempt(partial(read, name, value), lambda _: None) for name, value in named}
    return {name: header for name, header in found.items() if header is not None}


def status_of(key: str) -> str | None:
    """Return a key of a Responses Object as the model writes it; None if it is not a status."""
    text = key.strip().upper()
    if text == "DEFAULT":
        return "default"
    first, rest = text[:1], text[1:]
    is_rest = rest == "XX" or (len(rest) == 2 and rest.isascii() and rest.isdecimal())  # noqa: PLR2004  # three digits
    return text if first in set("12345") and is_rest else None


def with_items(media_type: MediaType) -> MediaType:
    """Return a sequential media type with ``item_schema`` where the document has put it into ``schema``.

    In versions without ``itemSchema``, ``schema`` describes the whole: an array. Some authors put the schema of an item
    there; a schema that allows neither an array nor a string can't describe the whole, so it counts as the item's.
    """
    schema = media_type.schema
    if not find(media_type.media_range).sequential or schema is None or media_type.item_schema is not None:
        return media_type
    try:
        found = branches(schema)
    except DocumentError:
        return media_type
    types = frozenset[str]().union(*(each.types for each in found))
    is_described = types or any(each.properties or each.required for each in found)
    is_whole = types & {"array", "string"} or not is_described
    return media_type if is_whole else media_type._replace(schema=None, item_schema=schema)
