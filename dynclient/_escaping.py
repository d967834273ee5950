"""Text for people: escaping of untrusted text for terminals and logs, and counts with their noun."""

from __future__ import annotations

import logging


def escaped(text: str) -> str:
    """Text that can't harm a terminal or a log: control characters but the newline are shown as escapes."""
    if text.isprintable():
        return text
    return "".join(c if c == "\n" or c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def one_line(text: str) -> str:
    """The same for a text that has to stay on one line."""
    return escaped(text).replace("\n", "\\n")


def logger(name: str = "dynclient") -> logging.Logger:
    """A logger whose records are one line each, even if they contain names or texts from documents or servers."""
    found = logging.getLogger(name)
    found.addFilter(_as_one_line)
    return found


def _as_one_line(record: logging.LogRecord) -> bool:
    text = record.getMessage()
    shown = one_line(text)
    if shown != text:
        record.msg, record.args = shown, ()
    return True


def without_user(url: str) -> str:
    """A text that should be a URL, for an error: without the part before an @, which may contain a password."""
    return url if "@" not in url else f"***@{url.rpartition('@')[2]}"


def counted(number: float, noun: str) -> str:
    """A number with its noun, in the plural unless the number is 1."""
    if number == 1:
        return f"{number} {noun}"
    return f"{number} {noun[:-1]}ies" if noun.endswith("y") else f"{number} {noun}s"
