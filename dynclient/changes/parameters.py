"""Comparison of the parameters of an operation and of the arguments of its method.

A parameter may have another name or location in the new document; :func:`matched` pairs the parameters first.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from dynclient._records import Record
from dynclient.changes.findings import Findings, locations, take_pairs
from dynclient.changes.judge import Judge
from dynclient.changes.schemas import compare_schemas
from dynclient.inspection.arguments import Argument, arguments, positional
from dynclient.model import Operation, Parameter, Schema

_TEMPLATE = re.compile(r"\{([^{}]*)\}")

Key = tuple[str, str]
"""The location of an argument and its wire name."""


class MatchedParameters(Record):
    """Pairs of parameters that are the same in two documents, and the parameters without a partner."""

    pairs: list[tuple[Parameter, Parameter]]
    removed: list[Parameter]
    added: list[Parameter]


def matched(old: Operation, new: Operation, judge: Judge) -> MatchedParameters:
    """Find the partner of each parameter in the new document.

    The first rule that applies decides: the same name and location; for a path parameter, the same place in the path;
    the same name in another location; the only removed and the only added parameter of a location, if they are alike.
    """
    removed, added = list(old.parameters), list(new.parameters)
    pairs = take_pairs(removed, added, lambda one, other: _name_key(one) == _name_key(other))
    before, after = _TEMPLATE.findall(old.path), _TEMPLATE.findall(new.path)
    if len(before) == len(after):
        places = set(zip(before, after, strict=True))
        pairs += take_pairs(
            removed, added, lambda one, other: one.in_ == other.in_ == "path" and (one.name, other.name) in places
        )
    pairs += take_pairs(removed, added, lambda one, other: one.name == other.name)
    for in_ in ("query", "header", "cookie"):
        ones, others = ([it for it in found if it.in_ == in_] for found in (removed, added))
        if len(ones) == len(others) == 1 and _is_alike(ones[0], others[0], judge):
            pairs.append((ones[0], others[0]))
            removed.remove(ones[0])
            added.remove(others[0])
    return MatchedParameters(pairs, removed, added)


def _name_key(parameter: Parameter) -> Key:
    # RFC 9110, 5.1: names of header fields are case-insensitive.
    return parameter.in_, parameter.name.lower() if parameter.in_ == "header" else parameter.name


def _is_alike(one: Parameter, other: Parameter, judge: Judge) -> bool:
    """Whether two parameters differ in nothing but their names."""
    if one.schema is None or other.schema is None or one.required != other.required:
        return False
    return judge.equal(one.schema, other.schema, "request")


def compare_parameters(findings: Findings, found: MatchedParameters) -> None:
    """Add the changes of the parameters of an operation.

    Raises:
        DocumentError: a schema is broken.
    """
    for old, new in found.pairs:
        _compare_pair(findings, old, new)
    for parameter in found.removed:
        findings.add("parameter-removed", _label(parameter), old=parameter.pointer)
    for parameter in found.added:
        kind = "required-parameter-added" if parameter.required else "optional-parameter-added"
        findings.add(kind, _label(parameter), new=parameter.pointer)


def _label(parameter: Parameter) -> str:
    return f"{parameter.in_} parameter {parameter.name}"


# Values of a parameter that are compared as they are, and the kind of a difference.
_VALUES: tuple[tuple[Callable[[Parameter], Any], str], ...] = (
    (lambda it: it.in_, "parameter-location-changed"),
    (lambda it: it.allow_reserved, "parameter-reserved-changed"),
    (lambda it: it.media_type.media_range if it.media_type else "none", "parameter-media-type-changed"),
)
# Flags of a parameter, the kind when one becomes true, and the kind when it becomes false.
_FLAGS: tuple[tuple[Callable[[Parameter], bool], str, str], ...] = (
    (lambda it: it.required, "parameter-became-required", "parameter-became-optional"),
    (lambda it: it.allow_empty, "parameter-empty-allowed", "parameter-empty-forbidden"),
    (lambda it: it.deprecated, "parameter-deprecated", "parameter-undeprecated"),
)


def _compare_pair(findings: Findings, old: Parameter, new: Parameter) -> None:
    where, at = _label(old), locations(old, new)
    if old.name != new.name and _name_key(old) != _name_key(new):
        findings.add("parameter-renamed", where, before=old.name, after=new.name, **at)
    for value, kind in _VALUES:
        if value(old) != value(new):
            findings.add(kind, where, before=value(old), after=value(new), **at)
    if old.in_ == new.in_ and _style(old) != _style(new):
        findings.add("parameter-style-changed", where, before=_style(old), after=_style(new), **at)
    for flag, on, off in _FLAGS:
        if flag(old) != flag(new):
            findings.add(on if flag(new) else off, where, **at)
    compare_schemas(findings, "parameter", where, _schema(old), _schema(new))


def _style(parameter: Parameter) -> str:
    """The style with explode; empty for a parameter with a media type, which has no style."""
    return "" if parameter.media_type is not None else f"{parameter.style}{', exploded' if parameter.explode else ''}"


def _schema(parameter: Parameter) -> Schema | None:
    return parameter.media_type.schema if parameter.media_type is not None else parameter.schema


def compare_arguments(findings: Findings, old: Operation, new: Operation, found: MatchedParameters) -> None:
    """Add the changes of the arguments that both methods have: their Python names, and which are positional.

    Raises:
        DocumentError: a schema that the operation needs is broken.
    """
    before, after = _by_key(old), _by_key(new)
    at = locations(old.row, new.row)
    partners: dict[Key, Key] = {(one.in_, one.name): (other.in_, other.name) for one, other in found.pairs}
    labels: dict[Key, str] = {(one.in_, one.name): _label(one) for one, _ in found.pairs}
    for key in before:
        if key[0] == "body" and key[1]:
            partners[key], labels[key] = key, f"body property {key[1]}"
    for key, partner in partners.items():
        if key in before and partner in after and before[key].name != after[partner].name:
            findings.add("argument-renamed", labels[key], before=before[key].name, after=after[partner].name, **at)
    had, has = (any(key[0] == "body" and key[1] for key in found) for found in (before, after))
    if had and not has and new.body is not None:
        findings.add("body-arguments-removed", **at)
    one, other = before.get(_BODY), after.get(_BODY)
    # `body=` means the body in every method that has no other argument of that name.
    is_taken = one is None or one.name != "body" or any("body" in (it.name, it.wire) for it in after.values())
    if one is not None and other is not None and one.name != other.name and is_taken:
        findings.add("body-argument-renamed", before=one.name, after=other.name, **at)
    _compare_positions(findings, [partners.get(key, key) for key in _positional(before)], after, at)


_BODY = ("body", "")


def _by_key(operation: Operation) -> dict[Key, Argument]:
    return {(argument.in_, argument.wire): argument for argument in arguments(operation)}


def _positional(found: dict[Key, Argument]) -> list[Key]:
    """The keys of the arguments that may be given by position, in their order."""
    return [key for key, argument in found.items() if positional(argument)]


def _compare_positions(findings: Findings, before: list[Key], new: dict[Key, Argument], at: dict[str, Any]) -> None:
    after = _positional(new)
    for key in before:
        if key not in after and key in new:
            findings.add("argument-became-keyword-only", after=new[key].name, **at)
    kept = [key for key in before if key in after]
    moved = [key for key in after if key in kept]
    if kept != moved:
        olds, news = (tuple(new[key].name for key in keys) for keys in (kept, moved))
        findings.add("argument-moved", before=olds, after=news, **at)
