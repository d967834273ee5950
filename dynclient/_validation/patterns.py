"""The patterns of a bundle, which of them are not checked, and their locations in the document.

A pattern never makes an operation unusable: one that is invalid, or too expensive, is not checked. It causes one
warning for each document, and :attr:`Validator.unchecked` lists it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from threading import local
from typing import Any

from dynclient import json_pointer
from dynclient._escaping import logger
from dynclient._records import Record
from dynclient._schemas import SchemaBundle, cache
from dynclient._schemas.keywords import MANY, NAMED, location_at
from dynclient.exceptions import DocumentLocation
from dynclient.model import References
from dynclient.options import Limits

_DATA = frozenset({"const", "dependentRequired", "enum"})

log = logger()
_check = local()


class Unchecked(Record):
    """A pattern that is not checked: why, its JSON pointer in the bundle, and whether it is invalid."""

    source: str
    problem: str
    pointer: str
    is_invalid: bool


def matches(source: str, text: str, longest: int) -> bool | None:
    """Whether a text matches a pattern; None if that is unknown, with one warning for each pattern."""
    from dynclient import _regex

    pattern = _regex.compile(source, longest)
    budget: _regex.Budget | None = getattr(_check, "budget", None)
    if budget is None:
        budget = _check.budget = _regex.Budget()
    found = pattern.search(text, budget)
    if found is None and not pattern.problem:
        _warn_of_texts(source)
    return found


def begin_check() -> None:
    """Begin a check in this thread: its patterns share one budget for all texts."""
    _check.budget = None


@lru_cache(maxsize=1024)
def _warn_of_texts(source: str) -> None:
    log.warning("the pattern %r is not checked for some texts: it would take too long", source[:200])


def unchecked_patterns(bundle: SchemaBundle, references: References, limits: Limits) -> list[Unchecked]:
    """Read every pattern of a bundle, warn about those that are not checked, and return them."""
    known: dict[str, list[Unchecked]] = bundle.worked_out.setdefault(f"patterns {limits.pattern_length}", {})
    warned = cache(references, "patterns")
    for entry, node in _entries(bundle.schema):
        if entry in known:
            continue
        found = []
        for source, pointer in _patterns(node, entry):
            # Many documents have no pattern, and the engine takes time to import.
            from dynclient import _regex

            pattern = _regex.compile(source, limits.pattern_length)
            if not pattern.problem:
                continue
            found.append(Unchecked(source, pattern.problem, pointer, pattern.is_invalid))
            if source not in warned:
                warned[source] = True
                where = bundle.origin(pointer)
                log.warning("the pattern %r is not checked: it %s (%s)", source[:200], pattern.problem, where)
        known[entry] = found
    return [each for entry, _ in _entries(bundle.schema) for each in known[entry]]


def location_in(bundle: SchemaBundle, references: References, pointer: str) -> DocumentLocation | None:
    """The location in the document of a JSON pointer in a bundle, or of the nearest enclosing part."""
    return origin_in(bundle, references, pointer)[1]


def origin_in(bundle: SchemaBundle, references: References, pointer: str) -> tuple[str, DocumentLocation | None]:
    """The same with its URI, which is empty if there is no location."""
    uri, location = bundle.origin(pointer), None
    while uri and (location := location_at(references, uri)) is None:
        uri = uri.rpartition("/")[0] if "/" in uri.partition("#")[2] else ""
    return uri, location


def _entries(schema: Any) -> Iterator[tuple[str, Any]]:
    for name, node in schema["$defs"].items():
        if name.startswith("resource"):
            yield from ((f"/$defs/{name}{pointer}", below) for pointer, below in _entries(node))
        else:
            yield f"/$defs/{name}", node


def subschemas(schema: Any) -> Iterator[tuple[Any, str]]:
    """The schemas of a bundle, each with its JSON pointer."""
    return (found for entry, node in _entries(schema) for found in inline_subschemas(node, entry))


def inline_subschemas(node: Any, pointer: str = "") -> Iterator[tuple[Any, str]]:
    """A schema and all its inline subschemas, each with its JSON pointer; references are not followed."""
    waiting = [(node, pointer)]
    while waiting:
        here, at = waiting.pop()
        if not isinstance(here, dict):
            continue
        yield here, at
        for keyword, value in here.items():
            if keyword in NAMED:
                waiting += [(below, json_pointer.join(at, keyword, name)) for name, below in value.items()]
            elif isinstance(value, list) and keyword in MANY:
                waiting += [(below, f"{at}/{keyword}/{index}") for index, below in enumerate(value)]
            elif keyword not in _DATA:
                waiting.append((value, f"{at}/{keyword}"))


def _patterns(node: Any, pointer: str) -> Iterator[tuple[str, str]]:
    """The patterns of a schema, each with its JSON pointer."""
    for here, at in inline_subschemas(node, pointer):
        if "pattern" in here:
            yield here["pattern"], f"{at}/pattern"
        for source in here.get("patternProperties", ()):
            yield source, json_pointer.join(at, "patternProperties", source)
