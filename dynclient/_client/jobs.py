"""Jobs: long-running work of a server, polled until it ends, as generators that do no I/O.

Rule 1: a poll is a call: credentials, retries, validation and limits are those of the operation at its URL.
Rule 2: a wait is a generator of requests, pauses and states, which :mod:`dynclient._client.waits` drives.
Rule 3: a server's URL is asked only at the origin of the first request, and those of ``allow_origins``.
Rule 4: Retry-After is obeyed; without it the pauses grow from 1 s to 30 s, a quarter more or less.
Rule 5: a 404 soon after the first answer means "not yet".
Rule 6: an error loses nothing: it has the text with which another process can resume.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import replace
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

from dynclient._call.retry import retry_after
from dynclient._client.state import ClientState, LoadedDocument
from dynclient._client.waiting import (
    State,
    Task,
    Verdict,
    Waiter,
    checked_url,
    extracted,
    final_url,
    following,
    judged,
    kept_headers,
    waiter_of,
    without_fields,
)
from dynclient._environment import Environment
from dynclient._paging.rules import path_keys, value_at
from dynclient._records import Record
from dynclient._request import Bound, CallOptions, Plan, server_url
from dynclient.exceptions import (
    ArgumentError,
    DynclientError,
    NoSuchOperation,
    NotFound,
    TimeoutError,  # noqa: A004  # ours
    UndocumentedStatus,
    WaitFailed,
    WaitTimeout,
)
from dynclient.json_pointer import MISSING
from dynclient.messages import Headers, HTTPResult, Request, Response, Sleep, origin
from dynclient.model import Operation, OperationRow, SecurityRequirement

T = TypeVar("T")

SHORTEST, FIRST, LONGEST = 0.1, 1.0, 30.0
"""Seconds between two polls: the least; without Retry-After the first and the longest pause."""
NOT_YET = 10.0
"""Seconds after the first answer in which a 404 is not an error."""
_GROWTH, _JITTER, _LAST_LOOK = 1.5, 0.25, 0.9
_LONGEST_TIME = 1e9
ENVIRONMENT = Environment()


class Ask(Record):
    """A job asks its driver for the result of a request."""

    plan: Plan
    request: Request
    options: CallOptions


class Dispatching(Protocol):
    """The interface of :class:`dynclient._client.operation_method.Dispatcher`, which makes the calls of a client."""

    options: CallOptions
    document: LoadedDocument
    state: ClientState
    is_async: bool

    def options_of(self, operation: Operation, options: CallOptions | None = None) -> CallOptions:
        """The options of an operation's calls."""

    def security_of_any(self) -> tuple[SecurityRequirement, ...]:
        """The security of a request past the document."""

    def send(self, plan: Plan, bound: Request, options: CallOptions | None = None, *, data_only: bool) -> Any:
        """Send a request; returns its HTTPResult, or a coroutine that does."""


Flow = Generator[Ask | Sleep | State, Any, T]


class JobState:
    """The common part of the jobs of threads and of tasks."""

    def __init__(self, dispatcher: Dispatching, task: Task, *, with_http_info: bool = False) -> None:
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
        """A text without credentials, with which ``dynclient.resume(client, text)`` goes on, in another process too."""
        return self._task.text(self._hidden)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._task.key}: {self._state or 'not asked yet'}>"

    @property
    def _hidden(self) -> frozenset[str]:
        """The query fields of credentials; they are added to each request again."""
        schemes = self._dispatcher.document.api.security_schemes.values()
        return frozenset(each.parameter for each in schemes if each.type == "apiKey" and each.in_ == "query")

    def begin(self, result: HTTPResult, waiter: Waiter | None, given: Mapping[tuple[str, str], Any]) -> None:
        """Take the answer of the first request: whether it is the end, and if not, where to ask.

        Raises:
            WaitFailed: the server has not finished, and its response does not say where to ask.
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
                "the server continues the work in the background, but its response does not say where to "
                "ask for the state",
                state=self._state,
                result=result.data,
                hint="x-waiter in the document, or in an overlay, names the operation to poll",
            )

    def _named(self, result: HTTPResult, waiter: Waiter | None, given: Mapping[tuple[str, str], Any]) -> Task | None:
        """The task of a waiter that names an operation to ask.

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
        """Ask once, unless it is over."""
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
                    raise self._late(f"{timeout} s have passed")
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
                f"the server says where to ask, which is refused: {why}",
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
        """The method and the URL of the operation that ends it; None if the document has none."""
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
    """The options of a call that ends with a wait at the latest."""
    if deadline is None:
        return options
    left, total = max(deadline - ENVIRONMENT.clock(), SHORTEST), options.timeout.total
    return options._replace(timeout=replace(options.timeout, total=min(total or left, left)))


def taken(error: DynclientError) -> HTTPResult | None:
    """The answer of an undocumented success, which a wait accepts; None if it is an error."""
    if not isinstance(error, UndocumentedStatus) or not error.done:
        return None
    return HTTPResult(error.data, error.status, error.headers, error.attempts, error.request)


def waiter_named(document: LoadedDocument, row: OperationRow) -> Waiter | None:
    """How an operation is waited for, as its document says."""
    return document.once("waiter", row, lambda: waiter_of(document.operation(row), document.api))
