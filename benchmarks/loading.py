"""Rows about things that happen once in a process: imports, loads, memory. Each sample is a separate process.

Those of a row and of its limit take turns, and medians are taken. What is counted is CPU time: nothing waits here but
for a disk whose pages are in memory, and what else the machine does counts less in it.
"""

from __future__ import annotations

import shutil
import statistics
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.documents import Document
from benchmarks.environments import Peer
from benchmarks.processes import Answer, figure, sample
from benchmarks.table import Figure, Goal, Row

_LONG = 20.0
"""Seconds after which no further sample of a row is taken."""


class Bounds(NamedTuple):
    """The number of samples, and the time limit of a peer."""

    runs: int
    seconds: float


class Task(NamedTuple):
    """The work of one column of a row."""

    subject: str
    task: Mapping[str, Any]
    peer: Peer | None = None


def interleaved(tasks: Sequence[Task], bounds: Bounds) -> list[Answer]:
    """The medians of tasks that are run alternately; a slow peer has one sample. The first round only warms up."""
    found: list[list[Answer]] = [[] for _ in tasks]
    start = time.monotonic()
    for turn in range(bounds.runs + 1):
        for task, answers in zip(tasks, found, strict=True):
            slow = task.peer is not None and answers and (answers[0].get("ms", 1e9) > 3_000 or turn > 3)  # noqa: PLR2004  # samples
            if not slow:
                answers.append(sample(task.subject, task.task, task.peer, bounds.seconds))
        if turn and time.monotonic() - start > _LONG:
            break
    return [_median(answers) for answers in found]


def _median(answers: list[Answer]) -> Answer:
    good = [answer for answer in answers if "error" not in answer]
    if not good:
        return answers[0]
    counted = good[1:] or good
    return {key: statistics.median(answer[key] for answer in counted) for key in ("ms", "mb")}


def import_rows(peers: Iterable[Peer], bounds: Bounds) -> Iterator[Row]:
    """The import, by itself and with the name that is used first."""
    task = {"what": "import"}
    others = [Task(peer.subject, task, peer) for peer in peers]
    own = [Task("own", {**task, "bare": True}), Task("own", task)]
    limit, bare, whole, *rest = interleaved([Task("limit", task), *own, *others], bounds)
    told = {one.peer.name: figure(answer, "ms") for one, answer in zip(others, rest, strict=True) if one.peer}
    urllib3 = figure(limit, "ms")
    yield Row("`import dynclient` / `import urllib3`", "ms", figure(bare, "ms"), urllib3, Goal(ratio=0.3), told)
    yield Row("`from dynclient import load` / the same", "ms", figure(whole, "ms"), urllib3, None, told)


def first_call_row(document: Document, url: str, cache: Path, peers: Iterable[Peer], bounds: Bounds) -> Row:
    """From nothing to the data of one call of the Voice API."""
    task = {"what": "first", "path": str(document.path), "url": url, "cache": str(cache), "auth": True}
    others = [
        Task(peer.subject, {**task, "path": str(path)}, peer) for peer in peers if (path := peer.reads(document.path))
    ]
    limit, own, *rest = interleaved([Task("limit", task), Task("own", task), *others], bounds)
    told = {one.peer.name: figure(answer, "ms") for one, answer in zip(others, rest, strict=True) if one.peer}
    what = "import, load voice (warm), first call / the call by urllib3"
    return Row(what, "ms", figure(own, "ms"), figure(limit, "ms"), Goal(ratio=1.85), told)


class Loads(NamedTuple):
    """The figures of loading one document."""

    rows: list[Row]
    warm: Figure


def load_rows(document: Document, cache: Path, peers: Iterable[Peer], bounds: Bounds) -> Loads:
    """The cold load, without a cache and with one, the warm load up to the requested stage, and its memory."""
    task = {"what": "load", "path": str(document.path)}
    made = {"operation": document.operation, "arguments": document.arguments}
    cold = Task("own", {**task, "cache": False, "ready": "read", **made})
    new = cache / "new"
    kept = Task("own", {**task, "cache": str(new), "apart": True, "ready": "read", **made})
    warm, ready = (Task("own", {**task, "cache": str(cache), "ready": how, **made}) for how in ("read", "callable"))
    parse, twin = Task("limit", task), Task("limit", {**task, "path": str(document.json)})
    others = [
        Task(peer.subject, {**task, "path": str(path)}, peer) for peer in peers if (path := peer.reads(document.path))
    ]
    sample(*ready[:2])
    parsed, cold_, kept_, *rest = interleaved([parse, cold, kept, *others], bounds)
    shutil.rmtree(new, ignore_errors=True)
    json_, warm_, ready_ = interleaved([twin, warm, ready], bounds)
    told = {one.peer.name: answer for one, answer in zip(others, rest, strict=True) if one.peer}
    ms = {name: figure(answer, "ms") for name, answer in told.items()}
    mb = {name: figure(answer, "mb") for name, answer in told.items()}
    is_json, is_github = document.path == document.json, document.name.startswith("github")
    goal = Goal(figure=15) if is_github else None
    name, limit, bare = document.name, figure(json_, "ms"), figure(parsed, "ms")
    floor, most = ("orjson", Goal(ratio=1.3)) if is_json else ("CSafeLoader", Goal(ratio=1.15))
    held, bound = figure(json_, "mb"), Goal(figure=8) if is_github else None
    rows = [
        Row(f"{name}: cold load / {floor}", "ms", figure(cold_, "ms"), bare, most, ms),
        Row(f"{name}: cold load, kept in the cache / {floor}", "ms", figure(kept_, "ms"), bare),
        Row(f"{name}: warm load, an operation read / orjson", "ms", figure(warm_, "ms"), limit, goal, ms),
        Row(f"{name}: warm load, an operation ready to call / orjson", "ms", figure(ready_, "ms"), limit, goal, ms),
        Row(f"{name}: memory after that / after orjson's parse", "MB", figure(ready_, "mb"), held, bound, mb),
    ]
    return Loads(rows, figure(warm_, "ms"))


def growth_row(small: Document, least: Figure, large: Document, most: Figure) -> Row:
    """By how much a warm load grows with the document."""
    own = most - least if isinstance(least, float) and isinstance(most, float) else "-"
    what = f"warm load, growth from {small.operations:,} to {large.operations:,} operations"
    return Row(what, "ms", own, "-", Goal(figure=15))
