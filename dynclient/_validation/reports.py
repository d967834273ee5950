"""Errors of the reference engine -> faults.

Rule 1: a fault names the place in the value, and where the document says what is broken.
Rule 2: of a choice (``anyOf``, ``oneOf``) the branch that the value was meant for is reported: of the one whose type
and fixed values it has. Where that can't be told, the choice itself is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema.exceptions import ValidationError

from dynclient._expressions import expression
from dynclient._schemas import Bundle
from dynclient._validation.kinds import kind
from dynclient._validation.places import place_in
from dynclient._validation.wording import article, listed
from dynclient.exceptions import Fault, Place
from dynclient.json_pointer import escape
from dynclient.model import References

_NAME = expression(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_ABSENT = frozenset({"required", "dependentRequired"})


class Reporter:
    """Makes faults of one bundle's errors."""

    def __init__(self, bundle: Bundle, references: References) -> None:
        self.bundle = bundle
        self.references = references
        self._pointers: Mapping[int, str] | None = None

    def faults(self, errors: list[ValidationError], path: str, limit: int, *, places: bool = True) -> list[Fault]:
        """The faults of some errors, in the order of the value's parts, each once."""
        found: dict[tuple[str, str], Fault] = {}
        for error in errors:
            for fault in self._faults(error, path, places=places):
                found.setdefault((fault.path, fault.message), fault)
        return list(found.values())[:limit]

    def _faults(self, error: ValidationError, path: str, *, places: bool) -> Iterator[Fault]:
        here = path + path_text(error.relative_path)
        branches = _branches(error)
        if branches:
            chosen = _meant(branches)
            if chosen is not None:
                for inner in chosen:
                    yield from self._faults(inner, here, places=places)
                return
            if types := _types(branches):
                message = f"must be {listed([article(each) for each in types])}, not {article(kind(error.instance))}"
                yield self._fault(error, here, message, places=places)
                return
        yield self._fault(error, here, error.message, places=places)

    def _fault(self, error: ValidationError, path: str, message: str, *, places: bool) -> Fault:
        keyword = str(error.validator or "")
        value_type = "" if keyword in _ABSENT else kind(error.instance)
        return Fault(path, message, keyword, self._place(error) if places else None, value_type)

    def _place(self, error: ValidationError) -> Place | None:
        if self._pointers is None:
            self._pointers = _pointers(self.bundle.schema)
        pointer = self._pointers.get(id(error.schema))
        if pointer is None:
            return None
        return place_in(self.bundle, self.references, f"{pointer}/{error.validator}")


def path_text(keys: Any) -> str:
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
    """The branch that a value was meant for, if one alone is the nearest."""
    ranks = [_rank(branch) for branch in branches]
    nearest = min(ranks)
    if nearest[0] or ranks.count(nearest) > 1:
        return None
    return branches[ranks.index(nearest)]


def _rank(errors: list[ValidationError]) -> tuple[bool, bool, bool]:
    """How far a value is from a branch: by its type, by the fixed values of its properties, by what it lacks."""
    return (
        any(error.validator == "type" and not error.relative_path for error in errors),
        any(error.validator in {"const", "enum"} and len(error.relative_path) <= 1 for error in errors),
        any(error.validator == "required" and len(error.relative_path) == 1 for error in errors),
    )


def _types(branches: list[list[ValidationError]]) -> list[str]:
    """The types that the branches want, where it is the type that fits none."""
    wanted: list[str] = []
    for branch in branches:
        found: list[Any] = [
            error.validator_value for error in branch if error.validator == "type" and not error.relative_path
        ]
        if not found:
            return []
        for types in found:
            wanted += [types] if isinstance(types, str) else types
    return list(dict.fromkeys(wanted))


def _pointers(schema: Any) -> dict[int, str]:
    """Where in the bundle each object stands, by its identity."""
    found: dict[int, str] = {}
    waiting = [(schema, "")]
    while waiting:
        node, pointer = waiting.pop()
        if isinstance(node, dict):
            found[id(node)] = pointer
            keys = ((escape(key), below) for key, below in node.items())
            waiting += [(below, f"{pointer}/{key}") for key, below in keys]
        elif isinstance(node, list):
            waiting += [(below, f"{pointer}/{index}") for index, below in enumerate(node)]
    return found
