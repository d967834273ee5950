"""How public methods appear to users: with the signature of their object, and tracebacks without dynclient's frames.

Rule 1: a signature that depends on the method's object is computed when it is read, as by ``help()``.
Rule 2: a traceback keeps the frames of the caller's code, including those below dynclient's: of a hook, a credential
function or a body that is read. The same holds for its causes.
Rule 3: ``DYNCLIENT_TRACEBACK=full`` in the environment shows complete tracebacks.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterable, Mapping
from functools import partial, wraps
from importlib import import_module
from types import TracebackType
from typing import Any, ParamSpec, TypeVar, cast

from dynclient._request import Bound, CallOptions, Plan
from dynclient.exceptions import DynclientError

_F = TypeVar("_F")
_P = ParamSpec("_P")
_R = TypeVar("_R")
_Error = TypeVar("_Error", bound=BaseException)


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
    made: inspect.Signature = method.__signature__
    return made.replace(return_annotation=inspect.Signature.empty)


def with_keywords(module: str) -> Callable[[Any], inspect.Signature]:
    """The signature of an operation with the options that a module of this package has, in its ``OPTIONS``."""

    def signature(method: Any) -> inspect.Signature:
        own, options = of_operation(method), import_module(f"dynclient._client.{module}").OPTIONS
        names = [f"{name}_" if name in own.parameters else name for name in options]
        more = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=...) for name in names]
        return own.replace(parameters=[*own.parameters.values(), *more])

    return signature


def split_options(
    plan: Plan, args: tuple[Any, ...], keywords: Mapping[str, Any], names: Iterable[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Split keywords into options and arguments of the call. A name that is both is an argument."""
    arguments = dict(keywords)
    is_bound = bool(args) and type(args[0]) is Bound
    keys = {name: f"{name}_" if not is_bound and plan.binder.takes(name) else name for name in names}
    return {name: arguments.pop(key) for name, key in keys.items() if key in arguments}, arguments


def of_options(_: object) -> inspect.Signature:
    """The signature of ``with_options``: all options; those left out stay as they are."""
    from dynclient.inspection.signatures import of_keywords

    return of_keywords(CallOptions._fields)


# Tracebacks


_OWN = os.path.dirname(os.path.dirname(__file__)) + os.sep  # noqa: PTH120  # pathlib takes time to load


def shortened(error: _Error) -> _Error:
    """Remove dynclient's frames from the tracebacks of an error and its causes; returns the error.

    Raising it again adds that frame.
    """
    if os.environ.get("DYNCLIENT_TRACEBACK") == "full":
        return error
    waiting: list[BaseException | None] = [error]
    seen: set[int] = set()
    while waiting:
        here = waiting.pop()
        if here is not None and id(here) not in seen:
            seen.add(id(here))
            here.__traceback__ = _without_own(here.__traceback__)
            waiting += [here.__cause__, here.__context__]
    return error


def _without_own(traceback: TracebackType | None) -> TracebackType | None:
    kept = []
    while traceback is not None:
        if not traceback.tb_frame.f_code.co_filename.startswith(_OWN):
            kept.append(traceback)
        traceback = traceback.tb_next
    for found in reversed(kept):
        traceback = TracebackType(traceback, found.tb_frame, found.tb_lasti, found.tb_lineno)
    return traceback


def outermost(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Decorate a function that users call or await: tracebacks of its errors show no deeper frame of dynclient."""

    @wraps(function)
    def called(*args: _P.args, **keywords: _P.kwargs) -> _R:
        try:
            return function(*args, **keywords)
        except BaseException as error:
            del args, keywords  # they may hold secrets, and some tracebacks show local variables
            if not isinstance(error, DynclientError):
                raise
            __tracebackhide__ = True  # so that pytest shows the caller's frame
            raise shortened(error)  # noqa: B904  # it is the same error

    @wraps(function)
    async def awaited(*args: _P.args, **keywords: _P.kwargs) -> Any:
        try:
            return await cast("Any", function(*args, **keywords))
        except BaseException as error:
            del args, keywords
            if not isinstance(error, DynclientError):
                raise
            __tracebackhide__ = True
            raise shortened(error)  # noqa: B904  # it is the same error

    return cast("Callable[_P, _R]", awaited) if inspect.iscoroutinefunction(function) else called
