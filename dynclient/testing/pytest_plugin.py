"""Fixtures for pytest, and the coverage of operations; pytest loads them itself (entry point ``pytest11``).

Rule: pytest loads this module in every session, so it imports nothing of dynclient at the top.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from dynclient._mock.coverage import CoverageReport, OperationCoverage
    from dynclient.testing.cassettes import Recorder
    from dynclient.testing.server import Server
    from dynclient.testing.transport import MockTransport

_COVERAGE = pytest.StashKey[dict[str, Any]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option, and the setting of the document that ``dynclient_server`` serves."""
    group = parser.getgroup("dynclient")
    group.addoption(
        "--openapi-coverage",
        action="store_true",
        help="report at the end which operations of the documents were called through mock_api and dynclient_server",
    )
    # pytest-recording has the same option.
    with suppress(ValueError):
        group.addoption(
            "--record-mode",
            choices=("once", "new_episodes", "none", "all"),
            default="once",
            help="the mode of dynclient_recorder: replay responses, record them, or both",
        )
    parser.addini("dynclient_document", "path or URL of the document that dynclient_server serves", default="")


@pytest.fixture
def mock_api(request: pytest.FixtureRequest) -> Callable[..., MockTransport]:
    """Make a MockTransport of a document, with its options: ``mock_api("openapi/voice.yaml")``."""
    from dynclient.testing import MockTransport

    def make(document: Any, **options: Any) -> MockTransport:
        made = MockTransport(document, **options)
        _observe(request.config, made.mock)
        return made

    return make


@pytest.fixture
def dynclient_server(request: pytest.FixtureRequest) -> Iterator[Callable[..., Server]]:
    """Serve a document on a free loopback port until the test ends: ``dynclient_server("openapi/voice.yaml").url``.

    Without a document, it serves the one that the setting ``dynclient_document`` names.
    """
    from contextlib import ExitStack

    from dynclient.testing import serve

    with ExitStack() as stack:

        def make(document: Any = None, **options: Any) -> Server:
            source = _configured_document(request.config) if document is None else document
            server = stack.enter_context(serve(source, **options))
            _observe(request.config, server.mock)
            return server

        yield make


@pytest.fixture
def dynclient_recorder(request: pytest.FixtureRequest) -> Callable[..., Recorder]:
    """Make a Recorder, a transport for both clients: ``dynclient_recorder("openapi/voice.yaml")``.

    Its file is named after the test, in ``cassettes`` next to the module, unless ``path`` names another;
    ``--record-mode`` sets the mode.
    """
    from dynclient.testing import Recorder

    def make(document: Any = None, *, path: str | Path | None = None, **options: Any) -> Recorder:
        name = re.sub(r"[^A-Za-z0-9_.-]+", "-", request.node.name).strip("-")
        folder = request.path.parent / "cassettes" / request.path.stem
        options.setdefault("mode", request.config.getoption("--record-mode"))
        return Recorder(path or folder / f"{name}.jsonl", document=document, **options)

    return make


def _configured_document(config: pytest.Config) -> Any:
    text = str(config.getini("dynclient_document"))
    if not text:
        raise pytest.UsageError(
            "dynclient_server needs a document: as its argument, or by the setting dynclient_document"
        )
    return text if "://" in text else config.rootpath / text


def _observe(config: pytest.Config, mock: Any) -> None:
    """Record the requests to a mock in the coverage of its document, if requested."""
    if not config.getoption("--openapi-coverage"):
        return
    from dynclient._mock.coverage import Coverage

    coverages = config.stash.setdefault(_COVERAGE, {})
    name = f"{mock.api.document_uri} {mock.api.title} {mock.api.version}"
    mock.record_coverage(coverages.setdefault(name, Coverage(mock.api)))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Send the coverage of a worker of pytest-xdist to the process that reports."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["dynclient_coverage"] = {
            name: (found.title, found.version, [_sendable(one) for one in found])
            for name, found in session.config.stash.get(_COVERAGE, {}).items()
        }


def _sendable(one: OperationCoverage) -> tuple[Any, ...]:
    """The fields of an operation's coverage, of the types that execnet sends."""
    return one.operation_id, one.key, one.calls, one.there, {kind: list(used) for kind, used in one.used.items()}


class _Workers:
    """Hooks that only a session with pytest-xdist calls."""

    def pytest_testnodedown(self, node: Any) -> None:
        """Receive the coverage of a worker that has ended."""
        from dynclient._mock.coverage import CoverageReport, OperationCoverage

        coverages = node.config.stash.setdefault(_COVERAGE, {})
        for document, (title, version, rows) in getattr(node, "workeroutput", {}).get("dynclient_coverage", {}).items():
            found = [
                OperationCoverage(name, key, calls, there, {kind: frozenset(texts) for kind, texts in used.items()})
                for name, key, calls, there, used in rows
            ]
            report = CoverageReport(title, version, found)
            coverages[document] = coverages[document].merged(report) if document in coverages else report


def pytest_configure(config: pytest.Config) -> None:
    """Listen to the workers of pytest-xdist, if there are any."""
    if config.pluginmanager.hasplugin("xdist"):
        config.pluginmanager.register(_Workers())


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Report the coverage of each document."""
    coverages: dict[str, CoverageReport] = config.stash.get(_COVERAGE, {})
    if not coverages:
        return
    from dynclient.testing.reports import as_text

    terminalreporter.section("operations called")
    for coverage in coverages.values():
        terminalreporter.write_line(as_text(coverage))
