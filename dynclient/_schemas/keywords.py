"""One Schema Object, of any dialect, in the keywords of JSON Schema 2020-12.

Rule 1: one node is translated; the schemas below it are returned as Schema values.
Rule 2: an unknown keyword is left out, so nothing foreign comes into a bundle.
Rule 3: a keyword whose value is malformed is left out and named (:attr:`Keywords.malformed`): to describe the schema
goes on without it, to validate by it is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from dynclient._records import Record
from dynclient._schemas.resolution import child, location_of
from dynclient.exceptions import InvalidDocument
from dynclient.model import Schema

Direction = Literal["request", "response"]
HIDDEN: dict[str, str] = {"request": "readOnly", "response": "writeOnly"}
"""The keyword that takes a property out of a direction."""

TYPES = frozenset({"array", "boolean", "integer", "null", "number", "object", "string"})

ONE = frozenset(
    {
        "additionalProperties", "contains", "contentSchema", "else", "if", "items", "not", "propertyNames", "then",
        "unevaluatedItems", "unevaluatedProperties",
    }
)  # fmt: skip
MANY = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
NAMED = frozenset({"dependentSchemas", "patternProperties", "properties"})


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _count(value: Any) -> bool:
    return _number(value) and value >= 0 and value == int(value)


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _flag(value: Any) -> bool:
    return isinstance(value, bool)


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _types(value: Any) -> bool:
    return TYPES.issuperset(value) if _texts(value) else isinstance(value, str) and value in TYPES


CONSTRAINTS: dict[str, Callable[[Any], bool]] = {
    "exclusiveMaximum": _number,
    "exclusiveMinimum": _number,
    "maxContains": _count,
    "maxItems": _count,
    "maxLength": _count,
    "maxProperties": _count,
    "maximum": _number,
    "minContains": _count,
    "minItems": _count,
    "minLength": _count,
    "minProperties": _count,
    "minimum": _number,
    "multipleOf": lambda value: _number(value) and value > 0,
    "pattern": _text,
    "uniqueItems": _flag,
}
"""Assertions on a value with a plain argument, and what an argument must be."""

ASSERTIONS: dict[str, Callable[[Any], bool]] = {
    **CONSTRAINTS,
    "$dynamicRef": _text,
    "const": lambda _: True,
    "dependentRequired": lambda value: isinstance(value, Mapping) and all(map(_texts, value.values())),
    "enum": lambda value: isinstance(value, list),
    "format": _text,
    "required": _texts,
    "type": _types,
}
ANNOTATIONS: dict[str, Callable[[Any], bool]] = {
    "$dynamicAnchor": _text,
    "contentEncoding": _text,
    "contentMediaType": _text,
    "default": lambda _: True,
    "deprecated": _flag,
    "description": _text,
    "discriminator": lambda value: isinstance(value, (Mapping, str)),
    "examples": lambda value: isinstance(value, list),
    "readOnly": _flag,
    "title": _text,
    "writeOnly": _flag,
    "xml": lambda value: isinstance(value, Mapping),
}
_PLAIN = {**ASSERTIONS, **ANNOTATIONS}


class Keywords(Record):
    """A translated node. ``plain`` has keywords with plain values; ``one``, ``many`` and ``named`` those with schemas.

    ``reference`` is the ``$ref`` beside them; ``malformed`` are keywords with wrong values. ``never`` is true for the
    schema ``false``; ``or_null`` if null is allowed beside all that the other keywords allow.
    """

    plain: dict[str, Any]
    one: Mapping[str, Schema]
    many: Mapping[str, tuple[Schema, ...]]
    named: Mapping[str, Mapping[str, Schema]]
    reference: str | None = None
    malformed: tuple[str, ...] = ()
    never: bool = False
    or_null: bool = False


def keywords(schema: Schema) -> Keywords:
    """Translate one node.

    Raises:
        InvalidDocument: it is not a schema.
    """
    node = schema.value
    if isinstance(node, bool):
        return Keywords({}, {}, {}, {}, never=not node)
    if not isinstance(node, Mapping):
        raise InvalidDocument("a schema must be an object or a boolean", place=location_of(schema))
    found = node.get("$ref")
    if isinstance(found, str) and not schema.dialect.ref_siblings:
        return Keywords({}, {}, {}, {}, reference=found)
    result = Keywords({}, {}, {}, {}, reference=found if isinstance(found, str) else None)
    malformed: list[str] = ["$ref"] if found is not None and not isinstance(found, str) else []
    node = _translated(node, schema)
    one: dict[str, Schema] = {}
    many: dict[str, tuple[Schema, ...]] = {}
    named: dict[str, Mapping[str, Schema]] = {}
    for keyword, value in node.items():
        if keyword in _PLAIN:
            if _PLAIN[keyword](value):
                result.plain[keyword] = value
            elif not (keyword == "required" and isinstance(value, bool)):
                # `required: true` beside a property's other words is draft 3's; the object's own `required` counts.
                malformed.append(keyword)
        elif not isinstance(keyword, str) or not _take(schema, keyword, value, one, many, named):
            malformed.append(str(keyword))
    _translate_arrays(schema, one, many)
    _translate_dependencies(schema, result.plain, named)
    # OAS 3.0.3 has `nullable` add null to `type` alone, which has no effect if members of `allOf` exclude null; but
    # everybody who writes it there means that null is allowed.
    or_null = bool(many) and schema.dialect.nullable is not None and node.get(schema.dialect.nullable) is True
    return result._replace(one=one, many=many, named=named, malformed=tuple(malformed), or_null=or_null)


def _take(
    schema: Schema,
    keyword: str,
    value: Any,
    one: dict[str, Schema],
    many: dict[str, tuple[Schema, ...]],
    named: dict[str, Mapping[str, Schema]],
) -> bool:
    """Take a keyword whose value is schemas; returns False if it is malformed."""
    if keyword in ONE:
        if not isinstance(value, (Mapping, bool)):
            return keyword == "items" and isinstance(value, list)
        one[keyword] = child(schema, keyword)
    elif keyword in MANY:
        if not isinstance(value, list) or not all(isinstance(item, (Mapping, bool)) for item in value):
            return False
        many[keyword] = tuple(child(schema, keyword, index) for index in range(len(value)))
    elif keyword in NAMED:
        if not isinstance(value, Mapping) or not all(isinstance(item, (Mapping, bool)) for item in value.values()):
            return False
        named[keyword] = {name: child(schema, keyword, name) for name in value}
    return True


def _translated(node: Mapping[str, Any], schema: Schema) -> Mapping[str, Any]:
    """Translate keywords with plain values to 2020-12."""
    new = dict(node)
    for keyword, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(node.get(keyword), bool):
            # JSON Schema draft 4, 5.1.2.1: a boolean that tells how `minimum` is meant.
            del new[keyword]
            if node[keyword] and bound in new:
                new[keyword] = new.pop(bound)
    if "example" in node and "examples" not in node:
        # OAS 3.1.1, Schema Object: `example` is deprecated in favour of `examples`.
        new["examples"] = [node["example"]]
    elif isinstance(node.get("examples"), Mapping):
        new["examples"] = list(node["examples"].values())
    if schema.dialect.type_file and node.get("type") == "file":
        new.update(type="string", format="binary")
    if schema.dialect.nullable and new.get("type") == "string" and new.get("format") == "binary":
        # OAS 3.1.1, Migrating Binary Descriptions from OAS 3.0: `type` falls away, for bytes are no JSON string.
        del new["type"]
    if schema.dialect.nullable and node.get(schema.dialect.nullable) is True:
        _allow_null(new, in_enum=schema.dialect.nullable_enum)
    return new


def _allow_null(node: dict[str, Any], *, in_enum: bool) -> None:
    # OAS 3.0.3, Schema Object: true adds "null" to the allowed type, only if `type` is in the same Schema Object; an
    # `enum` without null still allows none.
    if "type" in node and _types(node["type"]):
        types = [node["type"]] if isinstance(node["type"], str) else node["type"]
        node["type"] = [*types, *([] if "null" in types else ["null"])]
    if in_enum and isinstance(node.get("enum"), list) and None not in node["enum"]:
        node["enum"] = [*node["enum"], None]


def _translate_arrays(schema: Schema, one: dict[str, Schema], many: dict[str, tuple[Schema, ...]]) -> None:
    """JSON Schema 2020-12, Appendix E: ``items`` with an array is ``prefixItems``, ``additionalItems`` is ``items``."""
    items = schema.value.get("items")
    if not isinstance(items, list) or not all(isinstance(item, (Mapping, bool)) for item in items):
        return
    many["prefixItems"] = tuple(child(schema, "items", index) for index in range(len(items)))
    if isinstance(schema.value.get("additionalItems"), (Mapping, bool)):
        one["items"] = child(schema, "additionalItems")


def _translate_dependencies(schema: Schema, plain: dict[str, Any], named: dict[str, Mapping[str, Schema]]) -> None:
    """JSON Schema 2019-09, Appendix: ``dependencies`` became ``dependentSchemas`` and ``dependentRequired``."""
    old = schema.value.get("dependencies")
    if not isinstance(old, Mapping):
        return
    schemas = {name: child(schema, "dependencies", name) for name in old if isinstance(old[name], (Mapping, bool))}
    if schemas:
        named["dependentSchemas"] = {**named.get("dependentSchemas", {}), **schemas}
    required = {name: value for name, value in old.items() if _texts(value)}
    required |= {name: [value] for name, value in old.items() if isinstance(value, str)}
    if required:
        plain["dependentRequired"] = {**plain.get("dependentRequired", {}), **required}
