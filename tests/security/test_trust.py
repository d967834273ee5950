"""Trusted origins for credentials: the table, and the behaviour of a client."""

from __future__ import annotations

from typing import NamedTuple

import pytest

import dynclient
from dynclient import exceptions
from dynclient.messages import origin
from dynclient.model import API, Operation, OperationRow, Server, ServerVariable
from dynclient.security.trust import Trust, trust

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
    Case("https://EU.api.test/x", allowed=True, servers=template("HTTPS://{region}.API.test")),
    Case("https://eueuus.test/x", allowed=True, servers=template("https://{region}{region}{region}.test")),
    Case("https://eueux.test/x", allowed=False, servers=template("https://{region}{region}{region}.test")),
    Case("https://a.b/x", allowed=False, servers=template("https://{unclosed")),
    Case("https://[::1]:8443/x", allowed=True, servers=template("https://[::1]:{port}")),
    Case(f"https://{'.'.join(['a' * 60] * 4)}/x", allowed=False, servers=template("https://" + "{any}" * 12 + "y")),
    Case(f"https://{'a' * 240}/x", allowed=False, servers=template("https://" + "{region}" * 30 + "y")),
    Case(f"https://{'a' * 400}/x", allowed=False, servers=template("https://{any}")),
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


def scope(case: Case) -> Trust:
    row = OperationRow(
        "GET /x", "GET", "/x", "getX", "get_x", (), "", (), deprecated=False, pointer="", path_pointer=""
    )
    uri, remote = case.remote or "file:///x.yaml", case.remote is not None
    servers = tuple(server._replace(remote=remote) for server in case.servers)
    read = lambda _: Operation(row)  # noqa: E731  # it is no more than that
    api = API("t", "1", uri, "x.yaml", remote, (row,), read, {}, {}, servers, source_uri=uri)
    return trust(api, case.base_url, case.allow_origins)


@pytest.mark.parametrize("case", [*LOCAL, *PLAIN, *TEMPLATES, *REMOTE])
def test_scope(case):
    if case.allowed:
        scope(case).check(origin(case.to), (), "getX")
        return
    with pytest.raises(exceptions.CredentialScopeError, match="allow_origins=") as caught:
        scope(case).check(origin(case.to), (), "getX")
    assert caught.value.operation_id == "getX"


def test_the_hint_does_what_it_says():
    case = Case("http://other.test:81/x", allowed=False)
    with pytest.raises(exceptions.CredentialScopeError) as caught:
        scope(case).check(origin(case.to), (), "getX")
    hinted = str(caught.value).partition('allow_origins=("')[2].partition('"')[0]
    scope(case._replace(allow_origins=(hinted,))).check(origin(case.to), (), "getX")


def test_an_operations_own_servers_count_in_a_local_document():
    own = (Server("https://files.test"),)
    scope(Case("", allowed=True)).check(origin("https://files.test/x"), own, "getX")
    own = (Server("https://files.test", remote=True),)
    remote = Case("", allowed=False, remote="https://docs.test/")
    with pytest.raises(exceptions.CredentialScopeError):
        scope(remote).check(origin("https://files.test/x"), own, "getX")


PLAIN_HTTP = {"base_url": "http://api.test"}


def test_a_call_and_its_preparation_are_refused(sent, document):
    with pytest.raises(exceptions.CredentialScopeError, match="allow_origins=") as caught:
        sent({"HeaderKey": "canary"}, "HeaderKey", **PLAIN_HTTP)
    assert caught.value.operation_id == "getX"
    assert "canary" not in str(caught.value)
    client = dynclient.load(document("HeaderKey"), auth={"HeaderKey": "canary"}, **PLAIN_HTTP)
    with pytest.raises(exceptions.CredentialScopeError):
        client.get_x.prepare()


@pytest.mark.parametrize("choices", [(), ("",)])
def test_without_credentials_any_origin_will_do(sent, choices):
    assert "X-API-Key" not in sent({"HeaderKey": "k"}, *choices, **PLAIN_HTTP).headers


def test_no_function_is_asked_for_an_origin_out_of_scope(sent):
    asked = []
    with pytest.raises(exceptions.CredentialScopeError):
        sent(asked.append, "HeaderKey", **PLAIN_HTTP)
    assert asked == []


@pytest.mark.parametrize(
    "wrong", ["api.test", "https://", "https://api.test/v1", "https://u@api.test", "ftp://h", 5, "https://h:x"]
)
def test_what_is_not_an_origin(document, wrong):
    with pytest.raises(exceptions.ArgumentError, match="allow_origins"):
        dynclient.load(document(), allow_origins=(wrong,))
