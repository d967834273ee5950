"""The properties of two objects, as a request or a response has them.

OAS 3.0.4, Schema Object: ``readOnly`` properties are not sent, ``writeOnly`` ones are not received; and ``required``
takes effect on the other side only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dynclient._schemas import Shape, shape
from dynclient.changes.kinds import RECEIVED, Side
from dynclient.model import Schema

Pairs = list[tuple[Schema, Schema, str]]


def hidden(schema: Schema, side: Side) -> bool:
    """Whether a property is not there on this side."""
    seen = shape(schema)
    return seen.write_only if side in RECEIVED else seen.read_only


def properties(old: Shape, new: Shape, side: Side, add: Callable[..., None]) -> Pairs:
    """Compare what the objects have, and return the pairs of schemas below."""
    # A property that both only require has no schema: any value will do.
    names = dict.fromkeys([*old.properties, *sorted(old.required), *new.properties, *sorted(new.required)])
    pairs: Pairs = []
    for name in names:
        before, after = _there(old, name, side), _there(new, name, side)
        if before and after:
            _both(old, new, name, side, add)
        elif after:
            _came(old, new, name, side, add)
        elif before:
            _went(old, new, name, side, add)
        if before and after and name in old.properties and name in new.properties:
            pairs.append((old.properties[name], new.properties[name], _step(name)))
    pairs += _others(old, new, add)
    return pairs


def _step(name: str) -> str:
    return f".{name}"


def _there(seen: Shape, name: str, side: Side) -> bool:
    if name in seen.properties:
        return not hidden(seen.properties[name], side)
    return name in seen.required


def _both(old: Shape, new: Shape, name: str, side: Side, add: Callable[..., None]) -> None:
    before, after = name in old.required, name in new.required
    if before != after:
        add(f"property-became-{'required' if after else 'optional'}", before=name, **_at(old, new, name))
    # Its schema says also what is no matter on this side: what may be received only is still received.
    for word in ("read_only", "write_only"):
        was, is_ = (_flag(seen, name, word) for seen in (old, new))
        if was != is_ and side != "parameter":
            word_ = word.replace("_", "-")
            add(f"property-became-{'' if is_ else 'not-'}{word_}", before=name, **_at(old, new, name))


def _came(old: Shape, new: Shape, name: str, side: Side, add: Callable[..., None]) -> None:
    if name in old.properties and not (name in new.required and side not in RECEIVED):
        add(f"property-became-not-{_hiding(side)}", before=name, **_at(old, new, name))
    else:
        aspect = "required-property-added" if name in new.required else "property-added"
        add(aspect, after=name, **_at(old, new, name))


def _went(old: Shape, new: Shape, name: str, side: Side, add: Callable[..., None]) -> None:
    if name in new.properties and not (name in old.required and side in RECEIVED):
        add(f"property-became-{_hiding(side)}", before=name, **_at(old, new, name))
    else:
        aspect = "required-property-removed" if name in old.required else "property-removed"
        add(aspect, before=name, **_at(old, new, name))


def _hiding(side: Side) -> str:
    return "write-only" if side in RECEIVED else "read-only"


def _flag(seen: Shape, name: str, word: str) -> bool:
    return name in seen.properties and bool(getattr(shape(seen.properties[name]), word))


def _at(old: Shape, new: Shape, name: str) -> dict[str, Any]:
    """Where a property stands in both documents; in one that has none, its object."""
    return {"old": old.properties.get(name, old.schema), "new": new.properties.get(name, new.schema)}


def _others(old: Shape, new: Shape, add: Callable[..., None]) -> Pairs:
    """Properties without a name of their own."""
    pairs: Pairs = []
    if old.pattern_properties.keys() != new.pattern_properties.keys():
        add("pattern-properties-changed", before=(*old.pattern_properties,), after=(*new.pattern_properties,))
    for pattern in old.pattern_properties.keys() & new.pattern_properties.keys():
        pairs.append((old.pattern_properties[pattern], new.pattern_properties[pattern], f".<{pattern}>"))
    if isinstance(old.additional, Schema) and isinstance(new.additional, Schema):
        return [*pairs, (old.additional, new.additional, ".*")]
    before, after = (_openness(seen) for seen in (old, new))
    if before != after:
        add(_ADDITIONAL[before, after])
    return pairs


def _openness(seen: Shape) -> str:
    if isinstance(seen.additional, Schema):
        return "some"
    return "any" if seen.additional else "none"


_ADDITIONAL = {
    ("any", "none"): "additional-properties-forbidden",
    ("some", "none"): "additional-properties-forbidden",
    ("none", "any"): "additional-properties-allowed",
    ("none", "some"): "additional-properties-allowed",
    ("any", "some"): "additional-properties-narrowed",
    ("some", "any"): "additional-properties-widened",
}
