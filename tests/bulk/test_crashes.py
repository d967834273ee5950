"""Processes that are killed or stopped at any point: no row that can't be repeated is sent twice, and none is lost."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from dynclient import bulk

CHILD = Path(__file__).parent / "child.py"
ROWS, CONCURRENCY = 60, 4
SEEDS = 200 if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else 20
POINTS = (
    "before intent", "after intent", "before outcome", "after outcome", "at claim", "at end", "in a write", "random",
)  # fmt: skip


@pytest.fixture
def given(tmp_path, document, write_table):
    table = write_table(tmp_path / "rows.csv", ROWS)
    options = {"concurrency": CONCURRENCY, "partition_size": 17, "lease": 1.0}
    return {"document": document, "table": table, "journal": str(tmp_path / "run"), "options": options}


def started(given, environment=None, **more) -> subprocess.Popen:
    arguments = json.dumps({"operation": "createOrder", **given, **more})
    environment = {**os.environ, **(environment or {})}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([sys.executable, str(CHILD), arguments], env=environment, **pipes)


def ended(process: subprocess.Popen) -> dict:
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors.decode()
    return json.loads(out)


def killed(given, chance: random.Random, **more) -> None:
    point = chance.choice(POINTS)
    if point != "random":
        most = {"at claim": 5, "at end": 4, "in a write": 4 * ROWS}.get(point, ROWS)
        started(given, point=point, after=chance.randint(1, most), **more).communicate(timeout=60)
        return
    process = started(given, **more)
    time.sleep(chance.uniform(0.3, 1.0))
    process.kill()
    process.communicate(timeout=60)


def check(server, given, *, most_unknown: int, first: int = 0) -> None:
    run = bulk.open(given["journal"])
    summary = run.summary
    assert (summary.pending, summary.failed, summary.refused, summary.invalid) == (0, 0, 0, 0), summary
    assert summary.done + summary.unknown == ROWS
    assert summary.unknown <= most_unknown
    assert not summary.damaged
    assert max(server.counts.values()) == 1, "a row was sent twice"
    results = {result.key: result.outcome for result in run.results()}
    assert len(results) == ROWS
    for row in range(first, first + ROWS):
        if results[f"o-{row}"] == "done":
            assert server.counts[f"sku-{row}"] == 1, "a row that was not sent counts as done"


@pytest.mark.parametrize("seed", [pytest.param(seed, marks=[pytest.mark.large] * (seed > 0)) for seed in range(SEEDS)])
def test_a_driver_that_is_killed_twice(server, given, seed):
    chance = random.Random(seed)
    server.answer = lambda sku: time.sleep(chance.uniform(0, 0.02)) or 201
    for _ in range(2):
        killed(given, chance)
    ended(started(given))
    check(server, given, most_unknown=2 * CONCURRENCY)


@pytest.mark.large
@pytest.mark.parametrize("operation", ["createKeyedOrder", "putOrder"])
def test_rows_that_can_be_repeated_all_end_as_done(server, given, operation):
    chance = random.Random(operation)
    for _ in range(3):
        killed(given, chance, operation=operation)
    assert ended(started(given, operation=operation)) == {"done": ROWS, "unknown": 0, "pending": 0}
    assert all(len(keys) == 1 for keys in server.keys.values())


def test_a_driver_that_is_stopped_past_its_lease_sends_nothing_more(server, given):
    server.answer = lambda sku: time.sleep(0.02) or 201
    first = started(given)
    while len(server.counts) < 10:
        time.sleep(0.01)
    os.kill(first.pid, signal.SIGSTOP)
    try:
        second = ended(started(given))
        assert second["pending"] == 0
        sent = server.counts.total()
    finally:
        os.kill(first.pid, signal.SIGCONT)
    first.communicate(timeout=60)
    assert server.counts.total() <= sent + CONCURRENCY
    check(server, given, most_unknown=CONCURRENCY)


@pytest.mark.large
def test_a_driver_beside_another_one_sends_nothing(server, given):
    gate = threading.Event()
    server.answer = lambda sku: gate.wait(60) and 201
    first = started(given)
    while not server.counts:
        time.sleep(0.01)
    with pytest.raises(AssertionError, match="another process is at work"):
        ended(started(given))
    gate.set()
    assert ended(first)["done"] == ROWS
    check(server, given, most_unknown=0)


@pytest.mark.large
def test_the_first_interrupt_lets_what_is_in_flight_finish(server, given):
    server.answer = lambda sku: time.sleep(0.02 if int(sku[4:]) % 4 else 0.5) or 201
    process = started(given)
    while len(server.counts) < 10:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert b"KeyboardInterrupt" in errors
    summary = bulk.open(given["journal"]).summary
    assert (summary.unknown, summary.done) == (0, server.counts.total())
    assert ended(started(given))["done"] == ROWS
    check(server, given, most_unknown=0)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A Dask cluster of processes of their own: a scheduler, and four workers that are started again when they die."""
    file = tmp_path_factory.mktemp("cluster") / "scheduler.json"
    given = ("--host", "127.0.0.1", "--scheduler-file", file, "--no-dashboard")
    with ExitStack() as stack:
        scheduler = stack.enter_context(program("dask_scheduler", "--port", 0, *given))
        limit = time.monotonic() + 60
        while not file.exists() and time.monotonic() < limit:
            time.sleep(0.05)
        words = ("--nworkers", 4, "--nthreads", 1, "--memory-limit", 0, "--local-directory", file.parent)
        workers = stack.enter_context(program("dask_worker", *words, *given))
        yield {"scheduler": json.loads(file.read_text())["address"], "workers": workers.pid}, scheduler


@contextmanager
def program(name, *words):
    from psutil import NoSuchProcess, Process

    command = [sys.executable, "-m", f"distributed.cli.{name}", *map(str, words)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        for each in [*Process(process.pid).children(recursive=True), process] if process.poll() is None else []:
            with suppress(NoSuchProcess, ProcessLookupError):
                each.kill()
        process.wait()


@pytest.mark.large
@pytest.mark.timeout(660)
@pytest.mark.parametrize("first", range(0, SEEDS, 20))
def test_a_cluster_whose_workers_are_killed_and_stopped(server, given, write_table, cluster, first):
    seeds = list(range(first, first + 20))
    chance = random.Random(first)
    server.answer = lambda sku: time.sleep(chance.uniform(0, 0.1)) or 201
    for seed in seeds:
        write_table(Path(f"{given['table']}-{seed}.csv"), ROWS, seed * ROWS)
    process = started(given, **cluster[0], stops=0.3, seeds=seeds)
    out, errors = process.communicate(timeout=600)
    assert process.returncode == 0, errors.decode()
    assert len(out.splitlines()) == len(seeds)
    for seed in seeds:
        journal = {**given, "journal": f"{given['journal']}-{seed}"}
        check(server, journal, most_unknown=CONCURRENCY, first=seed * ROWS)


@pytest.mark.large
def test_the_processes_of_a_cluster_keep_a_rate_together(server, given, write_table, cluster):
    rate, seconds = 50, 10
    table = write_table(Path(given["table"]), rate * (seconds + 1))
    options = {**given["options"], "rate": f"{rate}/s"}
    assert ended(started({**given, "table": table, "options": options}, **cluster[0]))["pending"] == 0
    most = max(
        sum(start <= each < start + seconds for each in server.times[index:])
        for index, start in enumerate(server.times)
    )
    assert rate <= most <= 1.05 * rate * seconds


@pytest.mark.large
def test_a_driver_of_a_cluster_that_is_killed_twice_and_its_scheduler(server, given, cluster):
    gate = threading.Event()
    # From the second death on nothing is answered: workers finish what they have begun, with a driver or without.
    server.answer = lambda sku: 201 if len(server.counts) >= 25 and gate.wait(60) else time.sleep(0.05) or 201
    drives = [Path(given["journal"], "parts", f"driver.a{number}.log") for number in (1, 2, 3)]
    for log, count in zip(drives, (10, 25), strict=False):
        process = started(given, **cluster[0])
        while len(server.counts) < count or not log.exists():
            time.sleep(0.01)
        process.kill()
        process.communicate(timeout=60)
    process = started(given, **cluster[0], environment={"DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "2s"})
    while not drives[2].exists():
        time.sleep(0.01)
    cluster[1].kill()
    _, errors = process.communicate(timeout=120)
    gate.set()
    assert process.returncode == 1
    assert "resume(executor=...) continues" in errors.decode()[-300:], errors.decode()
    ended(started(given))
    check(server, given, most_unknown=3 * 4 * CONCURRENCY)
