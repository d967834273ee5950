"""Where schemas stand, and where their references lead.

Rule 1: a schema's identity is its absolute URI, ``<document>#<JSON pointer>``.
Rule 2: only :func:`target` follows a reference; it asks the document's References, and nobody else.
Rule 3: what is worked out once for a document is kept by the document (:func:`cache`), and so goes when it goes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dynclient.dialects import DIALECTS, Dialect, with_draft
from dynclient.exceptions import DocumentError, InvalidDocument, Place, UnresolvableReference
from dynclient.json_pointer import escape, unescape
from dynclient.model import References, Schema


def child(schema: Schema, *keys: str | int) -> Schema:
    """The schema that stands below another one, by its keys."""
    uri, value = schema.uri if "#" in schema.uri else f"{schema.uri}#", schema.value
    for key in keys:
        uri = f"{uri}/{escape(str(key))}"
        value = value[key]
    return Schema(uri, value, _own_dialect(schema.dialect, value), schema.references)


def reference(schema: Schema) -> str | None:
    """The ``$ref`` of a schema, or None where it has none."""
    found = schema.value.get("$ref") if isinstance(schema.value, Mapping) else None
    return found if isinstance(found, str) else None


def target(schema: Schema, to: str) -> Schema:
    """The schema that a reference found in another one leads to.

    Raises:
        UnresolvableReference: it leads nowhere, or in a circle.
        UnsafeDocument: it leads where the caller does not allow.
        InvalidDocument: what is there is no schema.
    """
    uri, value = schema.references.resolve(to, schema.uri)
    if not isinstance(value, (Mapping, bool)):
        raise InvalidDocument(f"{to!r} leads to something that is no schema", place=place(schema))
    return Schema(uri, value, _dialect_at(schema, uri, value), schema.references)


def follow(schema: Schema) -> Schema:
    """Go where a schema's ``$ref`` leads, as often as it says nothing else.

    Raises:
        UnresolvableReference: it leads nowhere, or in a circle.
    """
    schema = schema._replace(dialect=_own_dialect(schema.dialect, schema.value))
    seen: set[str] = set()
    while (to := reference(schema)) is not None and _says_nothing_else(schema):
        if schema.uri in seen:
            raise UnresolvableReference(f"{to!r} leads in a circle", place=place(schema))
        seen.add(schema.uri)
        schema = target(schema, to)
    return schema


def component_name(schema: Schema) -> str | None:
    """The name under which a schema stands among the document's named schemas; None where it has none."""
    head, _, name = schema.uri.partition("#")[2].rpartition("/")
    return unescape(name) if head == schema.dialect.schemas and name else None


def place(schema: Schema) -> Place | None:
    """Where the document says what this schema says."""
    return place_of(schema.references, schema.uri)


def place_of(references: References, uri: str) -> Place | None:
    """Where a document says what stands at a URI; None where even its name can't be told."""
    try:
        return Place(*references.place(uri))
    except DocumentError:
        return None


def cache(references: References, name: str) -> dict[Any, Any]:
    """A store for what is worked out once for a document. It lives on the document, as long as that does."""
    stores: dict[str, dict[Any, Any]] = vars(references).setdefault("_worked_out", {})
    return stores.setdefault(name, {})


def named_schemas(schema: Schema) -> Mapping[str, Any]:
    """The map of named schemas of the document that a schema stands in; empty where it has none."""
    document = schema.uri.partition("#")[0]
    try:
        _, found = schema.references.resolve(f"{document}#{schema.dialect.schemas}", schema.uri)
    except DocumentError:
        return {}
    return found if isinstance(found, Mapping) else {}


def _says_nothing_else(schema: Schema) -> bool:
    # OAS 3.0.4, Reference Object: any properties added SHALL be ignored.
    return not schema.dialect.ref_siblings or len(schema.value) == 1


def _own_dialect(dialect: Dialect, value: Any) -> Dialect:
    if dialect.identifiers and isinstance(value, Mapping) and "$schema" in value:
        return with_draft(dialect, value["$schema"])
    return dialect


def _dialect_at(schema: Schema, uri: str, value: Any) -> Dialect:
    """The dialect of what a reference leads to: another document may be written in another one."""
    document = uri.partition("#")[0]
    dialect = schema.dialect
    if document != schema.uri.partition("#")[0]:
        known = cache(schema.references, "dialects")
        if document not in known:
            known[document] = _document_dialect(schema, document)
        dialect = known[document]
    return _own_dialect(dialect, value)


def _document_dialect(schema: Schema, document: str) -> Dialect:
    """The dialect that a document says it is written in, or else that of the schema that refers to it."""
    try:
        _, root = schema.references.resolve(f"{document}#", schema.uri)
    except DocumentError:
        return schema.dialect
    if not isinstance(root, Mapping):
        return schema.dialect
    version = str(root.get("openapi") or root.get("swagger") or "")[:3]
    dialect = DIALECTS.get(version, schema.dialect)
    return with_draft(dialect, root.get("jsonSchemaDialect", root.get("$schema")))
