"""What checking by a bundle may cost, found before any value comes.

Rule 1: within one value, each way from a schema to another (``allOf``, ``anyOf``, ``$ref``, ...) costs a step. More
ways than steps are allowed: the document is unsafe.
Rule 2: a way that leads back to its start without going down in the value never ends: the document is invalid.
Rule 3: a schema that reaches itself further down is recursive: the depth of values has to be looked at. If it does so
in several ways at one place, time can multiply with each level: then only shallow values are for an engine that does
not remember its verdicts.
Rule 4: so it can without recursion, by a chain of schemas. Then no value is for such an engine.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from threading import Lock
from typing import Any

from dynclient._records import Record
from dynclient._schemas import Bundle
from dynclient._validation.applying import descendants, references_in, same_value
from dynclient._validation.circles import circles
from dynclient._validation.places import place_in
from dynclient._validation.ways import Loop, Visits
from dynclient.exceptions import InvalidDocument, UnsafeDocument
from dynclient.model import References
from dynclient.options import Limits

_WAYS = 10_000
_TIMES = 1_000_000


class Cost(Record):
    """How deep a value may be: for any engine, and for one that does not remember. None: it need not be looked at."""

    deepest: int | None
    fast: int | None


class _Known(Record):
    """What is known of entries, for all bundles that share them."""

    leads: dict[str, Counter[str]]
    references: dict[str, set[str]]
    ways: dict[str, int]
    depths: dict[str, int]
    loops: dict[str, frozenset[str]]
    factors: dict[frozenset[str], int]
    visits: dict[str, Counter[str]]
    compares: dict[str, bool]
    lock: Lock


def cost(bundle: Bundle, references: References, limits: Limits) -> Cost:
    """Estimate what checking costs.

    Raises:
        UnsafeDocument: more steps than are allowed.
        InvalidDocument: a schema contains itself.
    """
    if "$id" in bundle.schema:
        # Where `$dynamicRef` leads is known only with the value.
        return Cost(limits.body_depth, 0)
    entries = {f"#/$defs/{number}": node for number, node in bundle.schema["$defs"].items()}
    known: _Known = bundle.worked_out.setdefault("costs", _Known({}, {}, {}, {}, {}, {}, {}, {}, Lock()))
    # Threads may come with bundles that share entries, of which half is known.
    with known.lock:
        return _cost(entries, known, bundle, references, limits)


def _cost(entries: Mapping[str, Any], known: _Known, bundle: Bundle, references: References, limits: Limits) -> Cost:
    # Not as a difference of sets: that goes through all that is known, for each bundle anew.
    for name in [name for name in entries if name not in known.leads]:
        known.leads[name] = Counter(_leads(entries[name]))
        known.references[name] = references_in(entries[name])
        known.compares[name] = any(map(_compares, descendants(entries[name])))
    _count(entries, known, bundle, references)
    most = max(entries, key=known.ways.__getitem__)
    deepest = max(entries, key=known.depths.__getitem__)
    if known.ways[most] > limits.validation_steps:
        times = min(known.ways[most], 10**18)
        message = f"checking one value takes {times} steps, {limits.validation_steps} are allowed"
        raise UnsafeDocument(message, place=place_in(bundle, references, most[1:]))
    if known.depths[deepest] > limits.schema_depth:
        message = f"schemas refer to each other more than {limits.schema_depth} times for one value"
        raise UnsafeDocument(message, place=place_in(bundle, references, deepest[1:]))
    visits = Visits(entries, known.references, known.visits).most()
    fast = None if max(known.ways[most], visits) <= _WAYS else 0
    factor = _factor(entries, known)
    if factor == 0:
        allowed = limits.body_depth if any(known.compares[name] for name in entries) else None
        return Cost(allowed, fast if fast == 0 else allowed)
    levels = limits.body_depth if factor == 1 else int(math.log(_TIMES, factor))
    return Cost(limits.body_depth, fast if fast == 0 else min(levels, limits.body_depth))


def _count(entries: Mapping[str, Any], known: _Known, bundle: Bundle, references: References) -> None:
    """How many schemas are applied to one value by each entry, those that it leads to included."""
    ways, leads = known.ways, known.leads
    open_: set[str] = set()
    waiting = [name for name in entries if name not in ways]
    while waiting:
        name = waiting[-1]
        onward = [other for other in leads[name] if other and other not in ways]
        if name in ways or not onward:
            ways[name] = sum(count * (ways[other] if other else 1) for other, count in leads[name].items())
            known.depths[name] = 1 + max((known.depths[other] for other in leads[name] if other), default=0)
            open_.discard(name)
            waiting.pop()
            continue
        open_.add(name)
        if (circle := open_.intersection(onward)) != set():
            where = place_in(bundle, references, min(circle)[1:])
            raise InvalidDocument("the schema contains itself, so checking by it never ends", place=where)
        waiting += onward


def _leads(node: Any) -> Iterator[str]:
    """What is applied to the same value: ``""`` for each schema that stands here, else the entry it refers to."""
    waiting = [node]
    while waiting:
        here = waiting.pop()
        yield ""
        if isinstance(here, dict):
            if "$ref" in here:
                yield here["$ref"]
            waiting += same_value(here)


def _compares(node: Mapping[str, Any]) -> bool:
    """Whether a schema compares whole values, however deep."""
    fixed = [node.get("const"), *(node["enum"] if isinstance(node.get("enum"), list) else ())]
    return "uniqueItems" in node or any(isinstance(value, (dict, list)) for value in fixed)


def _factor(entries: Mapping[str, Any], known: _Known) -> int:
    """In how many ways, at most, a circle of schemas is entered again at one place of a value; 0 without circles."""
    new = {name: known.references[name] for name in entries if name not in known.loops}
    # What is known already leads to nothing new, so circles are among what is new.
    graph = {name: onward & new.keys() for name, onward in new.items()}
    known.loops.update(dict.fromkeys(new, frozenset()))
    for circle in circles(graph):
        loop = frozenset(circle)
        known.loops.update(dict.fromkeys(loop, loop))
    loops = {known.loops[name] for name in entries} - {frozenset()}
    for loop in [loop for loop in loops if loop not in known.factors]:
        known.factors[loop] = Loop(entries, loop).factor()
    return max((known.factors[loop] for loop in loops), default=0)
