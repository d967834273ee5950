"""One operation as a callable, ``voice.create_call``, and the dispatcher that makes its calls.

A client's attributes are the API's operations, so what operations need of their client is in the dispatcher. The
signature and the docstring of an operation are made when they are read. It is a descriptor that binds to nothing, so
that ``help()``, ``inspect`` and completers take it for a function.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from dynclient._call import call, with_key
from dynclient._client.drivers import drive, drive_async
from dynclient._client.shown_methods import of_operation, of_options, outermost, shortened, shown_as, with_keywords
from dynclient._client.state import WITH_HTTP_INFO, ClientState, LoadedDocument, naming
from dynclient._request import Bound, CallOptions, Plan
from dynclient._response import ResponseReader
from dynclient.exceptions import ArgumentError, DocumentError, DynclientError, NoSuchOperation, escaped
from dynclient.messages import HTTPResult, Request
from dynclient.model import Operation, OperationRow, SecurityRequirement
from dynclient.options import Rate, RateLimiter
from dynclient.security import AuthFlow, Security, concealed

if TYPE_CHECKING:
    import inspect

    from dynclient._call.pace import Pace
    from dynclient._client.streaming import Body
    from dynclient._paging.rules import Pagination
    from dynclient._request import Explanation


class Dispatcher:
    """Makes the calls of a Client: they run in the caller's thread and block."""

    is_async = False

    __slots__ = ("_limits", "_security", "_validations", "document", "options", "state")

    def __init__(self, state: ClientState, options: CallOptions, document: LoadedDocument | None = None) -> None:
        """``document`` is the state's current one unless given.

        Raises:
            ArgumentError: ``auth`` fits none of the document's security schemes, or ``validate`` names an operation
                that it does not have.
        """
        self.state = state
        self.options = options
        self.document = document = state.document if document is None else document
        self._security = Security(
            document.api,
            options.auth,
            base_url=options.base_url,
            allow_origins=options.allow_origins,
            certificate=state.certificate,
            cache=state.credentials,
        )
        # Most clients validate all operations alike: their names need not be looked up.
        self._validations = _validations(options, document) if options.validate.by else {}
        self._limits = _limits(options.rate, document) if getattr(options.rate, "by", None) else {}

    def changed(self, options: Mapping[str, Any]) -> Dispatcher:
        """Return a dispatcher with other options for the same document."""
        if "auth" in options:
            options = {**options, "auth": concealed(options["auth"])}
        return type(self)(self.state, self.options.changed(options), self.document)

    def options_of(self, operation: Operation, options: CallOptions | None = None) -> CallOptions:
        """The options of an operation's calls, with its own validation."""
        options = self.options if options is None else options
        own = self._validations.get(operation.row.key)
        return options if own is None else options._replace(validate=own)

    def security_of_any(self) -> tuple[SecurityRequirement, ...]:
        """The security of an undocumented request: the document's top-level one, or else any credential given."""
        return self._security.of_any(self.document.api.security)

    def has_credentials(self, operation: Operation) -> bool:
        """Whether the client has the credentials that an operation requires; no login is started."""
        return self._security.can_meet(Request(operation.method, ""), operation)

    def prepare(self, plan: Plan, bound: Bound, options: CallOptions | None = None) -> Request:
        """The Request of a call, with a placeholder for each credential that is missing."""
        options = self.options_of(plan.operation, options)
        request = plan.request(bound, options)
        self._security.check_headers(options.headers, request, plan.operation)
        return self._security.placeholder(request, plan.operation)

    def send(self, plan: Plan, bound: Bound | Request, options: CallOptions | None = None, *, data_only: bool) -> Any:
        """Make a call: return its data, or its HTTPResult."""
        result = drive(call(**self._prepared(plan, bound, options or self.options)), self.state.transport)
        return result.data if data_only else self._linked(plan, result)

    def _linked(self, plan: Plan, result: Any) -> Any:
        """The result with ``follow``, which is made when it is read."""

        def following(result: HTTPResult) -> Any:
            from dynclient._client.links import Following

            return Following(self, plan, result)

        # No other code has it yet; a copy would cost more than all of this.
        object.__setattr__(result, "following", following)
        return result

    def stream(self, plan: Plan, bound: Bound, options: CallOptions | None = None) -> Any:
        """A context manager that makes the call when it is entered, and leaves the response's body unread."""
        from dynclient._client.streaming import Streaming

        return Streaming(self._body(plan, bound, options or self.options))

    def _body(self, plan: Plan, bound: Bound, options: CallOptions) -> Body:
        from dynclient._client.streaming import Body

        prepared = self._prepared(plan, bound, plan.streaming(options))
        request = prepared.pop("request")
        return Body(partial(call, stream=True, **prepared), request, options, self.state.transport)

    def _pace(self, rate: Rate | RateLimiter, operation: Operation) -> Pace:
        """The pace of an operation's calls: its own limits, then that of its origin."""
        row = operation.row
        own = [name for name, meant in self._limits.items() if meant == row.key or meant in row.tags]
        return self.state.pacing.of(rate, own, row.key)

    def unsent(
        self, plan: Plan, bound: Bound, options: CallOptions, key: Callable[[], str]
    ) -> tuple[dict[str, Any], bool]:
        """A call to send later: the arguments of its flow, and whether it can be repeated, by an idempotency key too.

        Raises:
            RequestError: the arguments are wrong.
        """
        prepared = self._prepared(plan, bound, options)
        request, repeatable = with_key(prepared["request"], plan.operation, options.retry, key, self.state.limits)
        return {**prepared, "request": request}, repeatable

    def run_unsent(self, prepared: Mapping[str, Any]) -> HTTPResult:
        """Send a call that :meth:`unsent` has made."""
        result: HTTPResult = drive(call(**prepared), self.state.transport)
        return result

    def _prepared(self, plan: Plan, bound: Bound | Request, options: CallOptions) -> dict[str, Any]:
        """The arguments of a call's flow; a Request is sent as it is."""
        if self._validations:
            options = self.options_of(plan.operation, options)
        mode, engine = options.validate.responses, options.validate.engine
        if mode == "strict":
            plan.check_answers()
        request = bound if isinstance(bound, Request) else plan.request(bound, options)
        operation = plan.operation
        recorder = self.document.recorder if mode == "record" else None
        reader = ResponseReader(operation, self.state.limits, mode, engine, options.convert, recorder)
        auth = AuthFlow(self._security, operation) if operation.security else None
        if options.headers:
            self._security.check_headers(options.headers, request, operation)
        if options.http_cache is not None and self.state.certificate:
            # A response may depend on the client's certificate, which is not part of the request.
            options = options._replace(http_cache=None)
        if options.cookies is not None and not self._security.trusts(request, operation):
            options = options._replace(cookies=None)
        return {
            "request": request,
            "options": options,
            "reader": reader,
            "budget": self.state.budget,
            "auth": auth,
            "certificate": self.state.may_identify and self._security.trusts(request, operation),
            "pace": None if options.rate is None else self._pace(options.rate, operation),
        }


def _limits(rate: Any, document: LoadedDocument) -> dict[str, str]:
    """Names of operations and tags with their own limit -> their meaning: an operation's key, or a tag.

    Raises:
        ArgumentError: there is no such operation or tag.
    """
    found = {}
    tags = {tag for row in document.api.rows for tag in row.tags} if rate.by else ()
    for name in rate.by:
        try:
            found[name] = name if name in tags else document.names.find(name).key
        except NoSuchOperation as error:
            hint = "Rate(by={name: rate}) takes an operationId, a Python name, 'METHOD /path' or a tag"
            raise ArgumentError(f"rate: {error.message}", argument="rate", matches=error.matches, hint=hint) from None
    return found


def _validations(options: CallOptions, document: LoadedDocument) -> dict[str, Any]:
    """The validation of single operations, by their keys.

    Raises:
        ArgumentError: there is no such operation.
    """
    try:
        return {document.names.find(name).key: mode for name, mode in options.validate.by.items()}
    except NoSuchOperation as error:
        hint = "Validation(by={name: mode}) takes an operationId, a Python name or 'METHOD /path'"
        raise ArgumentError(
            f"validate: {error.message}", argument="validate", matches=error.matches, hint=hint
        ) from None


class AsyncDispatcher(Dispatcher):
    """Makes the calls of an AsyncClient: each is a coroutine, which does nothing until it is awaited."""

    __slots__ = ()
    is_async = True

    def send(self, plan: Plan, bound: Bound | Request, options: CallOptions | None = None, *, data_only: bool) -> Any:
        """Make a call: a coroutine that returns its data, or its HTTPResult."""
        return self._send(plan, bound, options or self.options, data_only=data_only)

    def stream(self, plan: Plan, bound: Bound, options: CallOptions | None = None) -> Any:
        """An asynchronous context manager that makes the call when it is entered, and leaves the body unread."""
        from dynclient._client.streaming import AsyncStreaming

        return AsyncStreaming(self._body(plan, bound, options or self.options))

    async def run_unsent_async(self, prepared: Mapping[str, Any], transport: Any) -> HTTPResult:
        """Send a call that :meth:`unsent` has made, by a transport of this event loop."""
        result: HTTPResult = await drive_async(call(**prepared), transport)
        return result

    @outermost
    async def _send(self, plan: Plan, bound: Bound | Request, options: CallOptions, *, data_only: bool) -> Any:
        result: HTTPResult = await drive_async(call(**self._prepared(plan, bound, options)), self.state.transport)
        return result.data if data_only else self._linked(plan, result)


class _Docstring:
    """``__doc__``: of an operation made when it is read, of the class a fixed text."""

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
        if the schema does not allow a string.

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
        """Where each argument goes in the request, by which line of the document, and the faults that validation finds.

        Raises:
            ArgumentError: an argument is unknown or given twice.
        """
        from dynclient._request import explain

        plan = self._dispatcher.document.plan(self._row)
        bound = plan.binder.bind(args, keywords, self._dispatcher.options.defaults)
        options = self._dispatcher.options_of(plan.operation)
        return explain(self._dispatcher.document.api, plan, bound, options)

    @shown_as(with_keywords("waits"))
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
        from dynclient._client.waits import wait

        return wait(self._dispatcher, self._row, args, keywords, with_http_info=self._with_http_info)

    @shown_as(with_keywords("waits"))
    @outermost
    def start(self, /, *args: Any, **keywords: Any) -> Any:
        """Call, and return the job that it started: ``.result(timeout=)``, ``.status``, ``.poll()``, ``.resume``.

        Takes the arguments of the call, ``until`` and ``failed``. On an AsyncClient it is awaited.
        """
        from dynclient._client.waits import start

        return start(self._dispatcher, self._row, args, keywords, with_http_info=self._with_http_info)

    @property
    def waiter(self) -> Any:
        """How to wait for it (:class:`dynclient.types.Waiter`), with evidence; None if the document does not say."""
        from dynclient._client.jobs import waiter_named

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
            with naming(self._row):
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

        # inspect's word for "there is none" is ValueError, so that help() continues.
        with self._attribute(ValueError):
            made = signature(self._read(), self._dispatcher.options.defaults)
        return made.replace(return_annotation=HTTPResult) if self._with_http_info else made

    def __call__(self, /, *args: Any, **keywords: Any) -> Any:
        try:
            dispatcher = self._dispatcher
            plan = dispatcher.document.plan(self._row)
            bound = plan.binder.bind(args, keywords, dispatcher.options.defaults)
            return dispatcher.send(plan, bound, data_only=not self._with_http_info)
        except DynclientError as error:  # as `outermost` does, whose frame every call would have
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
        plan = self._dispatcher.document.plan(self._row)
        return self._dispatcher.stream(plan, plan.binder.bind(args, keywords, self._dispatcher.options.defaults))

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
