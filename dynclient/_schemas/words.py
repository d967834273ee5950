"""One Schema Object, of any dialect, in the words of JSON Schema 2020-12.

Rule 1: one node is translated; what stands below it comes as Schema values, for whoever wants to go on.
Rule 2: an unknown word is left out, so nothing foreign comes into a bundle.
Rule 3: a word whose value makes no sense is left out and named (:attr:`Words.malformed`): who only describes the
schema goes on without it, who validates by it must not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dynclient._records import Record
from dynclient._schemas.places import child, place
from dynclient.exceptions import InvalidDocument
from dynclient.model import Schema

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


class Words(Record):
    """A translated node. ``plain`` holds words with plain values; ``one``, ``many`` and ``named`` those with schemas.

    ``reference`` is the ``$ref`` beside them; ``never`` tells that the schema is ``false``; ``or_null`` that null is
    allowed whatever its members say.
    """

    plain: dict[str, Any]
    one: Mapping[str, Schema]
    many: Mapping[str, tuple[Schema, ...]]
    named: Mapping[str, Mapping[str, Schema]]
    reference: str | None = None
    malformed: tuple[str, ...] = ()
    never: bool = False
    or_null: bool = False


def words(schema: Schema) -> Words:
    """Translate one node.

    Raises:
        InvalidDocument: it is no schema at all.
    """
    node = schema.value
    if isinstance(node, bool):
        return Words({}, {}, {}, {}, never=not node)
    if not isinstance(node, Mapping):
        raise InvalidDocument(f"a schema is an object, not {_kind(node)}", place=place(schema))
    found = node.get("$ref")
    if isinstance(found, str) and not schema.dialect.ref_siblings:
        return Words({}, {}, {}, {}, reference=found)
    result = Words({}, {}, {}, {}, reference=found if isinstance(found, str) else None)
    malformed: list[str] = ["$ref"] if found is not None and not isinstance(found, str) else []
    node = _in_new_words(node, schema)
    one: dict[str, Schema] = {}
    many: dict[str, tuple[Schema, ...]] = {}
    named: dict[str, Mapping[str, Schema]] = {}
    for word, value in node.items():
        if word in _PLAIN:
            if _PLAIN[word](value):
                result.plain[word] = value
            elif not (word == "required" and isinstance(value, bool)):
                # `required: true` beside a property's other words is draft 3's; its object says what is required.
                malformed.append(word)
        elif not isinstance(word, str) or not _take(schema, word, value, one, many, named):
            malformed.append(str(word))
    _old_arrays(schema, one, many)
    _old_dependencies(schema, result.plain, named)
    # OAS 3.0.3 has `nullable` add null to `type` alone, which says nothing where members of `allOf` know no null; but
    # nobody writes it there without meaning that null is allowed.
    or_null = bool(many) and schema.dialect.nullable is not None and node.get(schema.dialect.nullable) is True
    return result._replace(one=one, many=many, named=named, malformed=tuple(malformed), or_null=or_null)


def _take(
    schema: Schema,
    word: str,
    value: Any,
    one: dict[str, Schema],
    many: dict[str, tuple[Schema, ...]],
    named: dict[str, Mapping[str, Schema]],
) -> bool:
    """Take a word whose value is schemas; False where that makes no sense."""
    if word in ONE:
        if not isinstance(value, (Mapping, bool)):
            return word == "items" and isinstance(value, list)
        one[word] = child(schema, word)
    elif word in MANY:
        if not isinstance(value, list) or not all(isinstance(item, (Mapping, bool)) for item in value):
            return False
        many[word] = tuple(child(schema, word, index) for index in range(len(value)))
    elif word in NAMED:
        if not isinstance(value, Mapping) or not all(isinstance(item, (Mapping, bool)) for item in value.values()):
            return False
        named[word] = {name: child(schema, word, name) for name in value}
    return True


def _in_new_words(node: Mapping[str, Any], schema: Schema) -> Mapping[str, Any]:
    """Replace old words with plain values by today's."""
    new = dict(node)
    for word, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(node.get(word), bool):
            # JSON Schema draft 4, 5.1.2.1: a boolean that tells how `minimum` is meant.
            del new[word]
            if node[word] and bound in new:
                new[word] = new.pop(bound)
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


def _old_arrays(schema: Schema, one: dict[str, Schema], many: dict[str, tuple[Schema, ...]]) -> None:
    """JSON Schema 2020-12, Appendix E: ``items`` with an array is ``prefixItems``, ``additionalItems`` is ``items``."""
    items = schema.value.get("items")
    if not isinstance(items, list) or not all(isinstance(item, (Mapping, bool)) for item in items):
        return
    many["prefixItems"] = tuple(child(schema, "items", index) for index in range(len(items)))
    if isinstance(schema.value.get("additionalItems"), (Mapping, bool)):
        one["items"] = child(schema, "additionalItems")


def _old_dependencies(schema: Schema, plain: dict[str, Any], named: dict[str, Mapping[str, Schema]]) -> None:
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


def _kind(value: Any) -> str:
    names = {type(None): "null", str: "text", list: "an array", int: "a number", float: "a number"}
    return names.get(type(value), type(value).__name__)
