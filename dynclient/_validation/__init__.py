"""Validation of a value against a schema in one direction: faults, each with its place in the value and the document.

``jsonschema`` decides and reports. ``jsonschema-rs`` checks first where it may: a value that it finds valid is valid.
Both go by one bundle, one table of formats and one reading of patterns.
"""

from __future__ import annotations

from dynclient._validation.validators import Validator, body_faults, item_faults, validator

__all__ = ["Validator", "body_faults", "item_faults", "validator"]
