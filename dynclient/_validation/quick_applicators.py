"""JSON Schema's applicators as functions, for the quick engine: what holds a value, or what is in it, to other schemas.

Rule 1: each maker is given the schema and the way to make functions of the schemas in it, and gives a function that
tells whether the word holds for a value; or None, where the word asks for nothing.
Rule 2: what applies several schemas to one value takes a step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NoReturn, TypeAlias

from dynclient._validation.quick_assertions import Step, Test, Unsure

Make: TypeAlias = Callable[[Any], Test]
Maker: TypeAlias = Callable[[dict[str, Any], Make], "Test | None"]


def anything(_value: Any, _step: Step) -> bool:
    """The schema ``true``."""
    return True


def nothing(_value: Any, _step: Step) -> bool:
    """The schema ``false``."""
    return False


def unsure(_node: dict[str, Any], _make: Make) -> Test:
    """A word that this engine has not: whatever is held to it is left to the reference engine."""

    def test(_value: Any, _step: Step) -> NoReturn:
        raise Unsure

    return test


def all_of(tests: list[Test]) -> Test:
    """One function for several that must all hold."""
    if not tests:
        return anything
    if len(tests) == 1:
        return tests[0]
    if len(tests) == 2:  # noqa: PLR2004  # the usual number: `type` and one more
        first, second = tests
        return lambda value, step: first(value, step) and second(value, step)

    def test(value: Any, step: Step) -> bool:
        for each in tests:  # noqa: SIM110  # twice as fast as all() of a generator
            if not each(value, step):
                return False
        return True

    return test


def _ignored(_node: dict[str, Any], _make: Make) -> None:
    return None


def _dependent_schemas(node: dict[str, Any], make: Make) -> Test:
    tests = {name: make(below) for name, below in node["dependentSchemas"].items()}

    def test(value: Any, step: Step) -> bool:
        step()
        return not isinstance(value, dict) or all(each(value, step) for name, each in tests.items() if name in value)

    return test


def _properties(node: dict[str, Any], make: Make) -> Test:
    tests = {name: made for name, below in node["properties"].items() if (made := make(below)) is not anything}
    find = tests.get

    def test(value: Any, step: Step) -> bool:
        if isinstance(value, dict):
            for name, item in value.items():
                each = find(name)
                if each is not None and not each(item, step):
                    return False
        return True

    return test


def _pattern_properties(node: dict[str, Any], make: Make) -> Test:
    from dynclient import _regex

    tests = [(_regex.compile(source).search, make(below)) for source, below in node["patternProperties"].items()]

    def test(value: Any, step: Step) -> bool:
        if isinstance(value, dict):
            for name, item in value.items():
                step()
                for search, each in tests:
                    if search(name) and not each(item, step):
                        return False
        return True

    return test


def _searches(sources: Iterable[str]) -> list[Callable[[str], bool | None]]:
    if not sources:
        return []
    from dynclient import _regex

    return [_regex.compile(source).search for source in sources]


def _additional_properties(node: dict[str, Any], make: Make) -> Test | None:
    other = make(node["additionalProperties"])
    if other is anything:
        return None
    named = node.get("properties", {})
    searches = _searches(node.get("patternProperties", ()))

    def test(value: Any, step: Step) -> bool:
        if isinstance(value, dict):
            for name, item in value.items():
                if (
                    name not in named
                    and not any(search(name) is not False for search in searches)
                    and not other(item, step)
                ):
                    return False
        return True

    return test


def _property_names(node: dict[str, Any], make: Make) -> Test:
    each = make(node["propertyNames"])
    return lambda value, step: not isinstance(value, dict) or all(each(name, step) for name in value)


def _items(node: dict[str, Any], make: Make) -> Test | None:
    each = make(node["items"])
    first = len(node.get("prefixItems", ()))
    if each is anything:
        return None

    def test(value: Any, step: Step) -> bool:
        if isinstance(value, list):
            for item in value[first:] if first else value:
                if not each(item, step):
                    return False
        return True

    return test


def _prefix_items(node: dict[str, Any], make: Make) -> Test:
    tests = [make(below) for below in node["prefixItems"]]
    return lambda value, step: (
        not isinstance(value, list) or all(each(item, step) for each, item in zip(tests, value, strict=False))
    )


def _contains(node: dict[str, Any], make: Make) -> Test:
    each, least, most = make(node["contains"]), node.get("minContains", 1), node.get("maxContains")

    def test(value: Any, step: Step) -> bool:
        if not isinstance(value, list):
            return True
        fitting = 0
        for item in value:
            step()
            fitting += each(item, step)
        return fitting >= least and (most is None or fitting <= most)

    return test


def _not(node: dict[str, Any], make: Make) -> Test:
    inner = make(node["not"])

    def test(value: Any, step: Step) -> bool:
        step()
        return not inner(value, step)

    return test


def _all_of(node: dict[str, Any], make: Make) -> Test:
    inner = all_of([make(below) for below in node["allOf"]])

    def test(value: Any, step: Step) -> bool:
        step()
        return inner(value, step)

    return test


def _any_of(node: dict[str, Any], make: Make) -> Test:
    tests = [make(below) for below in node["anyOf"]]

    def test(value: Any, step: Step) -> bool:
        step()
        return any(each(value, step) for each in tests)

    return test


def _one_of(node: dict[str, Any], make: Make) -> Test:
    tests = [make(below) for below in node["oneOf"]]

    def test(value: Any, step: Step) -> bool:
        step()
        return sum(each(value, step) for each in tests) == 1

    return test


def _if(node: dict[str, Any], make: Make) -> Test:
    if_, then, else_ = (make(node.get(word, True)) for word in ("if", "then", "else"))

    def test(value: Any, step: Step) -> bool:
        step()
        return (then if if_(value, step) else else_)(value, step)

    return test


APPLICATORS: dict[str, Maker] = {
    "additionalProperties": _additional_properties,
    "allOf": _all_of,
    "anyOf": _any_of,
    "contains": _contains,
    "dependentSchemas": _dependent_schemas,
    "else": _ignored,
    "if": _if,
    "items": _items,
    "maxContains": _ignored,
    "minContains": _ignored,
    "not": _not,
    "oneOf": _one_of,
    "patternProperties": _pattern_properties,
    "prefixItems": _prefix_items,
    "properties": _properties,
    "propertyNames": _property_names,
    "then": _ignored,
}
"""What makes a function of each word."""
