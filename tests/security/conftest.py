"""An API of one operation, with the schemes and the security that a test wants."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dynclient._call import Chance
from dynclient.messages import Headers, Request
from dynclient.model import API, Operation, OperationRow, SecurityScheme, Server
from dynclient.options import Limits, Timeout
from dynclient.security import Access, Security, Way

SCHEMES = {
    scheme.name: scheme
    for scheme in (
        SecurityScheme("Basic", "http", scheme="basic"),
        SecurityScheme("Bearer", "http", scheme="bearer", word="bearer"),
        SecurityScheme("Digest", "http", scheme="digest", word="digest"),
        SecurityScheme("Shared", "http", scheme="sharedaccesskey", word="SharedAccessKey"),
        SecurityScheme("HeaderKey", "apiKey", in_="header", parameter="X-API-Key"),
        SecurityScheme("QueryKey", "apiKey", in_="query", parameter="api key"),
        SecurityScheme("CookieKey", "apiKey", in_="cookie", parameter="session"),
        SecurityScheme("AuthorizationKey", "apiKey", in_="header", parameter="Authorization"),
        SecurityScheme("OAuth", "oauth2"),
        SecurityScheme("OpenID", "openIdConnect", open_id_connect_url="https://id.test/"),
        SecurityScheme("Certificate", "mutualTLS"),
    )
}
ROW = OperationRow("GET /x", "GET", "/x", "getX", "get_x", (), "", (), deprecated=False, pointer="", path_pointer="")


def _api(*names: str, uri: str = "file:///voice.yaml", remote: bool = False, servers: tuple[Server, ...] = ()) -> API:
    schemes = {name: SCHEMES[name] for name in names} if names else SCHEMES
    api_servers = servers or (Server("https://api.test/v1"),)
    return API("t", "1", uri, "voice.yaml", remote, (ROW,), lambda _: Operation(ROW), schemes, {}, api_servers)


def _operation(*choices: str, servers: tuple[Server, ...] = ()) -> Operation:
    """Each choice is the names of its schemes, with spaces between; an empty one asks for nothing."""
    security = tuple(dict.fromkeys(choice.split(), ("scope",)) for choice in choices)
    return Operation(ROW, security=security, servers=servers)


def _request(url: str = "https://api.test/v1/x", **headers: str) -> Request:
    return Request("GET", url, Headers(headers))


def _authorized(security: Security, request: Request, operation: Operation) -> Request:
    """Authorize a request for which nothing has to be fetched."""
    steps = Access(security, operation).authorize(request, Way(Chance(), Timeout(), Limits(), None))
    try:
        next(steps)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("something was to be fetched")


@pytest.fixture
def authorized() -> Callable[..., Request]:
    return _authorized


@pytest.fixture
def api() -> Callable[..., API]:
    return _api


@pytest.fixture
def operation() -> Callable[..., Operation]:
    return _operation


@pytest.fixture
def request_to() -> Callable[..., Any]:
    return _request
