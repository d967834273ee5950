"""In CI a test that is skipped fails the session, unless it is on the list of those that may be."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
TESTS = """
import pytest

def test_good(): pass

@pytest.mark.skip(reason="no time today")
def test_lazy(): pass

def test_far(): pytest.skip("not in this country")
"""


@pytest.mark.parametrize(
    ("environment", "allowed", "workers", "status", "said"),
    [
        pytest.param({}, "", "0", 0, [], marks=pytest.mark.large),
        ({"CI": "true"}, "", "0", 1, ["test_lazy: no time today", "test_far: not in this country"]),
        pytest.param(
            {"CI": "true"},
            "*: no time* # a reason\n",
            "0",
            1,
            ["test_far: not in this country"],
            marks=pytest.mark.large,
        ),
        pytest.param(
            {"CI": "true"}, "*test_lazy: *\n# a comment\n*: not in this country\n", "0", 0, [], marks=pytest.mark.large
        ),
        pytest.param(
            {"CI": "true"}, "*: no time*\n", "1", 1, ["test_far: not in this country"], marks=pytest.mark.large
        ),
    ],
)
def test_skips_in_ci(tmp_path, environment, allowed, workers, status, said):
    folder = tmp_path / "tests"
    folder.mkdir()
    shutil.copy(HERE / "conftest.py", folder)
    (folder / "allowed_skips.txt").write_text(allowed)
    (folder / "test_it.py").write_text(TESTS)
    clean = {name: value for name, value in os.environ.items() if name != "CI" and not name.startswith("PYTEST_")}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-n", workers, str(folder)]
    done = subprocess.run(
        command, env={**clean, **environment}, cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == status, done.stdout
    lines = [line for line in done.stdout.splitlines() if line.startswith("skipped in CI")]
    assert [line.rpartition("::")[2] for line in lines] == said
