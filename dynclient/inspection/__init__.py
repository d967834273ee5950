"""Operations as a Python caller sees them: arguments, signature, docstring, types, and views for emitters.

Rule 1: nothing is cached and nothing is sent; callers cache results that they need again.
Rule 2: text of the document never becomes code, and secrets are not shown.
Rule 3: a call needs only :mod:`dynclient.inspection.arguments`; the other modules are imported at their first use.
"""
