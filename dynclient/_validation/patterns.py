"""Regular expressions of documents: read as ECMA-262, matched in bounded time.

Rule 1: a pattern whose time can't grow beyond its text's square goes to Python's ``re``, in its own spelling.
Rule 2: any other is followed by an automaton. So is every pattern for a long text.
Rule 3: lookarounds and references back are for ``re`` alone. Those at the start (``^(?=...)(?!...)``) are taken off and
matched by themselves; what is left may be refused as unsafe, or a text be too long for it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from dynclient._records import Record
from dynclient._validation.automaton import Automaton, Unfit
from dynclient._validation.ecma import Back, Choice, Edge, Group, Look, One, PatternError, Repeat, Sequence, read

__all__ = ["Pattern", "PatternError", "compiled"]

_LONG = 2_000
_STEPS = 100_000_000
_LOOSE = 16
_MOST_CHOICES = 10_000


class Risk(Record):
    """How the time for a match may grow: with which power of the text, times how many choices; or without bound."""

    power: int = 0
    choices: int = 1
    nested: bool = False


class Pattern:
    """A pattern, ready to be searched for. ``plain`` is its spelling that Rust's ``regex`` reads alike, if any."""

    def __init__(self, source: str) -> None:
        """Read a pattern.

        Raises:
            PatternError: it is none, or it is unsafe.
        """
        self.source = source
        tree = read(source)
        self.plain = _spelled(tree).replace(r"\Z", "$").replace(r"\A", "^") if _is_plain(tree) else None
        self._parts = [(_Matcher(part), wanted) for part, wanted in _conditions(tree)]

    def __repr__(self) -> str:
        return f"<Pattern {self.source!r}>"

    def search(self, text: str) -> bool | None:
        """Tell whether the pattern is found anywhere in a text; None where that would take too long."""
        for matcher, wanted in self._parts:
            found = matcher.search(text)
            if found is not wanted:
                return None if found is None else False
        return True


@lru_cache(maxsize=1024)
def compiled(source: str, longest: int | None = None) -> Pattern:
    """Make a pattern ready; once for each.

    Raises:
        PatternError: it is none, or it is unsafe.
    """
    if longest is not None and len(source) > longest and _risk(read(source)) != Risk():
        raise PatternError(f"has {len(source)} characters, {longest} are allowed", unsafe=True)
    return Pattern(source)


class _Matcher:
    """One part of a pattern that can be matched by itself."""

    def __init__(self, tree: Any) -> None:
        risk = _risk(tree)
        power = risk.power + (not _is_anchored(tree))
        self.longest = _STEPS
        self.regex: re.Pattern[str] | None = None
        self.automaton: Automaton | None = None
        try:
            if risk != Risk() or _has_tests(tree):
                self.automaton = Automaton(tree)
        except Unfit:
            if risk.nested:
                raise PatternError("can take for ever: it repeats a repetition", unsafe=True) from None
            self.longest = int((_STEPS // risk.choices) ** (1 / max(power, 1)))
        if self.automaton is None or (not risk.nested and risk.power <= 1 and not _has_tests(tree)):
            self.regex = _regex(tree)

    def search(self, text: str) -> bool | None:
        if self.automaton is not None and (self.regex is None or len(text) > _LONG):
            return self.automaton.search(text)
        if self.regex is None or len(text) > self.longest:
            return None
        return self.regex.search(text) is not None


def _regex(tree: Any) -> re.Pattern[str]:
    try:
        return re.compile(_spelled(tree))
    except (re.error, OverflowError, RecursionError) as error:
        raise PatternError(f"can't be translated: {error}") from None


def _conditions(tree: Any) -> list[tuple[Any, bool]]:
    """A pattern as parts that must, or must not, be found: what it looks ahead for at its start, and the rest."""
    parts = tree.parts if isinstance(tree, Sequence) else ()
    start = Edge("start")
    if len(parts) < 2 or parts[0] != start or any(isinstance(each, Back) for each in _walk(tree)):  # noqa: PLR2004
        return [(tree, True)]
    end = 1
    while end < len(parts) and isinstance(parts[end], Look) and parts[end].ahead:
        end += 1
    looks = [(Sequence((start, look.part)), not look.negative) for look in parts[1:end]]
    rest = Sequence((start, *parts[end:]))
    return [*looks, (rest, True)]


def _walk(tree: Any) -> list[Any]:
    found, waiting = [], [tree]
    while waiting:
        here = waiting.pop()
        found.append(here)
        if isinstance(here, (Sequence, Choice)):
            waiting += here.parts
        elif isinstance(here, (Repeat, Group, Look)):
            waiting.append(here.part)
    return found


def _is_plain(tree: Any) -> bool:
    """Whether Rust's ``regex`` reads the pattern alike."""
    for part in _walk(tree):
        if isinstance(part, One):
            if not part.set.ascii:
                return False
        elif isinstance(part, Edge):
            if part.line or part.kind not in {"start", "end"}:
                return False
        elif isinstance(part, (Look, Back)):
            return False
    return True


def _has_tests(tree: Any) -> bool:
    return any(isinstance(part, One) and part.set.tests for part in _walk(tree))


def _is_anchored(tree: Any) -> bool:
    parts = tree.parts if isinstance(tree, Sequence) else (tree,)
    return bool(parts) and parts[0] == Edge("start")


def _risk(tree: Any) -> Risk:
    """How the time may grow: repetitions in a row multiply, a repetition of choices is without bound."""
    if isinstance(tree, Group):
        return _risk(tree.part)
    if isinstance(tree, Look):
        inner = _risk(tree.part)
        return inner if inner != Risk() else Risk(1)
    if isinstance(tree, Back):
        return Risk(1)
    if isinstance(tree, Choice):
        risks = [_risk(part) for part in tree.parts]
        choices = sum(risk.choices for risk in risks)
        return _judged(max(risk.power for risk in risks), choices, nested=any(risk.nested for risk in risks))
    if isinstance(tree, Sequence):
        risks = [_risk(part) for part in tree.parts]
        choices = 1
        for risk in risks:
            choices = min(choices * risk.choices, _MOST_CHOICES + 1)
        # What a lookaround costs is over when it has been looked at: it does not multiply.
        power = sum(risk.power for part, risk in zip(tree.parts, risks, strict=True) if not isinstance(part, Look))
        looks = max(
            (risk.power for part, risk in zip(tree.parts, risks, strict=True) if isinstance(part, Look)), default=0
        )
        return _judged(max(power, looks), choices, nested=any(risk.nested for risk in risks))
    if isinstance(tree, Repeat):
        inner = _risk(tree.part)
        loose = tree.most is None or tree.most - tree.least > _LOOSE
        choices = inner.choices
        if not loose and tree.most is not None:
            choices = min((tree.most - tree.least + 1) * inner.choices ** min(tree.most, _LOOSE), _MOST_CHOICES + 1)
        nested = inner.nested or ((loose or tree.most != 1) and (inner.power > 0 or (loose and inner.choices > 1)))
        return _judged(inner.power + loose, choices, nested=nested)
    return Risk()


def _judged(power: int, choices: int, *, nested: bool) -> Risk:
    return Risk(power, choices, nested or choices > _MOST_CHOICES)


def _spelled(tree: Any) -> str:
    """A tree in the spelling of Python's ``re``."""
    if isinstance(tree, One):
        return tree.set.text()
    if isinstance(tree, Sequence):
        return f"(?:{''.join(map(_spelled, tree.parts))})"
    if isinstance(tree, Choice):
        return f"(?:{'|'.join(map(_spelled, tree.parts))})"
    if isinstance(tree, Group):
        return f"({_spelled(tree.part)})"
    if isinstance(tree, Repeat):
        most = "" if tree.most is None else tree.most
        return f"(?:{_spelled(tree.part)}){{{tree.least},{most}}}{'' if tree.greedy else '?'}"
    if isinstance(tree, Look):
        return f"(?{'' if tree.ahead else '<'}{'!' if tree.negative else '='}{_spelled(tree.part)})"
    if isinstance(tree, Back):
        # ECMA-262, 22.2.2.9: what has not matched is matched by nothing.
        return f"(?({tree.number})\\{tree.number}|)"
    return _EDGES[tree.kind, tree.line]


_WORD = "[0-9A-Za-z_]"
_LINE = r"[\n\r\u2028\u2029]"
_EDGES = {
    ("start", False): r"\A",
    ("end", False): r"\Z",
    ("start", True): rf"(?:\A|(?<={_LINE}))",
    ("end", True): rf"(?=\Z|{_LINE})",
    ("word", False): rf"(?:(?<={_WORD})(?!{_WORD})|(?<!{_WORD})(?={_WORD}))",
    ("inner", False): rf"(?:(?<={_WORD})(?={_WORD})|(?<!{_WORD})(?!{_WORD}))",
}
