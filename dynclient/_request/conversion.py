"""Convert data of responses to Python objects, for the option ``convert=``.

Rule 1: nothing is converted unless requested; ``error.data`` and data that do not match their schema stay plain.
Rule 2: a format is converted where the schema of a text or number has it. A schema is converted by its name in the
document: of a union, by the branch that the value fits best.
Rule 3: values within an object are converted before the object itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from typing import Any

from dynclient._document.references import Document
from dynclient._identifiers import identifier, near
from dynclient._json_types import Written
from dynclient._schemas import Shape, ValueWalk
from dynclient.exceptions import ArgumentError, DecodeError
from dynclient.model import API, MediaType, Schema
from dynclient.options import Limits

_FORMAT = "format:"
Convert = Callable[[Any], Any]


def _date_time(text: Any) -> Any:
    from datetime import datetime

    # RFC 3339, 5.6: T and Z may be in lower case, and the 60th second is a leap second, which datetime does not have.
    text = text.upper()
    return datetime.fromisoformat(f"{text[:17]}59{text[19:]}" if text[17:19] == "60" else text)


def _date(text: Any) -> Any:
    from datetime import date

    return date.fromisoformat(text)


def _uuid(text: Any) -> Any:
    from uuid import UUID

    return UUID(text)


def _decimal(value: Any) -> Any:
    from decimal import Decimal

    return Decimal(str(value))


FORMATS: dict[str, dict[str, Convert]] = {
    "dates": {"date-time": _date_time, "date": _date},
    "uuids": {"uuid": _uuid},
    "decimals": {"decimal": _decimal},
}
"""The words of ``convert=``, with the formats that each converts, and how."""


class Converter:
    """Converts decoded and valid data, by the formats and the names of schemas."""

    def __init__(self, formats: Mapping[str, Convert], schemas: Mapping[str, Convert], given: Any) -> None:
        """Take a function for each format, one for each name of a schema, and what ``convert=`` was given."""
        self._given = given
        self._formats = formats
        self._schemas = schemas
        self._walk = ValueWalk(self._leaf, lambda leaf: isinstance(leaf, (str, int, float)), whole=self._object)

    def __reduce__(self) -> tuple[Any, ...]:
        return converter, (self._given,)

    def check(self, api: API) -> None:
        """Refuse the name of a schema that the document doesn't have; a file that it refers to may have it.

        Raises:
            ArgumentError: there is no such schema.
        """
        missing = next((name for name in self._schemas if name not in api.schemas), None)
        if missing is not None and not (isinstance(api.references, Document) and api.references.refers_elsewhere):
            message = f"convert: the document has no schema {missing!r}"
            raise ArgumentError(message, argument="convert", matches=near(missing, api.schemas))

    def limits(self, limits: Limits) -> Limits:
        """The limits of reading a response: Decimals are made from JSON numbers with all of their digits."""
        from dynclient.codecs.json import ExactLimits

        return ExactLimits(**asdict(limits)) if "decimal" in self._formats else limits

    def body(self, media_type: MediaType, data: Any) -> Any:
        """Convert the data of a whole body.

        Raises:
            DecodeError: a class or a function refuses a value.
        """
        if media_type.item_schema is not None and isinstance(data, list):
            return [self.value(media_type.item_schema, item, f"$[{index}]") for index, item in enumerate(data)]
        return self.value(media_type.schema, data)

    def value(self, schema: Schema | None, data: Any, path: str = "$") -> Any:
        """Convert a value by its schema, if it has one.

        Raises:
            DecodeError: a class or a function refuses a value.
        """
        made = data if schema is None else self._walk.value(schema, data, path)
        return _floats(made) if "decimal" in self._formats else made

    def _leaf(self, shapes: list[Shape], value: Any, path: str) -> Any:
        formats = (self._formats.get(each.format or "") for each in shapes)
        convert = self._named(shapes) or next(filter(None, formats), None)
        return value if convert is None or isinstance(value, bool) else _converted(convert, value, path)

    def _object(self, shapes: list[Shape], made: Any, path: str) -> Any:
        convert = self._named(shapes)
        return made if convert is None else _converted(convert, _floats(made), path)

    def _named(self, shapes: list[Shape]) -> Convert | None:
        # The second one is the best branch of a union, if it is one.
        names = (each.name for each in (*shapes[1:2], *shapes[:1]) if each.name is not None)
        return next((self._schemas[name] for name in names if name in self._schemas), None)


def _floats(value: Any) -> Any:
    """A value with ordinary floats, where their digits were not needed."""
    if type(value) is dict:
        return {name: _floats(member) for name, member in value.items()}
    if type(value) is list:
        return [_floats(member) for member in value]
    return float(value) if isinstance(value, Written) else value


def _converted(convert: Convert, value: Any, path: str) -> Any:
    try:
        return convert(value)
    except Exception as error:  # the caller's class may raise any error
        named = getattr(convert, "__self__", convert)  # the class of a class method
        name = getattr(named, "__name__", type(named).__name__)
        raise DecodeError(f"{path} can't be converted by {name}: {type(error).__name__}") from error


def converter(given: Any) -> Converter | None:
    """Make a Converter from the value of ``convert=``: words of :data:`FORMATS`, mappings, or a list of both.

    Raises:
        ArgumentError: a word is unknown, or a value of a mapping can't be called.
    """
    if given is None or isinstance(given, Converter):
        return given
    formats: dict[str, Convert] = {}
    schemas: dict[str, Convert] = {}
    for part in [given] if isinstance(given, (str, Mapping)) or not isinstance(given, Iterable) else given:
        if isinstance(part, str) and part in FORMATS:
            formats |= FORMATS[part]
            continue
        if not isinstance(part, Mapping):
            raise ArgumentError(
                f"convert takes {', '.join(map(repr, FORMATS))}, or a mapping of schema names to classes, not {part!r}",
                argument="convert",
            )
        for name, kind in part.items():
            if not callable(kind):
                raise ArgumentError(
                    f"convert: {name!r} must have a class or a function, not {kind!r}", argument="convert"
                )
            if name.startswith(_FORMAT):
                formats[name.removeprefix(_FORMAT)] = kind
            else:
                schemas[name] = maker(kind)
    return Converter(formats, schemas, given) if formats or schemas else None


def maker(kind: Any) -> Convert:
    """Return a function that makes an object of a class from a mapping; pydantic's classes validate it."""
    if callable(getattr(kind, "model_validate", None)):
        validate: Convert = kind.model_validate
        return validate
    fields = _fields(kind)
    if fields is None:
        call: Convert = kind
        return call

    def made(value: Any) -> Any:
        known = ((fields.get(name) or fields.get(identifier(name)), member) for name, member in value.items())
        return kind(**{name: member for name, member in known if name is not None})

    return made


def _fields(kind: Any) -> dict[str, str] | None:
    """The names of a class's properties in JSON -> those of its parameters; None for a class without fields."""
    if isinstance(kind, type) and hasattr(kind, "__dataclass_fields__"):
        import dataclasses

        return {field.name: field.name for field in dataclasses.fields(kind) if field.init}
    if hasattr(kind, "__attrs_attrs__"):
        return {field.name: field.alias for field in kind.__attrs_attrs__ if field.init}
    if hasattr(kind, "__struct_encode_fields__"):
        return dict(zip(kind.__struct_encode_fields__, kind.__struct_fields__, strict=True))
    return None
