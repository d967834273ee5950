"""Servers: at three levels, with variables, relative and absolute; and those of 2.0."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dynclient._load import load
from dynclient.exceptions import InvalidDocument
from dynclient.messages import Headers, Response, Send
from dynclient.model import API, Operation, Server, ServerVariable

Reader = Callable[..., Operation]
HOME = "https://docs.example.com/apis/v1/openapi.json"


class Canned:
    """A transport that answers with one document."""

    def __init__(self, body: str) -> None:
        self.body = body.encode()
        self.asked: list[str] = []

    def send(self, send: Send) -> Response:
        self.asked.append(send.request.url)
        return Response(200, Headers({"Content-Type": "application/yaml"}), self.body, send.request)

    def close(self) -> None:
        pass


def remote(text: str) -> API:
    return load(HOME, transport=Canned(text))


ROOT = "[{url: 'https://root'}]"
# The servers of the root, the Path Item and the operation; whose count.
LEVELS = [
    (ROOT, None, None, ["https://root"]),
    (ROOT, "[{url: 'https://path'}]", None, ["https://path"]),
    (ROOT, "[{url: 'https://path'}]", "[{url: 'https://op'}, {url: 'https://op2'}]", ["https://op", "https://op2"]),
    (ROOT, "[]", "[]", ["https://root"]),
    ("[]", None, None, []),
    (None, None, None, []),
]


@pytest.mark.parametrize(("root", "item", "own", "urls"), LEVELS)
def test_the_nearest_servers_count(
    api_of: Callable[..., API], root: str | None, item: str | None, own: str | None, urls: list[str]
) -> None:
    def words(servers: str | None) -> str:
        return f"servers: {servers}, " if servers else ""

    api = api_of(f"{{{words(root)} paths: {{/x: {{{words(item)} get: {{{words(own)} tags: []}}}}}}}}")
    assert [server.url for server in api.read(api.rows[0]).servers] == urls
    assert [server.url for server in api.servers] == (["https://root"] if root == ROOT else [])


def test_what_is_said_of_a_server(operation_of: Reader) -> None:
    text = """
    servers:
      - url: " https://{region}.example.com:{port}/v1 "
        name: main
        description: " The one "
        variables:
          region: {default: eu, enum: [eu, 1], description: Where}
          port: {default: 8443}
          first: {enum: [a, b]}
    """
    (server,) = operation_of(text).servers
    assert server == Server(
        "https://{region}.example.com:{port}/v1",
        "The one",
        "main",
        {
            "region": ServerVariable("region", "eu", ("eu", "1"), "Where"),
            "port": ServerVariable("port", "8443"),
            "first": ServerVariable("first", "a", ("a", "b")),
        },
    )


# A Server Object, and its URL in a document that came from HOME.
RELATIVE = [
    ("{url: /}", "https://docs.example.com/"),
    ("{url: /v2}", "https://docs.example.com/v2"),
    ("{url: .}", "https://docs.example.com/apis/v1/"),
    ("{url: ../v3}", "https://docs.example.com/apis/v3"),
    ("{url: v4}", "https://docs.example.com/apis/v1/v4"),
    ("{url: ''}", "https://docs.example.com/apis/v1/openapi.json"),
    ("{url: //other.example.com/v5}", "https://other.example.com/v5"),
    ("{url: 'http://other.example.com'}", "http://other.example.com"),
    ("{url: '{base}', variables: {base: {default: 'http://a'}}}", "{base}"),
    ("{url: '{scheme}://a/b', variables: {scheme: {default: https}}}", "{scheme}://a/b"),
    ("{url: '{path}/b', variables: {path: {default: /v6}}}", "https://docs.example.com{path}/b"),
    ("{url: '/{path}/b', variables: {path: {default: v6}}}", "https://docs.example.com/{path}/b"),
    ("{url: './{path}/b', variables: {path: {default: v6}}}", "https://docs.example.com/apis/v1/{path}/b"),
    ("{url: '//{host}/b', variables: {host: {default: a}}}", "https://{host}/b"),
]


@pytest.mark.parametrize(("server", "url"), RELATIVE, ids=[server for server, _ in RELATIVE])
def test_relative_urls_are_resolved_against_where_the_document_is(server: str, url: str) -> None:
    # OAS 3.2.0, Examples of API Base URI Determination: `$self` does not count for servers.
    api = remote(f"openapi: 3.2.0\n$self: https://self.example.com/x\ninfo: {{}}\npaths: {{}}\nservers: [{server}]\n")
    assert api.remote
    assert [found.url for found in api.servers] == [url]


@pytest.mark.parametrize("url", ["/", "/v2", ".", "../v3", "//other.example.com/v5", "{path}/b"])
def test_relative_urls_of_a_local_document_are_kept(api_of: Callable[..., API], url: str) -> None:
    servers = [{"url": url, "variables": {"path": {"default": "v6"}}}]
    api = api_of({"openapi": "3.2.0", "$self": "https://self.example.com/x", "servers": servers})
    assert [server.url for server in api.servers] == [url]


@pytest.mark.parametrize("servers", ["", "servers: []\n"])
def test_without_servers_it_is_the_root_of_where_the_document_is(servers: str) -> None:
    api = remote(f"openapi: 3.0.0\ninfo: {{}}\npaths: {{/x: {{get: {{}}}}}}\n{servers}")
    assert api.servers == api.read(api.rows[0]).servers == (Server("https://docs.example.com/", remote=True),)


@pytest.mark.parametrize("server", ["{}", "5", "{url: '//['}", "{url: 'http://['}", "{url: [a]}"])
def test_broken_servers_break_the_operations_only(server: str) -> None:
    api = remote(f"openapi: 3.1.0\ninfo: {{}}\npaths: {{/x: {{get: {{}}}}}}\nservers:\n  - {server}\n")
    assert api.servers == ()
    (broken,) = api.read(api.rows[0]).servers
    assert isinstance(broken.fault, InvalidDocument)


def test_oauth_urls_are_absolute_where_the_document_s_is_known() -> None:
    api = remote(
        "openapi: 3.1.0\ninfo: {}\ncomponents: {securitySchemes: {o: {type: oauth2, flows: {password:"
        " {tokenUrl: /token, scopes: {}}}}, p: {type: openIdConnect, openIdConnectUrl: 'http://['}}}\n"
    )
    assert api.security_schemes["o"].flows[0].token_url == "https://docs.example.com/token"
    with pytest.raises(InvalidDocument, match="is not a URL"):
        api.security_schemes["p"]


# What a document of 2.0 says, in a local file; its servers.
HOSTS: list[tuple[str, list[str]]] = [
    ("{}", []),
    ("{basePath: /v1}", ["/v1"]),
    ("{basePath: v1}", ["/v1"]),
    ("{host: a.b}", ["https://a.b"]),
    ("{host: 'a.b:81', basePath: /v1}", ["https://a.b:81/v1"]),
    ("{host: a.b, schemes: []}", ["https://a.b"]),
    ("{host: a.b, schemes: [http]}", ["http://a.b"]),
    ("{host: a.b, schemes: [http, HTTPS, ws]}", ["https://a.b", "http://a.b"]),
    ("{host: a.b, schemes: [wss]}", []),
    ("{host: 'localhost:8080'}", ["http://localhost:8080"]),
    ("{host: 127.0.0.1}", ["http://127.0.0.1"]),
    ("{host: localhost, schemes: [https]}", ["https://localhost"]),
]


@pytest.mark.parametrize(("text", "urls"), HOSTS, ids=[text for text, _ in HOSTS])
def test_servers_of_2(text: str, urls: list[str]) -> None:
    api = load(f"{text[:-1]}{', ' if text != '{}' else ''}swagger: '2.0', info: {{}}, paths: {{/x: {{get: {{}}}}}}}}")
    assert [server.url for server in api.servers] == urls
    assert api.read(api.rows[0]).servers == api.servers


@pytest.mark.parametrize(
    ("more", "url"),
    [
        ("", "https://docs.example.com"),
        ("basePath: /v1\n", "https://docs.example.com/v1"),
        ("host: a.b\n", "https://a.b"),
        ("schemes: [http]\n", "http://docs.example.com"),
    ],
)
def test_what_2_lacks_is_taken_from_the_document_s_url(more: str, url: str) -> None:
    assert [server.url for server in remote(f"swagger: '2.0'\ninfo: {{}}\npaths: {{}}\n{more}").servers] == [url]


def test_an_operation_of_2_may_have_schemes_of_its_own(operation_of: Reader) -> None:
    operation = operation_of("schemes: [http]", swagger="2.0", host="a.b", schemes=["https"])
    assert [server.url for server in operation.servers] == ["http://a.b"]


@pytest.mark.parametrize("host", ["a.b/c", "user@a.b", "http://a.b", "a b", "a?b"])
def test_a_host_that_is_more_than_one_is_told(host: str) -> None:
    document: dict[str, Any] = {"swagger": "2.0", "info": {}, "host": host, "paths": {"/x": {"get": {}}}}
    api = load(document)
    (broken,) = api.read(api.rows[0]).servers
    assert isinstance(broken.fault, InvalidDocument)
    assert "host" in broken.fault.message
