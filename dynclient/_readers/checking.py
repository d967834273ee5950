"""Everything that is wrong with a document's OpenAPI objects.

Rule 1: operations are read as they are for calls, but what is wrong is noted, and reading goes on with a stand-in. So
are callbacks, webhooks, and what stands in ``components`` and is used by nobody.
Rule 2: then come the rules whose breaches a reader forgives, since a call can be made all the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from dynclient._document import Document
from dynclient._readers import paths
from dynclient._readers.api import Reader, Version, root_node
from dynclient._readers.components import section
from dynclient._readers.nodes import Faults, Node
from dynclient._readers.parameters import declared
from dynclient._readers.responses import status_of
from dynclient._readers.versions import version_of
from dynclient._records import Record
from dynclient._rows import OperationRow
from dynclient.exceptions import DocumentError
from dynclient.model import Operation


class Checked(Record):
    """The operations, read as far as they can be, those of callbacks and webhooks too; and what is wrong with them."""

    operations: tuple[Operation, ...]
    faults: tuple[DocumentError, ...]


class _Place(Record):
    """An operation where it stands: a row, the Operation Object, its Path Items."""

    row: OperationRow
    node: Node
    items: Sequence[Node]


def check(document: Document) -> Checked:
    """Find what is wrong with a document.

    Raises:
        DocumentError: it can't be read at all.
    """
    version, dialect = version_of(document)
    faults = Faults()
    root = root_node(document, dialect)
    root = root._replace(source=root.source._replace(faults=faults))
    places = list(_places(root))
    reader = Reader(root, version)
    operations: list[Operation] = []
    for place in places:
        with _noting(faults):
            _responses(place.node)
            operations.append(reader.operation(*place))
    _components(root, version, reader, faults)
    _identifiers(places)
    return Checked(tuple(operations), tuple(faults.found))


def _places(root: Node) -> Iterator[_Place]:
    """The operations of paths, with their callbacks, and of webhooks (OAS 3.1)."""
    for path, item in _named(root, "paths"):
        paths.check_path(path, item)
        for place in _operations(path, item):
            yield place
            yield from _callbacks(place.node)
            _parameters(place)
    if root.since("3.1"):
        for name, item in _named(root, "webhooks"):
            for place in _operations(name, item):
                yield place
                yield from _callbacks(place.node)


def _named(node: Node, key: str) -> Iterator[tuple[str, Node]]:
    return ((name, item) for name, item in node.entries(key) if not name.startswith("x-"))


def _operations(path: str, item: Node) -> Iterator[_Place]:
    items = paths.path_items(item)
    for found in paths.operations(path, item):
        node = found.node.followed("an Operation Object")
        row = OperationRow(
            f"{found.method} {path}", found.method, path, found.operation_id, "", (), "", (), False, node.pointer, ""
        )
        yield _Place(row, node, items)


def _callbacks(operation: Node) -> Iterator[_Place]:
    # OAS 3.1.1, Callback Object: runtime expressions, each with a Path Item.
    if not operation.since("3.0"):
        return
    for _, callback in _named(operation, "callbacks"):
        for expression, item in callback.followed("a Callback Object").value.items():
            if not expression.startswith("x-"):
                yield from _operations(expression, callback.followed("a Callback Object").child(expression, item))


def _members(section: Node | None) -> Iterator[tuple[str, Node]]:
    if section is not None:
        for name, value in section.value.items():
            if not name.startswith("x-"):
                yield name, section.child(name, value)


@contextmanager
def _noting(faults: Faults) -> Iterator[None]:
    """Note also what was raised where it could not be refused."""
    try:
        yield
    except DocumentError as error:
        faults.note(error)


def _components(root: Node, version: Version, reader: Reader, faults: Faults) -> None:
    """What stands by its name in the document, used or not."""
    version.servers(root)
    for name in reader.schemes:
        _ = reader.schemes[name]
    for pointer, read in version.components.items():
        held = section(root, pointer)
        for name, node in _members(held):
            with _noting(faults):
                read(name, node)


def _identifiers(places: Iterable[_Place]) -> None:
    # OAS 3.1.1, Operation Object: the id MUST be unique among all operations described in the API.
    seen: dict[str, _Place] = {}
    for place in places:
        name = place.row.operation_id
        first = seen.setdefault(name, place) if name is not None else place
        if first.node.uri != place.node.uri:
            node = place.node.at("operationId") or place.node
            node.refuse(node.fault(f"`operationId` {name!r} is that of {first.row.key} too"), None)


def _parameters(place: _Place) -> None:
    """What a path says of its parameters, and they of it."""
    for level in (place.node, *place.items):
        _alike(level)
    names = paths.template_names(place.row.path)
    nodes = [node for node in declared(place.node, place.items) if node.value.get("in") == "path"]
    # OAS 3.1.1, Path Templating: each template expression MUST correspond to a path parameter.
    for name in set(names) - {node.value.get("name") for node in nodes}:
        place.node.refuse(place.node.fault(f"{{{name}}} of the path is no parameter `in: path`"), None)
    for node in nodes:
        # OAS 3.1.1, Parameter Object: `name` MUST correspond to an expression in the path; `required` MUST be true.
        if isinstance(node.value.get("name"), str) and node.value["name"] not in names:
            node.refuse(node.fault(f"the path {place.row.path} has no {{{node.value['name']}}}"), None)
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
        if status_of(key) is None and not key.startswith("x-"):
            node.refuse(node.fault(f"{key!r} is no status: one is 200, 2XX or default"), None)
        # OAS 3.1.1, Response Object: `description` is REQUIRED; 3.2 lets it be left out.
        found = node.followed("a Response Object")
        if "description" not in found.value and not operation.since("3.2"):
            found.refuse(found.fault("`description` is missing"), None)
