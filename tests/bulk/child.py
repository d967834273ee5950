"""Run a table in a process of its own, which kills itself at a point: ``child.py JSON``."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading

import dynclient
from dynclient import bulk
from dynclient.bulk import journal

given = json.loads(sys.argv[1])
point, after = given.get("point"), given.get("after", 0)
lock, seen = threading.Lock(), 0


def crash(*_: object) -> None:
    """Die at the given pass of the point."""
    global seen  # noqa: PLW0603  # of this process
    with lock:
        seen += 1
        if seen == after:
            os.kill(os.getpid(), signal.SIGKILL)


def wrapped(name: str, *, before: bool) -> None:
    method = getattr(journal.Attempt, name)

    def called(*args, **keywords):
        if before:
            crash()
        found = method(*args, **keywords)
        if not before:
            crash()
        return found

    setattr(journal.Attempt, name, called)


def torn() -> None:
    """Write the first bytes of a record, and die."""
    write = os.write

    def called(file, data):
        global seen  # noqa: PLW0603  # of this process
        with lock:
            seen += 1
            if seen == after:
                write(file, data[: after % len(data)])
                os.kill(os.getpid(), signal.SIGKILL)
        return write(file, data)

    journal.os.write = called


POINTS = {
    "before intent": lambda: wrapped("intend", before=True),
    "after intent": lambda: wrapped("intend", before=False),
    "before outcome": lambda: wrapped("settle", before=True),
    "after outcome": lambda: wrapped("settle", before=False),
    "at claim": lambda: wrapped("_keep_beating", before=True),
    "at end": lambda: wrapped("close", before=True),
    "in a write": torn,
}
if point:
    POINTS[point]()
with dynclient.load(given["document"], retry=dynclient.Retry(base=0.01)) as client:
    method = client.operations[given["operation"]]
    run = bulk.run(method, given["table"], journal=given["journal"], key="id", max_failures=None, **given["options"])
print(json.dumps({"done": run.summary.done, "unknown": run.summary.unknown, "pending": run.summary.pending}))  # noqa: T201  # read by the test
