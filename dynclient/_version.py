"""The version of this distribution: for the face, and for the User-Agent header."""

from __future__ import annotations

__version__ = "0.1.0"
