"""The quick engine: a bundle as functions of Python, made once. It says yes or no where jsonschema-rs does not.

Rule 1: it never says yes to what the reference engine refuses. What it has no word for, or a value that is none of
JSON's (bytes, files), is not its to judge: it says nothing.
Rule 2: functions are made of functions, by two tables. No source is made of a document, and none is run (fastjsonschema
would do that).
Rule 3: schemas that apply to one value together cost steps, and steps are bounded: it remembers no verdict, so what
grows beyond its bound is left to the reference engine, which does.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any

from dynclient._schemas import Bundle
from dynclient._validation.kinds import size
from dynclient._validation.quick_applicators import APPLICATORS, all_of, anything, nothing, unsure
from dynclient._validation.quick_assertions import ASSERTIONS, Step, Test, Unsure

if TYPE_CHECKING:
    from dynclient._validation.fast import Verdict

_FEW_STEPS = 10_000
_STEPS_PER_VALUE = 20


def quick_engine(bundle: Bundle) -> Verdict | None:
    """Make a bundle ready; None where it is not for this engine."""
    if "$id" in bundle.schema:
        # Where `$dynamicRef` leads is known only with the value.
        return None
    entries: Entries = bundle.worked_out.setdefault("quick", Entries())
    entries.nodes.update((f"#/$defs/{number}", node) for number, node in bundle.schema["$defs"].items())
    test = entries[bundle.schema["$ref"]]

    def verdict(value: Any) -> bool | None:
        try:
            return _bounded(test, value)
        except (Unsure, RecursionError):
            return None

    return verdict


def _bounded(test: Test, value: Any) -> bool | None:
    try:
        return test(value, _steps(_FEW_STEPS))
    except Spent:
        pass
    try:
        return test(value, _steps(_STEPS_PER_VALUE * size(value)))
    except Spent:
        return None


class Spent(Exception):
    """There are no steps left. A StopIteration would not come out of the generators that tests are made of."""


def _steps(most: int) -> Step:
    return chain(repeat(None, most), _end()).__next__


def _end() -> Iterator[None]:
    raise Spent
    yield


class Entries(dict[str, Test]):
    """The entries of a document's bundles as functions, each made when it is first reached."""

    def __init__(self) -> None:
        super().__init__()
        self.nodes: dict[str, Any] = {}

    def __missing__(self, reference: str) -> Test:
        made = self[reference] = self.made(self.nodes[reference])
        return made

    def made(self, node: Any) -> Test:
        """A schema as a function."""
        if not isinstance(node, dict):
            return anything if node is True else nothing
        tests = [test for word in node if (test := self._word(word, node)) is not None]
        return all_of(tests)

    def _word(self, word: str, node: dict[str, Any]) -> Test | None:
        if word == "$ref":
            return self._reference(node["$ref"])
        if word in ASSERTIONS:
            return ASSERTIONS[word](node)
        return APPLICATORS.get(word, unsure)(node, self.made)

    def _reference(self, reference: str) -> Test:
        def test(value: Any, step: Step) -> bool:
            step()
            return self[reference](value, step)

        return test
