"""Validate a value against a schema in one direction: the faults, each with its location in the value and the document.

``jsonschema`` decides and reports. ``jsonschema-rs`` checks first if possible: a value that it finds valid is valid.
Both use the same bundle, formats and patterns.
"""

from __future__ import annotations

from dynclient._validation.validators import Validator, body_faults, item_faults, validator

__all__ = ["Validator", "body_faults", "item_faults", "validator"]
