"""Runs: tables of calls that survive a crash, made by :func:`run` or :func:`create`, found by :func:`open`.

Rule 1: operation, document, arguments and table identify a run: if one differs, the journal is refused, and nothing is
sent.
Rule 2: one process at a time drives a run, with a lease like those of partitions; any number may read it.
Rule 3: counts and queries are computed from the journal.
"""

from __future__ import annotations

import json
import math
import os
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields, replace
from itertools import islice
from typing import Any

from dynclient._client.operation_method import OperationMethod
from dynclient._plain_values import plain_value
from dynclient._request import CallOptions
from dynclient._request.options import Check, check_options
from dynclient.bulk.facts import (
    another,
    check_same,
    client_facts,
    kept,
    loaded,
    make_folders,
    read_facts,
    remove_empty,
    table_path,
)
from dynclient.bulk.journal import BEATS, DRIVER, FORMAT, OUTCOMES, SENT, BulkError, JournalError
from dynclient.bulk.outcomes import Partition, RecordedRun, Summary, checked_outcome
from dynclient.bulk.rows import (
    KEPT_FAULTS,
    InvalidRows,
    Table,
    TableRow,
    columns_in,
    content,
    key_text,
    partitions,
    read_rows,
    scan,
    unknown_column,
)
from dynclient.bulk.sending import Job, Paced, Progress, Sender, Sent, Task, problem_of, send_partition
from dynclient.exceptions import ApiError, ArgumentError, DynclientError, NotFound
from dynclient.options import Rate

KEPT_SETTINGS = ("concurrency", "rate", "max_failures", "on_invalid")


@dataclass(frozen=True, slots=True)
class _Settings:
    """How a run is sent; each ``resume()`` may change it."""

    concurrency: int = 16
    rate: Any = None
    max_failures: int | None = 50
    on_invalid: str = "stop"
    limit: int | None = None
    executor: Any = None
    auth: Any = None
    progress: Callable[[Summary], object] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "rate", CallOptions().changed({"rate": self.rate}).rate)
        check_options({field.name: getattr(self, field.name) for field in fields(self)}, _CHECKS, _NOT_OPTIONAL)
        if self.auth is not None:
            from dynclient.bulk.cluster import check_reference

            check_reference(self.auth)


def _is_number(value: Any, least: int = 1) -> bool:
    return type(value) is int and value >= least


_CHECKS: dict[str, Check] = {
    "concurrency": (_is_number, "a whole number from 1"),
    "max_failures": (_is_number, "a whole number from 1"),
    "on_invalid": (lambda value: value in {"stop", "skip"}, "'stop' or 'skip'"),
    "limit": (lambda value: _is_number(value, 0), "a whole number from 0"),
    "executor": (lambda value: hasattr(value, "submit"), "a distributed.Client or an Executor"),
    "progress": (callable, "a function"),
    "partition_size": (_is_number, "a whole number from 1"),
    "lease": (lambda value: type(value) in {int, float} and 0 < value < math.inf, "a positive number of seconds"),
    "durability": (lambda value: value in {"process", "machine"}, "'process' or 'machine'"),
    "journal": (lambda value: isinstance(value, (str, os.PathLike)) and os.fspath(value) != "", "the path of a folder"),
    "key": (lambda value: isinstance(value, str), "the name of a column"),
    "arguments": (lambda value: isinstance(value, Mapping), "a mapping of arguments to values"),
}
_NOT_OPTIONAL = {"concurrency", "on_invalid", "partition_size", "lease", "durability", "journal"}


class BulkRun(RecordedRun):
    """A run and its journal. ``summary`` counts the outcomes, ``results()`` reads them, ``resume()`` continues."""

    def __init__(
        self,
        path: str,
        facts: Mapping[str, Any],
        method: OperationMethod | None,
        settings: _Settings,
        credential: Any = None,
    ) -> None:
        """Runs are made by :func:`create` and :func:`open`."""
        super().__init__(path, facts)
        self._method, self._settings, self._credential = method, settings, credential

    def resume(self, **settings: Any) -> BulkRun:
        """Send the unsent rows, and those without a response that can be repeated.

        ``settings`` are those of :func:`run`: ``concurrency``, ``rate``, ``max_failures``, ``on_invalid``, ``limit``,
        ``executor``, ``auth``, ``progress``; settings that are left out stay as they were.

        Raises:
            JournalError: another process drives the run, or the table or the document has changed.
            InvalidRows: a row is invalid, with ``on_invalid="stop"``.
            TooManyFailures: more rows failed than ``max_failures`` allows.
        """
        return self._drive(frozenset({"new", SENT}), may_repeat=False, **settings)

    def retry(self, outcome: str = "failed", *, may_repeat: bool = False, **settings: Any) -> BulkRun:
        """Send the rows with an outcome again: ``failed``, ``refused`` or ``invalid``.

        Rows that are ``unknown`` may have been done, and are sent again only with ``may_repeat=True``.

        Raises:
            ArgumentError: the outcome is ``done``, or ``unknown`` without ``may_repeat``.
            BulkError: as :meth:`resume`.
        """
        if checked_outcome(outcome) == "done":
            raise ArgumentError("rows that are done are not sent again", argument="outcome")
        if outcome == "unknown" and not may_repeat:
            raise ArgumentError(
                "rows that are unknown may have been done",
                argument="outcome",
                hint="reconcile() settles them by a look-up; may_repeat=True sends them again anyway",
            )
        states = {outcome, SENT} if outcome == "unknown" else {outcome}
        return self._drive(frozenset(states), may_repeat=outcome == "unknown", **settings)

    def tasks(self) -> Iterator[Task]:
        """The partitions with rows to send, for :func:`run_partition` in other processes or on other machines.

        Raises:
            ArgumentError: the client has a credential, and ``auth`` does not say where other processes find it.
        """
        with suppress(OSError):
            os.unlink(self._journal.stop_file)
        self._table()
        return self._tasks(frozenset({"new", SENT}), may_repeat=False, is_shared=True)

    def reconcile(
        self,
        by: OperationMethod,
        match: Callable[[Mapping[str, Any], Any], Any] | None = None,
        arguments: Mapping[str, Any] | None = None,
    ) -> BulkRun:
        """Settle the unknown rows by looking each of them up.

        Args:
            by: the look-up operation: a safe one (GET, HEAD) of a Client.
            match: is called with a row of the table and the data of the response. If it returns a true value, the row
                is done, with that value as its data; otherwise the row has failed, and ``retry("failed")`` sends it
                again. Without ``match``, any success means done. A 404 means failed; after any other error a row stays
                unknown.
            arguments: the arguments of the look-up, as in :func:`run`.

        Raises:
            ArgumentError: the operation is not safe, or the table has no such column.
            BulkError: as :meth:`resume`.
        """
        if by.operation.method not in {"GET", "HEAD", "QUERY"}:
            raise ArgumentError(f"{by.__name__} may change something: look up by a GET", argument="by")
        sender = Sender(by, replace(self._job(), arguments=dict(arguments or {}), key=self._facts["key"]))
        _check_columns(arguments or {}, self._facts["columns"])
        known = self._partitions()
        with self._driver(), sender.running():
            for number, rows in partitions(self._table(), self._facts["partition_size"]):
                name = _name(number)
                if name in known and known[name].counts["unknown"]:
                    self._reconcile(name, rows, sender, match)
        return self

    def _reconcile(self, name: str, rows: list[TableRow], sender: Sender, match: Any) -> None:
        attempt = self._journal.waited_claim(name)
        try:
            state = self._journal.state(name, range(1, attempt.number))
            for row in rows:
                if state.outcome(row.number) != "unknown":
                    continue
                key = {"key": key_text(row, self._facts["key"])}
                try:
                    result = sender.prepare(row)[0]()
                except NotFound as error:
                    attempt.settle(row.number, "failed", 0, {**key, "problem": problem_of(error)})
                    continue
                except DynclientError as error:
                    if not isinstance(error, ApiError):
                        raise
                    continue
                found = match(row.values, result.data) if match is not None else result.data or True
                data = result.data if found is True else found
                line = {"data": data} if found else {"problem": {"type": "NotFound", "message": "no match"}}
                attempt.settle(row.number, "done" if found else "failed", 0, {**key, **line})
            attempt.flush()
        finally:
            attempt.close()

    def _drive(self, states: frozenset[str], *, may_repeat: bool, **settings: Any) -> BulkRun:
        for name in settings:
            if name not in _Settings.__dataclass_fields__:
                known = ", ".join(_Settings.__dataclass_fields__)
                raise ArgumentError(f"there is no setting {name}", argument=name, hint=f"there are {known}")
        self._settings = replace(self._settings, **settings)
        self._table()
        with self._driver():
            watch = _watching(self, self._settings.progress)
            if self._settings.executor is not None:
                from dynclient.bulk.cluster import drive

                given = self._settings.executor, self._settings.rate, self._job()
                sent = drive(*given, lambda: self._tasks(states, may_repeat=may_repeat), watch)
            else:
                sent = self._drive_here(states, watch, may_repeat=may_repeat)
        if self._settings.progress is not None:
            self._settings.progress(self.summary)
        if sent.stopped == "interrupted":
            raise KeyboardInterrupt
        if sent.error is not None:
            raise sent.error
        return self

    def _drive_here(self, states: frozenset[str], watch: Callable[..., None], *, may_repeat: bool) -> Sent:
        """Send with threads of this process."""
        method, auth = self._operation(), self._settings.auth
        if auth is not None:
            from dynclient.bulk.cluster import auth_of

            method = method.with_options(auth=auth_of(method._dispatcher.document.api, auth))  # noqa: SLF001  # as above
        sender, pace = Sender(method, self._job()), Paced(self._settings.rate)
        progress = Progress(self._settings.max_failures, watch)
        sent = Sent()
        with sender.running():
            again = True
            while again and not progress.stop.is_set():
                again = False
                for task in self._tasks(states, may_repeat=may_repeat):
                    sent = send_partition(sender, task, self._journal, progress, pace)
                    again = again or sent.stopped in {"busy", "lease"}
                    if sent.stopped == "lease":
                        progress.go_on()
                    if progress.stop.is_set():
                        break
                if again:
                    # A process of an earlier driver may still be at work.
                    progress.stop.wait(self._journal.lease / BEATS)
        return sent

    def _tasks(self, states: frozenset[str], *, may_repeat: bool, is_shared: bool = False) -> Iterator[Task]:
        known, job, size = self._partitions(), self._job(is_shared=is_shared), self._facts["partition_size"]
        limit = self._settings.limit
        count = self.total if limit is None else min(limit, self.total)
        sizes = {number: min(size, self.total - number * size) for number in range(-(-count // size))}
        wanted = {number for number, rows in sizes.items() if _has_rows(known.get(_name(number)), states, rows)}
        # If everything is done, the table is not read again.
        for number, chunk in partitions(self._table(check=False), size, min(wanted)) if wanted else ():
            if number in wanted:
                yield Task(job, _name(number), tuple(chunk[: count - number * size]), states, may_repeat)
                wanted.remove(number)
            if not wanted:
                return

    @contextmanager
    def _driver(self) -> Iterator[None]:
        """Hold the role of the run's only driver."""
        attempt = self._journal.waited_claim(DRIVER)
        try:
            with suppress(OSError):
                os.unlink(self._journal.stop_file)
            yield
        finally:
            attempt.close()

    def _table(self, *, check: bool = True) -> str:
        """The path of the table.

        Raises:
            JournalError: the table has changed.
        """
        path: str = self._facts["table"]
        if check:
            try:
                found = content(path)
            except OSError as error:
                hint = "if the table was moved, start the run again with its new path and the same journal"
                raise BulkError(f"{path} can't be read: {error.strerror or error}", hint=hint) from error
            if found != self._facts["sha256"]:
                raise another(self.path, "sha256")
        return path

    def _job(self, *, is_shared: bool = False) -> Job:
        facts, settings = self._facts, self._settings
        others: dict[str, Any] = {}
        if settings.executor is not None or is_shared:
            from dynclient.bulk.cluster import client_of, shared_pace

            others = client_of(self._operation(), settings.auth)
            others |= shared_pace(settings.executor, settings.rate, self.id)
        others |= {name: facts[name] for name in ("operation", "arguments", "key", "lease", "durability")}
        others |= {name: getattr(settings, name) for name in ("concurrency", "max_failures", "on_invalid")}
        has_auto_rate = isinstance(settings.rate, Rate) and settings.rate.auto
        return Job(self.id, self.path, has_auto_rate=has_auto_rate, **others)

    def _operation(self) -> OperationMethod:
        """The operation; if it was not given, it is loaded as ``run.json`` says."""
        if self._method is None:
            has_auth = self._credential is not None or self._settings.auth is not None
            self._method = loaded(self.path, self._facts, self._credential, has_auth=has_auth)
        elif self._credential is not None:
            return self._method.with_options(auth=self._credential)
        return self._method


def _has_rows(known: Partition | None, states: frozenset[str], size: int) -> bool:
    """Whether a partition has rows in one of the states."""
    if known is None:
        return "new" in states
    counts, settled = known.counts, known.counts.total()
    return any(settled < size if state == "new" else counts["unknown" if state == SENT else state] for state in states)


def _name(number: int) -> str:
    return f"{number:06}"


def _watching(run: BulkRun, progress: Callable[[Summary], object] | None) -> Callable[[str, int], None]:
    """A function that counts rows of an outcome, and calls ``progress`` with a Summary at most ten times a second."""
    counts: Counter[str] = Counter()
    following, lock = 0.0, threading.Lock()
    if progress is not None:
        summary = run.summary
        counts.update({name: getattr(summary, name) for name in OUTCOMES})

    def add(outcome: str, count: int = 1) -> None:
        nonlocal following
        if progress is not None:
            with lock:
                counts[outcome] += count
                if (now := time.monotonic()) >= following:
                    following = now + 0.1
                    progress(Summary.of(run.total, counts))

    return add


# Making a run, and finding it again.


def run(method: OperationMethod, table: Any, *, journal: str | os.PathLike[str], **options: Any) -> BulkRun:
    """Call an operation for each row of a table, with a journal, so that a crash neither loses nor repeats a row.

    If the journal of the same run exists, that run continues: after a crash, start the script again.

    Args: those of :func:`create`.

    Raises:
        ArgumentError, InvalidRows, JournalError: as :func:`create`.
        TooManyFailures: more rows failed than ``max_failures`` allows.
    """
    return create(method, table, journal=journal, **options).resume()


def create(
    method: OperationMethod,
    table: Any,
    *,
    journal: str | os.PathLike[str],
    key: str | None = None,
    arguments: Mapping[str, Any] | None = None,
    concurrency: int = 16,
    rate: Any = None,
    max_failures: int | None = 50,
    on_invalid: str = "stop",
    check: bool = False,
    limit: int | None = None,
    partition_size: int = 1000,
    lease: float = 30.0,
    durability: str | None = None,
    executor: Any = None,
    auth: Any = None,
    progress: Callable[[Summary], object] | None = None,
    accept_changed_document: bool = False,
) -> BulkRun:
    """Make a run, or find an existing one, without sending: ``resume()`` and ``run_partition(task)`` send.

    Args:
        method: an operation of a Client or an AsyncClient.
        table: the path of a CSV, TSV, JSON Lines or Parquet file, or an iterable of mappings.
        journal: the folder of the journal.
        key: the column with unique values that name the rows; by default rows are numbered.
        arguments: the arguments of each call. ``"$column"`` stands for a value of the row, at any depth, ``"$$"`` for a
            dollar sign. By default each column but the key is an argument.
        concurrency: the number of concurrent rows in each process.
        rate: limits how many rows are sent: ``"50/s"``, a Rate, or a RateLimiter. A response with status 429 halves it.
        max_failures: stop when this many consecutive rows were not done, or a tenth of at least 200 rows; None never
            stops.
        on_invalid: what happens to a row that violates the document: ``"stop"`` or ``"skip"``.
        check: build all rows before one is sent, and report all faults.
        limit: send only this many rows of the table; a later ``resume(limit=None)`` sends the others.
        partition_size: the number of rows of a log, and of a task of a cluster.
        lease: seconds without a heartbeat after which a process loses its partition.
        durability: ``"process"``: the journal survives a crash of the process; ``"machine"``: also a power failure. The
            default is ``"machine"`` with an executor.
        executor: a ``distributed.Client``, or an Executor of ``concurrent.futures``, that runs the partitions.
        auth: the credentials of other processes: ``"env:NAME"``, ``"module:name"``, ``"plugin:NAME"`` of a worker, or a
            mapping of security schemes to these.
        progress: is called with a Summary, at most ten times a second.
        accept_changed_document: continue a journal although the document has changed.

    Raises:
        ArgumentError: an option, a column or an argument is wrong.
        InvalidRows: rows can't be read, share a key, or, with ``check``, violate the document.
        JournalError: the journal belongs to another run, or can't be written.
    """
    if not isinstance(method, OperationMethod):
        text, hint = "a run takes an operation of a client", "pass client.create_call, without calling it"
        raise ArgumentError(f"{text}, not {type(method).__name__}", argument="method", hint=hint)
    rate = rate if rate is not None else method._dispatcher.options.rate  # noqa: SLF001  # a run is made of its calls
    settings = _Settings(concurrency, rate, max_failures, on_invalid, limit, executor, auth, progress)
    durability = durability or ("machine" if executor is not None else "process")
    given = {"partition_size": partition_size, "lease": lease, "durability": durability}
    check_options({**given, "journal": journal, "key": key, "arguments": arguments}, _CHECKS, _NOT_OPTIONAL)
    arguments = json.loads(json.dumps(plain_value(arguments or {}), default=str))
    path = os.path.abspath(os.fspath(journal))
    make_folders(path)
    try:
        source = table_path(table, path)
        before = read_facts(path)
        found = _known(before, source, key) or scan(source, key)
        _check_columns(arguments, found.columns)
        facts = _facts_of(method, found, key, arguments, settings, given)
        check_same(path, before or facts, facts, accept_changed_document=accept_changed_document)
        # Refuses operations with streams or files.
        sender = Sender(method, BulkRun(path, facts, method, settings)._job())  # noqa: SLF001  # a part of it
        _check_arguments(method, arguments or [name for name in found.columns if name != key])
        if check and on_invalid == "stop":
            _check_rows(sender, source)
    except BaseException:
        remove_empty(path)
        raise
    return BulkRun(path, kept(path, facts, accept_changed_document=accept_changed_document), method, settings)


def open_run(
    journal: str | os.PathLike[str],
    method: OperationMethod | None = None,
    *,
    auth: Any = None,
    accept_changed_document: bool = False,
) -> BulkRun:
    """Find a run by its journal, to read or resume it.

    Without ``method``, the document is loaded from its old location as soon as rows are sent. ``auth`` has the
    credentials, as in ``load``; the journal contains none.

    Raises:
        JournalError: there is no journal, it has another version, or ``method`` is another operation, or of another
        document, unless ``accept_changed_document`` is True.
    """
    path = os.path.abspath(os.fspath(journal))
    facts = read_facts(path)
    if facts is None:
        raise JournalError(f"{path} is not the journal of a run: it has no run.json")
    if method is not None:
        document, operation = method._dispatcher.document, method._row  # noqa: SLF001  # a run is made of its calls
        given = {"document": document.api.fingerprint, "operation": operation.key}
        check_same(path, facts, given, accept_changed_document=accept_changed_document)
    settings = {name: facts["settings"].get(name, getattr(_Settings(), name)) for name in KEPT_SETTINGS}
    return BulkRun(path, facts, method, _Settings(**settings), auth)


def _known(facts: Mapping[str, Any] | None, source: str, key: str | None) -> Table | None:
    """The table of an existing journal, if it has not changed since it was scanned for the journal."""
    with suppress(OSError):
        if facts is not None and facts["key"] == key and facts["sha256"] == (found := content(source)):
            return Table(source, found, facts["rows"], tuple(facts["columns"]))
    return None


def _check_columns(arguments: Mapping[str, Any], columns: Iterable[str]) -> None:
    columns = list(columns)
    for name in sorted(columns_in(arguments)):
        if columns and name not in columns:
            raise unknown_column(name, columns, "arguments")


def _check_arguments(method: OperationMethod, names: Iterable[str]) -> None:
    """Check that the operation has the arguments."""
    try:
        method.from_strings(dict.fromkeys(names))
    except ArgumentError as error:
        error.hint = error.hint or "arguments={...} says which columns are arguments"
        raise


def _check_rows(sender: Sender, source: str) -> None:
    faults = filter(None, map(sender.fault, read_rows(source)))
    first = list(islice(faults, KEPT_FAULTS))
    if count := len(first) + sum(1 for _ in faults):
        text = f"{count} row{'s are' if count > 1 else ' is'} invalid; nothing was sent"
        raise InvalidRows(text, faults=first, count=count, hint="on_invalid='skip' sends the others")


def _facts_of(
    method: OperationMethod,
    table: Table,
    key: str | None,
    arguments: Mapping[str, Any],
    settings: _Settings,
    given: Mapping[str, Any],
) -> dict[str, Any]:
    """The contents of ``run.json``."""
    dispatcher, row = method._dispatcher, method._row  # noqa: SLF001  # a run is made of its calls
    return {
        "format": FORMAT,
        "id": str(uuid.uuid4()),
        "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "document": dispatcher.document.api.fingerprint,
        "operation": row.key,
        "arguments": arguments,
        "key": key,
        "table": table.path,
        "sha256": table.sha256,
        "rows": table.rows,
        "columns": list(table.columns),
        **given,
        "settings": {name: getattr(settings, name) for name in KEPT_SETTINGS}
        | {"rate": settings.rate.limit if isinstance(settings.rate, Rate) else None},
        "client": client_facts(dispatcher),
    }
