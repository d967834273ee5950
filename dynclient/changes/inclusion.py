"""Whether every value of one schema is valid against another, proved from the keywords of their bundles.

Rule 1: a result is "proved" or "not proved", never a guess. A statement that is not proved may still be true.
Rule 2: the first schema is a set of terms. Each keyword of the other schema has to follow from these.
Rule 3: if the terms have alternatives, each may be considered by itself. If they allow only a few values, these are
validated.
Rule 4: a property that the first schema does not name counts as absent, unless the schema describes such properties: a
caller who follows the first document does not send it.
Rule 5: since values are finite, a proof may assume for the values within a value what it proves for the whole. The
number of its steps is limited by a budget.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import cache
from itertools import islice
from typing import Any

from dynclient._json_types import frozen
from dynclient._records import Record
from dynclient._validation.evaluation import OverBudget, errors_of
from dynclient._validation.formats import NUMBERS, TEXTS
from dynclient._validation.patterns import begin_check, matches
from dynclient.changes.facts import (
    COUNTED,
    NUMERIC,
    TYPES,
    WIDER,
    Facts,
    Term,
    TermSet,
    divides,
    flattened,
    known_names,
    named_anywhere,
    schema_of_items,
    schema_of_others,
    take_pairs,
)
from dynclient.options import Limits

_LIMITS = Limits()
_DEEPEST = 40
_MOST_VALUES = 200
_UNIONS = ("anyOf", "oneOf")
_SPLIT = frozenset({"$ref", "allOf", "anyOf", "if", "not", "oneOf"})
_REFERENCES = frozenset({"$ref", "$dynamicRef"})
_NEVER = Term(False)


class Inclusion:
    """Proofs about the schemas of two documents; each result is remembered."""

    def __init__(self, budget: int) -> None:
        """``budget`` is the number of steps; it may be set again later."""
        self.steps = budget
        self._depth = self._level = 0
        self._lowest = _DEEPEST
        self._known: dict[Any, bool] = {}
        # Statements that are being proved, or that rest on these: the depth of the outermost one that they rest on, and
        # the least level at which they may be used. The last one was added last.
        self._assumed: dict[Any, tuple[int, int]] = {}
        self.facts = cache(Facts)
        self._values = cache(_values)
        self.same = cache(_same)
        self._names = cache(named_anywhere)
        self.typed = cache(lambda name: Term({"type": name}))
        self.last: dict[Term, int] = {}
        """For a union, the index of the branch that was proved last: the next one is often next to it."""
        self.negation = cache(lambda one: Term({"not": one.node}, one.entries))
        self.naming = cache(lambda ones: Term({"properties": dict.fromkeys(sorted(self.names(*ones)), True)}))

    def includes(self, ones: Iterable[Term], other: Term, *, below: int = 0) -> bool:
        """Whether it is proved that a value that is valid against all terms is valid against the other term.

        ``below`` is 1 for a value within the value that is being proved.
        """
        if other.node is True or other.node == {}:
            return True
        ones = flattened(ones)
        key = (frozenset(ones), other)
        if key in self._known:
            return self._known[key]
        if key in self._assumed:
            depth, level = self._assumed[key]
            self._lowest = min(self._lowest, depth)
            return level <= self._level + below
        if self.steps <= 0 or self._depth > _DEEPEST:
            return False
        self.steps -= 1
        begun, lowest = len(self._assumed), self._lowest
        self._lowest = _DEEPEST
        self._level += below
        self._assumed[key] = self._depth, self._level + 1
        self._depth += 1
        found = self._includes(ones, other)
        self._depth -= 1
        if found and self._lowest < self._depth:
            self._assumed[key] = self._lowest, self._level
            lowest = min(lowest, self._lowest)
        else:
            # Statements that depend only on this one are as true as this one.
            while len(self._assumed) > begun:
                proved, _ = self._assumed.popitem()
                if found:
                    self._known[proved] = True
            self._known[key] = found
        self._lowest = lowest
        self._level -= below
        return found

    def names(self, *ones: Term) -> set[str]:
        """The names of properties in some terms."""
        return set[str]().union(*map(self._names, ones))

    def impossible(self, ones: Iterable[Term], *, below: int = 0) -> bool:
        """Whether it is proved that no value is valid against all of these terms."""
        return self.includes(ones, _NEVER, below=below)

    def _includes(self, ones: TermSet, other: Term) -> bool:
        facts = self.facts(ones)
        if other.node is False:
            return self._contradicts(facts, ones)
        if self.impossible(ones):
            return True
        values = self._values(ones)
        if values is not None:
            return all(is_valid(other, value) for value in values)
        if self.follows(facts, ones, other):
            return True
        choices = self._alternatives(facts, ones)
        if not choices and len(facts.types) > 1 and not other.node.keys().isdisjoint(_SPLIT):
            choices = [(*ones, self.typed(name)) for name in sorted(_names(facts.types))]
        return bool(choices) and all(self.includes(choice, other) for choice in choices)

    def follows(self, facts: Facts, ones: TermSet, other: Term) -> bool:
        """Whether it is proved from the facts of some terms, without considering the alternatives of these."""
        if isinstance(other.node, bool):
            return other.node
        claim = Claim(self, facts, ones, other)
        return any(self.same(one, other) for one in ones) or all(map(claim.follows, other.node))

    def _contradicts(self, facts: Facts, ones: TermSet) -> bool:
        return (
            facts.never
            or not facts.types
            or facts.has_no_room
            or self._values(ones) == []
            or (
                facts.types == {"object"}
                and any(self.impossible(facts.of_property(name), below=1) for name in facts.required)
            )
            or any(self.follows(facts, ones, negated) for negated in facts.below("not"))
            or (bool(choices := self._alternatives(facts, ones)) and all(map(self.impossible, choices)))
        )

    def _alternatives(self, facts: Facts, ones: TermSet) -> list[TermSet]:
        """The terms with each branch of the first union or condition that has none among the terms; empty if all do."""
        for part in facts.parts:
            for branches in map(part.listed, _UNIONS):
                if branches and {*ones}.isdisjoint(branches):
                    # If a term has only branches, it adds nothing to one of them, except names (rule 4).
                    is_only = len(part.node) == 1 and all(self.names(part) == self.names(one) for one in branches)
                    rest = [one for one in ones if one != part] if is_only else ones
                    return [(*rest, branch) for branch in branches]
            if "if" in part.node:
                condition = part.below("if")
                negated = self.negation(condition)
                if {*ones}.isdisjoint((condition, negated)):
                    then, else_ = ([part.below(word)] if word in part.node else [] for word in ("then", "else"))
                    return [(*ones, condition, *then), (*ones, negated, *else_)]
        return []


def _values(ones: TermSet) -> list[Any] | None:
    """All values that some terms allow; None if they are not listed, or are many."""
    found = Facts(ones).listed_values
    if found is None or len(found) > _MOST_VALUES:
        return None
    return [value for value in found if all(is_valid(one, value) for one in ones)]


def _same(one: Term, other: Term) -> bool:
    """Whether two terms, and those that they refer to, are written alike."""
    seen: set[tuple[int, int]] = set()
    waiting = [(one.node, other.node)]
    while waiting:
        here, there = waiting.pop()
        left, right = one.target(here), other.target(there)
        if (id(left), id(right)) in seen:
            continue
        seen.add((id(left), id(right)))
        if type(left) is not type(right):
            return False
        if isinstance(left, dict) and left.keys() == right.keys():
            names = [key for key in left if key in _REFERENCES and isinstance(left[key], str)]
            waiting += [({"$ref": left[name]}, {"$ref": right[name]}) for name in names]
            waiting += [(left[key], right[key]) for key in left if key not in names]
        elif isinstance(left, list) and len(left) == len(right):
            waiting += zip(left, right, strict=True)
        elif isinstance(left, dict | list) or left != right:
            return False
    return True


def _names(types: frozenset[str]) -> set[str]:
    """Names of types, as in a schema."""
    return {"number" if name == "fraction" else name for name in types if name != "integer" or "fraction" not in types}


def is_valid(term: Term, value: Any) -> bool:
    """Whether a value is valid against a term, as far as the limits let that be decided."""
    if isinstance(term.node, bool):
        return term.node
    begin_check()
    schema = {"allOf": [term.node], "$defs": term.entries}
    try:
        return not errors_of(schema, value, _LIMITS)
    except (OverBudget, RecursionError, ValueError):
        return False


class Claim(Record):
    """The statement to prove: that a keyword of ``other`` follows from ``facts``, those of the terms ``ones``."""

    proof: Inclusion
    facts: Facts
    ones: TermSet
    other: Term

    def follows(self, keyword: str) -> bool:
        """Whether it is proved of a keyword of the other term."""
        if keyword in _IGNORED:
            return True
        if keyword not in _CHECKS:
            return False
        types, check = _CHECKS[keyword]
        return self.facts.types.isdisjoint(types) or check(self)

    def includes(self, other: Term, *more: Term) -> bool:
        """The same of another term, from the terms and additional ones."""
        ones = flattened((*self.ones, *more)) if more else self.ones
        proof = self.proof
        return proof.follows(proof.facts(ones), ones, other) or (bool(more) and proof.impossible(ones))

    def below(self, ones: TermSet, other: Term) -> bool:
        """The same for the terms of a value within the value."""
        return self.proof.includes(ones, other, below=1)


# A check for each keyword of the other schema: whether it follows from the facts.

Check = Callable[[Claim], bool]


def _any_of(it: Claim) -> bool:
    branches = it.other.listed("anyOf")
    first = it.proof.last.get(it.other, 0)
    for index in (*range(first, len(branches)), *range(first)):
        if it.includes(branches[index]):
            it.proof.last[it.other] = index
            return True
    return False


def _one_of(it: Claim) -> bool:
    branches = it.other.listed("oneOf")
    possible = (one for one in branches if not (_differs(it, one) or it.proof.impossible((*it.ones, one))))
    fits = [*islice(possible, 2)]
    if len(fits) == 1 and it.includes(fits[0]):
        return True

    # The names of the other branches are known, too (rule 4): these branches must not allow the value.
    named = it.proof.naming(it.ones)

    def is_equal(one: Term, other: Term) -> bool:
        proof = it.proof
        return proof.same(one, other) or (proof.includes((one, named), other) and proof.includes((other, named), one))

    def has_partners(ones: list[Term]) -> bool:
        left = [*branches]
        return len(ones) == len(left) and all(take_pairs([one], left, is_equal) for one in ones)

    # Or each branch allows what one of a list of as many branches does.
    return any(has_partners(part.listed("oneOf")) for part in it.facts.parts)


def _differs(it: Claim, branch: Term) -> bool:
    """Whether a property that values have is another one in a branch: a quick test for the most common unions."""
    facts, other = it.facts, it.proof.facts(flattened([branch]))
    if facts.types != {"object"}:
        return False
    for name in facts.required | other.required:
        ours, theirs = (it.proof.facts(found.of_property(name)).listed_values for found in (facts, other))
        if ours and theirs and {*map(frozen, ours)}.isdisjoint(map(frozen, theirs)):
            return True
    return False


def _not(it: Claim) -> bool:
    excluded = it.other.below("not")
    return it.proof.impossible((*it.ones, excluded)) or any(
        it.proof.includes((excluded, it.proof.naming(it.ones)), negated) for negated in it.facts.below("not")
    )


def _if(it: Claim) -> bool:
    condition = it.other.below("if")
    alike = [part for part in it.facts.parts if "if" in part.node and it.proof.same(part.below("if"), condition)]
    return all(
        it.includes(it.other.below(word), premise, *(part.below(word) for part in alike if word in part.node))
        for word, premise in (("then", condition), ("else", it.proof.negation(condition)))
        if word in it.other.node
    )


def _listed(it: Claim) -> bool:
    allowed = {frozen(value) for value in it.other.node.get("enum", [it.other.node.get("const")])}
    return it.facts.listed_values is not None and {frozen(value) for value in it.facts.listed_values} <= allowed


def _limit(keyword: str, exclusive: str, sign: int) -> Check:
    def check(it: Claim) -> bool:
        part = {name: it.other.node[name] for name in (keyword, exclusive) if name in it.other.node}
        wanted = Facts((Term({"type": sorted(_names(it.facts.types)), **part}),))
        return it.facts.limit(keyword, exclusive, sign) >= wanted.limit(keyword, exclusive, sign)

    return check


def _multiple(it: Claim) -> bool:
    known = [*it.facts.said("multipleOf"), *([1] if "fraction" not in it.facts.types else [])]
    return any(divides(it.other.node["multipleOf"], value) for value in known)


def _format(it: Claim) -> bool:
    facts, name, known = it.facts, it.other.node["format"], it.facts.said("format")
    if name in known:
        return True
    if name in TEXTS and "string" in facts.types and not any((each, name) in WIDER for each in known):
        return False
    if name in NUMBERS and facts.types & NUMERIC:
        number = NUMBERS[name]
        low, high = facts.limit("minimum", "exclusiveMinimum", 1), facts.limit("maximum", "exclusiveMaximum", -1)
        whole = (
            not number.whole or "fraction" not in facts.types or any(NUMBERS[it].whole for it in known if it in NUMBERS)
        )
        return whole and low[0] >= number.least and -high[0] <= number.most
    return True


def _properties(it: Claim) -> bool:
    named = it.proof.names(*it.ones)
    for name in it.other.node["properties"]:
        terms = it.facts.of_property(name)
        if name not in named and all(term.node in (True, {}) for term in terms):
            continue  # rule 4
        if not it.below(terms, it.other.below("properties", name)):
            return False
    return True


def _pattern_properties(it: Claim) -> bool:
    for pattern in it.other.node["patternProperties"]:
        below = it.other.below("patternProperties", pattern)
        fits = [name for name in it.facts.names() if matches(pattern, name, _LIMITS.pattern_length) is not False]
        others = {one for said in it.facts.said("patternProperties") for one in said if one != pattern}
        known = [*map(it.facts.of_property, fits), *map(it.facts.of_others, (*others, pattern))]
        if not all(it.below(terms, below) for terms in known):
            return False
    return True


def _other_properties(it: Claim) -> bool:
    below = schema_of_others(it.other)
    if not below:
        return False
    patterns = it.other.node.get("patternProperties", {})
    free = [
        name
        for name in it.facts.names() - known_names(it.other)
        if not any(matches(pattern, name, _LIMITS.pattern_length) for pattern in patterns)
    ]
    others = {one for said in it.facts.said("patternProperties") for one in said} - patterns.keys()
    found = [*map(it.facts.of_property, free), *map(it.facts.of_others, (None, *others))]
    return all(it.below(terms, below[0]) for terms in found)


def _items(it: Claim) -> bool:
    first = len(it.other.node.get("prefixItems", ()))
    count = max([first, *(len(said) for said in it.facts.said("prefixItems"))])
    rest = schema_of_items(it.other)
    if "unevaluatedItems" in it.other.node and not rest:
        return False
    for index in range(int(min(count + 1, it.facts.most("maxItems")))):
        below = it.other.below("prefixItems", index) if index < first else rest[0] if rest else None
        if below is not None and not it.below(it.facts.of_item(index), below):
            return False
    return True


def _contains(it: Claim) -> bool:
    wanted = it.other.node
    return any(
        _same(part.below("contains"), it.other.below("contains"))
        and part.node.get("minContains", 1) >= wanted.get("minContains", 1)
        and part.node.get("maxContains", math.inf) <= wanted.get("maxContains", math.inf)
        for part in it.facts.parts
        if "contains" in part.node
    )


def _unique_items(it: Claim) -> bool:
    return not it.other.node["uniqueItems"] or True in it.facts.said("uniqueItems") or it.facts.most("maxItems") <= 1


def _alike(*keywords: str) -> Check:
    """Whether one of the terms has the same keywords."""

    def having(term: Term) -> Term:
        return Term({name: term.node[name] for name in keywords if name in term.node}, term.entries)

    return lambda it: any(_same(having(part), having(it.other)) for part in it.facts.parts)


def _at_least(keyword: str) -> Check:
    return lambda it: it.facts.least(keyword) >= it.other.node[keyword]


def _at_most(keyword: str) -> Check:
    return lambda it: it.facts.most(keyword) <= it.other.node[keyword]


_MINIMUM = _limit("minimum", "exclusiveMinimum", 1)
_MAXIMUM = _limit("maximum", "exclusiveMaximum", -1)
_ARRAY, _OBJECT, _TEXT = frozenset({"array"}), frozenset({"object"}), frozenset({"string"})
_CHECKS: dict[str, tuple[frozenset[str], Check]] = {
    "$ref": (TYPES, lambda it: it.includes(it.other.referred())),
    "additionalProperties": (_OBJECT, _other_properties),
    "allOf": (TYPES, lambda it: all(map(it.includes, it.other.listed("allOf")))),
    "anyOf": (TYPES, _any_of),
    "const": (TYPES, _listed),
    "contains": (_ARRAY, _contains),
    "dependentRequired": (_OBJECT, _alike("dependentRequired")),
    "dependentSchemas": (_OBJECT, _alike("dependentSchemas")),
    "enum": (TYPES, _listed),
    "exclusiveMaximum": (NUMERIC, _MAXIMUM),
    "exclusiveMinimum": (NUMERIC, _MINIMUM),
    "format": (TYPES, _format),
    "if": (TYPES, _if),
    "items": (_ARRAY, _items),
    "maximum": (NUMERIC, _MAXIMUM),
    "minimum": (NUMERIC, _MINIMUM),
    "multipleOf": (NUMERIC, _multiple),
    "not": (TYPES, _not),
    "oneOf": (TYPES, _one_of),
    "pattern": (_TEXT, lambda it: it.other.node["pattern"] in it.facts.said("pattern")),
    "patternProperties": (_OBJECT, _pattern_properties),
    "prefixItems": (_ARRAY, _items),
    "properties": (_OBJECT, _properties),
    "propertyNames": (_OBJECT, _alike("propertyNames")),
    "required": (_OBJECT, lambda it: it.facts.required.issuperset(it.other.node["required"])),
    "type": (TYPES, lambda it: it.facts.types <= Facts((Term({"type": it.other.node["type"]}),)).types),
    "unevaluatedItems": (_ARRAY, _items),
    "unevaluatedProperties": (_OBJECT, _other_properties),
    "uniqueItems": (_ARRAY, _unique_items),
    **{f"max{noun}": (types, _at_most(f"max{noun}")) for noun, types in COUNTED.items()},
    **{f"min{noun}": (types, _at_least(f"min{noun}")) for noun, types in COUNTED.items()},
}
"""For each keyword the types that it applies to, and its check; it does not constrain values of other types."""
# Covered by another keyword, or not asserted.
_IGNORED = frozenset({"$defs", "$dynamicAnchor", "contentSchema", "else", "maxContains", "minContains", "then"})
