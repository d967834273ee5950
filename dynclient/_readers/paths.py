"""The list of a document's operations, found without reading any of them.

Rule 1: only what lists and names an operation is looked at (its id, tags, summary), and leniently: what is broken there
is told when the operation is read.
Rule 2: a Path Item may be a ``$ref``, also into another file; what stands beside the reference goes before its target.
An operation that is one is followed too: no specification has it, but documents do.
Rule 3: a Path Item that can't be read has no operations; the error is kept (``API.faults``) and the others are listed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from dynclient._document.lazy import LazyMapping
from dynclient._expressions import expression
from dynclient._identifiers import near
from dynclient._readers.nodes import Node, spelled
from dynclient._records import Record
from dynclient.exceptions import DocumentError
from dynclient.http_grammar import is_token
from dynclient.json_pointer import escape

_LONGEST = 20  # the characters of what may be `paths`, misspelt
_TEMPLATE = expression(r"\{([^{}]+)\}")
_NEVER = expression(r"[\\\x00-\x1f\x7f]")
_WORDS = frozenset({"operationId", "tags", "summary", "deprecated", "$ref"})
_DOTS = expression(r"(?i)(?:\.|%2e){1,2}")


class Found(Record):
    """An operation in the list: its place, and what names it."""

    method: str
    path: str
    node: Node
    path_pointer: str
    operation_id: str | None
    tags: tuple[str, ...]
    summary: str
    deprecated: bool


class Listing(Record):
    """The operations in the document's order, and the errors of Path Items that have none because they're broken."""

    found: tuple[Found, ...]
    faults: tuple[DocumentError, ...]


def listing(root: Node) -> Listing:
    """Find the operations.

    Raises:
        InvalidDocument: ``paths`` is no object, or missing in a version that wants it.
    """
    # OAS 3.1.1, OpenAPI Object: a document may have `components` or `webhooks` instead of `paths`.
    if "paths" not in root.value and not root.since("3.1"):
        alike = near("paths", (key for key in root.value if isinstance(key, str) and len(key) <= _LONGEST), limit=1)
        raise root.fault("`paths` is missing", f"is it what `{alike[0]}` was to be?" if alike else "")
    found: list[Found] = []
    faults: list[DocumentError] = []
    section = root.child("paths", root.value.get("paths", {})).object("`paths`")
    for path in section.value:
        if not path.startswith("x-"):
            try:
                found += operations(path, section.child(path, _listed(section.value, path)))
            except DocumentError as error:
                faults.append(error)
    return Listing(tuple(found), tuple(faults))


def _listed(paths: Mapping[str, Any], path: str) -> Any:
    """The Path Item of a path: only what lists its operations, where it need not be decoded as a whole."""
    if isinstance(paths, LazyMapping):
        item = paths.peek(path, _WORDS)
        if isinstance(item, Mapping) and "$ref" not in item and "additionalOperations" not in item:
            return item
    return paths[path]


def operations(path: str, item: Node) -> list[Found]:
    """List the operations of one path.

    Raises:
        DocumentError: the Path Item is no object, or its ``$ref`` leads nowhere.
    """
    found: dict[str, Found] = {}
    items = path_items(item)
    summary = ""
    for node in items:
        summary = summary or node.note("summary")
    for node in items:
        pointer = node.pointer
        for method, operation in _methods(node):
            if method not in found:
                found[method] = _found(method, path, operation, pointer, summary)
    return list(found.values())


def path_items(item: Node) -> tuple[Node, ...]:
    """The Path Items that make one up: what is written here, then what each ``$ref`` leads to."""
    # OAS 3.1.1, Path Item Object: when a field stands beside `$ref` and in its target, the behaviour is undefined.
    first = item.object("a Path Item")
    if "$ref" not in first.value:
        return (first,)
    target = first.followed("a Path Item")
    return (first, target) if len(first.value) > 1 else (target,)


def _methods(item: Node) -> Iterator[tuple[str, Node]]:
    """Each operation of a Path Item, with its method as it is sent."""
    _, uri, source = item
    dialect = source.dialect
    known = dialect.methods
    for key, value in item.value.items():
        if key in known:
            yield key.upper(), Node(value, f"{uri}/{key}", source)
    if dialect.additional_operations and isinstance(item.value.get("additionalOperations"), dict):
        # OAS 3.2.0, Path Item Object: the key is the method with the capitalization that is to be sent; a method that
        # has a field of its own must not be there.
        for key, node in item.entries("additionalOperations"):
            if key not in {method.upper() for method in known}:
                yield key, node


def _found(method: str, path: str, node: Node, path_pointer: str, summary: str) -> Found:
    value: Any = node.value
    if isinstance(value, Mapping) and "$ref" in value:
        with suppress(DocumentError):
            node = node.followed("an Operation Object")
            value = node.value
    if not isinstance(value, Mapping):
        value = {}
    names = value.get("tags")
    tags = dict.fromkeys([text for tag in names if (text := spelled(tag))]) if isinstance(names, list) else ()
    operation_id = (spelled(value.get("operationId")) or "").strip() or None
    summary = (spelled(value.get("summary")) or "").strip() or summary
    deprecated = value.get("deprecated") is True
    return Found(method, path, node, path_pointer, operation_id, tuple(tags), summary, deprecated)


def check_path(path: str, item: Node) -> None:
    """Refuse a path that would lead elsewhere than where it seems to.

    Raises:
        InvalidDocument: it does not begin with one ``/``, has dot segments, or what no URL may hold.
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
    """Refuse a method that is no token, and so could not be sent.

    Raises:
        InvalidDocument: it is none.
    """
    if not is_token(method):
        operation.refuse(operation.fault(f"{method!r} is no HTTP method"), None)


def template_names(path: str) -> list[str]:
    """The names between braces in a path, each once, in their order."""
    return list(dict.fromkeys(_TEMPLATE.findall(path)))


def pointer_of(path: str) -> str:
    """The JSON pointer of a path's Path Item."""
    return f"/paths/{escape(path)}"
