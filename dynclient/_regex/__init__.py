r"""Regular expressions of documents: ECMA-262 syntax and semantics, matched in bounded time.

``compile`` never raises. A pattern that is invalid, or whose matching time can't be bounded, has a ``problem``, and
``search`` returns None: unknown. No library on PyPI is both exact (lookarounds, ``\d`` as ASCII) and linear:
``regress`` backtracks without bound, ``google-re2`` has no lookarounds.
"""

from __future__ import annotations

from dynclient._regex.matching import Budget, Pattern, compile  # noqa: A004 - as in ``re``
from dynclient._regex.syntax import PatternError, read

__all__ = ["Budget", "Pattern", "PatternError", "compile", "read"]
