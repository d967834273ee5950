"""Processes that are killed or stopped at any point: no row that can't be repeated is sent twice, and none is lost."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
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


def started(given, **more) -> subprocess.Popen:
    arguments = json.dumps({"operation": "createOrder", **given, **more})
    return subprocess.Popen([sys.executable, str(CHILD), arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE)


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


def check(server, given, *, most_unknown: int) -> None:
    run = bulk.open(given["journal"])
    summary = run.summary
    assert (summary.pending, summary.failed, summary.refused, summary.invalid) == (0, 0, 0, 0), summary
    assert summary.done + summary.unknown == ROWS
    assert summary.unknown <= most_unknown
    assert not summary.damaged
    assert max(server.counts.values()) == 1, "a row was sent twice"
    results = {result.key: result.outcome for result in run.results()}
    assert len(results) == ROWS
    for row in range(ROWS):
        if results[f"o-{row}"] == "done":
            assert server.counts[f"sku-{row}"] == 1, "a row that was not sent counts as done"


@pytest.mark.parametrize("seed", [pytest.param(seed, marks=[pytest.mark.large] * (seed > 1)) for seed in range(SEEDS)])
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
    server.answer = lambda sku: time.sleep(0.1) or 201
    first = started(given)
    while len(server.counts) < 4:
        time.sleep(0.01)
    with pytest.raises(AssertionError, match="another process is at work"):
        ended(started(given))
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


@pytest.mark.large
@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_cluster_whose_workers_are_killed_and_stopped(server, given, seed):
    chance = random.Random(seed)
    server.answer = lambda sku: time.sleep(chance.uniform(0, 0.1)) or 201
    ended(started(given, workers=chance.randint(2, 4), stops=chance.choice([0, 0.5]), seed=seed, deaths=3))
    check(server, given, most_unknown=3 * CONCURRENCY)


@pytest.mark.large
@pytest.mark.parametrize("seed", range(3))
def test_a_driver_of_a_cluster_that_is_killed(server, given, seed):
    chance = random.Random(seed)
    server.answer = lambda sku: time.sleep(0.1) or 201
    process = started(given, workers=2)
    while len(server.counts) < 10 + 5 * seed:
        time.sleep(0.01)
    time.sleep(chance.uniform(0, 0.2))
    process.kill()
    process.communicate(timeout=60)
    ended(started(given))
    check(server, given, most_unknown=2 * CONCURRENCY)
