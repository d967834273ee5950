"""``python -m benchmarks.bulk``: tables of calls compared with a loop of threads, in two processes, resumed, simulated.

Loop and run alternate, with one server in a separate process; wall-clock and CPU time of this process are compared.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import json
import multiprocessing
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import dynclient
from dynclient import bulk
from dynclient.bulk.journal import INTENT, Journal

ANSWER = b'{"id":"0123456789abcdef","state":"accepted"}'
HEAD = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(ANSWER)
THREADS = 16
_TEXT = {"type": "string"}
_BODY = {"type": "object", "required": ["id"], "properties": {"id": _TEXT, "phone": _TEXT, "n": {"type": "integer"}}}
_OBJECT = {"application/json": {"schema": {"type": "object", "properties": {"id": _TEXT, "state": _TEXT}}}}
_POST = {
    "operationId": "create",
    "requestBody": {"required": True, "content": {"application/json": {"schema": _BODY}}},
    "responses": {"201": {"description": "made", "content": _OBJECT}},
}


async def _answer(delay: float, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].partition(b"\r")[0])
            await reader.readexactly(length)
            if delay:
                await asyncio.sleep(delay)
            writer.write(HEAD + ANSWER)
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


def _serve(port: Any, delay: float) -> None:
    async def run() -> None:
        server = await asyncio.start_server(partial(_answer, delay), "127.0.0.1", 0)
        port.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


@contextmanager
def served(delay: float = 0.0) -> Iterator[str]:
    """The URL of a server that answers each POST at once, or after some seconds."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(there, delay), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{here.recv()}"
    finally:
        process.terminate()


def written(folder: Path, rows: int) -> Path:
    """A table with this many rows."""
    path = folder / f"rows-{rows}.csv"
    with path.open("w", encoding="utf-8") as file:
        file.write("id,phone,n\n")
        file.writelines(f"r-{row},+1919{row:07},{row}\n" for row in range(rows))
    return path


def document(folder: Path, url: str) -> str:
    """The document of the server."""
    info = {"title": "Rows", "version": "1"}
    paths = {"/rows": {"post": _POST}}
    path = folder / "rows.json"
    path.write_text(json.dumps({"openapi": "3.1.0", "info": info, "servers": [{"url": url}], "paths": paths}))
    return str(path)


def beside_a_loop(folder: Path, url: str, rows: int, turns: int) -> None:
    """Compare a run with a loop of threads over the same client and rows."""
    table = written(folder, rows)
    client = dynclient.load(document(folder, url))
    ratios, processor = [], []

    def loop() -> None:
        def send(row: dict[str, str]) -> None:
            client.create(id=row["id"], phone=row["phone"], n=int(row["n"]))

        with ThreadPoolExecutor(THREADS) as pool, table.open(encoding="utf-8", newline="") as file:
            list(pool.map(send, csv.DictReader(file)))

    def run(turn: int) -> None:
        arguments = {"id": "$id", "phone": "$phone", "n": "$n"}
        bulk.run(client.create, table, journal=folder / f"run-{turn}", key="id", arguments=arguments)

    loop()
    for turn in range(turns):
        wall, cpu = time.perf_counter(), time.process_time()
        loop()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        start, used = time.perf_counter(), time.process_time()
        run(turn)
        ratios.append(wall / (time.perf_counter() - start))
        processor.append(cpu / (time.process_time() - used))
        print(f"  loop {rows / wall:,.0f} rows/s, run {ratios[-1]:.2f} x of it ({processor[-1]:.2f} x by CPU time)")
    print(
        f"run beside a loop: {statistics.median(ratios):.2f} x (goal 0.85), {statistics.median(processor):.2f} by CPU"
    )


def in_two_processes(folder: Path, rows: int) -> None:
    """Compare a cluster of two processes with one process, with a slow server, so that the client is the limit."""
    with served(delay=0.1) as url:
        _in_two_processes(folder, url, rows)


def _in_two_processes(folder: Path, url: str, rows: int) -> None:
    from distributed import Client, LocalCluster

    table, found = written(folder, rows), {}
    client = dynclient.load(document(folder, url))
    arguments = {"id": "$id", "phone": "$phone", "n": "$n"}
    for number in (1, 2):
        options: dict[str, Any] = {"n_workers": number, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0"}
        with LocalCluster(**options) as cluster, Client(cluster) as executor:
            for part, limit in (("warm", 4 * 200), ("measured", rows)):
                given = {"key": "id", "arguments": arguments, "executor": executor, "durability": "process"}
                given |= {"limit": limit, "partition_size": 200}
                start = time.perf_counter()
                bulk.run(client.create, table, journal=folder / f"{part}-{number}", **given)
                found[number] = rows / (time.perf_counter() - start)
    print(f"two processes: {found[2]:,.0f} rows/s, {found[2] / found[1]:.2f} x one of them (goal 1.5)")


def resumed(folder: Path, rows: int) -> None:
    """Measure how long it takes to resume a run of which all rows are done, and the memory of it."""
    table = written(folder, rows)
    client = dynclient.load(document(folder, "http://127.0.0.1:9"))
    arguments = {"id": "$id", "phone": "$phone", "n": "$n"}
    start = time.perf_counter()
    made = bulk.create(client.create, table, journal=folder / f"done-{rows}", key="id", arguments=arguments)
    print(f"  {rows:,} rows: made in {time.perf_counter() - start:.1f} s")
    journal = Journal(made.path, made.id, lease=30, durability="process")
    last = (rows + 999) // 1000 - 1
    for number in range(last + 1):
        _settle(journal, number, rows)
        if number == last * 99 // 100:
            _timed(f"99 % of {rows:,} rows done: first task of resume", lambda: next(bulk.open(made.path).tasks()))
    found = bulk.open(made.path, client.create)
    _timed(f"resume of {rows:,} done rows", found.resume)
    _timed("  again, in the same process", found.resume)
    _timed("summary", lambda: found.summary)
    _timed("first result", lambda: next(iter(found.results())))
    _timed("all results", lambda: sum(1 for _ in found.results()))


def _settle(journal: Journal, number: int, rows: int) -> None:
    """Mark all rows of a partition as done."""
    attempt = journal.claim(f"{number:06}")
    assert attempt is not None  # noqa: S101  # the journal is new
    for row in range(number * 1000, min(rows, number * 1000 + 1000)):
        attempt._add(INTENT, row, 0)  # noqa: SLF001  # all of a partition are written at once
        attempt.settle(row, "done", 201, {"key": f"r-{row}", "attempts": 1, "ms": 1.5, "data": {"id": "x"}})
    attempt.close()


def _timed(what: str, action: Callable[[], object]) -> None:
    start, used = time.perf_counter(), time.process_time()
    action()
    print(f"  {what}: {time.perf_counter() - start:.2f} s, {time.process_time() - used:.2f} s of CPU (goal 5)")


def memory(rows: int) -> None:
    """Print the peak memory of a process that resumes a run with this many done rows."""
    code = "import sys; from benchmarks.bulk import child; child(int(sys.argv[1]))"
    done = subprocess.run([sys.executable, "-c", code, str(rows)], capture_output=True, text=True, check=True)
    print(f"peak memory with {rows:,} rows: {done.stdout.strip().splitlines()[-1]} MB")


def child(rows: int) -> None:
    """Resume a run in this process, and print its peak memory."""
    with tempfile.TemporaryDirectory() as folder:
        resumed(Path(folder), rows)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)


def simulated(rows: int = 10**8) -> None:
    """Print the size of a large run: hours, bytes, files, and unknown rows after a kill."""
    print(f"{rows:,} rows, latency 120 ms (log-normal), 16 in flight, at most 1,200 rows/s in a process")
    print(" workers   rate/s    hours   journal     files  unknown, one killed  all killed")
    chance = random.Random(1)  # noqa: S311  # the same figures in each run
    latency = statistics.fmean(chance.lognormvariate(-2.3, 0.5) for _ in range(10_000))
    for workers in (16, 64, 250, 1000):
        for rate in (100, 1_000, 10_000, 37_000):
            pace = min(rate, workers * min(16 / latency, 1_200))
            seconds, size = rows / pace, 10_000
            # A beat of 24 bytes each 5 seconds, an intent and an outcome of 24, a result of about 200.
            journal = rows * (2 * 24 + 200) + workers * seconds / 5 * 24
            flight = min(16.0, pace / workers * latency)
            killed = statistics.fmean(sum(chance.random() < flight / 16 for _ in range(16)) for _ in range(200))
            print(
                f"{workers:>8,} {rate:>8,} {seconds / 3600:>8,.1f} {journal / 1e9:>6,.1f} GB {2 * rows // size:>9,}"
                f" {killed:>20.1f} {killed * workers:>11,.0f}"
            )


def main() -> None:
    """Run the requested measurements."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bulk")
    parser.add_argument("--only", choices=("loop", "processes", "resume", "memory", "simulation"), action="append")
    parser.add_argument("--rows", type=int, default=5_000, help="rows of a loop (5000)")
    parser.add_argument("--turns", type=int, default=5)
    options = parser.parse_args()
    parts = options.only or ["loop", "processes", "resume", "memory", "simulation"]
    with tempfile.TemporaryDirectory() as name, served() as url:
        folder = Path(name)
        if "loop" in parts:
            beside_a_loop(folder, url, options.rows, options.turns)
        if "processes" in parts:
            in_two_processes(folder, options.rows)
        if "resume" in parts:
            resumed(folder, 10**6)
    if "memory" in parts:
        memory(10**4)
        memory(10**6)
    if "simulation" in parts:
        simulated()


if __name__ == "__main__":
    main()
