"""What an operation looks like to a Python caller: arguments, signature, docstring, and views for whoever writes of it.

Rule 1: nothing here is cached and nothing is sent; who asks often keeps the answer.
Rule 2: text of the document is text: it never becomes code, and no secret is shown.
"""

from __future__ import annotations

from dynclient._identifiers import class_name, distinct, identifier
from dynclient._schemas import shape
from dynclient._tables import Row
from dynclient.inspection.arguments import Argument, arguments, body_schema, preferred
from dynclient.inspection.constraints import constraints, secret
from dynclient.inspection.data import body_schema_of, described
from dynclient.inspection.docstring import clean, client_name, docstring, page
from dynclient.inspection.hints import Direction, Field, Hint, definition, fields, hint_tree
from dynclient.inspection.rows import as_html, broken, html_table, lost, rows, table
from dynclient.inspection.schema_views import PropertyView, SchemaView, schema_view
from dynclient.inspection.search import search
from dynclient.inspection.signature import returns, signature
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
