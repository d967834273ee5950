"""An operation from the view of a Python caller: its arguments, signature, docstring, types, and views for writers.

Rule 1: nothing is cached and nothing is sent; callers keep results that they need again.
Rule 2: text of the document never becomes code, and secrets are not shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dynclient._deferred import deferred
from dynclient._identifiers import class_name, distinct
from dynclient.inspection.arguments import Argument, arguments, body_schema, positional, preferred, secret

if TYPE_CHECKING:
    from dynclient.inspection.catalog import as_html, lost, rows, search
    from dynclient.inspection.docstrings import clean, client_name, constraints, docstring, page
    from dynclient.inspection.hints import Direction, Field, Hint, definition, fields, text
    from dynclient.inspection.signatures import returns, signature
    from dynclient.inspection.views import (
        APIView,
        ArgumentView,
        OperationView,
        SchemaView,
        api_view,
        body_schema_of,
        described,
        operation_view,
        schema_view,
    )

__all__ = [
    "APIView",
    "Argument",
    "ArgumentView",
    "Direction",
    "Field",
    "Hint",
    "OperationView",
    "SchemaView",
    "api_view",
    "arguments",
    "as_html",
    "body_schema",
    "body_schema_of",
    "class_name",
    "clean",
    "client_name",
    "constraints",
    "definition",
    "described",
    "distinct",
    "docstring",
    "fields",
    "lost",
    "operation_view",
    "page",
    "positional",
    "preferred",
    "returns",
    "rows",
    "schema_view",
    "search",
    "secret",
    "signature",
    "text",
]

# Imported on first use: a call needs none of these.
_MODULES = {
    "catalog": ("as_html", "lost", "rows", "search"),
    "docstrings": ("clean", "client_name", "constraints", "docstring", "page"),
    "hints": ("Direction", "Field", "Hint", "definition", "fields", "text"),
    "signatures": ("returns", "signature"),
    "views": (
        "APIView",
        "ArgumentView",
        "OperationView",
        "SchemaView",
        "api_view",
        "body_schema_of",
        "described",
        "operation_view",
        "schema_view",
    ),
}
__getattr__ = deferred(__name__, _MODULES)


def __dir__() -> list[str]:
    return list(__all__)
