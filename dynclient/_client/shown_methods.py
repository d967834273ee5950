"""Methods whose signatures depend on their object, and are computed when they are read, as by ``help()``."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

from dynclient._request import CallOptions

if TYPE_CHECKING:
    import inspect

_F = TypeVar("_F")


class _BoundMethod(partial[Any]):
    """A method with a signature of its object, which is computed when it is read."""

    shown_by: Callable[[Any], inspect.Signature]

    @property
    def __signature__(self) -> inspect.Signature:
        return self.shown_by(self.args[0])

    @property
    def __func__(self) -> Any:
        return self.func

    @property
    def __self__(self) -> Any:
        return self.args[0]

    def __get__(self, instance: object, owner: type | None = None) -> _BoundMethod:
        return self  # so that help() takes it for a function

    def __reduce__(self) -> tuple[Any, ...]:
        return getattr, (self.args[0], self.func.__name__)


class _ShownMethod:
    """A method whose signature depends on its object."""

    def __init__(self, function: Any, shown_by: Callable[[Any], inspect.Signature]) -> None:
        self._function, self._shown_by = function, shown_by

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        if instance is None:
            return self._function
        return self._bound(instance)

    def _bound(self, instance: object) -> _BoundMethod:
        method = _BoundMethod(self._function, instance)
        method.shown_by = self._shown_by
        for name in ("__doc__", "__name__", "__qualname__"):
            setattr(method, name, getattr(self._function, name))
        return method


class ShownClassMethod(_ShownMethod):
    """A class method whose defaults are shown if they are short."""

    def __init__(self, method: Any) -> None:
        super().__init__(method.__func__, self._signature)

    def __get__(self, instance: object, owner: type | None = None) -> _BoundMethod:
        return self._bound(owner)

    def _signature(self, _: object) -> inspect.Signature:
        from dynclient.inspection.signatures import of_class_method

        return of_class_method(self._function)


def shown_as(signature: Callable[[Any], inspect.Signature]) -> Callable[[_F], _F]:
    """Decorate a method: ``help()`` and completers get the signature that a function makes for its object."""

    def decorate(function: _F) -> _F:
        return cast("_F", _ShownMethod(function, signature))

    return decorate


def of_operation(method: Any) -> inspect.Signature:
    """The signature of an operation, for a method that takes its arguments."""
    import inspect

    made: inspect.Signature = method.__signature__
    return made.replace(return_annotation=inspect.Signature.empty)


def with_keywords(module: str) -> Callable[[Any], inspect.Signature]:
    """The signature of an operation with the options that a module of this package has, in its ``OPTIONS``."""

    def signature(method: Any) -> inspect.Signature:
        import inspect
        from importlib import import_module

        own, options = of_operation(method), import_module(f"dynclient._client.{module}").OPTIONS
        names = [f"{name}_" if name in own.parameters else name for name in options]
        more = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=...) for name in names]
        return own.replace(parameters=[*own.parameters.values(), *more])

    return signature


def of_options(_: object) -> inspect.Signature:
    """The signature of ``with_options``: all options; those left out stay as they are."""
    from dynclient.inspection.signatures import of_keywords

    return of_keywords(CallOptions._fields)
