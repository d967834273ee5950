"""Runs one case in a process of its own, and prints its peak of additional memory in MiB."""

from __future__ import annotations

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from calling import run
from case import Place
from table import CASES


def memory(name: str) -> int:
    """A line of /proc: VmHWM is of this process alone, unlike getrusage's, which begins with the parent's."""
    found = re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) if found else 0


if __name__ == "__main__":
    wanted, way, url, other, folder = sys.argv[1:]
    case = next(case for case in CASES if case.id == wanted)

    Path("/proc/self/clear_refs").write_text("5")
    before = memory("VmHWM")
    outcome = run(way, case, Place(url, other, Path(folder)))
    sys.stdout.write(f"{(memory('VmHWM') - before) // 1024} {type(outcome.error).__name__}")
