"""Text of a document as Markdown that stays where it is put.

Rule 1: text is escaped, never cut: what a sanitiser deletes can join what it left.
Rule 2: a document's own Markdown keeps what can't break out: emphasis, lists, code, and links to the web or to mail.
Rule 3: what is ready to be written is Markup; everything else is escaped when it is written (``rendering``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from markupsafe import Markup

from dynclient_tools.html_text import as_markdown

# CommonMark, 2.4: a backslash escapes punctuation; entities keep HTML from being HTML in any reader.
_ESCAPES = {
    **{character: f"\\{character}" for character in "\\[]`|~"},
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
}
_SPECIAL = re.compile(r"[\\\[\]`|~&<>]")
# At the start of a line, or of a list's item, these would make a heading, an underline of one, a rule, or front matter.
_STRUCTURE = re.compile(
    r"^([ \t]*(?:(?:[-+*]|\d{1,9}[.)])[ \t]+)*)"
    r"(#|=|\+{3}|-(?=[- \t]*$)|\*(?=[* \t]*$)|_(?=[_ \t]*$))",
    re.MULTILINE,
)
# In text that is no Markdown, also emphasis, and what begins a heading, a list or an underline.
_EMPHASIS = re.compile(r"\*|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_OPENING = re.compile(r"^(?:(?=#|[-+](?:\s|$)|[-=]+\s*$)|(\d{1,9})(?=[.)](?:\s|$)))")
_INLINE = re.compile(
    r"(?P<escaped>\\[!-/:-@\[-`{-~])|(?P<image>!(?=\[))|(?P<code>(?<!`)`[^`\n]+`(?!`))"
    # The text of a link may have code in it, and go on in the next line.
    r"|\[(?P<text>(?:[^\[\]\n`\\]|\n(?!\s*\n)|(?<!`)`[^`\n\[\]]+`(?!`))*)\]\((?P<url>(?:https?://|mailto:)[^\s()<>\\|`\[\]\"]+)\)"
)
_FENCE = re.compile(
    r"^ {0,3}(`{3,}|~{3,})[ \t]*([A-Za-z0-9+-]*)[^\n`]*\n(.*?)^ {0,3}\1[`~]*[ \t]*$", re.MULTILINE | re.DOTALL
)


def text(value: str) -> Markup:
    """One line of text as it is, nothing of it Markdown."""
    line = _EMPHASIS.sub(r"\\\g<0>", _escaped(" ".join(_printable(value).split())))
    return Markup(_OPENING.sub(lambda found: f"{found[1] or ''}\\", line))  # noqa: S704  # escaped just here


def cell(value: str) -> Markup:
    """One line with its emphasis, code and links, for a table's cell."""
    line = " ".join(_printable(as_markdown(value)).split())
    return Markup("".join(_inline(line, in_table=True)))  # noqa: S704  # escaped in there


def prose(value: str) -> Markup:
    """Paragraphs with their emphasis, lists, code and links; headings become plain lines."""
    lines = _printable(as_markdown("\n".join(value.splitlines()))).strip("\n")
    parts = []
    at = 0
    for block in _FENCE.finditer(lines):
        parts += [*_paragraphs(lines[at : block.start()]), str(fence(block[3], block[2]))]
        at = block.end()
    return Markup("".join([*parts, *_paragraphs(lines[at:])]))  # noqa: S704  # escaped in there


def code(value: str) -> Markup:
    """A span of code, in a table too."""
    line = " ".join(_printable(value).split()) or " "
    ticks = "`" * (_longest_run(line) + 1)
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return Markup(f"{ticks}{pad}{line}{pad}{ticks}".replace("|", "\\|"))  # noqa: S704  # a span holds it


def fence(value: str, language: str = "") -> Markup:
    """A block of code whose fence is longer than any run of backticks in it."""
    lines = _printable("\n".join(value.splitlines()))
    ticks = "`" * max(3, _longest_run(lines) + 1)
    return Markup(f"{ticks}{language}\n{lines}\n{ticks}")  # noqa: S704  # a block holds it


def link(label: str, target: str) -> Markup:
    """A link to a file or anchor of our own making."""
    return Markup(f"[{_escaped(label)}]({target})")  # noqa: S704  # targets are slugs


def slug(name: str) -> str:
    """The anchor that a heading of this name gets: GitHub's way, for names of plain letters."""
    kept = re.sub(r"[^a-z0-9_ -]", "", name.lower())
    return kept.replace(" ", "-") or "section"


def _paragraphs(lines: str) -> Iterator[str]:
    guarded = _STRUCTURE.sub(lambda found: f"{found[1]}\0{found[2]}", lines)
    yield "".join(_inline(guarded, in_table=False)).replace("\0", "\\")


def _inline(value: str, *, in_table: bool) -> Iterator[str]:
    at = 0
    for found in _INLINE.finditer(value):
        yield _escaped(value[at : found.start()])
        if found["escaped"] is not None:
            yield _ESCAPES.get(found["escaped"][1], found["escaped"])
        elif found["image"] is not None:
            yield "\\!"  # An image would be fetched by whoever reads the page.
        elif found["code"] is not None:
            span = found["code"].replace("\0", "")
            yield span.replace("|", "\\|") if in_table else span
        else:
            yield f"[{''.join(_inline(found['text'], in_table=in_table))}]({found['url']})"
        at = found.end()
    yield _escaped(value[at:])


def _escaped(value: str) -> str:
    return _SPECIAL.sub(lambda found: _ESCAPES[found[0]], value)


def _printable(value: str) -> str:
    """Without control characters, and without those that reorder a line: they are shown as escapes."""
    return "".join(c if c.isprintable() or c in "\n\t" else _shown(c) for c in value)


def _shown(character: str) -> str:
    return " " if character.isspace() else character.encode("unicode_escape").decode("ascii")


def _longest_run(value: str) -> int:
    return max((len(run) for run in re.findall(r"`+", value)), default=0)
