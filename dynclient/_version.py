"""The version of this distribution, which the build reads; it is part of the User-Agent header."""

from __future__ import annotations

__version__ = "0.2.0.dev0"
