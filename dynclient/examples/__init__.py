"""Make valid values of schemas, and arguments of valid calls, for examples, mocks and pages.

A value is generated and validated, and generated again with other options if it is invalid. If no options give a valid
value, the one with the fewest faults is returned. An example of the document that is almost valid is repaired with the
fewest changes. Only the schema decides what is secret: passwords and write-only
values.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

from dynclient import codecs
from dynclient._plain_values import plain_value
from dynclient._schemas import MISSING, cache, component_name, follow, is_binary, is_structured, shape
from dynclient._schemas.shapes import bounded_depth
from dynclient._validation import body_faults, validator
from dynclient._validation.errors import value_path
from dynclient._validation.validators import is_deeper
from dynclient.codecs import json
from dynclient.examples.scalars import file_of, rotated
from dynclient.examples.values import ANYTHING, Direction, Maker, MakerOptions, documented
from dynclient.exceptions import ArgumentError, DecodeError, EncodeError, Fault
from dynclient.inspection.arguments import Argument, arguments, preferred, secret
from dynclient.media_types import XML, MediaKind, concrete, find, is_parsed
from dynclient.model import MediaType, Operation, Parameter, Schema
from dynclient.options import Limits

__all__ = [
    "SECRET",
    "arguments_example",
    "checked_example",
    "documented_example",
    "example",
    "media_example",
    "unrevealing",
]

SECRET = "YOUR SECRET"  # noqa: S105  # shown instead of a secret

_TURNS = 6
# Items of a stream in a response: one for each documented kind of item, within bounds.
_FEWEST_ITEMS, _MOST_ITEMS = 3, 64
_DEEPEST = 40
_MOST_REPLACED = 100_000
_MARKUP = "<example/>"
_WITHOUT_SCHEMA: dict[type, Any] = {object: {}, dict: {}, list: [], str: "string", bytes: b"example"}


@bounded_depth("a schema, or an example,")
def example(
    schema: Schema,
    direction: Direction = "request",
    seed: int = 0,
    *,
    shown: bool = True,
    files: bool = False,
    fake: int | None = None,
) -> Any:
    """Make a valid value of a schema; the same seed gives the same value.

    ``shown`` prefers examples of the document if they are valid. ``files`` means that binary data is ``bytes``, as in a
    multipart body; otherwise binary data within the value is base64 text. ``fake`` is the seed of realistic values by
    the names of properties, if they are valid; it needs faker (extra ``fake``).

    Raises:
        DocumentError: the schema is broken.
    """
    schema = follow(schema)
    same = _same(schema)
    if seed or fake is not None or not same:
        return _example(schema, direction, seed, shown=shown, files=files, fake=fake)
    # Operations share schemas; without a seed there are only a few values of each.
    known, key = cache(schema.references, "examples"), (same, direction, shown, files)
    if key not in known:
        known[key] = _example(schema, direction, seed, shown=shown, files=files, fake=fake)
    return copy.deepcopy(known[key])


def _same(schema: Schema) -> str:
    """The key of a schema's example: the URI of a named one, or the content of one without subschemas; else empty."""
    if component_name(schema) is not None:
        return schema.uri
    written = f"{schema.dialect.version} {schema.value!r}" if isinstance(schema.value, dict) else "$"
    return "" if "$" in written or written.count("{") > 1 else written


def _example(schema: Schema, direction: Direction, seed: int, *, shown: bool, files: bool, fake: int | None) -> Any:
    check = validator(schema, direction)
    options = MakerOptions(direction, seed, turn=seed, files=files)
    best: Any = MISSING
    least = (True, 0)

    faults_of = partial(check.faults, places=False)
    faked = [options._replace(fake=fake)] if fake is not None else []
    for made_so in (*faked, options, options._replace(optional=False)):
        for value in _candidates(schema, made_so, shown=shown):
            faults = faults_of(value)
            if not faults:
                return value
            # A value of another type has a single fault, but is furthest from the schema.
            wrong = any(fault.path == "$" for fault in faults), len(faults)
            if best is MISSING or wrong < least:
                best, least = value, wrong
        # A property that can't be generated is left out; the others are kept.
        sample = Maker(made_so._replace(documented="none", optional=True))
        mended = repaired(best, faults_of, partial(sample.make, schema))
        if mended is not MISSING:
            return mended
    return best


@bounded_depth("a schema, or an example,")
def media_example(
    media_type: MediaType,
    direction: Direction = "request",
    seed: int = 0,
    *,
    shown: bool = True,
    fake: int | None = None,
) -> Any:
    """Make a valid value for a media type: the document's own example if that is valid, else one by the schema.

    ``shown`` prefers examples within the schema too; ``fake`` is that of :func:`example`.

    Raises:
        DocumentError: the schema is broken.
    """
    shown_value = documented_example(media_type, direction, seed)
    if shown_value is not MISSING:
        return shown_value
    # A range is written as one of its media types.
    schema, kind = media_type.schema, find(concrete(media_type.media_range))

    def make(of: Schema, number: int = 0, *, files: bool = False) -> Any:
        faked = fake if fake is None else fake + number
        return example(of, direction, seed + number, shown=shown, files=files, fake=faked)

    if schema is None:
        return _without_schema(media_type, kind, direction, make)
    if not is_parsed(concrete(media_type.media_range)) and is_structured(schema):
        # Such a value can only be written as JSON: nothing else is known.
        written = json.dump(plain_value(make(schema)))
        return written.encode() if kind.value is bytes else written
    value = make(schema, files=kind.name == "multipart")
    if direction == "response":
        value = _as_sent(value, media_type, kind, make)
    return _MARKUP if _is_broken_xml(value, kind) else value


def _as_sent(value: Any, media_type: MediaType, kind: MediaKind, make: Callable[..., Any]) -> Any:
    """The value in the form that a server sends: a stream of several items, or a valid file."""
    if kind.sequential and isinstance(value, list) and len(value) == 1 and media_type.schema is not None:
        items = shape(media_type.schema).items
        several = _items(items, "response", make) if items is not None else value
        return value if body_faults(media_type, several, "response", Limits(), "auto", places=False) else several
    if isinstance(value, bytes) and kind.codec in {"json", "xml", "yaml"}:
        return value.decode("latin-1")  # A file in such a type is a text in it.
    if isinstance(value, bytes) or kind.opaque:
        file = file_of(concrete(media_type.media_range))
        return value if file is None else file.ljust(len(value) if isinstance(value, bytes) else 0, b"\0")
    return value


def _items(schema: Schema, direction: Direction, make: Callable[..., Any]) -> list[Any]:
    """Items of a stream: one in a request; several in a response, so that each branch of a union occurs."""
    seen = shape(schema)
    count = min(max(len(seen.one_of or seen.any_of), _FEWEST_ITEMS), _MOST_ITEMS) if direction == "response" else 1
    return [make(schema, number) for number in range(count)]


@bounded_depth("a schema, or an example,")
def documented_example(media_type: MediaType, direction: Direction = "request", seed: int = 0) -> Any:
    """Return the first valid example of a media type, or MISSING; ``seed`` selects the first one to try.

    An invalid text that contains valid JSON is parsed. If no example is valid, one is repaired.

    Raises:
        DocumentError: the schema is broken.
    """
    kind = find(concrete(media_type.media_range))
    values = rotated((entry.value for entry in media_type.examples if entry.has_value), seed)

    def faults_of(value: Any) -> list[Fault]:
        return body_faults(media_type, value, direction, Limits(), "auto", places=False)

    readings = [reading for value in values for reading in _readings(value, media_type, kind)]
    for value in readings:
        if not faults_of(value):
            return copy.deepcopy(value)
    for value in readings:
        mended = repaired(value, faults_of, lambda: media_example(media_type._replace(examples=()), direction))
        if mended is not MISSING:
            return mended
    return MISSING


def _readings(value: Any, media_type: MediaType, kind: MediaKind) -> Iterator[Any]:
    """The possible meanings of an example: itself, JSON in a text, one item of a sequence."""
    text = value if isinstance(value, str) else None
    schema = media_type.schema
    if schema is not None and not is_parsed(concrete(media_type.media_range)) and is_structured(schema):
        yield from [text] if text is not None else []
        return
    if kind.sequential and text is not None:
        with suppress(DecodeError):
            yield codecs.CODECS[kind.codec].decode(text.encode("utf-8"), media_type, media_type.media_range, Limits())
    elif kind.sequential and media_type.item_schema is not None:
        yield value if isinstance(value, list) else [value]
        return
    if not _is_broken_xml(value, kind):
        yield value
    if text is not None and kind.structured and text.lstrip()[:1] in {"{", "["}:
        with suppress(DecodeError):
            yield json.load(text.encode("utf-8", "replace"), Limits())


@bounded_depth("a schema, or an example,")
def unrevealing(schema: Schema | None, value: Any, direction: Direction = "request", seed: int = 0) -> Any:
    """Replace each secret text in a value with SECRET if that is valid, else with another example.

    Raises:
        DocumentError: the schema is broken.
    """

    def replacement(of: Schema) -> Any:
        return SECRET if _valid(of, SECRET, direction) else example(of, direction, seed, shown=False)

    return _replaced(schema, value, replacement, iter(range(_MOST_REPLACED)))


def _replaced(
    schema: Schema | None,
    value: Any,
    replacement: Callable[[Schema], Any],
    steps: Iterator[int],
    depth: int = 0,
    above: frozenset[str] = frozenset(),
) -> Any:
    """``above`` are the schemas already visited for the same value: branches may have their union in allOf."""
    if schema is None or depth > _DEEPEST:
        return value
    if next(steps, None) is None:
        # Nested unions are visited by every path: an unchecked value is not shown.
        return SECRET if isinstance(value, str) else type(value)() if isinstance(value, (dict, list)) else value
    if isinstance(value, str):
        return replacement(schema) if secret(schema) else value
    if not isinstance(value, (dict, list)):
        return value
    seen = shape(schema)
    above |= {seen.schema.uri}
    for branch in (*seen.one_of, *seen.any_of):
        if shape(branch).schema.uri not in above:
            value = _replaced(branch, value, replacement, steps, depth + 1, above)
    if isinstance(value, list):
        return [_replaced(seen.items, member, replacement, steps, depth + 1) for member in value]
    additional = seen.additional if isinstance(seen.additional, Schema) else None
    return {
        name: _replaced(seen.properties.get(name, additional), member, replacement, steps, depth + 1)
        for name, member in value.items()
    }


def _valid(schema: Schema | None, value: Any, direction: Direction) -> bool:
    if schema is None or is_binary(schema):
        return True
    return not validator(schema, direction).faults(value, places=False)


def _is_broken_xml(value: Any, kind: MediaKind) -> bool:
    """Whether the value of an XML media type is a string that is not well-formed XML."""
    if not (kind.name == "xml" and isinstance(value, str)):
        return False
    try:
        codecs.CODECS[kind.codec].encode(value, MediaType(XML), XML)
    except EncodeError:
        return True
    return not value.lstrip().startswith("<")


@bounded_depth("a schema, or an example,")
def arguments_example(operation: Operation, seed: int = 0) -> dict[str, Any]:
    """Make keyword arguments for a valid call: the required parameters and the body, without secrets.

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
                value = media_example(media_type, "request", seed)
                found[argument.name] = unrevealing(media_type.schema, value, seed=seed)
    return found


def checked_example(operation: Operation, seed: int = 0) -> dict[str, Any]:
    """Make keyword arguments for a valid call, as :func:`arguments_example`.

    Raises:
        ArgumentError: no valid value was found for one of them; ``errors`` are the faults of the nearest.
        DocumentError: a schema that the operation needs is broken.
    """
    found = arguments_example(operation, seed)
    for argument in arguments(operation):
        value = found.get(argument.name, MISSING)
        if value is MISSING or argument.schema is None or isinstance(value, bytes):
            continue
        if argument.media_type is not None and argument.media_type.schema is not None:
            faults = body_faults(argument.media_type, value, "request", Limits(), "auto")
        else:
            faults = [] if argument.kind == "body" else validator(argument.schema, "request").faults(value)
        is_text = isinstance(value, str) and argument.kind == "body"
        if faults and not is_text:
            raise ArgumentError(
                f"no valid example of {argument.name} was found for its schema",
                argument=argument.name,
                errors=faults,
                operation_id=operation.id,
                hint='validate=Validation(requests="warn") sends a value of your own, whatever the schema says',
            )
    return found


def _candidates(schema: Schema, options: MakerOptions, *, shown: bool) -> Iterator[Any]:
    """Values that may be valid, the most informative first: by each branch of the unions in turn, then any value."""
    if shown and options.optional:
        yield from (copy.deepcopy(value) for value in documented(shape(schema), options.seed))
        maker = Maker(options)
        yield maker.make(schema)
        if maker.is_cut:
            # Further attempts would take as long, with the same result.
            return
        yield Maker(options._replace(documented="checked")).make(schema)
    for turn in range(options.turn, options.turn + _TURNS):
        # Another seed gives other strings and numbers, which may not be excluded.
        changed = options._replace(turn=turn, seed=options.seed + turn - options.turn)
        if shown:
            yield Maker(changed._replace(documented="checked")).make(schema)
        maker = Maker(changed._replace(documented="none"))
        yield maker.make(schema)
        if maker.is_cut:
            break
    if not options.optional:
        yield from copy.deepcopy(ANYTHING)


def _parameter(argument: Argument, parameter: Parameter, seed: int) -> Any:
    schema = argument.schema
    for value in rotated((entry.value for entry in parameter.examples if entry.has_value), seed):
        if _valid(schema, value, "request"):
            return copy.deepcopy(value)
    if parameter.media_type is not None:
        return media_example(parameter.media_type, "request", seed)
    if schema is None:
        return "string"
    # Styles write a list or an object of plain values, which another branch of a union may be.
    made = (example(schema, "request", seed + turn) for turn in range(_TURNS))
    found = next((value for value in made if not is_deeper(value, 1)), MISSING)
    return example(schema, "request", seed) if found is MISSING else found


def _without_schema(media_type: MediaType, kind: MediaKind, direction: Direction, make: Callable[..., Any]) -> Any:
    if media_type.item_schema is not None:
        return _items(media_type.item_schema, direction, make)
    if kind.name == "xml":
        return _MARKUP
    file = file_of(concrete(media_type.media_range)) if kind.value is bytes and direction == "response" else None
    return copy.copy(_WITHOUT_SCHEMA[kind.value]) if file is None else file


_ROUNDS = 12

Keys = list[Any]


def repaired(value: Any, faults_of: Callable[[Any], list[Fault]], sample: Callable[[], Any]) -> Any:
    """Return a valid value with as many parts of a value as possible, or MISSING.

    A member with a fault is first replaced by that of a sample; then it is removed; then the same is tried with what
    contains it.
    ``faults_of`` validates a value. ``sample`` makes a value of the same schema, which need not be valid.
    """
    if not isinstance(value, (dict, list)):
        return MISSING
    value, pattern = copy.deepcopy(value), sample()
    tries: Counter[str] = Counter()
    for _ in range(_ROUNDS):
        faults = faults_of(value)
        if not faults:
            return value
        # The last one first, so that the indices of the other items remain correct when one is removed.
        for path in dict.fromkeys(fault.path for fault in reversed(faults)):
            climb, remove = divmod(tries[path], 2)
            tries[path] += 1
            keys = _keys(value, path)
            keys = keys[: len(keys) - climb]
            if not keys:
                return MISSING
            replacement = MISSING if remove else _at(pattern, keys)
            if replacement is MISSING:
                tries[path] += 1 - remove
                _remove(value, keys)
            else:
                _put(value, keys, copy.deepcopy(replacement))
    return MISSING


def _keys(value: Any, path: str) -> Keys:
    """The names and indexes that a fault's path goes through; the last may be a name that is missing."""
    keys: Keys = []
    rest = path.removeprefix("$")
    while rest:
        names = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else []
        fitting = [name for name in names if rest.startswith(value_path([name]))]
        if not fitting:
            return [*keys, _name(rest)]
        key = max(fitting, key=lambda name: len(value_path([name])))
        rest = rest[len(value_path([key])) :]
        keys.append(key)
        value = value[key]
    return keys


def _name(step: str) -> str:
    """The name of a path's last step."""
    if step.startswith("['"):
        return step[2:-2].replace("\\'", "'").replace("\\\\", "\\")
    return step.removeprefix(".")


def _at(value: Any, keys: Keys) -> Any:
    """The member of a sample: of a list its last item, where the sample has fewer of them."""
    for key in keys:
        if isinstance(value, dict) and key in value:
            value = value[key]
        elif isinstance(value, list) and value and isinstance(key, int):
            value = value[min(key, len(value) - 1)]
        else:
            return MISSING
    return value


def _remove(value: Any, keys: Keys) -> None:
    owner = _at(value, keys[:-1])
    if isinstance(owner, dict):
        owner.pop(keys[-1], None)
    elif isinstance(owner, list) and isinstance(keys[-1], int) and keys[-1] < len(owner):
        del owner[keys[-1]]


def _put(value: Any, keys: Keys, member: Any) -> None:
    owner = _at(value, keys[:-1])
    if isinstance(owner, dict) or (isinstance(owner, list) and isinstance(keys[-1], int) and keys[-1] < len(owner)):
        owner[keys[-1]] = member
