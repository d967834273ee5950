"""HTML in descriptions, of which documents have some, as the Markdown that says the same.

Rule 1: this is for the look alone: what comes out is as strange as what went in, and ``markdown`` escapes it then.
Rule 2: only tags without attributes are known, and links to the web; all else stays as it is, and is shown so.
"""

from __future__ import annotations

import re

_TAGS = (
    (re.compile(r"<(code|tt)>([^<>`\n]+)</\1>", re.IGNORECASE), r"`\2`"),
    (re.compile(r"<(?:b|strong)>\s*([^<>*\n]*[^<>*\s])\s*</(?:b|strong)>", re.IGNORECASE), r"**\1**"),
    (re.compile(r"<(?:i|em)>\s*([^<>*\n]*[^<>*\s])\s*</(?:i|em)>", re.IGNORECASE), r"*\1*"),
    (
        re.compile(
            r"<a\s+href=[\"'](https?://[^\s\"'<>()]+)[\"'](?:\s+target=[\"']\w*[\"'])?>([^<>\[\]`\n]+)</a>",
            re.IGNORECASE,
        ),
        r"[\2](\1)",
    ),
    (re.compile(r"[ \t]*<br\s*/?>[ \t]*", re.IGNORECASE), "  \n"),
    (re.compile(r"\s*<li>\s*", re.IGNORECASE), "\n- "),
    (re.compile(r"\s*</li>[ \t]*", re.IGNORECASE), "\n"),
    (re.compile(r"\s*(?:</?(?:p|ul|ol|div)>\s*)+", re.IGNORECASE), "\n\n"),
)


def as_markdown(value: str) -> str:
    """A text with its simple tags written as Markdown."""
    if "<" not in value:
        return value
    for tag, written in _TAGS:
        value = tag.sub(written, value)
    return value
