"""Mock servers and transports for tests, made from a document.

::

    with dynclient.testing.serve("openapi/voice.yaml") as server:
        voice = dynclient.load("openapi/voice.yaml", base_url=server.url, auth=("user", "password"))

``dynclient._mock`` decides the responses; this package puts it behind a socket, a transport, pytest and a proxy.
Rule: nothing here is imported before its first use; servers need werkzeug (``dynclient[testing]``).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dynclient._deferred import deferred

if TYPE_CHECKING:
    from dynclient._mock.mock import Mock, app
    from dynclient.testing.cassettes import Recorder
    from dynclient.testing.server import Server, proxy, serve
    from dynclient.testing.stubs import ANY, Call, InvalidAnswer, MissingCall, UnexpectedCall, expect_operation
    from dynclient.testing.transport import MockTransport

__all__ = [
    "ANY", "DEMO", "Call", "InvalidAnswer", "MissingCall", "Mock", "MockTransport", "Recorder", "Server",
    "UnexpectedCall", "app", "expect_operation", "proxy", "serve",
]  # fmt: skip

DEMO = Path(__file__).parent.parent / "demo.yaml"
"""A small example document: todos that can be listed, created, read, changed and deleted."""

__getattr__ = deferred(
    __name__,
    {
        "._mock.mock": ("Mock", "app"),
        "cassettes": ("Recorder",),
        "server": ("Server", "proxy", "serve"),
        "stubs": ("ANY", "Call", "UnexpectedCall", "InvalidAnswer", "MissingCall", "expect_operation"),
        "transport": ("MockTransport",),
    },
)


def __dir__() -> list[str]:
    return list(__all__)
