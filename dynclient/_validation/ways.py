"""In how many ways checking comes to one place of a value.

Rule 1: what applies to the same value adds up, place by place: a schema that is named twice for one place is two ways.
Rule 2: nothing is gone through twice, and no chain of references is followed by recursion.
"""

from __future__ import annotations

import functools
import operator
from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

from dynclient._validation.applying import below_value, references_in, same_value

_MANY = 1_000_000
"""More ways than these are not told apart."""


class Ways:
    """The places below a value, and in how many ways each is come to; what one way counts, its kinds say."""

    def __init__(self, entries: Mapping[str, Any], by_entry: dict[str, Counter[str]]) -> None:
        """Take the entries of a bundle, and what is known of them."""
        self.entries = entries
        self.by_entry = by_entry

    def by_reference(self, reference: str) -> Counter[str]:
        """The places of an entry that is referred to."""
        raise NotImplementedError

    def count(self, below: Any) -> int:
        """What one way to a schema counts."""
        raise NotImplementedError

    def places(self, node: Any) -> Counter[str]:
        """The places below a value, by a schema; ``*`` is any place."""
        found: Counter[str] = Counter()
        if not isinstance(node, dict):
            return found
        if "$ref" in node:
            found += self.by_reference(node["$ref"])
        for place, below in below_value(node):
            found[place] += self.count(below)
        rest = dict(node)
        choices = node.get("allOf", ())
        if choices and all(isinstance(each, dict) and each.keys() == {"if", "then"} for each in choices):
            # Of a discriminator's choices one is taken at most.
            found += functools.reduce(operator.or_, (self.places(choice["then"]) for choice in choices))
            del rest["allOf"]
        for below in same_value(rest):
            found += self.places(below)
        return found


def most_at_one(places: Counter[str]) -> int:
    """The most ways to one place; 1 where there are none."""
    any_place = places["*"]
    return max([1, any_place, *(count + any_place for place, count in places.items() if place != "*")])


class Loop(Ways):
    """A circle of schemas, and the places within a value at which it is entered again."""

    def __init__(self, entries: Mapping[str, Any], loop: frozenset[str]) -> None:
        """Take the entries of a bundle, and those of the circle."""
        super().__init__(entries, {})
        self.loop = loop
        self.enters: dict[int, bool] = {}

    def factor(self) -> int:
        """The most ways at one place."""
        most = 1
        for name in self.loop:
            waiting = [self.entries[name]]
            while waiting:
                here = waiting.pop()
                most = max(most, most_at_one(self.places(here)))
                if isinstance(here, dict):
                    waiting += [below for _, below in below_value(here)]
                    waiting += same_value(here)
        return most

    def by_reference(self, reference: str) -> Counter[str]:
        """The places of an entry of the circle: no entry leads back to itself within one value, as was found before."""
        if reference not in self.loop:
            return Counter()
        if reference not in self.by_entry:
            self.by_entry[reference] = self.places(self.entries[reference])
        return self.by_entry[reference]

    def count(self, below: Any) -> int:
        """1 if a schema refers to the circle, anywhere within."""
        if id(below) not in self.enters:
            self.enters[id(below)] = not references_in(below).isdisjoint(self.loop)
        return self.enters[id(below)]


class Visits(Ways):
    """How often one place of a value is come to on all ways from its top. What a circle adds is not its to tell."""

    def __init__(
        self, entries: Mapping[str, Any], references: Mapping[str, Collection[str]], by_entry: dict[str, Counter[str]]
    ) -> None:
        """Take the entries of a bundle, what each refers to, and what is known of them."""
        super().__init__(entries, by_entry)
        self.references = references

    def most(self) -> int:
        """The most visits to one place, by any entry."""
        waiting = [name for name in self.entries if name not in self.by_entry]
        entered: set[str] = set()
        while waiting:
            name = waiting.pop()
            if name in self.by_entry:
                continue
            onward = [other for other in self.references[name] if other not in self.by_entry and other not in entered]
            if onward and name not in entered:
                entered.add(name)
                waiting += [name, *onward]
                continue
            self.by_entry[name] = self.places(self.entries[name])
        return max((most_at_one(self.by_entry[name]) for name in self.entries), default=1)

    def by_reference(self, reference: str) -> Counter[str]:
        """The places of an entry; of one that leads back here, none."""
        return self.by_entry.get(reference, Counter())

    def count(self, below: Any) -> int:
        """How often one place within is come to."""
        return min(most_at_one(self.places(below)), _MANY)
