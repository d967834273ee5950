"""Escaping of untrusted text for terminals and logs."""

from __future__ import annotations


def escaped(text: str) -> str:
    """Text that can't harm a terminal or a log: control characters but the newline are shown as escapes."""
    if text.isprintable():
        return text
    return "".join(c if c == "\n" or c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
