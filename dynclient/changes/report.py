"""The result of a comparison: changes with their kind, operation and location, and the formats that print them.

Rule: text from a document can't break the format of a report: control characters are escaped, and so are the characters
that have a meaning in Markdown tables and in GitHub's workflow commands.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar, overload

from dynclient._escaping import counted
from dynclient._records import Record
from dynclient._schemas import MISSING
from dynclient.changes.judge import Judge
from dynclient.changes.kinds import KINDS, RANKS, Rank, Severity, Side
from dynclient.exceptions import escaped
from dynclient.inspection.tables import aligned, text_width
from dynclient.model import API, OperationRow, References, Schema

T = TypeVar("T")

_LONGEST = 60


class Location(Record):
    """A place in a document: its absolute URI, and the references of the API, which know the lines of documents."""

    uri: str
    references: References | None = None

    @property
    def document(self) -> str:
        """The name or path of the document."""
        return self._place[0]

    @property
    def pointer(self) -> str:
        """The JSON pointer in that document."""
        return self._place[1]

    @property
    def line(self) -> int | None:
        """The line, counted from 1, looked up on each access; None if it is unknown."""
        return self._place[2]

    @property
    def _place(self) -> tuple[str, str, int | None]:
        if self.references is None:
            document, _, pointer = self.uri.partition("#")
            return document, pointer, None
        return self.references.location(self.uri)

    def __str__(self) -> str:
        document, pointer, line = self._place
        return f"{document}, line {line}, {pointer}" if line is not None else f"{document}, {pointer}"


class Change(Record):
    """One change.

    ``operation`` is the operationId or ``METHOD path``, ``name`` the Python name; both are empty for a change of the
    whole API. ``where`` names the part of the operation, ``text`` says what happened to it. ``before`` and ``after``
    are the old and the new value as short text. ``old`` and ``new`` are its locations, None if a document has none.
    ``accepted`` is the reason why the change was accepted; empty if it was not.
    """

    id: str
    severity: Severity
    operation: str
    name: str
    where: str
    text: str
    before: str = ""
    after: str = ""
    old: Location | None = None
    new: Location | None = None
    accepted: str = ""

    @property
    def rank(self) -> Rank:
        """The severity, or "accepted"."""
        return "accepted" if self.accepted else self.severity

    @property
    def message(self) -> str:
        """The change in one line."""
        values = " -> ".join(filter(None, (self.before, self.after)))
        text = escaped(" ".join(f"{self.where} {self.text}".split())) + (f": {values}" if values else "")
        return f"{text} (accepted: {short_text(self.accepted)})" if self.accepted else text

    def __str__(self) -> str:
        return f"{self.rank}  {escaped(self.name or self.operation) or 'API'}: {self.message}  [{self.id}]"


class Changes(Sequence[Change]):
    """Changes, the worst first; within a severity in the order of the old document. It prints as a table.

    The comparison runs on first access, so a client that only reloads does not pay for it.
    """

    __slots__ = ("_compare", "_found")

    def __init__(self, compare: Callable[[], Sequence[Change]] = tuple) -> None:
        """``compare`` returns the changes in the order of the old document; it is called at the first access."""
        self._compare: Callable[[], Sequence[Change]] | None = compare
        self._found: tuple[Change, ...] = ()

    @property
    def _all(self) -> tuple[Change, ...]:
        compare = self._compare
        if compare is not None:
            self._found = tuple(sorted(compare(), key=lambda change: RANKS.index(change.rank)))
            self._compare = None
        return self._found

    @property
    def breaking(self) -> tuple[Change, ...]:
        """The changes that break callers."""
        return self.of("breaking")

    @property
    def warnings(self) -> tuple[Change, ...]:
        """The changes that a person has to review."""
        return self.of("warning")

    def of(self, rank: Rank) -> tuple[Change, ...]:
        """The changes of one severity that are not accepted; for "accepted", those that are."""
        return tuple(change for change in self._all if change.rank == rank)

    def reach(self, severity: Severity) -> bool:
        """Whether any change that is not accepted has this severity or a worse one."""
        return any(RANKS.index(change.rank) <= RANKS.index(severity) for change in self._all)

    @property
    def by_operation(self) -> dict[str, tuple[Change, ...]]:
        """The changes of each operation by its id; those of the whole API have the empty string as key."""
        found: dict[str, tuple[Change, ...]] = {}
        for change in self._all:
            found[change.operation] = (*found.get(change.operation, ()), change)
        return found

    @overload
    def __getitem__(self, index: int) -> Change: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Change, ...]: ...
    def __getitem__(self, index: int | slice) -> Change | tuple[Change, ...]:
        return self._all[index]

    def __len__(self) -> int:
        return len(self._all)

    def __eq__(self, other: object) -> bool:
        return self._all == other._all if isinstance(other, Changes) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._all)

    def __repr__(self) -> str:
        return as_text(self)

    def __reduce__(self) -> tuple[Any, ...]:
        return Changes, (partial(tuple, [change._replace(old=None, new=None) for change in self._all]),)


Key = tuple[str, str, Side, bool]
"""The URIs of two schemas, the side, and whether the value is XML."""


class PairResult(Record):
    """The result for one pair of schemas.

    ``changes`` holds the aspect, the rest of the path, and keywords of :meth:`Findings.add`; ``below`` the pairs of
    subschemas, each with the rest of its path, and ``harmless`` those whose changes are info, whatever they are.
    """

    changes: Sequence[tuple[str, str, dict[str, Any]]] = ()
    below: Sequence[tuple[Schema, Schema, str]] = ()
    harmless: Sequence[tuple[Schema, Schema, str]] = ()


class APIPair(Record):
    """The two APIs that are compared, with the judge of their schemas, and the results for pairs of these so far."""

    old: API
    new: API
    judge: Judge
    pairs: dict[Key, PairResult]


class Findings:
    """The changes of one operation, or of the whole API."""

    def __init__(self, apis: APIPair, old: OperationRow | None = None, new: OperationRow | None = None) -> None:
        """Start without changes; ``old`` and ``new`` are the operation in the documents that have it."""
        self.apis = apis
        self.changes: list[Change] = []
        self._added: set[tuple[Any, ...]] = set()
        row = old or new
        self._rows = old, new
        self._operation = (row.operation_id or row.key) if row is not None else ""
        self._name = row.name if row is not None else ""

    def add(
        self,
        kind: str,
        where: str = "",
        *,
        before: Any = MISSING,
        after: Any = MISSING,
        old: Any = None,
        new: Any = None,
        severity: Severity | None = None,
        example: Any = MISSING,
    ) -> None:
        """Add a change. ``old`` and ``new`` locate it: a schema, another object of the model, or its pointer.

        Without them it is located at the operation.

        ``severity`` overrides that of the kind; ``example`` is a value that shows the change.
        """
        found = KINDS[kind]
        text = found.text if example is MISSING else f"{found.text} (for example {short_text(example)})"
        is_below = old is not None or new is not None
        at = (old, new) if is_below else self._rows
        places = (_location(self.apis.old, at[0]), _location(self.apis.new, at[1]))
        was, is_ = ("" if value is MISSING else short_text(value) for value in (before, after))
        rank = severity or found.severity
        change = Change(found.id, rank, self._operation, self._name, where, text, was, is_, *places)
        # A schema may be reached by several paths: a change in it is reported once.
        key = (kind, rank, was, is_, *(place.uri if place and is_below else where for place in places))
        if key not in self._added:
            self._added.add(key)
            self.changes.append(change)

    def differ(self, kind: str, before: Any, after: Any, where: str = "", **at: Any) -> None:
        """Add a change if a value differs."""
        if before != after:
            self.add(kind, where, before=before, after=after, **at)

    def add_members(self, kind: str, before: Iterable[str], after: Iterable[str], where: str = "", **at: Any) -> None:
        """Add a change of the kind ``…-removed`` or ``…-added`` for each text that only one side has."""
        olds, news = dict.fromkeys(before), dict.fromkeys(after)
        for name in olds:
            if name not in news:
                self.add(f"{kind}-removed", where, before=name, **at)
        for name in news:
            if name not in olds:
                self.add(f"{kind}-added", where, after=name, **at)

    def shared(
        self, kind: Callable[[T, str], str], where: Callable[[T], str], old: Mapping[str, T], new: Mapping[str, T]
    ) -> Iterator[tuple[T, T]]:
        """Yield the two objects of each key that both sides have, and add a change for each other object.

        ``kind`` returns the kind of change from an object and "removed" or "added", ``where`` names the object.
        """
        for key, one in old.items():
            if key in new:
                yield one, new[key]
            else:
                self.add(kind(one, "removed"), where(one), old=one)
        for key, one in new.items():
            if key not in old:
                self.add(kind(one, "added"), where(one), new=one)


def _location(api: API, at: Any) -> Location | None:
    if isinstance(at, Schema):
        return Location(at.uri, at.references)
    pointer: str = at if isinstance(at, str) else getattr(at, "pointer", "")
    # A pointer of the model is within the root document, or else follows the URI of another one.
    return Location(pointer if "#" in pointer else f"{api.document_uri}#{pointer}", api.references) if pointer else None


def short_text(value: Any) -> str:
    """A value of a document as text of one line, escaped, at most 60 characters long."""
    if value is None or isinstance(value, (bool, dict, list)):
        text = json.dumps(value, ensure_ascii=False, default=str)
    elif isinstance(value, (frozenset, set, tuple)):
        text = ", ".join(map(str, value) if isinstance(value, tuple) else sorted(map(str, value)))
    else:
        text = str(value)
    line = escaped(" ".join(text.split()))
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


_HEAD = ("severity", "operation", "change", "kind")


# Styles of severities in a terminal: the numbers of ECMA-48's SGR.
_STYLES = {"breaking": "31", "warning": "33"}


def as_text(changes: Changes, *, width: int | None = None, coloured: bool = False) -> str:
    """A table and a line with counts, for people.

    If the terminal's ``width`` is too small for it, the text of a change is wrapped below its other cells.
    """
    if not changes:
        return "no changes"
    lines = aligned([_HEAD, *((it.rank, _name(it), it.message, it.id) for it in changes)]).splitlines()
    if width is not None and max(map(text_width, lines)) > width:
        heads = aligned([(it.rank, _name(it), it.id) for it in changes]).splitlines()
        texts = (textwrap.indent(textwrap.fill(it.message, width - 4), "    ") for it in changes)
        lines = [f"{head}\n{text}" for head, text in zip(heads, texts, strict=True)]
    counts = [f"{len(found)} {rank}" for rank in RANKS if (found := changes.of(rank))]
    end = f"{counted(len(changes), 'change')}: {', '.join(counts)}"
    return "\n".join([*(map(_painted, lines) if coloured else lines), end])


def _painted(line: str) -> str:
    rank = line.partition(" ")[0]
    return f"\x1b[{_STYLES[rank]}m{rank}\x1b[0m{line.removeprefix(rank)}" if rank in _STYLES else line


def _name(change: Change) -> str:
    return escaped(change.name or change.operation) or "-"


def as_json(changes: Changes) -> str:
    """A list of objects."""
    return json.dumps([_data(change) for change in changes], indent=2, ensure_ascii=False)


_FIELDS = ("id", "severity", "operation", "name", "where", "message", "before", "after", "accepted")


def _data(change: Change) -> dict[str, Any]:
    data = {field: getattr(change, field) for field in _FIELDS}
    return {**data, "old": _place(change.old), "new": _place(change.new)}


def _place(at: Location | None) -> dict[str, Any] | None:
    return None if at is None else {"document": at.document, "pointer": at.pointer, "line": at.line}


def as_markdown(changes: Changes) -> str:
    """A heading and a table for each severity that occurs, and for the accepted changes."""
    parts: list[str] = []
    for rank in RANKS:
        if found := changes.of(rank):
            parts += [f"## {rank.capitalize()} ({len(found)})", ""]
            parts += ["| Operation | Change | Kind | Line |", "|---|---|---|---|", *map(_row, found), ""]
    return "\n".join(parts).rstrip() or "No changes."


_MARKDOWN = {sign: f"\\{sign}" for sign in "\\`*_[]<>|#~$!&"}


def _row(change: Change) -> str:
    at = change.new or change.old
    line = str(at.line or "") if at is not None else ""
    name, message = (_escaped(" ".join(text.split()), _MARKDOWN) for text in (_name(change), change.message))
    return f"| {name} | {message} | `{change.id}` | {line} |"


_COMMANDS = {"breaking": "error", "warning": "warning", "info": "notice", "accepted": "notice"}
_DATA = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY = {**_DATA, ":": "%3A", ",": "%2C"}


def as_github(changes: Changes) -> str:
    """Workflow commands: annotations at the lines of the new document, or else of the old one."""
    return "\n".join(_command(change) for change in changes)


def _command(change: Change) -> str:
    at = change.new or change.old
    properties = {"title": f"{change.id} ({change.rank})"}
    if at is not None:
        properties["file"] = at.document
        if at.line is not None:
            properties["line"] = str(at.line)
    written = ",".join(f"{key}={_escaped(value, _PROPERTY)}" for key, value in properties.items())
    text = f"{_name(change)}: {change.message}" if change.operation else change.message
    return f"::{_COMMANDS[change.rank]} {written}::{_escaped(text, _DATA)}"


def _escaped(text: str, table: dict[str, str]) -> str:
    return "".join(table.get(sign, sign) for sign in text)


REPORTS: dict[str, Callable[[Changes], str]] = {
    "text": as_text,
    "json": as_json,
    "markdown": as_markdown,
    "github": as_github,
}
"""The formats of ``dynclient diff``: the function that prints each."""
