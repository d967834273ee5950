"""A document as an API: what both readers do alike.

Rule 1: reading a document lists its operations and stops; ``API.read`` reads one of them, each time anew.
Rule 2: what differs between OpenAPI 2.0 and 3 is a :class:`Version`: how an operation, a scheme, the servers are read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from dynclient._document import Document
from dynclient._readers import paths
from dynclient._readers.components import Components, schemas, section
from dynclient._readers.listings import listing
from dynclient._readers.nodes import Node, Source
from dynclient._readers.security import requirements
from dynclient._records import Record
from dynclient.dialects import Dialect
from dynclient.exceptions import DocumentError
from dynclient.model import API, Operation, OperationRow, SecurityScheme, Server, Tag


class Version(Record):
    """What a reader of OpenAPI 2.0 or 3 brings.

    ``operation`` fills in what stands in an Operation Object, given the operation without it, the object, its Path
    Items (the nearest first) and the root; ``schemes`` is the pointer under which security schemes stand;
    ``components`` reads what stands by its name under a pointer.
    """

    operation: Callable[[Operation, Node, Sequence[Node], Node], Operation]
    scheme: Callable[[str, Node], SecurityScheme]
    servers: Callable[[Node], tuple[Server, ...]]
    schemes: str
    components: Mapping[str, Callable[[str, Node], object]]


def api(document: Document, dialect: Dialect, version: Version) -> API:
    """List a document's operations, and tell how to read one.

    Raises:
        InvalidDocument: ``paths`` is no object, or missing where it must not be.
    """
    root = root_node(document, dialect)
    info = root.at("info")
    info = info if info is not None and isinstance(info.value, Mapping) else root.child("info", {})
    tags = _declared_tags(root)
    kept = listing(document.listing)
    rows, namespaces, faults = (*kept, ()) if kept is not None else _listed(root, tags)
    reader = Reader(root, version)
    return API(
        title=info.note("title"),
        version=info.note("version"),
        document_uri=document.uri,
        document_name=document.name,
        remote=document.remote,
        rows=rows,
        read=reader.read,
        security_schemes=reader.schemes,
        schemas=schemas(root),
        servers=_servers(root, version),
        tags=tuple(_tag(name, namespace, tags.get(name)) for name, namespace in namespaces.items()),
        description=info.note("description"),
        summary=info.note("summary"),
        references=document,
        faults=faults,
    )


def _listed(
    root: Node, tags: Iterable[str]
) -> tuple[tuple[OperationRow, ...], dict[str, str], tuple[DocumentError, ...]]:
    """The rows, the namespace of each tag, and what is wrong with whole paths."""
    from dynclient._readers.names import names

    listed = paths.listing(root)
    named = names(listed.found, tags)
    return tuple(map(_row, listed.found, named.flat, named.by_tag)), named.namespaces, listed.faults


def root_node(document: Document, dialect: Dialect) -> Node:
    """The root of a document."""
    location = document.uri if document.remote else None
    return Node(document.root, f"{document.uri}#", Source(document, dialect, document.uri, location))


class Reader:
    """Reads the operations of one document."""

    __slots__ = ("_root", "_version", "schemes")

    def __init__(self, root: Node, version: Version) -> None:
        """Take the document's root, and what differs between versions."""
        self._root = root
        self._version = version
        self.schemes: Mapping[str, SecurityScheme] = Components(
            section(root, version.schemes), lambda name, node: version.scheme(name, node.followed("a Security Scheme"))
        )

    def read(self, row: OperationRow) -> Operation:
        """Read an operation.

        Raises:
            DocumentError: it is broken.
        """
        try:
            return self._read(row)
        except DocumentError as error:
            error.operation_id = error.operation_id or row.operation_id or row.key
            raise

    def _read(self, row: OperationRow) -> Operation:
        item = self._path_item(row)
        paths.check_path(row.path, item)
        found = next((one for one in paths.operations(row.path, item) if one.method == row.method), None)
        if found is None or found.operation_id != row.operation_id:
            raise item.fault(f"there is no {row.key}, or not the one that was listed")
        return self.operation(row, found.node.followed("an Operation Object"), paths.path_items(item))

    def operation(self, row: OperationRow, node: Node, items: Sequence[Node]) -> Operation:
        """Read an Operation Object, wherever it stands; ``items`` are its Path Items, the nearest first."""
        paths.check_method(row.method, node)
        root = self._root
        operation = Operation(
            row=row,
            security=requirements(node, root, self.schemes, self._version.schemes),
            description=node.note("description") or next(filter(None, (one.note("description") for one in items)), ""),
            external_docs=_external_docs(node),
            extensions=node.extensions(),
        )
        return self._version.operation(operation, node, items, root)

    def _path_item(self, row: OperationRow) -> Node:
        listed = self._root.at("paths")
        item = listed.object("`paths`").at(row.path) if listed is not None else None
        if item is None:
            raise self._root.fault(f"there is no path {row.path!r}")
        return item


def _row(found: paths.Found, name: str, names_by_tag: tuple[tuple[str, str], ...]) -> OperationRow:
    return OperationRow(
        f"{found.method} {found.path}",
        found.method,
        found.path,
        found.operation_id,
        name,
        names_by_tag,
        found.summary,
        found.tags,
        found.deprecated,
        found.node.pointer,
        found.path_pointer,
    )


def _servers(root: Node, version: Version) -> tuple[Server, ...]:
    """The document's servers; none where they are broken: each operation that needs them says so."""
    try:
        return version.servers(root)
    except DocumentError:
        return ()


def _declared_tags(root: Node) -> dict[str, Node]:
    tags: Iterable[object] = root.value.get("tags") or ()
    if not isinstance(tags, list):
        return {}
    nodes = [root.child("tags", tags).child(index, tag) for index, tag in enumerate(tags) if isinstance(tag, Mapping)]
    return {node.note("name"): node for node in nodes if node.note("name")}


def _tag(name: str, namespace: str, node: Node | None) -> Tag:
    if node is None:
        return Tag(name, namespace)
    return Tag(
        name=name,
        namespace=namespace,
        summary=node.note("summary"),
        description=node.note("description"),
        parent=node.note("parent") or None,
        kind=node.note("kind"),
    )


def _external_docs(node: Node) -> str:
    docs = node.value.get("externalDocs")
    return node.child("externalDocs", docs).note("url") if isinstance(docs, Mapping) else ""
