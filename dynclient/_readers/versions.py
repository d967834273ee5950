"""Which version of OpenAPI a document is written in, and so which reader takes it.

The readers are picked from the table ``READERS``; what differs between neighbours is a Dialect.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from dynclient._document import Document
from dynclient._readers.api import Version, api, root_node
from dynclient._readers.nodes import described, spelled
from dynclient.dialects import DIALECTS, Dialect, with_draft
from dynclient.exceptions import UnsupportedVersion
from dynclient.model import API


def _v2() -> Version:
    from dynclient._readers.v2 import VERSION

    return VERSION


def _v3() -> Version:
    from dynclient._readers.v3 import VERSION

    return VERSION


READERS: dict[str, Callable[[], Version]] = {"2.0": _v2, "3.0": _v3, "3.1": _v3, "3.2": _v3}
"""What reads each version, loaded when there is a document of it."""

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
    if not isinstance(root, Mapping):
        raise UnsupportedVersion(f"{document.name} holds {described(root)}", hint=_NEEDED)
    told = next((key for key in ("openapi", "swagger") if key in root), None)
    if told is None:
        keys = ", ".join(list(root)[:5])[:80]
        raise UnsupportedVersion(f"{document.name} says no version; it has {keys or 'no key'}", hint=_NEEDED)
    # A version without quotes is a number in YAML: 2.0 may have become 2, and 3.1 is no string.
    text = " ".join((spelled(root[told]) or described(root[told])).split())[:40]
    key = text[:3]
    if key not in READERS or text[3:4].isdecimal():
        number = re.match(r"(\d+)(?:\.(\d+))?(?![\d])", text)
        key = f"{number[1]}.{number[2] or 0}" if number else ""
    if key not in READERS or (key == "2.0") != (told == "swagger"):
        raise UnsupportedVersion(f"{document.name} says `{told}: {text}`, which is not supported", hint=_NEEDED)
    return READERS[key](), _dialect(document, DIALECTS[key])


def _dialect(document: Document, dialect: Dialect) -> Dialect:
    # OAS 3.1.1, OpenAPI Object: `jsonSchemaDialect` is the default of `$schema` in Schema Objects.
    told = document.root.get("jsonSchemaDialect") if dialect.version >= "3.1" else None
    if told is None:
        return dialect
    if not isinstance(told, str):
        node = root_node(document, dialect).child("jsonSchemaDialect", told)
        raise node.fault(f"`jsonSchemaDialect` must be a string, not {described(told)}")
    return with_draft(dialect, told)
