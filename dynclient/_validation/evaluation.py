"""The engine that decides and reports: jsonschema, with its own keyword functions.

Rule 1: nothing is fetched: the registry is empty and retrieves nothing.
Rule 2: each keyword is a step. A value may take as many steps as the limit says, and more only by its size.
Rule 3: the result of a ``$ref`` for a value is cached, so a schema that is reached by many paths is evaluated once.
Rule 4: results that depend on an unchecked pattern or a broken schema are unknown, and not faults.

The state of one check (:class:`EvaluationContext`) goes through jsonschema as its format checker, which is the only
object of dynclient that jsonschema passes to every keyword function.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial
from itertools import islice
from typing import Any

from jsonschema import Draft202012Validator, TypeChecker
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend
from referencing import Registry

from dynclient._json_types import TYPES, frozen, is_multiple, is_number, is_opaque, size
from dynclient._schemas.bundles import UNKNOWN
from dynclient._validation.formats import format_fault
from dynclient._validation.patterns import matches
from dynclient.options import Limits
from dynclient.transports.clock import look

Errors = Iterator[ValidationError]

_STEPS_PER_VALUE = 100
"""Additional steps for each value within a value."""
_STEPS_PER_LOOK = 1_000
_STEPS_OF_A_SCHEMA = 10
"""The steps counted for making a validator of a schema, or for starting one: each takes several microseconds."""
_CHARACTERS_PER_STEP = 100
_MOST_REMEMBERED = 100
"""The maximum of errors that are kept for one reference: no more are shown, and long invalid lists take time."""
_STOCK = Draft202012Validator.VALIDATORS


class OverBudget(Exception):
    """Checking a value takes more steps than allowed."""


class EvaluationContext:
    """The state of one check of one value: its budget of steps, and the results of references."""

    def __init__(self, value: Any, *, steps: int, pattern_length: int, is_dynamic: bool) -> None:
        """``steps`` is the budget for ``value``; longer patterns than ``pattern_length`` are not checked.

        With ``is_dynamic`` a reference's target may depend on the path to it.
        """
        self.is_dynamic = is_dynamic
        self.not_known = 0
        self.found: dict[tuple[str, int], tuple[list[ValidationError], bool]] = {}
        self._value = value
        self._left = steps
        self._next_look = max(steps - _STEPS_PER_LOOK, 0)
        self._is_granted = False
        self._pattern_length = pattern_length
        self._members: dict[int, frozenset[Any]] = {}

    def step(self, count: int = 1) -> None:
        """Count steps, and check the clock regularly.

        Raises:
            OverBudget: there are none left.
        """
        self._left -= count
        if self._left >= self._next_look:
            return
        look()
        if self._left < 0:
            if self._is_granted:
                raise OverBudget
            self._is_granted = True
            self._left = _STEPS_PER_VALUE * size(self._value)
        self._next_look = max(self._left - _STEPS_PER_LOOK, 0)

    def without_message(self, error: ValidationError) -> ValidationError:
        """Remove jsonschema's message from an error: it shows the value, which may be secret or long."""
        if error.message:
            self.step(len(error.message) // _CHARACTERS_PER_STEP)
            error.message = ""
        return error

    def matches(self, source: str, text: str) -> bool | None:
        """Whether a text matches a pattern; None if that is unknown."""
        look()
        found = matches(source, text, self._pattern_length)
        if found is None:
            self.not_known += 1
        return found

    def members(self, allowed: list[Any]) -> frozenset[Any]:
        """The values of an ``enum``, as a set, for fast lookup."""
        known = self._members.get(id(allowed))
        if known is None:
            known = self._members[id(allowed)] = frozenset(map(frozen, allowed))
        return known


def errors_of(schema: dict[str, Any], value: Any, limits: Limits) -> list[ValidationError]:
    """Return the first errors of a value by a bundle's schema.

    Raises:
        OverBudget: it takes too many steps.
        RecursionError: it is too deep.
        ValueError: it has an integer of more digits than Python writes.
    """
    context = EvaluationContext(
        value,
        steps=limits.validation_steps,
        pattern_length=limits.pattern_length,
        is_dynamic="$id" in schema,
    )
    checker = _engine()(schema, registry=Registry(), format_checker=context)
    return list(islice(checker.iter_errors(value), limits.errors))


@cache
def _engine() -> Any:
    types = {**TYPES, "string": lambda value: isinstance(value, str) or is_opaque(value)}
    engine = extend(  # type: ignore[no-untyped-call] # jsonschema's own
        Draft202012Validator,
        validators={keyword: _counted(function) for keyword, function in {**_STOCK, **_REPLACED}.items()},
        type_checker=TypeChecker({name: _checked(test) for name, test in types.items()}),  # type: ignore[misc] # called by position,
    )
    for name in ("evolve", "iter_errors"):
        setattr(engine, name, _counted_method(getattr(engine, name)))
    return engine


def _counted_method(method: Callable[..., Any]) -> Callable[..., Any]:
    def counted(validator: Any, *args: Any, **keywords: Any) -> Any:
        validator.format_checker.step(_STEPS_OF_A_SCHEMA)
        return method(validator, *args, **keywords)

    return counted


def _checked(test: Callable[[Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda _, value: test(value)


def _counted(function: Callable[..., Any]) -> Callable[..., Any]:
    def keyword(validator: Any, argument: Any, value: Any, schema: Any) -> Any:
        context: EvaluationContext = validator.format_checker
        context.step()
        # `map`, not a generator: that would be one more frame for each level of a value.
        return map(context.without_message, function(validator, argument, value, schema))

    return keyword


def _error(key: str | int | None = None, **more: Any) -> ValidationError:
    """An error of this value, or of its member at a key."""
    return ValidationError("", path=() if key is None else (key,), **more)


def _where_known(function: Callable[..., Any], is_doubtful: Callable[[ValidationError], bool]) -> Callable[..., Any]:
    """Drop errors that depend on whether a schema fits, if that is unknown (rule 4)."""

    def keyword(validator: Any, argument: Any, value: Any, schema: Any) -> Errors:
        context: EvaluationContext = validator.format_checker
        before = context.not_known
        for error in function(validator, argument, value, schema):
            if context.not_known == before or not is_doubtful(error):
                yield error

    return keyword


def _of_texts(function: Callable[..., Any]) -> Callable[..., Any]:
    def keyword(validator: Any, argument: Any, value: Any, schema: Any) -> Any:
        return function(validator, argument, value, schema) if isinstance(value, str) else ()

    return keyword


def _ref(validator: Any, reference: Any, value: Any, _: Any) -> Errors:
    context: EvaluationContext = validator.format_checker
    if context.is_dynamic:
        yield from _referred(validator, reference).iter_errors(value)
        return
    # In a bundle without `$dynamicRef` there is one resource, so the path to it makes no difference.
    key = (reference, id(value))
    if key not in context.found:
        before = context.not_known
        errors = list(islice(_referred(validator, reference).iter_errors(value), _MOST_REMEMBERED))
        context.found[key] = (errors, context.not_known > before)
    elif context.found[key][1]:
        context.not_known += 1
    # Copies, since an error's path is extended while it is passed up.
    yield from map(ValidationError.create_from, context.found[key][0])


def _referred(validator: Any, reference: str) -> Any:
    """A validator for the target of a reference."""
    # jsonschema gives keyword functions no public access to the schema that a reference leads to.
    found = validator._resolver.lookup(reference)  # noqa: SLF001
    return validator.evolve(schema=found.contents, _resolver=found.resolver)


def _unknown(validator: Any, _: Any, __: Any, ___: Any) -> Errors:
    validator.format_checker.not_known += 1
    return iter(())


def _pattern(validator: Any, source: Any, value: Any, _: Any) -> Errors:
    if isinstance(value, str) and validator.format_checker.matches(source, value) is False:
        yield _error()


def _pattern_properties(validator: Any, patterns: Any, value: Any, _: Any) -> Errors:
    if isinstance(value, dict):
        for source, schema in patterns.items():
            for name, item in value.items():
                if validator.format_checker.matches(source, name):
                    yield from validator.descend(item, schema, path=name, schema_path=source)


def _rest(kind: Any, checked: Callable[..., set[Any]]) -> Callable[..., Any]:
    """Check the properties or items that no other keyword has checked."""

    def keyword(validator: Any, allowed: Any, value: Any, schema: Any) -> Errors:
        if not isinstance(value, kind):
            return
        seen = checked(validator, value, schema)
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            if key in seen:
                continue
            if allowed is False:
                yield _error(key)
            else:
                yield from validator.descend(item, allowed, path=key)

    return keyword


def _named(validator: Any, value: dict[str, Any], schema: Any) -> set[str]:
    """The properties that ``properties`` and ``patternProperties`` check, or may check."""
    seen = set(schema.get("properties", ())) & value.keys()
    for source in schema.get("patternProperties", ()):
        seen |= {name for name in value if validator.format_checker.matches(source, name) is not False}
    return seen


# JSON Schema 2020-12, 11: keywords that apply to the same value report what they have evaluated, if they hold.


def _evaluated(validator: Any, value: Any, schema: Any, *, is_inner: bool = True) -> set[Any]:
    """The names of an object's properties, or the indices of an array's items."""
    if not isinstance(schema, dict):
        return set()
    rest = (
        ("additionalProperties", "unevaluatedProperties") if isinstance(value, dict) else ("items", "unevaluatedItems")
    )
    if rest[0] in schema or (is_inner and rest[1] in schema):
        return set(value if isinstance(value, dict) else range(len(value)))
    seen = _named(validator, value, schema) if isinstance(value, dict) else _placed(validator, value, schema)
    for other, below in _applying(validator, value, schema):
        seen |= _evaluated(other, value, below)
    return seen


def _placed(validator: Any, value: list[Any], schema: Any) -> set[int]:
    """The indices of the items that ``prefixItems`` and ``contains`` check."""
    seen = set(range(min(len(schema.get("prefixItems", ())), len(value))))
    if "contains" in schema:
        contained = validator.evolve(schema=schema["contains"])
        seen |= {i for i, item in enumerate(value) if contained.is_valid(item)}
    return seen


def _applying(validator: Any, value: Any, schema: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
    """The schemas that apply to the same value and hold, each with the validator to go on with.

    Those that must hold count even if they do not: that is already reported.
    """
    for keyword in ("$ref", "$dynamicRef"):
        if keyword in schema:
            other = _referred(validator, schema[keyword])
            yield other, other.schema
    yield from ((validator, each) for each in schema.get("allOf", ()))
    below = [each for keyword in ("anyOf", "oneOf") for each in schema.get(keyword, ())]
    if isinstance(value, dict):
        below += [each for name, each in schema.get("dependentSchemas", {}).items() if name in value]
    for each in below:
        if validator.evolve(schema=each).is_valid(value):
            yield validator, each
    if "if" in schema:
        holds, is_known = _holds(validator, schema["if"], value)
        if holds:
            yield validator, schema["if"]
        branches = (("then",) if holds else ("else",)) if is_known else ("then", "else")
        yield from ((validator, schema[branch]) for branch in branches if branch in schema)


def _holds(validator: Any, schema: Any, value: Any) -> tuple[bool, bool]:
    """Whether a schema holds, and whether that is known."""
    context: EvaluationContext = validator.format_checker
    before = context.not_known
    holds = bool(validator.evolve(schema=schema).is_valid(value))
    return holds, not holds or context.not_known == before


def _if(validator: Any, condition: Any, value: Any, schema: Any) -> Errors:
    holds, is_known = _holds(validator, condition, value)
    branch = "then" if holds else "else"
    if is_known and branch in schema:
        yield from validator.descend(value, schema[branch], schema_path=branch)


def _enum(validator: Any, allowed: Any, value: Any, _: Any) -> Errors:
    context: EvaluationContext = validator.format_checker
    if not is_opaque(value) and frozen(value) not in context.members(allowed):
        yield _error()


def _const(_: Any, expected: Any, value: Any, __: Any) -> Errors:
    if not is_opaque(value) and frozen(value) != frozen(expected):
        yield _error()


def _unique_items(_: Any, wanted: Any, value: Any, __: Any) -> Errors:
    if wanted and isinstance(value, list):
        seen: dict[Any, int] = {}
        for index, item in enumerate(value):
            first = seen.setdefault(frozen(item), index)
            if first != index:
                # The message names the first.
                yield _error(index, validator_value=first)


def _multiple_of(_: Any, step: Any, value: Any, __: Any) -> Errors:
    if is_number(value) and not is_multiple(value, step):
        yield _error()


def _required(_: Any, names: Any, value: Any, __: Any) -> Errors:
    if isinstance(value, dict):
        yield from (_error(name) for name in names if name not in value)


def _dependent_required(_: Any, dependencies: Any, value: Any, __: Any) -> Errors:
    if isinstance(value, dict):
        for name, needed in dependencies.items():
            if name in value:
                # The message names the property that is present.
                yield from (_error(other, validator_value=name) for other in needed if other not in value)


def _format(_: Any, name: Any, value: Any, __: Any) -> Errors:
    if format_fault(name, value) is not None:
        yield _error()


_REPLACED: dict[str, Callable[..., Any]] = {
    UNKNOWN: _unknown,
    "$ref": _ref,  # remembers (rule 3)
    # These search with Python's re: neither ECMA-262, nor in bounded time.
    "additionalProperties": _rest(dict, _named),
    "pattern": _pattern,
    "patternProperties": _pattern_properties,
    "unevaluatedItems": _rest(list, partial(_evaluated, is_inner=False)),  # its errors do not say which item
    "unevaluatedProperties": _rest(dict, partial(_evaluated, is_inner=False)),
    # jsonschema's own take quadratic time in the length of an array or a list; and a file is never equal to a listed
    # value.
    "const": _const,
    "enum": _enum,
    "uniqueItems": _unique_items,
    "multipleOf": _multiple_of,  # 19.99 is a multiple of 0.01, but not in binary
    # The fault is at the missing property.
    "dependentRequired": _dependent_required,
    "required": _required,
    "format": _format,  # the formats of OpenAPI's registry, of numbers too
    # A file may be passed for a string, and its length is unknown.
    "maxLength": _of_texts(_STOCK["maxLength"]),
    "minLength": _of_texts(_STOCK["minLength"]),
    # These expect a schema not to fit: rule 4.
    "contains": _where_known(_STOCK["contains"], lambda error: error.validator == "maxContains"),
    "if": _if,
    "not": _where_known(_STOCK["not"], lambda _: True),
    "oneOf": _where_known(_STOCK["oneOf"], lambda error: not error.context),
}
