"""A schema made ready, once, for each direction.

Rule 1: whoever asks for a validator gets the document's faults then, not when a value comes.
Rule 2: a valid value costs one question to the fast engine, where there is one.
"""

from __future__ import annotations

import logging
from typing import Any, Literal

from dynclient._schemas import Bundle, bundle, cache
from dynclient._validation.costs import cost
from dynclient._validation.kinds import is_deeper
from dynclient._validation.lawful import check_patterns
from dynclient.exceptions import Fault
from dynclient.model import Schema
from dynclient.options import Limits

Engine = Literal["jsonschema", "jsonschema-rs"]

_log = logging.getLogger("dynclient.validation")


def validator(
    schema: Schema,
    direction: Literal["request", "response"],
    *,
    limits: Limits = Limits(),
    engine: Engine | None = None,
) -> Validator:
    """Make a schema ready to check values that go in a direction; once for each schema and direction.

    ``engine`` takes one engine alone; without it both work together, as far as they are installed.

    Raises:
        InvalidDocument: a word's value makes no sense, or a pattern is none.
        UnresolvableReference: a ``$ref`` leads nowhere, or in a circle.
        UnsafeDocument: it would take more steps, or levels, than the limits allow.
    """
    known = cache(schema.references, "validators")
    key = (schema.uri, direction, limits, engine)
    found: Validator | None = known.get(key)
    if found is None:
        found = known[key] = Validator(schema, bundle(schema, direction, depth=limits.schema_depth), limits, engine)
    return found


class Validator:
    """Checks values against one schema, in one direction."""

    def __init__(self, schema: Schema, bundled: Bundle, limits: Limits, engine: Engine | None) -> None:
        """Take a bundle, and find what is wrong with it."""
        self.schema = schema
        self.bundle = bundled
        self.limits = limits
        check_patterns(bundled, schema.references, limits)
        self._cost = cost(bundled, schema.references, limits)
        self._is_valid = None
        if engine != "jsonschema" and (self._cost.tame or engine):
            from dynclient._validation.fast import fast_engine

            self._is_valid = fast_engine(bundled.schema)
        self._alone = engine == "jsonschema-rs"
        self._reference: Any = None
        self._reporter: Any = None

    def __repr__(self) -> str:
        return f"<Validator of {self.schema.uri}>"

    def faults(self, value: Any, *, path: str = "$", files: bool = False) -> list[Fault]:
        """Tell what is wrong with a plain value; nothing, if it is valid.

        ``path`` is the name of the value's place. ``files`` tells that bytes, Paths, files and elements may stand
        where the schema has a string.
        """
        if self._cost.recursive and is_deeper(value, self.limits.body_depth):
            return [Fault(path, f"is nested more than {self.limits.body_depth} levels deep")]
        if self._is_valid is not None:
            verdict = self._is_valid(value)
            if verdict is True:
                return []
            if verdict is False and self._alone:
                return [Fault(path, "is not valid")]
        faults = self._report(value, path, files=files)
        if not faults and self._is_valid is not None and verdict is False:
            _log.debug("jsonschema-rs refuses what jsonschema finds valid, by %s", self.schema.uri)
        return faults

    def _report(self, value: Any, path: str, *, files: bool) -> list[Fault]:
        from dynclient._validation.reference import OverBudget, Reference
        from dynclient._validation.reports import Reporter

        if self._reference is None:
            self._reporter = Reporter(self.bundle, self.schema.references)
            self._reference = Reference(self.bundle.schema, self.limits.validation_steps)
        try:
            errors = self._reference.errors(value, files=files, limit=self.limits.errors)
            return self._reporter.faults(errors, path, self.limits.errors)  # type: ignore[no-any-return]
        except OverBudget:
            return [Fault(path, "takes more steps to check than are allowed")]
        except RecursionError:
            return [Fault(path, "is nested too deep to be checked")]
