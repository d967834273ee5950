"""What a value has to obey, in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dynclient._schemas import MISSING, shape
from dynclient.inspection.arguments import secret
from dynclient.model import Schema

# JSON Schema 2020-12 Validation, 6. The keywords in the order in which they are told.
_WORDS: Mapping[str, Callable[[Any], str]] = {
    "minLength": lambda value: f"at least {_count(value, 'character')}",
    "maxLength": lambda value: f"at most {_count(value, 'character')}",
    "pattern": lambda value: f"matches {value}",
    "minimum": lambda value: f">= {value}",
    "exclusiveMinimum": lambda value: f"> {value}",
    "maximum": lambda value: f"<= {value}",
    "exclusiveMaximum": lambda value: f"< {value}",
    "multipleOf": lambda value: f"a multiple of {value}",
    "minItems": lambda value: f"at least {_count(value, 'item')}",
    "maxItems": lambda value: f"at most {_count(value, 'item')}",
    "uniqueItems": lambda value: "no item twice" if value else "",
    "minProperties": lambda value: f"at least {_count(value, 'property')}",
    "maxProperties": lambda value: f"at most {_count(value, 'property')}",
}


def constraints(schema: Schema | None) -> tuple[str, ...]:
    """The format, the bounds and the default of a schema's values, a phrase each."""
    if schema is None:
        return ()
    seen = shape(schema)
    phrases = [f"format {seen.format}"] if seen.format else []
    for keyword, say in _WORDS.items():
        if keyword in seen.constraints:
            phrases.append(say(seen.constraints[keyword]))
    if seen.default is not MISSING and not secret(schema):
        phrases.append(f"default {seen.default!r}")
    return tuple(phrase for phrase in phrases if phrase)


def _count(number: Any, noun: str) -> str:
    plural = "properties" if noun == "property" else f"{noun}s"
    return f"{number} {noun if number == 1 else plural}"
