"""Convert Python values to plain values: dict, list, str, int, float, bool, None, and Decimal.

datetime, UUID, Decimal, Enum, dataclasses, attrs, msgspec and pydantic objects, mappings, sequences and sets are
converted.

Rule 1: a value is converted exactly, or there is an error with its path.
Rule 2: nothing is guessed: ``__int__``, ``__float__`` and ``str()`` of an unknown type are never used. NumPy's scalars
are unknown (``value.item()`` converts them), except ``float64``, which is a Python float.
Rule 3: no library is imported only to test whether a value has one of its types.
Rule 4: decisions by the schema are left to the caller's ``settle``: the form of bytes and Decimals, and whether 3.0 is
an integer.

A datetime without an offset is written without one. That is not an RFC 3339 date-time, and validation reports it if the
document requires one; for a local time (``format: date-time-local``, or a plain string) it is correct.
"""

from __future__ import annotations

import base64
import datetime as dt
import enum
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any

from dynclient._json_types import is_decimal, plain_number
from dynclient.exceptions import ArgumentError, EncodeError

if TYPE_CHECKING:
    from decimal import Decimal

MAX_DEPTH = 200
"""The deepest nesting of a value; the interpreter's own stack allows somewhat more."""

_ATOMS = frozenset({str, int, float, bool, type(None)})
_CONTAINERS = frozenset({dict, list})
_BYTES = (bytes, bytearray, memoryview)


def plain_value(value: Any, *, files: bool = False, settle: Callable[[Any], Any] | None = None) -> Any:
    """Convert a value to a plain one.

    With ``files``, files for a form or a binary body are kept as they are: bytes, a Path, a file object,
    ``(filename, content)`` and ``(filename, content, content type)``, and, as the whole value, an iterator. Without it,
    bytes become base64. Elements of an XML tree are always kept. A pydantic object is dumped by its aliases. A None
    that is the default of a field of a class counts as not given.

    ``settle`` is given the whole value where it has bytes, Decimals or floats without a fraction, and returns it with
    these written by their schemas.

    Raises:
        ArgumentError: a part of it has an unknown type, or it contains itself.
        EncodeError: a Decimal that is NaN or infinite.
    """
    if type(value) in _ATOMS and (type(value) is not float or settle is None):
        return value
    if files and isinstance(value, Iterator) and not is_file(value):
        return value
    walk = _Walk(files, keep=settle is not None)
    try:
        plain = walk(value, "$")
    except RecursionError:
        # The caller's own recursion had used almost all of the stack.
        raise _too_deep() from None
    return settle(plain) if settle is not None and (walk.unsettled or type(value) is float) else plain


def is_file(value: Any) -> bool:
    """Whether a value is a file to a form: bytes, Path, file object, or a tuple of a file's name and content."""
    if isinstance(value, tuple):
        is_named = len(value) in {2, 3} and isinstance(value[0], str | None)
        return is_named and (_is_content(value[1]) or hasattr(value[1], "__next__") or hasattr(value[1], "__anext__"))
    return _is_content(value)


def _is_content(value: Any) -> bool:
    return isinstance(value, (*_BYTES, os.PathLike)) or callable(getattr(value, "read", None))


class _Walk:
    """One conversion of a value; ``open`` are the ids of the containers around the current one, to find a circle.

    With ``keep`` bytes and Decimals are left as they are; ``unsettled`` says that some were, or a float like 3.0.
    """

    def __init__(self, files: bool, *, keep: bool = False) -> None:  # noqa: FBT001 - private
        self.files = files
        self.keep = keep
        self.unsettled = False
        self.open: set[int] = set()

    def __call__(self, value: Any, path: str) -> Any:
        if type(value) in _ATOMS or (self.files and is_file(value)):
            return value
        if type(value) in _CONTAINERS:
            return self._container(value, value, path)
        convert = _CONVERTERS.get(type(value)) or _converter(value)
        if self.keep and convert in _SETTLED:
            self.unsettled = True
            convert = _SETTLED[convert]
        if convert is not None:
            return _converted(convert, value, path)
        if _is_element(value):
            return value
        members = _members(value, path)
        if members is not None:
            return self._container(value, members, path)
        raise ArgumentError(
            f"{path}: a value of type {_type_name(value)} can't be converted to JSON", argument=path, hint=_hint(value)
        )

    def _container(self, value: Any, members: Any, path: str) -> Any:
        if id(value) in self.open:
            raise ArgumentError(f"{path}: the value contains itself", argument=path)
        if len(self.open) >= MAX_DEPTH:
            raise _too_deep()
        self.open.add(id(value))
        if self.keep and not self.unsettled and not isinstance(members, (_Single, Iterator)):
            parts = members.values() if isinstance(members, Mapping) else members
            if float in set(map(type, parts)):
                self.unsettled = any(type(part) is float and part.is_integer() for part in parts)
        try:
            if isinstance(members, _Single):
                return self(members.value, path)
            if type(members) is dict or isinstance(members, Mapping):
                return self._mapping(members, path)
            return [
                item if type(item) in _ATOMS else self(item, f"{path}[{index}]") for index, item in enumerate(members)
            ]
        finally:
            self.open.discard(id(value))

    def _mapping(self, members: Mapping[Any, Any], path: str) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key, item in members.items():
            name = key if type(key) is str else _key(key, path)
            if name in result:
                raise ArgumentError(f"{path}: two keys are both {name!r} as text", argument=path)
            result[name] = item if type(item) in _ATOMS else self(item, f"{path}.{name}")
        return result


def _too_deep() -> ArgumentError:
    return ArgumentError(f"the value is nested deeper than {MAX_DEPTH}")


class _Single:
    """A value to convert in place of another one, such as an enum member's value."""

    def __init__(self, value: Any) -> None:
        self.value = value


def _key(key: Any, path: str) -> str:
    plain = _Walk(files=False)(key, path)
    if isinstance(plain, str):
        return plain
    if isinstance(plain, int) and not isinstance(plain, bool):
        return str(plain)
    raise ArgumentError(f"{path}: a key must be text, not {_type_name(key)}", argument=path)


# -- atoms -------------------------------------------------------------------------------------------------------------


def _date_time(value: dt.datetime) -> str:
    offset = value.utcoffset()
    if offset is None:
        return value.isoformat()
    # RFC 3339, 5.6: an offset has hours and minutes only.
    if offset % dt.timedelta(minutes=1):
        value = value.astimezone(dt.UTC)
    return _with_z(value.isoformat())


def _with_z(text: str) -> str:
    return text[:-6] + "Z" if text.endswith("+00:00") else text


def _duration(value: dt.timedelta) -> str:
    """Write a duration by RFC 3339, appendix A: a unit between two others is never left out."""
    sign, value = ("-", -value) if value < dt.timedelta() else ("", value)
    minutes, seconds = divmod(value.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    fraction = f"{value.microseconds:06d}".rstrip("0")
    second = f"{seconds}.{fraction}S" if fraction else f"{seconds}S" if seconds else ""
    minute = f"{minutes}M" if minutes or (hours and second) else ""
    hour = f"{hours}H" if hours else ""
    day = f"{value.days}D" if value.days else ""
    time = f"T{hour}{minute}{second}" if hour or minute or second else ""
    return f"{sign}P{day}{time}" if day or time else "PT0S"


def _number(value: Decimal) -> int | Decimal:
    """Convert a Decimal to an int, if one is equal."""
    return plain_number(_finite(value))


def _finite(value: Decimal) -> Decimal:
    if not value.is_finite():
        raise EncodeError("a Decimal is NaN or infinite, which JSON can't write")
    return value


def _base64(value: bytes | bytearray | memoryview) -> str:
    return base64.b64encode(value).decode("ascii")


_CONVERTERS: dict[type, Callable[[Any], Any]] = {
    dt.datetime: _date_time,  # before date, since it is a subclass of it
    dt.date: dt.date.isoformat,
    dt.time: lambda value: _with_z(value.isoformat()),
    dt.timedelta: _duration,
    bytes: _base64,
    bytearray: _base64,
    memoryview: _base64,
    str: str.__str__,
    int: int.__int__,
    float: float.__float__,
}


# The replacements where the schema decides.
_SETTLED: dict[Any, Callable[[Any], Any]] = {_base64: bytes, _number: _finite}


def _converter(value: Any) -> Callable[[Any], Any] | None:
    """Find the converter of a subclass; an enum's member has none, since its value is converted."""
    if isinstance(value, enum.Enum):
        return None
    # A value can't have this type unless its module has been imported, which is slow to import.
    uuid = sys.modules.get("uuid")
    if uuid is not None and isinstance(value, uuid.UUID):
        return str
    if is_decimal(value):
        return _number
    return next((convert for kind, convert in _CONVERTERS.items() if isinstance(value, kind)), None)


def _converted(convert: Callable[[Any], Any], value: Any, path: str) -> Any:
    try:
        return convert(value)
    except EncodeError as error:
        raise EncodeError(f"{path}: {error.message}", hint=error.hint) from None
    except (ValueError, OverflowError, TypeError) as error:
        raise ArgumentError(f"{path}: this {_type_name(value)} can't be written as text", argument=path) from error


# -- containers --------------------------------------------------------------------------------------------------------


def _members(value: Any, path: str) -> Any:
    """The mapping, the sequence or the single value to convert in place of a value; None for an unknown type."""
    if isinstance(value, enum.Enum):
        return _Single(value.value)
    if isinstance(value, Mapping):
        return value
    fields = None if isinstance(value, type) else _fields(value, path)
    if fields is not None:
        return fields
    if isinstance(value, AbstractSet):
        # A set of one type is sorted, so that every run gives the same order.
        try:
            return sorted(value)
        except TypeError:
            return list(value)
    # Iterating over a file would give its lines, which is hardly intended.
    return value if isinstance(value, Sequence | Iterator) and not callable(getattr(value, "read", None)) else None


def _fields(value: Any, path: str) -> Any:
    """The fields of a dataclass, attrs, msgspec or pydantic object; None for any other."""
    cls = type(value)
    if callable(getattr(cls, "model_dump", None)):
        return _Single(_dumped(value, path))
    named = _named_fields(cls)
    if named is None:
        return None
    return {
        wire: found
        for name, wire, default in named
        if (found := getattr(value, name)) is not None or default is not None
    }


def _named_fields(cls: Any) -> list[tuple[str, str, Any]] | None:
    """The fields of a class: the attribute, the name in JSON, the default. A field without one has ``...``."""
    if hasattr(cls, "__dataclass_fields__"):
        import dataclasses

        return [
            (field.name, field.name, ... if field.default is dataclasses.MISSING else field.default)
            for field in dataclasses.fields(cls)
        ]
    if hasattr(cls, "__attrs_attrs__"):
        return [(field.name, field.name, field.default) for field in cls.__attrs_attrs__]
    if hasattr(cls, "__struct_encode_fields__"):
        names, wires, defaults = cls.__struct_fields__, cls.__struct_encode_fields__, cls.__struct_defaults__
        padded = [*([...] * (len(names) - len(defaults))), *defaults]
        return list(zip(names, wires, padded, strict=True))
    return None


def _dumped(value: Any, path: str) -> Any:
    try:
        return _without_defaults(value, value.model_dump(by_alias=True))
    except Exception as error:  # a model's own code may raise anything
        raise ArgumentError(f"{path}: the {_type_name(value)} could not be dumped", argument=path) from error


def _without_defaults(value: Any, dumped: Any) -> Any:
    """The dump of a pydantic object, without each None that is only the default of its field."""
    if isinstance(value, (list, tuple)) and isinstance(dumped, (list, tuple)) and len(value) == len(dumped):
        return [_without_defaults(*pair) for pair in zip(value, dumped, strict=True)]
    if not isinstance(dumped, dict):
        return dumped
    if isinstance(value, Mapping) and len(value) == len(dumped):
        members = zip(value.values(), dumped.items(), strict=True)
        return {key: _without_defaults(member, found) for member, (key, found) in members}
    fields = getattr(type(value), "model_fields", None)
    given = getattr(value, "model_fields_set", ())
    for name, field in (fields or {}).items():
        wire = field.serialization_alias or field.alias or name
        if wire in dumped and dumped[wire] is None and name not in given and field.default is None:
            del dumped[wire]
        elif wire in dumped:
            dumped[wire] = _without_defaults(getattr(value, name), dumped[wire])
    return dumped


def _is_element(value: Any) -> bool:
    return type(value).__module__.startswith(("xml.etree.", "lxml.")) and hasattr(value, "iter")


def _type_name(value: Any) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")


def _hint(value: Any) -> str:
    if isinstance(value, os.PathLike):
        return "pass str(path) for its name, or path.read_bytes() for its contents"
    if callable(getattr(value, "read", None)):
        return "pass file.read()"
    if callable(getattr(value, "item", None)):
        return "pass value.item(), or value.tolist() for an array"
    return ""
