"""Type, equality and size of values, as JSON Schema defines them, and the text of Decimals.

Rule 1: true is not a number, and 1.0 is an integer (JSON Schema 2020-12, 4.2.2 and 6.1.1).
Rule 2: NaN and the infinities, which JSON can't write, are not numbers.
Rule 3: a value that is sent unchanged (bytes, files, XML elements) counts as a string without further checks.
Rule 4: the module ``decimal`` is slow to import: a value can only be a Decimal if others have imported it.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeGuard

if TYPE_CHECKING:
    from decimal import Decimal

# The numbers that JavaScript writes without an exponent.
_SHORTEST, _LONGEST = -7, 21


def is_decimal(value: Any) -> TypeGuard[Decimal]:
    """Whether a value is a Decimal."""
    decimal = sys.modules.get("decimal")
    return decimal is not None and isinstance(value, decimal.Decimal)


def plain_number(value: Decimal) -> int | Decimal:
    """Return the int that is equal to a finite Decimal, if it is not too long, or else the Decimal itself."""
    exponent = value.as_tuple().exponent
    if exponent == 0 or (value.adjusted() < _LONGEST and value == value.to_integral_value()):
        return int(value)
    return value


def decimal_text(value: Decimal) -> str:
    """Write a finite Decimal with all of its digits, as a JSON number (RFC 8259, 6)."""
    return format(value, "f" if _SHORTEST <= value.adjusted() < _LONGEST else "")


class Written(float):
    """A float that knows the text of its JSON number: ``str()`` has all of the digits."""

    text = ""

    def __str__(self) -> str:
        return self.text or repr(self)


def written(text: str) -> Written:
    """Read a JSON number that is not an integer."""
    number = Written(text)
    number.text = text
    return number


JSON = (str, int, float, dict, list)


def is_number(value: Any) -> bool:
    """Whether a value is a JSON number."""
    if isinstance(value, float):
        return math.isfinite(value)
    return (isinstance(value, int) and not isinstance(value, bool)) or (is_decimal(value) and value.is_finite())


def is_integer(value: Any) -> bool:
    """Whether a value is a JSON number without a fraction."""
    if isinstance(value, float):
        return value.is_integer()
    return is_number(value) and (isinstance(value, int) or value == value.to_integral_value())


def is_multiple(value: Any, step: Any) -> bool:
    """Whether a number is a multiple of another, as both are written in decimal: 19.99 is a multiple of 0.01."""
    if isinstance(value, int) and isinstance(step, int):
        return value % step == 0
    from decimal import Decimal

    (top, low), (step_top, step_low) = (Decimal(str(each)).as_integer_ratio() for each in (value, step))
    return (top * step_low) % (step_top * low) == 0


def is_opaque(value: Any) -> bool:
    """Whether a value is not a JSON value: it is sent unchanged."""
    return value is not None and not isinstance(value, JSON) and not is_decimal(value)


TYPES: dict[str, Callable[[Any], bool]] = {
    "array": lambda value: isinstance(value, list),
    "boolean": lambda value: isinstance(value, bool),
    "integer": is_integer,
    "null": lambda value: value is None,
    "number": is_number,
    "object": lambda value: isinstance(value, dict),
    "string": lambda value: isinstance(value, str),
}
"""The test of each type."""


def kind(value: Any) -> str:
    """The name of a value's type: JSON's, or Python's for a type that JSON does not have."""
    names = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    if value is None:
        return "null"
    return names.get(type(value)) or ("number" if is_decimal(value) else type(value).__name__)


def size(value: Any) -> int:
    """The number of values in a value, including itself."""
    count, waiting = 0, [value]
    while waiting:
        here = waiting.pop()
        count += 1
        if isinstance(here, dict):
            waiting += here.values()
        elif isinstance(here, list):
            waiting += here
    return count


def frozen(value: Any) -> Any:
    """A hashable value; it is equal for values that are equal in JSON."""
    if isinstance(value, bool):
        return (bool, value)
    if isinstance(value, dict):
        return (dict, frozenset((key, frozen(item)) for key, item in value.items()))
    if isinstance(value, list):
        return (list, tuple(frozen(item) for item in value))
    try:
        hash(value)
    except TypeError:
        return id(value)
    return value
