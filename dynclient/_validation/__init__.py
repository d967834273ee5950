"""A schema, a value and a direction -> faults, each with its place in the value and in the document.

``jsonschema`` is the reference and makes every report. Another engine says yes or no before it: ``jsonschema-rs`` where
it is installed, else the quick one, of our own functions. All go by one bundle, one table of formats and one reading of
patterns.
"""

from __future__ import annotations

from dynclient._validation.validators import Validator, validator

__all__ = ["Validator", "validator"]
