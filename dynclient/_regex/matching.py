"""A regular expression, ready to be searched for in bounded time.

Rule 1: a pattern whose time can't grow beyond the square of its text goes to Python's ``re``, in ``re``'s spelling.
Rule 2: an automaton follows any other; so it does every pattern where the text is long, or the budget is nearly spent.
Rule 3: an automaton can't follow lookarounds and back references, nor very many states. Lookaheads at the start
(``^(?=...)(?!...)``) are taken off and matched by themselves. What is left goes to ``re`` if its time is bounded by a
power of the text's length, as far as the budget allows; otherwise the pattern is not evaluated.
"""

from __future__ import annotations

import re
from functools import lru_cache
from math import prod
from typing import Any

from dynclient._records import Record
from dynclient._regex.automaton import Automaton, Unfit
from dynclient._regex.syntax import Back, Choice, Edge, Group, Look, One, PatternError, Repeat, Sequence, read

LONGEST = 512
"""How many characters a pattern with repetitions or choices may have by default."""

_LONG = 500
_STEPS = 100_000_000
_STEPS_OF_A_STATE = 80
_LOOSE = 16
_FEW_CHOICES = 100
_MOST_CHOICES = 10_000
_MOST_PORTABLE = 1_000


class Budget:
    """The steps that are left for searches: some two seconds' worth. Several searches may share one."""

    def __init__(self, steps: int = _STEPS) -> None:
        """Take the number of steps of ``re``, each some 25 nanoseconds."""
        self.left = steps


class Pattern:
    """A pattern, ready to be searched for.

    ``problem`` says why it can't be evaluated, and is empty where it can; ``is_invalid`` tells that it is not a regular
    expression at all. ``portable`` is a spelling that Rust's ``regex`` reads alike, or None where there is none.
    """

    def __init__(self, source: str, longest: int = LONGEST) -> None:
        """Read a pattern. ``longest`` is the number of characters that it may have unless it is plain text."""
        self.source = source
        self.problem = ""
        self.is_invalid = False
        self.portable: str | None = None
        self._matchers: list[tuple[_Matcher, bool]] = []
        try:
            self._prepare(longest)
        except PatternError as error:
            self.problem = str(error)
            self.is_invalid = not error.unbounded

    def _prepare(self, longest: int) -> None:
        tree = read(self.source)
        if len(self.source) > longest and _risk(tree) != Risk():
            raise PatternError(f"has {len(self.source)} characters, {longest} are allowed", unbounded=True)
        self._matchers = [(_Matcher(part), wanted) for part, wanted in _conditions(tree)]
        if _is_portable(tree):
            self.portable = _spelled(tree).replace(r"\Z", "$").replace(r"\A", "^")

    def __repr__(self) -> str:
        return f"<Pattern {self.source!r}>"

    def search(self, text: str, budget: Budget | None = None) -> bool | None:
        """Return whether the pattern is found anywhere in a text.

        Returns None where that is not known: the pattern can't be evaluated, or not within the budget.
        """
        if self.problem:
            return None
        budget = budget if budget is not None else Budget()
        for matcher, wanted in self._matchers:
            found = matcher.search(text, budget)
            if found is not wanted:
                return None if found is None else False
        return True


@lru_cache(maxsize=1024)
def compile(source: str, longest: int = LONGEST) -> Pattern:  # noqa: A001 - it does what ``re.compile`` does
    """Make a pattern ready, once for each. Never raises: see :attr:`Pattern.problem`."""
    return Pattern(source, longest)


class Risk(Record):
    """How the time for a match by backtracking may grow with the length of the text.

    A search tries at most ``choices`` times the length to the power of ``power`` paths; ``nested`` tells that there is
    no such bound. A lookaround is never tried again, so its paths do not multiply with the others: each step costs at
    most ``look_choices`` times the length to the power of ``look_power``.
    """

    power: int = 0
    choices: int = 1
    nested: bool = False
    look_power: int = 0
    look_choices: int = 0


class _Matcher:
    """One part of a pattern that can be matched by itself."""

    def __init__(self, tree: Any) -> None:
        risk = _risk(tree)
        has_tests = any(isinstance(part, One) and part.set.tests for part in _walk(tree))
        self.power = max(risk.power + risk.look_power + (not _is_anchored(tree)), 1)
        self.choices = risk.choices * max(risk.look_choices, 1)
        is_linear = not risk.nested and self.power == 1 and self.choices <= _FEW_CHOICES
        self.regex: re.Pattern[str] | None = None
        self.automaton: Automaton | None = None
        try:
            if has_tests or not is_linear:
                self.automaton = Automaton(tree)
        except Unfit:
            if risk.nested or has_tests:
                reason = "combines Unicode properties with lookarounds" if has_tests else "can take time without bound"
                raise PatternError(reason, unbounded=True) from None
        if self.automaton is None or (not risk.nested and risk.power <= 1 and not has_tests):
            self.regex = _regex(tree)

    def search(self, text: str, budget: Budget) -> bool | None:
        # The most that backtracking can take; what it really takes can't be seen.
        most = self.choices * len(text) ** self.power
        if self.regex is not None and (self.automaton is None or len(text) <= _LONG) and most <= budget.left:
            budget.left -= most
            return self.regex.search(text) is not None
        if self.automaton is None:
            return None
        found, work = self.automaton.search(text, budget.left // _STEPS_OF_A_STATE)
        budget.left -= work * _STEPS_OF_A_STATE
        return found


def _regex(tree: Any) -> re.Pattern[str]:
    try:
        return re.compile(_spelled(tree))
    except (re.error, OverflowError, RecursionError) as error:
        raise PatternError(f"can't be written for Python's re: {error}", unbounded=True) from None


def _conditions(tree: Any) -> list[tuple[Any, bool]]:
    """The parts that must, or must not, be found: the lookaheads at the start of a pattern, and the rest."""
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


def _is_portable(tree: Any) -> bool:
    """Whether Rust's ``regex`` reads the pattern alike, and without laying out very many states."""
    for part in _walk(tree):
        if isinstance(part, (Look, Back)) or (isinstance(part, One) and not part.set.is_ascii):
            return False
        if isinstance(part, Edge) and (part.line or part.kind not in {"start", "end"}):
            return False
    return _laid_out(tree) <= _MOST_PORTABLE


def _laid_out(tree: Any) -> int:
    """How many characters a pattern has with its counted repetitions written out."""
    if isinstance(tree, (Sequence, Choice)):
        return sum(map(_laid_out, tree.parts))
    if isinstance(tree, Group):
        return _laid_out(tree.part)
    if isinstance(tree, Repeat):
        return _laid_out(tree.part) * max(tree.most or tree.least, 1)
    return 1


def _is_anchored(tree: Any) -> bool:
    parts = tree.parts if isinstance(tree, Sequence) else (tree,)
    return bool(parts) and parts[0] == Edge("start")


def _risk(tree: Any) -> Risk:
    """How the time may grow: repetitions in a row multiply, a repetition of choices is not bounded."""
    if isinstance(tree, Group):
        return _risk(tree.part)
    if isinstance(tree, Look):
        inner = _risk(tree.part)
        choices = inner.choices + inner.look_choices if inner.choices > 1 or inner.look_choices else 0
        return _judged(Risk(0, 1, inner.nested, inner.power + inner.look_power, choices))
    if isinstance(tree, Back):
        return Risk(1)
    if isinstance(tree, (Choice, Sequence)):
        risks = [_risk(part) for part in tree.parts]
        highest, together = (max, sum) if isinstance(tree, Choice) else (sum, prod)
        return _judged(
            Risk(
                highest(risk.power for risk in risks),
                together(risk.choices for risk in risks),
                any(risk.nested for risk in risks),
                max((risk.look_power for risk in risks), default=0),
                sum(risk.look_choices for risk in risks),
            )
        )
    if isinstance(tree, Repeat):
        inner = _risk(tree.part)
        loose = tree.most is None or tree.most - tree.least > _LOOSE
        choices = inner.choices
        if not loose and tree.most is not None:
            choices = (tree.most - tree.least + 1) * inner.choices ** min(tree.most, _LOOSE)
        nested = inner.nested or ((loose or tree.most != 1) and (inner.power > 0 or (loose and inner.choices > 1)))
        return _judged(Risk(inner.power + loose, choices, nested, inner.look_power, inner.look_choices))
    return Risk()


def _judged(risk: Risk) -> Risk:
    choices = max(risk.choices, risk.look_choices)
    return risk._replace(choices=min(risk.choices, _MOST_CHOICES + 1), nested=risk.nested or choices > _MOST_CHOICES)


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
        # ECMA-262, 22.2.2.9: a reference to a group that has not matched matches the empty string.
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
