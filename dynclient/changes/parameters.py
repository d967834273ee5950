"""Parameters: which came and went, which are the same under another name or in another place, and how they differ."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from dynclient._records import Record
from dynclient.changes.findings import Findings
from dynclient.changes.schemas import Comparison, compare_schemas
from dynclient.model import Operation, Parameter, Schema

_TEMPLATE = re.compile(r"\{([^{}]*)\}")


class Matched(Record):
    """Parameters of two documents that are the same, and those that have no partner."""

    pairs: list[tuple[Parameter, Parameter]]
    removed: list[Parameter]
    added: list[Parameter]


def matched(old: Operation, new: Operation) -> Matched:
    """Find for each parameter what it is in the new document.

    It is the one of its name and place; else, of a path, the one that stands where it stood; else the only one of its
    name in another place; else the only new one in its place, where both have the same schema.
    """
    result = Matched([], list(old.parameters), list(new.parameters))
    _pair(result, lambda one, other: _key(one) == _key(other))
    before, after = _TEMPLATE.findall(old.path), _TEMPLATE.findall(new.path)
    if len(before) == len(after):
        places = set(zip(before, after, strict=True))
        _pair(result, lambda one, other: _is_path(one, other) and (one.name, other.name) in places)
    _pair(result, lambda one, other: one.name == other.name)
    for in_ in ("query", "header", "cookie"):
        gone = [one for one in result.removed if one.in_ == in_]
        new_ones = [one for one in result.added if one.in_ == in_]
        if len(gone) == len(new_ones) == 1 and _alike(gone[0], new_ones[0]):
            _pair(result, lambda one, other, gone=gone, came=new_ones: one is gone[0] and other is came[0])  # type: ignore[misc]  # mypy infers no defaults of a lambda
    return result


def _pair(matched: Matched, fits: Callable[[Parameter, Parameter], bool]) -> None:
    for one in tuple(matched.removed):
        other = next((other for other in matched.added if fits(one, other)), None)
        if other is not None:
            matched.pairs.append((one, other))
            matched.removed.remove(one)
            matched.added.remove(other)


def _is_path(one: Parameter, other: Parameter) -> bool:
    return one.in_ == other.in_ == "path"


def _key(parameter: Parameter) -> tuple[str, str]:
    # RFC 9110, 5.1: names of header fields are case-insensitive.
    return parameter.in_, parameter.name.lower() if parameter.in_ == "header" else parameter.name


def _alike(one: Parameter, other: Parameter) -> bool:
    """Whether two parameters say the same: then one is the other under a new name."""
    before, after = one.schema, other.schema
    if before is None or after is None or one.required != other.required:
        return False
    told: list[str] = []
    Comparison(lambda aspect, *_, **__: told.append(aspect), "parameter").run(before, after)
    return not told


def compare_parameters(findings: Findings, found: Matched) -> None:
    """Tell what changed in the parameters of an operation."""
    for old, new in found.pairs:
        _one(findings, old, new)
    for parameter in found.removed:
        findings.add("parameter-removed", label(parameter), old=parameter.pointer)
    for parameter in found.added:
        kind = "required-parameter-added" if parameter.required else "optional-parameter-added"
        findings.add(kind, label(parameter), new=parameter.pointer)


def label(parameter: Parameter) -> str:
    """What a person calls a parameter."""
    return f"{parameter.in_} parameter {parameter.name}"


# What of a parameter is compared as it is: how to see it, and the kind of a change.
_SEEN: tuple[tuple[Callable[[Parameter], Any], str], ...] = (
    (lambda it: it.in_, "parameter-location-changed"),
    (lambda it: it.allow_reserved, "parameter-reserved-changed"),
    (lambda it: it.media_type.media_range if it.media_type else "none", "parameter-media-type-changed"),
)
# What is true or not: how to see it, the kind when it becomes true, the kind when it becomes false.
_FLAGS: tuple[tuple[Callable[[Parameter], bool], str, str], ...] = (
    (lambda it: it.required, "parameter-became-required", "parameter-became-optional"),
    (lambda it: it.allow_empty, "parameter-empty-allowed", "parameter-empty-forbidden"),
    (lambda it: it.deprecated, "parameter-deprecated", "parameter-undeprecated"),
)


def _one(findings: Findings, old: Parameter, new: Parameter) -> None:
    where = label(old)
    at = {"old": old.pointer, "new": new.pointer}
    if old.name != new.name and _key(old) != _key(new):
        findings.add("parameter-renamed", where, before=old.name, after=new.name, **at)
    for see, kind in _SEEN:
        if see(old) != see(new):
            findings.add(kind, where, before=see(old), after=see(new), **at)
    if old.in_ == new.in_ and _written(old) != _written(new):
        findings.add("parameter-style-changed", where, before=_written(old), after=_written(new), **at)
    for flag, on, off in _FLAGS:
        if flag(old) != flag(new):
            findings.add(on if flag(new) else off, where, **at)
    compare_schemas(findings, "parameter", where, _schema(old), _schema(new))


def _written(parameter: Parameter) -> str:
    """How a value is written; of one that is encoded by a media type, nothing else counts."""
    if parameter.media_type is not None:
        return ""
    return f"{parameter.style}{', exploded' if parameter.explode else ''}"


def _schema(parameter: Parameter) -> Schema | None:
    return parameter.media_type.schema if parameter.media_type is not None else parameter.schema
