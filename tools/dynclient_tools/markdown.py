"""Text of a document as Markdown that can't change the structure of its page, and types as Markdown with links.

Rule 1: text is escaped, never removed, since the text around a removed part could form new markup.
Rule 2: a document's own Markdown keeps emphasis, lists, code, and links to the web or to mail addresses.
Rule 3: Markup is ready to be written; everything else is escaped when it is written (:mod:`dynclient_tools.rendering`).
Rule 4: HTML tags without attributes, and links, become Markdown first; other tags are shown as text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from markupsafe import Markup

from dynclient.inspection.hints import Hint
from dynclient.inspection.hints import text as type_text

# CommonMark, 2.4: a backslash escapes punctuation. Entities are never read as HTML.
_ESCAPES = {
    **{character: f"\\{character}" for character in "\\[]`|~"},
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
}
_SPECIAL = re.compile(r"[\\\[\]`|~&<>]")
# At the start of a line or list item, these begin a heading, the underline of one, a rule, or front matter.
_STRUCTURE = re.compile(
    r"^([ \t]*(?:(?:[-+*]|\d{1,9}[.)])[ \t]+){0,20})"
    r"(#|=|\+{3}|-(?=[- \t]*$)|\*(?=[* \t]*$)|_(?=[_ \t]*$))",
    re.MULTILINE,
)
# In plain text, emphasis too, and the start of a heading, a list or an underline.
_EMPHASIS = re.compile(r"\*|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_OPENING = re.compile(r"^(?:(?=#|[-+](?:\s|$)|[-=]+\s*$)|(\d{1,9})(?=[.)](?:\s|$)))")
_INLINE = re.compile(
    r"(?P<escaped>\\[!-/:-@\[-`{-~])|(?P<image>!(?=\[))|(?P<code>(?<!`)`[^`\n]+`(?!`))"
    # The text of a link may contain code and a line break.
    r"|\[(?P<text>(?:[^\[\]\n`\\]|\n(?!\s*\n)|(?<!`)`[^`\n\[\]]+`(?!`))*)\]\((?P<url>(?:https?://|mailto:)[^\s()<>\\|`\[\]\"]+)\)"
)
# CommonMark, 4.5. Possessive, since two adjacent repetitions could match the same characters.
_FENCE = re.compile(r" {0,3}+(`{3,}+|~{3,}+)[ \t]*+([A-Za-z0-9+-]*+)[^\n`]*+")


# HTML tags and the Markdown for them.
_SPANS = (
    (re.compile(r"<(code|tt)>([^<>`\n]+)</\1>", re.IGNORECASE), r"`\2`"),
    (re.compile(r"<(?:b|strong)>([^<>*]*)</(?:b|strong)>", re.IGNORECASE), lambda found: _emphasized(found, "**")),
    (re.compile(r"<(?:i|em)>([^<>*]*)</(?:i|em)>", re.IGNORECASE), lambda found: _emphasized(found, "*")),
    # A link within the author's own site leads nowhere from here, so only its text is shown.
    (
        re.compile(
            r"<a\s+href=[\"'](https?://[^\s\"'<>()]+|[/#][^\s\"'<>]*)[\"'](?:\s+target=[\"']\w*[\"'])?>([^<>\[\]`\n]+)</a>",
            re.IGNORECASE,
        ),
        lambda found: found[2] if found[1][0] in "/#" else f"[{found[2]}]({found[1]})",
    ),
)
# The tag, its replacement, and the number of spaces before and after it to remove: None for all.
_BREAKS = (
    (re.compile(r"<br\s*/?>", re.IGNORECASE), "  \n", " \t", " \t"),
    (re.compile(r"<li>", re.IGNORECASE), "\n- ", None, None),
    (re.compile(r"</li>", re.IGNORECASE), "\n", None, " \t"),
)
_BLOCKS = re.compile(r"</?(?:p|ul|ol|div)>", re.IGNORECASE)


_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[_/ .][A-Za-z0-9]+)*")

# Types, statuses and many descriptions are repeated in each operation.
_remembered = lru_cache(maxsize=4096)


@_remembered
def text(value: str) -> Markup:
    """Write one line of plain text, with all Markdown escaped."""
    if _PLAIN.fullmatch(value):
        return Markup(value)  # noqa: S704  # nothing to escape
    line = _EMPHASIS.sub(r"\\\g<0>", _escaped(" ".join(_printable(value).split())))
    return Markup(_OPENING.sub(lambda found: f"{found[1] or ''}\\", line))  # noqa: S704  # escaped just here


@_remembered
def cell(value: str) -> Markup:
    """Write one line for a table's cell, with its emphasis, code and links."""
    line = " ".join(_printable(_without_html(value)).split())
    return Markup("".join(_inline(line, in_table=True)))  # noqa: S704  # escaped in there


def line(value: str) -> Markup:
    """Write a paragraph of one line, with its emphasis, code and links."""
    return Markup(value) if _PLAIN.fullmatch(value) else prose(" ".join(value.split()))  # noqa: S704  # nothing to escape


def prose(value: str) -> Markup:
    """Write paragraphs with their emphasis, lists, code and links; headings become plain lines."""
    lines = _printable(_without_html("\n".join(value.splitlines()))).strip("\n")
    return Markup("".join(_blocks(lines)))  # noqa: S704  # escaped in there


@_remembered
def code(value: str) -> Markup:
    """Write a span of code, also for a table."""
    line = " ".join(_printable(value).split()) or " "
    ticks = "`" * (_longest_run(line) + 1)
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return Markup(f"{ticks}{pad}{line}{pad}{ticks}".replace("|", "\\|"))  # noqa: S704  # a span holds it


def fence(value: str, language: str = "") -> Markup:
    """Write a block of code, with a fence longer than any run of backticks in it."""
    lines = _printable("\n".join(value.splitlines()))
    ticks = "`" * max(3, _longest_run(lines) + 1)
    return Markup(f"{ticks}{language}\n{lines}\n{ticks}")  # noqa: S704  # a block holds it


def link(label: str, target: str) -> Markup:
    """Write a link to a file or anchor of the pages."""
    return Markup(f"[{_escaped(' '.join(_printable(label).split()))}]({target})")  # noqa: S704  # targets are slugs


def slug(name: str) -> str:
    """The anchor of a heading as GitHub makes it, for names of letters, digits and underscores."""
    kept = re.sub(r"[^\w -]", "", name.lower())
    return kept.replace(" ", "-") or "section"


def _blocks(value: str) -> Iterator[str]:
    """The blocks of code and the paragraphs between them, written."""
    lines = value.split("\n")
    start = at = 0
    # Character -> the shortest run of it that is known to open a block without an end.
    unclosed: dict[str, int] = {}
    while at < len(lines):
        opening = _FENCE.fullmatch(lines[at])
        at += 1
        if opening is None or len(opening[1]) >= unclosed.get(opening[1][0], len(value)):
            continue
        end = next((n for n in range(at, len(lines)) if _closes(lines[n], opening[1])), None)
        if end is None:
            unclosed[opening[1][0]] = len(opening[1])
            continue
        yield from _paragraphs("".join(f"{line}\n" for line in lines[start : at - 1]))
        yield str(fence("".join(f"{line}\n" for line in lines[at:end]), opening[2]))
        start = at = end + 1
        if start < len(lines):
            yield "\n"
    yield from _paragraphs("\n".join(lines[start:]))


def _closes(line: str, mark: str) -> bool:
    rest = line.lstrip(" ")
    return len(line) - len(rest) < 4 and rest.startswith(mark) and not rest.rstrip(" \t").strip("`~")  # noqa: PLR2004  # CommonMark, 4.5: at most three spaces


_ITEM = re.compile(r"[-*+] |\d{1,9}[.)] ")


def _apart(lines: str) -> Iterator[str]:
    """Add a blank line between a paragraph and a list, which mkdocs needs and CommonMark does not."""
    before = ""
    for line in lines.splitlines(keepends=True):
        if before.strip() and not before.startswith((" ", "\t")) and _ITEM.match(line) and not _ITEM.match(before):
            yield "\n"
        yield line
        before = line


def _paragraphs(lines: str) -> Iterator[str]:
    lines = "".join(_apart(lines))
    guarded = _STRUCTURE.sub(lambda found: f"{found[1]}\0{found[2]}", lines)
    yield "".join(_inline(guarded, in_table=False)).replace("\0", "\\")


def _inline(value: str, *, in_table: bool) -> Iterator[str]:
    at = 0
    for found in _INLINE.finditer(value):
        yield _escaped(value[at : found.start()])
        if found["escaped"] is not None:
            yield _ESCAPES.get(found["escaped"][1], found["escaped"])
        elif found["image"] is not None:
            yield "\\!"  # The reader's browser would fetch an image.
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
    """Replace control characters, and those that reorder a line, by escapes."""
    if value.replace("\n", "").replace("\t", "").isprintable():
        return value
    return "".join(c if c.isprintable() or c in "\n\t" else _shown(c) for c in value)


def _shown(character: str) -> str:
    return " " if character.isspace() else character.encode("unicode_escape").decode("ascii")


def _longest_run(value: str) -> int:
    return max(map(len, re.findall(r"`+", value)), default=0) if "`" in value else 0


def _without_html(value: str) -> str:
    """Write the simple HTML tags of a text as Markdown.

    This only improves the appearance: the result is escaped like any text.
    """
    if "<" not in value:
        return value
    for span, replacement in _SPANS:
        value = span.sub(replacement, value)
    for tag, replacement, before, after in _BREAKS:
        pieces = tag.split(value)
        pieces[1:] = [piece.lstrip(after) for piece in pieces[1:]]
        pieces[:-1] = [piece.rstrip(before) for piece in pieces[:-1]]
        value = replacement.join(pieces)
    first, *rest = _BLOCKS.split(value)
    if not rest:
        return value
    between = (piece.strip() for piece in rest[:-1])
    return "\n\n".join([first.rstrip(), *filter(None, between), rest[-1].lstrip()])


def _emphasized(found: re.Match[str], mark: str) -> str:
    inner = found[1].strip()
    return found[0] if not inner or "\n" in inner else f"{mark}{inner}{mark}"


def type_link(hint: Hint, files: Mapping[str, str]) -> Markup:
    """Write a type in bold; the name of a schema links to its page, if ``files`` has one for its URI."""
    if hint.kind == "named" and hint.schema is not None and hint.schema.uri in files:
        return Markup(f"[**{hint.name}**]({files[hint.schema.uri]})")  # noqa: S704  # both names are generated
    if not any(node.kind == "named" for node in hint.walk()):
        return Markup(f"**{text(type_text(hint))}**")  # noqa: S704  # escaped just here
    members = [type_link(member, files) for member in hint.members]
    if hint.kind == "union":
        return Markup(r" \| ").join(members)
    return _AROUND[hint.kind].format(members[0]) if hint.kind in _AROUND else Markup("**{}**").format(hint.name)


_AROUND = {"list": Markup(r"list\[{}\]"), "dict": Markup(r"dict\[str, {}\]")}
