"""One operation as a callable: what ``voice.create_call`` is.

Its signature and docstring are made when somebody reads them. It is a descriptor that binds to nothing, so that
``help()``, ``inspect`` and completers take it for the function that it stands for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from dynclient._request import Bound
from dynclient.exceptions import ArgumentError, DocumentError
from dynclient.messages import HTTPResult, Request
from dynclient.model import OperationRow

if TYPE_CHECKING:
    import inspect

    from dynclient._client.dispatcher import Dispatcher
    from dynclient._request import Explanation


class _Docstring:
    """``__doc__`` of an operation's method, made when it is read; of the class, its own."""

    def __init__(self, of_the_class: str) -> None:
        self._of_the_class = of_the_class

    def __get__(self, method: OperationMethod | None, owner: type) -> str:
        if method is None:
            return self._of_the_class
        from dynclient.inspection import docstring

        with method._named():  # noqa: SLF001  # the method's own attribute
            return docstring(method._read(), method.__name__, call=method._call())  # noqa: SLF001  # likewise


@lru_cache
def _missing(kind: type[DocumentError]) -> type[DocumentError]:
    """An error that is an AttributeError too. Its pickle is that of the error."""

    def reduced(error: DocumentError) -> tuple[Any, ...]:
        revive, (_, state) = kind.__reduce__(error)
        return revive, (kind, state)

    names = {"__module__": kind.__module__, "__qualname__": kind.__qualname__, "__reduce__": reduced}
    return type(kind.__name__, (kind, AttributeError), names)


class OperationMethod:
    __doc__ = _Docstring("""An operation of the API, called like a method; on an AsyncClient, calls are awaited.""")

    def __init__(
        self, dispatcher: Dispatcher, row: OperationRow, *, name: str | None = None, with_http_info: bool = False
    ) -> None:
        """Take what makes the call, and the name under which the operation was asked for."""
        self._dispatcher = dispatcher
        self._row = row
        self._with_http_info = with_http_info
        suffix = "_with_http_info" if with_http_info else ""
        self.__name__ = (name or row.name) + suffix
        self.__qualname__ = self.__name__
        self.__module__ = "dynclient"

    @property
    def operation(self) -> Any:
        """The operation as the document describes it (:class:`dynclient.model.Operation`)."""
        with self._attribute():
            return self._read()

    @property
    def fault(self) -> DocumentError | None:
        """What is broken in it, so that it can't be called; None where nothing is. It is read for that."""
        return self._dispatcher.document.fault(self._row)

    @property
    def __signature__(self) -> inspect.Signature:
        from dynclient.inspection import signature

        with self._named():
            made = signature(self._read())
        return made.replace(return_annotation=HTTPResult) if self._with_http_info else made

    def __call__(self, /, *args: Any, **keywords: Any) -> Any:
        plan = self._dispatcher.document.plan(self._row)
        return self._dispatcher.send(plan, plan.binder.bind(args, keywords), data_only=not self._with_http_info)

    def __get__(self, instance: object, owner: type | None = None) -> OperationMethod:
        return self

    @property
    def with_http_info(self) -> OperationMethod:
        """The same operation, returning ``HTTPResult(data, status, headers)``."""
        return OperationMethod(self._dispatcher, self._row, name=self.__name__, with_http_info=True)

    def prepare(self, /, *args: Any, **keywords: Any) -> Request:
        """The Request that the call would send, unsent. A credential that was not given shows as ``$NAME``.

        Raises:
            RequestError: as the call would.
        """
        plan = self._dispatcher.document.plan(self._row)
        return self._dispatcher.prepare(plan, plan.binder.bind(args, keywords))

    def send(
        self,
        parameters: Mapping[tuple[str, str], Any] | None = None,
        *,
        body: Any = ...,
        content_type: str | None = None,
        accept: str | None = None,
    ) -> Any:
        """Call by wire names: parameters keyed by ``(location, name)``, such as ``("path", "accountId")``.

        ``content_type`` is the body's media type and ``accept`` the response's, where the document offers a choice.
        Returns an HTTPResult; on an AsyncClient, an awaitable of one.
        """
        plan = self._dispatcher.document.plan(self._row)
        given = dict(parameters or {})
        for key in given:
            if not (isinstance(key, tuple) and len(key) == 2):  # noqa: PLR2004  # (location, name)
                raise ArgumentError(
                    f"parameters are keyed by (location, wire name), not {key!r}", operation_id=plan.operation.id
                )
        bound = plan.binder.checked(Bound(given, body))
        options = self._dispatcher.options
        if content_type or accept:
            options = options._replace(
                content_type=content_type or options.content_type, accept=accept or options.accept
            )
        return self._dispatcher.send(plan, bound, options, data_only=False)

    def stream(self, /, *args: Any, **keywords: Any) -> Any:
        """Call, and leave the response's body unread: ``with op.stream(...) as answer``, or ``async with``.

        What the ``with`` statement gives is an Answer: ``status``, ``headers``, ``iter_bytes()``, ``iter_text()``,
        ``iter_lines()``, ``iter_items()``, ``save(path)`` and ``read()``. Error statuses raise as in a plain call.
        """
        plan = self._dispatcher.document.plan(self._row)
        return self._dispatcher.stream(plan, plan.binder.bind(args, keywords))

    def example(self, seed: int = 0) -> dict[str, Any]:
        """Keyword arguments that make a valid call; the same for the same seed."""
        from dynclient.examples import arguments_example

        with self._named():
            return arguments_example(self.operation, seed)

    def describe(self) -> dict[str, Any]:
        """What its page says, as data."""
        from dynclient.inspection import described

        with self._named():
            return described(self.operation, self.__name__)

    @property
    def schema(self) -> Any:
        """The JSON Schema (2020-12) of the body, complete in itself; None where it takes none."""
        from dynclient.inspection import body_schema_of

        with self._attribute(), self._named():
            return body_schema_of(self.operation)

    def explain(self, /, *args: Any, **keywords: Any) -> Explanation:
        """Where each argument would go on the wire, which line of the document says so, and what validation says.

        Raises:
            ArgumentError: an argument is unknown or given twice.
        """
        from dynclient._request import explain

        plan = self._dispatcher.document.plan(self._row)
        bound = plan.binder.bind(args, keywords, complete=False)
        return explain(self._dispatcher.document.api, plan, bound, self._dispatcher.options)

    def with_options(self, **options: Any) -> OperationMethod:
        """The same operation with other options for this call, as a client's ``with_options`` takes them."""
        dispatcher = self._dispatcher.changed(options)
        return OperationMethod(dispatcher, self._row, name=self.__name__, with_http_info=self._with_http_info)

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Let an error in the document tell the operation that it was found in."""
        try:
            yield
        except DocumentError as error:
            error.operation_id = error.operation_id or self._row.operation_id or self._row.key
            raise

    def _read(self) -> Any:
        return self._dispatcher.document.operation(self._row)

    @contextmanager
    def _attribute(self) -> Iterator[None]:
        """Let ``hasattr`` and ``getattr`` with a default take an error in the document for a missing attribute."""
        try:
            yield
        except DocumentError as error:
            if isinstance(error, AttributeError):
                raise
            revive, (kind, state) = error.__reduce__()
            raise revive(_missing(kind), state).with_traceback(error.__traceback__) from error.__cause__

    def __repr__(self) -> str:
        from dynclient.inspection import page

        try:
            with self._named():
                return page(self.operation, self.__name__, self.__signature__, call=self._call())
        except DocumentError as error:
            # A debugger, or a traceback that shows local variables, must not fail over what it shows.
            return f"<{self.__name__}, broken: {error}>"

    def _call(self) -> str:
        """A call that works when it is pasted, with the client by the name that its document suggests."""
        from dynclient.inspection import client_name

        given = ", ".join(f"{name}={value!r}" for name, value in self.example().items())
        return f"{client_name(self._dispatcher.document.api.document_name)}.{self.__name__}({given})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, OperationMethod):
            return NotImplemented
        return (self._dispatcher, self._row, self.__name__) == (other._dispatcher, other._row, other.__name__)

    def __hash__(self) -> int:
        return hash((id(self._dispatcher), self._row.key, self.__name__))
