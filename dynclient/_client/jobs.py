"""``operation.wait(...)`` and ``operation.start(...)``: long-running work of a server, polled until it ends.

A keyword of ``wait`` is an argument of the call where the operation has one of that name; the option of that name is
then written with an underscore after it.

Rule 1: a poll is a call: credentials, retries, validation and limits are those of the operation at its URL.
Rule 2: a wait is a generator of requests, pauses and states; :func:`_to_state` turns it into the steps of a driver.
Rule 3: a URL that the server names is requested only at the origin of the first request, or one of ``allow_origins``.
Rule 4: Retry-After is obeyed; without it the pauses grow from 1 s to 30 s, a quarter more or less.
Rule 5: a 404 soon after the first answer means "not yet".
Rule 6: an error loses nothing: it has the text with which another process can resume.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlsplit

from dynclient._call.retry import retry_after
from dynclient._client.drivers import Dispatcher, drive, drive_async
from dynclient._client.shown_methods import outermost, split_options
from dynclient._client.waiting import (
    State,
    Task,
    Verdict,
    Waiter,
    checked_url,
    conditions,
    extracted,
    final_url,
    following,
    judged,
    kept_headers,
    taken,
    wait_conditions,
    waiter_named,
    without_fields,
)
from dynclient._paging.rules import path_keys, value_at
from dynclient._records import Record
from dynclient._request import Bound, CallOptions, Plan, server_url
from dynclient.exceptions import (
    ArgumentError,
    DynclientError,
    NoSuchOperation,
    NotFound,
    ResponseError,
    TimeoutError,  # noqa: A004  # ours
    WaitFailed,
    WaitTimeout,
)
from dynclient.json_pointer import MISSING
from dynclient.messages import Await, Headers, HTTPResult, Request, Response, RunBlocking, Sleep, origin
from dynclient.model import Operation, OperationRow
from dynclient.transports.clock import Environment

T = TypeVar("T")

SHORTEST, FIRST, LONGEST = 0.1, 1.0, 30.0
"""Seconds between two polls: the shortest pause; and without Retry-After, the first and the longest one."""
NOT_YET = 10.0
"""Seconds after the first answer in which a 404 is not an error."""
_GROWTH, _JITTER, _LAST_LOOK = 1.5, 0.25, 0.9
_LONGEST_TIME = 1e9
ENVIRONMENT = Environment()
_NO_TRANSPORT: Any = None
"""The steps of a job are whole calls, which need no transport of their driver."""


class Ask(Record):
    """A job asks its driver for the result of a request."""

    plan: Plan
    request: Request
    options: CallOptions


Flow = Generator[Ask | Sleep | State, Any, T]


class JobState:
    """The common part of the jobs of threads and of tasks."""

    def __init__(self, dispatcher: Dispatcher, task: Task, *, with_http_info: bool = False) -> None:
        self._dispatcher, self._task, self._with_http_info = dispatcher, task, with_http_info
        self._began = ENVIRONMENT.clock()
        self._polls = 0
        self._asked: float | None = None
        self._state: State | None = None
        self._result: HTTPResult[Any, int] = HTTPResult(None, 0, Headers())
        self._is_at_once = self._was_found = True

    @property
    def state(self) -> State | None:
        """The last answer; None if the job was resumed and has not been polled yet."""
        return self._state

    @property
    def status(self) -> str | None:
        """The state in the server's words, or None."""
        return self._state.status if self._state is not None else None

    @property
    def done(self) -> bool:
        """Whether the job has ended, successfully or not."""
        return self._state is not None and self._state.verdict != "pending"

    @property
    def resume(self) -> str:
        """A text without credentials: ``dynclient.resume(client, text)`` continues, in another process too."""
        return self._task.text(self._hidden)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._task.key}: {self._state or 'not asked yet'}>"

    @property
    def _hidden(self) -> frozenset[str]:
        """The query fields of credentials; they are added to each request again."""
        schemes = self._dispatcher.document.api.security_schemes.values()
        return frozenset(each.parameter for each in schemes if each.type == "apiKey" and each.in_ == "query")

    def begin(self, result: HTTPResult, waiter: Waiter | None, given: Mapping[tuple[str, str], Any]) -> None:
        """Read the response to the first request: it is the result, or it says which URL to poll.

        Raises:
            WaitFailed: the server has not finished, and its response does not say which URL to poll.
        """
        self._began = ENVIRONMENT.clock()
        is_declared = waiter is not None and waiter.confidence == "certain"
        method = self._task.key.partition(" ")[0]
        named = self._named(result, waiter, given)
        task = named or following(self._task, result, is_declared=is_declared)
        word, verdict = judged(task or self._task, result)
        if task is not None and self._task.until is None and verdict == "done":
            verdict = "pending"
        elif task is None and (method == "GET" or (is_declared and method in {"PUT", "PATCH"})):
            task = self._task._replace(kind="same" if method == "GET" else "body")
            word, verdict = judged(task, result)
        self._is_at_once = False
        self._was_found = method == "GET" and (task is None or task.url == self._task.original)
        self._take(task or self._task, result, word, verdict)
        if task is None and not self.done:
            raise WaitFailed(
                "the server continues the work in the background, but its response does not say which URL to poll",
                state=self._state,
                result=result.data,
                hint="x-waiter in the document, or in an overlay, names the operation to poll",
            )

    def _named(self, result: HTTPResult, waiter: Waiter | None, given: Mapping[tuple[str, str], Any]) -> Task | None:
        """The task of a waiter that names an operation to poll.

        Raises:
            WaitFailed: the answer lacks an argument of it.
        """
        if waiter is None or waiter.poll in {"header", "same", "body"}:
            return None
        document, options = self._dispatcher.document, self._dispatcher.options
        row = document.names.find(waiter.poll)
        plan = document.plan(row)
        parameters = {}
        for argument in plan.arguments:
            key, path = (argument.in_, argument.wire), waiter.arguments.get(argument.wire)
            value = value_at(result.data, path_keys(path)) if path else given.get(key, MISSING)
            if value is not MISSING:
                parameters[key] = value
        try:
            request = plan.request(Bound(parameters, ...), options)
        except DynclientError as error:
            raise WaitFailed(
                f"{row.key} can't be called with the values of the answer: {error.message}", result=result.data
            ) from error
        task = self._task._replace(url=request.url, headers=kept_headers(request, options.headers))
        # Without conditions, the words of its status decide.
        return task if task.until else task._replace(kind="monitor", result=waiter.result or "answer")

    def _take(self, task: Task, result: HTTPResult, word: str | None, verdict: Verdict) -> State:
        seconds = round(ENVIRONMENT.clock() - self._began, 3)
        self._asked = retry_after(Response(result.status, result.headers))
        changed = following(task, result)
        if verdict == "done":
            task = changed._replace(url=task.url, kind=task.kind) if changed is not None else task
            final = final_url(task, result.data, result.status)
            if final:
                task = task._replace(kind="location", url=final, until=None, failed=None, is_final=True)
                verdict, self._is_at_once = "pending", True
        elif task.until is None and changed is not None:
            task = changed
        answered = (result.data, result.status, result.headers)
        self._state = State(word, verdict, *answered, self._polls, seconds, result.request)
        self._result = result
        url, location = (without_fields(each.partition("#")[0], self._hidden) for each in (task.url, task.location))
        self._task = task._replace(url=url, location=location)
        return self._state

    def polled(self, deadline: float | None = None) -> Flow[State]:
        """Poll once, unless the job has ended."""
        if self._state is not None and self.done:
            return self._state
        self._polls += 1
        self._is_at_once = False
        try:
            result = yield self._ask(deadline)
        except DynclientError as error:
            now = ENVIRONMENT.clock()
            is_new = not self._was_found and now - self._began < NOT_YET
            if isinstance(error, NotFound) and is_new and self._state is not None:
                self._asked = None
                return self._state
            if isinstance(error, TimeoutError) and deadline is not None and now >= deadline:
                raise self._late("the last request was not answered in time") from error
            result = taken(error)
            if result is None:
                error.resume = self.resume
                raise
        self._was_found = True
        return self._take(self._task, result, *judged(self._task, result))

    def finished(self, timeout: Any, deadline: float | None = None) -> Flow[Any]:
        """Poll until the job ends, and return its result. The timeout counts from now, unless a deadline is given.

        Raises:
            WaitFailed, WaitTimeout: it failed, or it has not ended in time.
        """
        deadline = deadline_of(timeout) if deadline is None else deadline
        if self._state is not None:
            yield self._state
        pause = FIRST
        while not self.done:
            wait = self._asked
            if self._is_at_once:
                wait = 0.0
            elif wait is None:
                wait = pause * (1 + _JITTER * (2 * ENVIRONMENT.random() - 1))
                pause = min(pause * _GROWTH, LONGEST)
            else:
                wait = max(wait, SHORTEST)
            if deadline is not None:
                left = deadline - ENVIRONMENT.clock()
                if self._asked is not None and not self._is_at_once and wait >= left:
                    raise self._late(f"the server asks to wait {wait:.3g} s, but only {max(left, 0):.3g} s are left")
                if left <= SHORTEST:
                    raise self._late(f"the timeout of {timeout} s has passed")
                # One more poll shortly before the end.
                wait = min(wait, left * _LAST_LOOK)
            if wait:
                yield Sleep(wait)
            yield (yield from self.polled(deadline))
        return self._value()

    def _value(self) -> Any:
        state = self._state
        if state is not None and state.verdict == "failed":
            raise WaitFailed(f"it ended as {state}", state=state, result=state.data, operation_id=self._task.key)
        data = extracted(self._task, self._result.data)
        result: Any = self._result
        return replace(result, data=data) if self._with_http_info else data

    def _late(self, why: str) -> WaitTimeout:
        now = self._state if self._state is not None else "unknown"
        hint = "dynclient.resume(client, error.resume) continues the wait, also in another process"
        return WaitTimeout(f"not over yet, the state is {now}: {why}", state=self._state, resume=self.resume, hint=hint)

    def _ask(self, deadline: float | None, method: str = "GET", url: str | None = None) -> Ask:
        """The request of a poll, read by the operation that its URL belongs to.

        Raises:
            WaitFailed: the URL is of another origin.
        """
        url, dispatcher = url or self._task.url, self._dispatcher
        options, document = dispatcher.options, dispatcher.document
        first = document.operation(document.names.find(self._task.key))
        home = server_url(first.servers, options.base_url, options.server)
        why = checked_url(url, [origin(home), *map(origin, options.allow_origins)])
        if why is not None:
            raise WaitFailed(
                f"the server's URL to poll is refused: {why}",
                state=self._state,
                result=self._result.data,
                hint='allow_origins=("https://host",) allows another origin',
            )
        operation = document.operation_at(method, url, home) or Operation(
            OperationRow(f"{method} ", method, "", "wait", "wait"),
            security=dispatcher.security_of_any(),
        )
        parts = urlsplit(url)
        base = f"{parts.scheme}://{parts.netloc}"
        plan = Plan(operation._replace(parameters=(), body=None), dispatcher.state.limits, url[len(base) :] or "/")
        there = {each.partition("=")[0] for each in parts.query.split("&")}
        query = {name: field for name, field in options.query.items() if field.partition("=")[0] not in there}
        options = dispatcher.options_of(operation, options._replace(base_url=base, server=None, query=query))
        options = bounded(options, deadline)
        request = plan.request(Bound({}, ...), options)
        for name, value in self._task.headers if self._task.kind == "same" else ():
            if name not in request.headers:
                request = replace(request, headers=request.headers.replace(name, value))
        return Ask(plan, request, options)

    def _cancelling(self) -> tuple[str, str] | None:
        """The method and URL of the operation that cancels it; None if the document has none."""
        document = self._dispatcher.document
        home = self._dispatcher.options.base_url or ""
        operation = document.operation_at("GET", self._task.url, home)
        if operation is None:
            return None
        waiter = waiter_named(document, document.names.find(self._task.key))
        named = [waiter.cancel] if waiter is not None and waiter.cancel else []
        for name in (*named, f"POST {operation.path}/cancel", f"POST {operation.path}:cancel"):
            row = document.names.by_any.get(name)
            if row is not None and row.path.startswith(operation.path) and "{" not in row.path[len(operation.path) :]:
                head, mark, query = self._task.url.partition("?")
                return row.method, head + row.path[len(operation.path) :] + mark + query
        return None

    def cancelled(self) -> Flow[HTTPResult]:
        """Ask the server to cancel the job.

        Raises:
            NoSuchOperation: the document has no operation for that.
        """
        found = self._cancelling()
        if found is None:
            raise NoSuchOperation(
                f"the document does not say how {self._task.key} is cancelled",
                name="cancel",
                hint="x-waiter names it: {cancel: operationId}",
            )
        result: HTTPResult = yield self._ask(None, *found)
        return result


def deadline_of(timeout: Any) -> float | None:
    """When a wait ends.

    Raises:
        ArgumentError: the timeout is neither a number of seconds nor None.
    """
    if timeout is None:
        return None
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)) or not 0 < timeout < _LONGEST_TIME:
        said = "a wait needs timeout=, the seconds it may take in all" if timeout is ... else f"not {timeout!r}"
        raise ArgumentError(
            f"timeout is a positive number of seconds, or None for no end: {said}",
            argument="timeout",
            hint="timeout=3600",
        )
    return float(ENVIRONMENT.clock() + timeout)


def bounded(options: CallOptions, deadline: float | None) -> CallOptions:
    """The options of a call that must end by the deadline of a wait."""
    if deadline is None:
        return options
    left, total = max(deadline - ENVIRONMENT.clock(), SHORTEST), options.timeout.total
    return options._replace(timeout=replace(options.timeout, total=min(total or left, left)))


OPTIONS = ("until", "failed", "timeout", "follow")


class Job(JobState):
    """Long-running work of a server; ``cancel()`` asks it to stop, if the document has an operation for that."""

    def poll(self) -> State:
        """Poll once; returns the State."""
        return _run(self.polled(), self._dispatcher)  # type: ignore[no-any-return]  # the result of the flow

    def result(self, *, timeout: float | None = ...) -> Any:  # type: ignore[assignment]  # it is required
        """Wait until the job is over, at most ``timeout`` seconds; return the data of the result.

        Raises:
            WaitFailed: the job failed; ``.state`` and ``.result`` have the server's answer.
            WaitTimeout: it has not ended in time; ``.resume`` is the text to continue with.
        """
        return _run(self.finished(timeout), self._dispatcher)

    def states(self, *, timeout: float | None = ...) -> Iterator[State]:  # type: ignore[assignment]  # it is required
        """Each state as it arrives, the first one included, until the job ends."""
        return _States(self.finished(timeout), self._dispatcher)

    def cancel(self) -> Any:
        """Ask the server to cancel the job; returns the data of its answer."""
        return _run(self.cancelled(), self._dispatcher).data


class AsyncJob(JobState):
    """The same for an AsyncClient: ``poll``, ``result`` and ``cancel`` are awaited, ``states`` is for ``async for``."""

    async def poll(self) -> State:
        """Poll once; returns the State."""
        return await _run_async(self.polled(), self._dispatcher)  # type: ignore[no-any-return]  # the result of the flow

    async def result(self, *, timeout: float | None = ...) -> Any:  # type: ignore[assignment]  # noqa: ASYNC109  # it is required
        """Wait until it is over, as :meth:`Job.result` does."""
        return await _run_async(self.finished(timeout), self._dispatcher)

    def states(self, *, timeout: float | None = ...) -> AsyncIterator[State]:  # type: ignore[assignment]  # it is required
        """Each state as it arrives, the first one included, until the job ends."""
        return _AsyncStates(self.finished(timeout), self._dispatcher)

    async def cancel(self) -> Any:
        """Ask the server to cancel the job; returns the data of its answer."""
        return (await _run_async(self.cancelled(), self._dispatcher)).data


class _Over(Record):
    """The end of a flow, with its result."""

    value: Any


def _to_state(flow: Flow[Any], dispatcher: Dispatcher) -> Generator[Any, Any, State | _Over]:
    """The steps of a call's driver up to the next state of a flow, or its end."""
    answer, fault = None, None
    while True:
        try:
            step = flow.throw(fault) if fault is not None else flow.send(answer)
        except StopIteration as stop:
            return _Over(stop.value)
        if isinstance(step, State):
            return step
        answer, fault = None, None
        try:
            if isinstance(step, Sleep):
                yield step
            else:
                send = partial(dispatcher.send, *step, data_only=False)
                answer = yield Await(send()) if dispatcher.is_async else RunBlocking(send)
        except DynclientError as error:
            fault = error


def _to_end(flow: Flow[Any], dispatcher: Dispatcher) -> Generator[Any, Any, Any]:
    """The steps up to the end of a flow; returns its result."""
    while not isinstance(found := (yield from _to_state(flow, dispatcher)), _Over):
        pass
    return found.value


@outermost
def _run(flow: Flow[Any], dispatcher: Dispatcher) -> Any:
    return drive(_to_end(flow, dispatcher), _NO_TRANSPORT)


@outermost
async def _run_async(flow: Flow[Any], dispatcher: Dispatcher) -> Any:
    return await drive_async(_to_end(flow, dispatcher), _NO_TRANSPORT)


class _States(Iterator[State]):
    def __init__(self, flow: Flow[Any], dispatcher: Dispatcher) -> None:
        self._flow, self._dispatcher = flow, dispatcher

    def __next__(self) -> State:
        found = drive(_to_state(self._flow, self._dispatcher), _NO_TRANSPORT)
        if isinstance(found, _Over):
            raise StopIteration(found.value)
        return found


class _AsyncStates(AsyncIterator[State]):
    def __init__(self, flow: Flow[Any], dispatcher: Dispatcher) -> None:
        self._flow, self._dispatcher = flow, dispatcher

    async def __anext__(self) -> State:
        found = await drive_async(_to_state(self._flow, self._dispatcher), _NO_TRANSPORT)
        if isinstance(found, _Over):
            raise StopAsyncIteration
        return found


# The methods of operations and clients.


def _begun(
    dispatcher: Dispatcher,
    row: OperationRow,
    args: tuple[Any, ...],
    keywords: Mapping[str, Any],
    given: Mapping[str, Any],
    *,
    with_http_info: bool,
    deadline: float | None = None,
) -> Flow[Any]:
    """Make the first request of a job; ``given`` are the options of the wait."""
    document = dispatcher.document
    plan, waiter = document.plan(row), waiter_named(document, row)
    options = bounded(dispatcher.options_of(plan.operation), deadline)
    bound = plan.binder.bind(args, keywords, options.defaults)
    if waiter is not None and waiter.poll not in {"header", "same", "body"}:
        document.names.find(waiter.poll)  # so that nothing is sent if it is invalid
    until, failed = wait_conditions(row, waiter, given.get("until"), given.get("failed"))
    request = plan.request(bound, options)
    task = Task(
        row.key,
        "same",
        request.url,
        request.url,
        headers=kept_headers(request, options.headers),
        status=waiter.status if waiter is not None else None,
        until=until,
        failed=failed,
        result=waiter.result if waiter is not None else None,
    )
    kind = AsyncJob if dispatcher.is_async else Job
    job = kind(dispatcher, task, with_http_info=with_http_info)
    try:
        result = yield Ask(plan, request, options)
    except ResponseError as error:
        result = taken(error)
        if result is None:
            raise
    job.begin(result, waiter, bound.parameters)
    return job


def start(dispatcher: Dispatcher, row: OperationRow, args: Any, keywords: Any, *, with_http_info: bool) -> Any:
    """Make a call, and return the job that it started; with an AsyncClient, a coroutine."""
    given, arguments = split_options(dispatcher.document.plan(row), args, keywords, OPTIONS[:2])
    flow = _begun(dispatcher, row, args, arguments, given, with_http_info=with_http_info)
    return _run_async(flow, dispatcher) if dispatcher.is_async else _run(flow, dispatcher)


def wait(dispatcher: Dispatcher, row: OperationRow, args: Any, keywords: Any, *, with_http_info: bool) -> Any:
    """Make a call, and wait until its job ends; with ``follow=True``, yield its states."""
    given, arguments = split_options(dispatcher.document.plan(row), args, keywords, OPTIONS)
    timeout = given.get("timeout", ...)
    deadline_of(timeout)  # an invalid option is an error before anything is sent

    def waiting() -> Flow[Any]:
        deadline = deadline_of(timeout)
        job = yield from _begun(
            dispatcher, row, args, arguments, given, with_http_info=with_http_info, deadline=deadline
        )
        return (yield from job.finished(timeout, deadline))

    if given.get("follow"):
        return (_AsyncStates if dispatcher.is_async else _States)(waiting(), dispatcher)
    return (_run_async if dispatcher.is_async else _run)(waiting(), dispatcher)


def resume(client: Any, text: str, *, until: Any = None, failed: Any = None) -> Any:
    """Continue a job that another wait or another process started: ``dynclient.resume(client, job.resume)``.

    The client has the document, the server and the credentials; nothing is sent yet. ``until`` and ``failed`` are
    needed again if they were functions. Returns a Job, or an AsyncJob for an AsyncClient.

    Raises:
        ArgumentError: the text is not that of a job, or the document has no such operation.
    """
    dispatcher = getattr(client, "_dispatcher", None)
    if dispatcher is None:
        raise ArgumentError(f"resume takes a client, not a {type(client).__name__}", argument="client")
    task = Task.read(text)
    if task.key not in dispatcher.document.names.by_any:
        raise ArgumentError(f"the document has no operation {task.key}, which was waited for", argument="text")
    task = task._replace(
        until=task.until if until is None else conditions(until, "until"),
        failed=task.failed if failed is None else conditions(failed, "failed"),
    )
    return (AsyncJob if dispatcher.is_async else Job)(dispatcher, task)
