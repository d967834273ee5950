"""A guard against gross regressions: ``python -m benchmarks.guard``. It fails if a ratio is far above its goal.

What is counted is CPU time, in turns with its limit, and each bound is about twice its goal: a busy machine does
not fail it, a call that parses its document again does. What fails is measured once more before it counts.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks import calling, environments, loading, server
from benchmarks.documents import Document, written
from benchmarks.environments import FOLDER
from benchmarks.table import Row, rendered


class Bound(NamedTuple):
    """The ratio that must not be exceeded."""

    name: str
    ratio: float


BOUNDS = (
    Bound("`import dynclient` /", 0.6),
    Bound("import, load voice", 3.7),
    Bound("voice: cold load", 2.5),
    Bound("voice: warm load, an operation read", 2.5),
    Bound("GET, jsonschema-rs", 2.0),
    Bound("POST, jsonschema-rs", 2.0),
)
_BOUNDS = loading.Bounds(runs=2, seconds=60.0)
_ROUNDS = 5
_CALLS = [measure for measure in calling.MEASURES if measure.how == "cost" and measure.call != "validate"]


def measured() -> Iterator[Row]:
    """The rows that need no other documents and no peers."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    environments.compile_own()
    with server.running(FOLDER) as running, tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        documents, cache = written(running.url), Path(folder)
        path = documents / "voice.yaml"
        voice = Document("voice", path, path, "getCallState", {"account_id": "1", "call_id": "1"}, 4)
        yield from loading.import_rows([], _BOUNDS)
        yield loading.first_call_row(voice, running.url, cache, [], _BOUNDS)
        yield from loading.load_rows(voice, cache, [], _BOUNDS).rows
        yield from calling.call_rows(running.url, documents, [], _ROUNDS, _CALLS)


def beyond(rows: list[Row]) -> list[str]:
    """The rows that are above their bounds, or could not be measured."""
    told = []
    for bound in BOUNDS:
        row = next((row for row in rows if row.what.startswith(bound.name)), None)
        ratio = row.shown_ratio if row is not None else None
        if ratio is None or ratio > bound.ratio:
            shown = f"{ratio:.2f}" if ratio is not None else "not measured"
            told.append(f"{bound.name}: {shown}, and must not be above {bound.ratio:g}")
    return told


def main() -> None:
    """Measure, and once more if a row is above its bound."""
    for attempt in (1, 2):
        rows = list(measured())
        told = beyond(rows)
        if not told:
            print("speed is within its bounds")
            return
        if attempt == 1:
            print("\n".join(told), "measured once more:", sep="\n", file=sys.stderr)
    print(rendered(rows, []))
    sys.exit("\n".join(told))


if __name__ == "__main__":
    main()
