"""Binding: turn a call's arguments into values by (location, wire name), and the body.

Rule 1: positional arguments are the required parameters, then the body.
Rule 2: a keyword is the wire name in the document, or a Python name. The wire name of an argument always means that
argument.
Rule 3: the body is given as a whole, by its own name or as ``body``, or by its properties as keywords, not both. If the
body has a property of such a name, the keyword means the property; but a mapping, if the property can't be an object,
is the whole body.
Rule 4: positional arguments skip parameters with a default of the client.
Rule 5: ``...`` always means "not given". None means "not given" for an optional parameter or body, since neither a URL
nor a header has a null; within a body it is null. :meth:`~.OperationMethod.send` sends None as null.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from dynclient._identifiers import near
from dynclient._records import Record
from dynclient._request.options import CallOptions
from dynclient._schemas import from_text, read, shape
from dynclient._validation import validator
from dynclient.exceptions import ArgumentError
from dynclient.inspection.arguments import Argument
from dynclient.options import ValidationMode

FOREIGN_NAMES = {
    # OAS 3.1.1, Parameter Object, `name`: a parameter of this name is ignored.
    "authorization": "auth= of load() is the credential; with_options(headers={'Authorization': ...}) sends a text",
    "body": "the document has no body here; client.request(method, path, body=...) sends one",
    "params": "parameters are keywords of their own; query={...} adds those that the document lacks",
    "data": "body= is the body",
    "json": "body= is the body",
}
"""Hints for arguments that other clients have."""
_MOST_SHOWN = 12


class Bound(Record):
    """The values of one call. ``body`` is ``...`` if none was given."""

    parameters: Mapping[tuple[str, str], Any]
    body: Any = ...


class Binder:
    """Binds the arguments of one operation; made once, at its first use."""

    __slots__ = ("_body", "_by_name", "_for_records", "_operation_id", "_positional")

    def __init__(self, arguments: Sequence[Argument], operation_id: str, body_name: str | None = None) -> None:
        """Take the arguments in the order of the signature, and the name of the body in a document of version 2.0."""
        self._operation_id = operation_id
        self._body = next((argument for argument in arguments if argument.kind == "body"), None)
        self._positional = tuple(
            argument
            for argument in arguments
            if argument.kind == "body" or (argument.kind == "parameter" and argument.required)
        )
        self._by_name: dict[str, Argument] = {}
        named = [argument for argument in arguments if argument.kind != "body"]
        # Of several arguments with the same wire name, the one with that Python name.
        own = ((one.wire, one) for one in named if one.name == one.wire)
        for name, argument in (*own, *((one.wire, one) for one in named), *((one.name, one) for one in named)):
            self._by_name.setdefault(name, argument)
        # Names of the body that are also those of its properties, for values that no such property can have.
        self._for_records: set[str] = set()
        if self._body is not None:
            for name in filter(None, (self._body.name, "body", body_name)):
                found = self._by_name.setdefault(name, self._body)
                if found.kind == "property" and _is_no_object(found):
                    self._for_records.add(name)

    def bind(self, args: Sequence[Any], keywords: Mapping[str, Any], defaults: Mapping[str, Any] = {}) -> Bound:
        """Bind a call's arguments; required ones may be missing. A Bound is returned unchanged.

        ``defaults`` are values of parameters that are not given. Their names may be those of other operations.

        Raises:
            ArgumentError: one is unknown or given twice.
        """
        if args and type(args[0]) is Bound:
            bound: Bound = args[0]
            return bound
        filled = self.filled(defaults) if defaults else {}
        given = {**filled, **self._given(args, keywords, filled)}
        parameters: dict[tuple[str, str], Any] = {}
        properties: dict[str, Any] = {}
        body: Any = ...
        for argument, value in given.values():
            if value is ... or (value is None and argument.kind != "property" and not argument.required):
                continue
            if argument.kind == "parameter":
                parameters[argument.in_, argument.wire] = value
            elif argument.kind == "body":
                body = value
            else:
                properties[argument.wire] = value
        if properties and body is not ...:
            raise self._error(
                f"the body is given as a whole, and by its properties too: {', '.join(sorted(properties))}",
                next(iter(properties)),
            )
        if properties:
            body = properties
        return Bound(parameters, body)

    def takes(self, name: str) -> bool:
        """Whether the call has an argument with this name."""
        return name in self._by_name

    def from_strings(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Convert the strings of a row by the schemas of their arguments; an empty one that is invalid is left out.

        Raises:
            ArgumentError: an argument is unknown, or an array or object is not JSON.
        """
        found: dict[str, Any] = {}
        for keyword, value in row.items():
            argument = self._by_name.get(keyword)
            if argument is None:
                raise self._unknown(keyword)
            if value is None:
                continue
            if not isinstance(value, str) or argument.schema is None:
                found[keyword] = value if argument.schema is None else read(argument.schema, value)
                continue
            if value == "" and validator(argument.schema, "request").faults(value, places=False):
                continue
            try:
                found[keyword] = from_text(argument.schema, value)
            except ValueError as error:
                raise self._error(f"argument {keyword} is not JSON: {error}", keyword) from None
        return found

    def check_complete(self, bound: Bound, mode: ValidationMode) -> None:
        """Refuse a call without a required argument; if validation is not strict, only without a path parameter.

        Raises:
            ArgumentError: a required argument is missing.
        """
        missing = [
            argument.name
            for argument in self._positional
            if argument.required
            and (mode == "strict" or argument.in_ == "path")
            and (
                bound.body is ...
                if argument.kind == "body"
                else bound.parameters.get((argument.in_, argument.wire)) is None
            )
        ]
        if missing:
            plural = "s" if len(missing) > 1 else ""
            lacks_body = self._body is not None and self._body.name in missing
            hint = self._properties() if lacks_body else ""
            if not hint and not any(
                argument.in_ == "path" for argument in self._positional if argument.name in missing
            ):
                hint = 'validate=Validation(requests="warn") sends the request without'
            raise self._error(f"missing argument{plural}: {', '.join(missing)}", missing[0], hint=hint)

    def _properties(self) -> str:
        """A hint on passing the body by its properties, required ones first."""
        found = {id(each): each for each in self._by_name.values() if each.kind == "property"}.values()
        names = [f"{each.name}=" for each in sorted(found, key=lambda each: not each.required)]
        required = sum(each.required for each in found)
        more = ", …" if len(names) > _MOST_SHOWN else ""
        what = f"; the first {required} are required" if 0 < required < len(names) else ""
        return f"the body's properties can be given as {', '.join(names[:_MOST_SHOWN])}{more}{what}" if names else ""

    def filled(self, defaults: Mapping[str, Any]) -> dict[int, tuple[Argument, Any]]:
        """The operation's parameters for which the client has a default, with these values."""
        found = ((self._by_name.get(name), value) for name, value in defaults.items())
        return {id(one): (one, value) for one, value in found if one is not None and one.kind == "parameter"}

    def _given(
        self, args: Sequence[Any], keywords: Mapping[str, Any], filled: Collection[int]
    ) -> dict[int, tuple[Argument, Any]]:
        # Parameters with a default are skipped, unless all are given by position.
        left = [argument for argument in self._positional if id(argument) not in filled] if filled else self._positional
        if len(args) > len(self._positional):
            names = ", ".join(argument.name for argument in self._positional) or "none"
            raise self._error(
                f"{len(args)} positional arguments given, but it takes {len(self._positional)} ({names})", ""
            )
        given = {
            id(argument): (argument, value)
            for argument, value in zip(left if len(args) <= len(left) else self._positional, args, strict=False)
        }
        for keyword, value in keywords.items():
            argument = self._by_name.get(keyword)
            if argument is None:
                raise self._unknown(keyword)
            if keyword in self._for_records and self._body is not None and _is_record(value):
                argument = self._body
            if id(argument) in given:
                raise self._error(f"argument {argument.name} is given twice", argument.name)
            given[id(argument)] = (argument, value)
        return given

    def _unknown(self, keyword: str) -> ArgumentError:
        matches = near(keyword, list(dict.fromkeys(argument.name for argument in self._by_name.values())))
        name = keyword.lower().replace("-", "_")
        hint = FOREIGN_NAMES.get(name, "")
        if name in CallOptions._fields:
            hint = f"set options of a single call with with_options({name}=...)(...)"
        return self._error(f"unknown argument {keyword}", keyword, matches=matches, hint=hint)

    def _error(self, message: str, argument: str, **data: Any) -> ArgumentError:
        return ArgumentError(message, argument=argument, operation_id=self._operation_id, **data)


def _is_no_object(argument: Argument) -> bool:
    """Whether no value of an argument can be an object, by the types in its schema."""
    if argument.schema is None:
        return False
    seen = shape(argument.schema)
    found = [seen.types] if seen.types else [shape(branch).types for branch in (*seen.one_of, *seen.any_of)]
    return bool(found) and all(types and "object" not in types for types in found)


def _is_record(value: Any) -> bool:
    """Whether a value becomes an object: a mapping, or a dataclass, attrs, msgspec or pydantic object."""
    names = ("__dataclass_fields__", "__attrs_attrs__", "__struct_fields__", "model_dump")
    return isinstance(value, Mapping) or any(hasattr(type(value), name) for name in names)
