"""Send a run from other processes and machines: by a ``distributed.Client``, or an Executor of ``concurrent.futures``.

Rule 1: one partition is one task. A cluster may run a task again, or several times at once; the journal lets only one
of them send. Partitions that a dead worker did not finish are submitted again.
Rule 2: credentials are never sent to other processes: they get references, and look up the credentials themselves.
Rule 3: workers fetch the slots of a rate from the driver's queue, in small batches. A dead worker makes a run slower,
never faster.
"""

from __future__ import annotations

import os
import queue
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from functools import reduce
from importlib import import_module
from importlib.util import find_spec
from inspect import isfunction
from typing import Any

from dynclient._client import Client
from dynclient._client.operation_method import OperationMethod
from dynclient.bulk.journal import BulkError, Journal
from dynclient.bulk.sending import Job, Paced, Progress, Sender, Sent, Task, send_partition
from dynclient.exceptions import ArgumentError, MissingCredential
from dynclient.model import API
from dynclient.options import Rate

_REFERENCE = re.compile(r"(env|plugin):([\w.-]+)|([A-Za-z_][\w.]*):([A-Za-z_][\w.]*)")
_FORMS = '"env:NAME", "module:name", "plugin:NAME" of a worker, or a mapping of security schemes to these'
_LEFT_BEHIND = ("query", "defaults", "hooks", "cookies", "http_cache", "upload_progress")
_LEAST_TASKS = 16
_LOT_SECONDS = 0.02
_LOTS = 2
_GONE_SECONDS = 30.0


def client_of(method: OperationMethod, auth: Any) -> dict[str, Any]:
    """The function and arguments with which other processes make the client of an operation, without its credentials.

    Raises:
        ArgumentError: the client has an option that must not, or can't, be sent to them.
    """
    dispatcher = method._dispatcher  # noqa: SLF001  # a run is made of its calls
    options, plain = dispatcher.options, type(dispatcher.options)()
    if auth is None and options.auth not in {..., None}:
        hint = f"auth= takes references to them: {_FORMS}"
        raise ArgumentError("credentials are never sent to other processes", argument="auth", hint=hint)
    lost = [name for name in _LEFT_BEHIND if getattr(options, name) != getattr(plain, name)]
    lost += ["transport"] * (not dispatcher.state.has_own_transport)
    try:
        make, arguments = Client(dispatcher).__reduce__()
    except TypeError as error:
        raise ArgumentError(str(error), argument="method") from None
    lost += [f"header {name}" for name in options.headers if name not in arguments[3]["headers"]]
    if lost:
        hint = "give values by arguments=, credentials by auth="
        raise ArgumentError(f"other processes can't have the client's {', '.join(lost)}", argument="method", hint=hint)
    return {"client": (make, (*arguments[:3], {**arguments[3], "rate": None})), "auth": auth}


def check_reference(auth: Any) -> None:
    """Refuse a value that is a credential and not a reference to one; the error does not show it.

    Raises:
        ArgumentError: it is not a reference.
    """
    if isinstance(auth, Mapping):
        for part in auth.values():
            check_reference(part)
        return
    found = _REFERENCE.fullmatch(auth) if isinstance(auth, str) else None
    with suppress(ImportError, ValueError):
        # user:password looks like module:name, but there is no such module.
        if found is not None and (found[3] is None or find_spec(found[3]) is not None):
            return
    raise ArgumentError(f"auth= must be a reference to credentials: {_FORMS}", argument="auth")


def auth_of(api: API, auth: Any, scheme: str = "") -> Any:
    """The credentials that references name, in this process; for HTTP Basic ``user:password`` becomes a pair.

    Raises:
        MissingCredential: one does not exist here.
    """
    if isinstance(auth, Mapping):
        return {name: auth_of(api, part, name) for name, part in auth.items()}
    kind, _, name = auth.partition(":")
    try:
        if kind == "env":
            found: Any = os.environ[name]
        elif kind == "plugin":
            from distributed import get_worker

            plugins: Any = get_worker().plugins
            found = plugins[name].auth
        else:
            found = reduce(getattr, name.split("."), import_module(kind))
            found = found() if isfunction(found) else found
    except (KeyError, ImportError, AttributeError, ValueError) as error:
        # A password may look like a reference: its text is not shown.
        text = f"auth=: a reference of kind {kind} names nothing in process {os.getpid()}: {type(error).__name__}"
        raise MissingCredential(text) from None
    is_basic = scheme in api.security_schemes and api.security_schemes[scheme].scheme == "basic"
    return tuple(found.split(":", 1)) if is_basic and isinstance(found, str) and ":" in found else found


class _QueuePace(Paced):
    """Takes the slots of a rate that all workers share."""

    def __init__(self, name: str) -> None:
        from distributed import Queue, get_client

        super().__init__(None)
        self.is_limited, client = True, get_client()
        self._slots, self._slow = Queue(name, client=client), Queue(f"{name}-slow", client=client)
        self._left = 0

    def wait(self, stop: threading.Event) -> None:
        """Take a slot of this process's batch, or fetch the next batch."""
        with self._lock:
            while not self._left and not stop.is_set():
                # A get or put that times out would be logged by the scheduler, with a traceback.
                self._left = sum(self._slots.get(batch=True)) or stop.wait(_LOT_SECONDS)
            self._left -= 1

    def slow_down(self) -> None:
        """Report to the driver that the server has answered 429."""
        self._slow.put(1)


@contextmanager
def _slots(executor: Any, name: str, rate: Rate) -> Iterator[None]:
    """Fill the queue with the slots of a rate while a run lasts."""
    from distributed import Queue

    slots, slow = Queue(name, client=executor), Queue(f"{name}-slow", client=executor)
    pace, stop = Paced(rate), threading.Event()
    lot = max(1, round(_LOT_SECONDS / rate.interval))

    def fill() -> None:
        looked = time.monotonic()
        while not stop.is_set():
            for _ in range(lot):
                pace.wait(stop)
            while slots.qsize() >= _LOTS and not stop.wait(_LOT_SECONDS):
                pass
            slots.put(lot)
            if time.monotonic() - looked > 1:
                looked = time.monotonic()
                if slow.qsize():
                    slow.get(batch=True)
                    pace.slow_down()

    thread = threading.Thread(target=fill, daemon=True, name="bulk-rate")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(5)


def drive(
    executor: Any, rate: Any, job: Job, tasks: Callable[[], Iterator[Task]], watch: Callable[[str, int], object]
) -> Sent:
    """Submit partitions to an executor until none is left; ``tasks`` lists those that have rows to send.

    Raises:
        BulkError: the executor is gone.
        ArgumentError: the executor can't keep the rate.
    """
    with nullcontext() if job.queue is None else _slots(executor, job.queue, rate):
        return _submitted(executor, job.journal(), tasks, watch)


def shared_pace(executor: Any, rate: Any, run_id: str) -> dict[str, Any]:
    """The fields of a Job for the rate that its processes share.

    Raises:
        ArgumentError: the executor can't share a rate.
    """
    if rate is None or (isinstance(rate, Rate) and not rate.interval):
        return {}
    if not isinstance(rate, Rate):
        return {"limiter": rate}
    if not _is_dask(executor):
        hint = "use a distributed.Client, or a RateLimiter that processes share"
        raise ArgumentError("the processes of this executor can't share a rate", argument="rate", hint=hint)
    return {"queue": f"dynclient-bulk-{run_id}"}


def _is_dask(executor: Any) -> bool:
    return type(executor).__module__.partition(".")[0] == "distributed"


def _submitted(
    executor: Any, journal: Journal, tasks: Callable[[], Iterator[Task]], watch: Callable[[str, int], object]
) -> Sent:
    finished: queue.Queue[Any] = queue.Queue()
    pending: set[Any] = set()
    feed, again, ending = tasks(), False, Sent()
    options = {"pure": False, "retries": 0} if _is_dask(executor) else {}
    try:
        while True:
            while not ending.stopped and len(pending) < _window(executor):
                task = next(feed, None)
                if task is None:
                    break
                with _reaching(executor):
                    future = executor.submit(run_partition, task, **options)
                pending.add(future)
                future.add_done_callback(finished.put)
            if not pending:
                if ending.stopped or not again:
                    return ending
                time.sleep(journal.lease / 6)
                feed, again = tasks(), False
                continue
            future = _next(finished, executor)
            pending.discard(future)
            sent = _result(future, executor)
            for outcome, count in sent.counts.items():
                watch(outcome, count)
            again = again or sent.stopped in {"busy", "lease"}
            if sent.stopped not in {"", "busy", "lease", "stopped"} and not ending.stopped:
                ending = sent
                _stop(journal)
    except KeyboardInterrupt:
        _stop(journal)
        while pending:
            pending.discard(_next(finished, executor))
        return Sent(stopped="interrupted")


def _stop(journal: Journal) -> None:
    """Make the processes stop sending; they check for this at each heartbeat."""
    with open(journal.stop_file, "wb"):
        pass


def _window(executor: Any) -> int:
    """The number of tasks to submit at a time: enough for all workers, and for an adaptive cluster to grow."""
    if not _is_dask(executor):
        return _LEAST_TASKS
    with _reaching(executor):
        return max(_LEAST_TASKS, 2 * int(sum(executor.nthreads().values())))


@contextmanager
def _reaching(executor: Any) -> Iterator[None]:
    """Raise a BulkError for every error of a scheduler or a pool: it means that the scheduler or the pool is gone."""
    try:
        yield
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise _gone(executor) from error


def _next(finished: queue.Queue[Any], executor: Any) -> Any:
    """The next task that has ended.

    Raises:
        BulkError: the scheduler is gone.
    """
    lost = time.monotonic() + _GONE_SECONDS
    while True:
        if not _is_dask(executor) or executor.status == "running":
            lost = time.monotonic() + _GONE_SECONDS
        elif time.monotonic() > lost or executor.status == "closed":
            raise _gone(executor)
        with suppress(queue.Empty):
            return finished.get(timeout=0.5)


def _gone(executor: Any) -> BulkError:
    return BulkError(f"the processes of {executor!r} are gone", hint="resume(executor=...) continues with another one")


def _result(future: Any, executor: Any) -> Sent:
    """The result of a task. If its worker died, the partition counts as busy, and is submitted again."""
    try:
        found: Sent = future.result()
    except Exception as error:
        # If the result of a Dask future can't be fetched, its task has not necessarily failed.
        is_lost = getattr(future, "status", "error") != "error"
        if is_lost or type(error).__name__ in {"KilledWorker", "CancelledError"}:
            return Sent(stopped="busy")
        if type(error).__name__ in {"BrokenProcessPool", "BrokenExecutor"}:
            raise _gone(executor) from error
        raise
    return found


def run_partition(task: Task) -> Sent:
    """Send one partition in this process: the unit of work of any cluster or pool.

    It may be run again, and on several machines at once: the journal lets only one of them send, and each row once.
    """
    sender, pace, journal = _sender(task.job)
    progress = Progress(task.job.max_failures)
    with sender.running():
        return send_partition(sender, task, journal, progress, pace)


_SENDERS: dict[str, tuple[Sender, Paced, Journal]] = {}


def _sender(job: Job) -> tuple[Sender, Paced, Journal]:
    """This process's client and journal of a run, made once: the journal observes for how long logs have not grown."""
    name = f"{job.run_id} {job.auth} {job.queue}"
    found = _SENDERS.get(name)
    if found is None:
        if job.client is None:
            raise BulkError(
                "this run does not say how other processes make its client", hint="create(..., auth=...) makes one"
            )
        make, arguments = job.client
        client = make(*arguments)
        if job.auth is not None:
            client = client.with_options(auth=auth_of(client.api, job.auth))
        pace = Paced(job.limiter) if job.queue is None else _QueuePace(job.queue)
        found = _SENDERS.setdefault(name, (Sender(client.operations[job.operation], job), pace, job.journal()))
    return found
