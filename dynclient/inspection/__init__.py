"""What an operation looks like to a Python caller: arguments, signature, docstring, and views for whoever writes of it.

Rule 1: nothing here is cached and nothing is sent; who asks often keeps the answer.
Rule 2: text of the document is text: it never becomes code, and no secret is shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dynclient._deferred import deferred
from dynclient._identifiers import class_name, distinct, identifier
from dynclient._schemas import shape
from dynclient.inspection.arguments import Argument, arguments, body_schema, preferred, secret

if TYPE_CHECKING:
    from dynclient._tables import Row
    from dynclient.inspection.bounds import constraints
    from dynclient.inspection.data import body_schema_of, described
    from dynclient.inspection.docstrings import clean, client_name, docstring, page
    from dynclient.inspection.hints import Direction, Field, Hint, definition, fields, hint_tree
    from dynclient.inspection.schema_views import PropertyView, SchemaView, schema_view
    from dynclient.inspection.searching import search
    from dynclient.inspection.signatures import returns, signature
    from dynclient.inspection.tables import as_html, broken, html_table, lost, rows, table
    from dynclient.inspection.typing_objects import hint, hint_text, text
    from dynclient.inspection.views import (
        APIView,
        ArgumentView,
        HeaderView,
        MediaTypeView,
        OperationView,
        ResponseView,
        api_view,
        operation_view,
    )

__all__ = [
    "APIView",
    "Argument",
    "ArgumentView",
    "Direction",
    "Field",
    "HeaderView",
    "Hint",
    "MediaTypeView",
    "OperationView",
    "PropertyView",
    "ResponseView",
    "Row",
    "SchemaView",
    "api_view",
    "arguments",
    "as_html",
    "body_schema",
    "body_schema_of",
    "broken",
    "class_name",
    "clean",
    "client_name",
    "constraints",
    "definition",
    "described",
    "distinct",
    "docstring",
    "fields",
    "hint",
    "hint_text",
    "hint_tree",
    "html_table",
    "identifier",
    "lost",
    "operation_view",
    "page",
    "preferred",
    "returns",
    "rows",
    "schema_view",
    "search",
    "secret",
    "shape",
    "signature",
    "table",
    "text",
]

# A call needs none of these.
_MODULES = {
    "bounds": ("constraints",),
    "data": ("body_schema_of", "described"),
    "docstrings": ("clean", "client_name", "docstring", "page"),
    "hints": ("Direction", "Field", "Hint", "definition", "fields", "hint_tree"),
    "tables": ("Row", "as_html", "broken", "html_table", "lost", "rows", "table"),
    "schema_views": ("PropertyView", "SchemaView", "schema_view"),
    "searching": ("search",),
    "signatures": ("returns", "signature"),
    "typing_objects": ("hint", "hint_text", "text"),
    "views": (
        "APIView",
        "ArgumentView",
        "HeaderView",
        "MediaTypeView",
        "OperationView",
        "ResponseView",
        "api_view",
        "operation_view",
    ),
}
__getattr__ = deferred(__name__, _MODULES)


def __dir__() -> list[str]:
    return list(__all__)
