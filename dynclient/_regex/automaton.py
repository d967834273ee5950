"""Matching in time that grows only with the text, however a pattern is nested.

Rule 1: all paths through a pattern are followed at once, so no path is tried twice (K. Thompson, 1968).
Rule 2: the position after a character is cached with the position before it, so it is found by one look-up.
Rule 3: a counted repetition of one character class is one state with a set of counts, not one state for each count:
reading a character adds one to every count. Counts are kept as spans, of which there are few.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from dynclient._records import Record
from dynclient._regex.characters import WORD, CharacterSet
from dynclient._regex.syntax import Choice, Edge, Group, One, Repeat, Sequence

MOST_STATES = 4_000
_MOST_CACHED = 500_000
"""Threads and following characters in all cached positions."""
_LINE_ENDS = frozenset("\n\r\u2028\u2029")

Spans: TypeAlias = tuple[tuple[int, int], ...]
Threads: TypeAlias = frozenset["int | tuple[int, Spans]"]


class Unfit(Exception):
    """An automaton can't follow the pattern: it has lookarounds or back references, or too many states."""


class Counter(Record):
    """A state that reads a character class ``least`` to ``most`` times; ``most`` is None where there is no bound."""

    set: CharacterSet
    least: int
    most: int | None

    def advanced(self, spans: Spans) -> Spans:
        """The counts after one more character; those beyond ``most`` end."""
        most = self.most if self.most is not None else max(self.least, 1)
        # Without a bound, all counts from ``least`` on are alike.
        kept = [(low + 1, min(high + 1, most)) for low, high in spans if low < most]
        if self.most is None and spans[-1][0] == most and (not kept or kept[-1][1] < most):
            kept.append((most, most))
        return tuple(kept)


class Position:
    """A place in a text: the threads there, the kind of the character before, and what is known to follow."""

    __slots__ = ("before", "following", "is_end", "threads")

    def __init__(self, threads: Threads, before: str) -> None:
        """Take the threads, and the condition of an edge on the character before."""
        self.threads = threads
        self.before = before
        self.following: dict[str, Any] = {}
        self.is_end: bool | None = None


class Automaton:
    """A pattern as states. A state reads a character, is at an edge, counts, or only leads on."""

    def __init__(self, tree: Any) -> None:
        """Lay out a tree.

        Raises:
            Unfit: it has parts that no automaton can follow, or more states than are allowed.
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
        """Return whether the pattern is found anywhere in a text, and how many states were gone through for it.

        Returns None where these would be more than ``most``.
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
        """Read a character: True where the pattern is found before it, else the next position.

        Also returns how many states and counts were gone through.
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
        # Of the character before, an edge asks only whether it is a word's character, or ends a line.
        before = "\n" if character in _LINE_ENDS else "w" if character in WORD else "-"
        return self.position(frozenset(following), before), cost

    def reached(self, threads: Threads, before: str, after: str) -> tuple[set[int], dict[int, Spans]]:
        """The states that are reached without reading, between two characters; and the counts of those that count.

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
