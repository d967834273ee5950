"""All errors in a document's OpenAPI objects.

Rule 1: operations are read as for calls, but errors are collected, and reading goes on with a replacement. So are
callbacks, webhooks, and unused objects in ``components``.
Rule 2: then come the rules whose violations a reader forgives, since calls can be made nevertheless.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial

from dynclient._document import Document
from dynclient._readers import paths
from dynclient._readers.api import OperationReader, root_node, version_of
from dynclient._readers.nodes import Faults, Node, section
from dynclient._records import Record
from dynclient._rows import OperationRow
from dynclient.exceptions import DocumentError
from dynclient.model import Operation


class Checked(Record):
    """The operations, read as far as possible, with those of callbacks and webhooks; and all errors."""

    operations: tuple[Operation, ...]
    faults: tuple[DocumentError, ...]


class _Location(Record):
    """An operation in the document: its row, its Operation Object, its Path Items."""

    row: OperationRow
    node: Node
    items: Sequence[Node]


def check(document: Document) -> Checked:
    """Find the errors in a document.

    Raises:
        DocumentError: it can't be read at all.
    """
    version, dialect = version_of(document)
    faults = Faults()
    root = root_node(document, dialect)
    root = root._replace(source=root.source._replace(faults=faults))
    locations = list(_locations(root))
    reader = OperationReader(root, version)
    operations: list[Operation] = []
    for location in locations:
        with _noting(faults):
            _responses(location.node)
            operations.append(reader.operation(*location))
    _components(root, version, reader, faults)
    _identifiers(locations)
    return Checked(tuple(operations), tuple(faults.found))


def incoming(document: Document) -> dict[str, Callable[[], Operation]]:
    """Find the operations of webhooks and callbacks, which the server calls: what reads each, and raises DocumentError.

    The key is the webhook's method and name, or the operation's key with the callback's name and method.
    """
    version, dialect = version_of(document)
    root = root_node(document, dialect)
    reader = OperationReader(root, version)
    found: dict[str, Callable[[], Operation]] = {}
    for path, item in _named(root, "paths"):
        with suppress(DocumentError):  # who reads the operation gets it
            for location in _operations(path, item):
                for name, below in _callbacks(location.node):
                    key = f"callback {below.row.method} {name} of {location.row.key}"
                    found[key] = partial(reader.operation, *below)
    for name, item in _named(root, "webhooks") if root.since("3.1") else ():
        with suppress(DocumentError):
            for location in _operations(name, item):
                found[f"webhook {location.row.key}"] = partial(reader.operation, *location)
    return found


def _locations(root: Node) -> Iterator[_Location]:
    """Yield the operations of paths, with their callbacks, and of webhooks (OAS 3.1)."""
    for path, item in _named(root, "paths"):
        paths.check_path(path, item)
        for location in _operations(path, item):
            yield location
            yield from (below for _, below in _callbacks(location.node))
            _parameters(location)
    if root.since("3.1"):
        for name, item in _named(root, "webhooks"):
            for location in _operations(name, item):
                yield location
                yield from (below for _, below in _callbacks(location.node))


def _named(node: Node, key: str) -> Iterator[tuple[str, Node]]:
    return ((name, item) for name, item in node.entries(key) if not name.startswith("x-"))


def _operations(path: str, item: Node) -> Iterator[_Location]:
    items = paths.path_items(item)
    for found in paths.operations_at(path, item):
        yield _Location(found.row, found.node.followed("an Operation Object"), items)


def _callbacks(operation: Node) -> Iterator[tuple[str, _Location]]:
    # OAS 3.1.1, Callback Object: runtime expressions, each with a Path Item.
    if not operation.since("3.0"):
        return
    for name, callback in _named(operation, "callbacks"):
        for expression, item in _members(callback.followed("a Callback Object")):
            yield from ((name, location) for location in _operations(expression, item))


def _members(section: Node | None) -> Iterator[tuple[str, Node]]:
    if section is not None:
        for name, value in section.value.items():
            if not name.startswith("x-"):
                yield name, section.child(name, value)


@contextmanager
def _noting(faults: Faults) -> Iterator[None]:
    """Collect also an error that is raised."""
    try:
        yield
    except DocumentError as error:
        faults.note(error)


def _components(root: Node, version: paths.Version, reader: OperationReader, faults: Faults) -> None:
    """Read all named objects of the document, used or not."""
    version.servers(root)
    for name in reader.schemes:
        _ = reader.schemes[name]
    for pointer, read in version.components.items():
        for name, node in _members(section(root, pointer)):
            with _noting(faults):
                read(name, node)


def _identifiers(locations: Iterable[_Location]) -> None:
    # OAS 3.1.1, Operation Object: the id MUST be unique among all operations described in the API.
    seen: dict[str, _Location] = {}
    for location in locations:
        name = location.row.operation_id
        first = seen.setdefault(name, location) if name is not None else location
        if first.node.uri != location.node.uri:
            node = location.node.at("operationId") or location.node
            node.refuse(node.fault(f"`operationId` {name!r} is that of {first.row.key} too"), None)


def _parameters(location: _Location) -> None:
    """Check that the parameters of a path are those of its template."""
    for level in (location.node, *location.items):
        _alike(level)
    names = paths.template_names(location.row.path)
    nodes = [node for node in paths.declared(location.node, location.items) if node.value.get("in") == "path"]
    # OAS 3.1.1, Path Templating: each template expression MUST correspond to a path parameter.
    for name in set(names) - {node.value.get("name") for node in nodes}:
        location.node.refuse(
            location.node.fault(f"{{{name}}} of the path is not declared as a parameter `in: path`"), None
        )
    for node in nodes:
        # OAS 3.1.1, Parameter Object: `name` MUST correspond to an expression in the path; `required` MUST be true.
        if isinstance(node.value.get("name"), str) and node.value["name"] not in names:
            node.refuse(node.fault(f"the path {location.row.path} has no {{{node.value['name']}}}"), None)
        if node.value.get("required") is not True:
            node.refuse(node.fault("a parameter `in: path` must have `required: true`"), None)


def _alike(level: Node) -> None:
    # OAS 3.1.1, Operation Object: the list MUST NOT include duplicated parameters.
    members = [member.followed("a Parameter Object") for member in level.members("parameters")]
    keys = Counter((str(node.value.get("in")), str(node.value.get("name"))) for node in members if node.value)
    for (in_, name), count in keys.items():
        if count > 1:
            level.refuse(level.fault(f"there are {count} parameters {name!r} in {in_}"), None)


def _responses(operation: Node) -> None:
    # OAS 3.0.4, Operation Object: `responses` is REQUIRED; 3.1 lets it be left out.
    if "responses" not in operation.value and not operation.since("3.1"):
        operation.refuse(operation.fault("`responses` is missing"), None)
    for key, node in operation.entries("responses"):
        if paths.status_of(key) is None and not key.startswith("x-"):
            node.refuse(node.fault(f"{key!r} is not a status: use 200, 2XX or default"), None)
        # OAS 3.1.1, Response Object: `description` is REQUIRED; 3.2 lets it be left out.
        found = node.followed("a Response Object")
        if "description" not in found.value and not operation.since("3.2"):
            found.refuse(found.fault("`description` is missing"), None)
