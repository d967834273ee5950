"""The facts about one value from several schemas of a bundle: its types, limits, properties and items.

Rule: a value is described by terms that all apply to it: a schema, and the schemas that its ``$ref`` and ``allOf`` add.
The facts may be weaker than the keywords, never stronger.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from dynclient._deferred import cached_property
from dynclient._validation.formats import NUMBERS
from dynclient._validation.patterns import matches
from dynclient.options import Limits

T = TypeVar("T")
Node = Any
"""A schema in JSON Schema 2020-12: a mapping or a boolean."""

_LIMITS = Limits()
TYPES = frozenset({"array", "boolean", "fraction", "integer", "null", "object", "string"})
NUMERIC = frozenset({"fraction", "integer"})
COUNTED = {"Items": frozenset({"array"}), "Length": frozenset({"string"}), "Properties": frozenset({"object"})}
"""The last word of keywords like ``maxItems``, and the type that they apply to."""
_APPLIED = ("allOf", "anyOf", "dependentSchemas", "else", "if", "not", "oneOf", "then")
_IN_PLACE = frozenset({"$ref", "$dynamicRef", *_APPLIED}) - {"not"}
# Pairs of string formats; the second of a pair allows all values of the first.
WIDER = {
    ("email", "idn-email"), ("hostname", "idn-hostname"), ("uri", "uri-reference"), ("uri", "iri"),
    ("uri", "iri-reference"), ("uri-reference", "iri-reference"), ("iri", "iri-reference"),
    ("decimal", "decimal128"), ("base64url", "byte"), ("time-local", "time"),
}  # fmt: skip


class Term:
    """A schema of a bundle, and the entries that its references point to. Terms of the same node are equal."""

    __slots__ = ("entries", "node")

    def __init__(self, node: Node, entries: Mapping[str, Node] = {}) -> None:
        """Take the schema, and the entries of its bundle."""
        self.node = node
        self.entries = entries

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Term) and self.node is other.node

    def __hash__(self) -> int:
        return id(self.node)

    def to(self, node: Node) -> Term:
        """The term of another schema of the bundle; one that is only a reference is that to which it leads."""
        return Term(self.target(node), self.entries)

    def target(self, node: Node) -> Node:
        """Another schema of the bundle, or that to which it leads."""
        while isinstance(node, dict) and len(node) == 1 and "$ref" in node:
            # Of a schema that could not be read, nothing is known.
            node = self.entries.get(node["$ref"].removeprefix("#/$defs/"), {"unknown": object()})
        return node

    def below(self, *keys: Any) -> Term:
        """The schema at this path of keys."""
        node = self.node
        for key in keys:
            node = node[key]
        return self.to(node)

    def listed(self, keyword: str) -> list[Term]:
        """The schemas of a keyword, whose value is a schema, a list of schemas, or a mapping of names to schemas."""
        found = self.node.get(keyword, ())
        if keyword == "dependentSchemas" and found:
            found = found.values()
        return [*map(self.to, (found,) if isinstance(found, dict | bool) else found)]

    def referred(self) -> Term:
        """The schema that ``$ref`` leads to."""
        return self.to({"$ref": self.node["$ref"]})


TermSet = tuple[Term, ...]


def flattened(terms: Iterable[Term], keywords: Iterable[str] = ("allOf",)) -> TermSet:
    """The terms, and those that they refer to by ``$ref`` and these keywords. Terms that only refer are left out."""
    found: dict[Term, bool] = {}
    waiting = [*terms]
    while waiting:
        term = waiting.pop()
        if term in found or term.node is True:
            continue
        found[term] = True
        if isinstance(term.node, dict):
            waiting += [below for keyword in keywords for below in term.listed(keyword)]
            waiting += [term.referred()] if "$ref" in term.node else []
            found[term] = not {"$ref", "allOf"}.issuperset(term.node)
    return tuple(term for term, is_kept in found.items() if is_kept)


def take_pairs(left: list[T], right: list[T], fits: Callable[[T, T], bool]) -> list[tuple[T, T]]:
    """Remove the pairs that fit from both lists, and return them."""
    pairs = []
    for one in tuple(left):
        other = next((other for other in right if fits(one, other)), None)
        if other is not None:
            pairs.append((one, other))
            left.remove(one)
            right.remove(other)
    return pairs


def divides(one: float, other: float) -> bool:
    """Whether each multiple of the other number is a multiple of this number."""
    from fractions import Fraction

    return (Fraction(str(other)) / Fraction(str(one))).denominator == 1


def named_anywhere(*terms: Term) -> set[str]:
    """The names of properties in some terms, in any keyword that applies to the same value."""
    names: set[str] = set()
    for term in flattened(terms, _APPLIED):
        node = term.node if isinstance(term.node, dict) else {}
        names.update(*(node.get(keyword, ()) for keyword in ("properties", "required", "dependentSchemas")))
        names.update(node.get("dependentRequired", ()), *node.get("dependentRequired", {}).values())
    return names


class Facts:
    """The facts about one value from several terms."""

    def __init__(self, parts: TermSet) -> None:
        """``terms`` includes the terms that these refer to."""
        self.never = any(part.node is False or part.node == {"not": {}} for part in parts)
        self.parts = [part for part in parts if isinstance(part.node, dict)]

    def said(self, keyword: str) -> list[Any]:
        """The values that the terms have for a keyword."""
        return [part.node[keyword] for part in self.parts if keyword in part.node]

    def below(self, keyword: str) -> list[Term]:
        """The schemas of a keyword that has one."""
        return [part.below(keyword) for part in self.parts if keyword in part.node]

    @cached_property
    def types(self) -> frozenset[str]:
        """The types that a value may have. ``fraction`` is a number that is not an integer."""
        found = TYPES
        for said in self.said("type"):
            names = {said} if isinstance(said, str) else set(said)
            found &= names | NUMERIC if "number" in names else frozenset(names)
        for keyword in ("anyOf", "oneOf"):
            for part in self.parts:
                if keyword in part.node and len(found) > 1:
                    found &= frozenset().union(*(Facts(flattened([it])).types for it in part.listed(keyword)))
        return found

    @cached_property
    def listed_values(self) -> list[Any] | None:
        """A list that contains all allowed values; None if the terms do not list them."""
        lists: list[list[Any]] = [*self.said("enum"), *([value] for value in self.said("const"))]
        if lists:
            return min(lists, key=len)
        return [None, False, True] if self.types <= {"null", "boolean"} else None

    def limit(self, keyword: str, exclusive: str, sign: int) -> tuple[float, bool]:
        """The narrowest limit of numbers, times the sign, and whether it is exclusive."""
        found = [(value * sign, False) for value in self.said(keyword)]
        found += [(value * sign, True) for value in self.said(exclusive)]
        if self.types.isdisjoint({"fraction"}):
            # The next integer, if only integers are allowed.
            found = [
                (math.floor(value) + 1 if is_out else math.ceil(value), False)
                for value, is_out in found
                if math.isfinite(value)
            ]
        for name in self.said("format"):
            if name in NUMBERS:
                found.append(((NUMBERS[name].least if sign > 0 else NUMBERS[name].most) * sign, False))
        return max(found, default=(-math.inf, False))

    def least(self, keyword: str) -> float:
        """The largest of the lower bounds of a count."""
        return float(max([len(self.required) if keyword == "minProperties" else 0, *self.said(keyword)]))

    def most(self, keyword: str) -> float:
        """The smallest of the upper bounds of a count."""
        return float(min([math.inf, *self.said(keyword)]))

    @property
    def has_no_room(self) -> bool:
        """Whether the limits contradict each other."""
        if self.types <= NUMERIC:
            low, high = self.limit("minimum", "exclusiveMinimum", 1), self.limit("maximum", "exclusiveMaximum", -1)
            return low[0] > -high[0] or (low[0] == -high[0] and (low[1] or high[1]))
        nouns = [noun for noun, types in COUNTED.items() if types == self.types]
        return any(self.least(f"min{noun}") > self.most(f"max{noun}") for noun in nouns)

    @cached_property
    def required(self) -> frozenset[str]:
        """The names of the properties that a value has."""
        return frozenset(name for names in self.said("required") for name in names)

    def names(self) -> set[str]:
        """The names of properties that have a schema, or are required."""
        return {*self.required, *(name for named in self.said("properties") for name in named)}

    def of_property(self, name: str) -> TermSet:
        """The facts about the property with this name."""
        found: list[Term] = []
        for part in self.parts:
            own = [part.below("properties", name)] if name in part.node.get("properties", {}) else []
            patterns = part.node.get("patternProperties", {})
            fits = {pattern: matches(pattern, name, _LIMITS.pattern_length) for pattern in patterns}
            own += [part.below("patternProperties", pattern) for pattern, fit in fits.items() if fit]
            is_other = not own and None not in fits.values() and name not in known_names(part)
            found += schema_of_others(part) if is_other else own
        return tuple(found)

    def of_others(self, pattern: str | None = None) -> TermSet:
        """The facts about properties whose names have no schema and match no pattern, except perhaps this one."""
        found = []
        for part in self.parts:
            known = part.node.get("patternProperties", {})
            found += [part.below("patternProperties", pattern)] if pattern in known else schema_of_others(part)
        return tuple(found)

    def of_item(self, index: int) -> TermSet:
        """The facts about the item at an index."""
        found = []
        for part in self.parts:
            if index < len(part.node.get("prefixItems", ())):
                found.append(part.below("prefixItems", index))
            else:
                found += schema_of_items(part)
        return tuple(found)


def known_names(part: Term) -> set[str]:
    """The names of the properties that are not among the others of a part."""
    within = flattened([part]) if "unevaluatedProperties" in part.node else (part,)
    return {name for it in within if isinstance(it.node, dict) for name in it.node.get("properties", ())}


def schema_of_others(part: Term) -> list[Term]:
    """The schema of a part for properties that it does not name; empty if there is none, or if it is unknown."""
    if "additionalProperties" in part.node:
        return [part.below("additionalProperties")]
    if "unevaluatedProperties" not in part.node:
        return []
    below = [it for it in flattened([part]) if isinstance(it.node, dict)]
    kept = {"anyOf", "dependentSchemas", "else", "if", "oneOf", "then", "patternProperties", "additionalProperties"}
    simple = all(kept.isdisjoint(it.node) and "$dynamicRef" not in it.node for it in below)
    return [part.below("unevaluatedProperties")] if simple else []


def schema_of_items(part: Term) -> list[Term]:
    """The schema of a part for items after ``prefixItems``; empty if there is none, or if it is unknown."""
    if "items" in part.node:
        return [part.below("items")]
    if "unevaluatedItems" in part.node and not (part.node.keys() & _IN_PLACE or "contains" in part.node):
        return [part.below("unevaluatedItems")]
    return []
