"""Which version of OpenAPI a document is written in, and so which reader takes it.

The readers are picked from the table ``READERS``; what differs between neighbours is a Dialect.
"""

from __future__ import annotations

import re

from dynclient._document import Document
from dynclient._readers import v2, v3
from dynclient._readers.api import Version, api, root_node
from dynclient._readers.nodes import described, spelled
from dynclient.dialects import DIALECTS, Dialect, with_draft
from dynclient.exceptions import UnsupportedVersion
from dynclient.model import API

READERS: dict[str, Version] = {"2.0": v2.VERSION, "3.0": v3.VERSION, "3.1": v3.VERSION, "3.2": v3.VERSION}

_NEEDED = 'an OpenAPI document begins with `openapi: 3.x.y` or `swagger: "2.0"`'


def read(document: Document) -> API:
    """Read a document as far as the list of its operations.

    Raises:
        UnsupportedVersion: it is no OpenAPI document, or one of a version that is not known.
        InvalidDocument: what lists the operations is not as OpenAPI wants it.
    """
    version, dialect = version_of(document)
    return api(document, dialect, version)


def version_of(document: Document) -> tuple[Version, Dialect]:
    """The reader that takes a document, and its version of OpenAPI.

    Raises:
        UnsupportedVersion: it is no OpenAPI document, or one of a version that is not known.
        InvalidDocument: its ``jsonSchemaDialect`` is not as OpenAPI wants it.
    """
    root = document.root
    if not isinstance(root, dict):
        raise UnsupportedVersion(f"{document.name} holds {described(root)}", hint=_NEEDED)
    told = next((key for key in ("openapi", "swagger") if key in root), None)
    if told is None:
        keys = ", ".join(list(root)[:5])[:80]
        raise UnsupportedVersion(f"{document.name} says no version; it has {keys or 'no key'}", hint=_NEEDED)
    # A version without quotes is a number in YAML: 2.0 may have become 2, and 3.1 is no string.
    text = " ".join((spelled(root[told]) or described(root[told])).split())[:40]
    number = re.match(r"(\d+)(?:\.(\d+))?(?![\d])", text)
    key = f"{number[1]}.{number[2] or 0}" if number else ""
    if key not in READERS or (key == "2.0") != (told == "swagger"):
        raise UnsupportedVersion(f"{document.name} says `{told}: {text}`, which is not supported", hint=_NEEDED)
    return READERS[key], _dialect(document, DIALECTS[key])


def _dialect(document: Document, dialect: Dialect) -> Dialect:
    # OAS 3.1.1, OpenAPI Object: `jsonSchemaDialect` is the default of `$schema` in Schema Objects.
    told = document.root.get("jsonSchemaDialect") if dialect.version >= "3.1" else None
    if told is None:
        return dialect
    if not isinstance(told, str):
        node = root_node(document, dialect).child("jsonSchemaDialect", told)
        raise node.fault(f"`jsonSchemaDialect` must be a string, not {described(told)}")
    return with_draft(dialect, told)
