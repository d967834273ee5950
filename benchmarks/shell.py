"""The cost of a command line, compared with its limit: medians of the processor time of whole processes, alternating.

``python benchmarks/shell.py DOCUMENT [--runs N]``. The limits are a bare ``import click`` for ``--version``, and
``--version`` for all else. ``ls`` is measured into a pipe and in a pseudo-terminal; its cache is warm.
"""

from __future__ import annotations

import argparse
import os
import pty
import statistics
import sys
from pathlib import Path
from typing import NamedTuple

_PROGRAM = str(Path(sys.executable).parent / "dynclient")


class Work(NamedTuple):
    """One row: what is run, in which environment, and the row that it is a ratio to, with the goal for that."""

    name: str
    words: tuple[str, ...]
    limit: str = ""
    goal: str = ""
    environment: tuple[tuple[str, str], ...] = ()
    terminal: bool = False


def work(document: str) -> tuple[Work, ...]:
    """The rows."""
    listing = (_PROGRAM, "ls", document)
    typed = {"_DYNCLIENT_COMPLETE": "bash_complete", "COMP_WORDS": f"dynclient call {document} ", "COMP_CWORD": "3"}
    return (
        Work("import click", (sys.executable, "-c", "import click")),
        Work("--version", (_PROGRAM, "--version"), "import click", "<= 2"),
        Work("ls", listing, "--version", "<= 1.5"),
        Work("ls in a terminal", listing, "--version", "<= 1.5", (("TERM", "xterm-256color"),), terminal=True),
        Work("completion", (_PROGRAM,), "--version", "< 0.2 s", tuple(typed.items())),
        Work("--help", (_PROGRAM, "--help"), "--version"),
    )


def sample(row: Work) -> float:
    """Milliseconds of processor time that one run took."""
    if row.terminal:
        process, terminal = pty.fork()
    else:
        process, terminal = os.fork(), -1
    if process == 0:
        if not row.terminal:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.execve(row.words[0], row.words, {**os.environ, **dict(row.environment)})
    while terminal >= 0 and _read(terminal):
        pass
    used = os.wait4(process, 0)[2]
    if terminal >= 0:
        os.close(terminal)
    return (used.ru_utime + used.ru_stime) * 1e3


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # on Linux, the other end has been closed
        return b""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("document")
    parser.add_argument("--runs", type=int, default=21)
    options = parser.parse_args()
    # Otherwise the compilation of imported modules would be measured.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    rows = work(options.document)
    for row in rows:
        sample(row)
    taken = [[sample(row) for row in rows] for _ in range(options.runs)]
    medians = {row.name: statistics.median(column) for row, column in zip(rows, zip(*taken, strict=True), strict=True)}
    print(f"{'what':20}{'ms':>8}{'ratio':>8}{'':19}goal")
    for row in rows:
        ratio = f"{medians[row.name] / medians[row.limit]:8.2f} of {row.limit:14}  {row.goal}" if row.limit else ""
        print(f"{row.name:20}{medians[row.name]:8.1f}{ratio}")


if __name__ == "__main__":
    main()
