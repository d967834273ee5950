"""JSON Schema's assertions, in words of our own.

Rule 1: no message shows the value: it may be secret, or as deep as the machine bears. What was expected is shown.
Rule 2: a fault stands where it is: a missing property at its own path, each property that is not allowed likewise.
Rule 3: each function has the signature of jsonschema's keyword functions: validator, the keyword's value, the value
that is checked, the schema.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema.exceptions import ValidationError

from dynclient import _regex
from dynclient._validation.kinds import frozen, is_multiple, is_number, is_opaque, kind, same
from dynclient._validation.wording import article, listed, plural, shown

Errors = Iterator[ValidationError]


def at(error: ValidationError, key: str | int) -> ValidationError:
    """Move an error one step down in the value."""
    error.path.appendleft(key)
    return error


def type_(validator: Any, types: Any, value: Any, _: Any) -> Errors:
    types = [types] if isinstance(types, str) else types
    if not any(validator.is_type(value, each) for each in types):
        yield ValidationError(f"must be {listed([article(each) for each in types])}, not {article(kind(value))}")


def enum(validator: Any, allowed: Any, value: Any, _: Any) -> Errors:
    if validator.format_checker.files and is_opaque(value):
        return
    if frozen(value) not in validator.format_checker.members(allowed):
        yield ValidationError(_expected(allowed))


def _expected(allowed: list[Any]) -> str:
    if len(allowed) == 1:
        return f"must be {shown(allowed)}"
    return f"is not one of {shown(allowed)}" if allowed else "is not allowed"


def const(validator: Any, expected: Any, value: Any, _: Any) -> Errors:
    if not (validator.format_checker.files and is_opaque(value)) and not same(value, expected):
        yield ValidationError(_expected([expected]))


def minimum(_: Any, bound: Any, value: Any, __: Any) -> Errors:
    if is_number(value) and value < bound:
        yield ValidationError(f"must be at least {bound}")


def maximum(_: Any, bound: Any, value: Any, __: Any) -> Errors:
    if is_number(value) and value > bound:
        yield ValidationError(f"must be at most {bound}")


def exclusive_minimum(_: Any, bound: Any, value: Any, __: Any) -> Errors:
    if is_number(value) and value <= bound:
        yield ValidationError(f"must be more than {bound}")


def exclusive_maximum(_: Any, bound: Any, value: Any, __: Any) -> Errors:
    if is_number(value) and value >= bound:
        yield ValidationError(f"must be less than {bound}")


def multiple_of(_: Any, step: Any, value: Any, __: Any) -> Errors:
    if is_number(value) and not is_multiple(value, step):
        yield ValidationError(f"must be a multiple of {step}")


def min_length(_: Any, bound: Any, value: Any, __: Any) -> Errors:
    if isinstance(value, str) and len(value) < bound:
        yield ValidationError(f"has {plural(len(value), 'character')}, at least {int(bound)} needed")


def max_length(_: Any, bound: Any, value: Any, __: Any) -> Errors:
    if isinstance(value, str) and len(value) > bound:
        yield ValidationError(f"has {plural(len(value), 'character')}, at most {int(bound)} are allowed")


def min_items(_: Any, bound: Any, value: Any, __: Any) -> Errors:
    if isinstance(value, list) and len(value) < bound:
        yield ValidationError(f"has {plural(len(value), 'item')}, at least {int(bound)} needed")


def max_items(_: Any, bound: Any, value: Any, __: Any) -> Errors:
    if isinstance(value, list) and len(value) > bound:
        yield ValidationError(f"has {plural(len(value), 'item')}, at most {int(bound)} are allowed")


def min_properties(_: Any, bound: Any, value: Any, __: Any) -> Errors:
    if isinstance(value, dict) and len(value) < bound:
        yield ValidationError(f"has {plural(len(value), 'property')}, at least {int(bound)} needed")


def max_properties(_: Any, bound: Any, value: Any, __: Any) -> Errors:
    if isinstance(value, dict) and len(value) > bound:
        yield ValidationError(f"has {plural(len(value), 'property')}, at most {int(bound)} are allowed")


def pattern(_: Any, source: Any, value: Any, __: Any) -> Errors:
    if isinstance(value, str) and _regex.compile(source).search(value) is False:
        yield ValidationError(f"does not match the pattern {source!r}")


def format_(validator: Any, name: Any, value: Any, _: Any) -> Errors:
    fault = validator.format_checker.fault(value, name)
    if fault:
        yield ValidationError(fault)


def unique_items(_: Any, wanted: Any, value: Any, __: Any) -> Errors:
    if not wanted or not isinstance(value, list):
        return
    seen: dict[Any, int] = {}
    for index, item in enumerate(value):
        first = seen.setdefault(frozen(item), index)
        if first != index:
            yield at(ValidationError(f"is the same as item {first}, all must differ"), index)


def required(_: Any, names: Any, value: Any, __: Any) -> Errors:
    if isinstance(value, dict):
        for name in names:
            if name not in value:
                yield at(ValidationError("is required"), name)


def dependent_required(_: Any, dependencies: Any, value: Any, __: Any) -> Errors:
    if isinstance(value, dict):
        for name, needed in dependencies.items():
            for other in needed:
                if name in value and other not in value:
                    yield at(ValidationError(f"is required beside {name!r}"), other)


def pattern_properties(validator: Any, patterns: Any, value: Any, _: Any) -> Errors:
    if isinstance(value, dict):
        for source, schema in patterns.items():
            matcher = _regex.compile(source)
            for name, item in value.items():
                if matcher.search(name):
                    yield from validator.descend(item, schema, path=name, schema_path=source)


def additional_properties(validator: Any, allowed: Any, value: Any, schema: Any) -> Errors:
    if not isinstance(value, dict):
        return
    named = schema.get("properties", {})
    matchers = [_regex.compile(source) for source in schema.get("patternProperties", ())]
    for name, item in value.items():
        if name in named or any(matcher.search(name) is not False for matcher in matchers):
            continue
        if allowed is False:
            yield at(ValidationError("is not allowed"), name)
        else:
            yield from validator.descend(item, allowed, path=name)


def items(validator: Any, schema: Any, value: Any, parent: Mapping[str, Any]) -> Errors:
    if not isinstance(value, list):
        return
    first = len(parent.get("prefixItems", ()))
    if schema is False and len(value) > first:
        yield ValidationError(f"has {plural(len(value), 'item')}, at most {first} are allowed")
    elif schema is not False:
        for index in range(first, len(value)):
            yield from validator.descend(value[index], schema, path=index)


def contains(validator: Any, schema: Any, value: Any, parent: Mapping[str, Any]) -> Errors:
    if not isinstance(value, list):
        return
    least, most = parent.get("minContains", 1), parent.get("maxContains")
    fitting = sum(1 for item in value if validator.evolve(schema=schema).is_valid(item))
    if fitting < least:
        yield ValidationError(f"has {plural(fitting, 'item')} that it must contain, at least {int(least)} needed")
    elif most is not None and fitting > most:
        error = ValidationError(f"has {plural(fitting, 'item')} of which at most {int(most)} are allowed")
        yield error


def not_(validator: Any, schema: Any, value: Any, _: Any) -> Errors:
    if not schema or validator.evolve(schema=schema).is_valid(value):
        yield ValidationError("is not allowed" if not schema else "fits a schema that it must not fit")


def any_of(validator: Any, schemas: Any, value: Any, _: Any) -> Errors:
    context: list[ValidationError] = []
    for index, schema in enumerate(schemas):
        errors = list(validator.descend(value, schema, schema_path=index))
        if not errors:
            return
        context += errors
    yield ValidationError(f"fits none of {plural(len(schemas), 'schema')}", context=context)


def one_of(validator: Any, schemas: Any, value: Any, _: Any) -> Errors:
    context: list[ValidationError] = []
    fitting: list[int] = []
    for index, schema in enumerate(schemas):
        errors = list(validator.descend(value, schema, schema_path=index))
        context += errors
        if not errors:
            fitting.append(index)
    if not fitting:
        yield ValidationError(f"fits none of {plural(len(schemas), 'schema')}", context=context)
    elif len(fitting) > 1:
        yield ValidationError(f"fits {len(fitting)} of {len(schemas)} schemas, only one is allowed")


KEYWORDS = {
    "additionalProperties": additional_properties,
    "anyOf": any_of,
    "const": const,
    "contains": contains,
    "dependentRequired": dependent_required,
    "enum": enum,
    "exclusiveMaximum": exclusive_maximum,
    "exclusiveMinimum": exclusive_minimum,
    "format": format_,
    "items": items,
    "maxItems": max_items,
    "maxLength": max_length,
    "maxProperties": max_properties,
    "maximum": maximum,
    "minItems": min_items,
    "minLength": min_length,
    "minProperties": min_properties,
    "minimum": minimum,
    "multipleOf": multiple_of,
    "not": not_,
    "oneOf": one_of,
    "pattern": pattern,
    "patternProperties": pattern_properties,
    "required": required,
    "type": type_,
    "uniqueItems": unique_items,
}
