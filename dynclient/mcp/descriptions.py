"""The results of ``search`` and ``describe``: lines of bounded length.

A description has sections; each can be requested by its name, as can each type that it names. A section that does not
fit is cut, and its last line says how to request the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from dynclient._paging.rules import Pagination
from dynclient._rows import OperationRow
from dynclient._schemas import shape
from dynclient.examples import arguments_example
from dynclient.exceptions import ArgumentError, DynclientError
from dynclient.inspection.hints import Direction, Hint, definition, fields, has_fields, text
from dynclient.inspection.views import ArgumentView, operation_view
from dynclient.mcp.excerpts import as_json, fitted, line
from dynclient.model import Operation

LONGEST_SEARCH = 4000
LONGEST_DESCRIPTION = 8000
_LONGEST_TEXT = 600
_LONGEST_LINE = 240
_LONGEST_TYPE = 400
_MOST_TYPES = 60
_EACH = 60
"""The bytes of the last line of a cut section."""


def found(rows: Iterable[tuple[str, OperationRow, bool]], limit: int) -> str:
    """The result of a search: the best ``limit`` operations, each with its name and whether it may be called."""
    every = list(rows)
    lines = [
        f"{line(name)}  {row.method} {line(row.path)}  {'' if allowed else '[not allowed] '}{line(row.summary, 120)}"
        for name, row, allowed in every[:limit]
    ]
    if len(every) > limit:
        lines.append(f"{len(every) - limit} more: use other words, or a higher limit")
    return fitted(lines, LONGEST_SEARCH, "{} more") or "no operation matches these words"


def described(name: str, tool: str, operation: Operation, pagination: Pagination | None, part: str | None) -> str:
    """The description of an operation, or of a part of it.

    Raises:
        ArgumentError: there is no such part.
        DocumentError: the document is broken there.
    """
    view = operation_view(operation)
    head = [
        f"{name}  {view.method} {line(view.path, 300)}{'  [deprecated]' * view.deprecated}",
        f"{tool}({as_json({'operation': name, 'arguments': _example(operation)})})" if tool else "it may not be called",
        *(
            [f"pages: {line(as_json(pagination.rule()), 300)}; cursor has the next one"]
            if pagination is not None
            else []
        ),
    ]
    requests: list[tuple[Hint, Direction]] = [(argument.hint, "request") for argument in view.arguments]
    types = _types([*requests, *view.hints()])
    # At first, only the responses' own types are shown; the types within them are requested by name.
    direct = {node.name: types[node.name] for node in view.returns.walk() if node.name in types}
    shown_types = {**_types(requests), **direct}
    sections = {
        "description": [line(f"{view.summary}. {view.description}".strip(". "), 10_000)],
        "arguments": [_argument_line(argument) for argument in view.arguments],
        "types": [_type_line(hint, direction) for hint, direction in shown_types.values()],
        "answers": [
            line(f"{response.status}: {_content(response.content)}. {response.description}", _LONGEST_LINE)
            for response in view.responses
        ],
    }
    if part is not None:
        return _part(sections, types, part)
    texts = [line(head[0], 400), *([] if len(head[1]) > LONGEST_DESCRIPTION // 3 else [head[1]]), *head[2:]]
    sections["description"] = [line(sections["description"][0], _LONGEST_TEXT)]
    left = LONGEST_DESCRIPTION - sum(len(text.encode()) + 1 for text in texts)
    shown = {title: lines for title, lines in sections.items() if any(lines)}
    for number, (title, lines) in enumerate(shown.items()):
        more = f'… {{}} more: describe with part="{title}"'
        # Later sections may use the space that a section leaves; arguments come first.
        share = left * 2 // 3 if number < len(shown) - 1 else left
        section = fitted([f"{title}:", *(f"  {text}" for text in lines)], share - _EACH, more)
        left -= len(section.encode()) + 1
        texts.append(section)
    return "\n".join(texts)


def _part(sections: dict[str, list[str]], types: dict[str, tuple[Hint, Direction]], part: str) -> str:
    """A section from a given line on (``arguments 41``), or a type with a line for each property."""
    title, _, start = part.partition(" ")
    if title in sections:
        first = int(start) if start.isascii() and start.isdecimal() and len(start) < 7 else 1  # noqa: PLR2004  # digits
        # Indented as in the whole description, so that no text of the document begins a line.
        lines = [f"  {text}" for text in sections[title][max(first, 1) - 1 :]]
        text = fitted(lines, LONGEST_DESCRIPTION - _EACH, "… {} more")
        shown = text.count("\n") + (not text.endswith(" more"))
        return text if shown >= len(lines) else f'{text}: describe with part="{title} {first + shown}"'
    if title in types:
        return fitted(list(_type_lines(*types[title])), LONGEST_DESCRIPTION, "… {} more")
    names = ", ".join([*sections, *types])
    raise ArgumentError(f"there is no part {line(part, 60)}: the parts are {line(names, 1000)}", argument="part")


def _example(operation: Operation) -> Any:
    """Arguments that make a valid call; without an example, the names of the required ones."""
    with suppress(DynclientError):
        return arguments_example(operation)
    return {argument.name: "…" for argument in operation_view(operation).arguments if argument.required}


def _argument_line(argument: ArgumentView) -> str:
    marks = [argument.in_, *(["required"] if argument.required and not argument.omittable else [])]
    marks += ["deprecated"] if argument.deprecated else []
    bounds = f" ({'; '.join(argument.constraints)})" if argument.constraints else ""
    kind = line(text(argument.hint), _LONGEST_TYPE)
    return line(
        f"{argument.name}: {kind}, {', '.join(marks)}{bounds}. {argument.description}", _LONGEST_LINE + len(kind)
    )


def _content(content: Iterable[Any]) -> str:
    return " or ".join(line(f"{one.media_range} {text(one.hint)}", _LONGEST_LINE) for one in content) or "no body"


def _types(hints: Iterable[tuple[Hint, Direction]]) -> dict[str, tuple[Hint, Direction]]:
    """The named types within some types, each once, so that recursive types end."""
    found_: dict[str, tuple[Hint, Direction]] = {}
    waiting = list(hints)
    while waiting and len(found_) < _MOST_TYPES:
        hint, direction = waiting.pop(0)
        for node in hint.walk():
            if node.kind == "named" and node.schema is not None and node.name not in found_:
                found_[node.name] = node, direction
                waiting += [(member, direction) for member in _members(node, direction)]
    return found_


def _members(hint: Hint, direction: Direction) -> list[Hint]:
    if hint.schema is None:
        return []
    if has_fields(shape(hint.schema)):
        return [field.hint for field in fields(hint.schema, direction)]
    return [definition(hint.schema, direction)]


def _type_line(hint: Hint, direction: Direction) -> str:
    """A type in one line: ``Label = {name: str, color?: str}``."""
    if hint.schema is None:
        return hint.name
    if not has_fields(shape(hint.schema)):
        return line(f"{hint.name} = {text(definition(hint.schema, direction))}", _LONGEST_TYPE)
    members = (f"{one.wire}{'?' * (not one.required)}: {text(one.hint)}" for one in fields(hint.schema, direction))
    return line(f"{hint.name} = {{{', '.join(members)}}}", _LONGEST_TYPE)


def _type_lines(hint: Hint, direction: Direction) -> Iterator[str]:
    if hint.schema is None or not has_fields(shape(hint.schema)):
        yield _type_line(hint, direction)
        return
    yield f"{hint.name}:"
    for one in fields(hint.schema, direction):
        required = ", required" if one.required else ""
        yield line(f"  {one.wire}: {text(one.hint)}{required}. {one.description}", _LONGEST_TYPE)
