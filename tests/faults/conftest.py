"""Servers that misbehave, for as long as a test lasts."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from fault_server import FaultServer  # tests are not a package: it is found beside this file


@pytest.fixture
def serve() -> Iterator[Callable[..., FaultServer]]:
    """Start a server with these scripts."""
    servers: list[FaultServer] = []

    def start(*scripts: tuple[object, ...], **more: bool) -> FaultServer:
        servers.append(FaultServer(*scripts, **more))
        return servers[-1]

    yield start
    for server in servers:
        server.close()
