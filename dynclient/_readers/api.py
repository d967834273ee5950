"""A document as an API: its version, the list of its operations, and how to read one of them.

Rule 1: reading a document only lists its operations; ``API.read`` reads one of them, and keeps nothing.
Rule 2: the table ``READERS`` picks the reader, which is loaded for the first document of its version. Differences
between versions are in a Dialect.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from importlib import import_module

from dynclient._document.references import Document
from dynclient._document.text import described
from dynclient._readers import paths
from dynclient._readers.listings import listing
from dynclient._readers.nodes import Components, Node, Source, schemas, section, spelled
from dynclient._readers.paths import Version
from dynclient._readers.security import requirements
from dynclient.dialects import DIALECTS, Dialect, with_draft
from dynclient.exceptions import DocumentError, UnsupportedVersion
from dynclient.model import API, Incoming, Operation, OperationRow, SecurityRequirement, SecurityScheme, Server, Tag

READERS = {"2.0": "openapi2", "3.0": "openapi3", "3.1": "openapi3", "3.2": "openapi3"}
"""The module of this package that reads each version."""

_NEEDED = 'an OpenAPI document begins with `openapi: 3.x.y` or `swagger: "2.0"`'


def read(document: Document) -> API:
    """Read the list of a document's operations.

    Raises:
        UnsupportedVersion: it is not an OpenAPI document, or has an unknown version.
        InvalidDocument: ``paths`` or ``jsonSchemaDialect`` is invalid.
    """
    version, dialect = version_of(document)
    root = root_node(document, dialect)
    info = root.at("info")
    info = info if info is not None and isinstance(info.value, Mapping) else root.child("info", {})
    tags = _declared_tags(root)
    kept = listing(document.listing)
    rows, namespaces, faults = (*kept, ()) if kept is not None else _listed(root, tags)
    reader = OperationReader(root, version)
    servers: tuple[Server, ...] = ()
    # Errors in servers are reported by each operation that needs them.
    with suppress(DocumentError):
        servers = version.servers(root)
    security: tuple[SecurityRequirement, ...] = ()
    with suppress(DocumentError):
        security = requirements(root, root, reader.schemes, version.schemes)
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
        servers=servers,
        security=security,
        tags=tuple(_tag(name, namespace, tags.get(name)) for name, namespace in namespaces.items()),
        description=info.note("description"),
        summary=info.note("summary"),
        references=document,
        faults=faults,
        source_uri=document.source_uri,
        read_incoming=reader.read_incoming,
    )


def version_of(document: Document) -> tuple[Version, Dialect]:
    """Return the reader of a document, and its dialect.

    Raises:
        UnsupportedVersion: it is not an OpenAPI document, or has an unknown version.
        InvalidDocument: its ``jsonSchemaDialect`` is not a string.
    """
    root = document.root
    if not isinstance(root, Mapping):
        raise UnsupportedVersion(f"{document.name} contains {described(root)}", hint=_NEEDED)
    field = next((key for key in ("openapi", "swagger") if key in root), None)
    if field is None:
        keys = ", ".join(list(root)[:5])[:80]
        raise UnsupportedVersion(f"{document.name} has no version; its keys are {keys or 'none'}", hint=_NEEDED)
    # A version without quotes is a number in YAML: 2.0 may have become 2, and 3.1 is a float.
    text = " ".join((spelled(root[field]) or described(root[field])).split())[:40]
    key = text[:3]
    if key not in READERS or text[3:4].isdecimal():
        number = re.match(r"(\d+)(?:\.(\d+))?(?![\d])", text)
        key = f"{number[1]}.{number[2] or 0}" if number else ""
    if key not in READERS or (key == "2.0") != (field == "swagger"):
        raise UnsupportedVersion(f"{document.name} has `{field}: {text}`, which is not supported", hint=_NEEDED)
    reader = import_module(f"dynclient._readers.{READERS[key]}")
    return reader.VERSION, _dialect(document, DIALECTS[key])


def _dialect(document: Document, dialect: Dialect) -> Dialect:
    # OAS 3.1.1, OpenAPI Object: `jsonSchemaDialect` is the default of `$schema` in Schema Objects.
    draft = document.root.get("jsonSchemaDialect") if dialect.version >= "3.1" else None
    if draft is None:
        return dialect
    if not isinstance(draft, str):
        node = root_node(document, dialect).child("jsonSchemaDialect", draft)
        raise node.fault(f"`jsonSchemaDialect` must be a string, not {described(draft)}")
    return with_draft(dialect, draft)


def _listed(
    root: Node, tags: Iterable[str]
) -> tuple[tuple[OperationRow, ...], dict[str, str], tuple[DocumentError, ...]]:
    """Return the rows, the namespace of each tag, and the errors of whole paths."""
    from dynclient._readers.names import names

    bare, faults = paths.rows_of(root)
    named = names(bare, tags)
    rows = [row._replace(name=name, names_by_tag=by_tag) for row, name, by_tag in zip(bare, *named[:2], strict=True)]
    return tuple(rows), named.namespaces, faults


def root_node(document: Document, dialect: Dialect) -> Node:
    """Return the node of a document's root."""
    location = document.uri if document.remote else None
    return Node(document.root, f"{document.uri}#", Source(document, dialect, document.uri, location))


class OperationReader:
    """Reads the operations of one document."""

    __slots__ = ("_root", "_version", "schemes")

    def __init__(self, root: Node, version: Version) -> None:
        """``version`` has the differences between versions."""
        self._root = root
        self._version = version
        self.schemes: Mapping[str, SecurityScheme] = Components(
            section(root, version.schemes), lambda name, node: version.scheme(name, node.followed("a Security Scheme"))
        )

    def read(self, row: OperationRow) -> Operation:
        """Read an operation.

        Raises:
            DocumentError: the document is wrong in a part that the operation needs.
        """
        try:
            return self._read(row)
        except DocumentError as error:
            error.operation_id = error.operation_id or row.operation_id or row.key
            error.hint = error.hint or f"client.request({row.method!r}, {row.path!r}) sends a request past the document"
            raise

    def read_incoming(self, row: OperationRow | None) -> tuple[Incoming, ...]:
        """Read the callbacks of an operation, or with None the webhooks of the document.

        Raises:
            DocumentError: one of them is broken.
        """
        root = self._root
        if row is None:
            # OAS 3.1.1, OpenAPI Object; earlier documents have the extension x-webhooks in its place.
            key = "webhooks" if root.since("3.1") and "webhooks" in root.value else "x-webhooks"
            named = ((name, "", item) for name, item in root.entries(key) if not name.startswith("x-"))
        else:
            # OAS 3.1.1, Callback Object: runtime expressions, each with a Path Item.
            named = (
                (name, text, callback.child(text, item))
                for name, node in self._found(row)[0].entries("callbacks")
                for callback in [node.followed("a Callback Object")]
                for text, item in callback.value.items()
                if not text.startswith("x-")
            )
        return tuple(each for name, text, item in named for each in self._incoming(name, text, item))

    def _incoming(self, name: str, expression: str, item: Node) -> Iterator[Incoming]:
        items = paths.path_items(item)
        for found, node in paths.operations_at("/", item):
            operation = self.operation(found, node.followed("an Operation Object"), items)
            row = found._replace(key=f"{found.method} {name}", path=expression or name, name=name)
            yield Incoming(name, operation._replace(row=row), expression)

    def _read(self, row: OperationRow) -> Operation:
        node, item = self._found(row)
        return self.operation(row, node, paths.path_items(item))

    def _found(self, row: OperationRow) -> tuple[Node, Node]:
        listed = self._root.at("paths")
        item = listed.map("`paths`").at(row.path) if listed is not None else None
        if item is None:
            raise self._root.fault(f"there is no path {row.path!r}")
        paths.check_path(row.path, item)
        found = {own.method: (own, node) for own, node in paths.operations_at(row.path, item)}.get(row.method)
        if found is None or found[0].operation_id != row.operation_id:
            raise item.fault(f"there is no {row.key}, or not the one that was listed")
        return found[1].followed("an Operation Object"), item

    def operation(self, row: OperationRow, node: Node, items: Sequence[Node]) -> Operation:
        """Read an Operation Object anywhere in the document; ``items`` are its Path Items, the nearest first."""
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
