"""Convert errors of jsonschema to faults, with messages of dynclient.

Rule 1: messages show what the schema expects, and never the value, which may be secret or very long. A fault has the
value separately, if it is a short scalar and the schema can't accept secrets, unlike a schema for any text.
Rule 2: a fault names the location in the value, and that of the violated keyword in the document.
Rule 3: of a choice (``anyOf``, ``oneOf``) the intended branch is reported: the one whose type and fixed values match.
If that is unclear, the choice itself is reported.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from jsonschema.exceptions import ValidationError

from dynclient._deferred import expression
from dynclient._escaping import counted
from dynclient._json_types import kind
from dynclient._schemas import SchemaBundle
from dynclient._secrets import names_credential
from dynclient._validation.formats import format_fault
from dynclient._validation.patterns import origin_in, subschemas
from dynclient.exceptions import DocumentLocation, Fault
from dynclient.model import References

_NAME = expression(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_ABSENT = frozenset({"required", "dependentRequired"})
_MOST_SHOWN = 12
_NEAREST = 3
_LONGEST_CHOICE = 400
# Tokens and keys are longer.
_LONGEST_VALUE = 12
# Keywords and formats whose values are not secret.
_SHOWN_KEYWORDS = frozenset(
    {"const", "enum", "exclusiveMaximum", "exclusiveMinimum", "maximum", "minimum", "multipleOf", "type"}
)
_SHOWN_FORMATS = frozenset({"date", "date-time", "duration", "ipv4", "ipv6", "time", "uuid"})
_LONGEST_SHOWN = 60
_NEVER = "is not allowed"


class Reporter:
    """Turns jsonschema's errors for one bundle into faults."""

    def __init__(self, bundle: SchemaBundle, references: References) -> None:
        """``references`` are the document's, to look up lines."""
        self.bundle = bundle
        self.references = references
        self._pointers: Mapping[int, str] | None = None

    def faults(self, errors: list[ValidationError], path: str, limit: int, *, places: bool = True) -> list[Fault]:
        """The faults of some errors, in their order, each once."""
        found: dict[tuple[str, str], Fault] = {}
        for error in errors:
            for fault in self._faults(error, path, places=places):
                found.setdefault((fault.path, fault.message), fault)
        return list(found.values())[:limit]

    def _faults(self, error: ValidationError, path: str, *, places: bool, within: bool = False) -> Iterator[Fault]:
        """``within`` a choice, nested choices are only named: their number could double at each level."""
        here = path + value_path(error.relative_path)
        branches = _branches(error)
        chosen = _meant(branches) if branches else None
        if chosen is not None:
            for inner in chosen:
                yield from self._faults(inner, here, places=places, within=within)
            return
        uri, location = self._origin(error) if places else ("", None)
        decides = str(_keyword(error, "$comment", "")).split("\n") if branches else [""]
        if decides[0] and isinstance(error.instance, dict) and decides[0] not in error.instance:
            message = f"is required: it decides between {_listed([repr(value) for value in decides[1:]], 'and')}"
            yield Fault(here + value_path(decides[:1]), message, "required", location, uri=uri)
            return
        types = _types(branches)
        message = _not_of_type(types, error.instance) if types else _message(error)
        if branches and not types and not within:
            message = f"{message}: {self._missed(branches, here)}"[:_LONGEST_CHOICE]
        keyword = str(error.validator or "")
        value_type = "" if keyword in _ABSENT else kind(error.instance)
        yield Fault(here, message, keyword, location, value_type, _value(error, types), uri)

    def _missed(self, branches: list[list[ValidationError]], here: str) -> str:
        """Why a value matches no branch of a choice: its faults in the closest branches."""
        nearest = sorted(branches, key=lambda branch: (_rank(branch), len(branch)))[:_NEAREST]
        return "; or ".join(
            " and ".join(
                f"{fault.path} {fault.message}"
                for error in branch[:_NEAREST]
                for fault in self._faults(error, here, places=False, within=True)
            )
            for branch in nearest
        )

    def _origin(self, error: ValidationError) -> tuple[str, DocumentLocation | None]:
        if self._pointers is None:
            self._pointers = {id(node): pointer for node, pointer in subschemas(self.bundle.schema)}
        pointer = self._pointers.get(id(error.schema))
        if pointer is None:
            return "", None
        place = pointer if error.validator_value == {} else f"{pointer}/{error.validator}"
        return origin_in(self.bundle, self.references, place)


def _keyword(error: ValidationError, name: str, default: Any) -> Any:
    """The value of another keyword in the schema of the violated one."""
    return error.schema.get(name, default) if isinstance(error.schema, Mapping) else default


def _value(error: ValidationError, types: list[str]) -> str:
    """The value of a fault, if it may be shown."""
    keyword, value = error.validator, error.instance
    if (
        keyword not in _SHOWN_KEYWORDS
        and not types
        and not (keyword == "format" and error.validator_value in _SHOWN_FORMATS)
    ):
        return ""
    wanted = types or _keyword(error, "type", ())
    if keyword == "type" and "string" in ([wanted] if isinstance(wanted, str) else wanted):
        return ""
    if not isinstance(value, (str, int, float)) or _keyword(error, "format", "") == "password":
        return ""
    # The closest name: items of an array have none.
    name = next((key for key in reversed(error.absolute_path) if isinstance(key, str)), "")
    text = repr(value) if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(str(value)) <= _LONGEST_VALUE and not names_credential(name) else ""


def value_path(keys: Iterable[Any]) -> str:
    """Keys as a path shows them: ``.name``, ``[2]``, ``['odd key']``."""
    parts = []
    for key in keys:
        if isinstance(key, int):
            parts.append(f"[{key}]")
        elif _NAME.fullmatch(key):
            parts.append(f".{key}")
        else:
            parts.append("['" + key.replace("\\", "\\\\").replace("'", "\\'") + "']")
    return "".join(parts)


def _branches(error: ValidationError) -> list[list[ValidationError]]:
    """The errors of each branch of a choice."""
    found: dict[Any, list[ValidationError]] = {}
    for inner in error.context or ():
        found.setdefault(inner.relative_schema_path[0], []).append(inner)
    return list(found.values())


def _meant(branches: list[list[ValidationError]]) -> list[ValidationError] | None:
    """The intended branch of a value, if exactly one is the closest."""
    ranks = [_rank(branch) for branch in branches]
    nearest = min(ranks)
    if nearest[0] or ranks.count(nearest) > 1:
        return None
    return branches[ranks.index(nearest)]


def _rank(errors: list[ValidationError]) -> tuple[bool, bool, bool]:
    """How far a value is from a branch: by its type, the fixed values of its properties, and missing properties."""
    return (
        any(error.validator == "type" and not error.relative_path for error in errors),
        any(error.validator in {"const", "enum"} and len(error.relative_path) <= 1 for error in errors),
        any(error.validator == "required" and len(error.relative_path) == 1 for error in errors),
    )


def _types(branches: list[list[ValidationError]]) -> list[str]:
    """The types of the branches, if the value has none of these."""
    allowed: list[str] = []
    for branch in branches:
        found: list[Any] = [
            error.validator_value for error in branch if error.validator == "type" and not error.relative_path
        ]
        if not found:
            return []
        for types in found:
            allowed += [types] if isinstance(types, str) else types
    return list(dict.fromkeys(allowed))


# Messages


def _message(error: ValidationError) -> str:
    """The messages of faults, by keyword; for a keyword without a message, the value is not allowed."""
    return _MESSAGES.get(str(error.validator), lambda _: "is not allowed")(error)


def _not_of_type(types: Any, value: Any) -> str:
    types = [types] if isinstance(types, str) else types
    got = _article(kind(value))
    if isinstance(value, float) and not math.isfinite(value):
        got = "NaN or infinity, which JSON can't write"
    return f"must be {_listed([_article(each) for each in types])}, not {got}"


def _expected(allowed: list[Any]) -> str:
    if len(allowed) == 1:
        return f"must be {_shown(allowed)}"
    return f"is not one of {_shown(allowed)}" if allowed else "is not allowed"


def _bound(words: str) -> Callable[[Any], str]:
    return lambda error: f"must be {words} {error.validator_value}"


def _least(noun: str) -> Callable[[Any], str]:
    return lambda error: f"has {counted(len(error.instance), noun)}, at least {int(error.validator_value)} needed"


def _most(noun: str) -> Callable[[Any], str]:
    return lambda error: f"has {counted(len(error.instance), noun)}, at most {int(error.validator_value)} are allowed"


def _items(error: Any) -> str:
    most = len(error.schema.get("prefixItems", ()))
    return f"has {counted(len(error.instance), 'item')}, at most {most} are allowed"


def _contains(error: Any) -> str:
    return f"has 0 items that it must contain, at least {int(error.schema.get('minContains', 1))} needed"


def _excluded(error: Any) -> str:
    # The schema `false`, and a part of the document that is broken, with the reason, are written as `not: {}`.
    return "matches a schema that it must not match" if error.validator_value else _keyword(error, "$comment", _NEVER)


def _choice(error: Any) -> str:
    schemas = counted(len(error.validator_value), "schema")
    if error.validator == "oneOf" and not error.context:
        return f"matches more than one of {schemas}, only one is allowed"
    return f"matches none of {schemas}"


_MESSAGES: Mapping[str, Callable[[Any], str]] = {
    "anyOf": _choice,
    "const": lambda error: _expected([error.validator_value]),
    "contains": _contains,
    "dependentRequired": lambda error: f"is required with {error.validator_value!r}",
    "enum": lambda error: _expected(error.validator_value),
    "exclusiveMaximum": _bound("less than"),
    "exclusiveMinimum": _bound("more than"),
    "format": lambda error: str(format_fault(error.validator_value, error.instance)),
    "items": _items,
    "maxContains": lambda error: f"has too many items of which at most {int(error.validator_value)} are allowed",
    "maxItems": _most("item"),
    "maxLength": _most("character"),
    "maxProperties": _most("property"),
    "maximum": _bound("at most"),
    "minContains": lambda error: f"has too few items that it must contain: {int(error.validator_value)} needed",
    "minItems": _least("item"),
    "minLength": _least("character"),
    "minProperties": _least("property"),
    "minimum": _bound("at least"),
    "multipleOf": _bound("a multiple of"),
    "not": _excluded,
    "oneOf": _choice,
    "pattern": lambda error: f"does not match the pattern {error.validator_value!r}",
    "required": lambda _: "is required",
    "type": lambda error: _not_of_type(error.validator_value, error.instance),
    "uniqueItems": lambda error: f"is the same as item {error.validator_value}, all must differ",
}


def _article(name: str) -> str:
    """A type's name with its article."""
    if name == "null":
        return name
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def _listed(names: Sequence[str], word: str = "or") -> str:
    """Join names for a sentence."""
    return " ".join([", ".join(names[:-1]), word, names[-1]]) if len(names) > 1 else "".join(names)


def _shown(values: Iterable[Any]) -> str:
    """Values that a document expects, texts as Python writes them, the rest as JSON; the first twelve."""
    values = list(values)
    texts = [_one_shown(value) for value in values[:_MOST_SHOWN]]
    more = len(values) - len(texts)
    return ", ".join([*texts, f"or {more} more"] if more else texts)


def _one_shown(value: Any) -> str:
    if isinstance(value, str):
        text = repr(value)
    else:
        try:
            text = json.dumps(value)
        except (TypeError, ValueError, RecursionError):
            text = f"a certain {type(value).__name__}"
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"
