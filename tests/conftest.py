"""Fixtures of the whole suite: the locations of files, and the check that CI skips no test unnoticed."""

from __future__ import annotations

import fnmatch
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
ALLOWED_SKIPS = ROOT / "tests" / "allowed_skips.txt"
_skipped: list[str] = []
# No test writes to the user's own cache, nor do the processes that it starts.
CACHE = Path(tempfile.mkdtemp(prefix="dynclient-cache-"))
os.environ.setdefault("DYNCLIENT_CACHE", str(CACHE))
# A shell starts its background jobs with SIGINT ignored, which the processes of tests would inherit.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout's folder."""
    return ROOT


@pytest.fixture(scope="session")
def voice_path() -> Path:
    return ROOT / "openapi" / "voice.yaml"


@pytest.fixture(scope="session")
def orders_path() -> Path:
    return ROOT / "openapi" / "orders.yaml"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of other people's documents, which is no part of the project.

    A test that needs it is skipped without it.
    """
    folder = os.environ.get("DYNCLIENT_SHARED")
    if not folder:
        pytest.skip("DYNCLIENT_SHARED is not set")
    return Path(folder)


@pytest.fixture
def make() -> Callable[..., Any]:
    """Make a schema of a node, in a document with named schemas, of any version."""
    from dynclient._document.references import open_document
    from dynclient.dialects import DIALECTS
    from dynclient.model import Schema

    def made(node: Any, version: str = "3.1", /, **named: Any) -> Schema:
        components = {"definitions": named} if version == "2.0" else {"components": {"schemas": named}}
        document = open_document({"x-here": node, **components})
        return Schema(f"{document.uri}#/x-here", node, DIALECTS[version], document)

    return made


@pytest.fixture(autouse=True)
def nobody_looks_afterwards() -> Iterator[None]:
    """No test leaves behind that somebody sits at a prompt: clients would be shown whole in all tests after it."""
    before = hasattr(sys, "ps1")
    yield
    assert hasattr(sys, "ps1") is before


def _note_skip(report: pytest.CollectReport | pytest.TestReport) -> None:
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        _skipped.append(f"{report.nodeid}: {reason.removeprefix('Skipped: ')}")


pytest_runtest_logreport = _note_skip
pytest_collectreport = _note_skip


def _refused_skips() -> list[str]:
    lines = (line.partition(" # ")[0].strip() for line in ALLOWED_SKIPS.read_text(encoding="utf-8").splitlines())
    allowed = [line for line in lines if line and not line.startswith("#")]
    return [skip for skip in _skipped if not any(fnmatch.fnmatchcase(skip, pattern) for pattern in allowed)]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Remove the cache. In CI, fail a session that skipped what tests/allowed_skips.txt does not allow."""
    shutil.rmtree(CACHE, ignore_errors=True)
    in_ci = os.environ.get("CI", "").lower() in {"1", "true"}
    if in_ci and not hasattr(session.config, "workerinput") and _refused_skips() and session.exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the skips for which the session failed."""
    if os.environ.get("CI", "").lower() in {"1", "true"}:
        for skip in _refused_skips():
            terminalreporter.line(f"skipped in CI, and not in tests/allowed_skips.txt: {skip}", red=True)
