"""``python -m benchmarks``: measure, and print one table. See README.md in this folder."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path

from benchmarks import calling, environments, loading, server
from benchmarks.documents import Document, chosen, written
from benchmarks.environments import FOLDER, PEERS, Peer
from benchmarks.table import Row, rendered

_SMALL = 1 << 20
_MEASURED = ("jsonschema-rs", "jsonschema", "msgspec", "urllib3", "orjson", "PyYAML")


def arguments() -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure dynclient and its limits.")
    parser.add_argument(
        "documents", nargs="*", help="documents to load in addition to voice; by default those in DYNCLIENT_SHARED"
    )
    parser.add_argument("--without-peers", action="store_true", help="measure only dynclient and its limits")
    parser.add_argument("--only", choices=("imports", "loads", "calls"), action="append", help="a part of the table")
    parser.add_argument("--runs", type=int, default=3, help="samples of an import or a load (3)")
    parser.add_argument("--rounds", type=int, default=15, help="turns of calls (15)")
    parser.add_argument("--timeout", type=float, default=45.0, help="seconds that a peer may take to load (45)")
    return parser.parse_args()


def machine() -> str:
    """The machine, in words."""
    model = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), model)
    except OSError:
        pass
    load = f", load average {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return f"{os.cpu_count()} x {model}, {platform.system()}, Python {platform.python_version()}{load}"


def rows(options: argparse.Namespace, url: str, documents: list[Document], peers: Sequence[Peer]) -> Iterator[Row]:
    """All rows that were asked for, in the order of the table."""
    parts = options.only or ["imports", "loads", "calls"]
    bounds = loading.Bounds(options.runs, options.timeout)
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        cache = Path(folder)
        if "imports" in parts:
            # They are short, so their figures vary most.
            often = bounds._replace(runs=3 * bounds.runs)
            yield from loading.import_rows(peers, often)
            yield loading.first_call_row(documents[0], url, cache, peers, often)
        if "loads" in parts:
            yield from _loads(documents, cache, peers, bounds)
    if "calls" in parts:
        yield from calling.call_rows(url, documents[0].path.parent, peers, options.rounds)


def _loads(documents: list[Document], cache: Path, peers: Sequence[Peer], bounds: loading.Bounds) -> Iterator[Row]:
    small = None
    for document in documents:
        # Peers are measured with GitHub's JSON; its YAML takes all of them minutes. Short samples vary most.
        many = bounds._replace(runs=3 * bounds.runs) if document.path.stat().st_size < _SMALL else bounds
        loads = loading.load_rows(document, cache, [] if document.name.endswith("YAML") else peers, many)
        yield from loads.rows
        small = small or (document, loads.warm)
        if document.operations > 1000 and not document.name.endswith("YAML"):  # noqa: PLR2004  # a large one
            yield loading.growth_row(*small, document, loads.warm)


def main() -> None:
    """Print the table. Progress goes to standard error."""
    options = arguments()
    start = time.monotonic()
    FOLDER.mkdir(parents=True, exist_ok=True)
    server.install()
    environments.compile_own()
    with server.running(FOLDER) as running:
        folder = written(running.url)
        _say("documents")
        documents = chosen(options.documents)
        found = []
        for peer, told in environments.prepared([] if options.without_peers else PEERS, folder):
            found.append((peer, told))
            _say(f"{peer.name} {told}")
        table = []
        for row in rows(options, running.url, documents, [peer for peer, _ in found]):
            table.append(row)
            _say(f"{row.what}: {row.own if isinstance(row.own, str) else round(row.own, 1)} {row.unit}")
        versions = [f"{name} {version(name)}" for name in _MEASURED]
        print(f"\n{machine()}\nserver: {running.name}; {', '.join(versions)}")
        if found:
            print("peers: " + ", ".join(f"{peer.name} {told}" for peer, told in found))
        print(f"\n{rendered(table, [peer.name for peer, _ in found])}\n\n{time.monotonic() - start:.0f} s")


def _say(text: str) -> None:
    print(f"  {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
