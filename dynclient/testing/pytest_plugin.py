"""Fixtures for pytest, and the coverage of operations; loaded by pytest itself (entry point ``pytest11``).

Rule: pytest loads this in every session, so nothing of dynclient is imported at the top.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from dynclient._mock.coverage import Coverage
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

    Without a document it is the one that the setting ``dynclient_document`` names.
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


def _configured_document(config: pytest.Config) -> Any:
    text = str(config.getini("dynclient_document"))
    if not text:
        raise pytest.UsageError(
            "dynclient_server needs a document: as its argument, or by the setting dynclient_document"
        )
    return text if "://" in text else config.rootpath / text


def _observe(config: pytest.Config, mock: Any) -> None:
    """Record the requests to a mock in the coverage of its document, if that is asked for."""
    if not config.getoption("--openapi-coverage"):
        return
    from dynclient._mock.coverage import Coverage

    coverages = config.stash.setdefault(_COVERAGE, {})
    name = f"{mock.api.document_uri} {mock.api.title} {mock.api.version}"
    mock.record_coverage(coverages.setdefault(name, Coverage(mock.api)))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Report the coverage of each document."""
    coverages: dict[str, Coverage] = config.stash.get(_COVERAGE, {})
    if not coverages:
        return
    from dynclient.testing.reports import as_text

    terminalreporter.section("operations called")
    for coverage in coverages.values():
        terminalreporter.write_line(as_text(coverage))
