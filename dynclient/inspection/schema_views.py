"""A plain, frozen view of a named schema, for its page and its type."""

from __future__ import annotations

from typing import Any, Literal

from dynclient._identifiers import class_name, identifier
from dynclient._records import Record
from dynclient._schemas import Discriminator, Shape, shape
from dynclient.inspection.arguments import is_secret
from dynclient.inspection.bounds import constraints
from dynclient.inspection.hints import Hint, definition, has_fields, hint_tree, tagged
from dynclient.model import Schema


class PropertyView(Record):
    """A property of an object, by its wire name. ``hint`` is its type in the direction in which it goes.

    ``keyword`` is its name as a keyword of a call, where that is another one.
    """

    wire: str
    hint: Hint
    required: bool
    read_only: bool
    write_only: bool
    deprecated: bool
    description: str
    constraints: tuple[str, ...]
    keyword: str = ""


class SchemaView(Record):
    """A named schema. ``hint`` is what it stands for; ``values`` are an enum's; ``branches`` those of a union."""

    name: str
    class_name: str
    uri: str
    kind: Literal["object", "enum", "union", "value"]
    title: str
    description: str
    deprecated: bool
    hint: Hint
    properties: tuple[PropertyView, ...]
    values: tuple[Any, ...]
    branches: tuple[Hint, ...]
    discriminator: Discriminator | None
    constraints: tuple[str, ...]
    examples: tuple[Any, ...]
    schema: Schema
    secret: bool = False


def schema_view(schema: Schema) -> SchemaView:
    """View a schema that a name leads to.

    Raises:
        DocumentError: the schema is broken.
    """
    seen = shape(schema)
    name = seen.name or seen.title or "value"
    branches = seen.one_of or seen.any_of
    described = definition(schema, "response")
    return SchemaView(
        name=name,
        class_name=class_name(name),
        uri=seen.schema.uri,
        kind=_kind(seen),
        title=seen.title or "",
        description=seen.description or "",
        deprecated=seen.deprecated,
        hint=described,
        properties=tuple(_property(wire, child, seen) for wire, child in seen.properties.items()),
        values=tuple(seen.enum or ()),
        branches=tuple(tagged(hint_tree(branch, "response"), branch, seen.discriminator) for branch in branches)
        or _heirs(described),
        discriminator=seen.discriminator,
        constraints=constraints(schema),
        examples=() if is_secret(seen) else seen.examples,
        schema=seen.schema,
        secret=is_secret(seen),
    )


def _heirs(hint: Hint) -> tuple[Hint, ...]:
    """The named schemas that inherit one, by its discriminator."""
    return tuple(member for member in hint.members if member.kind == "named" and member.tags)


def _kind(seen: Shape) -> Literal["object", "enum", "union", "value"]:
    if has_fields(seen):
        return "object"
    if seen.enum is not None:
        return "enum"
    return "union" if seen.one_of or seen.any_of else "value"


def _property(wire: str, schema: Schema, parent: Shape) -> PropertyView:
    seen = shape(schema)
    return PropertyView(
        wire=wire,
        hint=hint_tree(schema, "request" if seen.write_only else "response"),
        required=wire in parent.required,
        read_only=seen.read_only,
        write_only=seen.write_only,
        deprecated=seen.deprecated,
        description=seen.description or "",
        constraints=constraints(schema),
        keyword=keyword if (keyword := identifier(wire)) != wire else "",
    )
