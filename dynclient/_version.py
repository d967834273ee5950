"""The version of this distribution: a public name, and part of the User-Agent header."""

from __future__ import annotations

__version__ = "0.2.0.dev0"
