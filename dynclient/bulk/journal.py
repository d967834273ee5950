"""The journal of a run: a folder of logs, each written by a single process. It needs no server.

    run.json                    what is sent: run id, document, operation, table, options
    parts/000123.a2.log         of partition 123 the second attempt: records of 24 bytes
    results/000123.a2.jsonl     a line for each outcome: row, key, status, data or problem

Rule 1: an attempt is claimed by creating its log with O_EXCL. A later one is claimed only if the one before has ended,
its process is known to be dead, or its log has not grown for 1.5 leases by the claimer's own clock.
Rule 2: a row is sent only after its intent was written, and only if then the process's last heartbeat is younger than
two thirds of a lease and no successor has claimed the partition. So a process that was suspended for longer does no
harm when it continues: its successor has read every intent.
Rule 3: an incomplete last record counts as not written: its row was not sent. Any other mismatch in the chain of
checksums is damage; then each row of the partition without an outcome counts as sent.
Rule 4: a row's state is that of its last record, by the order of attempts, but ``done`` stays done.
"""

from __future__ import annotations

import errno
import json
import os
import struct
import threading
import time
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from dynclient._records import Record
from dynclient.exceptions import RequestError

FORMAT = 1
OUTCOMES = ("done", "refused", "failed", "invalid", "unknown")
NEW, SENT = "new", "sent"
DRIVER = "driver"

_MAGIC = b"dynbulk1"
_HEADER = struct.Struct("<8s16sQQQI")
_BODY = struct.Struct("<BxHQd")
_CHECKSUM = struct.Struct("<I")
_SIZE = _CHECKSUM.size + _BODY.size

BEAT, INTENT, END = 1, 2, 3
_FIRST_OUTCOME = 16
_KINDS = {name: _FIRST_OUTCOME + index for index, name in enumerate(OUTCOMES)}
_NAMES = {kind: name for name, kind in _KINDS.items()}
_SIGNS = frozenset({BEAT, END})
_NONE = (0, 0, 0, 0.0)

_WRITING = os.O_WRONLY | getattr(os, "O_BINARY", 0)
_SYNC = getattr(os, "fdatasync", os.fsync)
_ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str).encode
_STILL = 1.5
_FRESH = 2 / 3
BEATS = 6


class BulkError(RequestError):
    """A run can't be made, or can't continue. Rows that are done stay done; ``resume()`` continues where it stopped."""


class JournalError(BulkError):
    """A journal can't be read or written, belongs to another run, or is in use."""


class LeaseLost(BulkError):
    """A process was suspended for so long that another may have taken its partition, so it sends nothing more."""


def clock() -> float:
    """A clock in seconds, which also counts the time in which the machine sleeps, where the system has such a clock."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


LogRecord = tuple[int, int, int, float]
"""A record of a log: its kind, a status of HTTP, the row's number, and seconds since the epoch.

The status of an intent is 1 if the row can be repeated.
"""


class Decoded(Record):
    """The contents of a log. ``damaged`` is the offset of the first bytes that can't be trusted, or None."""

    owner: tuple[bytes, int, int, int] | None
    records: list[LogRecord]
    damaged: int | None

    @property
    def ended(self) -> bool:
        """Whether the process has recorded that it sends nothing more."""
        return self.damaged is None and bool(self.records) and self.records[-1][0] == END


def seed_of(run_id: str, name: str) -> int:
    """The first checksum of a log's chain. It differs for each partition and run, so their logs can't be confused."""
    return zlib.crc32(f"{run_id}/{name}".encode())


def decode(data: bytes, seed: int) -> Decoded:
    """Read a log. An incomplete last record counts as not written, and so do zeros at the end."""
    if len(data) < _HEADER.size:
        return Decoded(None, [], None)
    *fields, checksum = _HEADER.unpack_from(data)
    if zlib.crc32(data[: _HEADER.size - _CHECKSUM.size], seed) != checksum or fields[0] != _MAGIC:
        return Decoded(None, [], 0 if any(data) else None)
    owner, start = tuple(fields[1:]), _HEADER.size
    whole = len(data) - (len(data) - start) % _SIZE
    bodies = bytearray(data[start:whole])
    for size in range(_SIZE, _BODY.size, -1):
        del bodies[::size]
    if not bodies or data[whole - _SIZE : whole - _BODY.size] == _CHECKSUM.pack(zlib.crc32(bodies, checksum)):
        # Each checksum continues the previous one, so the last one covers all records.
        return Decoded(owner, list(_BODY.iter_unpack(bodies)), None)
    records: list[LogRecord] = []
    for position in range(start, whole, _SIZE):
        body = data[position + _CHECKSUM.size : position + _SIZE]
        checksum = zlib.crc32(body, checksum)
        if data[position : position + _CHECKSUM.size] != _CHECKSUM.pack(checksum):
            return Decoded(owner, records, position if any(data[position:]) else None)
        records.append(_BODY.unpack(body))
    return Decoded(owner, records, None)


@dataclass(slots=True)
class PartitionState:
    """The rows of a partition that have a record: the last record of each, and the attempt that wrote it.

    ``damaged`` lists the places that can't be trusted. ``has_ended``: every attempt has recorded that it ended.
    """

    rows: dict[int, LogRecord] = field(default_factory=dict)
    attempts: dict[int, int] = field(default_factory=dict)
    damaged: list[str] = field(default_factory=list)
    has_ended: bool = True

    def of(self, row: int) -> str:
        """The state of a row: ``new``, ``sent``, or an outcome. By rule 3, damage makes it sent."""
        record = self.rows.get(row)
        if record is None:
            return SENT if self.damaged else NEW
        return _NAMES.get(record[0], SENT)

    def outcome(self, row: int) -> str | None:
        """A row's outcome; None if it is still to be sent. A row that was sent and can't be repeated is unknown."""
        record = self.rows.get(row)
        if record is None:
            return "unknown" if self.damaged else None
        return _outcome(record)

    def counts(self, size: int) -> Counter[str]:
        """The number of rows of each outcome, in a partition of ``size`` rows."""
        counts = Counter(filter(None, map(_outcome, self.rows.values())))
        if self.damaged:
            counts["unknown"] += size - len(self.rows)
        return counts

    def add(self, attempt: int, records: Iterable[LogRecord]) -> None:
        """Add the records of a later attempt."""
        done, last = _KINDS["done"], {record[2]: record for record in records if record[0] not in _SIGNS}
        if self.rows:
            last = {row: record for row, record in last.items() if self.rows.get(row, _NONE)[0] != done}
        self.rows.update(last)
        self.attempts.update(dict.fromkeys(last, attempt))


def _outcome(record: LogRecord) -> str | None:
    kind, status, _, _ = record
    return (None if status else "unknown") if kind == INTENT else _NAMES[kind]


@cache
def _machine() -> tuple[bytes, int] | None:
    """An identifier of this machine's boot and of the namespace of process ids; None if they are unknown."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            boot = bytes.fromhex(file.read().strip().replace("-", ""))
        return boot, os.stat("/proc/self/ns/pid").st_ino
    except (OSError, ValueError):
        return None


def _started(pid: int) -> int | None:
    """When a process of this machine started, in ticks; None if the process does not exist, or that is unknown."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        return int(fields[19]) if fields[0] not in {b"Z", b"X"} else None
    except (OSError, ValueError, IndexError):
        return None


def _is_dead(owner: tuple[bytes, int, int, int] | None) -> bool:
    """Whether a process is known to be dead: it ran on this boot of this machine, and no longer exists."""
    return owner is not None and owner[:2] == _machine() and _started(owner[2]) != owner[3]


class Journal:
    """The folder of a run. ``lease`` is in seconds; ``durability`` is ``process`` or ``machine``."""

    def __init__(self, path: str | os.PathLike[str], run_id: str, *, lease: float, durability: str) -> None:
        self.path = os.path.abspath(path)
        self.run_id, self.lease, self.durability = run_id, lease, durability
        self._seen: dict[str, tuple[int, float]] = {}

    @property
    def stop_file(self) -> str:
        """The file whose presence makes the processes of a run stop sending."""
        return os.path.join(self.path, "stop")

    def log(self, name: str, attempt: int) -> str:
        """The path of an attempt's log."""
        return os.path.join(self.path, "parts", f"{name}.a{attempt}.log")

    def results(self, name: str, attempt: int) -> str:
        """The path of an attempt's results."""
        return os.path.join(self.path, "results", f"{name}.a{attempt}.jsonl")

    def attempts(self) -> dict[str, list[tuple[int, int]]]:
        """The attempts of every partition, each with the size of its log, in order.

        Raises:
            JournalError: the folder can't be read.
        """
        found: dict[str, list[tuple[int, int]]] = {}
        try:
            with os.scandir(os.path.join(self.path, "parts")) as entries:
                for entry in entries:
                    name, _, rest = entry.name.partition(".a")
                    if rest.endswith(".log") and rest[:-4].isdecimal():
                        found.setdefault(name, []).append((int(rest[:-4]), entry.stat().st_size))
        except OSError as error:
            raise JournalError(f"the journal {self.path} can't be read: {error}") from error
        return {name: sorted(attempts) for name, attempts in sorted(found.items())}

    def attempts_of(self, name: str) -> list[int]:
        """The attempts of one partition, in order."""
        number = 1
        while os.path.exists(self.log(name, number)):
            number += 1
        return list(range(1, number))

    def decoded(self, name: str, attempt: int) -> Decoded:
        """Read an attempt's log."""
        with open(self.log(name, attempt), "rb") as file:
            return decode(file.read(), seed_of(self.run_id, f"{name}.a{attempt}"))

    def state(self, name: str, attempts: Iterable[int] | None = None) -> PartitionState:
        """The records of the rows of a partition."""
        state = PartitionState()
        for attempt in self.attempts_of(name) if attempts is None else attempts:
            decoded = self.decoded(name, attempt)
            state.add(attempt, decoded.records)
            if decoded.damaged is not None:
                state.damaged.append(f"{self.log(name, attempt)} at byte {decoded.damaged}")
            if not decoded.ended:
                state.has_ended = False
                state.add(attempt, self._outcomes(name, attempt, state))
        return state

    def _outcomes(self, name: str, attempt: int, state: PartitionState) -> Iterator[LogRecord]:
        """The outcomes that are in an attempt's results but not in its log: it did not end, or its log is damaged."""
        for line in self.lines(name, attempt):
            row, kind = line["row"], _KINDS.get(str(line.get("outcome")))
            if kind is not None and (state.attempts.get(row, 0) < attempt or state.of(row) == SENT):
                yield kind, line.get("status") or 0, row, line.get("time") or 0.0

    def lines(self, name: str, attempt: int) -> Iterator[dict[str, Any]]:
        """The results of an attempt; an incomplete line was not written."""
        with suppress(FileNotFoundError), open(self.results(name, attempt), "rb") as file:
            for text in file:
                with suppress(ValueError):
                    line = json.loads(text)
                    if isinstance(line, dict) and isinstance(line.get("row"), int):
                        yield line

    def is_over(self, name: str, attempt: int) -> bool:
        """Whether an attempt will send nothing more, by rule 1. If it is false, ask again later."""
        path = self.log(name, attempt)
        size, now = os.path.getsize(path), clock()
        seen = self._seen.get(path)
        if seen is None or seen[0] != size:
            self._seen[path] = seen = size, now
        if now - seen[1] >= _STILL * self.lease:
            return True
        decoded = self.decoded(name, attempt)
        return decoded.ended or _is_dead(decoded.owner)

    def claim(self, name: str) -> Attempt | None:
        """Claim the next attempt of a partition; None if another process may still be working on it.

        Raises:
            JournalError: the folder can't be written.
        """
        attempts = self.attempts_of(name)
        if attempts and not self.is_over(name, attempts[-1]):
            return None
        number = len(attempts) + 1
        try:
            file = os.open(self.log(name, number), os.O_CREAT | os.O_EXCL | _WRITING, 0o600)
        except FileExistsError:
            return None
        except OSError as error:
            raise unwritable(self.path, error) from error
        try:
            return Attempt(self, name, number, file)
        except JournalError:
            # Nothing was sent, and no process can have claimed a later attempt yet.
            os.close(file)
            os.unlink(self.log(name, number))
            raise

    def waited_claim(self, name: str) -> Attempt:
        """Claim a partition, or the role of driver, as soon as the process that has it is known to have ended.

        Raises:
            JournalError: another process is at work.
        """
        beaten, size = 0, -1
        while (attempt := self.claim(name)) is None:
            before = size
            with suppress(OSError):
                size = os.path.getsize(self.log(name, len(self.attempts_of(name))))
            beaten += before not in {-1, size}
            if beaten > 1:
                hint = "wait until it has ended; if it dies, its lease expires"
                raise JournalError(f"another process is at work on {self.path}", hint=hint)
            time.sleep(min(self.lease / BEATS, 1.0))
        return attempt


def unwritable(path: str, error: OSError) -> JournalError:
    """The error for a journal that can't be written."""
    is_full = error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
    hint = (
        "free some space, then resume: rows that are done stay done" if is_full else "use a folder that can be written"
    )
    return JournalError(f"the journal {path} can't be written: {error.strerror or error}", hint=hint)


class Attempt:
    """One claimed attempt of a partition: the only writer of its log and of its results.

    Results and records are kept in memory until the next intent, the next heartbeat or the end; then one thread writes
    those of all threads. If the process dies, the last result of each thread may be lost, but no thread has sent
    another row by then.
    """

    def __init__(self, journal: Journal, name: str, number: int, file: int) -> None:
        self.journal, self.name, self.number = journal, name, number
        self._file = file
        self._results = -1
        self._successor = journal.log(name, number + 1)
        self._has_successor = False
        self._lock = threading.Lock()
        self._pending: list[bytes] = []
        self._lines: list[bytes] = []
        self._is_synced = journal.durability == "machine"
        self._failure: OSError | None = None
        self._beat = clock()
        machine, pid = _machine() or (bytes(16), 0), os.getpid()
        owner = _HEADER.pack(_MAGIC, *machine, pid, _started(pid) or 0, 0)[: -_CHECKSUM.size]
        self._chain = zlib.crc32(owner, seed_of(journal.run_id, f"{name}.a{number}"))
        try:
            _write(self._file, owner + _CHECKSUM.pack(self._chain))
            if self._is_synced:
                _sync_folder(os.path.dirname(self._successor))
        except OSError as error:
            raise unwritable(journal.path, error) from error
        self.stopped = False
        self._closing = threading.Event()
        self._beats = threading.Thread(target=self._keep_beating, daemon=True, name=f"bulk-beat-{name}")
        self._beats.start()

    def _keep_beating(self) -> None:
        while not self._closing.wait(self.journal.lease / BEATS):
            now = clock()
            with suppress(JournalError):
                self._add(BEAT, 0, 0)
                self.flush()
                self._beat = now
            self.stopped = os.path.exists(self.journal.stop_file)

    def _add(self, kind: int, row: int, status: int) -> None:
        self._pending.append(_BODY.pack(kind, status, row, time.time()))

    def flush(self) -> None:
        """Write the records of all threads. A thread that had to wait for the lock may find that its own are written.

        Raises:
            JournalError: it can't be written.
        """
        with self._lock:
            count = len(self._pending)
            if not count:
                return
            if self._failure is None:
                try:
                    self._write_first(count)
                except OSError as error:
                    # Anything after a partial record would count as damage.
                    self._failure = error
            if self._failure is not None:
                raise unwritable(self.journal.path, self._failure) from self._failure

    def _write_first(self, count: int) -> None:
        """Write the first ``count`` records.

        The results of outcomes were added before their records, and are written first.
        """
        bodies, lines = self._pending[:count], self._lines[:]
        if lines:
            if self._results < 0:
                path = self.journal.results(self.name, self.number)
                self._results = os.open(path, os.O_CREAT | os.O_APPEND | _WRITING, 0o600)
            _write(self._results, b"".join(lines))
            del self._lines[: len(lines)]
            if self._is_synced:
                _SYNC(self._results)
        data = bytearray()
        for body in bodies:
            self._chain = zlib.crc32(body, self._chain)
            data += _CHECKSUM.pack(self._chain) + body
        _write(self._file, data)
        del self._pending[:count]
        if self._is_synced:
            _SYNC(self._file)
        self._has_successor = os.access(self._successor, os.F_OK)

    def intend(self, row: int, *, repeatable: bool) -> None:
        """Record that a row is about to be sent: if this returns, it may be sent now.

        Raises:
            LeaseLost: another process may have taken the partition; the row must not be sent.
            JournalError: the journal can't be written; the row must not be sent.
        """
        self._add(INTENT, row, int(repeatable))
        self.flush()
        if clock() - self._beat > _FRESH * self.journal.lease or self._has_successor:
            raise LeaseLost(f"partition {self.name}: the last beat is too old, or another process has claimed it")

    def settle(self, row: int, outcome: str, status: int, result: Mapping[str, Any]) -> None:
        """Add the outcome of a row: its result, and its record. ``flush`` writes them."""
        line = {"row": row, "outcome": outcome, "status": status or None, "time": round(time.time(), 3), **result}
        self._lines.append(_ENCODE(line).encode("utf-8", "backslashreplace") + b"\n")
        self._add(_KINDS[outcome], row, status)

    def close(self) -> None:
        """End the attempt: another process may claim the partition at once."""
        self._closing.set()
        self._beats.join()
        with suppress(JournalError):
            self._add(END, 0, 0)
            self.flush()
        for file in (self._file, self._results):
            if file >= 0:
                with suppress(OSError):
                    os.close(file)
        self._file = self._results = -1


def _write(file: int, data: bytes | bytearray) -> None:
    while data:
        data = data[os.write(file, data) :]


def _sync_folder(path: str) -> None:
    if os.name == "nt":  # Windows can't open a folder, and writes names together with the files
        return
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
