"""Matching in time that grows only with the text, however a pattern is nested.

Rule 1: all ways through a pattern are followed at once, so no way is tried twice (K. Thompson, 1968).
Rule 2: what was found for a set of ways and a character is kept, so a second look costs one step.
"""

from __future__ import annotations

from typing import Any

from dynclient._validation.characters import WORD, CharacterSet
from dynclient._validation.ecma import Choice, Edge, Group, One, PatternError, Repeat, Sequence

MOST_STATES = 4_000
_MOST_KEPT = 10_000
_MOST_WORK = 5_000_000
_LINE_ENDS = frozenset("\n\r\u2028\u2029")


class Automaton:
    """A pattern as states. A state has a set to read, an edge to be at, or just ways on."""

    def __init__(self, tree: Any) -> None:
        """Lay out a tree.

        Raises:
            PatternError: it has more states than are allowed.
            Unfit: it has parts that no automaton can follow.
        """
        self.sets: list[CharacterSet | Edge | None] = []
        self.ways: list[list[int]] = []
        self.final = self.state()
        self.first = self.lay(tree, self.final)
        self.kept = 0
        self.known: dict[tuple[frozenset[int], str], dict[str, Any]] = {}

    def state(self, reads: CharacterSet | Edge | None = None, *ways: int) -> int:
        """Add a state."""
        if len(self.sets) >= MOST_STATES:
            raise PatternError("repeats too much", unsafe=True)
        self.sets.append(reads)
        self.ways.append(list(ways))
        return len(self.sets) - 1

    def lay(self, tree: Any, after: int) -> int:
        """Lay out a part before a state; return where it begins."""
        if isinstance(tree, One):
            return self.state(tree.set, after)
        if isinstance(tree, Edge):
            return self.state(tree, after)
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
        """Lay out a repetition: each required time, then each optional one."""
        if tree.most is None:
            loop = self.state(None, after)
            self.ways[loop].append(self.lay(tree.part, loop))
            after = loop
        else:
            end = after
            for _ in range(tree.most - tree.least):
                after = self.state(None, end, self.lay(tree.part, after))
        for _ in range(tree.least):
            after = self.lay(tree.part, after)
        return after

    def search(self, text: str) -> bool | None:
        """Tell whether the pattern is found anywhere in a text; None where that would take too long."""
        states = frozenset((self.first,))
        before = ""
        work = 0
        for character in text:
            kept = self.known.get((states, before))
            onward = kept.get(character) if kept is not None else None
            if onward is None:
                work += len(states)
                if work > _MOST_WORK:
                    return None
                onward = self.step(states, before, character)
                self.keep(states, before, character, onward)
            if onward is True:
                return True
            states, before = onward
        return self.final in self.reached(states, before, "")

    def keep(self, states: frozenset[int], before: str, character: str, onward: Any) -> None:
        """Keep a step, unless too many are kept: then begin anew."""
        if self.kept >= _MOST_KEPT:
            self.known.clear()
            self.kept = 0
        self.kept += 1
        self.known.setdefault((states, before), {})[character] = onward

    def step(self, states: frozenset[int], before: str, character: str) -> Any:
        """Go on by a character: True where the pattern is found before it, else the next ways and their context."""
        reached = self.reached(states, before, character)
        if self.final in reached:
            return True
        onward = {self.first}
        for state in reached:
            reads = self.sets[state]
            if isinstance(reads, CharacterSet) and character in reads:
                onward.update(self.ways[state])
        # Of what lies behind, an edge asks only whether it is a word's character, or ends a line.
        return frozenset(onward), "\n" if character in _LINE_ENDS else "w" if character in WORD else "-"

    def reached(self, states: frozenset[int], before: str, after: str) -> set[int]:
        """All states that are reached without reading, between two characters; ``""`` is the text's end."""
        found: set[int] = set()
        waiting = list(states)
        while waiting:
            state = waiting.pop()
            if state in found:
                continue
            found.add(state)
            reads = self.sets[state]
            if reads is None or (isinstance(reads, Edge) and _is_at(reads, before, after)):
                waiting += self.ways[state]
        return found


class Unfit(Exception):
    """A pattern looks around, or back."""


def _is_at(edge: Edge, before: str, after: str) -> bool:
    if edge.kind == "start":
        return not before or (edge.line and before in _LINE_ENDS)
    if edge.kind == "end":
        return not after or (edge.line and after in _LINE_ENDS)
    at_word = (bool(before) and before in WORD) != (bool(after) and after in WORD)
    return at_word == (edge.kind == "word")
