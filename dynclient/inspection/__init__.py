"""An operation from the view of a Python caller: its arguments, signature, docstring, types, and views for writers.

Rule 1: nothing is cached and nothing is sent; callers keep results that they need again.
Rule 2: text of the document never becomes code, and secrets are not shown.
Rule 3: a call needs :mod:`dynclient.inspection.arguments` alone; the other modules are imported on first use.
"""
