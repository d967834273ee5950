r"""Regular expressions of documents: read as ECMA-262 has them, and matched in bounded time.

``compile`` never raises. A pattern that can't be understood, or whose matching time can't be bounded, says so in
``problem``, and ``search`` answers None: not known. No library on PyPI is both exact (lookarounds, ``\d`` as ASCII)
and linear: ``regress`` backtracks without bound, ``google-re2`` has no lookarounds.
"""

from __future__ import annotations

from dynclient._regex.matching import Budget, Pattern, compile  # noqa: A004 - as in ``re``
from dynclient._regex.syntax import PatternError, read

__all__ = ["Budget", "Pattern", "PatternError", "compile", "read"]
