"""Explorers behind a socket, asked as a browser would, and as others would."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, NamedTuple

import pytest

import dynclient
from dynclient import explorer
from dynclient.testing import DEMO, MockTransport
from dynclient.testing.server import RunningServer


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    text: str

    @property
    def data(self) -> Any:
        return json.loads(self.text)


class Site:
    """A running explorer, and a browser that stands on its page."""

    def __init__(self, server: RunningServer) -> None:
        self.url = server.url
        self.host = server.url.removeprefix("http://")
        self.cookie = ""

    def ask(self, method: str, path: str, value: Any = None, **headers: str | None) -> Answer:
        """Send a request with the headers of our own page; ``None`` leaves one out."""
        given: dict[str, str | None] = {"Host": self.host, "Cookie": self.cookie or None}
        if method == "POST":
            given |= {"Origin": self.url, "Content-Type": "application/json", "X-Dynclient-Explorer": "1"}
        given |= {name.replace("_", "-"): text for name, text in headers.items()}
        connection = http.client.HTTPConnection(self.host, timeout=20)
        try:
            connection.putrequest(method, path, skip_host=True)
            body = value if isinstance(value, bytes) else json.dumps(value).encode() if value is not None else b""
            for name, text in given.items():
                if text is not None:
                    connection.putheader(name, text)
            if body or method == "POST":
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            response = connection.getresponse()
            found = {name.lower(): text for name, text in response.getheaders()}
            return Answer(response.status, found, response.read().decode())
        finally:
            connection.close()

    def post(self, path: str, value: Any, **headers: str | None) -> Any:
        """The JSON that a POST of our page is answered with."""
        return self.ask("POST", path, value, **headers).data


@pytest.fixture(scope="session")
def explored() -> Iterator[Callable[..., Site]]:
    """Start an explorer of a document, whose calls a mock answers."""
    with ExitStack() as stack:

        def start(document: Any = DEMO, *, mock: bool = False, auth: Any = ..., **options: Any) -> Site:
            transport = options.pop("transport", None) or MockTransport(document, stateful=True)
            client = stack.enter_context(dynclient.load(document, transport=transport, auth=auth))
            answering = MockTransport(document, authenticate=False) if mock else None
            other = dynclient.load(document, transport=answering, auth=None) if mock else None
            app = explorer.app(client, mock=other, **options)
            return Site(stack.enter_context(RunningServer(app, "127.0.0.1", 0)))

        yield start


@pytest.fixture(scope="session")
def site(explored: Callable[..., Site]) -> Site:
    return explored()
