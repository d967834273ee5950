"""JSON Schema's assertions as functions, for the quick engine: what a value is by itself.

Rule 1: each maker is given the schema, and gives a function that tells whether the word holds for a value; or None,
where the word asks for nothing.
Rule 2: what a word means is what the reference engine takes it for. What that judges with more knowledge (values that
are none of JSON's, patterns that would take too long) is left to it.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sized
from typing import Any, TypeAlias

from dynclient._validation.formats import NUMBERS, TEXTS, format_fault
from dynclient._validation.kinds import TYPES, frozen, is_multiple, is_number, is_opaque, same

Step: TypeAlias = Callable[[], object]
Test: TypeAlias = Callable[[Any, Step], bool]
Maker: TypeAlias = Callable[[dict[str, Any]], "Test | None"]


class Unsure(Exception):
    """It is not this engine's to judge."""


def _type(node: dict[str, Any]) -> Test:
    types = node["type"]
    if isinstance(types, str):
        return _of_type(types)
    tests = [_of_type(each) for each in types]

    def test(value: Any, step: Step) -> bool:
        for each in tests:  # noqa: SIM110  # as above
            if each(value, step):
                return True
        return False

    return test


# The class that is enough to be of a type; a float is not: it may be infinite.
_CLASSES = {"array": list, "boolean": bool, "integer": int, "number": int, "object": dict, "string": str}


def _of_type(name: str) -> Test:
    usual = _CLASSES.get(name)
    is_type: Callable[[Any], bool] = TYPES[name]

    def test(value: Any, _step: Step) -> bool:
        if type(value) is usual or is_type(value):
            return True
        if is_opaque(value):
            raise Unsure
        return False

    return test


def _enum(node: dict[str, Any]) -> Test:
    allowed = node["enum"]
    texts = frozenset(each for each in allowed if isinstance(each, str))

    def test(value: Any, _step: Step) -> bool:
        if type(value) is str:
            return value in texts
        if is_opaque(value):
            raise Unsure
        return any(same(value, each) for each in allowed)

    return test


def _const(node: dict[str, Any]) -> Test:
    return _enum({"enum": [node["const"]]})


def _bound(word: str, holds: Callable[[Any, Any], bool]) -> Maker:
    def maker(node: dict[str, Any]) -> Test:
        bound = node[word]
        return lambda value, _: not (type(value) is int or is_number(value)) or holds(value, bound)

    return maker


def _length(word: str, kind: type[Sized], holds: Callable[[Any, Any], bool]) -> Maker:
    def maker(node: dict[str, Any]) -> Test:
        bound = node[word]
        return lambda value, _: not isinstance(value, kind) or holds(len(value), bound)

    return maker


def _pattern(node: dict[str, Any]) -> Test:
    from dynclient import _regex

    search = _regex.compile(node["pattern"]).search

    def test(value: Any, _step: Step) -> bool:
        if not isinstance(value, str):
            return True
        found = search(value)
        if found is None:
            raise Unsure
        return found

    return test


def _format(node: dict[str, Any]) -> Test | None:
    name = node["format"]
    text, number = TEXTS.get(name), NUMBERS.get(name)
    if text is None and number is None:
        return None
    is_text = text.test if text is not None else None

    def test(value: Any, _step: Step) -> bool:
        if isinstance(value, str):
            return is_text is None or is_text(value)
        return number is None or format_fault(name, value) is None

    return test


def _unique_items(node: dict[str, Any]) -> Test | None:
    if not node["uniqueItems"]:
        return None
    return lambda value, _: not isinstance(value, list) or len(set(map(frozen, value))) == len(value)


def _required(node: dict[str, Any]) -> Test:
    names = frozenset(node["required"])
    return lambda value, _: not isinstance(value, dict) or names <= value.keys()


def _dependent_required(node: dict[str, Any]) -> Test:
    pairs = [(name, frozenset(needed)) for name, needed in node["dependentRequired"].items()]
    return lambda value, _: (
        not isinstance(value, dict) or all(name not in value or needed <= value.keys() for name, needed in pairs)
    )


ASSERTIONS: dict[str, Maker] = {
    "const": _const,
    "dependentRequired": _dependent_required,
    "enum": _enum,
    "exclusiveMaximum": _bound("exclusiveMaximum", operator.lt),
    "exclusiveMinimum": _bound("exclusiveMinimum", operator.gt),
    "format": _format,
    "maxItems": _length("maxItems", list, operator.le),
    "maxLength": _length("maxLength", str, operator.le),
    "maxProperties": _length("maxProperties", dict, operator.le),
    "maximum": _bound("maximum", operator.le),
    "minItems": _length("minItems", list, operator.ge),
    "minLength": _length("minLength", str, operator.ge),
    "minProperties": _length("minProperties", dict, operator.ge),
    "minimum": _bound("minimum", operator.ge),
    "multipleOf": lambda node: lambda value, _: not is_number(value) or is_multiple(value, node["multipleOf"]),
    "pattern": _pattern,
    "required": _required,
    "type": _type,
    "uniqueItems": _unique_items,
}
"""What makes a function of each word."""
