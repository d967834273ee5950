"""Valid values of schemas, and arguments that make a valid call: for examples, mocks and pages.

A value is made, checked by the schema, and made in another way where it is not valid. What no way makes valid is
given as the way with the fewest faults made it.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from dynclient import codecs
from dynclient._schemas import MISSING, is_binary, shape
from dynclient._validation import validator
from dynclient.examples.secrets import replaced
from dynclient.examples.values import Direction, Maker, Way, documented
from dynclient.exceptions import EncodeError
from dynclient.inspection import Argument, arguments, preferred
from dynclient.media_types import XML, MediaKind, find
from dynclient.model import MediaType, Operation, Parameter, Schema

__all__ = ["SECRET", "arguments_example", "example", "media_example", "unrevealing"]

SECRET = "YOUR SECRET"  # noqa: S105  # this is what stands for one

_TURNS = 6
_ANYTHING: tuple[Any, ...] = ("string", 1, True, None, [], {})  # For what a schema only excludes.
_MARKUP = "<example/>"
_WITHOUT_SCHEMA: dict[type, Any] = {object: {}, dict: {}, list: [], str: "string", bytes: b"example"}


def example(
    schema: Schema, direction: Direction = "request", seed: int = 0, *, shown: bool = True, files: bool = False
) -> Any:
    """A valid value of a schema; the same for the same seed.

    ``shown`` takes what the document shows as an example where that is valid. ``files`` tells that the media type
    takes bytes; else they are base64 text below the top.

    Raises:
        DocumentError: the schema is broken.
    """
    check = validator(schema, direction)
    best: Any = MISSING
    fewest = 0
    for value in _candidates(schema, Way(direction, seed, turn=seed, files=files), shown=shown):
        faults = check.faults(value, files=files or isinstance(value, bytes), places=False)
        if not faults:
            return value
        if best is MISSING or len(faults) < fewest:
            best, fewest = value, len(faults)
    return best


def media_example(media_type: MediaType, direction: Direction = "request", seed: int = 0, *, shown: bool = True) -> Any:
    """A valid value for a media type: the document's own example if that is valid, else one by the schema.

    ``shown`` takes what the document shows within the schema too.

    Raises:
        DocumentError: the schema is broken.
    """
    given = [entry.value for entry in media_type.examples if entry.has_value]
    turn = seed % len(given) if given else 0
    schema = media_type.schema
    kind = find(media_type.media_range)
    files = kind.name == "multipart"
    for value in (*given[turn:], *given[:turn]):
        if _valid(schema, value, direction, files=files) and not _is_broken_xml(value, kind):
            return copy.deepcopy(value)
    if schema is None:
        return _without_schema(media_type, kind, direction, seed)
    value = example(schema, direction, seed, shown=shown, files=files)
    return _MARKUP if _is_broken_xml(value, kind) else value


def unrevealing(schema: Schema | None, value: Any, direction: Direction = "request", seed: int = 0) -> Any:
    """A value with each secret text in it (a password, what is never sent back) replaced: by SECRET if that is valid.

    Raises:
        DocumentError: the schema is broken.
    """

    def instead(secret: Schema) -> Any:
        return SECRET if _valid(secret, SECRET, direction) else example(secret, direction, seed, shown=False)

    return replaced(schema, value, instead)


def _valid(schema: Schema | None, value: Any, direction: Direction, *, files: bool = False) -> bool:
    if schema is None or is_binary(schema):
        return True
    return not validator(schema, direction).faults(value, files=files, places=False)


def _is_broken_xml(value: Any, kind: MediaKind) -> bool:
    """Whether text that is to be an XML document is none."""
    if not (kind.name == "xml" and isinstance(value, str)):
        return False
    try:
        codecs.CODECS[kind.codec].encode(value, MediaType(XML), XML)
    except EncodeError:
        return True
    return not value.lstrip().startswith("<")


def arguments_example(operation: Operation, seed: int = 0) -> dict[str, Any]:
    """Keyword arguments that make a valid call: the parameters that are required, and the body; no secret of anybody.

    Raises:
        DocumentError: a schema that the operation needs is broken.
    """
    found: dict[str, Any] = {}
    for argument in arguments(operation):
        if argument.kind == "parameter" and argument.required and argument.parameter is not None:
            value = _parameter(argument, argument.parameter, seed)
            found[argument.name] = unrevealing(argument.schema, value, seed=seed)
        elif argument.kind == "body" and operation.body is not None:
            media_type = preferred(operation.body)
            if media_type is not None:
                found[argument.name] = _sent(media_type, seed)
    return found


def _sent(media_type: MediaType, seed: int) -> Any:
    return unrevealing(media_type.schema, media_example(media_type, "request", seed), seed=seed)


def _candidates(schema: Schema, way: Way, *, shown: bool) -> Iterator[Any]:
    """Values that may be valid, the most telling first."""
    if shown:
        yield from (copy.deepcopy(value) for value in documented(shape(schema), way.seed))
        yield Maker(way).make(schema)
        yield Maker(way._replace(documented="checked")).make(schema)
    for turn in range(way.turn, way.turn + _TURNS):
        for optional in (True, False):
            changed = way._replace(optional=optional, turn=turn)
            if shown:
                yield Maker(changed._replace(documented="checked")).make(schema)
            yield Maker(changed._replace(documented="none")).make(schema)
    yield from copy.deepcopy(_ANYTHING)


def _parameter(argument: Argument, parameter: Parameter, seed: int) -> Any:
    schema = argument.schema
    given = [entry.value for entry in parameter.examples if entry.has_value]
    turn = seed % len(given) if given else 0
    for value in (*given[turn:], *given[:turn]):
        if _valid(schema, value, "request"):
            return copy.deepcopy(value)
    if parameter.media_type is not None:
        return media_example(parameter.media_type, "request", seed)
    return example(schema, "request", seed) if schema is not None else "string"


def _without_schema(media_type: MediaType, kind: MediaKind, direction: Direction, seed: int) -> Any:
    if media_type.item_schema is not None:
        return [example(media_type.item_schema, direction, seed)]
    if kind.name == "xml":
        return _MARKUP
    return copy.copy(_WITHOUT_SCHEMA[kind.value])
