"""A schema, a value and a direction -> faults, each with its place in the value and in the document.

Two engines: ``jsonschema`` is the reference and makes every report; ``jsonschema-rs``, where it is installed, says yes
or no before it. Both go by one bundle, one table of formats and one reading of patterns.
"""

from __future__ import annotations

from dynclient._validation.validators import Validator, validator

__all__ = ["Validator", "validator"]
