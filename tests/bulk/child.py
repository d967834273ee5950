"""Run a table in a process of its own, which kills itself at a point: ``child.py JSON``."""

from __future__ import annotations

import json
import logging
import os
import random
import signal
import sys
import threading
import time
from contextlib import suppress

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


def run_it(executor: object = None, **more: object) -> None:
    """Send the table, and print how it ended."""
    with dynclient.load(given["document"], retry=dynclient.Retry(base=0.01)) as client:
        method = client.operations[given["operation"]]
        options = {"journal": given["journal"], "key": "id", "max_failures": None, **given["options"], **more}
        run = bulk.run(method, options.pop("table", given["table"]), executor=executor, **options)
    counts = {name: getattr(run.summary, name) for name in ("done", "unknown", "pending")}
    print(json.dumps(counts), flush=True)  # noqa: T201  # read by the test


def disturb(chance: random.Random) -> None:
    """Kill a worker, or stop it for longer than its lease."""
    from psutil import Process

    time.sleep(chance.uniform(0, 0.6))
    workers = Process(given["workers"]).children(recursive=True)
    workers = [worker.pid for worker in workers if "spawn_main" in " ".join(worker.cmdline())]
    with suppress(ProcessLookupError, IndexError):
        pid = chance.choice(workers)
        if chance.random() < given["stops"]:
            os.kill(pid, signal.SIGSTOP)
            time.sleep(2 * given["options"]["lease"])
            os.kill(pid, signal.SIGCONT)
        else:
            os.kill(pid, signal.SIGKILL)


def with_cluster() -> None:
    """Send by a cluster: the table, or one table for each seed while its workers are disturbed."""
    from distributed import Client

    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    with Client(given["scheduler"], set_as_default=False) as client:
        # dask_worker ends if one of its workers is killed before all have started.
        client.wait_for_workers(4)
        for seed in given.get("seeds", ()):
            disturbing = threading.Thread(target=disturb, args=(random.Random(seed),))
            disturbing.start()
            run_it(client, journal=f"{given['journal']}-{seed}", table=f"{given['table']}-{seed}.csv")
            disturbing.join()  # no worker is left stopped
        if "seeds" not in given:
            run_it(client)
    os._exit(sys.stdout.flush() or 0)


if __name__ == "__main__":
    if point:
        POINTS[point]()
    (with_cluster if given.get("scheduler") else run_it)()
