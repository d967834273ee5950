"""Secret texts.

A secret shows itself only when asked to: not in a repr, a log, a traceback or a pickle.
"""

from __future__ import annotations

from typing import Any, NoReturn

from dynclient._masking import MASK


class Secret:
    """A text that shows itself as ``***``. It is compared in constant time, and refuses to be pickled."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        """Take the text."""
        self._value = value

    def reveal(self) -> str:
        """The text itself."""
        return self._value

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        import hmac

        return hmac.compare_digest(self._encoded(), other._encoded())

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __repr__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __reduce_ex__(self, _: Any) -> NoReturn:
        raise TypeError("a Secret is not pickled, so that credentials do not end up in files")

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, _: Any) -> Secret:
        return self

    def _encoded(self) -> bytes:
        return self._value.encode("utf-8", "surrogatepass")
