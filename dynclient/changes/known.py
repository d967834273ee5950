"""What the comparison of two documents has found out of pairs of schemas, so that no pair is looked at twice.

Rule 1: what is said of a pair depends on its schemas, its side and whether it is XML; never on the way that led there.
Rule 2: a pair below which nothing changed is not gone into again, whichever operation leads there.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dynclient._records import Record
from dynclient.model import Schema

Key = tuple[str, str, str, bool]
"""The URIs of two schemas, the side, and whether it is XML."""


class Told(Record):
    """What is said of one pair: aspects, the rest of the path, and what Findings.add takes; and the pairs below."""

    changes: tuple[tuple[str, str, dict[str, Any]], ...]
    below: tuple[tuple[Schema, Schema, str, Key], ...]


class Known:
    """What is known of the pairs of two documents."""

    def __init__(self) -> None:
        self.told: dict[Key, Told] = {}
        self.same: dict[Key, bool] = {}
        self._unchanged: set[Key] = set()
        self._changed: set[Key] = set()

    def unchanged(self, key: Key) -> bool:
        """Whether nothing changed in a pair and all below it, as far as is known."""
        return key in self._unchanged

    def walked(self, seen: Iterable[Key], left: Iterable[Key]) -> None:
        """Learn from a walk: of the pairs that it has seen, no change is below those that lead to none.

        ``left`` are the pairs that it had no time for: whether something changed below them is not known.
        """
        met = set(seen)
        if met <= self._changed:
            return
        above: dict[Key, list[Key]] = {}
        for key in met:
            for *_, below in self.told[key].below:
                above.setdefault(below, []).append(key)
        waiting = [*left, *(key for key in met if self.told[key].changes)]
        changed = set(waiting)
        while waiting:
            for key in above.get(waiting.pop(), ()):
                if key not in changed:
                    changed.add(key)
                    waiting.append(key)
        self._unchanged |= met - changed
        self._changed |= changed
