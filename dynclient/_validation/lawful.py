"""Patterns of a bundle that are none, found before any value comes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dynclient._schemas import Bundle
from dynclient._validation.patterns import PatternError, compiled
from dynclient._validation.places import place_in
from dynclient.exceptions import InvalidDocument, UnsafeDocument
from dynclient.model import References
from dynclient.options import Limits


def check_patterns(bundle: Bundle, references: References, limits: Limits) -> None:
    """Read every pattern.

    Raises:
        InvalidDocument: one is no regular expression, or says what can't be said here.
        UnsafeDocument: one is longer than is allowed, or can take for ever.
    """
    for source, pointer in _patterns(bundle.schema):
        error = _fault(source, limits.pattern_length)
        if error is not None:
            kind = UnsafeDocument if error.unsafe else InvalidDocument
            raise kind(f"the pattern {source[:200]!r} {error}", place=place_in(bundle, references, pointer))


def _fault(source: str, longest: int) -> PatternError | None:
    try:
        compiled(source, longest)
    except PatternError as error:
        return error
    return None


def _patterns(schema: Any) -> Iterator[tuple[str, str]]:
    waiting = [(schema["$defs"], "/$defs", False)]
    while waiting:
        node, pointer, data = waiting.pop()
        if isinstance(node, list):
            waiting += [(below, f"{pointer}/{index}", False) for index, below in enumerate(node)]
        elif isinstance(node, dict):
            if not data and isinstance(node.get("pattern"), str):
                yield node["pattern"], f"{pointer}/pattern"
            for word, below in node.items():
                at = f"{pointer}/{word.replace('~', '~0').replace('/', '~1')}"
                if word == "patternProperties" and not data:
                    yield from ((source, at) for source in below)
                if data or word not in {"const", "enum"}:
                    waiting.append((below, at, not data and word in {"properties", "patternProperties", "$defs"}))
