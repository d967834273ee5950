"""A mock of a small document, called directly or over a socket."""

from __future__ import annotations

from pathlib import Path

import pytest
import urllib3

from dynclient import testing
from dynclient.messages import Headers, Request

THINGS = Path(__file__).parents[1] / "cases" / "things.yaml"


def asking(mock):
    """A function that calls a mock without a socket: ``ask("GET", "/things?limit=3", {"Accept": ...}, b"...")``."""

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
    """Make a mock with options, by default of the same document, and return a function that calls it."""

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
