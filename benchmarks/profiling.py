"""Where the time of a call goes: ``python -m benchmarks.profiling get|post|validate [jsonschema]``."""

from __future__ import annotations

import argparse
import cProfile
import pstats

from benchmarks import server
from benchmarks.environments import FOLDER
from benchmarks.subjects import own


def main() -> None:
    """Print the functions that take the most time."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.profiling")
    parser.add_argument("call", choices=("get", "post", "validate"))
    parser.add_argument("engine", nargs="?", choices=("jsonschema-rs", "jsonschema"), default="jsonschema-rs")
    parser.add_argument("--times", type=int, default=3000)
    options = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    with server.running(FOLDER) as running:
        call = own.calls({"url": running.url, "engine": options.engine})[options.call]
        for _ in range(200):
            call()
        profiler = cProfile.Profile()
        profiler.enable()
        for _ in range(options.times):
            call()
        profiler.disable()
    pstats.Stats(profiler).sort_stats("tottime").print_stats(40)


if __name__ == "__main__":
    main()
