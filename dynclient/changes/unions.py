"""Unions (``oneOf``, ``anyOf``): which branches of two documents are the same, which came and which went.

A branch is known by its schema's name, or else by what it says; branches that differ are paired by their order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dynclient._records import Record
from dynclient._schemas import Shape, shape
from dynclient.model import Schema

Same = Callable[[Schema, Schema], bool]


class Sides(Record):
    """Two shapes made comparable.

    ``plain``: they say something beside their branches, or have none. ``union``: at least one has branches. ``*_null``
    tells whether null is among what each allows.
    """

    old: Shape
    new: Shape
    plain: bool
    union: bool
    old_branches: tuple[Schema, ...]
    new_branches: tuple[Schema, ...]
    old_null: bool
    new_null: bool


def members(old: Shape, new: Shape) -> Sides:
    """Make two shapes comparable: a union of one schema is that schema, null in a union is a type."""
    old, old_branches, old_null = _opened(old)
    new, new_branches, new_null = _opened(new)
    union = bool(old_branches or new_branches)
    plain = not union
    if union and not (_only_branches(old, old_branches) or _only_branches(new, new_branches)):
        plain = True
    elif union:
        # One that is no union is a union of itself alone.
        old_branches = old_branches or (old.schema,)
        new_branches = new_branches or (new.schema,)
        plain = _both_plain(old, new, old_branches, new_branches)
    return Sides(old, new, plain, union, old_branches, new_branches, old_null, new_null)


def _both_plain(old: Shape, new: Shape, old_branches: tuple[Schema, ...], new_branches: tuple[Schema, ...]) -> bool:
    """Whether both are unions, so that what they say beside their branches can be compared too."""
    return old_branches != (old.schema,) and new_branches != (new.schema,)


def _opened(seen: Shape) -> tuple[Shape, tuple[Schema, ...], bool]:
    """A shape, its branches without null, and whether null is allowed."""
    branches = (*seen.one_of, *seen.any_of)
    kept = tuple(branch for branch in branches if not _is_null(branch))
    or_null = "null" in seen.types or len(kept) < len(branches)
    if len(kept) == 1 and _only_branches(seen, kept):
        inner, below, inner_null = _opened(shape(kept[0]))
        or_null = or_null or inner_null
        if inner.types and or_null:
            inner = inner._replace(types=inner.types | {"null"})
        return inner._replace(default=seen.default if not inner.default else inner.default), below, or_null
    return seen, kept, or_null


def _is_null(branch: Schema) -> bool:
    seen = shape(branch)
    return seen.types == {"null"} or seen.enum == (None,)


def _only_branches(seen: Shape, branches: tuple[Schema, ...]) -> bool:
    """Whether a schema says nothing beside its branches."""
    return bool(branches) and not (seen.properties or seen.required or seen.items or seen.enum is not None)


def union(sides: Sides, add: Callable[..., None], same: Same) -> list[tuple[Schema, Schema, str]]:
    """Compare the branches, and return the pairs of those that are to be compared."""
    if not (sides.old_branches and sides.new_branches):
        add("union-changed")
        return []
    _tags(sides.old, sides.new, add)
    left = list(sides.old_branches)
    right = list(sides.new_branches)
    pairs = _paired(left, right, lambda one, other: shape(one).schema == shape(other).schema or _named(one, other))
    # To be the same was looked at only so far down; below that they are compared like the others.
    pairs += _paired(left, right, same)
    if len(left) == len(right):
        pairs += list(zip(left, right, strict=True))
        left, right = [], []
    for branch in left:
        add("branch-removed", before=_title(branch), old=branch)
    for branch in right:
        add("branch-added", after=_title(branch), new=branch)
    return [(one, other, _step(one)) for one, other in pairs]


def _paired(left: list[Schema], right: list[Schema], fits: Same) -> list[tuple[Schema, Schema]]:
    """Take out of both lists what fits, and return it."""
    pairs = []
    for one in tuple(left):
        other = next((other for other in right if fits(one, other)), None)
        if other is not None:
            pairs.append((one, other))
            left.remove(one)
            right.remove(other)
    return pairs


def _named(one: Schema, other: Schema) -> bool:
    name = shape(one).name
    return name is not None and name == shape(other).name


def _title(branch: Schema) -> Any:
    seen = shape(branch)
    return seen.name or seen.title or ", ".join(sorted(seen.types)) or "any"


def _step(branch: Schema) -> str:
    name = shape(branch).name
    return f"<{name}>" if name else ""


def heirs(old: Shape, new: Shape, add: Callable[..., None]) -> list[tuple[Schema, Schema, str]]:
    """Compare the schemas that extend two, where a discriminator tells them apart; return those that both have."""
    before, after = old.discriminator, new.discriminator
    if before is None or after is None or not (before.inherited and after.inherited):
        return []
    _tags(old, new, add)
    return [(before.mapping[tag], after.mapping[tag], f"<{tag}>") for tag in before.mapping if tag in after.mapping]


def _tags(old: Shape, new: Shape, add: Callable[..., None]) -> None:
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
