"""A document is also a server to test against.

::

    with dynclient.testing.serve("openapi/voice.yaml") as server:
        voice = dynclient.load("openapi/voice.yaml", base_url=server.url, auth=("user", "password"))

The way of a request: routing -> credentials -> checks -> answers (with the store), or a refusal on the way.
Rule 1: the core (:class:`dynclient.testing.mock.Mock`) takes a Request and gives a Response; sockets are in ``server``.
Rule 2: what it says, errors included, is what the document allows.
Rule 3: nothing here is imported before it is asked for; only ``server`` needs werkzeug (``dynclient[testing]``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dynclient.testing.expectations import ANY, Call, UnexpectedCall
    from dynclient.testing.given import UnlawfulAnswer
    from dynclient.testing.httpserver import expect_operation
    from dynclient.testing.mock import Mock, app
    from dynclient.testing.server import Server, proxy, serve
    from dynclient.testing.transport import MockTransport

__all__ = [
    "ANY",
    "Call",
    "Mock",
    "MockTransport",
    "Server",
    "UnexpectedCall",
    "UnlawfulAnswer",
    "app",
    "expect_operation",
    "proxy",
    "serve",
]

_ROOMS = {
    "expectations": ("ANY", "Call", "UnexpectedCall"),
    "given": ("UnlawfulAnswer",),
    "httpserver": ("expect_operation",),
    "mock": ("Mock", "app"),
    "server": ("Server", "proxy", "serve"),
    "transport": ("MockTransport",),
}
_WHERE = {name: room for room, names in _ROOMS.items() for name in names}


def __getattr__(name: str) -> Any:
    """Load a name when it is first asked for (PEP 562)."""
    from importlib import import_module

    if name not in _WHERE:
        raise AttributeError(f"module 'dynclient.testing' has no attribute {name!r}")
    value = getattr(import_module(f"dynclient.testing.{_WHERE[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
