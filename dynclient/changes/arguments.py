"""What of an operation's method changes for who calls it: the names of arguments, and which are positional."""

from __future__ import annotations

from dynclient.changes.findings import Findings
from dynclient.changes.parameters import Matched, label
from dynclient.inspection import Argument, arguments
from dynclient.model import Operation, Parameter

Key = tuple[str, str]


def compare_arguments(findings: Findings, old: Operation, new: Operation, found: Matched) -> None:
    """Tell what changed in the arguments that both documents have.

    Raises:
        DocumentError: a schema that the operation needs is broken.
    """
    before, after = _by_key(old), _by_key(new)
    pairs = [(label(one), _key(one), _key(other)) for one, other in found.pairs]
    pairs += [(f"body property {key[1]}", key, key) for key in before if key[0] == "body" and key[1]]
    for where, key, partner in pairs:
        one, other = before.get(key), after.get(partner)
        if one is not None and other is not None and one.name != other.name:
            findings.add("argument-renamed", where, before=one.name, after=other.name, **_at(old, new))
    one, other = before.get(_BODY), after.get(_BODY)
    if one is not None and other is not None and one.name != other.name:
        findings.add("body-argument-renamed", before=one.name, after=other.name, **_at(old, new))
    _positions(findings, old, new, found)


_BODY = ("body", "")


def _by_key(operation: Operation) -> dict[Key, Argument]:
    return {(argument.in_, argument.wire): argument for argument in arguments(operation)}


def _key(parameter: Parameter) -> Key:
    return parameter.in_, parameter.name


def _at(old: Operation, new: Operation) -> dict[str, str]:
    return {"old": old.row.pointer, "new": new.row.pointer}


def _positions(findings: Findings, old: Operation, new: Operation, found: Matched) -> None:
    partners = {_key(one): _key(other) for one, other in found.pairs}
    before = [(key, partners.get(key, key)) for key in _positional(old)]
    after = _positional(new)
    known = _by_key(new)
    for _, partner in before:
        if partner not in after and partner in known:
            findings.add("argument-became-keyword-only", after=known[partner].name, **_at(old, new))
    kept = [partner for _, partner in before if partner in after]
    if kept != [key for key in after if key in kept]:
        findings.add(
            "argument-moved",
            before=tuple(known[key].name for key in kept),
            after=tuple(known[key].name for key in after if key in kept),
            **_at(old, new),
        )


def _positional(operation: Operation) -> list[Key]:
    """The keys of the arguments that may be given by position, in their order."""
    return [
        (argument.in_, argument.wire)
        for argument in arguments(operation)
        if argument.kind == "body" or (argument.kind == "parameter" and argument.required)
    ]
