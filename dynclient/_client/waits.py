"""``operation.wait(...)`` and ``operation.start(...)``, with a driver for threads and one for tasks.

A keyword of ``wait`` is an argument of the call where the operation has one of that name; the option of that name is
then written with an underscore after it.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

from dynclient._client.jobs import Ask, Dispatching, Flow, JobState, bounded, deadline_of, taken, waiter_named
from dynclient._client.shown_methods import outermost
from dynclient._client.waiting import State, Task, Until, Waiter, conditions, kept_headers
from dynclient._records import Record
from dynclient._request import Plan
from dynclient.exceptions import ArgumentError, DynclientError, ResponseError
from dynclient.messages import Sleep
from dynclient.model import OperationRow

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


def _step(flow: Flow[Any], answer: Any, error: DynclientError | None) -> Ask | Sleep | State:
    return flow.throw(error) if error is not None else flow.send(answer)


def _next_state(flow: Flow[Any], dispatcher: Dispatching) -> State:
    """Run a flow in this thread up to its next state; StopIteration has its result."""
    answer, fault = None, None
    while True:
        step = _step(flow, answer, fault)
        if isinstance(step, State):
            return step
        answer, fault = None, None
        try:
            if isinstance(step, Ask):
                answer = dispatcher.send(*step, data_only=False)
            else:
                time.sleep(step.seconds)
        except DynclientError as error:
            fault = error


async def _next_state_async(flow: Flow[Any], dispatcher: Dispatching) -> State | _Over:
    """Run a flow in this task up to its next state, or its end."""
    import anyio

    answer, fault = None, None
    while True:
        try:
            step = _step(flow, answer, fault)
        except StopIteration as stop:
            return _Over(stop.value)
        if isinstance(step, State):
            return step
        answer, fault = None, None
        try:
            if isinstance(step, Ask):
                answer = await dispatcher.send(*step, data_only=False)
            else:
                await anyio.sleep(step.seconds)
        except DynclientError as error:
            fault = error


class _Over(Record):
    """The end of a flow; a coroutine can't raise StopIteration."""

    value: Any


@outermost
def _run(flow: Flow[Any], dispatcher: Dispatching) -> Any:
    try:
        while True:
            _next_state(flow, dispatcher)
    except StopIteration as stop:
        return stop.value


@outermost
async def _run_async(flow: Flow[Any], dispatcher: Dispatching) -> Any:
    while not isinstance(found := await _next_state_async(flow, dispatcher), _Over):
        pass
    return found.value


class _States(Iterator[State]):
    def __init__(self, flow: Flow[Any], dispatcher: Dispatching) -> None:
        self._flow, self._dispatcher = flow, dispatcher

    def __next__(self) -> State:
        return _next_state(self._flow, self._dispatcher)


class _AsyncStates(AsyncIterator[State]):
    def __init__(self, flow: Flow[Any], dispatcher: Dispatching) -> None:
        self._flow, self._dispatcher = flow, dispatcher

    async def __anext__(self) -> State:
        found = await _next_state_async(self._flow, self._dispatcher)
        if isinstance(found, _Over):
            raise StopAsyncIteration
        return found


# The methods of operations and clients.


def _begun(
    dispatcher: Dispatching,
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
        document.names.find(waiter.poll)  # or else nothing is sent
    until, failed = _conditions(row, waiter, given.get("until"), given.get("failed"))
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


def _conditions(row: OperationRow, waiter: Waiter | None, until: Any, failed: Any) -> tuple[Until, Until]:
    """The conditions of a caller, or those that the document declares.

    Raises:
        ArgumentError: it is unclear which state ends the wait.
    """
    if until is None and waiter is not None and waiter.confidence == "unclear" and row.method != "GET":
        raise ArgumentError(
            f"it is unclear how to wait for it: {waiter.evidence[0]}",
            argument="until",
            hint="an overlay can correct it",
        )
    is_known = waiter is not None and waiter.confidence in {"certain", "likely"}
    if until is None and not is_known and row.method == "GET":
        raise ArgumentError(
            "it is unclear which state ends the wait",
            argument="until",
            hint='until={"status": "completed"}' + ', or until="final"' * (waiter is not None),
        )
    if until == "final":
        if row.method == "GET" and (waiter is None or waiter.confidence == "unclear"):
            why = f": {waiter.evidence[-1]}" if waiter is not None else ", since it has no status with known values"
            raise ArgumentError(
                f'the document does not say what until="final" means{why}',
                argument="until",
                hint='until={"status": "completed"}, failed={"status": ["failed"]}',
            )
        until = None
        is_known = True
    if waiter is not None and is_known:
        until = until if until is not None else waiter.until or None
        failed = failed if failed is not None else waiter.failed or None
    return conditions(until, "until"), conditions(failed, "failed")


def start(dispatcher: Dispatching, row: OperationRow, args: Any, keywords: Any, *, with_http_info: bool) -> Any:
    """Make a call, and return the job that it started; with an AsyncClient, a coroutine."""
    given, arguments = _split(dispatcher.document.plan(row), keywords, OPTIONS[:2])
    flow = _begun(dispatcher, row, args, arguments, given, with_http_info=with_http_info)
    return _run_async(flow, dispatcher) if dispatcher.is_async else _run(flow, dispatcher)


def wait(dispatcher: Dispatching, row: OperationRow, args: Any, keywords: Any, *, with_http_info: bool) -> Any:
    """Make a call, and wait until its job ends; with ``follow=True``, yield its states."""
    given, arguments = _split(dispatcher.document.plan(row), keywords, OPTIONS)
    timeout = given.get("timeout", ...)
    deadline_of(timeout)  # a wrong one is an error now

    def waiting() -> Flow[Any]:
        deadline = deadline_of(timeout)
        job = yield from _begun(
            dispatcher, row, args, arguments, given, with_http_info=with_http_info, deadline=deadline
        )
        return (yield from job.finished(timeout, deadline))

    if given.get("follow"):
        return (_AsyncStates if dispatcher.is_async else _States)(waiting(), dispatcher)
    return (_run_async if dispatcher.is_async else _run)(waiting(), dispatcher)


def _split(plan: Plan, keywords: Mapping[str, Any], names: tuple[str, ...]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The options among keywords, and the arguments of the call: an argument's name wins over an option's."""
    arguments = dict(keywords)
    keys = {name: f"{name}_" if plan.binder.takes(name) else name for name in names}
    return {name: arguments.pop(key) for name, key in keys.items() if key in arguments}, arguments


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
