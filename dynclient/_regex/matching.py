"""Compiled regular expressions that search in bounded time.

Rule 1: a pattern whose time is at most quadratic in its text is matched by Python's ``re``, in ``re``'s syntax.
Rule 2: all other patterns are run by an automaton, and so is every pattern if the text is long or the budget almost
used up.
Rule 3: an automaton can't run lookarounds, back references, or very many states. Lookaheads at the start
(``^(?=...)(?!...)``) are split off and matched by themselves. The rest goes to ``re`` if its time is bounded by a power
of the text's length, and the budget allows it; otherwise the pattern is not evaluated.
Rule 4: the automaton follows all paths through a pattern at once, so no path is tried twice (K. Thompson, 1968). The
position after a character is cached with the position before it, so it is found by one look-up.
Rule 5: a counted repetition of one character class is one state with a set of counts, not one state for each count:
reading a character adds one to every count. Counts are kept as spans, of which there are few.
"""

from __future__ import annotations

import re
from functools import lru_cache
from math import prod
from typing import Any, TypeAlias

from dynclient._records import Record
from dynclient._regex.syntax import (
    WORD,
    Back,
    CharacterSet,
    Choice,
    Edge,
    Group,
    Look,
    One,
    PatternError,
    Repeat,
    Sequence,
    read,
)

LONGEST = 512
"""The default of the maximum length of a pattern with repetitions or choices."""

_LONG = 500
_STEPS = 100_000_000
_STEPS_OF_A_STATE = 80
_LOOSE = 16
_FEW_CHOICES = 100
_MOST_CHOICES = 10_000
_MOST_PORTABLE = 1_000


class Budget:
    """The remaining steps for searches, about two seconds by default. Several searches may share one budget."""

    def __init__(self, steps: int = _STEPS) -> None:
        """``steps`` are those of ``re``, about 25 nanoseconds each."""
        self.left = steps


class Pattern:
    """A pattern that is ready for searches.

    ``problem`` says why it can't be evaluated, and is empty if it can; ``is_invalid``: it is not a regular expression
    at all. ``portable`` is a spelling with the same meaning in Rust's ``regex``, or None.
    """

    def __init__(self, source: str, longest: int = LONGEST) -> None:
        """Read a pattern. ``longest`` is its maximum length in characters, unless it is plain text."""
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

        Returns None if that is unknown: the pattern can't be evaluated, or not within the budget.
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
    """Read a pattern; each is read once. Never raises: see :attr:`Pattern.problem`."""
    return Pattern(source, longest)


class Risk(Record):
    """How the time of a match by backtracking may grow with the length of the text.

    A search tries at most ``choices`` times the length to the power of ``power`` paths; ``nested`` means that there is
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
        # The most steps that backtracking can take; the real number is unknown.
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
    """Whether the pattern means the same in Rust's ``regex``, without very many states."""
    for part in _walk(tree):
        if isinstance(part, (Look, Back)) or (isinstance(part, One) and not part.set.is_ascii):
            return False
        if isinstance(part, Edge) and (part.line or part.kind not in {"start", "end"}):
            return False
    return _laid_out(tree) <= _MOST_PORTABLE


def _laid_out(tree: Any) -> int:
    """The length of a pattern in characters, with its counted repetitions written out."""
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
    """How the time may grow: adjacent repetitions multiply, a repetition of choices is unbounded."""
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


MOST_STATES = 4_000
_MOST_CACHED = 500_000
"""Threads and following characters in all cached positions."""
_LINE_ENDS = frozenset("\n\r\u2028\u2029")

Spans: TypeAlias = tuple[tuple[int, int], ...]
Threads: TypeAlias = frozenset["int | tuple[int, Spans]"]


class Unfit(Exception):
    """An automaton can't run the pattern: it has lookarounds or back references, or too many states."""


class Counter(Record):
    """A state that reads a character class ``least`` to ``most`` times; ``most`` is None if there is no bound."""

    set: CharacterSet
    least: int
    most: int | None

    def advanced(self, spans: Spans) -> Spans:
        """The counts after one more character; those above ``most`` are dropped."""
        most = self.most if self.most is not None else max(self.least, 1)
        # Without a bound, all counts from ``least`` on are equivalent.
        kept = [(low + 1, min(high + 1, most)) for low, high in spans if low < most]
        if self.most is None and spans[-1][0] == most and (not kept or kept[-1][1] < most):
            kept.append((most, most))
        return tuple(kept)


class Position:
    """A place in a text: the threads there, the kind of the character before, and what is known to follow."""

    __slots__ = ("before", "following", "is_end", "threads")

    def __init__(self, threads: Threads, before: str) -> None:
        """``threads`` are the active states; ``before`` is the kind of the character before the position."""
        self.threads = threads
        self.before = before
        self.following: dict[str, Any] = {}
        self.is_end: bool | None = None


class Automaton:
    """A pattern as states. A state reads a character, tests an edge, counts, or only leads to others."""

    def __init__(self, tree: Any) -> None:
        """Lay out a tree.

        Raises:
            Unfit: it has parts that no automaton can run, or more states than are allowed.
        """
        self.reads: list[CharacterSet | Edge | Counter | None] = []
        self.onward: list[list[int]] = []
        self.final = self.state()
        self.first = self.lay(tree, self.final)
        self.cached = 0
        self.positions: dict[tuple[Threads, str], Position] = {}

    def state(self, reads: CharacterSet | Edge | Counter | None = None, *onward: int) -> int:
        """Add a state."""
        if len(self.reads) >= MOST_STATES:
            raise Unfit
        self.reads.append(reads)
        self.onward.append(list(onward))
        return len(self.reads) - 1

    def lay(self, tree: Any, after: int) -> int:
        """Lay out a part before a state; return the state where it begins."""
        if isinstance(tree, (One, Edge)):
            return self.state(tree.set if isinstance(tree, One) else tree, after)
        if isinstance(tree, Group):
            return self.lay(tree.part, after)
        if isinstance(tree, Sequence):
            for part in reversed(tree.parts):
                after = self.lay(part, after)
            return after
        if isinstance(tree, Choice):
            return self.state(None, *(self.lay(part, after) for part in tree.parts))
        if isinstance(tree, Repeat):
            return self.lay_repeat(tree, after)
        raise Unfit

    def lay_repeat(self, tree: Repeat, after: int) -> int:
        """Lay out a repetition: a counter for one character class, else each required time and each optional one."""
        single = single_set(tree.part)
        if single is not None and max(tree.least, tree.most or 0) > 1:
            return self.state(Counter(single, tree.least, tree.most), after)
        if tree.most is None:
            loop = self.state(None, after)
            self.onward[loop].append(self.lay(tree.part, loop))
            after = loop
        else:
            end = after
            for _ in range(tree.most - tree.least):
                after = self.state(None, end, self.lay(tree.part, after))
        for _ in range(tree.least):
            after = self.lay(tree.part, after)
        return after

    def search(self, text: str, most: int) -> tuple[bool | None, int]:
        """Return whether the pattern is found anywhere in a text, and the number of states visited.

        Returns None in place of the first if that number would exceed ``most``.
        """
        position = self.position(frozenset((self.first,)), "")
        work = 0
        for character in text:
            following = position.following.get(character)
            if following is None:
                following, cost = self.step(position, character)
                work += cost
                if work > most:
                    return None, work
                position.following[character] = following
                self.cached += 1
            if following is True:
                return True, work
            position = following
        if position.is_end is None:
            states, _ = self.reached(position.threads, position.before, "")
            position.is_end = self.final in states
            work += len(states)
        return position.is_end, work

    def position(self, threads: Threads, before: str) -> Position:
        """The position with these threads, cached or new. A full cache is emptied first."""
        found = self.positions.get((threads, before))
        if found is None:
            if self.cached >= _MOST_CACHED:
                # A list, since other threads may add to the positions.
                for each in list(self.positions.values()):
                    each.following.clear()
                self.positions.clear()
                self.cached = 0
            self.cached += len(threads)
            found = self.positions[threads, before] = Position(threads, before)
        return found

    def step(self, position: Position, character: str) -> tuple[Any, int]:
        """Read a character: True if the pattern is found before it, else the next position.

        Also returns the number of states and counts visited.
        """
        states, counts = self.reached(position.threads, position.before, character)
        cost = len(states) + sum(map(len, counts.values()))
        if self.final in states:
            return True, cost
        following: set[int | tuple[int, Spans]] = {self.first}
        for state in states:
            reads = self.reads[state]
            if isinstance(reads, CharacterSet) and character in reads:
                following.update(self.onward[state])
        for state, spans in counts.items():
            counter = self.reads[state]
            if isinstance(counter, Counter) and character in counter.set and (advanced := counter.advanced(spans)):
                following.add((state, advanced))
        # An edge only depends on whether the character before it is a word character, or ends a line.
        before = "\n" if character in _LINE_ENDS else "w" if character in WORD else "-"
        return self.position(frozenset(following), before), cost

    def reached(self, threads: Threads, before: str, after: str) -> tuple[set[int], dict[int, Spans]]:
        """The states that are reached between two characters, without reading; and the counts of those that count.

        ``before`` and ``after`` are ``""`` at the start and at the end of the text.
        """
        found: set[int] = set()
        counts: dict[int, Spans] = {}
        waiting: list[int] = []
        for thread in threads:
            if isinstance(thread, int):
                waiting.append(thread)
                continue
            state, spans = thread
            counts[state] = spans
            counter = self.reads[state]
            if isinstance(counter, Counter) and spans[-1][1] >= counter.least:
                waiting += self.onward[state]
        while waiting:
            state = waiting.pop()
            if state in found:
                continue
            found.add(state)
            reads = self.reads[state]
            if isinstance(reads, Counter):
                counts[state] = _entered(counts.get(state, ()))
            is_passed = reads.least == 0 if isinstance(reads, Counter) else reads is None
            if is_passed or (isinstance(reads, Edge) and _is_at(reads, before, after)):
                waiting += self.onward[state]
        return found, counts


def _entered(spans: Spans) -> Spans:
    """The counts of a state, with 0 for a repetition that begins here."""
    if spans and spans[0][0] <= 1:
        return ((0, spans[0][1]), *spans[1:])
    return ((0, 0), *spans)


def single_set(tree: Any) -> CharacterSet | None:
    """The characters of a part that reads exactly one; None for any other part."""
    if isinstance(tree, One):
        return tree.set
    if isinstance(tree, Group):
        return single_set(tree.part)
    if isinstance(tree, Sequence) and len(tree.parts) == 1:
        return single_set(tree.parts[0])
    if isinstance(tree, Choice):
        sets = [found for part in tree.parts if (found := single_set(part)) is not None]
        return CharacterSet.union(sets) if len(sets) == len(tree.parts) else None
    return None


def _is_at(edge: Edge, before: str, after: str) -> bool:
    if edge.kind == "start":
        return not before or (edge.line and before in _LINE_ENDS)
    if edge.kind == "end":
        return not after or (edge.line and after in _LINE_ENDS)
    at_word = (bool(before) and before in WORD) != (bool(after) and after in WORD)
    return at_word == (edge.kind == "word")
