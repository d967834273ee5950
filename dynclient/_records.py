"""Named tuples that are cheap to define.

``typing.NamedTuple`` writes and compiles source for each class, which takes ten times as long as this does; a first
call needs more than a hundred classes. To type checkers a :class:`Record` is a NamedTuple, and it behaves as one: a
tuple, with names for its members, and ``_fields``, ``_field_defaults``, ``_asdict``,
``_make`` and ``_replace``.

Rule: a module that defines one has ``from __future__ import annotations``, so that every version of Python has the
annotations available while it creates the class.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__all__ = ["Record"]

if TYPE_CHECKING:
    from typing import NamedTuple as Record
else:
    from collections.abc import Iterable
    from operator import itemgetter

    try:
        # The descriptor of named tuples: four times as fast as a property.
        from _collections import _tuplegetter as getter
    except ImportError:

        def getter(index: int, doc: str) -> property:
            return property(itemgetter(index), doc=doc)

    _new = tuple.__new__
    _GETTERS = tuple(getter(index, f"Member {index}.") for index in range(64))

    class _Type(type):
        def __new__(cls, name: str, bases: tuple[type, ...], members: dict[str, Any]) -> type:
            # A subclass of a record is an ordinary class.
            if tuple not in bases and Record in bases:
                fields = tuple(members.get("__annotations__", ()))
                defaults = {field: members[field] for field in fields if field in members}
                if tuple(defaults) != fields[len(fields) - len(defaults) :]:
                    raise TypeError(f"in {name}, a member without a default follows one with a default")
                members.update(zip(fields, _GETTERS[: len(fields)], strict=True))
                members["__slots__"] = ()
                members["__match_args__"] = members["_fields"] = fields
                members["_field_defaults"] = defaults
                members["_last"] = tuple(defaults.values())
            return super().__new__(cls, name, bases, members)

        @property
        def __signature__(cls) -> Any:
            if "__new__" in vars(cls) or cls is Record:
                return None
            from inspect import Parameter, Signature

            kind, annotations = Parameter.POSITIONAL_OR_KEYWORD, _annotations(cls)
            return Signature(
                [
                    Parameter(name, kind, default=cls._field_defaults.get(name, Parameter.empty), annotation=annotation)
                    for name in cls._fields
                    for annotation in [annotations.get(name, Parameter.empty)]
                ]
            )

    class Record(tuple, metaclass=_Type):
        """A tuple whose members have names: those that the class annotates, in their order."""

        __slots__ = ()
        _fields = ()
        _field_defaults = {}  # noqa: RUF012  # nobody changes it
        _last = ()

        def __new__(cls, *values: Any, **named: Any) -> Any:
            missing = len(cls._fields) - len(values)
            if named:
                values = _completed(cls, values, named)
            elif missing:
                values += cls._last[-missing:] if 0 < missing <= len(cls._last) else _completed(cls, values, named)
            return _new(cls, values)

        @classmethod
        def _make(cls, values: Iterable[Any]) -> Any:
            made = _new(cls, values)
            if len(made) != len(cls._fields):
                raise TypeError(f"{cls.__name__} has {len(cls._fields)} members, not {len(made)}")
            return made

        def _replace(self, **named: Any) -> Any:
            made = self._make(map(named.pop, self._fields, self))
            if named:
                raise ValueError(f"{type(self).__name__} has no member {next(iter(named))!r}")
            return made

        # Called by copy.replace, since Python 3.13.
        __replace__ = _replace

        def _asdict(self) -> dict[str, Any]:
            return dict(zip(self._fields, self, strict=True))

        def __repr__(self) -> str:
            return f"{type(self).__name__}({', '.join(f'{name}={self[i]!r}' for i, name in enumerate(self._fields))})"

        def __getnewargs__(self) -> tuple[Any, ...]:
            return tuple(self)

    def _annotations(cls: type) -> dict[str, Any]:
        from inspect import get_annotations

        return next((found for each in cls.__mro__ if each is not Record and (found := get_annotations(each))), {})

    def _completed(cls: type, values: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, ...]:
        """All members, of those that were given by position and by name, and of defaults."""
        fields = cls._fields
        left = fields[len(values) :] if values else fields
        known = named if len(named) == len(left) else cls._field_defaults | named
        try:
            if len(values) <= len(fields) and (known is named or named.keys() <= set(left)):
                return values + tuple(map(known.__getitem__, left))
        except KeyError:
            pass
        raise TypeError(f"{cls.__name__}() {_mistake(fields, values, named, cls._field_defaults | named)}")

    def _mistake(fields: Any, values: Any, named: dict[str, Any], known: dict[str, Any]) -> str:
        """The error in the arguments."""
        if len(values) > len(fields):
            return f"takes at most {len(fields)} arguments, not {len(values)}"
        for name in named:
            if name not in fields:
                return f"got an unexpected argument {name!r}"
            if name in fields[: len(values)]:
                return f"got the argument {name!r} twice"
        return f"misses the argument {next(name for name in fields[len(values) :] if name not in known)!r}"
