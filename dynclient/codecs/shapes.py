"""Questions of codecs about schemas: whether values are arrays or objects, and the schema of an item or a property."""

from __future__ import annotations

from dynclient import _schemas
from dynclient.model import Schema

_MOST_STEPS = 16


def sole(schema: Schema) -> _schemas.Shape:
    """A schema's shape, or that of its only branch beside null: ``anyOf: [X, null]`` is X that may be null."""
    seen = _schemas.shape(schema)
    for _ in range(_MOST_STEPS):
        branches = [_schemas.shape(each) for each in (seen.one_of or seen.any_of)]
        others = [each for each in branches if each.types != {"null"}]
        if seen.types or seen.properties or len(others) != 1:
            break
        only = others[0]
        null = {"null"} if len(others) < len(branches) and only.types else set()
        seen = only._replace(types=only.types | null, xml=seen.xml or only.xml)
    return seen


def is_array(shape: _schemas.Shape) -> bool:
    """Whether a shape's values are arrays, null aside."""
    types = shape.types - {"null"}
    if types:
        return types == {"array"}
    return bool(shape.items or shape.prefix_items) and not shape.properties


def is_object(shape: _schemas.Shape) -> bool:
    """Whether a shape's values may be objects."""
    return "object" in shape.types or (not shape.types and bool(shape.properties or shape.required))


def is_any(shape: _schemas.Shape) -> bool:
    """Whether a shape does not restrict the type of its values."""
    return not (shape.types or shape.properties or shape.required or shape.items or shape.prefix_items)


def item_schema(shape: _schemas.Shape, index: int) -> Schema | None:
    """The schema of an array's item; None if the shape does not describe it."""
    return shape.prefix_items[index] if index < len(shape.prefix_items) else shape.items


def property_schema(shape: _schemas.Shape, name: str) -> Schema | None:
    """The schema of a property, by its name or a pattern; None if the shape does not describe it."""
    if name in shape.properties:
        return shape.properties[name]
    if shape.pattern_properties:
        from dynclient import _regex

        for pattern, schema in shape.pattern_properties.items():
            if _regex.compile(pattern).search(name):
                return schema
    return shape.additional if isinstance(shape.additional, Schema) else None
