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


def run_it(executor: object = None) -> None:
    """Send the table, and print how it ended."""
    with dynclient.load(given["document"], retry=dynclient.Retry(base=0.01)) as client:
        method = client.operations[given["operation"]]
        options = {"journal": given["journal"], "key": "id", "max_failures": None, **given["options"]}
        run = bulk.run(method, given["table"], executor=executor, **options)
    print(json.dumps({name: getattr(run.summary, name) for name in ("done", "unknown", "pending")}))  # noqa: T201  # read by the test


def disturb(cluster: object, chance: random.Random) -> None:
    """Kill some workers, or stop them for longer than their lease."""
    for _ in range(given["deaths"]):
        time.sleep(chance.uniform(0.2, 1.5))
        processes = [worker.process.process.pid for worker in cluster.workers.values() if worker.process is not None]
        if not processes:
            continue
        pid = chance.choice(processes)
        with suppress(ProcessLookupError, TypeError):
            if chance.random() < given["stops"]:
                os.kill(pid, signal.SIGSTOP)
                time.sleep(2 * given["options"]["lease"])
                os.kill(pid, signal.SIGCONT)
            else:
                os.kill(pid, signal.SIGKILL)


def with_cluster() -> None:
    """Send by a cluster of processes of this machine."""
    from distributed import Client, LocalCluster

    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    options = {
        "n_workers": given["workers"],
        "threads_per_worker": 1,
        "processes": True,
        "dashboard_address": "127.0.0.1:0",
    }
    with LocalCluster(**options, silence_logs=logging.CRITICAL) as cluster, Client(cluster) as client:
        chance = random.Random(given.get("seed"))
        disturbing = threading.Thread(target=disturb, args=(cluster, chance), daemon=True)
        if given.get("deaths"):
            disturbing.start()
        run_it(client)
        if given.get("deaths"):
            disturbing.join()  # no worker is left stopped
        os._exit(sys.stdout.flush() or 0)


if __name__ == "__main__":
    if point:
        POINTS[point]()
    (with_cluster if given.get("workers") else run_it)()
