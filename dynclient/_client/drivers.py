"""Make the calls of a client: the dispatchers, and the two drivers of a call, for threads and for tasks.

All I/O of a client is done here. A client's attributes are the API's operations, so its own state and methods are in
its dispatcher.

A streamed response that a call does not return is closed here. A transport that does not stream returns bytes, which
count as a stream of one chunk.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from dynclient._call import Flow, call, with_key
from dynclient._client.shown_methods import outermost
from dynclient._client.state import ClientState, LoadedDocument
from dynclient._escaping import logger
from dynclient._request import Bound, CallOptions, Plan
from dynclient._response import ResponseReader, StreamedResponse
from dynclient.exceptions import ArgumentError, DynclientError, NoSuchOperation
from dynclient.messages import LOOKED_AT, Await, HTTPResult, Read, Request, Response, RunBlocking, Send, Sleep
from dynclient.model import Operation, SecurityRequirement
from dynclient.options import Limits, Rate, RateLimiter
from dynclient.security import AuthFlow, Security, concealed
from dynclient.transports import AsyncTransport, Transport
from dynclient.transports.body_reader import too_large

if TYPE_CHECKING:
    from dynclient._call.pace import Pace

log = logger()


T = TypeVar("T")


def drive(flow: Flow[T], transport: Transport) -> T:
    """Run a call to its end in this thread."""
    answer: Any = None
    fault: DynclientError | None = None
    while True:
        try:
            step = flow.throw(fault) if fault is not None else flow.send(answer)
        except StopIteration as stop:
            close(answer, kept=stop.value)
            return stop.value  # type: ignore[no-any-return]  # a generator's return value is untyped here
        except BaseException:
            close(answer)
            raise
        answer, fault = None, None
        try:
            if isinstance(step, Send):
                answer = transport.send(step)
            elif isinstance(step, Read):
                answer = whole(step)
            elif isinstance(step, RunBlocking):
                answer = step.function()
            elif isinstance(step, Await):
                fault = _not_awaited(step)
            else:
                time.sleep(step.seconds)
        except DynclientError as error:
            fault = error
        except BaseException:
            # Interrupted or cancelled: stop what other threads or tasks wait for.
            flow.close()
            raise


def _not_awaited(step: Await) -> ArgumentError:
    """The error for an async credential function of a Client, which has no event loop."""
    close = getattr(step.awaitable, "close", None)
    if close is not None:
        close()  # a coroutine that was never awaited would warn
    return ArgumentError(
        "auth is an async function, which a Client can't await",
        argument="auth",
        hint="use dynclient.AsyncClient, or pass a plain function",
    )


async def _waited(step: RunBlocking | Sleep | Await) -> Any:
    """Await something, run a function that may block in a thread, or sleep."""
    if isinstance(step, Await):
        return await step.awaitable
    import anyio

    if isinstance(step, RunBlocking):
        return await anyio.to_thread.run_sync(step.function)
    return await anyio.sleep(step.seconds)


async def drive_async(flow: Flow[T], transport: AsyncTransport) -> T:
    """Run a call to its end in this task, on asyncio or trio."""
    answer: Any = None
    fault: DynclientError | None = None
    while True:
        try:
            step = flow.throw(fault) if fault is not None else flow.send(answer)
        except StopIteration as stop:
            await close_async(answer, kept=stop.value)
            return stop.value  # type: ignore[no-any-return]  # a generator's return value is untyped here
        except BaseException:
            await close_async(answer)
            raise
        answer, fault = None, None
        try:
            if isinstance(step, Send):
                answer = await transport.send(step)
            elif isinstance(step, Read):
                answer = await whole_async(step)
            else:
                answer = await _waited(step)
        except DynclientError as error:
            fault = error
        except BaseException:
            # Interrupted or cancelled: stop what other threads or tasks wait for.
            flow.close()
            raise


class BodyBuffer:
    """The chunks of a body, kept in memory within a client's limits."""

    def __init__(self, response: Response, limits: Limits) -> None:
        """Take the response, whose body is a stream."""
        self._response = response
        self._limits = limits
        self._chunks: list[bytes] = []
        self._size = 0

    def add(self, chunk: bytes) -> None:
        """Add a chunk.

        Raises:
            ResponseTooLarge: the chunks exceed ``Limits.response_bytes``.
        """
        self._size += len(chunk)
        self._chunks.append(chunk)
        limit = self._limits.response_bytes
        if limit is not None and self._size > limit:
            begun = replace(self._response, body=self._chunks[0][:LOOKED_AT]).beginning()
            raise too_large("response_bytes", self._limits, response=begun)

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Add a chunk, as a splitter does."""
        self.add(chunk)
        return iter(())

    def finish(self) -> Iterator[bytes]:
        """The whole body."""
        yield self.response().body

    def response(self) -> Response:
        """The response with the chunks as its body."""
        return replace(self._response, body=b"".join(self._chunks))


def chunks(body: Any) -> Iterator[bytes]:
    """The chunks of a body."""
    return iter((body,) if body else ()) if isinstance(body, bytes) else iter(body)


def whole(step: Read) -> Response:
    """Read a streamed response to its end; whatever happens, its body is closed."""
    buffer = BodyBuffer(step.response, step.limits)
    try:
        for chunk in chunks(step.response.body):
            buffer.add(chunk)
    finally:
        close(step.response)
    return buffer.response()


def close(answer: object, *, kept: object = None) -> None:
    """Close a response's stream and its connection, unless it is kept as a StreamedResponse."""
    finish = getattr(_unread(answer, kept), "close", None)
    if finish is not None:
        finish()


def chunks_async(body: Any) -> AsyncIterator[bytes]:
    """The chunks of a body."""
    if hasattr(body, "__aiter__"):
        return aiter(body)
    return _AsyncChunks(chunks(body))


async def whole_async(step: Read) -> Response:
    """Read a streamed response to its end; whatever happens, its body is closed."""
    buffer = BodyBuffer(step.response, step.limits)
    try:
        async for chunk in chunks_async(step.response.body):
            buffer.add(chunk)
    finally:
        await close_async(step.response)
    return buffer.response()


async def close_async(answer: object, *, kept: object = None) -> None:
    """Close a response's stream and its connection, unless it is kept as a StreamedResponse."""
    body = _unread(answer, kept)
    finish = getattr(body, "aclose", None) or getattr(body, "close", None)
    if finish is None:
        return
    import inspect

    import anyio

    # A cancelled task releases its connection too.
    with anyio.CancelScope(shield=True):
        closing = finish()
        if inspect.isawaitable(closing):
            await closing


def _unread(answer: object, kept: object) -> Any:
    return answer.body if isinstance(answer, Response) and not isinstance(kept, StreamedResponse) else None


class _AsyncChunks(AsyncIterator[bytes]):
    """Chunks that have already arrived."""

    def __init__(self, source: Iterator[bytes]) -> None:
        self._source = source

    async def __anext__(self) -> bytes:
        for chunk in self._source:
            return chunk
        raise StopAsyncIteration


class Dispatcher:
    """Makes the calls of a Client: they run in the caller's thread and block."""

    is_async = False

    __slots__ = ("_limits", "_security", "_validations", "document", "options", "state")

    def __init__(self, state: ClientState, options: CallOptions, document: LoadedDocument | None = None) -> None:
        """``document`` is the state's current one unless given.

        Raises:
            ArgumentError: ``auth`` fits none of the document's security schemes, or ``validate`` or ``convert`` has a
                name that it does not have.
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
        if options.convert is not None:
            options.convert.check(document.api)
        # Most clients validate all operations in the same way: no names have to be looked up.
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
        request = self._security.with_headers(options.headers, request, plan.operation)
        return self._security.placeholder(request, plan.operation)

    def send(self, plan: Plan, bound: Bound | Request, options: CallOptions | None = None, *, data_only: bool) -> Any:
        """Make a call: return its data, or its HTTPResult."""
        result = drive(call(**self.prepared(plan, bound, options or self.options)), self.state.transport)
        return result.data if data_only else self._linked(plan, result)

    def _linked(self, plan: Plan, result: Any) -> Any:
        """The result with ``follow``, which is made when it is read."""

        def following(result: HTTPResult) -> Any:
            from dynclient._client.links import Following

            return Following(self, plan, result)

        # No other code has the result yet, so it is changed in place; a copy would take longer.
        object.__setattr__(result, "following", following)
        return result

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
        prepared = self.prepared(plan, bound, options)
        request, repeatable = with_key(prepared["request"], plan.operation, options.retry, key, self.state.limits)
        return {**prepared, "request": request}, repeatable

    def run_unsent(self, prepared: Mapping[str, Any]) -> HTTPResult:
        """Send a call that :meth:`unsent` has made."""
        result: HTTPResult = drive(call(**prepared), self.state.transport)
        return result

    def prepared(self, plan: Plan, bound: Bound | Request, options: CallOptions) -> dict[str, Any]:
        """The arguments of a call's flow; a Request is sent as it is."""
        if self._validations:
            options = self.options_of(plan.operation, options)
        mode, engine = options.validate.responses, options.validate.engine
        if mode == "strict":
            for error in plan.check_answers():
                said = plan.operation.id, error.message, error.location
                log.warning("%s: a part of responses is not checked: %s (%s)", *said)
        request = bound if isinstance(bound, Request) else plan.request(bound, options)
        operation = plan.operation
        recorder = self.document.recorder if mode == "record" else None
        reader = ResponseReader(operation, self.state.limits, mode, engine, options.convert, recorder)
        auth = AuthFlow(self._security, operation) if operation.security else None
        if options.headers:
            request = self._security.with_headers(options.headers, request, operation)
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
    """The operation's key, or the tag, for each name that has its own rate limit.

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

    async def run_unsent_async(self, prepared: Mapping[str, Any], transport: Any) -> HTTPResult:
        """Send a call that :meth:`unsent` has made, by a transport of this event loop."""
        result: HTTPResult = await drive_async(call(**prepared), transport)
        return result

    @outermost
    async def _send(self, plan: Plan, bound: Bound | Request, options: CallOptions, *, data_only: bool) -> Any:
        result: HTTPResult = await drive_async(call(**self.prepared(plan, bound, options)), self.state.transport)
        return result.data if data_only else self._linked(plan, result)
