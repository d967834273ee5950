"""Send the rows of one partition with threads, in any process of a run.

Rule 1: a row is bound, validated and built first; if that fails, it is ``invalid``, and nothing was sent. Then it waits
for its slot of the rate, its intent is written, and only then it is sent.
Rule 2: a row is sent again only if it can be repeated: its method is idempotent, it has an idempotency key (the same
one for the same row of a run), or the caller or the document says so. Any other row that was sent without a response is
``unknown``.
Rule 3: a 4xx response means that nothing was done. A 5xx response does not mean that, except for 501 and 503.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any

from dynclient._call.pace import Limiter
from dynclient._client.drivers import AsyncDispatcher, Dispatcher
from dynclient._client.operation_method import OperationMethod
from dynclient._secrets import SECRET_HEADERS, Mask
from dynclient.bulk.journal import SENT, Attempt, BulkError, Journal, LeaseLost
from dynclient.bulk.rows import InvalidRows, RowFault, TableRow, filling, key_text
from dynclient.codecs import find
from dynclient.exceptions import (
    ApiError,
    ArgumentError,
    AuthorizationError,
    DynclientError,
    RequestError,
    ResponseError,
    TransportError,
)
from dynclient.messages import HTTPResult
from dynclient.model import Operation
from dynclient.options import Rate

_SLOW_START = 20
_ENOUGH = 200
_SHARE = 0.1
_SERVER_ERROR = 500
_TRY_AGAIN = frozenset({408, 425, 429})
_NOTHING_DONE = frozenset({501, 503})
_TOO_MANY_REQUESTS = 429
_LONGEST_MESSAGE = 2000


class TooManyFailures(BulkError):
    """The run has stopped, since too many rows were not done. ``resume()`` continues."""


class Paced:
    """Decides when rows are sent, by a rate if there is one.

    A 429 halves the rate; it grows by a tenth every ten seconds.
    """

    def __init__(self, rate: Any) -> None:
        self._is_ours = isinstance(rate, Rate)
        self._limiter: Any = (Limiter(rate) if rate.interval else None) if self._is_ours else rate
        self.is_limited = self._limiter is not None
        self._lock = threading.Lock()
        self._share, self._since = 1.0, time.monotonic()

    def _places(self) -> int:
        """The number of the rate's places that one row takes: more than one after a 429."""
        with self._lock:
            if self._share >= 1:
                return 1
            now = time.monotonic()
            self._share *= 1.1 ** ((now - self._since) / 10)
            self._since = now
            return max(1, round(1 / self._share))

    def wait(self, stop: threading.Event) -> None:
        """Take a place, and wait until it may be used, or until the run stops."""
        now = time.monotonic() if self._is_ours else time.time()
        stop.wait(self._limiter.reserve("bulk", self._places(), now))

    def slow_down(self) -> None:
        """Halve the rate, at most once a second."""
        with self._lock:
            now = time.monotonic()
            if self._share >= 1 or now - self._since >= 1:
                self._share, self._since = max(self._share / 2, 1 / 64), now


@dataclass(frozen=True, slots=True)
class Job:
    """Everything that the processes of a run need, without credentials. It can be pickled.

    ``client`` makes the client of another process: a function that can be imported, and its arguments. ``queue`` is the
    name of the queue that has the slots of the rate, ``limiter`` a RateLimiter that processes share.
    """

    run_id: str
    path: str
    operation: str
    arguments: Mapping[str, Any]
    key: str | None
    lease: float
    durability: str
    concurrency: int
    max_failures: int | None
    on_invalid: str
    client: tuple[Any, ...] | None = None
    auth: Any = None
    queue: str | None = None
    limiter: Any = None
    has_auto_rate: bool = False

    def journal(self) -> Journal:
        """The journal at its path in this process."""
        return Journal(self.path, self.run_id, lease=self.lease, durability=self.durability)


@dataclass(frozen=True, slots=True)
class Task:
    """One partition of a run: the work of one call of :func:`run_partition`. It can be pickled.

    It sends those of ``rows`` whose state is in ``states``: ``new`` or an outcome; with ``may_repeat`` also those that
    can't be repeated.
    """

    job: Job
    name: str
    rows: tuple[TableRow, ...]
    states: frozenset[str] = frozenset({"new", SENT})
    may_repeat: bool = False


@dataclass(slots=True)
class Sent:
    """The result of a task: the number of rows by outcome, and why it stopped early, or ``""``."""

    counts: dict[str, int] = field(default_factory=dict)
    stopped: str = ""
    error: DynclientError | None = None


class Progress:
    """The rows that a process has sent so far, and whether it continues."""

    def __init__(self, max_failures: int | None, watch: Callable[[str], object] | None = None) -> None:
        self.max_failures, self._watch = max_failures, watch
        self.counts: Counter[str] = Counter()
        self.stop = threading.Event()
        self.reason = ""
        self.error: BaseException | None = None
        self._in_a_row = self._sent = 0
        self.changed = threading.Condition()

    def add(self, outcome: str) -> None:
        """Count a row; stop if too many were not done."""
        with self.changed:
            self.counts[outcome] += 1
            if outcome != "invalid":
                self._sent += 1
                self._in_a_row = 0 if outcome == "done" else self._in_a_row + 1
            if self._sent <= _SLOW_START:
                self.changed.notify_all()
            if self.max_failures is not None and not self.stop.is_set():
                self._check(self.max_failures)
        if self._watch is not None:
            self._watch(outcome)

    def _check(self, most: int) -> None:
        bad = self._sent - self.counts["done"]
        why = f"{self._in_a_row} rows in succession" if self._in_a_row >= most else ""
        if not why and self._sent >= _ENOUGH and bad > _SHARE * self._sent:
            why = f"{bad} of {self._sent} rows"
        if why:
            hint = "look at rows('failed') and rows('refused'); max_failures=None never stops"
            self.end("failures", TooManyFailures(f"{why} were not done: the run has stopped", hint=hint))

    def end(self, reason: str, error: BaseException | None = None) -> None:
        """Send no further row; rows in flight are finished."""
        if not self.stop.is_set():
            self.reason, self.error = reason, error
        self.stop.set()

    def go_on(self) -> None:
        """Send again, after a partition was lost."""
        self.reason, self.error = "", None
        self.stop.clear()

    def may_start(self, thread: int, concurrency: int, is_over: Callable[[], bool]) -> None:
        """Slow start: wait until enough rows are finished to add another sending thread, or until no row is left."""
        needed = min(thread * _SLOW_START // max(concurrency, _SLOW_START), _SLOW_START)
        with self.changed:
            while self._sent < needed and not self.stop.is_set() and not is_over():
                self.changed.wait(0.1)


class Sender:
    """Makes the calls of one operation from the rows of a table."""

    def __init__(self, method: OperationMethod, job: Job) -> None:
        self._dispatcher: Dispatcher = method._dispatcher  # noqa: SLF001  # a bulk run is made of its calls
        document, row = self._dispatcher.document, method._row  # noqa: SLF001  # a bulk run is made of its calls
        self._plan = document.plan(row)
        check_operation(self._plan.operation)
        # Only a response's plain data is stored. The rate is not the client's: rows wait for their slots before their
        # intents are written.
        self._options = self._dispatcher.options._replace(convert=None, rate=Rate() if job.has_auto_rate else None)
        self._job, self._namespace = job, uuid.UUID(job.run_id)
        self._fill = filling(job.arguments) if job.arguments else None
        self._drive: Callable[..., HTTPResult] = self._dispatcher.run_unsent

    def prepare(self, row: TableRow) -> tuple[Callable[[], HTTPResult], bool]:
        """Build the call of a row: a function that sends it, and whether it can be repeated.

        Raises:
            RequestError: the row is invalid.
        """
        job, dispatcher = self._job, self._dispatcher
        values = row.values if self._fill is None else self._fill(row.values)
        if self._fill is None and job.key in values:
            values = {name: value for name, value in values.items() if name != job.key}
        bound = self._plan.binder.bind((), self._plan.binder.from_strings(values), self._options.defaults)
        prepared, repeatable = dispatcher.unsent(
            self._plan, bound, self._options, lambda: str(uuid.uuid5(self._namespace, key_text(row, job.key)))
        )
        return partial(self._drive, prepared), repeatable

    def fault(self, row: TableRow) -> RowFault | None:
        """The fault of a row; nothing is sent."""
        try:
            self.prepare(row)
        except RequestError as error:
            return fault_of(row, self._job.key, error)
        return None

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run the calls of an AsyncClient on a separate event loop, with separate connections."""
        if not isinstance(self._dispatcher, AsyncDispatcher):
            yield
            return
        from anyio.from_thread import start_blocking_portal

        dispatcher = self._dispatcher
        with start_blocking_portal() as portal:
            transport = dispatcher.state.another_transport()
            self._drive = lambda prepared: portal.call(partial(dispatcher.run_unsent_async, prepared, transport))
            try:
                yield
            finally:
                if dispatcher.state.has_own_transport:
                    portal.call(transport.aclose)


def fault_of(row: TableRow, key: str | None, error: DynclientError) -> RowFault:
    """The fault of a row, with all faults of its values."""
    faults = "; ".join(str(fault) for fault in getattr(error, "errors", ()))
    text = f"{error.message}: {faults}" if faults else error.message
    return RowFault(row.number + 1, row.line, key_text(row, key) if key else "", text)


def check_operation(operation: Operation) -> None:
    """Check that the responses of an operation can be stored as lines of JSON.

    Raises:
        ArgumentError: it returns a stream or a file, or takes a file.
    """
    body = operation.body.content if operation.body is not None else {}
    found = [(body, "takes a file or a stream, which a row of a table can't hold")]
    for status, response in operation.responses.items():
        if status.startswith("2"):
            found.append((response.content, "returns a file or a stream, which a bulk run can't store"))
    for content, text in found:
        if content and {find(media_range).name for media_range in content} <= {"sequence", "binary"}:
            hint = "call it in your own loop"
            raise ArgumentError(
                f"{operation.row.key} {text}", argument="operation", operation_id=operation.id, hint=hint
            )


@lru_cache(maxsize=8)
def _mask(secrets: frozenset[str]) -> Mask:
    return Mask(secrets)


def _outcome_of(
    send: Callable[[], HTTPResult], *, repeatable: bool
) -> tuple[str, int, dict[str, Any], DynclientError | None]:
    """Send a row. Returns its outcome, status and result, and the error if every other row would have it too."""
    start = time.perf_counter()
    try:
        result = send()
    except DynclientError as error:
        name, is_fatal = _judged(error, repeatable=repeatable)
        status = 0 if isinstance(error, AuthorizationError) else getattr(error, "status", 0)
        line = {"attempts": getattr(error, "attempts", 0), "ms": _milliseconds(start), "problem": problem_of(error)}
        if name == "done":
            line["data"] = getattr(error, "data", None)
        return name, status, line, error if is_fatal else None
    data, request = result.data, result.request
    if request is not None and (
        request.secrets or any(name.lower() in SECRET_HEADERS for name, _ in request.headers.pairs())
    ):
        data = _mask(frozenset(request.secret_values())).apply(data)
    return "done", result.status, {"attempts": result.attempts, "ms": _milliseconds(start), "data": data}, None


def _milliseconds(start: float) -> float:
    return round((time.perf_counter() - start) * 1000, 2)


def _judged(error: DynclientError, *, repeatable: bool) -> tuple[str, bool]:
    """The outcome of a row whose call raised an error, by the rules above, and whether every row would raise it."""
    if isinstance(error, (AuthorizationError, RequestError)):
        # Nothing was sent: a credential is missing, or the client is closed.
        return "failed", True
    if isinstance(error, ResponseError) and error.done:
        return "done", False
    if isinstance(error, ApiError) and error.status < _SERVER_ERROR:
        return "refused" if error.documented and error.status not in _TRY_AGAIN else "failed", False
    if isinstance(error, ApiError) and error.status in _NOTHING_DONE:
        return "failed", False
    is_known = isinstance(error, TransportError) and not error.outcome_unknown
    return "failed" if repeatable or is_known else "unknown", False


def problem_of(error: DynclientError) -> dict[str, Any]:
    """The stored form of an error: its class, its text, its faults, and the data of the server's response."""
    found: dict[str, Any] = {"type": type(error).__name__, "message": error.message[:_LONGEST_MESSAGE]}
    if faults := [str(fault) for fault in getattr(error, "errors", ())]:
        found["faults"] = faults
    if (data := getattr(error, "data", None)) is not None:
        found["data"] = data if not isinstance(data, bytes) else data.decode("utf-8", "replace")
    return found


class Sending:
    """Sends the rows of a partition by threads."""

    def __init__(self, sender: Sender, attempt: Attempt, task: Task, progress: Progress, pace: Paced) -> None:
        self._sender, self._attempt, self._task = sender, attempt, task
        self._progress, self._pace = progress, pace
        self._rows: deque[tuple[TableRow, str]] = deque()
        self._ends, self._ended = threading.Condition(), 0

    def run(self, rows: Iterable[tuple[TableRow, str]]) -> Sent:
        """Send rows, and wait for their responses. After the first Ctrl-C, rows in flight are finished."""
        self._rows.extend(rows)
        before = self._progress.counts.copy()
        numbers = range(self._task.job.concurrency)
        threads = [threading.Thread(target=self._work, args=(number,), daemon=True) for number in numbers]
        try:
            for thread in threads:
                thread.start()
            self._wait(threads)
        except KeyboardInterrupt:
            self._progress.end("interrupted", KeyboardInterrupt())
            self._wait(threads)
        error = self._progress.error
        if error is not None and not isinstance(error, (DynclientError, KeyboardInterrupt)):
            raise error
        counts = self._progress.counts - before
        return Sent(dict(counts), self._progress.reason, error if isinstance(error, DynclientError) else None)

    def _wait(self, threads: Iterable[threading.Thread]) -> None:
        """Wait for the threads that were started; ``join`` is unreliable after Ctrl-C before Python 3.13."""
        with self._ends:
            self._ends.wait_for(lambda: self._ended >= sum(thread.ident is not None for thread in threads))

    def _work(self, thread: int) -> None:
        progress, rows = self._progress, self._rows
        try:
            progress.may_start(thread, self._task.job.concurrency, lambda: not rows)
            while not progress.stop.is_set():
                if self._attempt.stopped:
                    progress.end("stopped")
                try:
                    found = rows.popleft()
                except IndexError:
                    return
                self._one(*found)
        except LeaseLost:
            progress.end("lease")
        except BaseException as error:  # noqa: BLE001  # the journal can't be written, or a hook has raised
            progress.end("error", error)
        finally:
            self._flush()
            with self._ends:
                self._ended += 1
                self._ends.notify_all()

    def _flush(self) -> None:
        """Write the last outcome of a thread, before it waits or ends."""
        try:
            self._attempt.flush()
        except BulkError as error:
            self._progress.end("error", error)

    def _one(self, row: TableRow, state: str) -> None:
        task, progress = self._task, self._progress
        try:
            send, repeatable = self._sender.prepare(row)
        except RequestError as error:
            self._settle(row, "invalid", 0, {"problem": problem_of(error)})
            if task.job.on_invalid == "stop":
                text = "a row is invalid, and was not sent: the run has stopped"
                hint = "on_invalid='skip' sends the others; check=True finds all faults before anything is sent"
                fault = fault_of(row, task.job.key, error)
                progress.end("invalid", InvalidRows(text, faults=[fault], hint=hint))
            return
        if state in {SENT, "unknown"} and not repeatable and not task.may_repeat:
            return
        if self._pace.is_limited:
            self._flush()
            self._pace.wait(progress.stop)
        if progress.stop.is_set():
            return
        self._attempt.intend(row.number, repeatable=repeatable)
        outcome, status, result, fatal = _outcome_of(send, repeatable=repeatable)
        if status == _TOO_MANY_REQUESTS:
            self._pace.slow_down()
        self._settle(row, outcome, status, result)
        if fatal is not None:
            progress.end("error", fatal)

    def _settle(self, row: TableRow, outcome: str, status: int, result: dict[str, Any]) -> None:
        self._attempt.settle(row.number, outcome, status, {"key": key_text(row, self._task.job.key), **result})
        self._progress.add(outcome)


def send_partition(sender: Sender, task: Task, journal: Journal, progress: Progress, pace: Paced) -> Sent:
    """Claim a partition, and send those of its rows that have not been sent.

    ``stopped`` of the result is ``busy`` if another process may still work on it.
    """
    attempt = journal.claim(task.name)
    if attempt is None:
        return Sent(stopped="busy")
    try:
        state = journal.state(task.name, range(1, attempt.number))
        states = ((row, state.of(row.number)) for row in task.rows)
        wanted = ((row, found) for row, found in states if found in task.states)
        return Sending(sender, attempt, task, progress, pace).run(wanted)
    finally:
        attempt.close()
