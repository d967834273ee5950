"""Rows about calls and validation: each subject is a process that lives through the run, and they take turns.

dynclient and the limit take turns in one process, one for each engine, since an engine is chosen once. The ratio is the
median of those of the turns, so that what comes over a machine for a second does not count.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from benchmarks.environments import Peer
from benchmarks.processes import Process
from benchmarks.table import Figure, Goal, Row

_WARM = 150


class Measure(NamedTuple):
    """One row: the call, how it is measured, how often in each round, and the goal for each engine, or None."""

    what: str
    call: str
    how: str
    unit: str
    times: int
    goals: Mapping[str, Goal | None]


# A caller may choose jsonschema alone; it is measured without a goal.
_CALL = {"jsonschema-rs": Goal(ratio=1.0), "jsonschema": None}
MEASURES = (
    Measure("GET", "get", "cost", "µs of CPU", 50, _CALL),
    Measure("POST", "post", "cost", "µs of CPU", 50, _CALL),
    Measure("GET by 32 threads", "get", "throughput", "calls/s", 40, {"jsonschema-rs": Goal(at_least=0.9)}),
    Measure(
        "validation of 2 KB / is_valid",
        "validate",
        "cost",
        "µs of CPU",
        100,
        {"jsonschema-rs": None, "jsonschema": None},
    ),
)


def call_rows(
    url: str, documents: Path, peers: Iterable[Peer], rounds: int, measures: Sequence[Measure] = MEASURES
) -> Iterator[Row]:
    """All rows, those of jsonschema-rs first, with the peers."""
    with ExitStack() as stack:

        def started(subject: str, task: Mapping[str, object], peer: Peer | None = None) -> Process:
            process = Process(subject, {"url": url, **task}, peer)
            stack.callback(process.close)
            return process

        engines = {engine: started("own", {"engine": engine}) for engine in ("jsonschema-rs", "jsonschema")}
        others = [started(peer.subject, {"path": _document(peer, documents)}, peer) for peer in peers]
        for engine, own in engines.items():
            for measure in measures:
                if engine in measure.goals:
                    yield _row(measure, engine, own, others if engine == "jsonschema-rs" else [], rounds)


def _document(peer: Peer, documents: Path) -> str:
    older = documents / "calls.2.0.json"
    return str(
        older if peer.reads(documents / "voice.yaml") == documents / "voice.2.0.yaml" else documents / "calls.json"
    )


def _row(measure: Measure, engine: str, own: Process, others: Sequence[Process], rounds: int) -> Row:
    rounds = max(5, rounds // 2) if measure.how == "throughput" else rounds
    limit = f"limit-{measure.call}"
    for process, name in ((own, measure.call), (own, limit), *((other, measure.call) for other in others)):
        process.measure("cost", name, _WARM)
    turns: list[tuple[Figure, Figure]] = []
    found: dict[str, list[Figure]] = {other.name: [] for other in others}
    for turn in range(rounds):
        pair = [own.measure(measure.how, name, measure.times) for name in (limit, measure.call)]
        turns.append((pair[0], pair[1]))
        for other in others:
            # A peer's ratio is far from one, so it needs fewer rounds.
            if turn < max(3, rounds // 3):
                times = measure.times if measure.how == "cost" else measure.times // 8
                found[other.name].append(other.measure(measure.how, measure.call, times))
    name = f"{measure.what}, {engine}" if measure.how == "cost" else measure.what
    goal = measure.goals[engine]
    if measure.call == "validate":
        name = f"{measure.what}, {engine}"
    ratios = [own_ / limit_ for limit_, own_ in turns if isinstance(own_, float) and isinstance(limit_, float)]
    return Row(
        name,
        measure.unit,
        _median([own_ for _, own_ in turns]),
        _median([limit_ for limit_, _ in turns]),
        goal,
        {peer: _median(figures) for peer, figures in found.items()},
        statistics.median(ratios) if ratios else None,
    )


def _median(figures: Sequence[Figure]) -> Figure:
    good = [figure for figure in figures if isinstance(figure, float)]
    return statistics.median(good) if good else figures[0]
