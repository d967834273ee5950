"""One Schema Object, of any dialect, in the keywords of JSON Schema 2020-12; and the targets of its references.

Rule 1: one node is translated; the schemas below it are returned as Schema values.
Rule 2: an unknown keyword is left out, so that a bundle has only known ones.
Rule 3: null as the value of a keyword other than ``const``, ``default`` and ``type`` counts as nothing, since YAML
writes null for a key without a value.
Rule 4: a keyword whose value is malformed is left out and listed (:attr:`Keywords.malformed`): descriptions ignore it,
validation reports it.
Rule 5: a schema's identity is its absolute URI, ``<document>#<JSON pointer>``. Only :func:`target` follows a reference;
it uses only the document's References.
Rule 6: values that are computed once for a document are stored on the document (:func:`cache`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

from dynclient._records import Record
from dynclient.dialects import DIALECTS, Dialect, with_draft
from dynclient.exceptions import DocumentError, DocumentLocation, InvalidDocument, UnresolvableReference
from dynclient.json_pointer import escape, unescape
from dynclient.model import References, Schema

_DATA = frozenset({"const", "default", "enum", "example", "examples"})


def child(schema: Schema, *keys: str | int) -> Schema:
    """Return the schema below another one, by its keys."""
    uri, value = schema.uri if "#" in schema.uri else f"{schema.uri}#", schema.value
    for key in keys:
        uri = f"{uri}/{escape(str(key))}"
        value = value[key]
    # A key without a value is null in YAML: a schema without constraints.
    value = {} if value is None else value
    return Schema(uri, value, _own_dialect(schema.dialect, value), schema.references)


def reference(schema: Schema) -> str | None:
    """Return the ``$ref`` of a schema, or None."""
    found = schema.value.get("$ref") if isinstance(schema.value, Mapping) else None
    return found if isinstance(found, str) else None


def target(schema: Schema, to: str) -> Schema:
    """Return the target of a reference that is in a schema.

    Raises:
        UnresolvableReference: the target does not exist, or the reference is circular.
        UnsafeDocument: it leads to a file or URL that is not allowed.
        InvalidDocument: the target is not a schema.
    """
    uri, value = schema.references.resolve(to, schema.uri)
    if not isinstance(value, (Mapping, bool)):
        raise InvalidDocument(f"{to!r} leads to a value that is not a schema", location=location_of(schema))
    return Schema(uri, value, _dialect_at(schema, uri, value), schema.references)


def follow(schema: Schema) -> Schema:
    """Follow the chain of ``$ref`` from a schema, up to the first with its own keywords.

    Raises:
        UnresolvableReference: a target does not exist, or the chain is circular.
    """
    dialect = _own_dialect(schema.dialect, schema.value)
    if dialect is not schema.dialect:
        schema = schema._replace(dialect=dialect)
    seen: set[str] = set()
    # OAS 3.0.4, Reference Object: any properties added SHALL be ignored.
    while (to := reference(schema)) is not None and (not schema.dialect.ref_siblings or len(schema.value) == 1):
        if schema.uri in seen:
            raise UnresolvableReference(f"{to!r} is circular", location=location_of(schema))
        seen.add(schema.uri)
        schema = target(schema, to)
    return schema


def component_name(schema: Schema) -> str | None:
    """Return the name of a schema among the document's named schemas; None if it is not one of these."""
    head, _, name = schema.uri.partition("#")[2].rpartition("/")
    return unescape(name) if head == schema.dialect.schemas and name else None


def location_of(schema: Schema) -> DocumentLocation | None:
    """Return the location of a schema in its document, for errors."""
    return location_at(schema.references, schema.uri)


def location_at(references: References, uri: str) -> DocumentLocation | None:
    """Return the location of a URI, for errors; None if its document can't be read."""
    try:
        return DocumentLocation(*references.location(uri))
    except DocumentError:
        return None


def cache(references: References, name: str) -> dict[Any, Any]:
    """Return a store for values that are computed once for a document; it is stored on the document."""
    stores: dict[str, dict[Any, Any]] | None = vars(references).get("_worked_out")
    if stores is None or name not in stores:
        return vars(references).setdefault("_worked_out", {}).setdefault(name, {})  # type: ignore[no-any-return]  # a store
    return stores[name]


def named_schemas(schema: Schema) -> Mapping[str, Any]:
    """Return the named schemas of the document that a schema is in."""
    found = _value_at(schema, f"{schema.uri.partition('#')[0]}#{schema.dialect.schemas}")
    return found if isinstance(found, Mapping) else {}


def _value_at(schema: Schema, uri: str) -> Any:
    """Return the value at a URI in a schema's documents; None if there is none."""
    try:
        return schema.references.resolve(uri, schema.uri)[1]
    except DocumentError:
        return None


def _own_dialect(dialect: Dialect, value: Any) -> Dialect:
    if dialect.identifiers and isinstance(value, Mapping) and "$schema" in value:
        return with_draft(dialect, value["$schema"])
    return dialect


def _dialect_at(schema: Schema, uri: str, value: Any) -> Dialect:
    """Return the dialect of a reference's target: another document may be of another version."""
    document = uri.partition("#")[0]
    dialect = schema.dialect
    if document != schema.uri.partition("#")[0]:
        known = cache(schema.references, "dialects")
        if document not in known:
            known[document] = _document_dialect(schema, document)
        dialect = known[document]
    return _own_dialect(dialect, value)


def _document_dialect(schema: Schema, document: str) -> Dialect:
    """Return the dialect that a document declares, or else that of the schema that refers to it."""
    root = _value_at(schema, f"{document}#")
    if not isinstance(root, Mapping):
        return schema.dialect
    version = str(root.get("openapi") or root.get("swagger") or "")[:3]
    dialect = DIALECTS.get(version, schema.dialect)
    return with_draft(dialect, root.get("jsonSchemaDialect", root.get("$schema")))


def resource_of(schema: Schema) -> Schema:
    """Return the resource that a schema is in: the nearest schema with ``$id``, or the document.

    JSON Schema 2020-12, 4.3.5: a schema with ``$id`` is a resource, and so is a whole document.
    """
    document, _, pointer = schema.uri.partition("#")
    node = _value_at(schema, f"{document}#")
    if node is None:
        return schema
    home = Schema(f"{document}#", node, schema.dialect, schema.references)
    at = f"{document}#"
    for key in pointer.split("/")[1:]:
        node = node[int(key)] if isinstance(node, list) else node.get(unescape(key), {})
        at = f"{at}/{key}"
        if schema.dialect.identifiers and isinstance(node, Mapping) and isinstance(node.get("$id"), str):
            home = Schema(at, node, schema.dialect, schema.references)
    return home


def anchored(home: Schema) -> Iterator[Schema]:
    """Yield the schemas of a resource that have a ``$dynamicAnchor``."""
    waiting: list[tuple[str, Any]] = [(home.uri, home.value)]
    while waiting:
        uri, node = waiting.pop()
        if isinstance(node, Mapping):
            if isinstance(node.get("$id"), str) and uri != home.uri:
                continue
            if isinstance(node.get("$dynamicAnchor"), str):
                yield Schema(uri, node, home.dialect, home.references)
            waiting += [(f"{uri}/{escape(str(key))}", below) for key, below in node.items() if key not in _DATA]
        elif isinstance(node, list):
            waiting += [(f"{uri}/{index}", below) for index, below in enumerate(node)]


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
    **dict.fromkeys(("exclusiveMaximum", "exclusiveMinimum", "maximum", "minimum"), _number),
    **dict.fromkeys(("maxContains", "maxItems", "maxLength", "maxProperties"), _count),
    **dict.fromkeys(("minContains", "minItems", "minLength", "minProperties"), _count),
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
    **dict.fromkeys(("$dynamicAnchor", "contentEncoding", "contentMediaType", "description", "title"), _text),
    **dict.fromkeys(("deprecated", "readOnly", "writeOnly"), _flag),
    "default": lambda _: True,
    "discriminator": lambda value: isinstance(value, (Mapping, str)),
    "examples": lambda value: isinstance(value, list),
    "xml": lambda value: isinstance(value, Mapping),
}
_PLAIN = {**ASSERTIONS, **ANNOTATIONS}
_WANTED: dict[Callable[[Any], bool], str] = {
    _number: "a number",
    _count: "a whole number from 0",
    _text: "a string",
    _flag: "true or false",
    _texts: "an array of strings",
    _types: f"one of {', '.join(sorted(TYPES))}, or an array of them",
}
_LONGEST_SHOWN = 60
_NULL_COUNTS = frozenset({"const", "default"})


class Keywords(Record):
    """A translated node. ``plain`` has keywords with plain values; ``one``, ``many`` and ``named`` those with schemas.

    ``reference`` is the ``$ref`` next to them; ``malformed`` are keywords with wrong values. ``never`` is true for the
    schema ``false``; ``or_null`` if null is allowed in addition to the other keywords' values.
    """

    plain: dict[str, Any]
    one: dict[str, Schema]
    many: dict[str, tuple[Schema, ...]]
    named: dict[str, dict[str, Schema]]
    reference: str | None = None
    malformed: tuple[str, ...] = ()
    never: bool = False
    or_null: bool = False


def keywords(schema: Schema) -> Keywords:
    """Translate one node; done once for each URI.

    Raises:
        InvalidDocument: it is not a schema.
    """
    known = cache(schema.references, "keywords")
    found: Keywords | None = known.get(schema.uri)
    if found is None:
        found = known[schema.uri] = _keywords(schema)
    return found


def _keywords(schema: Schema) -> Keywords:
    node = schema.value
    if isinstance(node, bool):
        return Keywords({}, {}, {}, {}, never=not node)
    if not isinstance(node, Mapping):
        raise InvalidDocument("a schema must be an object or a boolean", location=location_of(schema))
    found = node.get("$ref")
    result = Keywords({}, {}, {}, {}, reference=found if isinstance(found, str) else None)
    if result.reference is not None and not schema.dialect.ref_siblings:
        return result
    malformed: list[str] = ["$ref"] if found is not None and result.reference is None else []
    node = _translated(node, schema)
    for keyword, value in node.items():
        if not isinstance(keyword, str) or not _take(schema, keyword, value, result):
            malformed.append(str(keyword))
    _translate_arrays(schema, result)
    _translate_dependencies(schema, result)
    # OAS 3.0.3 has `nullable` add null to `type` alone, which has no effect if members of `allOf` exclude null; but all
    # authors who write it there mean that null is allowed.
    has_other = bool(result.many) or result.reference is not None
    or_null = has_other and schema.dialect.nullable is not None and node.get(schema.dialect.nullable) is True
    return result._replace(malformed=tuple(malformed), or_null=or_null)


def members(schema: Schema) -> list[tuple[Schema, Keywords]]:
    """Return a schema and all that apply to the same value, through ``$ref`` and ``allOf``, each once.

    Raises:
        InvalidDocument: it contains itself.
    """
    result: list[tuple[Schema, Keywords]] = []
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
            raise InvalidDocument("the schema contains itself through allOf or $ref", location=location_of(here))
        if here.uri in done:
            continue
        found = keywords(here)
        result.append((here, found))
        active.add(here.uri)
        waiting.append((here, True))
        waiting += [(member, False) for member in reversed(list(same_value(here, found)))]
    return result


def same_value(schema: Schema, found: Keywords) -> Iterator[Schema]:
    """Yield the schemas that apply to the same value through ``$ref`` and ``allOf``."""
    if found.reference is not None:
        yield follow(target(schema, found.reference))
    for member in found.many.get("allOf", ()):
        yield follow(member)


def malformed_text(keyword: str, value: Any) -> str:
    """The fault of a malformed value of a keyword, and how to fix it."""
    said = f"the value of {keyword!r} is malformed"
    if keyword in NAMED and isinstance(value, Mapping):
        if isinstance(value.get("$ref"), str):
            return f"{said}: its `$ref` leads to no map of schemas"
        name = next((name for name, each in value.items() if not _is_schema(each)), "")
        return f"{said}: {name!r} is not a schema, but {_shown(value.get(name))}"
    wanted = _WANTED.get(_PLAIN[keyword]) if keyword in _PLAIN else "a schema" if keyword in ONE else None
    near = sorted(TYPES & {value.lower(), value.lower()[:-1]}) if keyword == "type" and _text(value) else []
    return "".join(
        [
            f"{said}: it is {_shown(value)}",
            f", and must be {wanted}" if wanted else "",
            f"; did you mean {near[0]}?" if near else "",
        ]
    )


def _shown(value: Any) -> str:
    if isinstance(value, Mapping) or (isinstance(value, list) and not _texts(value)):
        return "an object" if isinstance(value, Mapping) else "an array"
    text = repr(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"


def _take(schema: Schema, keyword: str, value: Any, result: Keywords) -> bool:
    """Take a keyword and its value; returns False if the value is malformed."""
    if value is None and keyword not in _NULL_COUNTS:
        return True
    if keyword in _PLAIN:
        if not _PLAIN[keyword](value):
            # `required: true` among a property's other keywords is draft 3's; the object's own `required` counts.
            return keyword == "required" and isinstance(value, bool)
        result.plain[keyword] = value
    elif keyword in ONE:
        if not _is_schema(value):
            return keyword == "items" and isinstance(value, list)
        result.one[keyword] = child(schema, keyword)
    elif keyword in MANY:
        if not isinstance(value, list) or not all(map(_is_schema, value)):
            return False
        result.many[keyword] = tuple(child(schema, keyword, index) for index in range(len(value)))
    elif keyword in NAMED:
        home = _map_of_schemas(child(schema, keyword))
        if home is None:
            return False
        result.named[keyword] = {name: child(home, name) for name in home.value}
    return True


def _map_of_schemas(home: Schema) -> Schema | None:
    """Return a map of schemas, or the target of its ``$ref``; None if it is not such a map.

    No specification allows a ``$ref`` there, but documents in many files have it, and bundlers follow it.
    """
    seen: set[str] = set()
    while (to := reference(home)) is not None:
        if home.uri in seen:
            return None
        seen.add(home.uri)
        try:
            home = target(home, to)
        except (InvalidDocument, UnresolvableReference):
            return None
    return home if isinstance(home.value, Mapping) and all(map(_is_schema, home.value.values())) else None


def _is_schema(value: Any) -> bool:
    return value is None or isinstance(value, (Mapping, bool))


def _translated(node: Mapping[str, Any], schema: Schema) -> Mapping[str, Any]:
    """Translate keywords with plain values to 2020-12."""
    new = dict(node)
    for keyword, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(node.get(keyword), bool):
            # JSON Schema draft 4, 5.1.2.1: a boolean that modifies `minimum`.
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
    if "type" in new:
        new["type"] = _types_of(new["type"], new.get("format"), schema)
    if not schema.dialect.identifiers and new.get("type") == "string" and new.get("format") == "binary":
        # OAS 3.1.1, Migrating Binary Descriptions from OAS 3.0: `type` is removed, since bytes are not a JSON string.
        del new["type"]
    if schema.dialect.nullable and node.get(schema.dialect.nullable) is True:
        _allow_null(new, in_enum=schema.dialect.nullable_enum)
    return new


def _types_of(said: Any, format_: Any, schema: Schema) -> Any:
    """Return the value of ``type``, with the spellings of YAML and Kubernetes normalized."""
    if said == "string" and format_ == "int-or-string":
        # Kubernetes, IntOrString: the format says that an integer is allowed too.
        return ["integer", "string"]
    # The type null, written without quotes in YAML. Before 3.1 there is no such type, so null is ignored.
    if said is None and schema.dialect.identifiers:
        return "null"
    return ["null" if name is None else name for name in said] if isinstance(said, list) else said


def _allow_null(node: dict[str, Any], *, in_enum: bool) -> None:
    # OAS 3.0.3, Schema Object: true adds "null" to the allowed type, only if `type` is in the same Schema Object; an
    # `enum` without null still allows none.
    if "type" in node and _types(node["type"]):
        types = [node["type"]] if isinstance(node["type"], str) else node["type"]
        node["type"] = [*types, *([] if "null" in types else ["null"])]
    if in_enum and isinstance(node.get("enum"), list) and None not in node["enum"]:
        node["enum"] = [*node["enum"], None]


def _translate_arrays(schema: Schema, result: Keywords) -> None:
    """JSON Schema 2020-12, Appendix E: ``items`` with an array is ``prefixItems``, ``additionalItems`` is ``items``."""
    items = schema.value.get("items")
    if isinstance(items, list) and all(map(_is_schema, items)):
        result.many["prefixItems"] = tuple(child(schema, "items", index) for index in range(len(items)))
        if "additionalItems" in schema.value and _is_schema(schema.value["additionalItems"]):
            result.one["items"] = child(schema, "additionalItems")


def _translate_dependencies(schema: Schema, result: Keywords) -> None:
    """JSON Schema 2019-09, Appendix: ``dependencies`` became ``dependentSchemas`` and ``dependentRequired``."""
    old = schema.value.get("dependencies")
    for name, value in old.items() if isinstance(old, Mapping) else ():
        if _is_schema(value):
            schemas = result.named.setdefault("dependentSchemas", {})
            schemas[name] = child(schema, "dependencies", name)
        elif isinstance(value, str) or _texts(value):
            names = [value] if isinstance(value, str) else value
            result.plain["dependentRequired"] = {**result.plain.get("dependentRequired", {}), name: names}
