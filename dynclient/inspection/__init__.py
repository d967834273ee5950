"""What an operation looks like to a Python caller: arguments, signature, docstring, and views for whoever writes of it.

Rule 1: nothing here is cached and nothing is sent; who asks often keeps the answer.
Rule 2: text of the document is text: it never becomes code, and no secret is shown.
"""

from __future__ import annotations

from dynclient.inspection.arguments import Argument, arguments
from dynclient.inspection.docstring import docstring
from dynclient.inspection.hints import Field, Hint, definition, fields, hint_tree
from dynclient.inspection.signature import returns, signature
from dynclient.inspection.typing_objects import hint, hint_text

__all__ = [
    "Argument",
    "Field",
    "Hint",
    "arguments",
    "definition",
    "docstring",
    "fields",
    "hint",
    "hint_text",
    "hint_tree",
    "returns",
    "signature",
]
