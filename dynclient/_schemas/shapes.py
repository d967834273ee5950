"""The keywords of a schema about a value, in one record: references followed, ``allOf`` merged.

Rule 1: a shape is a description, for signatures, hints, XML and examples; validation uses the bundle.
Rule 2: the schemas below are Schema values, never shapes: recursion is the caller's choice.
Rule 3: in a merge, the schema's own keyword takes precedence over that of its ``$ref``, and that over those of its
``allOf``; bounds take the narrowest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import reduce
from typing import Any

from dynclient._records import Record
from dynclient._schemas.discriminators import Discriminator, discriminator
from dynclient._schemas.keywords import (
    ANNOTATIONS,
    CONSTRAINTS,
    Direction,
    Keywords,
    cache,
    component_name,
    follow,
    keywords,
    location_of,
    members,
    target,
)
from dynclient.exceptions import InvalidDocument, UnsafeDocument
from dynclient.json_pointer import MISSING, escape
from dynclient.media_types import find
from dynclient.model import Schema

NARROWEST: dict[str, Callable[[Any, Any], Any]] = {
    **dict.fromkeys(("exclusiveMaximum", "maxItems", "maxLength", "maxProperties", "maximum"), min),
    **dict.fromkeys(("exclusiveMinimum", "minItems", "minLength", "minProperties", "minimum"), max),
    "uniqueItems": lambda one, other: one or other,
}
"""Picks the narrower of two bounds. For other constraints, the first is used."""


class XMLHints(Record):
    """The XML Object (OAS 3.2); None and False if a field is missing."""

    name: str | None = None
    namespace: str | None = None
    prefix: str | None = None
    attribute: bool = False
    wrapped: bool = False
    node_type: str | None = None


class Shape(Record):
    """A schema in the keywords of JSON Schema 2020-12.

    ``schema`` is the schema after its ``$ref`` was followed, and ``name`` its name. ``types`` is empty if any type is
    allowed. ``or_null`` says whether ``nullable`` is next to ``allOf``, ``anyOf`` or ``oneOf``. ``additional`` is the
    schema of properties without a name. ``constraints`` are the assertions with plain values, such as ``minimum``,
    ``maxLength`` and ``pattern``.
    """

    schema: Schema
    name: str | None = None
    types: frozenset[str] = frozenset()
    or_null: bool = False
    enum: tuple[Any, ...] | None = None
    const: Any = MISSING
    format: str | None = None
    default: Any = MISSING
    examples: tuple[Any, ...] = ()
    properties: Mapping[str, Schema] = {}
    required: frozenset[str] = frozenset()
    additional: Schema | bool = True
    pattern_properties: Mapping[str, Schema] = {}
    items: Schema | None = None
    prefix_items: tuple[Schema, ...] = ()
    one_of: tuple[Schema, ...] = ()
    any_of: tuple[Schema, ...] = ()
    discriminator: Discriminator | None = None
    xml: XMLHints | None = None
    read_only: bool = False
    write_only: bool = False
    deprecated: bool = False
    title: str | None = None
    description: str | None = None
    content_encoding: str | None = None
    content_media_type: str | None = None
    constraints: Mapping[str, Any] = {}

    @property
    def fixed(self) -> tuple[Any, ...] | None:
        """The only values, by ``const`` or ``enum``; None if the schema has neither."""
        return self.enum if self.const is MISSING else (self.const,)

    def is_hidden(self, direction: Direction) -> bool:
        """Return whether a property of this schema is not part of a request, or of a response."""
        return self.read_only if direction == "request" else self.write_only


def shape(schema: Schema) -> Shape:
    """Describe a schema; computed once for each URI.

    Raises:
        UnresolvableReference: the target of a ``$ref`` does not exist, or it is circular.
        InvalidDocument: it is not a schema, or its ``allOf`` contains itself.
    """
    known = cache(schema.references, "shapes")
    found: Shape | None = known.get(schema.uri)
    if found is None:
        found = known[schema.uri] = _shape(schema)
    return found


def is_binary(schema: Schema) -> bool:
    """Return whether values of a schema are raw bytes, not text.

    OAS 3.1.1, Considerations for File Uploads: ``contentMediaType`` without ``contentEncoding``; in 3.0 and 2.0
    ``format: binary`` and ``type: file``.
    """
    seen = shape(schema)
    if seen.content_encoding or (seen.types and "string" not in seen.types):
        return False
    return seen.format == "binary" or (
        seen.content_media_type is not None and not find(seen.content_media_type).is_text
    )


def is_structured(schema: Schema) -> bool:
    """Return whether a schema describes arrays or objects, and no text: it can't check bytes that nobody parses.

    OAS 3.1.1, Schema Object: it describes the data, not their representation.
    """
    found = branches(schema)
    if any("string" in each.types for each in found):
        return False
    return any(each.types & {"array", "object"} or each.properties or each.items for each in found)


def branches(schema: Schema) -> list[Shape]:
    """Return the shape of a schema, and those of its ``oneOf`` and ``anyOf``, at any depth, each once."""
    found: dict[str, Shape] = {}
    waiting = [schema]
    while waiting:
        here = shape(waiting.pop(0))
        if here.schema.uri not in found:
            found[here.schema.uri] = here
            waiting += [*here.one_of, *here.any_of]
    return list(found.values())


def applied(schema: Schema, keyword: str) -> list[Schema]:
    """Return the schemas that a keyword with one schema has in a schema and in all that it refers to by ``allOf``."""
    return [part.one[keyword] for _, part in members(follow(schema)) if keyword in part.one]


def bases(schema: Schema) -> dict[str, Discriminator | None]:
    """Return the URIs of a schema and of all that it refers to by ``allOf``, each with its discriminator."""
    return {base.uri: discriminator(base, found) for base, found in members(schema)}


def _shape(schema: Schema) -> Shape:
    here, notes, or_null = _described(schema)
    if here.uri != schema.uri and not notes and not or_null:
        return shape(here)
    parts = members(here)
    found = [part for _, part in parts]
    own: dict[str, Any] = {}
    for said in (*notes, found[0].plain):
        own = {**said, **own}
    types = merged_types(found)
    or_null = or_null or found[0].or_null
    if types and or_null:
        types |= {"null"}
    return Shape(
        schema=here,
        name=component_name(here),
        types=types,
        or_null=or_null,
        enum=() if any(part.never for part in found) else _enum(found),
        const=_first(found, "const"),
        format=_first(found, "format") or None,
        default=own["default"] if "default" in own else _first(found, "default"),
        examples=tuple(own.get("examples", ())),
        properties=merged_properties(here, found),
        required=frozenset(name for part in found for name in part.plain.get("required", ())),
        additional=_additional(found),
        pattern_properties={k: v for part in found for k, v in part.named.get("patternProperties", {}).items()},
        items=next((part.one["items"] for part in found if "items" in part.one), None),
        prefix_items=max((part.many.get("prefixItems", ()) for part in found), key=len),
        one_of=_branches(here, parts, "oneOf"),
        any_of=_branches(here, parts, "anyOf"),
        discriminator=_discriminator(here, parts),
        xml=_xml(own.get("xml")),
        read_only=any(part.get("readOnly") is True for part in (own, *(part.plain for part in found))),
        write_only=any(part.get("writeOnly") is True for part in (own, *(part.plain for part in found))),
        deprecated=own.get("deprecated") is True,
        title=own.get("title"),
        description=own.get("description"),
        content_encoding=_first(found, "contentEncoding") or None,
        content_media_type=_first(found, "contentMediaType") or None,
        constraints=merged_constraints(found),
    )


def _described(schema: Schema) -> tuple[Schema, list[Mapping[str, Any]], bool]:
    """Follow schemas that only refer to another one and add annotations.

    For example, ``allOf`` with a single ``$ref`` and a description is the target with that description. Returns the
    last schema, the annotations, and whether one of them allows null.
    """
    notes: list[Mapping[str, Any]] = []
    or_null = False
    seen: set[str] = set()
    here = follow(schema)
    while component_name(here) is None:
        if here.uri in seen:
            raise InvalidDocument("the schema contains itself through allOf or $ref", location=location_of(here))
        seen.add(here.uri)
        onward = _only_refers(here)
        if onward is None:
            break
        found = keywords(here)
        notes.append(found.plain)
        or_null = or_null or found.or_null
        here = follow(onward)
    return here, notes, or_null


def _only_refers(schema: Schema) -> Schema | None:
    found = keywords(schema)
    if found.one or found.named or not ANNOTATIONS.keys() >= found.plain.keys():
        return None
    if found.reference is not None:
        return None if found.many else target(schema, found.reference)
    only = found.many.get("allOf", ())
    if len(found.many) == 1 and len(only) == 1 and isinstance(only[0].value, Mapping) and "$ref" in only[0].value:
        return only[0]
    return None


def _first(found: list[Keywords], keyword: str) -> Any:
    return next((part.plain[keyword] for part in found if keyword in part.plain), MISSING)


def _enum(found: list[Keywords]) -> tuple[Any, ...] | None:
    """Return the values that every ``enum`` allows, in the order of the first one."""
    enums = [part.plain["enum"] for part in found if "enum" in part.plain]
    if not enums:
        return None
    return tuple(value for value in enums[0] if all(value in other for other in enums[1:]))


def _branches(schema: Schema, parts: list[tuple[Schema, Keywords]], keyword: str) -> tuple[Schema, ...]:
    """Return the schema's own union, also if a member of its ``allOf`` has it, or else that of its nearest base."""
    found = [(part.uri, each.many[keyword]) for part, each in parts if each.many.get(keyword)]
    own = (branches for uri, branches in found if uri == schema.uri or uri.startswith(f"{schema.uri}/allOf/"))
    return next(own, found[0][1] if found else ())


def _discriminator(schema: Schema, parts: list[tuple[Schema, Keywords]]) -> Discriminator | None:
    """Return the schema's own discriminator, or else that of its nearest base."""
    found = [each for part in parts if (each := discriminator(*part)) is not None]
    return next((each for each in found if each.owner == schema.uri), found[0] if found else None)


def _additional(found: list[Keywords]) -> Schema | bool:
    names = ("additionalProperties", "unevaluatedProperties")
    said = [part.one[name] for name in names for part in found if name in part.one]
    if any(schema.value is False for schema in said):
        return False
    return next((schema for schema in said if schema.value is not True), True)


def _xml(said: Any) -> XMLHints | None:
    if said is None:
        return None

    def text(keyword: str) -> str | None:
        return said[keyword] if isinstance(said.get(keyword), str) else None

    return XMLHints(
        name=text("name"),
        namespace=text("namespace"),
        prefix=text("prefix"),
        attribute=said.get("attribute") is True,
        wrapped=said.get("wrapped") is True,
        # AutoRest's extension for nodeType of 3.2.
        node_type=text("nodeType") or ("text" if said.get("x-ms-text") is True else None),
    )


def merged_types(found: list[Keywords]) -> frozenset[str]:
    """Return the types that all allow; empty if any type is allowed."""
    types: frozenset[str] = frozenset()
    for part in found:
        said = part.plain.get("type", ())
        new = frozenset((said,) if isinstance(said, str) else said)
        if types and new:
            types = (types & new | ({"integer"} if {"integer", "number"} <= types | new else set())) or types
        else:
            types = types or new
    return types


def merged_constraints(found: list[Keywords]) -> dict[str, Any]:
    """Return the narrowest of all bounds."""
    return {
        keyword: reduce(
            NARROWEST.get(keyword, lambda one, _: one), (part.plain[keyword] for part in found if keyword in part.plain)
        )
        for keyword in sorted(CONSTRAINTS.keys() & {keyword for part in found for keyword in part.plain})
    }


_JOINED = "/allOf/properties/"


def merged_properties(owner: Schema, found: list[Keywords]) -> dict[str, Schema]:
    """Return all properties, those of the merged schemas first, in the order of their documents.

    A property that several schemas describe becomes a new schema that refers to each.
    """
    said: dict[str, list[Schema]] = {}
    for part in (*found[1:], found[0]):
        for name, schema in part.named.get("properties", {}).items():
            said.setdefault(name, []).append(schema)
    return {name: joined(owner, name, schemas) for name, schemas in said.items()}


def joined(owner: Schema, name: str, schemas: list[Schema]) -> Schema:
    """Return one schema for a property: the only one that is not empty, or one that refers to all of them."""
    telling: list[Schema] = []
    for schema in schemas:
        if schema.value not in ({}, True) and all(schema.value != other.value for other in telling):
            telling.append(schema)
    if len(telling) <= 1:
        return (telling or schemas)[0]
    # No other schema has this URI: there is no value at it, since `allOf` is an array.
    uri = f"{owner.uri}{_JOINED}{escape(name)}"
    # The last is the schema's own, which takes precedence.
    uris = tuple(schema.uri for schema in reversed(telling))
    value: Mapping[str, Any] = {"allOf": [{"$ref": each} for each in uris]}
    # Within a recursive schema, the same schemas are joined again at each level.
    known = cache(owner.references, "joined")
    joint: Schema = known.setdefault(
        (owner.uri.partition(_JOINED)[0], *uris), Schema(uri, value, owner.dialect, owner.references)
    )
    return joint


@contextmanager
def bounded_depth(what: str) -> Iterator[None]:
    """Refuse parts that are nested deeper than Python's stack allows; also a decorator.

    Raises:
        UnsafeDocument: it is nested too deeply.
    """
    try:
        yield
    except RecursionError:
        raise UnsafeDocument(f"{what} of the document is nested too deeply") from None


_MOST_STEPS = 16


def sole(schema: Schema) -> Shape:
    """A schema's shape, or that of its only branch other than null: ``anyOf: [X, null]`` is X that may be null."""
    seen = shape(schema)
    for _ in range(_MOST_STEPS):
        branches = [shape(each) for each in (seen.one_of or seen.any_of)]
        others = [each for each in branches if each.types != {"null"}]
        if seen.types or seen.properties or len(others) != 1:
            break
        only = others[0]
        null = {"null"} if len(others) < len(branches) and only.types else set()
        seen = only._replace(types=only.types | null, xml=seen.xml or only.xml)
    return seen


def is_array(shape: Shape) -> bool:
    """Whether a shape's values are arrays, null aside."""
    types = shape.types - {"null"}
    if types:
        return types == {"array"}
    return bool(shape.items or shape.prefix_items) and not shape.properties


def is_object(shape: Shape) -> bool:
    """Whether a shape's values may be objects."""
    return "object" in shape.types or (not shape.types and bool(shape.properties or shape.required))


def is_any(shape: Shape) -> bool:
    """Whether a shape does not restrict the type of its values."""
    return not (shape.types or shape.properties or shape.required or shape.items or shape.prefix_items)


def item_schema(shape: Shape, index: int) -> Schema | None:
    """The schema of an array's item; None if the shape does not describe it."""
    return shape.prefix_items[index] if index < len(shape.prefix_items) else shape.items


def property_schema(shape: Shape, name: str) -> Schema | None:
    """The schema of a property, by its name or a pattern; None if the shape does not describe it."""
    if name in shape.properties:
        return shape.properties[name]
    if shape.pattern_properties:
        from dynclient import _regex

        for pattern, schema in shape.pattern_properties.items():
            if _regex.compile(pattern).search(name):
                return schema
    return shape.additional if isinstance(shape.additional, Schema) else None


def shared_values(around: Shape, branch: Shape) -> tuple[Any, ...] | None:
    """The values that both a schema and its branch allow; None if one of them has neither enum nor const."""
    named, allowed = around.fixed, branch.fixed
    return None if named is None or allowed is None else tuple(value for value in named if value in allowed)


def with_branch(seen: Shape, branch: Shape) -> Shape:
    """Merge a branch of a union with the schema around it, since both apply."""
    left: dict[str, Any] = {"one_of": (), "any_of": seen.any_of} if seen.one_of else {"any_of": ()}
    around = seen._replace(**left)
    return around._replace(
        schema=branch.schema if branch.name is not None or branch.types else around.schema,
        types=(around.types & branch.types) or branch.types or around.types,
        enum=shared_values(around, branch) or (around.enum if branch.enum is None else branch.enum),
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
        xml=around.xml or branch.xml,
        constraints={**around.constraints, **branch.constraints},
        content_encoding=branch.content_encoding or around.content_encoding,
        content_media_type=branch.content_media_type or around.content_media_type,
    )
