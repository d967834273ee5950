"""The identity of schemas, and the targets of their references.

Rule 1: a schema's identity is its absolute URI, ``<document>#<JSON pointer>``.
Rule 2: only :func:`target` follows a reference; it uses only the document's References.
Rule 3: values that are computed once for a document are stored on the document (:func:`cache`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dynclient.dialects import DIALECTS, Dialect, with_draft
from dynclient.exceptions import DocumentError, DocumentLocation, InvalidDocument, UnresolvableReference
from dynclient.json_pointer import escape, unescape
from dynclient.model import References, Schema

_DATA = frozenset({"const", "default", "enum", "example", "examples"})


def child(schema: Schema, *keys: str | int) -> Schema:
    """Return the schema below another one, by its keys."""
    uri, value = schema.uri if "#" in schema.uri else f"{schema.uri}#", schema.value
    for key in keys:
        uri = f"{uri}/{escape(str(key))}"
        value = value[key]
    # A key without a value is null in YAML: a schema without constraints.
    value = {} if value is None else value
    return Schema(uri, value, _own_dialect(schema.dialect, value), schema.references)


def reference(schema: Schema) -> str | None:
    """Return the ``$ref`` of a schema, or None."""
    found = schema.value.get("$ref") if isinstance(schema.value, Mapping) else None
    return found if isinstance(found, str) else None


def target(schema: Schema, to: str) -> Schema:
    """Return the target of a reference that is in a schema.

    Raises:
        UnresolvableReference: the target does not exist, or the reference is circular.
        UnsafeDocument: it leads to a file or URL that is not allowed.
        InvalidDocument: the target is not a schema.
    """
    uri, value = schema.references.resolve(to, schema.uri)
    if not isinstance(value, (Mapping, bool)):
        raise InvalidDocument(f"{to!r} leads to a value that is not a schema", location=location_of(schema))
    return Schema(uri, value, _dialect_at(schema, uri, value), schema.references)


def follow(schema: Schema) -> Schema:
    """Follow the chain of ``$ref`` from a schema, up to the first with its own keywords.

    Raises:
        UnresolvableReference: a target does not exist, or the chain is circular.
    """
    schema = schema._replace(dialect=_own_dialect(schema.dialect, schema.value))
    seen: set[str] = set()
    # OAS 3.0.4, Reference Object: any properties added SHALL be ignored.
    while (to := reference(schema)) is not None and (not schema.dialect.ref_siblings or len(schema.value) == 1):
        if schema.uri in seen:
            raise UnresolvableReference(f"{to!r} is circular", location=location_of(schema))
        seen.add(schema.uri)
        schema = target(schema, to)
    return schema


def component_name(schema: Schema) -> str | None:
    """Return the name of a schema among the document's named schemas; None if it is not one of these."""
    head, _, name = schema.uri.partition("#")[2].rpartition("/")
    return unescape(name) if head == schema.dialect.schemas and name else None


def location_of(schema: Schema) -> DocumentLocation | None:
    """Return the location of a schema in its document, for errors."""
    return location_at(schema.references, schema.uri)


def location_at(references: References, uri: str) -> DocumentLocation | None:
    """Return the location of a URI, for errors; None if its document can't be read."""
    try:
        return DocumentLocation(*references.location(uri))
    except DocumentError:
        return None


def cache(references: References, name: str) -> dict[Any, Any]:
    """Return a store for values that are computed once for a document; it is stored on the document."""
    stores: dict[str, dict[Any, Any]] = vars(references).setdefault("_worked_out", {})
    return stores.setdefault(name, {})


def named_schemas(schema: Schema) -> Mapping[str, Any]:
    """Return the named schemas of the document that a schema is in."""
    found = _value_at(schema, f"{schema.uri.partition('#')[0]}#{schema.dialect.schemas}")
    return found if isinstance(found, Mapping) else {}


def _value_at(schema: Schema, uri: str) -> Any:
    """Return the value at a URI in a schema's documents; None if there is none."""
    try:
        return schema.references.resolve(uri, schema.uri)[1]
    except DocumentError:
        return None


def _own_dialect(dialect: Dialect, value: Any) -> Dialect:
    if dialect.identifiers and isinstance(value, Mapping) and "$schema" in value:
        return with_draft(dialect, value["$schema"])
    return dialect


def _dialect_at(schema: Schema, uri: str, value: Any) -> Dialect:
    """Return the dialect of a reference's target: another document may be of another version."""
    document = uri.partition("#")[0]
    dialect = schema.dialect
    if document != schema.uri.partition("#")[0]:
        known = cache(schema.references, "dialects")
        if document not in known:
            known[document] = _document_dialect(schema, document)
        dialect = known[document]
    return _own_dialect(dialect, value)


def _document_dialect(schema: Schema, document: str) -> Dialect:
    """Return the dialect that a document declares, or else that of the schema that refers to it."""
    root = _value_at(schema, f"{document}#")
    if not isinstance(root, Mapping):
        return schema.dialect
    version = str(root.get("openapi") or root.get("swagger") or "")[:3]
    dialect = DIALECTS.get(version, schema.dialect)
    return with_draft(dialect, root.get("jsonSchemaDialect", root.get("$schema")))


def resource_of(schema: Schema) -> Schema:
    """Return the resource that a schema is in: the nearest schema with ``$id``, or the document.

    JSON Schema 2020-12, 4.3.5: a schema with ``$id`` is a resource, and so is a whole document.
    """
    document, _, pointer = schema.uri.partition("#")
    node = _value_at(schema, f"{document}#")
    if node is None:
        return schema
    home = Schema(f"{document}#", node, schema.dialect, schema.references)
    at = f"{document}#"
    for key in pointer.split("/")[1:]:
        node = node[int(key)] if isinstance(node, list) else node.get(unescape(key), {})
        at = f"{at}/{key}"
        if schema.dialect.identifiers and isinstance(node, Mapping) and isinstance(node.get("$id"), str):
            home = Schema(at, node, schema.dialect, schema.references)
    return home


def anchored(home: Schema) -> Iterator[Schema]:
    """Yield the schemas of a resource that have a ``$dynamicAnchor``."""
    waiting: list[tuple[str, Any]] = [(home.uri, home.value)]
    while waiting:
        uri, node = waiting.pop()
        if isinstance(node, Mapping):
            if isinstance(node.get("$id"), str) and uri != home.uri:
                continue
            if isinstance(node.get("$dynamicAnchor"), str):
                yield Schema(uri, node, home.dialect, home.references)
            waiting += [(f"{uri}/{escape(str(key))}", below) for key, below in node.items() if key not in _DATA]
        elif isinstance(node, list):
            waiting += [(f"{uri}/{index}", below) for index, below in enumerate(node)]
