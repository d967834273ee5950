"""What a schema says of a value, on one page: references followed, ``allOf`` merged.

Rule 1: a shape describes. It is for signatures, hints, XML, examples; validation goes by the bundle.
Rule 2: what is below is Schema values, never shapes: recursion is the reader's choice.
Rule 3: in a merge, the schema's own word goes before that of its ``$ref``, and that before those of its ``allOf``;
bounds take the narrowest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dynclient._records import Record
from dynclient._schemas.discriminators import Discriminator, discriminator
from dynclient._schemas.merging import merged_constraints, merged_properties, merged_types
from dynclient._schemas.places import cache, component_name, follow, place, target
from dynclient._schemas.words import ANNOTATIONS, Words, words
from dynclient.exceptions import InvalidDocument
from dynclient.media_types import find
from dynclient.model import Schema


class _Missing:
    """What stands for a value that is not there, where None may be one."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "MISSING"

    def __bool__(self) -> bool:
        return False

    def __reduce__(self) -> str:
        return "MISSING"


MISSING: Any = _Missing()


class XMLHints(Record):
    """OAS 3.2, XML Object, as it stands; None and False where it says nothing."""

    name: str | None = None
    namespace: str | None = None
    prefix: str | None = None
    attribute: bool = False
    wrapped: bool = False
    node_type: str | None = None


class Shape(Record):
    """A schema in the words of JSON Schema 2020-12.

    ``schema`` is where it stands once ``$ref`` is followed, and ``name`` its name there. ``types`` is empty where any
    will do. ``additional`` is what properties that are not named must be. ``constraints`` are the assertions with
    plain values: ``minimum``, ``maxLength``, ``pattern`` and their like.
    """

    schema: Schema
    name: str | None = None
    types: frozenset[str] = frozenset()
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


def shape(schema: Schema) -> Shape:
    """Tell what a schema says; worked out once for each URI.

    Raises:
        UnresolvableReference: a ``$ref`` leads nowhere, or in a circle.
        InvalidDocument: it is no schema, or its ``allOf`` contains itself.
    """
    known = cache(schema.references, "shapes")
    found: Shape | None = known.get(schema.uri)
    if found is None:
        found = known[schema.uri] = _shape(schema)
    return found


def is_binary(schema: Schema) -> bool:
    """Tell whether a schema's value is raw bytes, not text.

    OAS 3.1.1, Considerations for File Uploads: ``contentMediaType`` without ``contentEncoding``; in 3.0 and 2.0
    ``format: binary`` and ``type: file``.
    """
    seen = shape(schema)
    if seen.types and "string" not in seen.types:
        return False
    if seen.content_encoding:
        return False
    return seen.format == "binary" or (
        seen.content_media_type is not None and not find(seen.content_media_type).is_text
    )


def members(schema: Schema) -> list[tuple[Schema, Words]]:
    """A schema and all that holds for the same value with it, through ``$ref`` and ``allOf``, each once.

    Raises:
        InvalidDocument: it contains itself.
    """
    result: list[tuple[Schema, Words]] = []
    active: set[str] = set()
    done: set[str] = set()
    waiting: list[tuple[Schema, bool]] = [(schema, False)]
    while waiting:
        here, leaving = waiting.pop()
        if leaving:
            active.discard(here.uri)
            done.add(here.uri)
            continue
        if here.uri in active:
            raise InvalidDocument("the schema contains itself through allOf or $ref", place=place(here))
        if here.uri in done:
            continue
        found = words(here)
        result.append((here, found))
        active.add(here.uri)
        waiting.append((here, True))
        waiting += [(member, False) for member in reversed(list(_same_value(here, found)))]
    return result


def _same_value(schema: Schema, found: Words) -> Iterator[Schema]:
    if found.reference is not None:
        yield follow(target(schema, found.reference))
    for member in found.many.get("allOf", ()):
        yield follow(member)


def _shape(schema: Schema) -> Shape:
    here, notes, or_null = _stand(schema)
    parts = members(here)
    found = [part for _, part in parts]
    own: dict[str, Any] = {}
    for said in (*notes, found[0].plain):
        own = {**said, **own}
    types = merged_types(found)
    if types and (or_null or found[0].or_null):
        types |= {"null"}
    return Shape(
        schema=here,
        name=component_name(here),
        types=types,
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
        one_of=next((part.many["oneOf"] for part in found if part.many.get("oneOf")), ()),
        any_of=next((part.many["anyOf"] for part in found if part.many.get("anyOf")), ()),
        discriminator=next(filter(None, (discriminator(*part) for part in parts)), None),
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


def _stand(schema: Schema) -> tuple[Schema, list[Mapping[str, Any]], bool]:
    """Go on where a schema only refers to another one and adds notes; return where that ends, the notes, and whether
    one of them allows null.

    So ``allOf`` with a single ``$ref`` and a description is that schema with that description.
    """
    notes: list[Mapping[str, Any]] = []
    or_null = False
    seen: set[str] = set()
    here = follow(schema)
    while component_name(here) is None:
        if here.uri in seen:
            raise InvalidDocument("the schema contains itself through allOf or $ref", place=place(here))
        seen.add(here.uri)
        onward = _only_refers(here)
        if onward is None:
            break
        found = words(here)
        notes.append(found.plain)
        or_null = or_null or found.or_null
        here = follow(onward)
    return here, notes, or_null


def _only_refers(schema: Schema) -> Schema | None:
    found = words(schema)
    if found.one or found.named or not ANNOTATIONS.keys() >= found.plain.keys():
        return None
    if found.reference is not None:
        return None if found.many else target(schema, found.reference)
    only = found.many.get("allOf", ())
    if len(found.many) == 1 and len(only) == 1 and isinstance(only[0].value, Mapping) and "$ref" in only[0].value:
        return only[0]
    return None


def _first(found: list[Words], word: str) -> Any:
    return next((part.plain[word] for part in found if word in part.plain), MISSING)


def _enum(found: list[Words]) -> tuple[Any, ...] | None:
    """The values that every ``enum`` allows, as the first one orders them."""
    enums = [part.plain["enum"] for part in found if "enum" in part.plain]
    if not enums:
        return None
    return tuple(value for value in enums[0] if all(value in other for other in enums[1:]))


def _additional(found: list[Words]) -> Schema | bool:
    said = [part.one["additionalProperties"] for part in found if "additionalProperties" in part.one]
    said += [part.one["unevaluatedProperties"] for part in found if "unevaluatedProperties" in part.one]
    if any(schema.value is False for schema in said):
        return False
    return next((schema for schema in said if schema.value is not True), True)


def _xml(said: Any) -> XMLHints | None:
    if said is None:
        return None

    def text(word: str) -> str | None:
        return said[word] if isinstance(said.get(word), str) else None

    return XMLHints(
        name=text("name"),
        namespace=text("namespace"),
        prefix=text("prefix"),
        attribute=said.get("attribute") is True,
        wrapped=said.get("wrapped") is True,
        # AutoRest's word for what 3.2 has as nodeType.
        node_type=text("nodeType") or ("text" if said.get("x-ms-text") is True else None),
    )
