"""Where credentials may go."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import pytest

from dynclient import exceptions
from dynclient.model import Server, ServerVariable
from dynclient.security import Security

REGION = ServerVariable("region", "eu", ("eu", "us"))
ANY = ServerVariable("any", "x")
PORT = ServerVariable("port", "443", ("443", "8443"))


def template(url: str) -> tuple[Server, ...]:
    return (Server(url, variables={variable.name: variable for variable in (REGION, ANY, PORT)}),)


class Case(NamedTuple):
    to: str
    allowed: bool
    servers: tuple[Server, ...] = (Server("https://api.test/v1"),)
    remote: str | None = None
    base_url: str | None = None
    allow_origins: tuple[str, ...] = ()


LOCAL = [
    Case("https://api.test/v1/x", allowed=True),
    Case("https://api.test:443/", allowed=True),
    Case("https://API.test/other", allowed=True),
    Case("https://api.test:8443/v1/x", allowed=False),
    Case("https://www.api.test/v1/x", allowed=False),
    Case("https://api.test.evil.test/v1/x", allowed=False),
    Case("https://api.test@evil.test/v1/x", allowed=False),
    Case("http://api.test/v1/x", allowed=False),
    Case("https://other.test/", allowed=True, base_url="https://other.test/v2"),
    Case("https://other.test:1/", allowed=False, base_url="https://other.test/v2"),
    Case("https://other.test/", allowed=True, allow_origins=("https://other.test",)),
    Case("https://other.test:8443/", allowed=True, allow_origins=("https://x.test", "https://other.test:8443/")),
    Case("https://other.test/", allowed=False, allow_origins=("http://other.test",)),
]
PLAIN = [
    Case("http://127.0.0.1:4010/x", allowed=True, base_url="http://127.0.0.1:4010"),
    Case("http://127.9.9.9/x", allowed=True, base_url="http://127.9.9.9"),
    Case("http://[::1]:80/x", allowed=True, base_url="http://[::1]"),
    Case("http://localhost/x", allowed=True, base_url="http://localhost"),
    Case("http://api.localhost/x", allowed=True, base_url="http://api.localhost"),
    Case("http://localhost.evil.test/x", allowed=False, base_url="http://localhost.evil.test"),
    Case("http://api.test/x", allowed=False, base_url="http://api.test"),
    Case("http://api.test/x", allowed=False, servers=(Server("http://api.test"),)),
    Case("http://api.test/x", allowed=True, base_url="http://api.test", allow_origins=("http://api.test",)),
    Case("http://127.0.0.1/x", allowed=True, servers=(Server("http://127.0.0.1"),)),
]
TEMPLATES = [
    Case("https://eu.api.test/x", allowed=True, servers=template("https://{region}.api.test")),
    Case("https://cn.api.test/x", allowed=False, servers=template("https://{region}.api.test")),
    Case("https://a.b.api.test/x", allowed=True, servers=template("https://{any}.api.test/{any}")),
    Case("https://a.test/x", allowed=False, servers=template("https://{any}.api.test")),
    Case("https://h:8443/x", allowed=True, servers=template("https://h:{port}/v1")),
    Case("https://h/x", allowed=True, servers=template("https://h:{port}/v1")),
    Case("https://h:1/x", allowed=False, servers=template("https://h:{port}/v1")),
    Case("https://h/x", allowed=True, servers=template("{any}://h/v1")),
    Case("https://h/x", allowed=False, servers=(Server("/v1"), *template("{any}"))),
    Case("https://h/x", allowed=False, servers=(Server("https://h:nonsense/v1"),)),
]  # fmt: skip  # a case reads best on one line
REMOTE = [
    Case("https://docs.test/x", allowed=True, remote="https://docs.test/openapi.json"),
    Case("https://api.test/v1/x", allowed=False, remote="https://docs.test/openapi.json"),
    Case("https://docs.test:1/x", allowed=False, remote="https://docs.test/openapi.json"),
    Case("http://docs.test/x", allowed=False, remote="http://docs.test/openapi.json"),
    Case("https://api.test/x", allowed=True, remote="https://docs.test/", base_url="https://api.test"),
    Case("https://api.test/x", allowed=True, remote="https://docs.test/", allow_origins=("https://api.test",)),
]


def security(case: Case, api: Any) -> Security:
    made = api(uri=case.remote or "file:///x.yaml", remote=case.remote is not None, servers=case.servers)
    return Security(made, {"HeaderKey": "canary"}, base_url=case.base_url, allow_origins=case.allow_origins)


@pytest.mark.parametrize("case", [*LOCAL, *PLAIN, *TEMPLATES, *REMOTE])
def test_scope(authorized, case, api, operation, request_to):
    made, request = security(case, api), request_to(case.to)
    if case.allowed:
        assert authorized(made, request, operation("HeaderKey")).headers["x-api-key"] == "canary"
        assert made.placeholder(request, operation("HeaderKey")).headers["x-api-key"] == "canary"
        return
    for way in (partial(authorized, made), made.placeholder):
        with pytest.raises(exceptions.CredentialScopeError, match="allow_origins=") as caught:
            way(request, operation("HeaderKey"))
        assert caught.value.operation_id == "getX"
        assert "canary" not in str(caught.value)


def test_the_hint_does_what_it_says(authorized, api, operation, request_to):
    case = Case("http://other.test:81/x", allowed=False)
    with pytest.raises(exceptions.CredentialScopeError) as caught:
        authorized(security(case, api), request_to(case.to), operation("HeaderKey"))
    hinted = str(caught.value).partition('allow_origins=("')[2].partition('"')[0]
    mended = security(case._replace(allow_origins=(hinted,)), api)
    assert authorized(mended, request_to(case.to), operation("HeaderKey"))


@pytest.mark.parametrize("choices", [(), ("",)])
def test_without_credentials_any_origin_will_do(authorized, choices, api, operation, request_to):
    request = request_to("http://evil.test/x")
    assert authorized(security(Case("", allowed=False), api), request, operation(*choices)) == request


def test_an_operations_own_servers_count_in_a_local_document(authorized, api, operation, request_to):
    request = request_to("https://files.test/x")
    own = operation("HeaderKey", servers=(Server("https://files.test"),))
    assert authorized(security(Case("", allowed=True), api), request, own)
    with pytest.raises(exceptions.CredentialScopeError):
        authorized(security(Case("", allowed=False, remote="https://docs.test/"), api), request, own)


def test_no_function_is_asked_for_an_origin_out_of_scope(authorized, api, operation, request_to):
    asked = []
    made = Security(api(), asked.append)
    with pytest.raises(exceptions.CredentialScopeError):
        authorized(made, request_to("https://evil.test/"), operation("HeaderKey"))
    assert asked == []


@pytest.mark.parametrize(
    "origin", ["api.test", "https://", "https://api.test/v1", "https://u@api.test", "ftp://h", 5, "https://h:x"]
)
def test_an_origin_that_is_none(origin, api):
    with pytest.raises(exceptions.ArgumentError, match="allow_origins"):
        Security(api(), allow_origins=(origin,))
