"""A measured process: ``python worker.py SUBJECT TASK``, in the virtual environment of its subject.

A task is a mapping in JSON, an answer a line of JSON: milliseconds of this process's CPU and megabytes, or the class of
the error that came. What this module imports is no part of any figure, so it is little: not even typing.
"""

from __future__ import annotations

import json
import sys
import time

TYPE_CHECKING = False  # importing typing would distort the measurement
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

_cpu = time.process_time


def resident() -> float:
    """The memory of this process now, in megabytes."""
    return _status("VmRSS:")


def peak() -> float:
    """The peak memory of this process, in megabytes."""
    return _status("VmHWM:")


def _status(name: str) -> float:
    try:
        with open("/proc/self/status", encoding="ascii") as file:  # noqa: PTH123  # pathlib would be one more import
            lines = [line.split() for line in file if line.startswith(name)]
        return int(lines[0][1]) / 1024
    except (OSError, IndexError):
        return 0.0


def measured(subject: Any, task: dict[str, Any]) -> dict[str, float]:
    """Do one task: ``import``, ``load`` (after the import), or ``first`` (all from nothing to one call's data)."""
    what = task["what"]
    held, start = resident(), _cpu()
    subject.imported(task)
    if what == "load":
        held, start = resident(), _cpu()
    if what != "import":
        client = subject.loaded(task)
        if what == "first":
            subject.called(client, task)
    return {"ms": (_cpu() - start) * 1e3, "mb": peak() - held}


def cost(call: Callable[[], object], times: int) -> float:
    """Microseconds of this process's CPU for one call."""
    start = _cpu()
    for _ in range(times):
        call()
    return (_cpu() - start) / times * 1e6


def throughput(call: Callable[[], object], times: int) -> float:
    """Calls per second by 32 threads that each make this many calls. The first error of a thread is raised."""
    import threading

    errors: list[Exception] = []

    def work() -> None:
        try:
            for _ in range(times):
                call()
        except Exception as error:  # noqa: BLE001  # it is raised below
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(32)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return 32 * times / (time.perf_counter() - start)


MEASURES = {"cost": cost, "throughput": throughput}


def serve(calls: Mapping[str, Callable[[], object]]) -> None:
    """Carry out requests, one per line: the measurement, the name of a call, and how many times."""
    for line in sys.stdin:
        measure, name, times = line.split()
        answer: dict[str, object]
        try:
            answer = {"value": MEASURES[measure](calls[name], int(times))}
        except Exception as error:  # noqa: BLE001  # its class is what the table shows
            answer = {"error": type(error).__name__}
        say(answer)


def say(answer: Mapping[str, object]) -> None:
    """One line of JSON."""
    print(json.dumps(answer), flush=True)


def main() -> None:
    """Load the subject, and do its task."""
    name, task = sys.argv[1], json.loads(sys.argv[2])
    # The modules next to this one must not hide those of a peer.
    sys.path[0] = task["root"]
    subject = __import__(f"benchmarks.subjects.{name}", fromlist=["imported"])
    try:
        if task["what"] == "calls":
            calls = subject.calls(task)
            say({"calls": list(calls)})
            serve(calls)
        else:
            say(measured(subject, task))
    except Exception as error:  # its class is what the table shows
        if task.get("trace"):
            raise
        say({"error": type(error).__name__})


if __name__ == "__main__":
    main()
