"""One way through ``oneOf``, ``anyOf`` and discriminators: a shape in which nothing is left to choose."""

from __future__ import annotations

from typing import Any

from dynclient._records import Record
from dynclient._schemas import MISSING, Discriminator, Shape, shape
from dynclient.model import Schema

_ROUNDS = 16  # Unions of unions: deeper than this is a circle.


class Settled(Record):
    """A shape without unions, and the values that discriminators need, by property."""

    shape: Shape
    tags: dict[str, str]


def settle(seen: Shape, turn: int, *, simple: bool = False) -> Settled:
    """Choose a branch wherever there is a choice; another ``turn`` chooses another one.

    ``simple`` prefers a branch that is no object and no list, so that recursion ends.
    """
    tags: dict[str, str] = {}
    for _ in range(_ROUNDS):
        found = seen.discriminator
        if found is not None and found.inherited:
            seen = _heir(seen, found, turn, tags)
        branches = seen.one_of or seen.any_of
        if not branches:
            break
        branch = _chosen(seen, branches, turn, simple=simple)
        if found is not None:
            _tag(found, branch.schema, tags)
        seen = _joined(seen, branch)
    return Settled(seen, tags)


def _chosen(around: Shape, branches: tuple[Schema, ...], turn: int, *, simple: bool) -> Shape:
    shapes = [shape(branch) for branch in branches]
    told = [found for found in shapes if found.types != {"null"}] or shapes
    told = [found for found in told if _shared(around, found) != ()] or told
    if simple:
        told = [found for found in told if found.types and not found.types & {"object", "array"}] or told
    return told[turn % len(told)]


def _shared(around: Shape, branch: Shape) -> tuple[Any, ...] | None:
    """Of the values that a schema names, those that a branch allows too; None where either names none."""
    named, allowed = ((found.enum if found.const is MISSING else (found.const,)) for found in (around, branch))
    return None if named is None or allowed is None else tuple(value for value in named if value in allowed)


def _heir(seen: Shape, found: Discriminator, turn: int, tags: dict[str, str]) -> Shape:
    """The schema itself where the discriminator has a value for it, or on another turn one of its heirs."""
    _tag(found, seen.schema, tags)
    heirs = [heir for heir in found.mapping.values() if heir.uri != seen.schema.uri]
    if not heirs or (found.property_name in tags and not turn):
        return seen._replace(discriminator=None)
    heir = shape(heirs[turn % len(heirs)])
    _tag(found, heir.schema, tags)
    return heir._replace(discriminator=None)


def _tag(found: Discriminator, schema: Schema, tags: dict[str, str]) -> None:
    for value, picked in found.mapping.items():  # The last one counts: explicit mappings come after names.
        if picked.uri == schema.uri:
            tags[found.property_name] = value


def _joined(seen: Shape, branch: Shape) -> Shape:
    """What both say: a branch counts together with the schema around it."""
    left: dict[str, Any] = {"one_of": (), "any_of": seen.any_of} if seen.one_of else {"any_of": ()}
    around = seen._replace(**left)
    return around._replace(
        schema=branch.schema if branch.name is not None or branch.types else around.schema,
        types=(around.types & branch.types) or branch.types or around.types,
        enum=_shared(around, branch) or (around.enum if branch.enum is None else branch.enum),
        const=around.const if branch.const is MISSING else branch.const,
        format=branch.format or around.format,
        default=branch.default,
        examples=branch.examples,
        properties={**around.properties, **branch.properties},
        required=around.required | branch.required,
        additional=branch.additional if around.additional is True else around.additional,
        pattern_properties={**around.pattern_properties, **branch.pattern_properties},
        items=branch.items if around.items is None else around.items,
        prefix_items=around.prefix_items or branch.prefix_items,
        one_of=branch.one_of,
        any_of=around.any_of or branch.any_of,
        discriminator=branch.discriminator,
        constraints={**around.constraints, **branch.constraints},
        content_encoding=branch.content_encoding or around.content_encoding,
        content_media_type=branch.content_media_type or around.content_media_type,
    )
