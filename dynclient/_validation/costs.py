"""What checking by a bundle may cost, found before any value comes.

Rule 1: within one value, each way from a schema to another (``allOf``, ``anyOf``, ``$ref``, ...) costs a step. More
ways than steps are allowed: the document is unsafe.
Rule 2: a way that leads back to its start without going down in the value never ends: the document is invalid.
Rule 3: a schema that reaches itself further down is recursive: the depth of values has to be looked at. If it does so
in several ways at one place, time can double with each level: such a schema is not tame, and is left to the engine
that remembers its verdicts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from dynclient._schemas import Bundle
from dynclient._validation.circles import circles
from dynclient._validation.places import place_in
from dynclient.exceptions import InvalidDocument, UnsafeDocument
from dynclient.model import References
from dynclient.options import Limits

_SAME_MANY = ("allOf", "anyOf", "oneOf")
_SAME_ONE = ("if", "then", "else", "not")
_DOWN_ONE = ("additionalProperties", "contains", "items", "propertyNames", "unevaluatedItems", "unevaluatedProperties")
_TAME = 10_000

Node = Mapping[str, Any]


class Cost(NamedTuple):
    """Whether values have to be looked at for their depth, and whether an engine without a memory may check them."""

    recursive: bool
    tame: bool


def cost(bundle: Bundle, references: References, limits: Limits) -> Cost:
    """Estimate what checking costs.

    Raises:
        UnsafeDocument: more steps than are allowed.
        InvalidDocument: a schema contains itself.
    """
    if "$id" in bundle.schema:
        # Where `$dynamicRef` leads is known only with the value.
        return Cost(recursive=True, tame=False)
    entries = {f"#/$defs/{number}": node for number, node in bundle.schema["$defs"].items()}
    ways = _ways(entries, bundle, references)
    most = max(ways, key=ways.__getitem__)
    if ways[most] > limits.validation_steps:
        where = place_in(bundle, references, most[1:])
        message = f"checking one value takes {min(ways[most], 10**18)} steps, {limits.validation_steps} are allowed"
        raise UnsafeDocument(message, place=where)
    loops = circles({name: set(_references(node)) & entries.keys() for name, node in entries.items()})
    compares = any("uniqueItems" in node or _has_structures(node) for node in _all(bundle.schema["$defs"]))
    tame = ways[most] <= _TAME and not any(_doubles(entries, loop) for loop in loops)
    return Cost(bool(loops) or compares, tame)


def _ways(entries: Mapping[str, Any], bundle: Bundle, references: References) -> dict[str, int]:
    """How many schemas are applied to one value by each entry, those that it leads to included."""
    leads = {name: Counter(_leads(node)) for name, node in entries.items()}
    ways: dict[str, int] = {}
    open_: set[str] = set()
    waiting = list(entries)
    while waiting:
        name = waiting[-1]
        if name in ways:
            waiting.pop()
            continue
        onward = [other for other in leads[name] if other and other not in ways]
        if not onward:
            ways[name] = sum(count * (ways[other] if other else 1) for other, count in leads[name].items())
            open_.discard(name)
            waiting.pop()
            continue
        open_.add(name)
        for other in onward:
            if other in open_:
                where = place_in(bundle, references, other[1:])
                raise InvalidDocument("the schema contains itself, so checking by it never ends", place=where)
        waiting += onward
    return ways


def _leads(node: Any) -> Iterator[str]:
    """What is applied to the same value: ``""`` for each schema that stands here, else the entry it refers to."""
    waiting = [node]
    while waiting:
        here = waiting.pop()
        yield ""
        if isinstance(here, dict):
            if "$ref" in here:
                yield here["$ref"]
            waiting += _same(here)


def _same(node: Node) -> list[Any]:
    below = [node[word] for word in _SAME_ONE if word in node]
    below += [each for word in _SAME_MANY for each in node.get(word, ())]
    return below + list(node.get("dependentSchemas", {}).values())


def _down(node: Node) -> Iterator[tuple[str, Any]]:
    """The schemas for what is within a value, with the name of the place; ``*`` for many places."""
    yield from ((f".{name}", below) for name, below in node.get("properties", {}).items())
    yield from (("*", node[word]) for word in _DOWN_ONE if word in node)
    yield from (("*", below) for below in node.get("patternProperties", {}).values())
    yield from ((f"[{index}]", below) for index, below in enumerate(node.get("prefixItems", ())))


def _all(node: Any) -> Iterator[Node]:
    waiting = [node]
    while waiting:
        here = waiting.pop()
        if isinstance(here, dict):
            yield here
            waiting += here.values()
        elif isinstance(here, list):
            waiting += here


def _references(node: Any) -> Iterator[str]:
    return (here["$ref"] for here in _all(node) if isinstance(here.get("$ref"), str))


def _has_structures(node: Node) -> bool:
    fixed = [node.get("const"), *(node["enum"] if isinstance(node.get("enum"), list) else ())]
    return any(isinstance(value, (dict, list)) for value in fixed)


def _doubles(entries: Mapping[str, Any], loop: set[str]) -> bool:
    """Whether a circle of schemas is entered in several ways at one place of a value."""
    for name in loop:
        waiting = [entries[name]]
        while waiting:
            here = waiting.pop()
            if not isinstance(here, dict):
                continue
            places = _places(here, entries, loop)
            if any(count > 1 for count in places.values()) or (places["*"] and len(places) > 1):
                return True
            waiting += [below for _, below in _down(here)]
            waiting += _same(here)
    return False


def _places(node: Any, entries: Mapping[str, Any], loop: set[str]) -> Counter[str]:
    """The places within a value from which a circle is entered again, and in how many ways."""
    found: Counter[str] = Counter()
    waiting = [node]
    steps = 0
    while waiting and steps < _TAME:
        steps += 1
        here = waiting.pop()
        if not isinstance(here, dict):
            continue
        if here.get("$ref") in loop:
            waiting.append(entries[here["$ref"]])
        for place, below in _down(here):
            found[place] += any(reference in loop for reference in _references(below))
        choices = here.get("allOf", ())
        if choices and all(each.keys() == {"if", "then"} for each in choices if isinstance(each, dict)):
            # Of a discriminator's choices one is taken at most.
            one: Counter[str] = Counter()
            for choice in choices:
                one |= _places(choice["then"], entries, loop)
            found += one
            waiting += [below for below in _same(here) if below not in choices]
        else:
            waiting += _same(here)
    return +found
