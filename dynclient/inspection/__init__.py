"""What an operation looks like to a Python caller: arguments, signature, docstring, and views for whoever writes of it.

Rule 1: nothing here is cached and nothing is sent; who asks often keeps the answer.
Rule 2: text of the document is text: it never becomes code, and no secret is shown.
"""

from __future__ import annotations

from dynclient.inspection.arguments import Argument, arguments

__all__ = ["Argument", "arguments"]
