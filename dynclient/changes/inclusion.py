"""Whether every value of one schema is valid against another, proved from the keywords of their bundles.

Rule 1: an answer is "proved" or "not proved", never a guess. A statement that is not proved may still be true.
Rule 2: the first schema is a set of terms. Each keyword of the other schema has to follow from these.
Rule 3: if the terms have alternatives, each may be considered by itself. If they allow only a few values, these are
validated.
Rule 4: a property that the first schema does not name counts as absent, unless the schema describes such properties:
nobody who follows the first document sends it.
Rule 5: since values are finite, a proof may assume for the values within a value what it proves for the whole. The
number of its steps is limited by a budget.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from dynclient._records import Record
from dynclient._validation.evaluation import OverBudget, errors_of
from dynclient._validation.formats import NUMBERS, TEXTS
from dynclient._validation.json_types import frozen
from dynclient._validation.patterns import begin_check, matches
from dynclient.changes.facts import (
    NO_ENTRIES,
    NUMERIC,
    WIDER,
    Facts,
    Node,
    Term,
    TermSet,
    divides,
    evaluated,
    flattened,
    named_anywhere,
    schema_of_items,
    schema_of_others,
    unwrapped,
)
from dynclient.options import Limits

_LIMITS = Limits()
_DEEPEST = 40
_MOST_VALUES = 200
_UNIONS = frozenset({"anyOf", "oneOf"})
_SPLIT = frozenset({"$ref", "allOf", "anyOf", "if", "not", "oneOf"})
_REFERENCES = frozenset({"$ref", "$dynamicRef"})


class Inclusion:
    """Proofs about the schemas of two documents; each result is remembered."""

    def __init__(self, budget: int) -> None:
        """``budget`` is the number of steps; it may be set again later."""
        self.steps = budget
        self.fitted: dict[tuple[int, int], int] = {}
        self._depth = 0
        self._known: dict[Any, bool] = {}
        self._open: dict[Any, tuple[int, int]] = {}
        self._level = 0
        self._lowest = _DEEPEST
        self._log: list[tuple[dict[Any, Any], Any]] = []
        self._facts: dict[Any, Facts] = {}
        self._impossible: dict[Any, bool] = {}
        self._same: dict[Any, bool] = {}
        self._values: dict[Any, list[Any] | None] = {}
        self._names: dict[tuple[int, int], set[str]] = {}
        self._made: dict[Any, Term] = {}
        self._alive: list[TermSet] = []

    def includes(self, ones: TermSet, other: Term) -> bool:
        """Whether it is proved that a value that is valid against all terms is valid against the other term."""
        if other.node is True or other.node == {}:
            return True
        ones = unwrapped(ones)
        key = (_key(ones), other.key)
        if key not in self._known:
            if self.steps <= 0 or self._depth > _DEEPEST:
                return False
            self.steps -= 1
            self._alive.append((*ones, other))  # identities are keys
            begun, lowest = len(self._log), self._lowest
            self._known[key] = True
            self._open[key] = self._depth, self._level
            self._log.append((self._known, key))
            self._depth += 1
            self._lowest = _DEEPEST
            found = self._includes(ones, other)
            self._depth -= 1
            del self._open[key]
            if self._lowest >= self._depth:
                # It rests on no assumption except itself.
                del self._log[begun + 1 if not found else begun :]
                self._lowest = _DEEPEST
            self._lowest = min(self._lowest, lowest)
            if not found:
                # Results that assumed this one are not proved.
                for store, proved in self._log[begun:]:
                    store.pop(proved, None)
                del self._log[begun:]
                self._known[key] = False
        elif key in self._open:
            depth, level = self._open[key]
            self._lowest = min(self._lowest, depth)
            return level < self._level
        return self._known[key]

    def includes_below(self, ones: TermSet, other: Term) -> bool:
        """The same for a value within the value, for which the statement about the whole may be assumed."""
        self._level += 1
        try:
            return self.includes(ones, other)
        finally:
            self._level -= 1

    def _includes(self, ones: TermSet, other: Term) -> bool:
        if self.impossible(ones):
            return True
        if other.node is False:
            return False
        values = self.values(ones)
        if values is not None:
            return all(is_valid(other, value) for value in values)
        if any(self.same(one, other) for one in flattened(ones)):
            return True
        facts = self.facts(ones)
        choices = self._choices(ones, other)
        # If both are unions, each branch is considered by itself.
        is_union = "anyOf" in other.node and any(not part.node.keys().isdisjoint(_UNIONS) for part in facts.parts)
        if not (is_union and choices) and all(self._follows(keyword, facts, ones, other) for keyword in other.node):
            return True
        return any(all(self.includes((*rest, choice), other) for choice in found) for rest, found in choices)

    def _follows(self, keyword: str, facts: Facts, ones: TermSet, other: Term) -> bool:
        if keyword in _IGNORED or facts.types.isdisjoint(_ABOUT.get(keyword, facts.types)):
            return True
        check = _CHECKS.get(keyword)
        return check is not None and check(Claim(self, facts, ones, other))

    def _choices(self, ones: TermSet, other: Term) -> list[tuple[TermSet, list[Term]]]:
        """The alternatives of the terms for each keyword, and the terms that apply in addition to each alternative."""
        facts, taken = self.facts(ones), {one.key for one in ones}
        found: list[tuple[TermSet, list[Term]]] = []
        for part in facts.parts:
            conditions = [part.below("if")] if "if" in part.node else []
            conditions += [self.term({"not": it.node}, it.entries) for it in conditions]
            for choices in (part.listed("anyOf"), part.listed("oneOf"), conditions):
                if choices and taken.isdisjoint(choice.key for choice in choices):
                    # A term with only these alternatives adds nothing once one is chosen, except names (rule 4).
                    is_only = len(part.node) == 1 and all(self.names((part,)) == self.names((it,)) for it in choices)
                    found.append((tuple(one for one in ones if not (is_only and one.key == part.key)), choices))
        if len(facts.types) > 1 and not other.node.keys().isdisjoint(_SPLIT):
            found.append((ones, [self.term({"type": name}) for name in sorted(_names(facts.types))]))
        return found

    def term(self, node: dict[str, Any], entries: Mapping[str, Node] = NO_ENTRIES) -> Term:
        """The term of a node that was made here; the same node has the same term."""
        key = (
            id(entries),
            *((name, id(value) if isinstance(value, dict) else str(value)) for name, value in node.items()),
        )
        return self._made.setdefault(key, Term(node, entries))

    def facts(self, ones: TermSet) -> Facts:
        """The facts from some terms, including the conditions that are known to apply."""
        key = _key(ones)
        if key not in self._facts:
            self._alive.append(ones)
            self._facts[key] = facts = Facts(flattened(ones))
            known = {part.key for part in facts.parts}
            applied: list[Term] = []
            for part in facts.parts:
                if "if" in part.node:
                    word = "then" if self.includes(ones, part.below("if")) else "else"
                    is_known = word not in part.node or part.below(word).key in known
                    if not is_known and (word == "then" or self.impossible((*ones, part.below("if")))):
                        applied.append(part.below(word))
            if applied and self._depth <= _DEEPEST:
                self._facts[key] = self.facts((*ones, *applied))
                self._log.append((self._facts, key))
        return self._facts[key]

    def names(self, ones: TermSet) -> set[str]:
        """The names of properties in some terms."""
        for one in ones:
            if one.key not in self._names:
                self._names[one.key] = named_anywhere([one])
        return set().union(*(self._names[one.key] for one in ones))

    def values(self, ones: TermSet) -> list[Any] | None:
        """All values that some terms allow; None if they are not listed, or are many."""
        key = _key(ones)
        if key not in self._values:
            found = self.facts(ones).listed_values
            if found is not None and len(found) <= _MOST_VALUES:
                found = [value for value in found if all(is_valid(one, value) for one in ones)]
            self._values[key] = found if found is None or len(found) <= _MOST_VALUES else None
        return self._values[key]

    def impossible(self, ones: TermSet) -> bool:
        """Whether it is proved that no value is valid against all of these terms."""
        key = _key(ones)
        if key not in self._impossible:
            if self.steps <= 0 or self._depth > _DEEPEST:
                return False
            self.steps -= 1
            self._alive.append(ones)
            self._impossible[key] = False
            self._depth += 1
            self._impossible[key] = self._contradicts(self.facts(ones), ones)
            self._log.append((self._impossible, key))
            self._depth -= 1
        return self._impossible[key]

    def _impossible_below(self, ones: TermSet) -> bool:
        self._level += 1
        try:
            return bool(ones) and self.impossible(ones)
        finally:
            self._level -= 1

    def _contradicts(self, facts: Facts, ones: TermSet) -> bool:
        if facts.never or not facts.types or self.values(ones) == []:
            return True
        if facts.has_no_room or (
            facts.types == {"object"}
            and any(self._impossible_below(facts.of_property(name)) for name in facts.required)
        ):
            return True
        taken = {one.key for one in ones}
        for part in facts.parts:
            if "not" in part.node and self.includes(ones, part.below("not")):
                return True
            for choices in map(part.listed, ("anyOf", "oneOf")):
                is_new = choices and taken.isdisjoint(choice.key for choice in choices)
                if is_new and all(self.impossible((*ones, choice)) for choice in choices):
                    return True
        return False

    def same(self, one: Term, other: Term) -> bool:
        """Whether two terms, and those that they refer to, are written alike."""
        if (one.key, other.key) in self._same:
            return self._same[one.key, other.key]
        seen: set[Any] = set()
        waiting = [(one.node, other.node)]
        found = True
        while waiting and found:
            left, right = waiting.pop()
            if type(left) is not type(right):
                found = False
            elif isinstance(left, dict):
                pair = (id(left), id(right))
                if pair in seen:
                    continue
                seen.add(pair)
                found = left.keys() == right.keys()
                for key in left if found else ():
                    if key in _REFERENCES and isinstance(left[key], str):
                        ends = Term(left, one.entries).at(left[key]), Term(right, other.entries).at(right[key])
                        found = found and None not in ends
                        waiting += [(ends[0].node, ends[1].node)] if ends[0] and ends[1] else []
                    else:
                        waiting.append((left[key], right[key]))
            elif isinstance(left, list):
                found = len(left) == len(right)
                waiting += zip(left, right, strict=False)
            else:
                found = left == right
        self._alive.append((one, other))
        self._same[one.key, other.key] = found
        return found


def _key(ones: TermSet) -> frozenset[tuple[int, int]]:
    return frozenset(one.key for one in ones)


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
        return not errors_of(schema, value, _LIMITS, files=False)
    except (OverBudget, RecursionError, ValueError):
        return False


class Claim(Record):
    """The statement to prove: that a keyword of ``other`` follows from ``facts``, those of the terms ``ones``."""

    proof: Inclusion
    facts: Facts
    ones: TermSet
    other: Term

    def includes(self, other: Term, *more: Term) -> bool:
        """Whether it is proved that values of the terms, and of the additional ones, are valid against another term."""
        return self.proof.includes((*self.ones, *more), other)

    def impossible(self, *more: Term) -> bool:
        """Whether it is proved that no value is valid against the terms and the additional ones."""
        return self.proof.impossible((*self.ones, *more))


# A check for each keyword of the other schema: whether it follows from the facts.

Check = Callable[[Claim], bool]


def _reference(it: Claim) -> bool:
    target = it.other.target
    return target is not None and it.includes(target)


def _any_of(it: Claim) -> bool:
    branches = it.other.listed("anyOf")
    # Branches often have the same order: the one that fitted last is tried first.
    begin = it.proof.fitted.get(it.other.key, 0)
    for index in (*range(begin, len(branches)), *range(begin)):
        if it.includes(branches[index]):
            it.proof.fitted[it.other.key] = index
            return True
    return False


def _one_of(it: Claim) -> bool:
    branches = it.other.listed("oneOf")
    fits = [branch for branch in branches if not it.impossible(branch)]
    if len(fits) == 1 and it.includes(fits[0]):
        return True
    lists = [part.listed("oneOf") for part in it.facts.parts]
    return any(len(ones) == len(branches) and _are_equal(it.proof, ones, branches) for ones in lists)


def _are_equal(proof: Inclusion, ones: list[Term], others: list[Term]) -> bool:
    """Whether for each branch of one list, a branch of the other list allows all of its values."""

    def is_equal(one: Term, other: Term) -> bool:
        return proof.same(one, other) or (proof.includes((one,), other) and proof.includes((other,), one))

    left = [*others]
    for one in ones:
        found = next((other for other in left if is_equal(one, other)), None)
        if found is None:
            return False
        left.remove(found)
    return True


def _not(it: Claim) -> bool:
    excluded = it.other.below("not")
    negations = [part.below("not") for part in it.facts.parts if "not" in part.node]
    return it.impossible(excluded) or any(it.proof.includes((excluded,), negation) for negation in negations)


def _if(it: Claim) -> bool:
    condition = it.other.below("if")
    negated = it.proof.term({"not": condition.node}, condition.entries)
    return all(
        word not in it.other.node or it.includes(it.other.below(word), premise)
        for word, premise in (("then", condition), ("else", negated))
    )


def _values(it: Claim) -> bool:
    allowed = {frozen(value) for value in it.other.node.get("enum", [it.other.node.get("const")])}
    return it.facts.listed_values is not None and {frozen(value) for value in it.facts.listed_values} <= allowed


def _limit(keyword: str, exclusive: str, sign: int) -> Check:
    def check(it: Claim) -> bool:
        part = {name: it.other.node[name] for name in (keyword, exclusive) if name in it.other.node}
        wanted = Facts([Term({"type": sorted(_names(it.facts.types)), **part}, NO_ENTRIES)])
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
    named = it.proof.names(it.ones)
    for name in it.other.node["properties"]:
        terms = it.facts.of_property(name)
        if name not in named and all(term.node in (True, {}) for term in terms):
            continue  # rule 4
        if not it.proof.includes_below(terms, it.other.below("properties", name)):
            return False
    return True


def _pattern_properties(it: Claim) -> bool:
    for pattern in it.other.node["patternProperties"]:
        below = it.other.below("patternProperties", pattern)
        fits = [name for name in it.facts.names() if matches(pattern, name, _LIMITS.pattern_length) is not False]
        others = {one for said in it.facts.said("patternProperties") for one in said if one != pattern}
        known = [*map(it.facts.of_property, fits), *map(it.facts.of_others, (*others, pattern))]
        if not all(it.proof.includes_below(terms, below) for terms in known):
            return False
    return True


def _other_properties(it: Claim) -> bool:
    below = schema_of_others(it.other)
    if not below:
        return False
    known = {*it.other.node.get("properties", ()), *(name for more in evaluated(it.other) for name in more)}
    patterns = it.other.node.get("patternProperties", {})
    free = [
        name
        for name in it.facts.names() - known
        if not any(matches(pattern, name, _LIMITS.pattern_length) for pattern in patterns)
    ]
    others = {one for said in it.facts.said("patternProperties") for one in said} - patterns.keys()
    found = [*map(it.facts.of_property, free), *map(it.facts.of_others, (None, *others))]
    return all(it.proof.includes_below(terms, below[0]) for terms in found)


def _property_names(it: Claim) -> bool:
    below = it.other.below("propertyNames")
    known = [part.below("propertyNames") for part in it.facts.parts if "propertyNames" in part.node]
    text = it.proof.term({"type": "string"})
    if it.proof.includes_below((text, *known), below):
        return True
    is_closed = not any(it.facts.said("patternProperties")) and it.proof.impossible(it.facts.of_others())
    return is_closed and all(
        is_valid(below, name) or it.proof.impossible(it.facts.of_property(name)) for name in it.facts.names()
    )


def _dependent_required(it: Claim) -> bool:
    for name, names in it.other.node["dependentRequired"].items():
        said = it.facts.said("dependentRequired")
        known = {*it.facts.required, *(one for dependent in said for one in dependent.get(name, ()))}
        if not known.issuperset(names) and not it.impossible(it.proof.term({"required": [name]})):
            return False
    return True


def _dependent_schemas(it: Claim) -> bool:
    for name in it.other.node["dependentSchemas"]:
        parts = [part for part in it.facts.parts if name in part.node.get("dependentSchemas", {})]
        more = [*(part.below("dependentSchemas", name) for part in parts), it.proof.term({"required": [name]})]
        if not it.includes(it.other.below("dependentSchemas", name), *more):
            return False
    return True


def _items(it: Claim) -> bool:
    first = len(it.other.node.get("prefixItems", ()))
    count = max([first, *(len(said) for said in it.facts.said("prefixItems"))])
    rest = schema_of_items(it.other)
    if "unevaluatedItems" in it.other.node and not rest:
        return False
    for index in range(int(min(count + 1, it.facts.most("maxItems")))):
        below = it.other.below("prefixItems", index) if index < first else rest[0] if rest else None
        if below is not None and not it.proof.includes_below(it.facts.of_item(index), below):
            return False
    return True


def _contains(it: Claim) -> bool:
    includes, facts = it.proof.includes_below, it.facts
    wanted, least = it.other.below("contains"), it.other.node.get("minContains", 1)
    most = it.other.node.get("maxContains", math.inf)
    known = [(part.below("contains"), part.node) for part in facts.parts if "contains" in part.node]
    prefix = max([0, *(len(said) for said in facts.said("prefixItems"))])
    items = [facts.of_item(index) for index in range(prefix + 1)]
    enough = least == 0 or any(
        node.get("minContains", 1) >= least and includes((below,), wanted) for below, node in known
    )
    enough = enough or (facts.least("minItems") >= least and all(includes(item, wanted) for item in items))
    few = most >= facts.most("maxItems") or any(
        node.get("maxContains", math.inf) <= most and includes((wanted,), below) for below, node in known
    )
    return enough and few


def _at_least(keyword: str) -> Check:
    return lambda it: it.facts.least(keyword) >= it.other.node[keyword]


def _at_most(keyword: str) -> Check:
    return lambda it: it.facts.most(keyword) <= it.other.node[keyword]


_CHECKS: dict[str, Check] = {
    "$ref": _reference,
    "additionalProperties": _other_properties,
    "allOf": lambda it: all(map(it.includes, it.other.listed("allOf"))),
    "anyOf": _any_of,
    "const": _values,
    "contains": _contains,
    "dependentRequired": _dependent_required,
    "dependentSchemas": _dependent_schemas,
    "enum": _values,
    "exclusiveMaximum": _limit("maximum", "exclusiveMaximum", -1),
    "exclusiveMinimum": _limit("minimum", "exclusiveMinimum", 1),
    "format": _format,
    "if": _if,
    "items": _items,
    "maximum": _limit("maximum", "exclusiveMaximum", -1),
    "minimum": _limit("minimum", "exclusiveMinimum", 1),
    "multipleOf": _multiple,
    "not": _not,
    "oneOf": _one_of,
    "pattern": lambda it: it.other.node["pattern"] in it.facts.said("pattern"),
    "patternProperties": _pattern_properties,
    "prefixItems": _items,
    "properties": _properties,
    "propertyNames": _property_names,
    "required": lambda it: it.facts.required.issuperset(it.other.node["required"]),
    "type": lambda it: it.facts.types <= Facts([it.other._replace(node={"type": it.other.node["type"]})]).types,
    "unevaluatedItems": _items,
    "unevaluatedProperties": _other_properties,
    "uniqueItems": lambda it: (
        not it.other.node["uniqueItems"] or True in it.facts.said("uniqueItems") or it.facts.most("maxItems") <= 1
    ),
    **{keyword: _at_most(keyword) for keyword in ("maxItems", "maxLength", "maxProperties")},
    **{keyword: _at_least(keyword) for keyword in ("minItems", "minLength", "minProperties")},
}
# Covered by another keyword, or not asserted.
_IGNORED = frozenset({"$defs", "$dynamicAnchor", "contentSchema", "else", "maxContains", "minContains", "then"})
_ARRAY, _OBJECT, _STRING = frozenset({"array"}), frozenset({"object"}), frozenset({"string"})
_ABOUT: dict[str, frozenset[str]] = {
    **dict.fromkeys(("contains", "items", "maxItems", "minItems", "prefixItems", "unevaluatedItems"), _ARRAY),
    "uniqueItems": _ARRAY,
    **dict.fromkeys(("maxLength", "minLength", "pattern"), _STRING),
    **dict.fromkeys(("exclusiveMaximum", "exclusiveMinimum", "maximum", "minimum", "multipleOf"), NUMERIC),
    **dict.fromkeys(("additionalProperties", "dependentRequired", "dependentSchemas", "maxProperties"), _OBJECT),
    **dict.fromkeys(("minProperties", "patternProperties", "properties", "propertyNames", "required"), _OBJECT),
    "unevaluatedProperties": _OBJECT,
}
"""The types that a keyword applies to; it does not constrain values of other types."""
