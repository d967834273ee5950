"""A mock of a small document, asked directly or over a socket."""

from __future__ import annotations

from pathlib import Path

import pytest
import urllib3

from dynclient import testing
from dynclient.messages import Headers, Request

THINGS = Path(__file__).parents[1] / "cases" / "things.yaml"


def asking(mock):
    """Ask a mock without a socket: ``ask("GET", "/things?limit=3", {"Accept": ...}, b"...")``."""

    def ask(method, target, headers=None, body=b""):
        return mock.respond(Request(method, f"http://mock.test{target}", Headers(headers or {}), body))

    return ask


@pytest.fixture
def mock():
    return testing.app(THINGS, stateful=True)


@pytest.fixture
def ask(mock):
    return asking(mock)


@pytest.fixture
def ask_with():
    """Make another mock, of the same document unless one is given, and ask it."""

    def make(document=THINGS, **options):
        return asking(testing.app(document, **options))

    return make


@pytest.fixture
def things():
    with testing.serve(THINGS, stateful=True) as server:
        yield server


@pytest.fixture
def http():
    with urllib3.PoolManager(retries=False, timeout=10) as pool:
        yield pool
