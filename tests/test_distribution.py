"""The published files: builds are reproducible, and work in an empty virtual environment as the README says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

pytestmark = [pytest.mark.large, pytest.mark.timeout(600)]
TRACKED = ["ls-files", "-z"]


def run(*command: str | Path, cwd: Path, **variables: str) -> str:
    """Run a command to its end, without what the checkout's own environment sets; returns what it prints."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DYNCLIENT_", "PYTHON"))}
    done = subprocess.run(
        command, cwd=cwd, env=kept | variables, capture_output=True, text=True, timeout=500, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, and the wheel that is built of it."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--outdir", folder, root, cwd=folder, SOURCE_DATE_EPOCH="1700000000")
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    return next(built.glob("*.whl"))


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that has nothing but the wheel and its dependencies."""
    folder = tmp_path_factory.mktemp("bare")
    run(sys.executable, "-m", "venv", folder, cwd=folder)
    bare = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    run(bare, "-m", "pip", "install", "-q", wheel, cwd=folder)
    return bare


def test_the_wheel_is_built_twice_alike(wheel: Path, root: Path, tmp_path: Path):
    run(sys.executable, "-m", "build", "-w", "--outdir", tmp_path, root, cwd=tmp_path, SOURCE_DATE_EPOCH="1700000000")
    assert (tmp_path / wheel.name).read_bytes() == wheel.read_bytes()


def test_twine_accepts_both(built: Path):
    run(sys.executable, "-m", "twine", "check", "--strict", *built.iterdir(), cwd=built)


def test_the_sdist_has_every_file_of_the_repository(built: Path, root: Path):
    tracked = {name for name in run("git", *TRACKED, cwd=root).split("\0") if name}
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        packed = {name.partition("/")[2] for name in archive.getnames()}
    assert sorted(tracked - packed) == []


def test_the_first_example_of_the_readme_runs(python: Path, root: Path, tmp_path: Path):
    source = re.search(r"^```python\n(.*?)^```$", (root / "README.md").read_text("utf-8"), re.DOTALL | re.MULTILINE)[1]
    (tmp_path / "first.py").write_text(source, encoding="utf-8")
    run(python, "first.py", cwd=tmp_path)


def test_the_demo_needs_no_extra(python: Path, tmp_path: Path):
    said = run(python, "-m", "dynclient", "demo", cwd=tmp_path)
    assert "NotFound: getTodo: 404" in said


def test_commands_say_which_extra_they_need(python: Path, tmp_path: Path):
    done = subprocess.run(
        [python, "-m", "dynclient", "ls", "demo"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, "pip install 'dynclient[cli]'" in done.stderr) == (2, True)


def test_the_explorer_starts_on_the_shipped_document(python: Path, wheel: Path, tmp_path: Path):
    run(python, "-m", "pip", "install", "-q", f"{wheel}[cli,explore]", cwd=tmp_path)
    command = [python, "-m", "dynclient", "explore", "demo", "--mock"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        said = process.stderr.readline()
        process.terminate()
    assert re.search(r"Todo 1\.0\.0 is at http://127\.0\.0\.1:\d+/", said), said
