"""The memory that a decompression bomb adds to a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from case import Case
from table import CASES

SCRIPT = Path(__file__).with_name("one_case.py")
# Tasks receive a body in another way than threads, and treat it in the same way.
WAYS = {"sync": {case.id for case in CASES}, "asyncio": {"R1-gzip_bomb", "R4-huge_content_length", "R5-endless_body"}}
HEAVY = [
    pytest.param(case, way, id=f"{case.id}-{way}")
    for way, ids in WAYS.items()
    for case in CASES
    if case.id in ids and case.memory is not None
]


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="there is no /proc to measure by")
@pytest.mark.parametrize(("case", "way"), HEAVY)
def test_memory(case: Case, way: str, serve, tmp_path):
    server = serve(*case.scripts or (("until_closed",),))
    command = [sys.executable, str(SCRIPT), case.id, way, server.url, server.url, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    added, error = done.stdout.split()
    assert error == (case.expect.__name__ if isinstance(case.expect, type) else "NoneType")
    assert int(added) < case.memory
