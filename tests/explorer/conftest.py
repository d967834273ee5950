"""Explorers behind a socket, asked as a browser would, and as others would."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

import pytest

import dynclient
from dynclient import explorer
from dynclient.messages import Headers, Response
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


SECRET = "c2VjcmV0LXRva2VuLTEyMzQ1"
TEXT = {"type": "string"}
ITEMS = {"type": "array", "items": {"type": "object", "properties": {"id": {"type": "integer"}}}}
PROPERTIES = {"data": ITEMS, "next_cursor": TEXT, "echo": TEXT}


def _list(name: str, parameters: list[str], schema: Any, **response: Any) -> dict[str, Any]:
    return {
        "get": {
            "operationId": name,
            "parameters": [{"name": one, "in": "query", "schema": TEXT} for one in parameters],
            "responses": {"200": {"description": "d", "content": {"application/json": {"schema": schema}}, **response}},
        }
    }


LISTS = {
    "openapi": "3.1.0",
    "info": {"title": "Lists", "version": "1"},
    "servers": [{"url": "http://127.0.0.1:9"}],
    "paths": {
        "/cursor": _list("by_cursor", ["cursor", "resume"], {"type": "object", "properties": PROPERTIES}),
        "/link": _list("by_link", ["cursor"], ITEMS, headers={"Link": {"schema": TEXT}}),
    },
    "security": [{"b": []}],
    "components": {"securitySchemes": {"b": {"type": "http", "scheme": "bearer"}}},
}


class Lists:
    """A server of five items, two on a page: one list goes on by a cursor, the other by a Link header."""

    def send(self, send: Any) -> Response:
        url = urlsplit(send.request.url)
        first = int(dict(parse_qsl(url.query)).get("cursor", 0))
        items = [{"id": n} for n in range(first, min(first + 2, 5))]
        headers, data = {"Content-Type": "application/json"}, {"data": items, "echo": SECRET}
        if first < 4 and url.path == "/cursor":
            data["next_cursor"] = str(first + 2)
        elif first < 4:
            headers["Link"] = f'</link?cursor={first + 2}>; rel="next"'
        body = json.dumps(data if url.path == "/cursor" else items).encode()
        return Response(200, Headers(headers), body, send.request)

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture(scope="session")
def lists(explored: Callable[..., Site]) -> Site:
    """An explorer of lists that go on. Their server repeats the credential ``c2VjcmV0LXRva2VuLTEyMzQ1``."""
    return explored(LISTS, auth=SECRET, transport=Lists())
