"""Estimate the cost of checking values against a bundle, from its schemas alone.

jsonschema-rs has no limit of steps and can't be interrupted, so this analysis decides which values it may check.
jsonschema counts its steps and caches the result of each ``$ref`` for each value; rules 1 and 2 apply to it too.

A bundle is a graph: its nodes are the entries of ``$defs``, its edges their references. A subschema applies either
*in place*, to the same value as the schema around it (``allOf``, ``if``, ``$ref``), or to a *location* below the value
(a property, an item; ``*`` for all of them).

Rule 1, steps: each path of subschemas that apply in place is a step. More steps than the limit are unsafe.
Rule 2, endless loops: a cycle of entries that apply in place never ends. The document is invalid.
Rule 3, recursion: an entry that reaches itself below a location takes values of any depth, so their depth is checked.
If a cycle reaches its own entries ``n`` times at one location, the work multiplies by ``n`` with each level of a value.
Rule 4, visits: a chain of entries without recursion can multiply the work in the same way, independent of the value's
depth.

All results are cached for each entry, since the bundles of a document share entries.
"""

from __future__ import annotations

import functools
import math
import operator
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from threading import Lock
from typing import Any

from dynclient._records import Record
from dynclient._schemas import SchemaBundle
from dynclient._validation.patterns import inline_subschemas, location_in
from dynclient.exceptions import InvalidDocument, UnsafeDocument
from dynclient.model import References
from dynclient.options import Limits

_MOST_STEPS = 10_000
"""Steps, and visits to one location, up to which jsonschema-rs is used."""
_MOST_STEPS_IN_ALL = 200_000_000
"""Steps of all values together: jsonschema-rs can't be interrupted, and blocks other threads."""
_MOST_REPEATED = 1_000_000
"""How often jsonschema-rs may check one location of a recursive value."""
_DEEPEST = 128
"""Levels of a value up to which jsonschema-rs is used: it works on the thread's stack."""

_IN_PLACE_MANY = ("allOf", "anyOf", "oneOf")
_IN_PLACE_ONE = ("if", "then", "else", "not")
_BELOW_ONE = ("additionalProperties", "contains", "items", "propertyNames", "unevaluatedItems", "unevaluatedProperties")

Node = Mapping[str, Any]


class Cost(Record):
    """How deep a value may be: ``levels`` for any engine, None for no limit.

    ``verdict_levels`` and ``verdict_values`` are for jsonschema-rs: 0 if it must not be used, and the largest number of
    values within a value.
    """

    levels: int | None
    verdict_levels: int
    verdict_values: int


class _Analysis(Record):
    """The results for entries, by their references, and for cycles, by their set of entries.

    ``in_place`` counts the entries that one applies in place, and as ``""`` the subschemas within it. ``visits`` counts
    how often each location is checked, and ``most_visits`` is the highest of these counts; an entry that has it is
    complete.
    """

    in_place: dict[str, Counter[str]]
    references: dict[str, set[str]]
    compares: dict[str, bool]
    steps: dict[str, int]
    chains: dict[str, int]
    cycle_of: dict[str, frozenset[str]]
    growth: dict[frozenset[str], int]
    visits: dict[str, Counter[str]]
    most_visits: dict[str, int]
    lock: Lock


def cost(bundle: SchemaBundle, references: References, limits: Limits) -> Cost:
    """Compute the cost of checking values by a bundle.

    Raises:
        UnsafeDocument: it takes more steps than the limits allow.
        InvalidDocument: a schema contains itself.
    """
    if "$id" in bundle.schema:
        # The target of `$dynamicRef` depends on the value.
        return Cost(limits.body_depth, 0, 0)
    defs = bundle.schema["$defs"]
    if len(defs) == 1 and _is_flat(*defs.values()):
        return Cost(None, min(limits.body_depth, _DEEPEST), _MOST_STEPS_IN_ALL)
    entries = {f"#/$defs/{number}": node for number, node in defs.items()}
    known: _Analysis = bundle.worked_out.setdefault("cost", _Analysis({}, {}, {}, {}, {}, {}, {}, {}, {}, Lock()))
    # Bundles of several threads may share entries, some of which are known.
    with known.lock:
        if not entries.keys() <= known.most_visits.keys():
            # Known entries lead to no new ones.
            new = {name: entries[name] for name in entries if name not in known.most_visits}
            for name, node in new.items():
                known.in_place[name] = Counter(_applied_in_place(node))
                known.references[name] = _references_in(node)
                known.compares[name] = any(_compares(each) for each, _ in inline_subschemas(node))
            _count_steps(new, known, bundle, references)
            _find_cycles(new, known)
            _count_visits(new, known)
        _check_steps(entries, known, bundle, references, limits)
        return _cost(entries, known, limits)


def _is_flat(node: Any) -> bool:
    """Whether a schema has no subschemas and compares no arrays: checking takes one step."""
    return (
        isinstance(node, dict)
        and not any(isinstance(value, (dict, list)) for value in node.values())
        and node.keys().isdisjoint(("$ref", "uniqueItems"))
    )


def _cost(entries: Mapping[str, Any], known: _Analysis, limits: Limits) -> Cost:
    deepest = min(limits.body_depth, _DEEPEST)
    worst = max(*map(known.steps.__getitem__, entries), *map(known.most_visits.__getitem__, entries))
    if worst > _MOST_STEPS:
        deepest = 0
    values = _MOST_STEPS_IN_ALL // worst
    growth = _growth(entries, known)
    if growth == 0:
        is_bounded = any(map(known.compares.__getitem__, entries))
        return Cost(limits.body_depth if is_bounded else None, deepest, values)
    if growth > 1:
        deepest = min(deepest, int(math.log(_MOST_REPEATED, growth)))
    return Cost(limits.body_depth, deepest, values)


# Subschemas of one schema


def _in_place(node: Node) -> list[Any]:
    """The subschemas that apply to the same value."""
    found = [node[keyword] for keyword in _IN_PLACE_ONE if keyword in node]
    found += [each for keyword in _IN_PLACE_MANY for each in node.get(keyword, ())]
    return found + list(node.get("dependentSchemas", {}).values())


def _below(node: Node) -> Iterator[tuple[str, Any]]:
    """The subschemas for the parts of a value, each with its location."""
    yield from ((f".{name}", below) for name, below in node.get("properties", {}).items())
    yield from (("*", node[keyword]) for keyword in _BELOW_ONE if keyword in node)
    yield from (("*", below) for below in node.get("patternProperties", {}).values())
    yield from ((f"[{index}]", below) for index, below in enumerate(node.get("prefixItems", ())))


def _references_in(node: Any) -> set[str]:
    return {here["$ref"] for here, _ in inline_subschemas(node) if "$ref" in here}


def _applied_in_place(node: Any) -> Iterator[str]:
    """The schemas that apply to the same value: ``""`` for each inline subschema, else the entry it refers to."""
    waiting = [node]
    while waiting:
        here = waiting.pop()
        yield ""
        if isinstance(here, dict):
            if "$ref" in here:
                yield here["$ref"]
            waiting += _in_place(here)


def _compares(node: Node) -> bool:
    """Whether a schema compares whole values, however deep they are."""
    fixed = [node.get("const"), *(node["enum"] if isinstance(node.get("enum"), list) else ())]
    return "uniqueItems" in node or any(isinstance(value, (dict, list)) for value in fixed)


# Rules 1 and 2


def _check_steps(
    entries: Mapping[str, Any], known: _Analysis, bundle: SchemaBundle, references: References, limits: Limits
) -> None:
    for counts, most, message in (
        (known.steps, limits.validation_steps, "checking one value takes {0} steps, {1} are allowed"),
        (known.chains, limits.schema_depth, "schemas refer to each other more than {1} times for one value"),
    ):
        if max(map(counts.__getitem__, entries)) > most:
            worst = max(entries, key=counts.__getitem__)
            location = location_in(bundle, references, worst[1:])
            raise UnsafeDocument(message.format(min(counts[worst], 10**18), most), location=location)


def _count_steps(new: Mapping[str, Any], known: _Analysis, bundle: SchemaBundle, references: References) -> None:
    """Count the steps of each entry for one value, including those of the entries that it applies in place."""
    graph = {name: [other for other in known.in_place[name] if other in new] for name in new}
    try:
        order = list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        where = location_in(bundle, references, min(error.args[1])[1:])
        raise InvalidDocument("the schema contains itself, so validation would never end", location=where) from None
    for name in order:
        applied = known.in_place[name]
        known.steps[name] = sum(count * (known.steps[other] if other else 1) for other, count in applied.items())
        known.chains[name] = 1 + max((known.chains[other] for other in applied if other), default=0)


# Rules 3 and 4


def _locations(node: Any, by_reference: Callable[[str], Counter[str]], count: Callable[[Any], int]) -> Counter[str]:
    """How often a schema checks each location below a value.

    ``count`` is what one subschema at a location counts for, ``by_reference`` what an entry that applies in place adds.
    """
    found: Counter[str] = Counter()
    if not isinstance(node, dict):
        return found
    if "$ref" in node:
        found += by_reference(node["$ref"])
    for location, below in _below(node):
        found[location] += count(below)
    rest = dict(node)
    choices = node.get("allOf", ())
    if choices and all(isinstance(each, dict) and each.keys() == {"if", "then"} for each in choices):
        # At most one of a discriminator's choices applies.
        found += functools.reduce(operator.or_, (_locations(each["then"], by_reference, count) for each in choices))
        del rest["allOf"]
    for below in _in_place(rest):
        found += _locations(below, by_reference, count)
    return found


def _most_at_one(locations: Counter[str]) -> int:
    """The highest count of a location; 1 if there are no locations."""
    everywhere = locations["*"]
    return max([1, everywhere, *(count + everywhere for location, count in locations.items() if location != "*")])


def _count_visits(new: Mapping[str, Any], known: _Analysis) -> None:
    """Count how often one location is checked by all paths from the top of a value; cycles count as visited once."""
    visits = known.visits

    def by_reference(reference: str) -> Counter[str]:
        return visits.get(reference, Counter())

    def count(below: Any) -> int:
        return min(_most_at_one(_locations(below, by_reference, count)), _MOST_REPEATED)

    graph = {name: [each for each in known.references[name] if each in new] for name in new}
    for walk in _walks(graph, graph):
        for name in walk:
            visits[name] = _locations(new[name], by_reference, count)
    known.most_visits.update((name, _most_at_one(visits[name])) for name in new)


def _find_cycles(new: Mapping[str, Any], known: _Analysis) -> None:
    graph = {name: known.references[name] & new.keys() for name in new}
    known.cycle_of.update(dict.fromkeys(new, frozenset()))
    for cycle in cycles(graph):
        known.cycle_of.update(dict.fromkeys(cycle, frozenset(cycle)))


def _growth(entries: Mapping[str, Any], known: _Analysis) -> int:
    """How often, at most, a cycle reaches its own entries at one location; 0 if there are no cycles."""
    found = set(map(known.cycle_of.__getitem__, entries)) - {frozenset()}
    for each in [each for each in found if each not in known.growth]:
        known.growth[each] = _growth_of(entries, each)
    return max((known.growth[each] for each in found), default=0)


def _growth_of(entries: Mapping[str, Any], cycle: frozenset[str]) -> int:
    by_entry: dict[str, Counter[str]] = {}

    def by_reference(reference: str) -> Counter[str]:
        # No entry leads back to itself in place: rule 2.
        if reference in cycle and reference not in by_entry:
            by_entry[reference] = _locations(entries[reference], by_reference, count)
        return by_entry.get(reference, Counter())

    def count(below: Any) -> int:
        return not _references_in(below).isdisjoint(cycle)

    return max(
        _most_at_one(_locations(node, by_reference, count))
        for name in cycle
        for node, _ in inline_subschemas(entries[name])
    )


def cycles(graph: Mapping[str, Collection[str]]) -> list[list[str]]:
    """The sets of nodes that reach each other (Kosaraju's strongly connected components).

    A single node counts only if it reaches itself.
    """
    backward: dict[str, list[str]] = {name: [] for name in graph}
    for name, onward in graph.items():
        for other in onward:
            backward[other].append(name)
    order = [name for walk in _walks(graph, graph) for name in walk]
    found = _walks(reversed(order), backward)
    return [cycle for cycle in found if len(cycle) > 1 or cycle[0] in graph[cycle[0]]]


def _walks(starts: Iterable[str], graph: Mapping[str, Collection[str]]) -> Iterator[list[str]]:
    """For each start, the nodes that it reaches and no earlier start does; the successors of a node come before it."""
    seen: set[str] = set()
    for start in starts:
        left: dict[str, None] = {}
        waiting = [start] if start not in seen else []
        while waiting:
            name = waiting[-1]
            if name in seen:
                left.setdefault(waiting.pop())
            else:
                seen.add(name)
                waiting += [other for other in graph[name] if other not in seen]
        if left:
            yield list(left)
