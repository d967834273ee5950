"""The reference engine: jsonschema, extended by our own reading of its words.

Rule 1: nothing is ever fetched: its registry is empty and retrieves nothing.
Rule 2: a run has a budget of steps. What a value needs by its size is granted; a schema that asks for more is stopped.
Rule 3: neither a deep value nor a deep schema is an exception: it is a fault.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from itertools import islice
from typing import Any

from jsonschema import Draft202012Validator, TypeChecker
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend
from referencing import Registry

from dynclient._validation import evaluation, keywords, references
from dynclient._validation.formats import format_fault
from dynclient._validation.kinds import TYPES, frozen, is_opaque, size

_STEPS_PER_VALUE = 500
"""Steps that are granted for each value within a value, whatever the limit."""


class OverBudget(Exception):
    """A value takes more steps to check than are allowed."""


class Run:
    """What one check of one value knows: its budget, and the verdicts that it has reached.

    It goes through the engine in the place of a format checker, which is what every part of the engine is given.
    """

    def __init__(self, value: Any, steps: int, *, entries: Mapping[str, Any], dynamic: bool, files: bool) -> None:
        self.value = value
        self.left = steps
        self.granted = False
        self.entries = entries
        self.dynamic = dynamic
        self.files = files
        self.verdicts: dict[tuple[str, int], list[ValidationError]] = {}
        self._members: dict[int, frozenset[Any]] = {}

    def step(self) -> None:
        """Count a step."""
        self.left -= 1
        if self.left < 0:
            if self.granted:
                raise OverBudget
            self.granted = True
            self.left = _STEPS_PER_VALUE * size(self.value)

    def members(self, allowed: list[Any]) -> frozenset[Any]:
        """What an ``enum`` allows, so that looking a value up costs the same however long that is."""
        known = self._members.get(id(allowed))
        if known is None:
            known = self._members[id(allowed)] = frozenset(map(frozen, allowed))
        return known

    def fault(self, value: Any, name: str) -> str | None:
        """What is wrong with a value by its format."""
        return format_fault(name, value)

    # jsonschema's own name for it, should a word of its own ask.
    def check(self, value: Any, name: str) -> None:
        """Raise what is wrong with a value by its format."""
        if fault := self.fault(value, name):
            raise ValidationError(fault)


class Reference:
    """A bundle, ready to be checked against."""

    def __init__(self, schema: dict[str, Any], steps: int) -> None:
        self.schema = schema
        self.steps = steps
        self.entries = {f"#/$defs/{number}": node for number, node in schema["$defs"].items()}
        self.dynamic = "$id" in schema

    def errors(self, value: Any, *, files: bool, limit: int) -> list[ValidationError]:
        """The first errors of a value.

        Raises:
            OverBudget: it takes too many steps.
            RecursionError: it is too deep.
        """
        run = Run(value, self.steps, entries=self.entries, dynamic=self.dynamic, files=files)
        checker = _engine(files=files)(self.schema, registry=Registry(), format_checker=run)
        return list(islice(checker.iter_errors(value), limit))


def _counted(function: Callable[..., Any]) -> Callable[..., Any]:
    def keyword(validator: Any, argument: Any, value: Any, schema: Any) -> Any:
        validator.format_checker.step()
        return function(validator, argument, value, schema)

    return keyword


@lru_cache(maxsize=2)
def _engine(*, files: bool) -> Any:
    words: dict[str, Callable[..., Any]] = {
        **Draft202012Validator.VALIDATORS,
        **keywords.KEYWORDS,
        **evaluation.KEYWORDS,
        **references.KEYWORDS,
    }
    types: dict[str, Callable[[Any], bool]] = dict(TYPES)
    if files:
        types["string"] = lambda value: isinstance(value, str) or is_opaque(value)
    return extend(  # type: ignore[no-untyped-call] # jsonschema's own
        Draft202012Validator,
        validators={word: _counted(function) for word, function in words.items()},
        type_checker=TypeChecker({name: _checked(test) for name, test in types.items()}),  # type: ignore[misc] # called by position,
    )


def _checked(test: Callable[[Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda _, value: test(value)
