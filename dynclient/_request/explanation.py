"""Explain a call: where each argument goes in the request, by which line of the document, and its faults."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from dynclient._escaping import one_line
from dynclient._records import Record
from dynclient._request.binding import Bound
from dynclient._request.options import CallOptions
from dynclient._request.plan import Plan, serialized
from dynclient._schemas import location_at
from dynclient._secrets import MASK
from dynclient.exceptions import DocumentLocation, DynclientError, Fault, RequestError, escaped
from dynclient.inspection.arguments import Argument, secret
from dynclient.model import API

_LONGEST = 60


class ExplainedArgument(Record):
    """One argument: its Python name, its location and wire name, and its text there.

    Secrets are masked. ``location`` is the place where the document describes the argument.
    """

    name: str
    in_: str
    wire: str
    text: str
    location: DocumentLocation | None


class Explanation(Record):
    """The explanation of a call without making it: its arguments, their faults, and the error that it would raise.

    ``key`` is the operation's method and path, ``location`` the place where the document describes it, ``ways`` its
    arguments.
    """

    key: str
    location: DocumentLocation | None
    ways: tuple[ExplainedArgument, ...]
    faults: tuple[Fault, ...] = ()
    refused: str = ""

    def __str__(self) -> str:
        heading = one_line(f"{self.key}  ({self.location})" if self.location else self.key)
        cells = [
            (argument.name, one_line(f"{argument.in_} {argument.wire}".rstrip()), one_line(argument.text))
            for argument in self.ways
        ]
        widths = [max((len(line[column]) for line in cells), default=0) for column in range(3)]
        lines = [
            "  ".join(
                [*(cell.ljust(width) for cell, width in zip(line, widths, strict=True)), str(argument.location or "")]
            )
            for line, argument in zip(cells, self.ways, strict=True)
        ]
        verdict = [f"refused: {self.refused}" if self.refused else "valid", *(f"  {fault}" for fault in self.faults)]
        verdict = list(map(one_line, verdict))
        return escaped("\n".join([heading, *(f"  {line}".rstrip() for line in lines), *verdict]))

    def __repr__(self) -> str:
        return str(self)


def explain(api: API, plan: Plan, bound: Bound, options: CallOptions) -> Explanation:
    """Explain a call whose arguments are bound; nothing is sent."""
    faults, refused = _faults(plan, bound, options)
    return Explanation(
        key=plan.operation.row.key,
        location=_location(api, plan.operation.row.pointer),
        ways=tuple(_arguments(api, plan, bound)),
        faults=faults,
        refused=refused,
    )


def _faults(plan: Plan, bound: Bound, options: CallOptions) -> tuple[tuple[Fault, ...], str]:
    """The faults of the call, and the message of the first error that it would raise."""
    refused: list[str] = []
    faults: tuple[Fault, ...] = ()
    try:
        plan.binder.check_complete(bound, "strict")
    except RequestError as error:
        refused.append(error.message)
    try:
        plan.incomplete_request(bound, options._replace(validate=replace(options.validate, requests="strict")))
    except RequestError as error:
        refused.append(error.message)
        faults = tuple(getattr(error, "errors", ()))
    return faults, next(iter(refused), "")


def _arguments(api: API, plan: Plan, bound: Bound) -> Iterator[ExplainedArgument]:
    for argument in plan.arguments:
        value = bound.parameters.get((argument.in_, argument.wire), ...)
        if argument.parameter is not None and value is not ...:
            text = MASK if secret(argument.schema) else _text(argument, value)
            yield ExplainedArgument(
                argument.name, argument.in_, argument.wire, text, _location(api, argument.parameter.pointer)
            )
    if bound.body is ...:
        return
    properties = {argument.wire: argument for argument in plan.arguments if argument.kind == "property"}
    whole = next((argument for argument in plan.arguments if argument.kind == "body"), None)
    if isinstance(bound.body, Mapping) and properties:
        for wire, value in bound.body.items():
            yield _of_property(api, str(wire), properties.get(str(wire)), value)
    elif whole is not None and plan.operation.body is not None:
        text = MASK if secret(whole.schema) else _shown(bound.body)
        yield ExplainedArgument(whole.name, "body", "", text, _location(api, plan.operation.body.pointer))


def _of_property(api: API, wire: str, argument: Argument | None, value: Any) -> ExplainedArgument:
    if argument is None or argument.schema is None:
        return ExplainedArgument(wire, "body", wire, _shown(value), None)
    text = MASK if secret(argument.schema) else _shown(value)
    return ExplainedArgument(argument.name, "body", wire, text, _location(api, argument.schema.uri))


def _text(argument: Argument, value: Any) -> str:
    """The text of a parameter on the wire; the value if it can't be serialized."""
    try:
        return serialized(argument.parameter, value) if argument.parameter is not None else _shown(value)
    except DynclientError:
        return _shown(value)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _location(api: API, pointer: str) -> DocumentLocation | None:
    """The location in the document of a pointer of the model; a pointer without a URI refers to the root document."""
    if api.references is None or not pointer:
        return None
    return location_at(api.references, pointer if "#" in pointer else f"{api.document_uri}#{pointer}")
