"""Comparison of two schemas, aspect by aspect, and of all their subschemas.

Rule 1: shapes are compared, so the spelling of a schema (``$ref``, ``allOf``, the version of OpenAPI) does not matter.
Rule 2: a pair of schemas is compared once, so recursive schemas end.
Rule 3: a union of one schema is that schema, and ``null`` in a union is a type.
Rule 4: a branch of a union is identified by its schema's name, or else by the values that it allows; the remaining
branches are paired by what they have in common.
Rule 5: the result of comparing keywords is corrected by what the :class:`Judge` knows about the values.
Rule 6: ASSERTIONS compare the keywords that constrain a value itself: each takes two shapes, and yields
``(aspect, before, after)`` for each difference.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from dynclient._schemas import MISSING, Shape, is_binary, shape
from dynclient._schemas.keywords import Direction
from dynclient.changes.facts import divides, take_pairs
from dynclient.changes.kinds import ASPECTS, KINDS, NOT_OF_VALUES, RECEIVED, Severity, Side
from dynclient.changes.report import Findings, Key, PairResult
from dynclient.model import Schema

T = TypeVar("T")

BUDGET = 20_000
"""The maximum of pairs of schemas that one walk compares."""
_LONGEST_MATCH = 4_000
"""The maximum of pairs of branches that are weighed; branches of larger unions are paired by their order."""

Below = list[tuple[Schema, Schema, str]]
"""Pairs of subschemas, each with its step in the path."""
Add = Callable[..., None]
"""Takes an aspect, a step in the path, and keywords of :meth:`Findings.add`."""
Fits = Callable[[Schema, Schema], bool]
Local = list[tuple[str, str, dict[str, Any]]]
"""Changes of one pair: the aspect, the rest of the path, and keywords of :meth:`Findings.add`."""


class _Walk:
    """One walk over the schemas of one value. ``xml`` means that the value is written as XML."""

    def __init__(self, findings: Findings, side: Side, label: str, *, xml: bool) -> None:
        self._findings = findings
        self.side = side
        self._label = label
        self._xml = xml
        self._judge = findings.apis.judge

    def _add(self, aspect: str, path: str = "$", **details: Any) -> None:
        where = self._label if path == "$" else f"{self._label} {path}"
        self._findings.add(f"{self.side}-{aspect}", where, **details)

    def run(self, old: Schema, new: Schema) -> None:
        """Compare two schemas and all their subschemas.

        Raises:
            DocumentError: a schema is broken.
        """
        pairs, seen = self._findings.apis.pairs, set[Key]()
        is_changed = is_explained = False
        waiting, later, at_most = [(old, new, "$")], list[tuple[Schema, Schema, str]](), dict[str, Any]()
        while (waiting or later) and len(seen) < BUDGET:
            if not waiting:
                # Last, since a pair is compared once, and may matter in another place.
                waiting, later, at_most = later, [], {"severity": "info"}
            one, other, path = waiting.pop()
            key = (one.uri, other.uri, self.side, self._xml)
            if key in seen:
                continue
            if key not in pairs:
                # Whether they are written alike is tested at the start of a walk and at the targets of references.
                is_asked = not seen or (isinstance(one.value, Mapping) and "$ref" in one.value)
                is_alike = is_asked and self._judge.alike(one, other)
                pairs[key] = PairResult() if is_alike else self._compare(one, other)
            seen.add(key)
            result = pairs[key]
            is_changed = is_changed or bool(result.changes)
            is_explained = is_explained or (bool(result.harmless) and not self._keeps(one, other))
            for aspect, step, details in result.changes:
                given = {"old": one, "new": other, "severity": self._severity(aspect), **details, **at_most}
                self._add(aspect, path + step, **given)
                is_explained = is_explained or given["severity"] != "info"
            # In reverse, so that they leave the stack in the document's order.
            waiting += [(*pair[:2], path + pair[2]) for pair in reversed(result.below)]
            later += [(*pair[:2], path + pair[2]) for pair in reversed(result.harmless)]
        if waiting or later:
            self._add("not-compared", old=old, new=new)
        elif not is_explained and not self._keeps(old, new):
            # Of recursive schemas, each may refer to the others for the reason.
            for aspect, _, details in self._shown(old, new, [], is_explained=False):
                self._add(aspect, old=old, new=new, **details)
        elif not is_changed:
            # No other walk needs to look below these.
            pairs.update(dict.fromkeys(seen, PairResult()))

    def _compare(self, before: Schema, after: Schema) -> PairResult:
        old, old_branches, old_null = _unwrapped(shape(before))
        new, new_branches, new_null = _unwrapped(shape(after))
        changes: Local = []
        below: Below = []

        def add(aspect: str, step: str = "", **details: Any) -> None:
            changes.append((aspect, step, details))

        plain = True
        if _only_branches(old, old_branches) or _only_branches(new, new_branches):
            # If only one is a union, the other counts as a union of itself, and only branches are compared.
            plain = bool(old_branches and new_branches)
            old_branches, new_branches = old_branches or (old.schema,), new_branches or (new.schema,)
        if old_branches and new_branches:
            _tags(old, new, add)
            below += _branches([*old_branches], [*new_branches], add, self._judge.alike)
        elif old_branches or new_branches:
            add("union-changed")
        if plain:
            for check in ASSERTIONS:
                for aspect, was, is_ in check(old, new):
                    add(aspect, before=was, after=is_)
            if self._xml and old.xml != new.xml:
                add("xml-changed")
            below += [*_items(old, new, add), *_properties(old, new, self.side, add), *_heirs(old, new, add)]
        elif old_null != new_null:
            add("null-allowed" if new_null else "null-forbidden")
        return self._judged(before, after, changes, below)

    def _judged(self, old: Schema, new: Schema, changes: Local, below: Below) -> PairResult:
        """Correct the changes of a pair by the facts about the values (rule 4 of the kinds)."""
        if self._keeps(old, new):
            # Each value remains valid, regardless of the subschemas. If both allow the same values, they are only
            # written differently, unless a branch of a union covers for another one.
            is_union = all(it.one_of or it.any_of for it in (shape(old), shape(new)))
            is_equal = not is_union and self._keeps(old, new, back=True)
            changes = [
                (aspect, step, details if aspect in NOT_OF_VALUES else {**details, "severity": "info"})
                for aspect, step, details in changes
                if aspect in NOT_OF_VALUES or not is_equal
            ]
            kept = [pair for pair in below if self._keeps(*pair[:2])]
            if is_equal:
                return PairResult(changes, [pair for pair in kept if self._keeps(*pair[:2], back=True)])
            return PairResult(changes, kept, [pair for pair in below if pair not in kept])
        severities = {self._severity(aspect) for aspect, *_ in changes}
        hidden = [pair for pair in _hidden_pairs(shape(old), shape(new), self.side) if not self._keeps(*pair[:2])]
        is_explained = bool(hidden) or not all(self._keeps(*pair[:2]) for pair in below)
        if "breaking" not in severities and ("warning" in severities or not is_explained):
            changes = self._shown(old, new, changes, is_explained=is_explained)
        return PairResult(changes, below, hidden)

    def _shown(self, old: Schema, new: Schema, changes: Local, *, is_explained: bool) -> Local:
        """Look for a value that is no longer valid, or was not valid before, and add it to the change."""
        ordered = (new, old) if self.side in RECEIVED else (old, new)
        example = self._judge.counterexample(*ordered, _direction(self.side))
        worst = [index for index, (aspect, *_) in enumerate(changes) if self._may_break(aspect)]
        if not worst and not is_explained:
            changes = [*changes, ("values-changed", "", {})]
            worst = [len(changes) - 1]
        if example is MISSING:
            return changes
        return [
            (aspect, step, {**details, "severity": "breaking", "example": example} if index in worst else details)
            for index, (aspect, step, details) in enumerate(changes)
        ]

    def _may_break(self, aspect: str) -> bool:
        """Whether a change may be the reason why a value is not valid."""
        if aspect == "property-added":
            return self.side in RECEIVED
        return aspect not in NOT_OF_VALUES and self._severity(aspect) == "warning"

    def _severity(self, aspect: str) -> Severity:
        return KINDS[f"{self.side}-{aspect}"].severity

    def _keeps(self, old: Schema, new: Schema, *, back: bool = False) -> bool:
        """Whether it is proved that no change of values breaks callers."""
        ordered = (new, old) if (self.side in RECEIVED) != back else (old, new)
        return self._judge.proves(*ordered, _direction(self.side))


def _direction(side: Side) -> Direction:
    return "response" if side in RECEIVED else "request"


def compare_schemas(
    findings: Findings, side: Side, label: str, old: Schema | None, new: Schema | None, *, xml: bool = False
) -> None:
    """Compare the schemas of one value in two documents. ``label`` names the value within its operation.

    Raises:
        DocumentError: a schema is broken.
    """
    if old is not None and new is not None:
        _Walk(findings, side, label, xml=xml).run(old, new)
        return
    for schema, aspect in ((new, "schema-added"), (old, "schema-removed")):
        if schema is not None and not findings.apis.judge.proves(None, schema, _direction(side)):
            findings.add(f"{side}-{aspect}", label, old=old, new=new)


def _asserts(schema: Schema) -> bool:
    return schema.value not in ({}, True)


# Arrays.


def _items(old: Shape, new: Shape, add: Add) -> Iterator[tuple[Schema, Schema, str]]:
    if len(old.prefix_items) != len(new.prefix_items):
        add("prefix-items-changed", before=len(old.prefix_items), after=len(new.prefix_items))
    for index, (one, other) in enumerate(zip(old.prefix_items, new.prefix_items, strict=False)):
        yield one, other, f"[{index}]"
    before, after = (seen.items if seen.items is not None and _asserts(seen.items) else None for seen in (old, new))
    if before is not None and after is not None:
        yield before, after, "[]"
    elif before is not None or after is not None:
        add("items-added" if before is None else "items-removed")


# Objects. OAS 3.0.4, Schema Object: readOnly properties are not sent, writeOnly ones are not received, and `required`
# applies to the other side only.


def _properties(old: Shape, new: Shape, side: Side, add: Add) -> Below:
    # A property that is only required has no schema: any value is valid.
    names = dict.fromkeys([*old.properties, *sorted(old.required), *new.properties, *sorted(new.required)])
    below: Below = []
    hiding = "write-only" if side in RECEIVED else "read-only"
    for name in names:
        before, after = _has(old, name, side), _has(new, name, side)
        at = {"old": old.properties.get(name, old.schema), "new": new.properties.get(name, new.schema)}
        if before and after:
            _property(old, new, name, side, add, at)
        elif after:
            if name in old.properties and not (name in new.required and side not in RECEIVED):
                add(f"property-became-not-{hiding}", before=name, **at)
            else:
                add("required-property-added" if name in new.required else "property-added", after=name, **at)
        elif before:
            removed = "required-property-removed" if name in old.required else "property-removed"
            is_hidden = name in new.properties and not (name in old.required and side in RECEIVED)
            add(f"property-became-{hiding}" if is_hidden else removed, before=name, **at)
        if before and after and name in old.properties and name in new.properties:
            below.append((old.properties[name], new.properties[name], f".{name}"))
        elif before and after and any(name in it.properties and _asserts(it.properties[name]) for it in (old, new)):
            add("schema-removed" if name in old.properties else "schema-added", f".{name}", **at)
    return below + _unnamed_properties(old, new, add)


def _hidden_pairs(old: Shape, new: Shape, side: Side) -> Iterator[tuple[Schema, Schema, str]]:
    """Yield the properties that are not part of values of this side in either schema."""
    for name in old.properties:
        if name in new.properties and not _has(old, name, side) and not _has(new, name, side):
            yield old.properties[name], new.properties[name], f".{name}"


def _has(seen: Shape, name: str, side: Side) -> bool:
    """Whether a property may occur in values of this side."""
    if name not in seen.properties:
        return name in seen.required
    found = shape(seen.properties[name])
    return not (found.write_only if side in RECEIVED else found.read_only)


def _property(old: Shape, new: Shape, name: str, side: Side, add: Add, at: dict[str, Schema]) -> None:
    """Compare whether a property that both objects have is required, read-only and write-only."""
    if (name in old.required) != (name in new.required):
        add(f"property-became-{'required' if name in new.required else 'optional'}", before=name, **at)
    if side == "parameter":
        return
    for flag, word in (("read_only", "read-only"), ("write_only", "write-only")):
        was, is_ = (name in seen.properties and getattr(shape(seen.properties[name]), flag) for seen in (old, new))
        if was != is_:
            add(f"property-became-{'' if is_ else 'not-'}{word}", before=name, **at)


def _unnamed_properties(old: Shape, new: Shape, add: Add) -> Below:
    """Compare ``patternProperties`` and ``additionalProperties``."""
    before, after = old.pattern_properties, new.pattern_properties
    if before.keys() != after.keys():
        add("pattern-properties-changed", before=(*before,), after=(*after,))
    below = [(before[pattern], after[pattern], f".<{pattern}>") for pattern in before if pattern in after]
    if isinstance(old.additional, Schema) and isinstance(new.additional, Schema):
        return [*below, (old.additional, new.additional, ".*")]
    was, is_ = (
        "some" if isinstance(seen.additional, Schema) else "any" if seen.additional else "none" for seen in (old, new)
    )
    if was != is_:
        word = "widened" if is_ == "any" else "narrowed"
        if "none" in (was, is_):
            word = "allowed" if was == "none" else "forbidden"
        add(f"additional-properties-{word}")
    return below


# Unions.


def _unwrapped(seen: Shape) -> tuple[Shape, tuple[Schema, ...], bool]:
    """A shape, its branches without null, and whether null is allowed."""
    branches = (*seen.one_of, *seen.any_of)
    kept = tuple(branch for branch in branches if not _is_null(branch)) or branches[:1]
    or_null = "null" in seen.types or len(kept) < len(branches)
    if len(kept) == 1 and _only_branches(seen, kept):
        inner, below, inner_null = _unwrapped(shape(kept[0]))
        or_null = or_null or inner_null
        if inner.types and or_null:
            inner = inner._replace(types=inner.types | {"null"})
        return inner._replace(default=seen.default if not inner.default else inner.default), below, or_null
    return seen, kept, or_null


def _is_null(branch: Schema) -> bool:
    seen = shape(branch)
    return seen.types == {"null"} or seen.enum == (None,)


def _only_branches(seen: Shape, branches: tuple[Schema, ...]) -> bool:
    """Whether a schema has branches, and no other keyword that describes its values."""
    return bool(branches) and not (seen.properties or seen.required or seen.items or seen.enum is not None)


def _branches(left: list[Schema], right: list[Schema], add: Add, alike: Fits) -> Below:
    """Compare the branches of two unions, and return the pairs whose schemas are to be compared."""
    pairs = take_pairs(left, right, _same_name)
    pairs += take_pairs(left, right, alike)
    pairs += _nearest(left, right)
    for branch in left:
        add("branch-removed", before=_title(branch), old=branch)
    for branch in right:
        add("branch-added", after=_title(branch), new=branch)
    return [(one, other, f"<{name}>" if (name := shape(one).name) else "") for one, other in pairs]


def _same_name(one: Schema, other: Schema) -> bool:
    old, new = shape(one), shape(other)
    return old.name is not None and old.name == new.name


def _nearest(left: list[Schema], right: list[Schema]) -> list[tuple[Schema, Schema]]:
    """Remove the pairs that have most in common from both lists, and return them, the closest first."""
    if len(left) * len(right) > _LONGEST_MATCH:
        pairs = list(zip(left, right, strict=False))
    else:
        ranks = [
            (-_likeness(shape(one), shape(other)), abs(index - place), index, place)
            for index, one in enumerate(left)
            for place, other in enumerate(right)
        ]
        taken: dict[int, int] = {}
        for rank, _, index, place in sorted(ranks):
            if rank <= 0 and index not in taken and place not in taken.values():
                taken[index] = place
        pairs = [(left[index], right[place]) for index, place in sorted(taken.items())]
    for one, other in pairs:
        left.remove(one)
        right.remove(other)
    return pairs


def _likeness(one: Shape, other: Shape) -> float:
    """How much two branches have in common; below 0 for different types."""
    if types_of(one).isdisjoint(types_of(other)):
        return -1
    names = one.properties.keys() | other.properties.keys()
    shared = len(one.properties.keys() & other.properties.keys()) / len(names) if names else 0
    fields = ("types", "title", "format", "enum", "const", "required", "constraints")
    same: list[bool] = [getattr(one, field) == getattr(other, field) for field in fields]
    return shared + sum(same) / 10


def _title(branch: Schema) -> str:
    seen = shape(branch)
    return seen.name or seen.title or ", ".join(sorted(seen.types)) or "any"


def _heirs(old: Shape, new: Shape, add: Add) -> Below:
    """Compare the schemas that extend two schemas by a discriminator, and return those that both have."""
    before, after = old.discriminator, new.discriminator
    if before is None or after is None or not (before.inherited and after.inherited):
        return []
    _tags(old, new, add)
    return [(before.mapping[tag], after.mapping[tag], f"<{tag}>") for tag in before.mapping if tag in after.mapping]


def _tags(old: Shape, new: Shape, add: Add) -> None:
    before, after = old.discriminator, new.discriminator
    if before is None or after is None:
        return
    if before.property_name != after.property_name:
        add("discriminator-changed", before=before.property_name, after=after.property_name)
        return
    for tag in sorted(before.mapping.keys() - after.mapping.keys()):
        add("tag-removed", before=tag)
    for tag in sorted(after.mapping.keys() - before.mapping.keys()):
        add("tag-added", after=tag)


Differences = Iterator[tuple[str, Any, Any]]

_ALL = frozenset({"array", "boolean", "integer", "number", "object", "string"})
# Pairs of formats; the second of a pair allows all values of the first.
_WIDER = {("int32", "int64"), ("float", "double"), ("int32", "double"), ("date-time-local", "date-time")}
# Keywords that a Shape does not have: any difference in them is reported without a direction.
_CONDITIONS = (
    "not", "if", "then", "else", "contains", "propertyNames", "dependentSchemas", "dependentRequired",
    "unevaluatedItems", "unevaluatedProperties",
)  # fmt: skip
# Formats that are annotations, and never validated.
_NO_FORMATS = frozenset({None, "password", "binary", "byte", "base64", "base64url"})


def _direction_of(before: T, after: T, fits: Callable[[T, T], bool]) -> str:
    """Whether a keyword allows more or less than before; ``fits`` says whether the second allows all of the first."""
    return "widened" if fits(before, after) else "narrowed" if fits(after, before) else "changed"


def types(old: Shape, new: Shape) -> Differences:
    """Compare ``type``, and whether null is allowed."""
    if is_binary(old.schema) or is_binary(new.schema):
        if is_binary(old.schema) != is_binary(new.schema):
            yield "binary-changed", _type_names(old), _type_names(new)
        return
    before, after = types_of(old), types_of(new)
    if before != after:
        yield f"type-{_direction_of(before, after, frozenset.issubset)}", _type_names(old), _type_names(new)
    if old.types and new.types and ("null" in old.types) != ("null" in new.types):
        yield ("null-allowed" if "null" in new.types else "null-forbidden"), MISSING, MISSING


def types_of(seen: Shape) -> frozenset[str]:
    """The types without null. Every integer is a number, so "number" includes "integer"."""
    found = seen.types - {"null"} if seen.types else _ALL
    return found | {"integer"} if "number" in found else found


def _type_names(seen: Shape) -> str:
    names = sorted(seen.types - {"null"}) or ["any"]
    return ", ".join(names) + (" (bytes)" if is_binary(seen.schema) else "")


def values(old: Shape, new: Shape) -> Differences:
    """Compare the values that ``enum`` or ``const`` allows."""
    before, after = _values(old), _values(new)
    if before is None and after is not None:
        yield "enum-added", MISSING, [*after.values()]
    elif before is not None and after is None:
        yield "enum-removed", [*before.values()], MISSING
    elif before is not None and after is not None:
        yield from (("enum-value-removed", value, MISSING) for key, value in before.items() if key not in after)
        yield from (("enum-value-added", MISSING, value) for key, value in after.items() if key not in before)


def _values(seen: Shape) -> dict[str, Any] | None:
    allowed = seen.fixed
    if allowed is None:
        return None
    # Null is compared with the types.
    return {json.dumps(value, sort_keys=True): value for value in allowed if value is not None}


def formats(old: Shape, new: Shape) -> Differences:
    """Compare ``format``."""
    before, after = (None if seen.format in _NO_FORMATS else seen.format for seen in (old, new))
    if before == after:
        return
    if before is None or after is None:
        yield ("format-added" if before is None else "format-removed"), before or MISSING, after or MISSING
    else:
        yield f"format-{_direction_of(before, after, lambda *pair: pair in _WIDER)}", before, after


def encodings(old: Shape, new: Shape) -> Differences:
    """Compare ``contentEncoding`` and ``contentMediaType``."""
    if is_binary(old.schema) or is_binary(new.schema):
        return
    # OAS 3.1.1, Working With Binary Data: these formats of 3.0 are content encodings in JSON Schema.
    names = {"byte": "base64", "base64": "base64", "base64url": "base64url"}
    found = ((it.content_encoding or names.get(it.format or ""), it.content_media_type) for it in (old, new))
    before, after = (" ".join(filter(None, pair)) for pair in found)
    if before != after:
        yield "encoding-changed", before or "none", after or "none"


_BOUNDS = tuple(it.name.removesuffix("-narrowed") for it in ASPECTS if re.match(r"(min|max).*-narrowed", it.name))


def bounds(old: Shape, new: Shape) -> Differences:
    """Compare the limits of numbers, lengths and counts."""
    for aspect in _BOUNDS:
        sign = 1 if aspect.startswith("min") else -1
        before, after = (_limit(seen, aspect, sign) for seen in (old, new))
        if before != after:
            word = "narrowed" if after > before else "widened"
            yield f"{aspect}-{word}", _limit_text(before, sign), _limit_text(after, sign)


def _limit(seen: Shape, aspect: str, sign: int) -> tuple[float, bool]:
    """A limit as the number times the sign, and whether it is exclusive: the narrower limit compares greater."""
    word, _, noun = aspect.partition("-")
    keyword, none = word + noun.capitalize(), -math.inf * sign
    absent = none if sign < 0 else {"minimum": none, "minContains": 1}.get(keyword, 0)
    exclusive = seen.constraints.get(f"exclusive{keyword.capitalize()}", none)
    return max((seen.constraints.get(keyword, absent) * sign, False), (exclusive * sign, exclusive != none))


def _limit_text(limit: tuple[float, bool], sign: int) -> Any:
    number, exclusive = limit
    return "none" if math.isinf(number) else f"{number * sign}{' (excluded)' if exclusive else ''}"


def multiples(old: Shape, new: Shape) -> Differences:
    """Compare ``multipleOf``."""
    before, after = old.constraints.get("multipleOf"), new.constraints.get("multipleOf")
    if before != after:
        word = _direction_of(before, after, lambda it, of: of is None or (it is not None and divides(of, it)))
        yield f"multiple-of-{word}", _or_none(before), _or_none(after)


def _or_none(value: Any, null: Any = "none") -> Any:
    """A value for people: "none" if it is missing, and ``null`` for None."""
    if value is MISSING or value == math.inf:
        return "none"
    return null if value is None else value


def patterns(old: Shape, new: Shape) -> Differences:
    """Compare ``pattern`` and ``uniqueItems``."""
    before, after = old.constraints.get("pattern"), new.constraints.get("pattern")
    if before != after:
        word = "added" if before is None else "removed" if after is None else "changed"
        yield f"pattern-{word}", _or_none(before), _or_none(after)
    was, is_ = (bool(seen.constraints.get("uniqueItems")) for seen in (old, new))
    if was != is_:
        yield f"unique-items-{'narrowed' if is_ else 'widened'}", MISSING, MISSING


def conditions(old: Shape, new: Shape) -> Differences:
    """Compare keywords of which only equality can be decided."""
    before, after = (seen.schema.value if isinstance(seen.schema.value, Mapping) else {} for seen in (old, new))
    for keyword in _CONDITIONS:
        if before.get(keyword) != after.get(keyword):
            yield "assertion-changed", _or_none(before.get(keyword)), _or_none(after.get(keyword))


def notes(old: Shape, new: Shape) -> Differences:
    """Compare ``default`` and ``deprecated``."""
    if old.default != new.default:
        yield "default-changed", _or_none(old.default, null=None), _or_none(new.default, null=None)
    if old.deprecated != new.deprecated:
        yield ("deprecated" if new.deprecated else "undeprecated"), MISSING, MISSING


ASSERTIONS: tuple[Callable[[Shape, Shape], Differences], ...] = (
    types,
    values,
    formats,
    encodings,
    bounds,
    multiples,
    patterns,
    conditions,
    notes,
)
