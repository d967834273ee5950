"""One operation as a callable, ``voice.create_call``, and the dispatcher that makes its calls.

A client's attributes are the API's operations, so what operations need of their client is in the dispatcher. The
signature and the docstring of an operation are made when they are read. It is a descriptor that binds to nothing, so
that ``help()``, ``inspect`` and completers take it for a function.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from dynclient._client.drivers import AsyncDispatcher, Dispatcher
from dynclient._client.shown_methods import of_operation, of_options, outermost, shortened, shown_as, with_keywords
from dynclient._client.state import (
    WITH_HTTP_INFO,
    OperationNames,
    attributes_near,
    naming,
    no_such_operation,
    variant,
)
from dynclient._request import Bound
from dynclient._schemas import shape
from dynclient.exceptions import ArgumentError, DocumentError, DynclientError, escaped
from dynclient.inspection.arguments import arguments, secret
from dynclient.messages import HTTPResult, Request
from dynclient.model import API, OperationRow, Schema

if TYPE_CHECKING:
    import inspect

    from dynclient._paging.rules import Pagination
    from dynclient._request import Explanation
    from dynclient.inspection.tables import Row


class _Docstring:
    """``__doc__``: computed when it is read from an operation, a fixed text on the class."""

    def __init__(self, of_the_class: str) -> None:
        self._of_the_class = of_the_class

    def __get__(self, method: OperationMethod | None, owner: type) -> str:
        if method is None:
            return self._of_the_class
        return method._described()  # noqa: SLF001  # the method's own attribute


@lru_cache
def _also(kind: type[DocumentError], other: Any) -> type[DocumentError]:
    """A subclass of two error classes. Its errors are pickled as the first class."""

    def reduced(error: DocumentError) -> tuple[Any, ...]:
        revive, (_, state) = kind.__reduce__(error)
        return revive, (kind, state)

    names = {"__module__": kind.__module__, "__qualname__": kind.__qualname__, "__reduce__": reduced}
    return type(kind.__name__, (kind, other), names)


class Described:
    """The attributes of every operation, independent of its arguments."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        row: OperationRow,
        name: str | None = None,
        with_http_info: bool = False,  # noqa: FBT001, FBT002  # as it was looked up
        namespace: str = "",
    ) -> None:
        """``name`` is the name that the operation was looked up with, in a namespace; by default its flat name."""
        self._dispatcher = dispatcher
        self._row = row
        self._with_http_info = with_http_info
        self._namespace = namespace
        suffix = WITH_HTTP_INFO if with_http_info else ""
        self.__name__ = (name or row.name) + suffix
        self.__qualname__ = f"{namespace}.{self.__name__}" if namespace else self.__name__
        self.__module__ = "dynclient"

    @property
    def operation(self) -> Any:
        """The operation as described by the document (:class:`dynclient.model.Operation`)."""
        with self._attribute():
            return self._read()

    @property
    def fault(self) -> DocumentError | None:
        """Read the operation, and return the error in the document that stops some or all of its calls, or None."""
        return self._dispatcher.document.fault(self._row)

    @property
    def pagination(self) -> Pagination | None:
        """How the operation's list is paginated, with the evidence in the document; None if it is not."""
        from dynclient._client.paging import rule_of

        with self._attribute():
            return rule_of(self._dispatcher.document, self._row, self._dispatcher.options)

    @outermost
    def example(self, seed: int = 0) -> dict[str, Any]:
        """Keyword arguments that make a valid call; the same for the same seed.

        Raises:
            ArgumentError: no valid value was found for one of them.
        """
        from dynclient.examples import checked_example

        with naming(self._row):
            return checked_example(self.operation, seed)

    def from_strings(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Convert strings, such as a row of a CSV file, to keyword arguments of a call, by the document's schemas.

        Numbers, booleans, null, and JSON of arrays and objects are read by their schemas. An empty string is left out
        if the schema does not allow it, as that of a number or a date.

        Raises:
            ArgumentError: the operation has no such argument, or an array or object is not JSON.
        """
        return self._dispatcher.document.plan(self._row).binder.from_strings(row)

    def describe(self) -> dict[str, Any]:
        """The contents of its reference page, as data."""
        from dynclient.inspection.views import described

        with naming(self._row):
            return described(self)

    @property
    def schema(self) -> Any:
        """The JSON Schema (2020-12) of the body, with all that it refers to; None if it has no body."""
        from dynclient.inspection.views import body_schema_of

        with self._attribute(), naming(self._row):
            return body_schema_of(self.operation)

    @shown_as(of_operation)
    @outermost
    def explain(self, /, *args: Any, **keywords: Any) -> Explanation:
        """Show where each argument goes in the request, by which line of the document, and the faults of validation.

        Raises:
            ArgumentError: an argument is unknown or given twice.
        """
        from dynclient._request import explain

        plan = self._dispatcher.document.plan(self._row)
        bound = plan.binder.bind(args, keywords, self._dispatcher.options.defaults)
        options = self._dispatcher.options_of(plan.operation)
        return explain(self._dispatcher.document.api, plan, bound, options)

    @shown_as(with_keywords("jobs"))
    @outermost
    def wait(self, /, *args: Any, **keywords: Any) -> Any:
        """Call, and wait until the server has finished the job; returns the data of the result, or an awaitable of it.

        Takes the arguments of the call, and ``timeout``, the seconds for everything; None is no limit. :attr:`waiter`,
        or the answer, says which URL is polled. ``until={"status": "completed"}`` waits for these values at their
        paths, of a GET by the same request; ``failed={"status": ["failed", "expired"]}`` are those of a failure;
        ``until="final"`` follows the document's declaration. With ``follow=True`` it yields each state as it arrives.
        If an argument of the call has the name of an option, write the option with an underscore after it.

        Raises:
            WaitFailed: the job failed; ``.state`` and ``.result`` have the server's answer.
            WaitTimeout: it has not ended yet; ``dynclient.resume(client, error.resume)`` continues.
        """
        from dynclient._client.jobs import wait

        return wait(self._dispatcher, self._row, args, keywords, with_http_info=self._with_http_info)

    @shown_as(with_keywords("jobs"))
    @outermost
    def start(self, /, *args: Any, **keywords: Any) -> Any:
        """Call, and return the job that it started: ``.result(timeout=)``, ``.status``, ``.poll()``, ``.resume``.

        Takes the arguments of the call, ``until`` and ``failed``. On an AsyncClient it is awaited.
        """
        from dynclient._client.jobs import start

        return start(self._dispatcher, self._row, args, keywords, with_http_info=self._with_http_info)

    @property
    def waiter(self) -> Any:
        """How to wait for it (:class:`dynclient.types.Waiter`), with evidence; None if the document does not say."""
        from dynclient._client.waiting import waiter_named

        with self._attribute():
            return waiter_named(self._dispatcher.document, self._row)

    @property
    def callbacks(self) -> Any:
        """The operation's callbacks by name: ``callbacks[name].receive(headers, body, verify=...)`` gives an Event."""
        from dynclient._incoming.receiving import callbacks

        document = self._dispatcher.document
        with self._attribute():
            incoming = document.once("callbacks", self._row, lambda: document.api.read_incoming(self._row))
        return callbacks(incoming, self._dispatcher.state.limits, self._dispatcher.options.validate.responses)

    def _read(self) -> Any:
        return self._dispatcher.document.operation(self._row)

    @contextmanager
    def _attribute(self, other: Any = AttributeError) -> Iterator[None]:
        """Make an error in the document an AttributeError too, for ``hasattr`` and ``getattr`` with a default."""
        try:
            yield
        except DocumentError as error:
            if isinstance(error, other):
                raise
            revive, (kind, state) = error.__reduce__()
            raise revive(_also(kind, other), state).with_traceback(error.__traceback__) from error.__cause__


class OperationMethod(Described):
    __doc__ = _Docstring("""An operation of the API, called like a method; on an AsyncClient, calls are awaited.""")

    @property
    def __signature__(self) -> inspect.Signature:
        from dynclient.inspection.signatures import signature

        # inspect raises ValueError for "no signature", after which help() continues.
        with self._attribute(ValueError), naming(self._row):
            made = signature(self._read(), self._dispatcher.options.defaults)
        return made.replace(return_annotation=HTTPResult) if self._with_http_info else made

    def __call__(self, /, *args: Any, **keywords: Any) -> Any:
        try:
            dispatcher = self._dispatcher
            plan = dispatcher.document.plan(self._row)
            bound = plan.binder.bind(args, keywords, dispatcher.options.defaults)
            return dispatcher.send(plan, bound, data_only=not self._with_http_info)
        except DynclientError as error:  # as `outermost` does; its frame would be one more in every call
            __tracebackhide__ = True
            raise shortened(error)  # noqa: B904  # it is the same error

    def __get__(self, instance: object, owner: type | None = None) -> OperationMethod:
        return self

    @property
    def with_http_info(self) -> OperationMethod:
        """The same operation, returning ``HTTPResult(data, status, headers)``."""
        return self._like(self._dispatcher, with_http_info=True)

    @shown_as(of_operation)
    @outermost
    def prepare(self, /, *args: Any, **keywords: Any) -> Request:
        """The Request that the call would send. A missing credential is shown as ``$NAME``.

        Raises:
            RequestError: as the call would.
        """
        plan = self._dispatcher.document.plan(self._row)
        return self._dispatcher.prepare(plan, plan.binder.bind(args, keywords, self._dispatcher.options.defaults))

    @outermost
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
        filled = plan.binder.filled(self._dispatcher.options.defaults).values()
        given = {**{(one.in_, one.wire): value for one, value in filled}, **given}
        options = self._dispatcher.options
        if content_type or accept:
            options = options._replace(
                content_type=content_type or options.content_type, accept=accept or options.accept
            )
        return self._dispatcher.send(plan, Bound(given, body), options, data_only=False)

    @shown_as(of_operation)
    @outermost
    def stream(self, /, *args: Any, **keywords: Any) -> Any:
        """Call, and leave the response's body unread: ``with op.stream(...) as answer``, or ``async with``.

        The ``with`` statement gives an Answer: ``status``, ``headers``, ``iter_bytes()``, ``iter_text()``,
        ``iter_lines()``, ``iter_items()``, ``save(path)`` and ``read()``; it iterates over the items. Error statuses
        raise as in a plain call. If the document offers sequences of items next to other media types, sequences are
        requested first.
        """
        from dynclient._client.streaming import streamed

        plan = self._dispatcher.document.plan(self._row)
        bound = plan.binder.bind(args, keywords, self._dispatcher.options.defaults)
        return streamed(self._dispatcher, plan, bound)

    @shown_as(with_keywords("paging"))
    @outermost
    def paginate(self, /, *args: Any, **keywords: Any) -> Any:
        """Iterate over a list's items, page by page: ``for item in op.paginate(...)``, or ``async for``.

        Takes the arguments of the call. ``.pages()`` of the returned object iterates over whole pages, ``.first(n)``
        returns a list. :attr:`pagination` says how the next page is requested; ``by`` overrides it. ``page_size`` is a
        number or ``"max"``, ``max_items`` the largest number of items, ``resume`` the text of a page to continue at;
        ``prefetch=1`` fetches the next page in the background, ``unique="id"`` leaves out items that moved between
        pages, and ``on_repeat="stop"`` ends the list at a repeated page. If an argument of the call has the name of an
        option, write the option with an underscore after it.

        Raises:
            PaginationUnclear: the document does not say clearly enough how the list pages.
            PaginationError: while iterating: the server repeats a page, or names one that can't be requested.
        """
        from dynclient._client.paging import AsyncPages, Pages, pages_of

        dispatcher = self._dispatcher
        kind = AsyncPages if isinstance(dispatcher, AsyncDispatcher) else Pages
        options, send = dispatcher.options_of(self._read()), partial(dispatcher.send, data_only=False)
        return pages_of(dispatcher.document, self._row, options, send, args, keywords, kind)

    @shown_as(of_options)
    @outermost
    def with_options(self, **options: Any) -> OperationMethod:
        """The same operation with other options for its calls: those of a client's ``with_options``."""
        return self._like(self._dispatcher.changed(options), with_http_info=self._with_http_info)

    def _like(self, dispatcher: Dispatcher, *, with_http_info: bool) -> OperationMethod:
        name = self.__name__.removesuffix(WITH_HTTP_INFO) if self._with_http_info else self.__name__
        return OperationMethod(dispatcher, self._row, name, with_http_info, self._namespace)

    def __repr__(self) -> str:
        # A debugger, or a traceback that shows local variables, must not fail over this object.
        fault = self.fault
        if fault is not None:
            return f"<{self.__name__}, broken: {fault}>"
        return f"{self.__name__}{self.__signature__}\n\n{escaped(self._described())}"

    def _described(self) -> str:
        """The docstring; that of a broken operation says what is wrong with it, and leaves out unreadable parts."""
        from dynclient.inspection.docstrings import broken, docstring, sequel

        fault = self.fault
        try:
            call = self._call() if fault is None else None
            described = docstring(self._read(), self.__name__, call=call, more=sequel(self))
        except DocumentError:
            described = self._row.summary or self._row.key
        return described if fault is None else f"{described}\n\n{broken(fault)}"

    def _call(self) -> str:
        """A valid call, as code; the client's name is derived from that of the document."""
        from dynclient.examples import arguments_example
        from dynclient.inspection.docstrings import client_name

        with naming(self._row):
            example = arguments_example(self.operation)
        given = ", ".join(f"{name}={value!r}" for name, value in example.items())
        return f"{client_name(self._dispatcher.document.api.document_name)}.{self.__qualname__}({given})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, OperationMethod):
            return NotImplemented
        return (self._dispatcher, self._row, self.__name__) == (other._dispatcher, other._row, other.__name__)

    def __hash__(self) -> int:
        return hash((id(self._dispatcher), self._row.key, self.__name__))


# An operation has to be read to find out whether it is broken, which takes milliseconds.
_CHECKED = 500
BEST = 15  # results of a search that are printed at once


class Operations(Mapping[str, Any]):
    """The operations of a client by their flat Python names, in the document's order.

    ``operations[...]`` also takes an operationId, a name within a namespace (``calls.create_call``) and
    ``"POST /accounts/{accountId}/calls"``. Printed, it is a table.
    """

    __slots__ = ("_dispatcher", "_most", "_names")

    def __init__(self, dispatcher: Dispatcher, names: OperationNames, *, most: int | None = None) -> None:
        """``most``: these are search results, of which this many are printed."""
        self._dispatcher = dispatcher
        self._names = names
        self._most = most

    def __getitem__(self, name: str) -> Any:
        return OperationMethod(self._dispatcher, self._names.find(name))

    def __iter__(self) -> Iterator[str]:
        return iter(self._names.by_name)

    def __len__(self) -> int:
        return len(self._names.by_name)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name in self._names.by_any

    def search(self, words: str) -> Operations:
        """The operations that best match these words in names, paths, texts or parameters, best first."""
        keys = {row.key: row for row in self._names.by_name.values()}
        found = self._dispatcher.document.search_index.search(words)
        return Operations(
            self._dispatcher, OperationNames(keys[row.key] for row in found if row.key in keys), most=BEST
        )

    def __repr__(self) -> str:
        # Colours and the terminal's width at the prompt; plain text in a log or a pipe.
        return self._text(in_terminal=hasattr(sys, "ps1"))

    def _repr_html_(self) -> str:
        from dynclient.inspection.tables import as_html

        return as_html(*self._table(), note=self._note())

    def _repr_mimebundle_(self, **_formats: Any) -> dict[str, str]:
        return {"text/plain": self._text(in_terminal=True), "text/html": self._repr_html_()}

    def _text(self, *, in_terminal: bool) -> str:
        from dynclient.inspection.tables import as_text, for_stream

        if in_terminal and sys.stdout.isatty():  # not in a notebook, whose HTML has its own colours
            return for_stream(*self._table(), sys.stdout, note=self._note())
        return as_text(*self._table(), note=self._note())

    def _note(self) -> str:
        if self._most is not None:
            more = len(self) > self._most
            return f"the best {self._most} of {len(self):,}; list(...) has the names of all" if more else ""
        if len(self) <= _CHECKED:
            return ""
        return f"broken operations are marked in the first {_CHECKED:,} only; `dynclient ls --check` marks all of them"

    def _table(self) -> tuple[tuple[Row, ...], tuple[str, ...]]:
        """A row for each operation, and the paths that could not be listed."""
        from dynclient.inspection.tables import lost, rows

        document = self._dispatcher.document
        api, every = document.api, tuple(self._names.by_name.values())
        if self._most is not None:
            # Results of a search are in the order of their rank, without the headings of tags.
            every = tuple(row._replace(tags=()) for row in every[: self._most])
        found = rows(api._replace(rows=every[:_CHECKED]), document.fault)
        found += rows(api._replace(rows=every[_CHECKED:]))
        return found, () if self._most is not None else lost(api)

    def _ipython_key_completions_(self) -> list[str]:
        return list(self._names.by_any)


class Namespace:
    """The operations of one tag."""

    __slots__ = ("_dispatcher", "_name")

    def __init__(self, name: str, dispatcher: Dispatcher) -> None:
        self._name = name
        self._dispatcher = dispatcher

    def __getattr__(self, name: str) -> OperationMethod:
        found = variant(self._rows, name)
        if found is None:
            raise no_such_operation(name, attributes_near(name, self._rows), self._name)
        return OperationMethod(self._dispatcher, *found, self._name)

    @property
    def _rows(self) -> dict[str, OperationRow]:
        return self._dispatcher.document.names.by_namespace[self._name]

    def __dir__(self) -> list[str]:
        return list(self._rows)

    def __repr__(self) -> str:
        return repr(self._listed()) if hasattr(sys, "ps1") else f"<{self._name}: {', '.join(self._rows)}>"

    def _repr_mimebundle_(self, **formats: Any) -> dict[str, str]:
        return self._listed()._repr_mimebundle_(**formats)  # IPython's name for it

    def _listed(self) -> Operations:
        """The operations by their names in this namespace."""
        rows = (row._replace(name=name) for name, row in self._rows.items())
        return Operations(self._dispatcher, OperationNames(rows), most=len(self._rows))


class Summary:
    """The namespaces of a large API, with the number of operations of each, which a client shows instead of a list."""

    __slots__ = ("_api",)

    def __init__(self, api: API) -> None:
        self._api = api

    def __repr__(self) -> str:
        from dynclient.inspection.tables import NAMESPACE_HEAD, aligned, namespaces

        return "\n".join([aligned([NAMESPACE_HEAD, *namespaces(self._api)]), self._note])

    def _repr_mimebundle_(self, **_formats: Any) -> dict[str, str]:
        from dynclient.inspection.tables import namespaces_as_html

        return {"text/plain": repr(self), "text/html": namespaces_as_html(self._api, note=self._note)}

    @property
    def _note(self) -> str:
        return "a namespace lists its operations, `operations` all of them; `operations.search(words)` finds some"


def allow_completion(*classes: type) -> None:
    """Let IPython, if it is loaded, evaluate attributes of these classes while it completes, and offer values.

    Its completer evaluates no attribute of a class that has ``__getattr__``, since that could have effects. Here it
    only makes a method, so the classes are added to IPython's list of safe ones.
    """
    guarded = sys.modules.get("IPython.core.guarded_eval")
    for policy in getattr(guarded, "EVALUATION_POLICIES", {}).values():
        allowed = getattr(policy, "allowed_getattr", None)
        if isinstance(allowed, set):
            allowed.update(classes)
    shells = sys.modules.get("IPython.core.interactiveshell") if guarded is not None else None
    if shells is not None and shells.InteractiveShell.initialized():
        shell = shells.InteractiveShell.instance()
        matchers = getattr(shell.Completer, "custom_matchers", None)
        if isinstance(matchers, list) and not any(getattr(one, "func", None) is _matches for one in matchers):
            matcher: Any = partial(_matches, shell, classes)
            matcher.__qualname__ = "dynclient"  # IPython recognizes a matcher by it
            matchers.append(matcher)


def _matches(shell: Any, classes: tuple[type, ...], text: str) -> list[str]:
    """Complete ``voice.update_call(state="`` with the values that the document lists for it.

    ``text`` is the word before the cursor; returns whole words. Only clients and namespaces, of these classes, are
    evaluated.
    """
    called, keyword, quote = _value_begun(getattr(shell.Completer, "text_until_cursor", ""))
    first, *names = called.split(".")
    found = shell.user_ns.get(first)
    for name in names:
        found = getattr(found, name, None) if isinstance(found, classes) else None
    if not keyword or not isinstance(found, OperationMethod):
        return []
    values = _values(found, keyword)
    words = [str(value) if quote or not isinstance(value, str) else f'"{value}"' for value in values]
    return [word for word in words if word.startswith(text)]


def _values(method: OperationMethod, keyword: str) -> tuple[Any, ...]:
    try:
        found = next((one for one in arguments(method.operation) if keyword in {one.name, one.wire}), None)
        schema: Schema | None = found.schema if found is not None else None
        if schema is None or secret(schema):
            return ()
        seen = shape(schema)
        values = seen.enum or (shape(seen.items).enum if seen.items is not None else None) or ()
    except DocumentError:
        return ()
    return tuple(value for value in values if isinstance(value, str | int) and str(value).isprintable())


def _value_begun(line: str) -> tuple[str, str, str]:
    """The call in a line up to the cursor, the keyword whose value is being typed, and its quote.

    Empty if there is none.
    """
    before, _, arguments = line.rpartition("(")
    head, _, value = arguments.rpartition("=")
    value = value.lstrip()
    quote = value[:1] if value[:1] in {"'", '"'} else ""
    keyword = _last_word(head.rstrip(), "_")
    if ")" in arguments or set(value.removeprefix(quote)) & set("'\"(),="):
        return "", "", ""
    return _last_word(before, "_."), keyword, quote


def _last_word(text: str, others: str) -> str:
    start = len(text)
    while start and (text[start - 1].isalnum() or text[start - 1] in others):
        start -= 1
    return text[start:]
