"""Only type-checked: the testing kit."""

from __future__ import annotations

from typing_extensions import assert_type

from dynclient.messages import Request, Response
from dynclient.testing import Mock, MockTransport, Server, app, serve


def served() -> None:
    with serve("voice.yaml", credentials=("user", "password"), seed=3) as server:
        assert_type(server, Server)
        assert_type(server.url, str)
        assert_type(server.requests, list[Request])
        assert_type(server.responses, list[Response])


def in_process() -> None:
    assert_type(app({"openapi": "3.1.0"}), Mock)
    assert_type(MockTransport("voice.yaml").requests, list[Request])
