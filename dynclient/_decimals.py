"""Decimals: which values are, and their text. The module ``decimal`` is slow to import: others have imported it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TypeGuard

if TYPE_CHECKING:
    from decimal import Decimal

# The numbers that JavaScript writes without an exponent.
_SHORTEST, _LONGEST = -7, 21


def is_decimal(value: Any) -> TypeGuard[Decimal]:
    """Whether a value is a Decimal. It can't be if nobody has imported their module."""
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
