"""Excerpts of texts and data for agents: printable, selected, and cut between items.

Rule 1: data is one line of JSON, in which characters that are not printable are escapes. A text of a document is one
line without such characters.
Rule 2: a result that is too long is cut between two items of its list, or two members of its object, and is kept for
the calls that continue it. Only a few are kept.
Rule 3: a JMESPath expression can't multiply data: the size of its result is bounded before it runs.
"""

from __future__ import annotations

import json
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dynclient.exceptions import ArgumentError

_KEPT = 16
_LONGEST_SELECT = 1000
_MOST_GROWTH = 4096
_RESERVED = 200


def line(text: object, limit: int = 200) -> str:
    """A text as one line of printable characters, at most ``limit`` of them."""
    shown = " ".join("".join(c if c.isprintable() else " " for c in str(text)[: 8 * limit]).split())
    return shown if len(shown) <= limit else shown[: limit - 1].rstrip() + "…"


def as_json(value: Any) -> str:
    """A value as one line of JSON; characters that are not printable are escapes."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if text.isprintable() else "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)


def fitted(lines: list[str], limit: int, more: str) -> str:
    """The lines that fit into ``limit`` bytes.

    If some do not, ``more`` is the last line, with their number in place of ``{}``.
    """
    left = limit - len(more.encode()) - len(str(len(lines)))
    shown: list[str] = []
    for number, text in enumerate(lines):
        left -= len(text.encode()) + 1
        if left < 0:
            return "\n".join([*shown, more.format(len(lines) - number)])
        shown.append(text)
    return "\n".join(shown)


def selected(expression: str, value: Any = ...) -> Any:
    """The result of a JMESPath expression; without a value, it is only checked.

    Raises:
        ArgumentError: it is not valid JMESPath, does not fit the value, or could multiply it.
    """
    import jmespath

    if len(expression) > _LONGEST_SELECT:
        raise ArgumentError(f"select has more than {_LONGEST_SELECT} characters", argument="select")
    try:
        compiled = jmespath.compile(expression)
        if _growth(compiled.parsed) > _MOST_GROWTH:
            raise ArgumentError("select repeats its input too often: use a simpler one", argument="select")
        return compiled.search(value) if value is not ... else None
    except (jmespath.exceptions.JMESPathError, RecursionError) as error:
        raise ArgumentError(f"select: {line(error) or type(error).__name__}", argument="select") from None


def _growth(node: Mapping[str, Any]) -> int:
    """An upper bound on how often an expression may repeat its input; the bounds of nested parts are multiplied."""
    found, kind = 1, node.get("type")
    children = node.get("children") or []
    if kind in {"multi_select_list", "multi_select_dict"}:
        found = len(children)
    elif kind == "function_expression":
        # A join is linear only if its separator is short.
        found = _MOST_GROWTH + 1 if node.get("value") == "join" and children[0].get("type") != "literal" else 2
    for child in children:
        found = min(found * _growth(child), _MOST_GROWTH + 1)
    return found


@dataclass(frozen=True, slots=True)
class _Answer:
    """A long result of the operation ``owner``, kept for its cursor.

    ``name`` is the member of the object that is cut.
    """

    owner: str
    value: Any
    name: str | None


class Excerpts:
    """Cuts results to a size, and continues them with cursors."""

    def __init__(self, limit: int) -> None:
        """``limit`` is in bytes."""
        self._limit = limit
        self._kept: OrderedDict[str, _Answer] = OrderedDict()

    def first(self, owner: str, value: Any) -> tuple[str, str]:
        """A note on which part of the result is shown (empty for all of it), and the JSON of that part."""
        text = as_json(value)
        if len(text.encode()) <= self._limit:
            return "", text
        if isinstance(value, str):
            value = [value[start : start + self._limit // 8] for start in range(0, len(value), self._limit // 8)]
        elif not isinstance(value, (list, dict)):
            return "cut", as_json(text[: self._limit // 8])
        answer = _Answer(owner, value, _list_name(value, len(text.encode()) - self._limit // 2))
        cursor = secrets.token_urlsafe(9)
        self._kept[cursor] = answer
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return self._part(cursor, answer, 0)

    def next(self, owner: str, cursor: str) -> tuple[str, str]:
        """The part of a result at a cursor.

        Raises:
            ArgumentError: there is no such cursor for the operation, or it has expired.
        """
        name, _, start = cursor.rpartition(".")
        answer = self._kept.get(name)
        if answer is None or answer.owner != owner or not (start.isascii() and start.isdecimal() and len(start) < 10):  # noqa: PLR2004  # digits
            raise ArgumentError("this cursor is invalid or has expired: call without it", argument="cursor")
        return self._part(name, answer, int(start))

    def _part(self, cursor: str, answer: _Answer, start: int) -> tuple[str, str]:
        value = answer.value if answer.name is None else answer.value[answer.name]
        items = list(value.items()) if isinstance(value, dict) else value
        rest = {} if answer.name is None else {k: v for k, v in answer.value.items() if k != answer.name}
        left = self._limit - _RESERVED - (len(as_json(rest).encode()) if rest else 0)
        shown: list[Any] = []
        for item in items[start:]:
            size = len(as_json(item).encode()) + 2
            if size > left and not shown:
                # A single item exceeds the limit.
                cut = as_json(item[1] if isinstance(value, dict) else item)[: max(left // 8, 1)] + "…"
                shown.append((item[0], cut) if isinstance(value, dict) else cut)
            if size > left:
                break
            left -= size
            shown.append(item)
        end = start + len(shown)
        noun = "members" if isinstance(value, dict) else "items"
        note = f"{noun} {start + 1} to {end} of {len(items)}" if start else f"{len(shown)} of {len(items)} {noun}"
        if end < len(items):
            note += f'; for more, call_read with cursor="{cursor}.{end}"'
        part: Any = dict(shown) if isinstance(value, dict) else shown
        return note, as_json(part if answer.name is None else {**rest, answer.name: part})


def _list_name(value: Any, least: int) -> str | None:
    """The name of the object's member that can be cut: a list of at least ``least`` bytes."""
    if not isinstance(value, dict):
        return None
    lists = (name for name, member in value.items() if isinstance(member, list))
    return next((name for name in lists if len(as_json(value[name]).encode()) >= least), None)
