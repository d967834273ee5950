"""Text for people: escaping of untrusted text for terminals and logs, and counts with their noun."""

from __future__ import annotations


def escaped(text: str) -> str:
    """Text that can't harm a terminal or a log: control characters but the newline are shown as escapes."""
    if text.isprintable():
        return text
    return "".join(c if c == "\n" or c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def counted(number: float, noun: str) -> str:
    """A number with its noun, in the plural unless the number is 1."""
    if number == 1:
        return f"{number} {noun}"
    return f"{number} {noun[:-1]}ies" if noun.endswith("y") else f"{number} {noun}s"
