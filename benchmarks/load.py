"""What loading costs, beside its limit: each sample in a process of its own, interleaved, medians.

``python benchmarks/load.py DOCUMENT.json [DOCUMENT.yaml ...] [--runs N]``. The limit is what the same
work costs at least: ``import urllib3`` for an import, the bare parse (orjson with its import, CSafeLoader) for a load.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_HEAD = "import sys, time, resource\npath = sys.argv[1]\nt = time.perf_counter\n"
_TAIL = "print((t() - start) * 1e3, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - rss) / 1024)\n"
_START = "rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\nstart = t()\n"
_FACE = "import dynclient; dynclient.load\nfrom dynclient._load import load\n"
_READY = "api = load(path, cache={cache})\napi.read(api.rows[len(api.rows) // 2])\n"


class Work(NamedTuple):
    """One row: what is timed, what it is a ratio to, and the goal for that ratio."""

    name: str
    code: str
    limit: str
    goal: str


def work(suffix: str, folder: str) -> Iterator[Work]:
    """The rows for one kind of document."""
    parse = {
        ".json": "import orjson\norjson.loads(open(path, 'rb').read())\n",
    }.get(suffix, "import yaml\nyaml.load(open(path, 'rb').read(), Loader=yaml.CSafeLoader)\n")
    limit = _HEAD + _START + parse + _TAIL
    cold = _HEAD + _FACE + _START + _READY.format(cache=False) + _TAIL
    keeping = _HEAD + _FACE + _START + _READY.format(cache="sys.argv[2]") + _TAIL
    yield Work("cold load", cold, limit, "<= 1.3" if suffix == ".json" else "<= 1.15")
    yield Work(
        "warm load, one operation", keeping.replace("sys.argv[2]", repr(folder)), limit, "<= 0.2; <= 15 ms, 8 MB"
    )
    bare = _HEAD + _START + "import urllib3\n" + _TAIL
    yield Work("import dynclient", _HEAD + _START + "import dynclient\n" + _TAIL, bare, "<= 0.6")
    yield Work("import dynclient.load", _HEAD + _START + "import dynclient; dynclient.load\n" + _TAIL, bare, "")


def sample(code: str, path: str) -> tuple[float, float]:
    """Milliseconds and megabytes of one run."""
    command = [sys.executable, "-c", code, path]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return float(out[0]), float(out[1])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("documents", nargs="+")
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    print(f"{'document':24}{'what':28}{'ms':>9}{'MB':>8}{'limit ms':>10}{'ratio':>8}  goal")
    with tempfile.TemporaryDirectory() as folder:
        for path in options.documents:
            for row in work(Path(path).suffix, folder):
                sample(row.code, path)
                runs = [(sample(row.code, path), sample(row.limit, path)) for _ in range(options.runs)]
                own, memory, limit = (
                    statistics.median(one) for one in zip(*[(*a, b[0]) for a, b in runs], strict=True)
                )
                name = Path(path).name[:22]
                print(f"{name:24}{row.name:28}{own:9.1f}{memory:8.1f}{limit:10.1f}{own / limit:8.2f}  {row.goal}")


if __name__ == "__main__":
    main()
