"""Patterns of a bundle that are none, found before any value comes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from dynclient._schemas import Bundle
from dynclient._validation.places import place_in
from dynclient.exceptions import InvalidDocument, UnsafeDocument
from dynclient.json_pointer import escape
from dynclient.model import References
from dynclient.options import Limits

if TYPE_CHECKING:
    from dynclient._validation.patterns import PatternError

_DATA = frozenset({"const", "dependentRequired", "enum"})
_MANY = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_NAMED = frozenset({"dependentSchemas", "patternProperties", "properties"})


def check_patterns(bundle: Bundle, references: References, limits: Limits) -> None:
    """Read every pattern that no bundle of the document has read before.

    Raises:
        InvalidDocument: one is no regular expression, or says what can't be said here.
        UnsafeDocument: one is longer than is allowed, or can take for ever.
    """
    known: set[str] = bundle.worked_out.setdefault("patterns", set())
    for pointer, node in _entries(bundle.schema):
        if pointer in known:
            continue
        for source, at in _patterns(node, pointer):
            error = _fault(source, limits.pattern_length)
            if error is not None:
                kind = UnsafeDocument if error.unsafe else InvalidDocument
                raise kind(f"the pattern {source[:200]!r} {error}", place=place_in(bundle, references, at))
        known.add(pointer)


def _entries(schema: Any) -> Iterator[tuple[str, Any]]:
    for name, node in schema["$defs"].items():
        if name.startswith("resource"):
            yield from ((f"/$defs/{name}{pointer}", below) for pointer, below in _entries(node))
        else:
            yield f"/$defs/{name}", node


def _fault(source: str, longest: int) -> PatternError | None:
    # Many a document has no pattern, and to read one takes much code.
    from dynclient._validation.patterns import PatternError, compiled

    try:
        compiled(source, longest)
    except PatternError as error:
        return error
    return None


def _patterns(node: Any, pointer: str) -> Iterator[tuple[str, str]]:
    """The patterns of a schema, each with its pointer."""
    waiting = [(node, pointer)]
    while waiting:
        here, at = waiting.pop()
        if not isinstance(here, dict):
            continue
        if "pattern" in here:
            yield here["pattern"], f"{at}/pattern"
        yield from (
            (source, f"{at}/patternProperties/{escape(source)}") for source in here.get("patternProperties", ())
        )
        for word, value in here.items():
            if word in _NAMED:
                waiting += [(below, f"{at}/{word}/{escape(name)}") for name, below in value.items()]
            elif isinstance(value, list) and word in _MANY:
                waiting += [(below, f"{at}/{word}/{index}") for index, below in enumerate(value)]
            elif word not in _DATA:
                waiting.append((value, f"{at}/{word}"))
