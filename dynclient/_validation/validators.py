"""A schema made ready, once, for each direction.

Rule 1: whoever asks for a validator gets the document's faults then, not when a value comes.
Rule 2: a valid value costs one question: to the quick engine, and from some values on to the fast one, where there is
one.
"""

from __future__ import annotations

import logging
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from dynclient._schemas import Bundle, bundle, cache, follow
from dynclient._validation.costs import cost
from dynclient._validation.kinds import is_deeper
from dynclient._validation.patterns import unchecked_patterns
from dynclient._validation.places import place_in
from dynclient.exceptions import DocumentError, Fault, InvalidDocument, UnsafeDocument
from dynclient.model import Schema
from dynclient.options import Limits

if TYPE_CHECKING:
    from dynclient._validation.fast import Verdict
    from dynclient._validation.reference import Reference
    from dynclient._validation.reports import Reporter

Engine = Literal["jsonschema", "jsonschema-rs", "quick"]

_EARLY = 8
"""So many values are for the quick engine, which is at hand: loading the fast one costs more than it saves by then."""

_log = logging.getLogger("dynclient.validation")


def validator(
    schema: Schema,
    direction: Literal["request", "response"],
    *,
    limits: Limits = Limits(),
    engine: Engine | None = None,
) -> Validator:
    """Make a schema ready to check values that go in a direction; once for each schema and direction.

    ``engine`` takes one engine alone; without it they work together, as far as they are installed.

    Raises:
        InvalidDocument: a word's value makes no sense.
        UnresolvableReference: a ``$ref`` leads nowhere, or in a circle.
        UnsafeDocument: it would take more steps, or levels, than the limits allow.
    """
    known = cache(schema.references, "validators")
    asked = (schema.uri, direction, limits, engine)
    found: Validator | None = known.get(asked)
    if found is None:
        schema = follow(schema)
        key = (schema.uri, direction, limits, engine)
        found = known.get(key)
        if found is None:
            found = known[key] = Validator(schema, bundle(schema, direction, depth=limits.schema_depth), limits, engine)
        known[asked] = found
    return found


class Validator:
    """Checks values against one schema, in one direction. An engine is made ready when it is first needed."""

    def __init__(self, schema: Schema, bundled: Bundle, limits: Limits, engine: Engine | None) -> None:
        """Take a bundle, and find what is wrong with it."""
        self.schema = schema
        self.bundle = bundled
        self.limits = limits
        self.engine = engine
        self._unchecked = unchecked_patterns(bundled, schema.references, limits)
        self._cost = cost(bundled, schema.references, limits)
        self._looks = self._cost.deepest is not None
        self._early = _EARLY
        self._settled: Verdict | None = None

    def __repr__(self) -> str:
        return f"<Validator of {self.schema.uri}>"

    @property
    def unchecked(self) -> list[DocumentError]:
        """The patterns that are not checked: InvalidDocument for what is not a pattern, else UnsafeDocument."""
        found: list[DocumentError] = []
        for source, problem, pointer, is_invalid in self._unchecked:
            kind = InvalidDocument if is_invalid else UnsafeDocument
            place = place_in(self.bundle, self.schema.references, pointer)
            found.append(kind(f"the pattern {source[:200]!r} is not checked: it {problem}", place=place))
        return found

    def faults(self, value: Any, *, path: str = "$", files: bool = False, places: bool = True) -> list[Fault]:
        """Tell what is wrong with a plain value; nothing, if it is valid.

        ``path`` is the name of the value's place. ``files`` tells that bytes, Paths, files and elements may stand
        where the schema has a string. Without ``places`` the faults don't tell where the document says so: to find the
        line, a large one is gone through again.
        """
        if self._settled is not None and self._settled(value) is True:
            return []
        is_valid, deepest = self._first()
        verdict = None
        if is_valid is not None and not (self._looks and self._is_deeper(value, deepest)):
            verdict = is_valid(value)
            if verdict is True:
                return []
        if self._looks and self._is_deeper(value, self._cost.deepest):
            return [Fault(path, f"is nested more than {self._cost.deepest} levels deep")]
        if verdict is False and self.engine is not None:
            return [Fault(path, "is not valid")]
        faults = self._report(value, path, files=files, places=places)
        if verdict is False and not faults:
            _log.debug("a faster engine refuses what jsonschema finds valid, by %s", self.schema.uri)
        return faults

    def _is_deeper(self, value: Any, limit: int | None) -> bool:
        return limit is not None and is_deeper(value, limit)

    def _first(self) -> tuple[Verdict | None, int | None]:
        """What says yes or no before the report, and how deep a value it takes."""
        if self.engine == "jsonschema":
            return None, None
        if self.engine is None and self._early > 0:
            self._early -= 1
            return self._quick, self._cost.deepest
        fast = self.engine == "jsonschema-rs" or (self.engine is None and self._fast is not None)
        first = (self._fast, self._cost.fast) if fast else (self._quick, self._cost.deepest)
        if not self._looks:
            # Which engine is asked, and how deep a value is, is no question any more.
            self._settled = first[0]
        return first

    @cached_property
    def _fast(self) -> Verdict | None:
        if self._cost.fast == 0 and self.engine is None:
            return None
        from dynclient._validation.fast import fast_engine

        return fast_engine(self.bundle)

    @cached_property
    def _quick(self) -> Verdict | None:
        from dynclient._validation.quick import quick_engine

        return quick_engine(self.bundle)

    @cached_property
    def _reference(self) -> Reference:
        from dynclient._validation.reference import Reference

        return Reference(self.bundle.schema, self.limits.validation_steps)

    @cached_property
    def _reporter(self) -> Reporter:
        from dynclient._validation.reports import Reporter

        return Reporter(self.bundle, self.schema.references)

    def _report(self, value: Any, path: str, *, files: bool, places: bool) -> list[Fault]:
        from dynclient._validation.reference import OverBudget

        try:
            errors = self._reference.errors(value, files=files, limit=self.limits.errors)
            return self._reporter.faults(errors, path, self.limits.errors, places=places)
        except OverBudget:
            return [Fault(path, "takes more steps to check than are allowed")]
        except RecursionError:
            return [Fault(path, "is nested too deep to be checked")]
